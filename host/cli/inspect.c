#include "inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define NAME_COLUMNS (INSPECT_NAME - 1)
#define SHOWN_TENSORS 3 /* of each place in memory, unless --verbose */
#define MAX_PLACES 64

const char *inspect_shape(const json_t *dims, char text[INSPECT_SHAPE])
{
    size_t used = 0;

    snprintf(text, INSPECT_SHAPE, "%s", json_array_size(dims) == 0 ? "a scalar" : "");
    for (size_t i = 0; i < json_array_size(dims) && used < INSPECT_SHAPE; i++) {
        const json_t *dim = json_array_get(dims, i);
        const char *separator = i ? "x" : "";
        const int written = json_is_null(dim)
                                ? snprintf(text + used, INSPECT_SHAPE - used, "%s?", separator)
                                : snprintf(text + used, INSPECT_SHAPE - used, "%s%lld", separator,
                                           (long long)json_integer_value(dim));

        used += (size_t)written;
    }
    return text;
}

/* Height and width of a pair, or -1 and -1. */
static void pair(const json_t *layer, const char *key, long long values[2])
{
    const json_t *list = json_object_get(layer, key);

    for (size_t i = 0; i < 2; i++)
        values[i] = list ? (long long)json_integer_value(json_array_get(list, i)) : -1;
}

static void add_pair(const json_t *layer, const char *key, const char *letter, char *text)
{
    const size_t used = strlen(text);
    long long values[2];

    pair(layer, key, values);
    if (values[0] == values[1] && values[0] > 1)
        snprintf(text + used, INSPECT_WINDOW - used, " %s%lld", letter, values[0]);
    else if (values[0] != values[1])
        snprintf(text + used, INSPECT_WINDOW - used, " %s%lldx%lld", letter, values[0], values[1]);
}

const char *inspect_window(const json_t *layer, char text[INSPECT_WINDOW])
{
    const double groups = cli_number(layer, "groups");
    long long kernel[2];

    pair(layer, "kernel", kernel);
    text[0] = 0;
    if (kernel[0] < 0)
        return text;
    snprintf(text, INSPECT_WINDOW, "%lldx%lld", kernel[0], kernel[1]);
    add_pair(layer, "stride", "s", text);
    add_pair(layer, "dilation", "d", text);
    if (groups > 1)
        snprintf(text + strlen(text), INSPECT_WINDOW - strlen(text), " g%.0f", groups);
    return text;
}

static void print_io(const json_t *root, const char *key, const char *title)
{
    const json_t *list = json_object_get(root, key);
    char declared[INSPECT_SHAPE], used[INSPECT_SHAPE], name[INSPECT_NAME];

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *io = json_array_get(list, i);

        inspect_shape(json_object_get(io, "shape"), declared);
        inspect_shape(json_object_get(io, "used"), used);
        printf("%-7s %s %s", title, inspect_name(io, false, name), declared);
        printf(strcmp(declared, used) ? ", here %s\n" : "\n", used);
    }
}

/* ---- what passes did ---- */

struct words {
    const char *op, *one, *many;
};
static const struct words operator_words[] = {
    {"BatchNormalization", "batch norm", "batch norms"},
    {"Add", "addition", "additions"},
    {"Sub", "subtraction", "subtractions"},
    {"Mul", "multiplication", "multiplications"},
    {"Div", "division", "divisions"},
    {"Pad", "pad", "pads"},
    {"Slice", "slice", "slices"},
    {"Concat", "concatenation", "concatenations"},
    {"Transpose", "transposition", "transpositions"},
    {"Relu", "activation", "activations"},
    {"Clip", "activation", "activations"},
    {"LeakyRelu", "activation", "activations"},
    {"HardSwish", "activation", "activations"},
    {"Sigmoid", "activation", "activations"},
};
#define WORD_COUNT (sizeof operator_words / sizeof operator_words[0])

static int removed(const json_t *pass, const char *op)
{
    return (int)cli_number(json_object_get(pass, "removed"), op);
}

static void print_count(int count, const char *one, const char *many, const char **separator)
{
    if (count <= 0)
        return;
    printf("%s%d %s", *separator, count, count == 1 ? one : many);
    *separator = ", ";
}

/* "16 additions, 49 activations": words of the same meaning stand beside each other in the table.
 */
static void print_removed(const json_t *pass)
{
    const char *separator = "", *op;
    json_t *count;
    int sum = 0;

    for (size_t i = 0; i < WORD_COUNT; i++) {
        sum += removed(pass, operator_words[i].op);
        if (i + 1 < WORD_COUNT && strcmp(operator_words[i].one, operator_words[i + 1].one) == 0)
            continue;
        print_count(sum, operator_words[i].one, operator_words[i].many, &separator);
        sum = 0;
    }
    json_object_foreach(json_object_get(pass, "removed"), op, count)
    {
        bool known = false;

        for (size_t i = 0; i < WORD_COUNT; i++)
            known = known || strcmp(operator_words[i].op, op) == 0;
        if (!known)
            print_count((int)json_integer_value(count), op, op, &separator);
    }
}

static void print_identity(const json_t *pass)
{
    print_removed(pass);
    puts(" removed: they change nothing");
}

static void print_constants(const json_t *pass)
{
    printf("%.0f nodes -> %.0f\n", cli_number(pass, "nodes_before"),
           cli_number(pass, "nodes_after"));
}

static void print_pad(const json_t *pass)
{
    print_removed(pass);
    puts(" folded into the windows behind");
}

/* Moving one past another operator counts as a change too. */
static void print_transpose(const json_t *pass)
{
    printf("%d removed, the others moved\n", removed(pass, "Transpose"));
}

/* Each change makes one convolution of many. */
static void print_groups(const json_t *pass)
{
    const int changes = (int)cli_number(pass, "changes");

    printf("%d convolutions -> %d\n", removed(pass, "Conv") + changes, changes);
}

/* What could not be folded has become a per-channel scale. */
static void print_batch_norm(const json_t *pass)
{
    const int left = -removed(pass, "Scale");
    int count = 0;

    for (size_t i = 0; i < WORD_COUNT; i++)
        count += removed(pass, operator_words[i].op);
    if (removed(pass, "BatchNormalization") < count) {
        print_removed(pass);
        fputs(": ", stdout);
    }
    printf("%d folded into convolutions, %d left\n", count - left, left);
}

static void print_fuse(const json_t *pass)
{
    print_removed(pass);
    putchar('\n');
}

static void print_slice(const json_t *pass)
{
    printf("%d folded into the weights before\n", removed(pass, "Slice"));
}

static const struct {
    const char *pass, *title;
    void (*print)(const json_t *pass);
} passes[] = {
    {"constants", "constants", print_constants},
    {"identity", "identity", print_identity},
    {"pad", "padding", print_pad},
    {"transpose", "transpositions", print_transpose},
    {"groups", "group recovery", print_groups},
    {"batch_norm", "batch norm", print_batch_norm},
    {"fuse", "fuse", print_fuse},
    {"slice", "slice", print_slice},
};

static void print_pass(const json_t *pass)
{
    const char *name = cli_text(pass, "pass");
    size_t i = 0;

    while (i < sizeof passes / sizeof passes[0] && strcmp(passes[i].pass, name) != 0)
        i++;
    if (i == sizeof passes / sizeof passes[0]) {
        printf("  %s: %.0f changes\n", name, cli_number(pass, "changes"));
    } else if (cli_number(pass, "changes") > 0) {
        printf("  %s: ", passes[i].title);
        passes[i].print(pass);
    } else {
        printf("  %s: nothing to do\n", passes[i].title);
    }
}

/* ---- what runs ---- */

static void print_nodes(const char *title, const json_t *nodes)
{
    char shape[INSPECT_SHAPE], name[INSPECT_NAME];

    puts(title);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);

        printf("  %-*s %-18s %s\n", NAME_COLUMNS, inspect_name(node, false, name),
               cli_text(node, "op"), inspect_shape(json_object_get(node, "shape"), shape));
    }
}

static const json_t *tensor_of(const json_t *root, const json_t *slot)
{
    return json_array_get(json_object_get(json_object_get(root, "memory"), "tensors"),
                          (size_t)json_integer_value(slot));
}

static void print_layer(const json_t *root, const json_t *layer)
{
    const json_t *residual = json_object_get(layer, "residual");
    char input[INSPECT_SHAPE], output[INSPECT_SHAPE], window[INSPECT_WINDOW], mmacs[32] = "";
    char name[INSPECT_NAME];

    inspect_shape(json_object_get(layer, "input"), input);
    inspect_shape(json_object_get(layer, "output"), output);
    if (cli_number(layer, "macs") > 0)
        snprintf(mmacs, sizeof mmacs, "%.1f", cli_number(layer, "macs") * 1e-6);
    printf("  %-*s %-17s %-9s %16s -> %-16s %-11s %7s  %s", NAME_COLUMNS,
           inspect_name(layer, false, name), cli_text(layer, "op"), cli_text(layer, "kind"), input,
           output, inspect_window(layer, window), mmacs, cli_text(layer, "activation"));
    if (residual)
        printf(" + %s", inspect_name(tensor_of(root, residual), false, name));
    putchar('\n');
}

static void print_layers(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");

    printf("  %-*s %-17s %-9s %16s -> %-16s %-11s %7s\n", NAME_COLUMNS, "layer", "op", "kind",
           "input NxCxHxW", "output", "window", "MMAC");
    for (size_t i = 0; i < json_array_size(layers); i++)
        print_layer(root, json_array_get(layers, i));
    cli_chunks_print(layers);
    printf("total   %.0f launches, %.3f GMAC, %.3f M parameters\n", cli_number(root, "launches"),
           cli_number(root, "macs") * 1e-9, cli_number(root, "parameters") * 1e-6);
}

/* ---- memory ---- */

static bool same_place(const json_t *a, const json_t *b)
{
    return json_is_integer(json_object_get(a, "chunk")) &&
           json_is_integer(json_object_get(b, "chunk")) &&
           json_equal(json_object_get(a, "chunk"), json_object_get(b, "chunk")) &&
           json_equal(json_object_get(a, "offset"), json_object_get(b, "offset"));
}

/* The tensors that begin where tensor `first` does, itself the first of them. */
static void print_place(const json_t *tensors, size_t first, size_t shown)
{
    const json_t *head = json_array_get(tensors, first);
    char name[INSPECT_NAME];
    size_t count = 0;

    printf("  allocation %.0f, byte %.0f:", cli_number(head, "chunk"), cli_number(head, "offset"));
    for (size_t i = first; i < json_array_size(tensors); i++) {
        const json_t *tensor = json_array_get(tensors, i);

        if (!same_place(head, tensor) || ++count > shown)
            continue;
        printf("%s %s%s", count > 1 ? "," : "", inspect_name(tensor, false, name),
               json_object_get(tensor, "replaces") ? " (in place)" : "");
    }
    printf(count > shown ? " and %zu more\n" : "\n", count - shown);
}

static void print_places(const json_t *tensors, bool all)
{
    size_t heads[MAX_PLACES], count = 0;

    for (size_t i = 0; i < json_array_size(tensors) && count < MAX_PLACES; i++) {
        const json_t *tensor = json_array_get(tensors, i);
        size_t k = 0;

        while (k < count && !same_place(json_array_get(tensors, heads[k]), tensor))
            k++;
        if (k == count && json_object_get(tensor, "chunk"))
            heads[count++] = i;
    }
    for (size_t k = 0; k < count; k++)
        print_place(tensors, heads[k], all ? SIZE_MAX : SHOWN_TENSORS);
}

static void print_memory(const json_t *root, bool all)
{
    const json_t *memory = json_object_get(root, "memory");
    const json_t *tensors = json_object_get(memory, "tensors"), *largest = NULL;
    const size_t chunks = json_array_size(json_object_get(memory, "chunks"));
    char shape[INSPECT_SHAPE], name[INSPECT_NAME];
    int count = 0;

    for (size_t i = 0; i < json_array_size(tensors); i++) {
        const json_t *tensor = json_array_get(tensors, i);

        if (!json_object_get(tensor, "chunk"))
            continue;
        count++;
        if (!largest || cli_number(tensor, "bytes") > cli_number(largest, "bytes"))
            largest = tensor;
    }
    printf("memory  %.2f MiB in %zu allocation%s for %d tensors between layers",
           cli_number(root, "arena_bytes") / MIB, chunks, chunks == 1 ? "" : "s", count);
    if (largest)
        printf(", the largest '%s' %s, %.2f MiB", inspect_name(largest, false, name),
               inspect_shape(json_object_get(largest, "shape"), shape),
               cli_number(largest, "bytes") / MIB);
    putchar('\n');
    print_places(tensors, all);
}

static void print_text(const struct cli_options *options, const json_t *root)
{
    const json_t *done = json_object_get(root, "passes");

    print_io(root, "inputs", "input");
    print_io(root, "outputs", "output");
    if (options->verbose)
        print_nodes("nodes before passes", json_object_get(root, "graph_before"));
    printf("graph   %.0f nodes, %.0f of them convolutions; after passes %.0f and %.0f\n",
           cli_number(root, "nodes"), cli_number(root, "convolutions"),
           cli_number(root, "nodes_optimised"), cli_number(root, "convolutions_optimised"));
    for (size_t i = 0; i < json_array_size(done); i++)
        print_pass(json_array_get(done, i));
    if (options->verbose)
        print_nodes("nodes after passes", json_object_get(root, "graph_after"));
    print_layers(root);
    print_memory(root, options->verbose);
}

static int print_inspection(const struct cli_options *options, const char *json)
{
    json_t *root = json_loads(json, 0, NULL);
    int failed = 0;

    if (!root)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the inspection");
    if (options->dot)
        failed = inspect_draw(root);
    else
        print_text(options, root);
    json_decref(root);
    return failed;
}

static int report(const struct cli_options *options, struct cli_session *s, char **json)
{
    const size_t count = ncl_model_input_count(s->model);
    ncl_tensor *inputs = calloc(count + 1, sizeof *inputs);
    const ncl_inspection at = {s->model, inputs, count};
    ncl_status status;
    int failed;

    if (!inputs)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the inputs");
    failed = cli_input_dims(options, s, options->batch, inputs);
    if (!failed) {
        status = ncl_report(s->context, NCL_REPORT_INSPECT_AT, &at, json);
        failed = status == NCL_OK && !cli_interrupted() ? 0 : cli_fail_model(options, status);
    }
    free(inputs);
    return failed;
}

int cli_inspect(const struct cli_options *options)
{
    struct cli_session s = {0};
    char *json = NULL;
    int failed = cli_open_context(options, options->device ? options->device : "none",
                                  NCL_MATH_AUTO, false, &s.context);

    if (!failed)
        failed = cli_open_any_model(options, s.context, &s.model);
    if (!failed)
        failed = report(options, &s, &json);
    if (!failed)
        failed = options->json ? cli_print_report(json) : print_inspection(options, json);
    ncl_free(json);
    cli_close(&s);
    return failed;
}

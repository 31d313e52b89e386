/* A Graphviz drawing of what runs: a box per launch, coloured by kind, in frames by block. */
#include "inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *kind, *colour;
} colours[] = {
    {"pointwise", "#cfe2f3"}, {"grouped", "#d9ead3"}, {"depthwise", "#d9ead3"},
    {"spatial", "#b6d7a8"},   {"stem", "#9fc5e8"},    {"fused", "#fff2cc"},
    {"dense", "#d9d2e9"},     {"pool", "#f9cb9c"},
};

static const char *colour_of(const char *kind)
{
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
        if (strcmp(colours[i].kind, kind) == 0)
            return colours[i].colour;
    return "#eeeeee";
}

/* Names come from model files: quotes and backslashes would end the string. */
static void print_escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            putchar('\\');
        putchar(c < ' ' || c == 0x7f ? ' ' : c);
    }
}

static void print_name(const json_t *object, bool in_block)
{
    char text[INSPECT_NAME];

    inspect_name(object, in_block, text);
    print_escaped(text, strlen(text));
}

/* Without the batch. */
static void print_shape(const json_t *shape)
{
    const size_t rank = json_array_size(shape);

    for (size_t i = rank > 1 ? 1 : 0; i < rank; i++)
        printf("%s%lld", i > 1 ? "x" : "", (long long)json_integer_value(json_array_get(shape, i)));
}

struct drawing {
    const json_t *layers, *tensors;
    size_t layer_count, tensor_count;
    int *writer; /* per tensor: the last layer so far that wrote it, -1: none */
};

static bool is_output(const struct drawing *d, const json_t *layer)
{
    const json_t *tensor = json_array_get(d->tensors, (size_t)cli_number(layer, "writes"));

    return json_object_get(tensor, "output") != NULL;
}

static void print_inputs(const struct drawing *d)
{
    for (size_t i = 0; i < d->tensor_count; i++) {
        const json_t *tensor = json_array_get(d->tensors, i);

        if (!json_object_get(tensor, "input"))
            continue;
        printf("  t%zu [shape=ellipse, label=\"", i);
        print_name(tensor, false);
        fputs("\\n", stdout);
        print_shape(json_object_get(tensor, "shape"));
        puts("\"];");
    }
}

static void print_layer(const struct drawing *d, const json_t *layer, size_t index)
{
    const char *kind = cli_text(layer, "kind"), *act = cli_text(layer, "activation");
    const char *block = cli_text(layer, "block");
    const bool output = is_output(d, layer);
    char window[INSPECT_WINDOW];

    if (*block && !output) {
        fputs("  subgraph \"cluster ", stdout);
        print_escaped(block, strlen(block));
        fputs("\" { label=\"", stdout);
        print_escaped(block, strlen(block));
        fputs("\";\n", stdout);
    }
    printf("  l%zu [", index);
    if (output)
        fputs("shape=ellipse, ", stdout);
    else
        printf("fillcolor=\"%s\", ", colour_of(kind));
    fputs("label=\"", stdout);
    print_name(layer, true);
    printf("\\n");
    if (output)
        print_shape(json_object_get(layer, "output"));
    else
        printf("%s%s%s", strcmp(kind, "other") ? kind : cli_text(layer, "op"),
               json_object_get(layer, "kernel") ? " " : "", inspect_window(layer, window));
    if (!output && json_object_get(layer, "residual"))
        fputs(" + add", stdout);
    printf("%s%s\"];%s\n", *act ? ", " : "", act, *block && !output ? " }" : "");
}

static void print_edge(const struct drawing *d, const json_t *layer, size_t index, size_t slot)
{
    const json_t *residual = json_object_get(layer, "residual");

    if (d->writer[slot] >= 0)
        printf("  l%d", d->writer[slot]);
    else
        printf("  t%zu", slot);
    printf(" -> l%zu [label=\"", index);
    print_shape(json_object_get(json_array_get(d->tensors, slot), "shape"));
    printf("\"%s];\n", residual && (size_t)json_integer_value(residual) == slot
                           ? ", style=dashed, color=\"#b45f06\""
                           : "");
}

/* The parts of a concatenation write one tensor: each after the first follows the one before. */
static void print_edges(struct drawing *d, const json_t *layer, size_t index)
{
    const json_t *reads = json_object_get(layer, "reads");
    const size_t writes = (size_t)cli_number(layer, "writes");

    for (size_t k = 0; k < json_array_size(reads); k++)
        print_edge(d, layer, index, (size_t)json_integer_value(json_array_get(reads, k)));
    if (d->writer[writes] >= 0)
        printf("  l%d -> l%zu [style=dotted];\n", d->writer[writes], index);
    d->writer[writes] = (int)index;
}

int inspect_draw(const json_t *report)
{
    struct drawing d = {.layers = json_object_get(report, "layers"),
                        .tensors = json_object_get(json_object_get(report, "memory"), "tensors")};

    d.layer_count = json_array_size(d.layers);
    d.tensor_count = json_array_size(d.tensors);
    d.writer = malloc((d.tensor_count + 1) * sizeof *d.writer);
    if (!d.writer)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the drawing");
    for (size_t i = 0; i < d.tensor_count; i++)
        d.writer[i] = -1;
    puts("digraph network {\n"
         "  graph [fontname=\"sans-serif\", fontsize=10, style=rounded, color=\"#999999\", "
         "labeljust=l, nodesep=0.3, ranksep=0.3];\n"
         "  node [shape=box, style=filled, fillcolor=white, fontname=\"sans-serif\", fontsize=10, "
         "height=0.3, margin=\"0.1,0.04\"];\n"
         "  edge [fontname=\"sans-serif\", fontsize=8, color=\"#555555\", arrowsize=0.6];");
    print_inputs(&d);
    for (size_t i = 0; i < d.layer_count; i++)
        print_layer(&d, json_array_get(d.layers, i), i);
    for (size_t i = 0; i < d.layer_count; i++)
        print_edges(&d, json_array_get(d.layers, i), i);
    puts("}");
    free(d.writer);
    return 0;
}

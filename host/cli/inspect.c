#include "cli.h"

#include <stdio.h>

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_shape(const json_t *dims, const char *free_dim)
{
    for (size_t i = 0; i < json_array_size(dims); i++) {
        const json_t *dim = json_array_get(dims, i);

        if (json_is_null(dim))
            printf("%s%s", i ? "x" : "", free_dim);
        else
            printf("%s%lld", i ? "x" : "", (long long)json_integer_value(dim));
    }
}

static void print_io(const json_t *root, const char *key)
{
    const json_t *list = json_object_get(root, key);

    for (size_t i = 0; i < json_array_size(list); i++) {
        printf("%.6s  %s ", key, text(json_array_get(list, i), "name"));
        print_shape(json_object_get(json_array_get(list, i), "shape"), "?");
        putchar('\n');
    }
}

static void print_layer(const json_t *layer)
{
    printf("  %-32.32s %-18s %-10s ", text(layer, "name"), text(layer, "op"), text(layer, "kind"));
    print_shape(json_object_get(layer, "input"), "?");
    fputs(" -> ", stdout);
    print_shape(json_object_get(layer, "output"), "?");
    if (number(layer, "macs") > 0)
        printf("  %.1f MMAC", number(layer, "macs") * 1e-6);
    putchar('\n');
}

static void print_text(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");
    const json_t *passes = json_object_get(root, "passes");

    print_io(root, "inputs");
    print_io(root, "outputs");
    printf("graph   %.0f nodes, %.0f after passes\n", number(root, "nodes"),
           number(root, "nodes_optimised"));
    for (size_t i = 0; i < json_array_size(passes); i++) {
        const json_t *pass = json_array_get(passes, i);

        printf("  pass  %s: %.0f changes, %.0f -> %.0f nodes\n", text(pass, "pass"),
               number(pass, "changes"), number(pass, "nodes_before"), number(pass, "nodes_after"));
    }
    puts("layers");
    for (size_t i = 0; i < json_array_size(layers); i++)
        print_layer(json_array_get(layers, i));
    printf("total   %.0f launches, %.3f GMAC, %.2f M parameters, %.1f MiB of activations\n",
           number(root, "launches"), number(root, "macs") * 1e-9, number(root, "parameters") * 1e-6,
           number(root, "arena_bytes") / 1048576);
}

/* Names come from model files: quotes and backslashes would end the label. */
static void print_label(const char *label)
{
    for (; *label; label++) {
        if (*label == '"' || *label == '\\')
            putchar('\\');
        putchar((unsigned char)*label < ' ' ? ' ' : *label);
    }
}

static void print_dot(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");

    puts("digraph network {\n  node [shape=box, fontname=\"sans-serif\"];");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        const json_t *reads = json_object_get(layer, "reads");

        printf("  s%.0f [label=\"", number(layer, "writes"));
        print_label(text(layer, "name"));
        printf("\\n%s, ", text(layer, "kind"));
        print_shape(json_object_get(layer, "output"), "?");
        puts("\"];");
        for (size_t k = 0; k < json_array_size(reads); k++)
            printf("  s%lld -> s%.0f;\n", (long long)json_integer_value(json_array_get(reads, k)),
                   number(layer, "writes"));
    }
    puts("}");
}

static int print_inspection(const struct cli_options *options, const char *json)
{
    json_t *root = json_loads(json, 0, NULL);

    if (!root)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the inspection");
    if (options->dot)
        print_dot(root);
    else
        print_text(root);
    json_decref(root);
    return 0;
}

int cli_inspect(const struct cli_options *options)
{
    struct cli_session s = {0};
    char *json = NULL;
    ncl_status status;
    int failed = cli_open_context(options, "none", NCL_MATH_AUTO, false, &s.context);

    if (!failed)
        failed = cli_open_model(options, s.context, &s.model);
    if (!failed) {
        status = ncl_report(s.context, NCL_REPORT_INSPECT, s.model, &json);
        failed = status == NCL_OK ? 0 : cli_fail_library(status);
    }
    if (!failed)
        failed = options->json ? cli_print_report(json) : print_inspection(options, json);
    ncl_free(json);
    cli_close(&s);
    return failed;
}

#include "session/session.h"

#include "support/fixture.h"
#include "support/suite.h"

#include <jansson.h>

/* A report of a model of tests/data; dims of rank 4, or NULL. */
static json_t *inspect(const char *path, const int64_t *dims)
{
    struct ncl_dims given = {.rank = 4};
    struct ncl_onnx *model;
    json_t *root;
    char *json;

    if (dims)
        memcpy(given.dims, dims, 4 * sizeof *dims);
    MUST(ncl_onnx_load(NULL, path, &model));
    MUST(ncl_graph_report(model->graph, dims ? &given : NULL, 1, NULL, 8, NCL_FP32, &json));
    ncl_onnx_free(model);
    root = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(root);
    free(json);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    ck_assert_msg(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static const json_t *item(const json_t *object, const char *key, size_t index)
{
    const json_t *value = json_array_get(json_object_get(object, key), index);

    ck_assert_msg(value != NULL, "%s[%zu]", key, index);
    return value;
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    ck_assert_msg(value != NULL, "%s", key);
    return value;
}

static void ck_shape(const json_t *shape, int n, int c, int h, int w)
{
    const int dims[4] = {n, c, h, w};

    ck_assert_uint_eq(json_array_size(shape), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq((int)json_integer_value(json_array_get(shape, i)), dims[i]);
}

START_TEST(sums_of_layers)
{
    json_t *root = inspect("tests/data/resnext_folded.onnx", NULL);
    const json_t *layers = json_object_get(root, "layers");
    double macs = 0;

    ck_assert_uint_eq(json_array_size(layers), (size_t)number(root, "launches"));
    for (size_t i = 0; i < json_array_size(layers); i++)
        macs += number(json_array_get(layers, i), "macs");
    ck_assert(macs > 1e6 && macs == number(root, "macs"));
    ck_assert(number(root, "parameters") > 1000 && number(root, "arena_bytes") > 0);
    ck_assert(number(root, "nodes_optimised") < number(root, "nodes"));
    /* Shapes of outputs are known even where the file does not tell them. */
    ck_assert_uint_eq(json_array_size(json_object_get(item(root, "outputs", 0), "shape")), 2);
    json_decref(root);
}
END_TEST

START_TEST(free_dimensions)
{
    json_t *root = inspect(FIXTURE_RESNEXT, NULL);

    ck_assert(json_is_null(json_array_get(json_object_get(item(root, "inputs", 0), "shape"), 0)));
    ck_shape(json_object_get(item(root, "inputs", 0), "used"), 1, 3, 224, 224);
    json_decref(root);
    root = inspect(FIXTURE_RESNEXT, (int64_t[]){5, 3, 64, 32});
    ck_shape(json_object_get(item(root, "inputs", 0), "used"), 5, 3, 64, 32);
    ck_shape(json_object_get(item(root, "layers", 0), "output"), 5, 16, 32, 16);
    json_decref(root);
}
END_TEST

/* Nodes an operator has less after pass `name`. */
static int removed(const json_t *root, const char *name, const char *op)
{
    const json_t *passes = json_object_get(root, "passes");

    for (size_t i = 0; i < json_array_size(passes); i++)
        if (strcmp(text(json_array_get(passes, i), "pass"), name) == 0)
            return (int)json_integer_value(
                json_object_get(json_object_get(json_array_get(passes, i), "removed"), op));
    ck_abort_msg("no pass %s", name);
    return 0;
}

static int count_nodes(const json_t *nodes, const char *op)
{
    int count = 0;

    for (size_t i = 0; i < json_array_size(nodes); i++)
        count += strcmp(text(json_array_get(nodes, i), "op"), op) == 0;
    return count;
}

START_TEST(passes_say_what_they_did)
{
    json_t *root = inspect(FIXTURE_RESNEXT, NULL);
    const json_t *before = json_object_get(root, "graph_before");
    const json_t *after = json_object_get(root, "graph_after");

    ck_assert_int_eq(removed(root, "batch_norm", "BatchNormalization"), 12);
    ck_assert_int_eq(removed(root, "batch_norm", "Scale"), 0);
    ck_assert_int_eq(removed(root, "fuse", "Add"), 3);
    ck_assert_int_eq(removed(root, "fuse", "Relu"), 10);
    ck_assert_uint_eq(json_array_size(before), (size_t)number(root, "nodes"));
    ck_assert_uint_eq(json_array_size(after), (size_t)number(root, "nodes_optimised"));
    ck_assert_int_eq(count_nodes(before, "BatchNormalization"), 12);
    ck_assert_int_eq(count_nodes(before, "Conv"), (int)number(root, "convolutions"));
    ck_assert_int_eq(count_nodes(after, "Conv"), (int)number(root, "convolutions_optimised"));
    ck_assert_int_eq(count_nodes(after, "BatchNormalization") + count_nodes(after, "Relu"), 0);
    json_decref(root);
    root = inspect("tests/data/split_groups.onnx", NULL);
    ck_assert_int_eq(removed(root, "groups", "Conv"), 3); /* 4 became 1 */
    ck_assert(number(root, "convolutions") == 4 && number(root, "convolutions_optimised") == 1);
    json_decref(root);
    root = inspect("tests/data/shape_arithmetic.onnx", NULL);
    ck_assert(number(item(root, "passes", 0), "nodes_after") <
              number(item(root, "passes", 0), "nodes_before"));
    json_decref(root);
}
END_TEST

/* Shapes of the nodes are there before and after, of what constants became too. */
START_TEST(nodes_have_shapes)
{
    json_t *root = inspect("tests/data/shape_arithmetic.onnx", NULL);
    static const char *const graphs[] = {"graph_before", "graph_after"};

    for (size_t g = 0; g < 2; g++) {
        const json_t *nodes = json_object_get(root, graphs[g]);

        for (size_t i = 0; i < json_array_size(nodes); i++) {
            const json_t *node = json_array_get(nodes, i);

            ck_assert(json_array_size(json_object_get(node, "outputs")) == 1);
            ck_assert_msg(json_array_size(json_object_get(node, "shape")) > 0 ||
                              g == 0, /* an index is a scalar */
                          "%s", text(node, "name"));
        }
    }
    json_decref(root);
}
END_TEST

START_TEST(windows_and_epilogues)
{
    json_t *root = inspect("tests/data/resnext_unfolded.onnx", NULL);
    const json_t *layers = json_object_get(root, "layers"), *layer;
    int grouped = 0, residuals = 0;

    layer = json_array_get(layers, 0);
    ck_assert_str_eq(text(layer, "activation"), "relu");
    ck_assert_int_eq((int)json_integer_value(item(layer, "kernel", 0)), 7);
    ck_assert_int_eq((int)json_integer_value(item(layer, "stride", 1)), 2);
    ck_assert_int_eq((int)json_integer_value(item(layer, "pads", 0)), 3);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        layer = json_array_get(layers, i);
        grouped += strcmp(text(layer, "kind"), "grouped") == 0 && number(layer, "groups") > 1;
        residuals += json_object_get(layer, "residual") != NULL;
    }
    ck_assert_int_eq(grouped, 3);
    ck_assert_int_eq(residuals, 3);
    json_decref(root);
}
END_TEST

static bool in_arena(const json_t *tensor)
{
    return json_object_get(tensor, "chunk") != NULL;
}

/* One takes over the other's place in place, at the step where the other dies. */
static bool replaces(const json_t *tensors, size_t a, size_t b)
{
    const json_t *from = json_object_get(json_array_get(tensors, a), "replaces");

    return from != NULL && (size_t)json_integer_value(from) == b &&
           number(json_array_get(tensors, a), "first") ==
               number(json_array_get(tensors, b), "last");
}

static bool overlap(const json_t *a, const json_t *b, const char *from, const char *size)
{
    const double a_size = size ? number(a, size) : number(a, "last") - number(a, from) + 1;
    const double b_size = size ? number(b, size) : number(b, "last") - number(b, from) + 1;

    return number(a, from) < number(b, from) + b_size && number(b, from) < number(a, from) + a_size;
}

START_TEST(tensors_that_live_together_share_nothing)
{
    static const char *const models[] = {FIXTURE_RESNEXT, FIXTURE_RESIDUALS,
                                         "tests/data/auto_pad.onnx",
                                         "tests/data/conv_variants.onnx"};
    json_t *root = inspect(models[_i], NULL);
    const json_t *memory = json_object_get(root, "memory");
    const json_t *tensors = json_object_get(memory, "tensors");
    double chunks = 0, largest = 0;

    for (size_t i = 0; i < json_array_size(json_object_get(memory, "chunks")); i++)
        chunks += json_number_value(item(memory, "chunks", i));
    ck_assert(chunks == number(root, "arena_bytes"));
    for (size_t a = 0; a < json_array_size(tensors); a++) {
        const json_t *tensor = json_array_get(tensors, a);

        if (!in_arena(tensor))
            continue;
        largest = number(tensor, "bytes") > largest ? number(tensor, "bytes") : largest;
        ck_assert(number(tensor, "offset") + number(tensor, "bytes") <= chunks);
        for (size_t b = 0; b < a; b++) {
            const json_t *other = json_array_get(tensors, b);

            ck_assert_msg(!in_arena(other) || number(tensor, "chunk") != number(other, "chunk") ||
                              !overlap(tensor, other, "first", NULL) ||
                              !overlap(tensor, other, "offset", "bytes") ||
                              replaces(tensors, a, b) || replaces(tensors, b, a),
                          "%s and %s", text(tensor, "name"), text(other, "name"));
        }
    }
    ck_assert(largest > 0 && largest <= chunks);
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("inspect");

    tcase_add_test(tests, sums_of_layers);
    tcase_add_test(tests, free_dimensions);
    tcase_add_test(tests, passes_say_what_they_did);
    tcase_add_test(tests, nodes_have_shapes);
    tcase_add_test(tests, windows_and_epilogues);
    tcase_add_loop_test(tests, tensors_that_live_together_share_nothing, 0, 4);
    return ncl_run_suite(tests, "inspect");
}

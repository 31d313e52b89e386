/* Split: a slice for each output, by sizes or by their number. */
#include "graph/graph.h"
#include "onnx_check.h"

static struct ncl_text file; /* models point into it */

static void add_sizes(struct onnx_parts *parts, const char *name, int count, const int64_t *sizes)
{
    struct ncl_text tensor = {0};

    pb_int(&tensor, 1, count);
    pb_int(&tensor, 2, 7); /* INT64 */
    for (int i = 0; i < count; i++) {
        pb_int(&tensor, 7, sizes[i]);
    }
    pb_text(&tensor, 8, name);
    onnx_initializer(parts, &tensor);
}

/* A Split of x (1, 3, 8, 8) into a, b, .. of which y, the model's output, is the last. */
static struct onnx_parts split(int64_t opset, const char *inputs, const char *outputs,
                               struct ncl_text *node)
{
    struct onnx_parts parts = image_parts(opset);

    onnx_node(&parts, "Split", "n", inputs, outputs, node);
    return parts;
}

/* The slice that makes y, once the sizes are known. */
static void expect_slice(struct onnx_parts *parts, int axis, int64_t start, int64_t count)
{
    const struct ncl_dims dims = {4, {1, 3, 8, 8}};
    struct ncl_onnx *model = NULL;
    struct ncl_graph *special = NULL;

    file = onnx_model(parts);
    ck_assert_msg(ncl_onnx_from_memory(NULL, file.data, file.length, &model) == NCL_OK, "%s",
                  ncl_error_text());
    ck_assert_msg(ncl_graph_specialise(model->graph, &dims, 1, &special) == NCL_OK, "%s",
                  ncl_error_text());
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_SLICE);
    ck_assert_int_eq(special->nodes[0].as.axes.starts.values[axis], start);
    ck_assert_int_eq(special->values[special->outputs[0]].dims[axis], count);
    ncl_graph_free(special);
    ncl_onnx_free(model);
    ncl_text_free(&file);
}

START_TEST(sizes_are_an_attribute_or_an_input)
{
    struct ncl_text node = {0};
    struct onnx_parts parts;

    onnx_int(&node, "axis", 1);
    onnx_ints(&node, "split", 3, 1);
    parts = split(11, "x", "a b y", &node);
    expect_slice(&parts, 1, 2, 1);
    node = (struct ncl_text){0};
    onnx_int(&node, "axis", -2);
    parts = split(13, "x s", "a y", &node);
    add_sizes(&parts, "s", 2, (int64_t[]){3, 5});
    expect_slice(&parts, 2, 3, 5);
}
END_TEST

START_TEST(equal_parts)
{
    struct ncl_text node = {0};
    struct onnx_parts parts;

    onnx_int(&node, "axis", 3);
    parts = split(13, "x", "a b c y", &node);
    expect_slice(&parts, 3, 6, 2);
    node = (struct ncl_text){0};
    onnx_int(&node, "axis", 3);
    onnx_int(&node, "num_outputs", 3); /* 3, 3 and 2 */
    parts = split(18, "x", "- - y", &node);
    expect_slice(&parts, 3, 6, 2);
}
END_TEST

static void expect_refusal(struct onnx_parts *parts, const char *expected)
{
    const struct ncl_dims dims = {4, {1, 3, 8, 8}};
    struct ncl_onnx *model = NULL;
    struct ncl_graph *special = NULL;

    file = onnx_model(parts);
    ck_assert_msg(ncl_onnx_from_memory(NULL, file.data, file.length, &model) == NCL_OK, "%s",
                  ncl_error_text());
    ck_assert_int_eq(ncl_graph_specialise(model->graph, &dims, 1, &special), NCL_ERROR_INPUT);
    ck_assert_msg(strstr(ncl_error_text(), expected) != NULL, "expected '%s' in '%s'", expected,
                  ncl_error_text());
    ncl_onnx_free(model);
    ncl_text_free(&file);
}

static const struct {
    int count;
    int64_t sizes[3];
    const char *expected;
} wrong_sizes[] = {
    {2, {3, 4}, "sizes sum to 7, expected 8"},
    {2, {4, 5}, "size 5 of part 1"},
    {2, {9, -1}, "size 9 of part 0"},
    {2, {-1, 9}, "size -1 of part 0"},
    {2, {INT64_MAX, INT64_MAX}, "expected sizes that sum to 8"},
    {3, {3, 3, 2}, "expected 2 constant integers"},
};

START_TEST(wrong_sizes_are_refused)
{
    struct ncl_text node = {0};
    struct onnx_parts parts;

    onnx_int(&node, "axis", 2);
    parts = split(13, "x s", "a y", &node);
    add_sizes(&parts, "s", wrong_sizes[_i].count, wrong_sizes[_i].sizes);
    expect_refusal(&parts, wrong_sizes[_i].expected);
}
END_TEST

static const struct {
    int64_t opset, axis, stated;
    const char *expected;
} wrong_parts[] = {
    {13, 2, 0, "dimension 8 does not split into 3 parts"},
    {18, 2, 4, "num_outputs is 4, expected its 3 outputs"},
    {13, 7, 0, "axis"},
};

START_TEST(wrong_numbers_of_parts_are_refused)
{
    struct ncl_text node = {0};
    struct onnx_parts parts;

    onnx_int(&node, "axis", wrong_parts[_i].axis);
    if (wrong_parts[_i].stated != 0) {
        onnx_int(&node, "num_outputs", wrong_parts[_i].stated);
    }
    parts = split(wrong_parts[_i].opset, "x", "a b y", &node);
    expect_refusal(&parts, wrong_parts[_i].expected);
}
END_TEST

/* Names a, aa, aaa .. would be long: the outputs are left out but for the last. */
START_TEST(a_thousand_parts_are_enough)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text outputs = {0};
    struct ncl_text node = {0};

    for (int i = 0; i < 1024; i++) {
        ncl_text_add(&outputs, "- ");
    }
    ncl_text_add(&outputs, "y");
    onnx_node(&parts, "Split", "n", "x", outputs.data, &node);
    ncl_text_free(&outputs);
    expect_model_error(&parts, "at most 1024 outputs");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("onnx_split");

    tcase_add_test(tests, sizes_are_an_attribute_or_an_input);
    tcase_add_test(tests, equal_parts);
    tcase_add_loop_test(tests, wrong_sizes_are_refused, 0, COUNT(wrong_sizes));
    tcase_add_loop_test(tests, wrong_numbers_of_parts_are_refused, 0, COUNT(wrong_parts));
    tcase_add_test(tests, a_thousand_parts_are_enough);
    return ncl_run_suite(tests, "import/onnx_split");
}

/* What the ONNX reader makes of good models. */
#include "import/onnx.h"
#include "support/onnx_writer.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

#define DIMS(...) ((const int64_t[]){__VA_ARGS__, -2})

static struct ncl_text file; /* models point into it */

static struct onnx_parts image_parts(int64_t opset)
{
    struct onnx_parts parts = {.opset = opset};

    onnx_input(&parts, "x", 1, DIMS(-1, 3, 8, 8));
    onnx_output(&parts, "y");
    return parts;
}

static struct ncl_onnx *read_parts(struct onnx_parts *parts)
{
    struct ncl_onnx *model = NULL;

    file = onnx_model(parts);
    ck_assert_msg(ncl_onnx_from_memory(NULL, file.data, file.length, &model) == NCL_OK, "%s",
                  ncl_error_text());
    return model;
}

static void done(struct ncl_onnx *model)
{
    ncl_onnx_free(model);
    ncl_text_free(&file);
}

/* The model of one node `n` from x to y. */
static struct ncl_onnx *read_node(int64_t opset, const char *op, const char *inputs,
                                  struct ncl_text *node)
{
    struct onnx_parts parts = image_parts(opset);

    onnx_node(&parts, op, "n", inputs, "y", node);
    return read_parts(&parts);
}

static const struct ncl_value *value_named(const struct ncl_onnx *model, const char *name)
{
    for (int i = 0; i < model->graph->value_count; i++) {
        if (strcmp(model->graph->values[i].name, name) == 0) {
            return &model->graph->values[i];
        }
    }
    ck_abort_msg("no value %s", name);
    return NULL;
}

START_TEST(a_convolution_keeps_its_attributes)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text node = {0};
    struct ncl_text weights = {0};
    struct ncl_onnx *model = NULL;
    const struct ncl_node *conv = NULL;

    onnx_zeroes(&weights, "w", 1, DIMS(6, 1, 3, 3), 6 * 9 * 4);
    onnx_initializer(&parts, &weights);
    onnx_ints(&node, "kernel_shape", 2, 3);
    onnx_ints(&node, "strides", 2, 2);
    onnx_ints(&node, "pads", 4, 1);
    onnx_int(&node, "group", 3);
    onnx_node(&parts, "Conv", "n", "x w", "y", &node);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->node_count, 1);
    conv = &model->graph->nodes[0];
    ck_assert_int_eq(conv->op, NCL_OP_CONV);
    ck_assert_str_eq(conv->name, "n");
    ck_assert_int_eq(conv->input_count, 2);
    ck_assert_int_eq(conv->as.conv.groups, 3);
    ck_assert_int_eq(conv->as.conv.kernel.count, 2);
    ck_assert_int_eq(conv->as.conv.kernel.values[1], 3);
    ck_assert_int_eq(conv->as.conv.pads.count, 4);
    ck_assert_int_eq(conv->as.conv.strides.values[0], 2);
    ck_assert(!conv->as.conv.dilations.given);
    ck_assert_int_eq(conv->as.conv.auto_pad, NCL_PAD_EXPLICIT);
    done(model);
}
END_TEST

START_TEST(weights_stay_in_the_file)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text weights = {0};
    struct ncl_onnx *model = NULL;
    const char *data = NULL;

    onnx_zeroes(&weights, "w", 1, DIMS(4), 16);
    onnx_initializer(&parts, &weights);
    onnx_node(&parts, "Add", "n", "x w", "y", NULL);
    model = read_parts(&parts);
    data = value_named(model, "w")->data;
    ck_assert(data > file.data && data + 16 <= file.data + file.length);
    done(model);
}
END_TEST

START_TEST(inputs_and_outputs_are_declared)
{
    struct ncl_onnx *model = read_node(13, "Relu", "x", NULL);
    const struct ncl_value *x = &model->graph->values[model->graph->inputs[0]];

    ck_assert_int_eq(model->graph->input_count, 1);
    ck_assert_int_eq(model->graph->output_count, 1);
    ck_assert_str_eq(x->name, "x");
    ck_assert_int_eq(x->rank, 4);
    ck_assert_int_eq(x->dims[0], -1);
    ck_assert_int_eq(x->dims[1], 3);
    ck_assert_int_eq(x->dtype, NCL_DTYPE_F32);
    ck_assert_str_eq(model->graph->values[model->graph->outputs[0]].name, "y");
    done(model);
}
END_TEST

static void check_layout(const int64_t *dims, ncl_layout layout)
{
    struct onnx_parts parts = {.opset = 13};
    struct ncl_onnx *model;

    onnx_input(&parts, "x", 1, dims);
    onnx_output(&parts, "y");
    onnx_node(&parts, "Relu", "n", "x", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->layout, layout);
    done(model);
}

START_TEST(keras_has_channels_last)
{
    check_layout(DIMS(-1, 224, 224, 3), NCL_NHWC);
    check_layout(DIMS(-1, -1, -1, 3), NCL_NHWC);
    check_layout(DIMS(1, 28, 28, 1), NCL_NHWC);
    check_layout(DIMS(-1, 3, 224, 224), NCL_NCHW);
    check_layout(DIMS(1, 1, 28, 28), NCL_NCHW);
    check_layout(DIMS(1, 3, 3, 3), NCL_NCHW);
    check_layout(DIMS(1, 512, 1, 1), NCL_NCHW);
    check_layout(DIMS(-1, -1, -1, -1), NCL_NCHW);
    check_layout(DIMS(4, 5, 3), NCL_NCHW);
}
END_TEST

START_TEST(an_initializer_listed_as_input_is_a_constant)
{
    struct onnx_parts parts = image_parts(8);
    struct ncl_text weights = {0};
    struct ncl_onnx *model = NULL;

    onnx_zeroes(&weights, "w", 1, DIMS(1), 4);
    onnx_initializer(&parts, &weights);
    onnx_input(&parts, "w", 1, DIMS(1));
    onnx_node(&parts, "Add", "n", "x w", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->input_count, 1);
    ck_assert(ncl_value_is_constant(value_named(model, "w")));
    done(model);
}
END_TEST

/* A constant [3] given in each way that TensorProto has. */
static struct ncl_onnx *read_numbers(int64_t type, unsigned field, bool packed)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text tensor = {0};
    const float floats[3] = {1.0F, -2.5F, 3.0F};

    pb_int(&tensor, 1, 3);
    pb_int(&tensor, 2, type);
    pb_text(&tensor, 8, "c");
    if (field == 4 && packed) {
        pb_bytes(&tensor, 4, floats, sizeof(floats));
    }
    for (int i = 0; field == 4 && !packed && i < 3; i++) {
        pb_float(&tensor, 4, floats[i]);
    }
    if (field != 4 && packed) {
        pb_bytes(&tensor, field, "\x01\x00\x01", 3);
    }
    for (int i = 0; field != 4 && !packed && i < 3; i++) {
        pb_int(&tensor, field, i - 1);
    }
    onnx_initializer(&parts, &tensor);
    onnx_node(&parts, "Relu", "n", "x", "y", NULL);
    return read_parts(&parts);
}

START_TEST(numbers_may_be_packed_or_not)
{
    static const struct {
        int64_t type;
        unsigned field;
        bool packed;
        enum ncl_dtype dtype;
        double values[3];
    } cases[] = {
        {1, 4, true, NCL_DTYPE_F32, {1, -2.5, 3}}, {1, 4, false, NCL_DTYPE_F32, {1, -2.5, 3}},
        {7, 7, true, NCL_DTYPE_I64, {1, 0, 1}},    {7, 7, false, NCL_DTYPE_I64, {-1, 0, 1}},
        {6, 5, true, NCL_DTYPE_I32, {1, 0, 1}},    {6, 5, false, NCL_DTYPE_I32, {-1, 0, 1}},
        {9, 5, true, NCL_DTYPE_BOOL, {1, 0, 1}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ncl_onnx *model = read_numbers(cases[i].type, cases[i].field, cases[i].packed);
        const struct ncl_value *c = value_named(model, "c");
        ck_assert_int_eq(c->dtype, cases[i].dtype);
        for (int k = 0; k < 3; k++) {
            ck_assert_double_eq(ncl_value_element(c, k), cases[i].values[k]);
        }
        done(model);
    }
}
END_TEST

START_TEST(constant_nodes_become_constants)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text ints = {0};
    struct ncl_text one = {0};
    struct ncl_onnx *model = NULL;

    onnx_ints(&ints, "value_ints", 4, 2);
    onnx_float(&one, "value_float", 1.5F);
    onnx_node(&parts, "Constant", "c", "", "shape", &ints);
    onnx_node(&parts, "Constant", "d", "", "slope", &one);
    onnx_node(&parts, "Mul", "m", "x slope", "z", NULL);
    onnx_node(&parts, "Reshape", "n", "z shape", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->node_count, 2);
    ck_assert_int_eq(ncl_value_elements(value_named(model, "shape")), 4);
    ck_assert_double_eq(ncl_value_element(value_named(model, "shape"), 3), 2);
    ck_assert_int_eq(value_named(model, "slope")->rank, 0);
    ck_assert_double_eq(ncl_value_element(value_named(model, "slope"), 0), 1.5);
    done(model);
}
END_TEST

START_TEST(defaults_follow_the_operator_set)
{
    struct ncl_onnx *model = read_node(11, "Softmax", "x", NULL);

    ck_assert(model->graph->nodes[0].as.axis.flat);
    ck_assert_int_eq(model->graph->nodes[0].as.axis.axis, 1);
    done(model);
    model = read_node(13, "Softmax", "x", NULL);
    ck_assert(!model->graph->nodes[0].as.axis.flat);
    ck_assert_int_eq(model->graph->nodes[0].as.axis.axis, -1);
    done(model);
    model = read_node(9, "Clip", "x", NULL);
    ck_assert_float_lt(model->graph->nodes[0].as.clip.min, -1e38F);
    done(model);
    model = read_node(13, "LeakyRelu", "x", NULL);
    ck_assert_float_eq(model->graph->nodes[0].as.leaky_relu.alpha, 0.01F);
    done(model);
    model = read_node(13, "ReduceMean", "x", NULL);
    ck_assert(model->graph->nodes[0].as.axes.keep_dims);
    done(model);
    model = read_node(13, "Flatten", "x", NULL);
    ck_assert_int_eq(model->graph->nodes[0].as.axis.axis, 1);
    done(model);
}
END_TEST

START_TEST(dropout_is_an_identity)
{
    struct ncl_text node = {0};
    struct onnx_parts parts = image_parts(10);
    struct ncl_onnx *model = NULL;

    onnx_float(&node, "ratio", 0.5F);
    onnx_node(&parts, "Dropout", "n", "x", "y mask", &node);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->nodes[0].op, NCL_OP_IDENTITY);
    ck_assert_int_eq(model->graph->nodes[0].input_count, 1);
    ck_assert_int_eq(model->graph->nodes[0].output_count, 1);
    done(model);
}
END_TEST

START_TEST(part_of_a_shape_is_a_slice)
{
    struct onnx_parts parts = image_parts(15);
    struct ncl_text node = {0};
    struct ncl_onnx *model = NULL;
    const struct ncl_node *slice = NULL;

    onnx_int(&node, "start", 1);
    onnx_node(&parts, "Shape", "s", "x", "shape", &node);
    onnx_node(&parts, "Reshape", "n", "x shape", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->node_count, 3);
    ck_assert_int_eq(model->graph->nodes[0].op, NCL_OP_SHAPE);
    slice = &model->graph->nodes[1];
    ck_assert_int_eq(slice->op, NCL_OP_SLICE);
    ck_assert_int_eq(slice->as.axes.starts.values[0], 1);
    ck_assert(slice->as.axes.ends.values[0] == INT64_MAX);
    ck_assert_str_eq(model->graph->values[slice->outputs[0]].name, "shape");
    done(model);
}
END_TEST

START_TEST(expand_is_a_product_with_ones)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text shape = {0};
    struct ncl_onnx *model = NULL;
    const struct ncl_node *ones = NULL;

    onnx_ints(&shape, "value_ints", 4, 8);
    onnx_node(&parts, "Constant", "c", "", "shape", &shape);
    onnx_node(&parts, "Expand", "n", "x shape", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->node_count, 2);
    ones = &model->graph->nodes[0];
    ck_assert_int_eq(ones->op, NCL_OP_CONSTANT_OF_SHAPE);
    ck_assert_float_eq(ones->as.constant_of_shape.value, 1.0F);
    ck_assert_int_eq(ones->as.constant_of_shape.dtype, NCL_DTYPE_F32);
    ck_assert_int_eq(model->graph->nodes[1].op, NCL_OP_MUL);
    ck_assert_int_eq(model->graph->nodes[1].inputs[0], ones->outputs[0]);
    done(model);
}
END_TEST

START_TEST(inputs_left_out_have_no_value)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text six = {0};
    struct ncl_onnx *model = NULL;

    onnx_float(&six, "value_float", 6.0F);
    onnx_node(&parts, "Constant", "c", "", "six", &six);
    onnx_node(&parts, "Clip", "n", "x - six", "y", NULL);
    model = read_parts(&parts);
    ck_assert_int_eq(model->graph->nodes[0].input_count, 3);
    ck_assert_int_eq(model->graph->nodes[0].inputs[1], NCL_NO_VALUE);
    ck_assert_int_ge(model->graph->nodes[0].inputs[2], 0);
    done(model);
}
END_TEST

START_TEST(nodes_may_come_in_any_order)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_onnx *model = NULL;

    onnx_node(&parts, "Relu", "second", "z", "y", NULL);
    onnx_node(&parts, "Sigmoid", "first", "x", "z", NULL);
    model = read_parts(&parts);
    ck_assert_str_eq(model->graph->nodes[0].name, "first");
    done(model);
}
END_TEST

/* The wire format is walked, not descended: depth costs nothing. */
START_TEST(names_may_be_in_any_language)
{
    /* Characters of two, three and four bytes, the last of each length among them. */
    static const char name[] = "caf\xc3\xa9 \xdf\xbf \xe6\xbc\xa2 \xed\x9f\xbf \xef\xbf\xbf "
                               "\xf0\x9f\x90\x88 \xf4\x8f\xbf\xbf";
    struct onnx_parts parts = image_parts(13);
    struct ncl_onnx *model = NULL;

    onnx_node(&parts, "Relu", name, "x", "y", NULL);
    model = read_parts(&parts);
    ck_assert_str_eq(model->graph->nodes[0].name, name);
    done(model);
}
END_TEST

START_TEST(deep_nesting_costs_nothing)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text nested = {0};
    struct ncl_text documentation = {0};

    for (int i = 0; i < 3000; i++) {
        struct ncl_text outer = {0};
        pb_message(&outer, 6, &nested);
        nested = outer;
    }
    pb_message(&documentation, 100, &nested);
    parts.model = documentation;
    onnx_node(&parts, "Relu", "n", "x", "y", NULL);
    done(read_parts(&parts));
}
END_TEST

static TCase *good_models(void)
{
    TCase *tests = tcase_create("good models");

    tcase_add_test(tests, a_convolution_keeps_its_attributes);
    tcase_add_test(tests, weights_stay_in_the_file);
    tcase_add_test(tests, inputs_and_outputs_are_declared);
    tcase_add_test(tests, keras_has_channels_last);
    tcase_add_test(tests, an_initializer_listed_as_input_is_a_constant);
    tcase_add_test(tests, numbers_may_be_packed_or_not);
    tcase_add_test(tests, constant_nodes_become_constants);
    tcase_add_test(tests, defaults_follow_the_operator_set);
    tcase_add_test(tests, dropout_is_an_identity);
    tcase_add_test(tests, part_of_a_shape_is_a_slice);
    tcase_add_test(tests, expand_is_a_product_with_ones);
    tcase_add_test(tests, inputs_left_out_have_no_value);
    tcase_add_test(tests, nodes_may_come_in_any_order);
    tcase_add_test(tests, names_may_be_in_any_language);
    tcase_add_test(tests, deep_nesting_costs_nothing);
    return tests;
}

int main(void)
{
    return ncl_run_suite(good_models(), "import/onnx");
}

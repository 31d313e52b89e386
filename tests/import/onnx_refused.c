/* What the ONNX reader says of graphs that are wrong, or that it does not support. */
#include "import/onnx_check.h"

static const struct {
    const char *op, *inputs, *outputs;
    int opset;
    const char *expected;
} nodes[] = {
    {"Celu", "x", "y", 13, "node 'n' (Celu): the operator, of domain '' and operator set 13"},
    {"If", "x", "y", 13, "node 'n' (If): the operator"},
    {"Loop", "x x", "y", 13, "(Loop): the operator"},
    {"", "x", "y", 13, "node 'n' (): the operator"},
    {"relu", "x", "y", 13, "(relu): the operator"},
    {"HardSwish", "x", "y", 13, "operator set 13, is not supported"}, /* new in 14 */
    {"Relu", "", "y", 13, "expected 1 to 1 inputs, found 0"},
    {"Relu", "x x", "y", 13, "expected 1 to 1 inputs, found 2"},
    {"Add", "x", "y", 13, "expected 2 to 2 inputs, found 1"},
    {"Gemm", "x x", "y", 10, "expected 3 to 3 inputs, found 2"},
    {"Add", "- x", "y", 13, "expected all required inputs, found one left out"},
    {"Relu", "x", "", 13, "expected a first output"},
    {"Relu", "x", "y z", 13, "found 2 outputs"},
    {"BatchNormalization", "x x x x x", "y a b c d", 8, "they are for training"},
    {"Relu", "z", "y", 13, "input 'z' is written by no node"},
    {"Relu", "x", "z", 13, "output 'y' is written by no node"},
    {"Relu", "y", "y", 13, "depends on its own output"},
    {"Relu", "x", "x", 13, "value 'x' is defined by an input of the graph and again by a node"},
    {"Expand", "x x", "y", 13, "input 1 of int64, found float32"},
    {"Reshape", "x x", "y", 13, "input 1 of int64, found float32"},
    {"Constant", "", "y", 13, "expected one value attribute, found none"},
};

START_TEST(nodes_are_checked)
{
    struct onnx_parts parts = image_parts(nodes[_i].opset);

    onnx_node(&parts, nodes[_i].op, "n", nodes[_i].inputs, nodes[_i].outputs, NULL);
    expect_model_error(&parts, nodes[_i].expected);
}
END_TEST

static void other_domain(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    pb_text(&node, 7, "com.microsoft");
    onnx_node(p, "FusedConv", "n", "x x", "y", &node);
}

static void two_writers(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "a", "x", "y", NULL);
    onnx_node(p, "Relu", "b", "x", "y", NULL);
}

static void a_cycle(struct onnx_parts *p)
{
    onnx_node(p, "Add", "a", "x c", "b", NULL);
    onnx_node(p, "Relu", "b", "b", "c", NULL);
    onnx_node(p, "Relu", "n", "c", "y", NULL);
}

static void two_initializers(struct onnx_parts *p)
{
    for (int i = 0; i < 2; i++) {
        struct ncl_text tensor = {0};
        onnx_zeroes(&tensor, "w", 1, DIMS(1), 4);
        onnx_initializer(p, &tensor);
    }
}

static void an_unnamed_initializer(struct onnx_parts *p)
{
    struct ncl_text tensor = {0};

    onnx_zeroes(&tensor, "", 1, DIMS(1), 4);
    onnx_initializer(p, &tensor);
}

static void an_initializer_written_by_a_node(struct onnx_parts *p)
{
    struct ncl_text tensor = {0};

    onnx_zeroes(&tensor, "y", 1, DIMS(1), 4);
    onnx_initializer(p, &tensor);
    onnx_node(p, "Relu", "n", "x", "y", NULL);
}

static void two_equal_inputs(struct onnx_parts *p)
{
    onnx_input(p, "x", 1, DIMS(1));
}

static void two_equal_outputs(struct onnx_parts *p)
{
    onnx_output(p, "y");
    onnx_node(p, "Relu", "n", "x", "y", NULL);
}

static void whole_number_input(struct onnx_parts *p)
{
    onnx_input(p, "i", 7, DIMS(1));
}

static void empty_input(struct onnx_parts *p)
{
    onnx_input(p, "i", 1, DIMS(1, 0));
}

static void negative_input(struct onnx_parts *p)
{
    onnx_input(p, "i", 1, DIMS(-5));
}

static void enormous_input(struct onnx_parts *p)
{
    onnx_input(p, "i", 1, DIMS(HUGE_INT));
}

static void deep_input(struct onnx_parts *p)
{
    onnx_input(p, "i", 1, DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1));
}

static void input_without_type(struct onnx_parts *p)
{
    struct ncl_text info = {0};

    pb_text(&info, 1, "i");
    pb_message(&p->inputs, 11, &info);
}

static void sequence_input(struct onnx_parts *p)
{
    struct ncl_text info = {0};
    struct ncl_text type = {0};

    pb_bytes(&type, 4, "", 0);
    pb_text(&info, 1, "i");
    pb_message(&info, 2, &type);
    pb_message(&p->inputs, 11, &info);
}

static void pool_indices(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    onnx_ints(&node, "kernel_shape", 2, 2);
    onnx_node(p, "MaxPool", "n", "x", "y indices", &node);
    onnx_output(p, "indices");
}

static void dropout_mask(struct onnx_parts *p)
{
    onnx_node(p, "Dropout", "d", "x", "z mask", NULL);
    onnx_node(p, "Relu", "n", "mask", "y", NULL);
}

static void dropout_ratio_list(struct onnx_parts *p)
{
    struct ncl_text ratio = {0};

    onnx_zeroes(&ratio, "ratio", 1, DIMS(1), 4);
    onnx_initializer(p, &ratio);
    onnx_node(p, "Dropout", "n", "x ratio", "y", NULL);
}

static void dropout_of_another_set(struct onnx_parts *p)
{
    p->opset = 11;
    onnx_node(p, "Dropout", "n", "x x", "y", NULL);
}

static void training_dropout(struct onnx_parts *p)
{
    struct ncl_text mode = {0};

    pb_int(&mode, 2, 9);
    pb_text(&mode, 8, "mode");
    pb_bytes(&mode, 9, "\x01", 1);
    onnx_initializer(p, &mode);
    onnx_node(p, "Dropout", "n", "x - mode", "y", NULL);
}

static void training_norm(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    p->opset = 14;
    onnx_int(&node, "training_mode", 1);
    onnx_node(p, "BatchNormalization", "n", "x x x x x", "y", &node);
}

static void norm_of_another_set(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    p->opset = 9;
    onnx_int(&node, "spatial", 1);
    onnx_node(p, "BatchNormalization", "n", "x x x x x", "y", &node);
}

static void mixed_types(struct onnx_parts *p)
{
    struct ncl_text tensor = {0};

    onnx_zeroes(&tensor, "w", 11, DIMS(1), 8);
    onnx_initializer(p, &tensor);
    onnx_node(p, "Add", "n", "x w", "y", NULL);
}

static void double_weights(struct onnx_parts *p)
{
    struct ncl_text tensor = {0};

    onnx_zeroes(&tensor, "w", 11, DIMS(1, 3, 1, 1), 24);
    onnx_initializer(p, &tensor);
    onnx_node(p, "Conv", "n", "x w", "y", NULL);
}

static void attribute_given_twice(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    onnx_int(&node, "axis", 1);
    onnx_int(&node, "axis", 2);
    onnx_node(p, "Softmax", "n", "x", "y", &node);
}

static void attribute_of_two_types(struct onnx_parts *p)
{
    struct ncl_text node = {0};
    struct ncl_text attribute = {0};

    pb_text(&attribute, 1, "axis");
    pb_int(&attribute, 3, 1);
    pb_float(&attribute, 2, 1.0F);
    pb_message(&node, 5, &attribute);
    onnx_node(p, "Softmax", "n", "x", "y", &node);
}

static void attribute_without_value(struct onnx_parts *p)
{
    struct ncl_text node = {0};
    struct ncl_text attribute = {0};

    pb_text(&attribute, 1, "axis");
    pb_message(&node, 5, &attribute);
    onnx_node(p, "Softmax", "n", "x", "y", &node);
}

static void subgraph(struct onnx_parts *p)
{
    struct ncl_text node = {0};
    struct ncl_text attribute = {0};

    pb_text(&attribute, 1, "body");
    pb_int(&attribute, 20, 5);
    pb_bytes(&attribute, 6, "\xff\xff", 2); /* skipped, not read */
    pb_message(&node, 5, &attribute);
    onnx_node(p, "Relu", "n", "x", "y", &node);
}

static void sparse_tensor(struct onnx_parts *p)
{
    pb_bytes(&p->initializers, 15, "", 0);
}

static void redefining_function(struct onnx_parts *p)
{
    struct ncl_text function = {0};

    pb_text(&function, 1, "Relu");
    pb_message(&p->model, 25, &function);
    onnx_node(p, "Relu", "n", "x", "y", NULL);
}

static void second_opset(struct onnx_parts *p)
{
    struct ncl_text opset = {0};

    pb_text(&opset, 1, "ai.onnx");
    pb_int(&opset, 2, 14);
    pb_message(&p->model, 8, &opset);
}

static void old_opset(struct onnx_parts *p)
{
    p->opset = 6;
}

static void other_opset_only(struct onnx_parts *p)
{
    struct ncl_text opset = {0};

    p->opset = 0;
    pb_text(&opset, 1, "ai.onnx.ml");
    pb_int(&opset, 2, 14);
    pb_message(&p->model, 8, &opset);
}

static void name_with_nul(struct onnx_parts *p)
{
    struct ncl_text node = {0};

    pb_bytes(&node, 1, "x\0y", 3);
    onnx_node(p, "Relu", "n", "", "y", &node);
}

static void name_in_another_encoding(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "caf\xe9", "x", "y", NULL);
}

static void name_with_a_surrogate(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "a\xed\xa0\x80", "x", "y", NULL);
}

static void overlong_name(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "\xc0\xaf", "x", "y", NULL);
}

static void name_cut_in_a_character(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "\xf0\x9f\x90", "x", "y", NULL);
}

static void name_beyond_unicode(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "\xf4\x90\x80\x80", "x", "y", NULL);
}

static void name_with_a_line_break(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "first\nsecond", "nowhere", "y", NULL);
}

/* A ValueInfoProto of GraphProto's field `number`. */
static void declare(struct onnx_parts *p, uint32_t number, const char *name, int64_t element)
{
    struct ncl_text info = {0}, type = {0}, tensor = {0};

    pb_int(&tensor, 1, element);
    pb_message(&type, 1, &tensor);
    pb_text(&info, 1, name);
    pb_message(&info, 2, &type);
    pb_message(&p->outputs, number, &info);
}

static void output_of_another_type(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "n", "x", "y", NULL);
    onnx_node(p, "Shape", "s", "x", "z", NULL);
    declare(p, 12, "z", 1);
}

static void value_of_another_type(struct onnx_parts *p)
{
    onnx_node(p, "Relu", "a", "x", "z", NULL);
    onnx_node(p, "Relu", "b", "z", "y", NULL);
    declare(p, 13, "z", 10);
}

static const struct {
    void (*spoil)(struct onnx_parts *parts);
    const char *expected;
} models[] = {
    {other_domain, "node 'n' (FusedConv): the operator, of domain 'com.microsoft'"},
    {two_writers, "node 'b' (Relu): value 'y' is defined by a node and again by a node"},
    {a_cycle, "expected a graph without cycles"},
    {two_initializers, "value 'w' is defined by an initializer and again by an initializer"},
    {an_unnamed_initializer, "an initializer has no name"},
    {an_initializer_written_by_a_node, "value 'y' is defined by an initializer and again"},
    {two_equal_inputs, "value 'x' is defined by an input of the graph and again"},
    {two_equal_outputs, "output 'y' is listed twice"},
    {whole_number_input, "input 'i': expected FLOAT, found INT64"},
    {empty_input, "input 'i': dim 1: expected 1 to 2147483647 or a free one, found 0"},
    {negative_input, "found -5"},
    {enormous_input, "found 4611686018427387904"},
    {deep_input, "expected at most 8 dims"},
    {input_without_type, "input 'i': expected a tensor of known rank"},
    {sequence_input, "input 'i': expected a dense tensor"},
    {pool_indices, "value 'indices' is the second output"},
    {dropout_mask, "value 'mask' is the second output"},
    {dropout_ratio_list, "expected ratio to be a scalar"},
    {dropout_of_another_set, "expected 1 to 1 inputs, found 2"},
    {training_dropout, "expected training_mode to be the constant false"},
    {training_norm, "attribute 'training_mode': expected 0 to 0, found 1"},
    {norm_of_another_set, "attribute 'spatial' (an int) is not supported"},
    {mixed_types, "expected input 1 of float32, found float64"},
    {double_weights, "expected input 1 of float32, found float64"},
    {attribute_given_twice, "attribute 'axis': expected one value, found a second one"},
    {attribute_of_two_types, "found values of several types"},
    {attribute_without_value, "attribute 'axis': expected a value, found none"},
    {subgraph, "attribute 'body' (a graph) is not supported"},
    {sparse_tensor, "sparse tensors are not supported"},
    {redefining_function, "redefines operators by functions"},
    {second_opset, "found versions 13 and 14"},
    {old_opset, "expected operator set 7 or later, found 6"},
    {other_opset_only, "found none in the model"},
    {name_with_nul, "field 1: expected UTF-8 text, found byte 00"},
    {name_in_another_encoding, "field 3: expected UTF-8 text, found byte e9"},
    {name_with_a_surrogate, "found byte ed"},
    {overlong_name, "found byte c0"},
    {name_cut_in_a_character, "found byte f0"},
    {name_beyond_unicode, "found byte f4"},
    {name_with_a_line_break, "node 'first second'"},
    {output_of_another_type, "value 'z' is declared FLOAT, expected int64"},
    {value_of_another_type, "value 'z' is declared FLOAT16, expected float32"},
};

START_TEST(models_are_checked)
{
    struct onnx_parts parts = image_parts(13);

    models[_i].spoil(&parts);
    expect_model_error(&parts, models[_i].expected);
}
END_TEST

/* What files say of values that no node writes, or without a type, is no contradiction. */
START_TEST(declarations_may_be_idle)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_onnx *model = NULL;
    struct ncl_text file;

    onnx_node(&parts, "Relu", "a", "x", "z", NULL);
    onnx_node(&parts, "Relu", "b", "z", "y", NULL);
    declare(&parts, 13, "z", 1);
    declare(&parts, 13, "gone", 7);
    declare(&parts, 13, "", 7);
    declare(&parts, 13, "z", 0);
    file = onnx_model(&parts);
    ck_assert_msg(ncl_onnx_from_memory(NULL, file.data, file.length, &model) == NCL_OK, "%s",
                  ncl_error_text());
    ncl_onnx_free(model);
    ncl_text_free(&file);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("refused models");

    tcase_add_loop_test(tests, nodes_are_checked, 0, COUNT(nodes));
    tcase_add_loop_test(tests, models_are_checked, 0, COUNT(models));
    tcase_add_test(tests, declarations_may_be_idle);
    return ncl_run_suite(tests, "import/onnx_refused");
}

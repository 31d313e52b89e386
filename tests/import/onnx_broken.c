/* What the ONNX reader says of files that are broken: one line that names the place. */
#include "import/onnx_check.h"
#include <math.h>

static const struct {
    const char *bytes;
    size_t length;
    const char *expected;
} not_models[] = {
    {"", 0, "not a valid ONNX file: it is empty"},
    {"\xff\xd8\xff\xe0\x00\x10JFIF", 10, "not a valid ONNX file"}, /* a JPEG */
    {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "not a valid ONNX file"},
    {"hello, world\n", 13, "not a valid ONNX file"},
    {"{\"model\": 1}", 12, "not a valid ONNX file"},
    {"PK\x03\x04\x14\0\0\0\x08\0", 10, "not a valid ONNX file"}, /* .pth */
    {"\x08\x08", 2, "holds no graph"},
    {"\x08", 1, "at byte 0"},                      /* a tag without a value */
    {"\x08\xff\xff\xff\xff\xff\xff", 7, "byte 0"}, /* an unterminated varint */
    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, "byte 0"}, /* 12 bytes of one */
    {"\x08\x08\x3a\x7f", 4, "field 7 is 127 bytes long but 0 are left in ModelProto at byte 2"},
    {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "field 7 is 18446744073709551615 bytes"},
    {"\x38\x01", 2, "field 7: expected a length-delimited field, found a varint"},
    {"\x00\x00", 2, "field number 0"},
    {"\x3b\x3c", 2, "wire type 3"},
    {"\x3c", 1, "wire type 4"},
    {"\x3f", 1, "wire type 7"},
    {"\x3d\x00\x00", 3, "at byte 0"}, /* a 32-bit field of two bytes */
    {"\x3a\x00\x3a\x00", 4, "a second graph"},
    {"\x3a\x03\x0a\x01\x08\x42\x02\x10\x0d", 9, "in NodeProto at byte 4"},
    {"\x3a\x00", 2, "expected operator set 7 or later, found none"},
    {"\x3a\x00\x42\x02\x10\x0d", 6, "expected inputs and outputs"},
};

START_TEST(other_files_are_not_models)
{
    expect_error(not_models[_i].bytes, not_models[_i].length, not_models[_i].expected);
}
END_TEST

START_TEST(every_cut_is_an_error)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text weights = {0};
    struct ncl_text file = {0};

    onnx_zeroes(&weights, "w", 1, DIMS(4, 3, 1, 1), 48);
    onnx_initializer(&parts, &weights);
    onnx_node(&parts, "Conv", "n", "x w", "y", NULL);
    file = onnx_model(&parts);
    for (size_t bytes = 0; bytes < file.length; bytes++) {
        expect_error(file.data, bytes, "");
    }
    ncl_text_free(&file);
}
END_TEST

/* ---- one attribute ---- */

enum kind { INT, INTS, FLOAT, STRING };

static const struct {
    const char *op;
    int opset;
    enum kind kind;
    const char *name;
    double value; /* of INTS: two of them */
    const char *text;
    const char *expected;
} attributes[] = {
    {"Relu", 13, INT, "slope", 1, NULL, "node 'n' (Relu): attribute 'slope' (an int) is not"},
    {"Softmax", 13, FLOAT, "axis", 1, NULL, "attribute 'axis': expected an int, found a float"},
    {"Softmax", 13, INTS, "axis", 1, NULL, "expected an int, found ints"},
    {"Softmax", 13, INT, "axis", 9, NULL, "expected -8 to 8, found 9"},
    {"Softmax", 13, INT, "axis", 4.6e18, NULL, "expected -8 to 8"},
    {"MaxPool", 13, INTS, "kernel_shape", 0, NULL, "expected 1 to 2147483647, found 0"},
    {"MaxPool", 13, INTS, "kernel_shape", -3, NULL, "found -3"},
    {"MaxPool", 13, INTS, "kernel_shape", 4.6e18, NULL, "expected 1 to 2147483647"},
    {"MaxPool", 13, INTS, "strides", 0, NULL, "attribute 'strides'"},
    {"MaxPool", 13, INTS, "dilations", 0, NULL, "attribute 'dilations'"},
    {"MaxPool", 13, INTS, "pads", -1, NULL, "attribute 'pads'"},
    {"MaxPool", 13, INT, "ceil_mode", 2, NULL, "expected 0 to 1, found 2"},
    {"MaxPool", 13, INT, "kernel_shape", 2, NULL, "expected ints, found an int"},
    {"MaxPool", 13, STRING, "auto_pad", 0, "SAME", "found 'SAME'"},
    {"MaxPool", 13, INTS, "strides", 1, NULL, "expected its attribute, found kernel_shape"},
    {"LeakyRelu", 13, INT, "alpha", 1, NULL, "expected a float, found an int"},
    {"LeakyRelu", 13, FLOAT, "alpha", 1e38, NULL, "found 1e+38"},
    {"Clip", 9, FLOAT, "min", (double)NAN, NULL, "expected a number, found"},
    {"Clip", 13, FLOAT, "min", 0, NULL, "attribute 'min' (a float) is not supported"},
    {"Cast", 13, INT, "to", 10, NULL, "found FLOAT16"},
    {"Cast", 13, INT, "to", -1, NULL, "found an unknown type"},
    {"Cast", 13, STRING, "to", 0, "FLOAT", "expected an int, found a string"},
    {"Pad", 7, STRING, "mode", 0, "reflect", "expected 'constant', found 'reflect'"},
    {"Transpose", 13, INTS, "perm", 8, NULL, "expected 0 to 7, found 8"},
    {"Unsqueeze", 11, INTS, "axes", 8, NULL, "expected -8 to 7"},
    {"ReduceMean", 18, INT, "noop_with_empty_axes", 2, NULL, "expected 0 to 1"},
    {"Flatten", 13, INT, "axis", -9, NULL, "found -9"},
    /* Attributes of other operator sets. */
    {"MaxPool", 7, INT, "storage_order", 0, NULL, "'storage_order' (an int) is not supported"},
    {"MaxPool", 9, INT, "ceil_mode", 1, NULL, "attribute 'ceil_mode' (an int) is not supported"},
    {"MaxPool", 9, INTS, "dilations", 1, NULL, "attribute 'dilations' (ints) is not supported"},
    {"AveragePool", 9, INT, "ceil_mode", 1, NULL, "'ceil_mode' (an int) is not supported"},
    {"AveragePool", 18, INTS, "dilations", 1, NULL, "'dilations' (ints) is not supported"},
};

START_TEST(attributes_are_checked)
{
    struct onnx_parts parts = image_parts(attributes[_i].opset);
    struct ncl_text node = {0};
    const char *name = attributes[_i].name;
    const double value = attributes[_i].value;

    switch (attributes[_i].kind) {
    case INT:
        onnx_int(&node, name, (int64_t)value);
        break;
    case INTS:
        onnx_ints(&node, name, 2, (int64_t)value);
        break;
    case FLOAT:
        onnx_float(&node, name, (float)value);
        break;
    default:
        onnx_string(&node, name, attributes[_i].text);
        break;
    }
    onnx_node(&parts, attributes[_i].op, "n", "x", "y", &node);
    expect_model_error(&parts, attributes[_i].expected);
}
END_TEST

/* ---- one tensor ---- */

#define FREE_DIMS                                                                                  \
    {                                                                                              \
        -2                                                                                         \
    }

static const struct {
    int64_t type;
    int64_t dims[10];
    size_t bytes;
    const char *expected;
} tensors[] = {
    {1, {4, 3, -2}, 44, "initializer 'w': expected 48 bytes of data for 4x3 of FLOAT, found 44"},
    {1, {4, 3, -2}, 52, "found 52"},
    {1, {4, 3, -2}, 0, "found 0"},
    {7, {2, -2}, 8, "expected 16 bytes of data for 2 of INT64, found 8"},
    {1, FREE_DIMS, 8, "expected 4 bytes of data for a scalar of FLOAT, found 8"},
    {1, {-1, -2}, 4, "none negative, found dim 0 = -1"},
    {1, {HUGE_INT, -2}, 4, "more bytes than can be addressed"},
    {1, {1 << 30, 1 << 30, 1 << 30, -2}, 4, "more bytes than can be addressed"},
    {1, {(int64_t)1 << 32, (int64_t)1 << 32, -2}, 0, "more bytes than can be addressed"},
    {1, {1, 1, 1, 1, 1, 1, 1, 1, 1, -2}, 4, "expected at most 8 dims"},
    {10, {2, -2}, 4, "expected FLOAT, DOUBLE, INT32, INT64 or BOOL, found FLOAT16 (10)"},
    {3, {2, -2}, 2, "found INT8"},
    {0, {2, -2}, 8, "found UNDEFINED"},
    {99, {2, -2}, 8, "found an unknown type (99)"},
};

START_TEST(tensors_are_checked)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text tensor = {0};

    onnx_zeroes(&tensor, "w", tensors[_i].type, tensors[_i].dims, tensors[_i].bytes);
    onnx_initializer(&parts, &tensor);
    onnx_node(&parts, "Add", "n", "x w", "y", NULL);
    expect_model_error(&parts, tensors[_i].expected);
}
END_TEST

static void two_sources(struct ncl_text *t)
{
    pb_bytes(t, 9, "abcd", 4);
    pb_float(t, 4, 1.0F);
}

static void numbers_of_another_type(struct ncl_text *t)
{
    pb_int(t, 7, 1);
}

static void odd_packed_floats(struct ncl_text *t)
{
    pb_bytes(t, 4, "abcde", 5);
}

static void unterminated_packed_number(struct ncl_text *t)
{
    pb_bytes(t, 7, "\x01\x80", 2);
}

static void floats_as_varints(struct ncl_text *t)
{
    pb_int(t, 4, 1);
}

static void segmented(struct ncl_text *t)
{
    pb_bytes(t, 3, "", 0);
}

static void external_data(struct ncl_text *t)
{
    struct ncl_text entry = {0};

    pb_text(&entry, 1, "location");
    pb_text(&entry, 2, "w.bin");
    pb_message(t, 13, &entry);
    pb_int(t, 14, 1);
}

static void external_without_location(struct ncl_text *t)
{
    external_data(t);
    pb_int(t, 14, 0);
}

static void too_many_floats(struct ncl_text *t)
{
    pb_float(t, 4, 1.0F);
    pb_float(t, 4, 2.0F);
}

static const struct {
    void (*fill)(struct ncl_text *tensor);
    const char *expected;
} data_fields[] = {
    {two_sources, "expected its data in one field"},
    {numbers_of_another_type, "a field for another type than FLOAT"},
    {odd_packed_floats, "field 4: expected a multiple of 4 bytes, found 5"},
    {unterminated_packed_number, "in TensorProto at byte"},
    {floats_as_varints, "field 4: expected a 32-bit number, found a varint"},
    {segmented, "segments, strings and unsigned numbers are not supported"},
    {external_data, "cannot be reached from a model in memory"},
    {external_without_location, "contradict each other"},
    {too_many_floats, "expected 4 bytes of data for 1 of FLOAT, found 8"},
};

START_TEST(data_fields_are_checked)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text tensor = {0};

    pb_int(&tensor, 1, 1);
    pb_int(&tensor, 2, 1);
    pb_text(&tensor, 8, "w");
    data_fields[_i].fill(&tensor);
    onnx_initializer(&parts, &tensor);
    onnx_node(&parts, "Add", "n", "x w", "y", NULL);
    expect_model_error(&parts, data_fields[_i].expected);
}
END_TEST

START_TEST(whole_numbers_must_fit_their_type)
{
    struct onnx_parts parts = image_parts(13);
    struct ncl_text tensor = {0};

    pb_int(&tensor, 1, 1);
    pb_int(&tensor, 2, 6);
    pb_text(&tensor, 8, "w");
    pb_int(&tensor, 5, HUGE_INT);
    onnx_initializer(&parts, &tensor);
    onnx_node(&parts, "Relu", "n", "x", "y", NULL);
    expect_model_error(&parts, "expected 32-bit numbers");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("broken models");

    tcase_add_loop_test(tests, other_files_are_not_models, 0, COUNT(not_models));
    tcase_add_test(tests, every_cut_is_an_error);
    tcase_add_loop_test(tests, attributes_are_checked, 0, COUNT(attributes));
    tcase_add_loop_test(tests, tensors_are_checked, 0, COUNT(tensors));
    tcase_add_loop_test(tests, data_fields_are_checked, 0, COUNT(data_fields));
    tcase_add_test(tests, whole_numbers_must_fit_their_type);
    return ncl_run_suite(tests, "import/onnx_broken");
}

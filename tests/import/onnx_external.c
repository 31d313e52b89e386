/* Weights in files beside the model: found there, and nowhere else. */
#include "import/onnx.h"
#include "support/onnx_writer.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define DIMS(...) ((const int64_t[]){__VA_ARGS__, -2})

static char directory[] = "ncl-external-XXXXXX";

static void write_file(const char *path, const void *data, size_t bytes)
{
    const struct ncl_file_part part = {data, bytes};

    ck_assert_int_eq(ncl_file_write(NULL, path, &part, 1), NCL_OK);
}

/* directory/model/m.onnx with three floats at byte 4 of model/w.bin; outside.bin lies above. */
static void set_up(void)
{
    static const float numbers[4] = {0.0F, 1.0F, 2.0F, 3.0F};

    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(mkdir("model", 0700), 0);
    ck_assert_int_eq(mkdir("model2", 0700), 0);
    ck_assert_int_eq(mkdir("model/inner", 0700), 0);
    write_file("model/w.bin", numbers, sizeof(numbers));
    write_file("model/inner/w.bin", numbers, sizeof(numbers));
    write_file("model/empty.bin", NULL, 0);
    write_file("model2/w.bin", numbers, sizeof(numbers));
    write_file("outside.bin", numbers, sizeof(numbers));
    ck_assert_int_eq(symlink("../outside.bin", "model/out.bin"), 0);
    ck_assert_int_eq(symlink("../model2", "model/two"), 0);
    ck_assert_int_eq(symlink("w.bin", "model/in.bin"), 0);
    ck_assert_int_eq(symlink("loop.bin", "model/loop.bin"), 0);
    ck_assert_int_eq(mkfifo("model/pipe", 0600), 0);
}

static void tear_down(void)
{
    static const char *const files[] = {"model/w.bin",     "model/inner/w.bin", "model2/w.bin",
                                        "outside.bin",     "model/out.bin",     "model/two",
                                        "model/in.bin",    "model/loop.bin",    "model/pipe",
                                        "model/empty.bin", "model/m.onnx"};

    for (int i = 0; i < COUNT(files); i++) {
        unlink(files[i]);
    }
    rmdir("model/inner");
    rmdir("model");
    rmdir("model2");
    ck_assert_int_eq(chdir(".."), 0);
    rmdir(directory);
}

static void add_entry(struct ncl_text *tensor, const char *key, const char *value)
{
    struct ncl_text entry = {0};

    if (value != NULL) {
        pb_text(&entry, 1, key);
        pb_text(&entry, 2, value);
        pb_message(tensor, 13, &entry);
    }
}

static void write_model(const char *location, const char *offset, const char *length)
{
    struct onnx_parts parts = {.opset = 13};
    struct ncl_text file = {0};

    for (int i = 0; i < 2; i++) { /* two tensors from one file: one mapping */
        struct ncl_text tensor = {0};
        pb_int(&tensor, 1, 3);
        pb_int(&tensor, 2, 1);
        pb_text(&tensor, 8, i == 0 ? "w" : "v");
        add_entry(&tensor, "location", location);
        add_entry(&tensor, "offset", offset);
        add_entry(&tensor, "length", length);
        pb_int(&tensor, 14, 1);
        onnx_initializer(&parts, &tensor);
    }
    onnx_input(&parts, "x", 1, DIMS(1, 3));
    onnx_output(&parts, "y");
    onnx_node(&parts, "Add", "n", "x w", "z", NULL);
    onnx_node(&parts, "Add", "m", "z v", "y", NULL);
    file = onnx_model(&parts);
    write_file("model/m.onnx", file.data, file.length);
    ncl_text_free(&file);
}

static const struct {
    const char *location, *offset, *length;
} found[] = {{"w.bin", "4", "12"},  {"w.bin", "4", NULL},       {"./w.bin", "4", "12"},
             {"in.bin", "4", "12"}, {"inner/w.bin", "4", "12"}, {"inner//w.bin", "4", "12"}};

START_TEST(data_beside_the_model_is_mapped)
{
    struct ncl_onnx *model = NULL;

    write_model(found[_i].location, found[_i].offset, found[_i].length);
    ck_assert_msg(ncl_onnx_load(NULL, "model/m.onnx", &model) == NCL_OK, "%s", ncl_error_text());
    ck_assert_int_eq(model->map_count, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_eq(model->graph->values[i].data, model->maps[1].data + 4);
        ck_assert_double_eq(ncl_value_element(&model->graph->values[i], 2), 3.0);
    }
    ncl_onnx_free(model);
}
END_TEST

START_TEST(a_model_may_be_named_from_its_own_directory)
{
    struct ncl_onnx *model = NULL;

    write_model("w.bin", "4", "12");
    ck_assert_int_eq(chdir("model"), 0);
    ck_assert_int_eq(ncl_onnx_load(NULL, "m.onnx", &model), NCL_OK);
    ncl_onnx_free(model);
    ck_assert_int_eq(chdir(".."), 0);
}
END_TEST

static const struct {
    const char *location, *offset, *length, *expected;
} refused[] = {
    {"../outside.bin", "4", "12", "'../outside.bin': expected a path inside the model's directory"},
    {"inner/../w.bin", "4", "12", "expected a path inside"},
    {"..", "4", "12", "expected a path inside"},
    {"/etc/hostname", "0", "12", "expected a path inside"},
    {"", "4", "12", "expected a path inside"},
    {NULL, "4", "12", "expected a path inside"},
    {"out.bin", "4", "12", "a link out of the model's directory"},
    {"two/w.bin", "4", "12", "a link out of the model's directory"}, /* model2 begins with model */
    {"none.bin", "4", "12", "'none.bin' is missing: No such file"},
    {"loop.bin", "4", "12", "is missing: "},
    {"inner", "0", "12", "a directory"},
    {"pipe", "0", "12", "a special file"},
    {"empty.bin", "0", "12", "found a file of 0"},
    {"w.bin", "8", "12", "expected 12 bytes at 8, found a file of 16"},
    {"w.bin", "17", NULL, "found a file of 16"},
    {"w.bin", "0", NULL, "expected 12 bytes of data for 3 of FLOAT, found 16"},
    {"w.bin", "4", "8", "expected 12 bytes of data for 3 of FLOAT, found 8"},
    {"w.bin", "4", "0", "found 0"},
    {"w.bin", "18446744073709551612", "12", "found a file of 16"},
    {"w.bin", "18446744073709551616", "12", "expected decimal offset and length"},
    {"w.bin", "-4", "12", "expected decimal offset and length, found '-4' and '12'"},
    {"w.bin", "4", "0x0c", "expected decimal offset and length"},
    {"w.bin", "", "12", "expected decimal offset and length"},
};

START_TEST(anything_else_is_refused)
{
    struct ncl_onnx *model = NULL;

    write_model(refused[_i].location, refused[_i].offset, refused[_i].length);
    ck_assert_msg(ncl_onnx_load(NULL, "model/m.onnx", &model) == NCL_ERROR_INPUT, "%s",
                  refused[_i].expected);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(ncl_error_text(), refused[_i].expected) != NULL, "expected '%s' in '%s'",
                  refused[_i].expected, ncl_error_text());
    ck_assert_ptr_eq(strstr(ncl_error_text(), "model/m.onnx: "), ncl_error_text());
}
END_TEST

START_TEST(a_model_that_is_not_there_is_named)
{
    struct ncl_onnx *model = NULL;

    ck_assert_int_eq(ncl_onnx_load(NULL, "model/none.onnx", &model), NCL_ERROR_INPUT);
    ck_assert_ptr_null(model);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "model/none.onnx"));
    ck_assert_int_eq(ncl_onnx_load(NULL, "model", &model), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "a directory"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("external data");

    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, data_beside_the_model_is_mapped, 0, COUNT(found));
    tcase_add_test(tests, a_model_may_be_named_from_its_own_directory);
    tcase_add_loop_test(tests, anything_else_is_refused, 0, COUNT(refused));
    tcase_add_test(tests, a_model_that_is_not_there_is_named);
    return ncl_run_suite(tests, "import/onnx_external");
}

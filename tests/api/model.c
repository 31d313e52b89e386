#include "api/api.h"
#include "support/suite.h"

#include <stdio.h>

START_TEST(a_file_and_its_bytes_are_the_same_model)
{
    ncl_context *context = api_open("none");
    ncl_model *model = api_model(context), *again;
    FILE *file = fopen("tests/data/resnext_unfolded.onnx", "rb");
    static char bytes[1 << 20];
    size_t size;
    ncl_io io;

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    MUST(ncl_model_from_memory(context, bytes, size, &again));
    ck_assert_uint_eq(ncl_model_input_count(model), 1);
    ck_assert_uint_eq(ncl_model_output_count(again), 1);
    MUST(ncl_model_input(again, 0, &io));
    ck_assert_str_eq(io.name, "input");
    ck_assert_int_eq(io.rank, 4);
    ck_assert_int_eq(io.layout, NCL_NCHW);
    ck_assert_int_eq(io.element, NCL_FLOAT32);
    ck_assert_int_eq(io.dims[0], -1);
    ck_assert_int_eq(io.dims[1], 3);
    MUST(ncl_model_output(model, 0, &io));
    ck_assert_str_eq(io.name, "output");
    MUST_FAIL(ncl_model_input(model, 1, &io), NCL_ERROR_USAGE, "tensor 1");
    MUST_FAIL(ncl_model_output(model, 1, &io), NCL_ERROR_USAGE, "tensor 1");
    ncl_model_free(again);
    ncl_model_free(model);
    ncl_model_free(NULL);
    ncl_close(context);
}
END_TEST

START_TEST(the_zoo)
{
    ncl_context *context = api_open("none");
    ncl_model *model;
    ncl_io io;

    MUST(ncl_model_zoo(context, "resnet18", 1, 0, &model));
    MUST(ncl_model_input(model, 0, &io));
    ck_assert_str_eq(io.name, "input");
    MUST(ncl_model_output(model, 0, &io));
    ck_assert_str_eq(io.name, "output");
    ncl_model_free(model);
    model = (ncl_model *)&io;
    MUST_FAIL(ncl_model_zoo(context, "resnet19", 1, 0, &model), NCL_ERROR_INPUT, "resnet50");
    ck_assert_ptr_null(model);
    MUST_FAIL(ncl_model_zoo(context, "resnet18", 1, -1, &model), NCL_ERROR_USAGE, "classes");
    ncl_close(context);
}
END_TEST

START_TEST(what_a_file_says_of_itself)
{
    ncl_context *context = api_open("none");
    ncl_model *model, *zoo;

    MUST(ncl_model_load(context, "tests/data/digits.onnx", &model));
    MUST(ncl_model_zoo(context, "resnet18", 1, 0, &zoo));
    ck_assert_str_eq(ncl_model_metadata(model, "nextcl.preprocess"), "none");
    ck_assert_str_eq(ncl_model_metadata(model, "nextcl.labels"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9");
    ck_assert_ptr_null(ncl_model_metadata(model, "nextcl.other"));
    ck_assert_ptr_null(ncl_model_metadata(model, NULL));
    ck_assert_ptr_null(ncl_model_metadata(zoo, "nextcl.labels"));
    ck_assert_ptr_null(ncl_model_metadata(NULL, "nextcl.labels"));
    ncl_model_free(zoo);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

START_TEST(misuse)
{
    ncl_context *context = api_open("none");
    ncl_model *model = (ncl_model *)&context;
    ncl_io io;

    MUST_FAIL(ncl_model_load(context, "tests/data/none.onnx", &model), NCL_ERROR_INPUT,
              "none.onnx");
    ck_assert_ptr_null(model);
    MUST_FAIL(ncl_model_load(context, "tests/data", &model), NCL_ERROR_INPUT, "tests/data");
    MUST_FAIL(ncl_model_load(context, "tests/data/cat.jpg", &model), NCL_ERROR_INPUT, "cat.jpg");
    MUST_FAIL(ncl_model_from_memory(context, "abc", 3, &model), NCL_ERROR_INPUT, "");
    MUST_FAIL(ncl_model_from_memory(context, "abc", 0, &model), NCL_ERROR_INPUT, "");
    ck_assert_ptr_null(model);
    MUST_FAIL(ncl_model_load(NULL, "x", &model), NCL_ERROR_USAGE, "ncl_model_load");
    MUST_FAIL(ncl_model_load(context, NULL, &model), NCL_ERROR_USAGE, "ncl_model_load");
    MUST_FAIL(ncl_model_load(context, "x", NULL), NCL_ERROR_USAGE, "ncl_model_load");
    MUST_FAIL(ncl_model_from_memory(context, NULL, 1, &model), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_model_zoo(context, NULL, 1, 0, &model), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_model_input(NULL, 0, &io), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_model_output(NULL, 0, &io), NCL_ERROR_USAGE, "NULL");
    ck_assert_uint_eq(ncl_model_input_count(NULL), 0);
    ck_assert_uint_eq(ncl_model_output_count(NULL), 0);
    ncl_close(context);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("model");

    tcase_add_test(tests, a_file_and_its_bytes_are_the_same_model);
    tcase_add_test(tests, the_zoo);
    tcase_add_test(tests, what_a_file_says_of_itself);
    tcase_add_test(tests, misuse);
    return ncl_run_suite(tests, "model");
}

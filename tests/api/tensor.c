#include "api/api.h"
#include "support/suite.h"

#include <stdio.h>
#include <unistd.h>

START_TEST(tensors_travel_through_files)
{
    ncl_context *context = api_open("none");
    float values[6] = {1, -2, 3.5f, 0, 1e-30f, 3e38f};
    const ncl_tensor saved = {.data = values, .bytes = sizeof values, .rank = 2, .dims = {2, 3}};
    ncl_tensor loaded = {0};
    char path[] = "/tmp/ncl-tensor-XXXXXX";

    ck_assert_int_ge(mkstemp(path), 0);
    MUST(ncl_tensor_save(context, path, &saved));
    MUST(ncl_tensor_load(context, path, &loaded));
    ck_assert(loaded.rank == 2 && loaded.dims[0] == 2 && loaded.dims[1] == 3);
    ck_assert_mem_eq(loaded.data, values, sizeof values);
    ncl_tensor_free(&loaded);
    ck_assert_ptr_null(loaded.data);
    ncl_tensor_free(&loaded);
    ncl_tensor_free(NULL);
    unlink(path);
    MUST_FAIL(ncl_tensor_load(context, path, &loaded), NCL_ERROR_INPUT, path);
    MUST_FAIL(ncl_tensor_load(context, NULL, &loaded), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_tensor_save(context, path, NULL), NCL_ERROR_USAGE, "NULL");
    ncl_close(context);
}
END_TEST

START_TEST(class_indices)
{
    ncl_context *context = api_open("none");
    int64_t *indices = NULL;
    size_t count = 0;

    MUST(ncl_indices_load(context, "tests/data/digits_y.npy", &indices, &count));
    ck_assert_uint_eq(count, 360);
    for (size_t i = 0; i < count; i++)
        ck_assert(indices[i] >= 0 && indices[i] < 10);
    ncl_free(indices);
    MUST_FAIL(ncl_indices_load(context, "tests/data/digits_x.npy", &indices, &count),
              NCL_ERROR_INPUT, "digits_x.npy");
    ck_assert_ptr_null(indices);
    MUST_FAIL(ncl_indices_load(context, "tests/data/digits_y.npy", NULL, &count), NCL_ERROR_USAGE,
              "NULL");
    ncl_close(context);
}
END_TEST

START_TEST(images_become_inputs)
{
    ncl_context *context = api_open("none");
    ncl_image_options options;
    float pixels[3 * 20 * 20], defaults[3 * 224 * 224];

    ncl_image_options_init(&options);
    ncl_image_options_init(NULL);
    options.crop = 20;
    MUST(ncl_image_load(context, "tests/data/cat.jpg", &options, pixels));
    ck_assert(pixels[0] > -3 && pixels[0] < 3);
    MUST(ncl_image_load(context, "tests/data/cat.jpg", NULL, defaults));
    options.struct_size = 0;
    MUST_FAIL(ncl_image_load(context, "tests/data/cat.jpg", &options, pixels), NCL_ERROR_USAGE,
              "struct_size");
    ncl_image_options_init(&options);
    options.crop = 20;
    MUST_FAIL(ncl_image_load(context, "README.md", &options, pixels), NCL_ERROR_INPUT, "README.md");
    MUST_FAIL(ncl_image_load(context, "tests/data/cat.jpg", &options, NULL), NCL_ERROR_USAGE,
              "NULL");
    ck_assert_str_eq(ncl_imagenet_label(1), "goldfish");
    ck_assert_ptr_null(ncl_imagenet_label(1000));
    ncl_close(context);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tensor");

    tcase_add_test(tests, tensors_travel_through_files);
    tcase_add_test(tests, class_indices);
    tcase_add_test(tests, images_become_inputs);
    return ncl_run_suite(tests, "tensor");
}

/* What callers say of their structs' sizes, and times that are none. */
#include "api/api.h"
#include "support/suite.h"

#include <math.h>
#include <stddef.h>

/* Of no release: empty, in the middle of a member, beyond the end. */
#define WRONG_SIZES(type, first)                                                                   \
    {                                                                                              \
        0, 1, sizeof(size_t), sizeof(size_t) + 4, (first)-8, (first) + 1, sizeof(type) - 1,        \
            sizeof(type) + 1, SIZE_MAX                                                             \
    }
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

START_TEST(sizes_of_context_options)
{
    const size_t first = offsetof(ncl_options, worker);
    const size_t wrong[] = WRONG_SIZES(ncl_options, first);
    ncl_context *context = NULL;
    ncl_options options;

    ncl_options_init(&options);
    options.device = "none";
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        options.struct_size = wrong[i];
        MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "struct_size");
    }
    options.struct_size = first;
    MUST(ncl_open(&options, &context));
    ncl_close(context);
}
END_TEST

START_TEST(sizes_of_image_options)
{
    const size_t first = offsetof(ncl_image_options, channels);
    const size_t wrong[] = WRONG_SIZES(ncl_image_options, first);
    ncl_context *context = api_open("none");
    ncl_image_options options;
    float pixels[3 * 20 * 20];

    ncl_image_options_init(&options);
    options.crop = 20;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        options.struct_size = wrong[i];
        MUST_FAIL(ncl_image_load(context, "tests/data/cat.jpg", &options, pixels), NCL_ERROR_USAGE,
                  "struct_size");
    }
    options.struct_size = first;
    MUST(ncl_image_load(context, "tests/data/cat.jpg", &options, pixels));
    ncl_close(context);
}
END_TEST

static const ncl_tensor input = {.rank = 4, .dims = {1, 3, 24, 20}};

START_TEST(sizes_of_tuning_options)
{
    const size_t first = offsetof(ncl_tune_options, patience_seconds);
    const size_t wrong[] = WRONG_SIZES(ncl_tune_options, first);
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    /* What is beyond an earlier release's struct is not looked at. */
    ncl_tune_options options = {.dry_run = 1, .patience_seconds = -1};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        options.struct_size = wrong[i];
        MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE,
                  "struct_size");
    }
    options.struct_size = first;
    MUST(ncl_tune(context, model, &input, 1, &options, NULL));
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

START_TEST(times_that_are_none)
{
    const double wrong[] = {-1, -INFINITY, INFINITY, NAN, 366 * 86400.0, 1e300};
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    ncl_tune_options options = {.struct_size = sizeof options, .dry_run = 1};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        options.budget_seconds = wrong[i];
        MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "budget");
        options.budget_seconds = 1;
        options.patience_seconds = wrong[i];
        MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "patience");
        options.patience_seconds = 0;
    }
    options.budget_seconds = options.patience_seconds = 365 * 86400.0;
    MUST(ncl_tune(context, model, &input, 1, &options, NULL));
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("options");

    tcase_add_test(tests, sizes_of_context_options);
    tcase_add_test(tests, sizes_of_image_options);
    tcase_add_test(tests, sizes_of_tuning_options);
    tcase_add_test(tests, times_that_are_none);
    return ncl_run_suite(tests, "api/options");
}

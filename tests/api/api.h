/* What the tests of nextcl.h share. */
#ifndef NCL_TESTS_API_API_H
#define NCL_TESTS_API_API_H

#include <nextcl.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_last_error())
/* The call fails with this status and a line that holds `part`. */
#define MUST_FAIL(call, status, part)                                                              \
    do {                                                                                           \
        ck_assert_int_eq(call, status);                                                            \
        ck_assert_msg(strstr(ncl_last_error(), part) != NULL, "'%s' lacks '%s'", ncl_last_error(), \
                      part);                                                                       \
        ck_assert_ptr_null(strchr(ncl_last_error(), '\n'));                                        \
    } while (0)

/* device, cache_dir, worker: as in ncl_options. */
static inline ncl_context *api_open_with(const char *device, const char *cache_dir,
                                         const char *const *worker)
{
    ncl_context *context;
    ncl_options options;

    ncl_options_init(&options);
    options.device = device;
    options.cache_dir = cache_dir;
    options.worker = worker;
    options.math = NCL_MATH_REPRODUCIBLE;
    MUST(ncl_open(&options, &context));
    return context;
}

static inline ncl_context *api_open_in(const char *device, const char *cache_dir)
{
    return api_open_with(device, cache_dir, NULL);
}

static inline ncl_context *api_open(const char *device)
{
    return api_open_in(device, NULL);
}

static inline ncl_model *api_model(ncl_context *context)
{
    ncl_model *model;

    MUST(ncl_model_load(context, "tests/data/resnext_unfolded.onnx", &model));
    return model;
}

#endif

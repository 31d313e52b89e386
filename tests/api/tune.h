/* What the tests of ncl_tune share: a store of the test's own, a worker that is this program. */
#ifndef NCL_TESTS_API_TUNE_H
#define NCL_TESTS_API_TUNE_H

#include "api/api.h"
#include "support/fault.h"
#include "support/place.h"
#include "support/suite.h"

#include <jansson.h>

static const char *const tune_worker[] = {"/proc/self/exe", "serve", NULL};

static inline ncl_context *tune_open(void)
{
    return api_open_in(NULL, place);
}

/* The program's end of main: of the worker, or of the tests. */
static inline int tune_main(int argc, char **argv, TCase *tests, const char *name)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return (int)ncl_tune_worker(0, 1);
    return fault_layer_load() ? ncl_run_suite(tests, name) : 1;
}

/* The report of a run that ends with `status`; decref it. */
static inline json_t *tune_until(ncl_status status, ncl_context *context, const ncl_model *model,
                                 const ncl_tensor *input, ncl_tune_options options)
{
    char *text = NULL;
    json_t *report;

    options.struct_size = sizeof options;
    ck_assert_msg(ncl_tune(context, model, input, 1, &options, &text) == status, "%s",
                  ncl_last_error());
    ck_assert(status == NCL_OK || !strchr(ncl_last_error(), '\n'));
    report = json_loads(text, 0, NULL);
    ncl_free(text);
    ck_assert_ptr_nonnull(report);
    return report;
}

static inline json_t *tune(ncl_context *context, const ncl_model *model, const ncl_tensor *input,
                           ncl_tune_options options)
{
    return tune_until(NCL_OK, context, model, input, options);
}

/* Winners are verified end to end, whatever that takes; where nothing was changed, and what failed
 * took the budget, nobody looks again: null. */
static inline void check_verified(const json_t *report)
{
    const json_t *verified = json_object_get(report, "verified"), *layer;
    size_t i, winners = 0;

    json_array_foreach(json_object_get(report, "layers"), i, layer) winners +=
        json_is_true(json_object_get(layer, "chosen"));
    ck_assert(winners ? json_is_true(verified) : !json_is_false(verified));
    ck_assert_ptr_nonnull(verified);
}

/* Counts the store's tombstones of the verdict; every one of them is of `direct`. */
static inline int tombstones(const char *verdict)
{
    ncl_context *context = tune_open();
    char *text = NULL;
    json_t *root, *record;
    size_t i;
    int count = 0;

    MUST(ncl_report(context, NCL_REPORT_DB, NULL, &text));
    root = json_loads(text, 0, NULL);
    json_array_foreach(json_object_get(root, "records"), i, record)
    {
        const char *found = json_string_value(json_object_get(record, "verdict"));

        ck_assert_str_ne(found, "started");
        if (strcmp(found, verdict) != 0)
            continue;
        ck_assert_str_eq(json_string_value(json_object_get(record, "algorithm")), "direct");
        count++;
    }
    json_decref(root);
    ncl_free(text);
    ncl_close(context);
    return count;
}

#endif

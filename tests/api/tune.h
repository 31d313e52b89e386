/* What the tests of ncl_tune share: a store of the test's own, a worker that is this program. */
#ifndef NCL_TESTS_API_TUNE_H
#define NCL_TESTS_API_TUNE_H

#include "api/api.h"
#include "support/fault.h"
#include "support/place.h"

#include <jansson.h>

static const char *const tune_worker[] = {"/proc/self/exe", "serve", NULL};

static inline ncl_context *tune_open(void)
{
    return api_open_in(NULL, place);
}

/* The report; decref it. */
static inline json_t *tune(ncl_context *context, const ncl_model *model, const ncl_tensor *input,
                           ncl_tune_options options)
{
    char *text = NULL;
    json_t *report;

    options.struct_size = sizeof options;
    MUST(ncl_tune(context, model, input, 1, &options, &text));
    report = json_loads(text, 0, NULL);
    ncl_free(text);
    ck_assert_ptr_nonnull(report);
    return report;
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

/* ncl_tune: arguments, and candidates that crash or compute nonsense, in a worker of this program's
 * own. */
#include "api/tune.h"
#include "support/suite.h"

static const ncl_tensor input = {.rank = 4, .dims = {1, 3, 24, 20}};

static int rejected(const json_t *report, const char *verdict)
{
    return (int)json_integer_value(json_object_get(json_object_get(report, "rejects"), verdict));
}

START_TEST(refuses_wrong_arguments)
{
    ncl_context *context = tune_open();
    ncl_model *model = api_model(context);
    ncl_tune_options options = {.struct_size = sizeof options, .effort = (ncl_effort)9};
    ncl_tensor flat = {.rank = 2, .dims = {1, 3}};

    MUST_FAIL(ncl_tune(NULL, model, &input, 1, NULL, NULL), NCL_ERROR_USAGE, "ncl_tune");
    MUST_FAIL(ncl_tune(context, NULL, &input, 1, NULL, NULL), NCL_ERROR_USAGE, "ncl_tune");
    MUST_FAIL(ncl_tune(context, model, &input, 2, NULL, NULL), NCL_ERROR_USAGE, "2 inputs");
    MUST_FAIL(ncl_tune(context, model, &flat, 1, NULL, NULL), NCL_ERROR_INPUT, "rank");
    MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "effort 9");
    options.effort = NCL_EFFORT_NORMAL;
    options.budget_seconds = -1;
    MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "budget");
    options.budget_seconds = 0;
    options.patience_seconds = -1;
    MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "patience");
    options.struct_size = 0;
    MUST_FAIL(ncl_tune(context, model, &input, 1, &options, NULL), NCL_ERROR_USAGE, "struct_size");
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

/* Once the search has begun. */
static int stop(void *user, const ncl_tune_progress *progress)
{
    (void)user;
    return progress->trials > 0;
}

/* Other blocks are looked at before that, if the caller asked for none. */
static size_t blocks_tried(const char *asked)
{
    ncl_tune_options options = {
        .struct_size = sizeof options, .effort = NCL_EFFORT_FULL, .progress = stop};
    ncl_context *context;
    ncl_model *model;
    json_t *report;
    char *text = NULL;
    size_t count;

    setenv("NEXTCL_CHANNEL_BLOCK", asked, 1);
    context = tune_open();
    model = api_model(context);
    MUST_FAIL(ncl_tune(context, model, &input, 1, &options, &text), NCL_ERROR_CANCELLED, "cancel");
    unsetenv("NEXTCL_CHANNEL_BLOCK");
    report = json_loads(text, 0, NULL);
    count = json_array_size(json_object_get(json_object_get(report, "session"), "channel_block"));
    json_decref(report);
    ncl_free(text);
    ncl_model_free(model);
    ncl_close(context);
    return count;
}

START_TEST(a_channel_block_of_0_asks_for_none)
{
    ck_assert_uint_eq(blocks_tried("0"), 3);
    ck_assert_uint_eq(blocks_tried("8"), 0);
}
END_TEST

/* The lowest algorithm is tried for every problem when bad starts are looked for. */
static json_t *tune_with_fault(const char *name)
{
    ncl_context *context;
    ncl_model *model;
    json_t *report;

    setenv("NCL_LAYER_KERNEL", "direct", 1);
    fault_set(name, 0);
    context = tune_open();
    model = api_model(context);
    report = tune(context, model, &input,
                  (ncl_tune_options){.budget_seconds = 8, .from_worst = 1, .worker = tune_worker});
    ncl_model_free(model);
    ncl_close(context);
    unsetenv(name);
    unsetenv("NCL_LAYER_KERNEL");
    return report;
}

START_TEST(crashes_cost_a_worker_and_are_passed_over)
{
    json_t *report = tune_with_fault("NCL_LAYER_CRASH");
    const int dead = tombstones("crashed");

    check_verified(report);
    ck_assert_int_gt(dead, 0);
    ck_assert_int_eq((int)json_integer_value(json_object_get(report, "worker_restarts")), dead);
    json_decref(report);
    /* They would crash again: what is dead stays dead, and no worker is lost for it. */
    report = tune_with_fault("NCL_LAYER_SKIP_NOTHING");
    ck_assert_int_ge(tombstones("crashed"), dead);
    check_verified(report);
    json_decref(report);
}
END_TEST

START_TEST(wrong_results_never_win)
{
    json_t *report = tune_with_fault("NCL_LAYER_WRONG"), *layer;
    size_t i;

    check_verified(report);
    ck_assert_int_gt(tombstones("wrong"), 0);
    ck_assert_int_ge(rejected(report, "wrong"), 0);
    json_array_foreach(json_object_get(report, "layers"), i, layer) ck_assert_str_ne(
        json_string_value(json_object_get(json_object_get(layer, "best"), "algorithm")), "direct");
    json_decref(report);
}
END_TEST

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("tune");

    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, refuses_wrong_arguments);
    tcase_add_test(tests, a_channel_block_of_0_asks_for_none);
    tcase_add_test(tests, crashes_cost_a_worker_and_are_passed_over);
    tcase_add_test(tests, wrong_results_never_win);
    return tune_main(argc, argv, tests, "api/tune");
}

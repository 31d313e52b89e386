/* Candidates that hang or take their worker along: each costs its patience once, and never again.
 */
#include "api/tune_small.h"

/* One point of the only convolution, the defaults of its second algorithm: nothing else has these
 * lines in this order. */
#define VICTIM "#define X_PLAIN 1\n#define Y_PLAIN 0\n#define WG 1\n"

/* Points by which the victim's turn has come: defaults are tried before anything else. */
#define TRIALS 24

/* However busy the machine is: until the victim has failed, or would have. */
static int stop_after_victim(void *user, const ncl_tune_progress *progress)
{
    (void)user;
    return progress->rejected > 0 || progress->trials >= TRIALS;
}

static json_t *tune_past_victim(void)
{
    return tune_small(NCL_ERROR_CANCELLED, tune_open(),
                      (ncl_tune_options){.budget_seconds = 60, .progress = stop_after_victim});
}

static int restarts(const json_t *report)
{
    return (int)json_integer_value(json_object_get(report, "worker_restarts"));
}

/* The only point that failed, and what finding that out took: beyond what a point costs anyway. */
static void check_cost(const json_t *report, const char *verdict, double least, double most)
{
    const json_t *list = json_object_get(report, "rejected_points");
    const json_t *point = json_array_get(list, 0);
    const double seconds = json_real_value(json_object_get(point, "seconds"));

    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(json_string_value(json_object_get(point, "algorithm")), "direct");
    ck_assert_str_eq(json_string_value(json_object_get(point, "verdict")), verdict);
    ck_assert_msg(seconds >= least && seconds < most, "%g s", seconds);
}

/* The tombstone that `explain` shows of the network's first layer. */
static void check_explained(const char *verdict, const char *why)
{
    ncl_context *context = tune_open();
    ncl_model *model = load(context);
    ncl_session *session;
    char *text = NULL;
    json_t *root, *stone, *list;

    MUST(ncl_session_create(context, model, &input, 1, &session));
    MUST(ncl_report(context, NCL_REPORT_EXPLAIN, session, &text));
    root = json_loads(text, 0, NULL);
    list = json_object_get(json_array_get(json_object_get(root, "layers"), 0), "tombstones");
    ck_assert_uint_eq(json_array_size(list), 1);
    stone = json_array_get(list, 0);
    ck_assert_str_eq(json_string_value(json_object_get(stone, "algorithm")), "direct");
    ck_assert_str_eq(json_string_value(json_object_get(stone, "verdict")), verdict);
    ck_assert_str_eq(json_string_value(json_object_get(stone, "why")), why);
    json_decref(root);
    ncl_free(text);
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
}

/* The fault stays: a second run that tried the point would lose its worker to it. */
static void check_victim(const char *fault, const char *verdict, const char *why, double least,
                         double most)
{
    json_t *report;

    fault_set(fault, 0);
    report = tune_past_victim();
    check_cost(report, verdict, least, most);
    ck_assert_int_eq(restarts(report), 1);
    ck_assert_int_eq(tombstones(verdict), 1);
    json_decref(report);
    check_explained(verdict, why);
    report = tune_past_victim();
    ck_assert_int_eq(restarts(report), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "rejected_points")), 0);
    ck_assert_int_eq(tombstones(verdict), 1);
    json_decref(report);
}

START_TEST(whole)
{
    json_t *report = tune_past_victim();

    ck_assert_int_eq(restarts(report), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "rejected_points")), 0);
    json_decref(report);
}
END_TEST

START_TEST(hang_while_building)
{
    check_victim("NCL_LAYER_HANG_BUILD", "timeout", "no answer within 6 s", 0.9 * PATIENCE,
                 2 * PATIENCE);
}
END_TEST

START_TEST(hang_while_running)
{
    check_victim("NCL_LAYER_HANG", "timeout", "no answer within 6 s", 0.9 * PATIENCE, 2 * PATIENCE);
}
END_TEST

START_TEST(crash)
{
    check_victim("NCL_LAYER_CRASH", "crashed", "its process was killed by signal 11", 0, PATIENCE);
}
END_TEST

static void set_up(void)
{
    place_make();
    unsetenv("NCL_LAYER_HANG_BUILD");
    unsetenv("NCL_LAYER_HANG");
    unsetenv("NCL_LAYER_CRASH");
    setenv("NCL_LAYER_SOURCE", VICTIM, 1);
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("tune_dead");

    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, whole); /* first: compiles the kernels */
    tcase_add_test(tests, hang_while_building);
    tcase_add_test(tests, hang_while_running);
    tcase_add_test(tests, crash);
    return tune_main(argc, argv, tests, "api/tune_dead");
}

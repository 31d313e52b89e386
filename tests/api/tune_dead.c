/* Candidates that hang or take their worker along: each costs its patience once, and never again.
 */
#include "api/tune.h"
#include "support/suite.h"

/* Seconds. A busy machine takes over one to compile a kernel, which is nobody's fault. */
#define PATIENCE 4.0

static const ncl_tensor input = {.rank = 4, .dims = {3, 3, 9, 9}};

/* One point of the only convolution, the defaults of its second algorithm: nothing else has these
 * lines in this order. */
#define VICTIM "#define X_PLAIN 1\n#define Y_PLAIN 0\n#define WG 1\n"

static ncl_model *load(ncl_context *context)
{
    ncl_model *model;

    MUST(ncl_model_load(context, "tests/data/opset7.onnx", &model));
    return model;
}

static json_t *tune_for(double seconds)
{
    ncl_context *context = tune_open();
    ncl_model *model = load(context);
    json_t *report =
        tune(context, model, &input,
             (ncl_tune_options){
                 .budget_seconds = seconds, .worker = tune_worker, .patience_seconds = PATIENCE});

    check_verified(report);
    ncl_model_free(model);
    ncl_close(context);
    return report;
}

/* Once the driver has compiled the kernels, the victim's turn comes within a second,
 * twice that where sanitizers watch; so long is searched whatever the rest takes. */
static json_t *tune_briefly(void)
{
    return tune_for(4);
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
    report = tune_briefly();
    check_cost(report, verdict, least, most);
    ck_assert_int_eq(restarts(report), 1);
    ck_assert_int_eq(tombstones(verdict), 1);
    json_decref(report);
    check_explained(verdict, why);
    report = tune_briefly();
    ck_assert_int_eq(restarts(report), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "rejected_points")), 0);
    ck_assert_int_eq(tombstones(verdict), 1);
    json_decref(report);
}

START_TEST(whole)
{
    json_t *report = tune_for(4);

    ck_assert_int_eq(restarts(report), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "rejected_points")), 0);
    json_decref(report);
}
END_TEST

START_TEST(hang_while_building)
{
    check_victim("NCL_LAYER_HANG_BUILD", "timeout", "no answer within 4 s", 0.9 * PATIENCE,
                 2 * PATIENCE);
}
END_TEST

START_TEST(hang_while_running)
{
    check_victim("NCL_LAYER_HANG", "timeout", "no answer within 4 s", 0.9 * PATIENCE, 2 * PATIENCE);
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

    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return (int)ncl_tune_worker(0, 1);
    if (!fault_layer_load())
        return 1;
    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, whole); /* first: see tune_briefly */
    tcase_add_test(tests, hang_while_building);
    tcase_add_test(tests, hang_while_running);
    tcase_add_test(tests, crash);
    return ncl_run_suite(tests, "api/tune_dead");
}

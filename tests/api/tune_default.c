/* Defaults that crash, hang or are refused: tuning takes what sessions fall back on, and what it
 * ran in this process was seen to work in the worker. */
#include "api/tune_small.h"

#include <stdio.h>

static const char *const *session_worker; /* compiles for sessions; NULL: they do by themselves */
static char victim[64];                   /* the algorithm of the only convolution's default */

static ncl_context *open_context(void)
{
    return api_open_with(NULL, place, session_worker);
}

/* Of the report's first layer, the convolution. */
static const char *algorithm(const json_t *report, const char *which)
{
    const json_t *layer = json_array_get(json_object_get(report, "layers"), 0);

    return json_string_value(json_object_get(json_object_get(layer, which), "algorithm"));
}

/* All that the victim's algorithm launches meets this fault, here as in workers. */
static void strike(const char *fault)
{
    json_t *report = tune_small(NCL_OK, open_context(), (ncl_tune_options){.dry_run = 1});
    char kernel[80];

    snprintf(victim, sizeof victim, "%s", algorithm(report, "default"));
    json_decref(report);
    snprintf(kernel, sizeof kernel, "ncl_%s", victim);
    setenv("NCL_LAYER_KERNEL", kernel, 1);
    fault_set(fault, 0);
}

/* Something else was measured, and is the default that the report speaks of. */
static void check_report(json_t *report)
{
    ck_assert_str_ne(algorithm(report, "default"), victim);
    ck_assert_str_ne(algorithm(report, "start"), victim);
    json_decref(report);
}

/* A session runs, on something else, and `explain` says why. */
static void check_session(const char *verdict)
{
    float values[3 * 3 * 9 * 9] = {0};
    ncl_tensor whole = input;
    ncl_context *context = open_context();
    ncl_model *model = load(context);
    ncl_session *session;
    char *text = NULL;
    json_t *root, *layer, *stone;
    size_t i, found = 0;

    whole.data = values;
    whole.bytes = sizeof values;
    MUST(ncl_session_create(context, model, &whole, 1, &session));
    MUST(ncl_verify(session, &whole, 1, NULL));
    MUST(ncl_report(context, NCL_REPORT_EXPLAIN, session, &text));
    root = json_loads(text, 0, NULL);
    layer = json_array_get(json_object_get(root, "layers"), 0);
    ck_assert_str_ne(json_string_value(json_object_get(layer, "algorithm")), victim);
    json_array_foreach(json_object_get(layer, "tombstones"), i, stone)
    {
        if (strcmp(json_string_value(json_object_get(stone, "algorithm")), victim) != 0)
            continue;
        ck_assert_str_eq(json_string_value(json_object_get(stone, "verdict")), verdict);
        found++;
    }
    ck_assert_uint_ge(found, 1);
    json_decref(root);
    ncl_free(text);
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
}

/* The fault stays: neither a second run nor sessions meet it. */
static void check_victim(const char *fault, const char *verdict)
{
    const ncl_tune_options quick = {.effort = NCL_EFFORT_QUICK};

    strike(fault);
    check_report(tune_small(NCL_OK, open_context(), quick));
    check_session(verdict);
    check_report(tune_small(NCL_OK, open_context(), quick));
}

START_TEST(crash)
{
    check_victim("NCL_LAYER_CRASH", "crashed");
}
END_TEST

/* By workers that compile: which point did it is found afterwards. */
START_TEST(crash_while_compiling)
{
    session_worker = tune_worker;
    check_victim("NCL_LAYER_CRASH", "crashed");
}
END_TEST

START_TEST(hang)
{
    check_victim("NCL_LAYER_HANG", "timeout");
}
END_TEST

START_TEST(refused_for_memory)
{
    setenv("NCL_LAYER_CODE", "-4", 1); /* CL_MEM_OBJECT_ALLOCATION_FAILURE */
    check_victim("NCL_LAYER_FAIL_ENQUEUE", "launch");
}
END_TEST

/* The first that is refused ends that, and all are looked at. */
START_TEST(refused_while_compiling)
{
    session_worker = tune_worker;
    setenv("NCL_LAYER_CODE", "-4", 1);
    check_victim("NCL_LAYER_FAIL_ENQUEUE", "launch");
}
END_TEST

static int stop_at_once(void *user, const ncl_tune_progress *progress)
{
    (void)user;
    return progress->trials > 0;
}

/* Nothing is searched before the standard session is made; and a run that goes on does not go back
 * to what failed. */
START_TEST(crash_before_any_search)
{
    ncl_tune_options full = {.effort = NCL_EFFORT_FULL, .progress = stop_at_once};

    strike("NCL_LAYER_CRASH");
    check_report(tune_small(NCL_ERROR_CANCELLED, open_context(), full));
    check_session("crashed");
    full.resume = 1;
    check_report(tune_small(NCL_ERROR_CANCELLED, open_context(), full));
}
END_TEST

/* Tests share a process. */
static void set_up(void)
{
    place_make();
    session_worker = NULL;
    unsetenv("NCL_LAYER_CRASH");
    unsetenv("NCL_LAYER_HANG");
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    unsetenv("NCL_LAYER_CODE");
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("tune_default");

    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_set_timeout(tests, 150);
    tcase_add_test(tests, crash);
    tcase_add_test(tests, crash_while_compiling);
    tcase_add_test(tests, hang);
    tcase_add_test(tests, refused_for_memory);
    tcase_add_test(tests, refused_while_compiling);
    tcase_add_test(tests, crash_before_any_search);
    return tune_main(argc, argv, tests, "api/tune_default");
}

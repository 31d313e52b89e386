#include "session/advised.h"
#include "support/suite.h"

static struct advised a;

static void open_all(void)
{
    advised_open(&a);
}

static void close_all(void)
{
    advised_close(&a);
}

START_TEST(defaults_with_a_tombstone_give_way_to_others)
{
    struct ncl_session *session;

    for (int v = NCL_VERDICT_BUILD; v <= NCL_VERDICT_TIMEOUT; v++) {
        tell(a.store, &a.problem, &a.f.device.caps, &a.standard,
             &(struct told){.verdict = (enum ncl_verdict)v, .why = "it was seen"});
        session = advised_session(&a);
        ck_assert(!ncl_point_equal(&session->layers[a.at].choice.point, &a.standard));
        ck_assert_str_eq(session->layers[a.at].choice.source, "fallback");
        ck_assert_str_eq(session->layers[a.at].failures[0].why, "it was seen");
        advised_run(&a, session);
        ncl_session_destroy(session);
    }
    /* Whoever was killed while tuning says nothing against what ran before. */
    tell(a.store, &a.problem, &a.f.device.caps, &a.standard,
         &(struct told){.verdict = NCL_VERDICT_STARTED});
    session = advised_session(&a);
    expect_layer(&a, session, &a.standard, "default");
    ncl_session_destroy(session);
}
END_TEST

START_TEST(tombstones_of_others_keep_nothing_from_running)
{
    for (int v = NCL_VERDICT_BUILD; v < NCL_VERDICT_COUNT; v++) {
        struct ncl_session *session;

        tell(a.store, &a.problem, &a.f.device.caps, &a.standard,
             &(struct told){.origin = NCL_ORIGIN_IMPORTED, .verdict = (enum ncl_verdict)v});
        session = advised_session(&a);
        expect_layer(&a, session, &a.standard, "default");
        ncl_session_destroy(session);
    }
}
END_TEST

/* A tombstone for everything that the planner might choose; returns how many. */
static int bury_all(enum ncl_verdict verdict)
{
    struct ncl_choice choice;
    int count = 0;

    for (; ncl_choose(NULL, &a.problem, &a.f.device.caps, count, &choice) == NCL_OK; count++)
        tell(a.store, &a.problem, &a.f.device.caps, &choice.point,
             &(struct told){.verdict = verdict, .why = "it was seen"});
    return count;
}

/* Such as after a full disk, or a worker that was killed from outside. */
START_TEST(the_planners_own_is_the_last_resort_and_loses_its_tombstone)
{
    for (int v = NCL_VERDICT_BUILD; v < NCL_VERDICT_COUNT; v++) {
        const bool bars = v <= NCL_VERDICT_TIMEOUT;
        const int count = bury_all((enum ncl_verdict)v);
        struct ncl_session *session = advised_session(&a);

        ck_assert_int_gt(count, 1);
        expect_layer(&a, session, &a.standard, bars ? "fallback" : "default");
        ck_assert_msg(!bars || (strstr(a.f.note, "it was seen") && strstr(a.f.note, "db clear") &&
                                strstr(a.f.note, ncl_verdict_name((enum ncl_verdict)v))),
                      "'%s'", a.f.note);
        ck_assert_int_eq(standing_of(&a, &a.standard).verdict, v); /* it may yet fail */
        advised_run(&a, session);
        ck_assert_int_eq(standing_of(&a, &a.standard).verdict, bars ? NCL_VERDICT_GOOD : v);
        ncl_session_destroy(session);
        session = advised_session(&a);
        expect_layer(&a, session, &a.standard, "default");
        ncl_session_destroy(session);
    }
}
END_TEST

START_TEST(what_fails_in_this_session_is_no_resort)
{
    struct ncl_session *session;

    bury_all(NCL_VERDICT_CRASHED);
    session = advised_session(&a);
    expect_layer(&a, session, &a.standard, "fallback");
    fault_set("NCL_LAYER_FAIL_ENQUEUE", fault_launches() + a.at + 1);
    advised_run(&a, session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    ck_assert(!ncl_point_equal(&session->layers[a.at].choice.point, &a.standard));
    ck_assert_int_eq(standing_of(&a, &a.standard).verdict, NCL_VERDICT_LAUNCH);
    ck_assert_int_eq(standing_of(&a, &session->layers[a.at].choice.point).verdict,
                     NCL_VERDICT_GOOD);
    ncl_session_destroy(session);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tombstones");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, defaults_with_a_tombstone_give_way_to_others);
    tcase_add_test(tests, tombstones_of_others_keep_nothing_from_running);
    tcase_add_test(tests, the_planners_own_is_the_last_resort_and_loses_its_tombstone);
    tcase_add_test(tests, what_fails_in_this_session_is_no_resort);
    return ncl_run_suite(tests, "tombstones");
}

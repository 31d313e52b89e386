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

static void run(struct ncl_session *session)
{
    advised_run(&a, session);
}

START_TEST(without_records_the_planner_chooses)
{
    struct ncl_session *session = advised_session(&a);

    expect_layer(&a, session, &a.standard, "default");
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(what_was_tuned_here_runs)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    session = advised_session(&a);
    expect_layer(&a, session, &point, "tuned");
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(what_others_tuned_is_verified_once)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-3, .unverified = true});
    ck_assert(!standing_of(&a, &point).verified);
    session = advised_session(&a);
    expect_layer(&a, session, &point, "imported");
    ck_assert(standing_of(&a, &point).verified);
    run(session);
    ncl_session_destroy(session);
    fault_set("NCL_LAYER_SKIP", fault_launches() + 1); /* would spoil another verification */
    session = advised_session(&a);
    unsetenv("NCL_LAYER_SKIP");
    expect_layer(&a, session, &point, "imported");
    ck_assert(session->layers[a.at].advice.seconds == 1e-3);
    run(session);
    ncl_session_destroy(session);
}
END_TEST

/* Launches nothing, now or later, and leaves no record behind. */
START_TEST(what_was_reasoned_as_the_planner_does_is_not_verified)
{
    const struct told reasoned = {.origin = NCL_ORIGIN_ANALYTIC, .unverified = true};

    tell(a.store, &a.problem, &a.f.device.caps, &a.standard, &reasoned);
    for (int i = 0; i < 2; i++) {
        struct ncl_session *session;

        fault_set("NCL_LAYER_SKIP", fault_launches() + 1); /* would spoil a verification */
        session = advised_session(&a);
        unsetenv("NCL_LAYER_SKIP");
        expect_layer(&a, session, &a.standard, "default");
        ck_assert(!session->layers[a.at].waits);
        ck_assert_int_eq(standing_of(&a, &a.standard).verdict, NCL_VERDICT_GOOD);
        ck_assert(!standing_of(&a, &a.standard).verified);
        run(session);
        ncl_session_destroy(session);
    }
}
END_TEST

START_TEST(a_wrong_record_becomes_a_tombstone)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;
    struct ncl_standing standing;

    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-3, .unverified = true});
    fault_set("NCL_LAYER_SKIP", fault_launches() + 1);
    session = advised_session(&a);
    unsetenv("NCL_LAYER_SKIP");
    standing = standing_of(&a, &point);
    ck_assert_int_eq(standing.verdict, NCL_VERDICT_WRONG);
    ck_assert_str_ne(standing.why, "");
    ck_assert_msg(strstr(a.f.note, "passed over"), "'%s'", a.f.note);
    expect_layer(&a, session, &a.standard, "default");
    run(session);
    ncl_session_destroy(session);
    session = advised_session(&a); /* and is not tried again */
    expect_layer(&a, session, &a.standard, "default");
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(the_next_best_is_tried_where_the_best_is_wrong)
{
    const struct ncl_point best = another_point(), next = point_of("direct", "WG=16");
    const struct ncl_caps kin = device_named(&a.f.device.caps, a.f.device.caps.platform, "kin",
                                             a.f.device.caps.vendor, "0");
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &best,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-3, .unverified = true});
    tell(a.store, &a.problem, &kin, &next, &(struct told){.seconds = 1e-3});
    fault_set("NCL_LAYER_SKIP", fault_launches() + 1);
    session = advised_session(&a);
    unsetenv("NCL_LAYER_SKIP");
    expect_layer(&a, session, &next, "tuned");
    ck_assert_int_eq(session->layers[a.at].advice.match, NCL_MATCH_ARCHITECTURE);
    ck_assert(standing_of(&a, &next).verified);
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(another_driver_verifies_anew)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    snprintf(a.f.device.caps.driver, sizeof a.f.device.caps.driver, "a later one");
    ck_assert(!standing_of(&a, &point).verified);
    session = advised_session(&a);
    expect_layer(&a, session, &point, "tuned");
    ck_assert_int_eq(session->layers[a.at].advice.match, NCL_MATCH_DRIVER);
    ck_assert(standing_of(&a, &point).verified);
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(without_a_store_nothing_is_verified_and_defaults_run)
{
    struct ncl_session *session;
    struct ncl_store *store = a.store;
    const struct ncl_point point = another_point();

    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    a.store = NULL;
    session = advised_session(&a);
    a.store = store;
    expect_layer(&a, session, &a.standard, "default");
    run(session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_launch_that_fails_is_remembered)
{
    struct ncl_session *session = advised_session(&a);
    struct ncl_point successor;

    fault_set("NCL_LAYER_FAIL_ENQUEUE", fault_launches() + a.at + 1);
    run(session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    successor = session->layers[a.at].choice.point;
    ck_assert(!ncl_point_equal(&successor, &a.standard));
    ck_assert_int_eq(standing_of(&a, &a.standard).verdict, NCL_VERDICT_LAUNCH);
    ck_assert_ptr_nonnull(strstr(standing_of(&a, &a.standard).why, "CL_OUT_OF_RESOURCES"));
    ncl_session_destroy(session);
    session = advised_session(&a);
    expect_layer(&a, session, &successor, "fallback");
    run(session); /* nothing fails, nothing falls back */
    ck_assert_uint_eq(session->layers[a.at].failure_count, 1);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(advice_that_fails_gives_way_to_defaults)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    session = advised_session(&a);
    fault_set("NCL_LAYER_FAIL_ENQUEUE", fault_launches() + a.at + 1);
    run(session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    expect_layer(&a, session, &a.standard, "fallback");
    ck_assert_int_eq(standing_of(&a, &point).verdict, NCL_VERDICT_LAUNCH);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_failure_that_all_share_blames_nobody)
{
    struct ncl_session *session = advised_session(&a);
    ncl_tensor output = fixture_output(session);

    fault_set("NCL_LAYER_CODE", CL_MEM_OBJECT_ALLOCATION_FAILURE);
    fault_set("NCL_LAYER_FAIL_ENQUEUE", fault_launches() + a.at + 1);
    ck_assert_int_eq(fixture_run(session, &a.input, &output), NCL_ERROR_MEMORY);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    unsetenv("NCL_LAYER_CODE");
    ck_assert_int_eq(standing_of(&a, &a.standard).verdict, NCL_VERDICT_GOOD);
    run(session);
    free(output.data);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(too_small_work_groups_are_remembered)
{
    struct ncl_session *session;
    struct ncl_record_list list = {0};

    fault_set("NCL_LAYER_KERNEL_WORK_GROUP", 1);
    session = advised_session(&a);
    unsetenv("NCL_LAYER_KERNEL_WORK_GROUP");
    MUST(ncl_records_find(a.store, &(struct ncl_record_filter){0}, &list));
    for (size_t i = 0; i < list.count; i++)
        ck_assert_int_eq(list.records[i].verdict, NCL_VERDICT_BUILD);
    for (int i = 0; i < a.steps; i++)
        ck_assert(session->layers[i].failure_count == 0 || list.count > 0);
    ncl_record_list_free(&list);
    run(session);
    ncl_session_destroy(session);
}
END_TEST

/* The device reports less than the one that measured: what does not fit is not even tried. */
START_TEST(advice_beyond_this_device_is_passed_over)
{
    const struct ncl_point large = point_of("direct", "WG=64"), small = point_of("direct", "WG=8");
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &large, &(struct told){.seconds = 1e-3});
    session = advised_session(&a);
    expect_layer(&a, session, &large, "tuned");
    ncl_session_destroy(session);
    advised_close(&a);
    fault_set("NCL_LAYER_MAX_WORK_GROUP", 16);
    open_all();
    tell(a.store, &a.problem, &a.f.device.caps, &large, &(struct told){.seconds = 1e-3});
    session = advised_session(&a);
    expect_layer(&a, session, &a.standard, "default");
    ncl_session_destroy(session);
    tell(a.store, &a.problem, &a.f.device.caps, &small, &(struct told){.seconds = 1e-3});
    session = advised_session(&a);
    expect_layer(&a, session, &small, "tuned");
    run(session);
    ncl_session_destroy(session);
    unsetenv("NCL_LAYER_MAX_WORK_GROUP");
}
END_TEST

START_TEST(the_key_of_a_net_is_the_same_for_every_session)
{
    struct ncl_session *sessions[2] = {fixture_session(&a.f), fixture_session_as(&a.f, NCL_FP16)};
    char keys[2][NCL_NET_KEY];

    for (int i = 0; i < 2; i++) {
        MUST(ncl_session_net_key(sessions[i]->schedule, &a.f.device.caps, keys[i]));
        ncl_session_destroy(sessions[i]);
    }
    ck_assert_str_eq(keys[0], keys[1]);
}
END_TEST

static bool pin_direct(void *user, const struct ncl_problem *problem, struct ncl_point *point)
{
    *(int *)user += 1;
    *point = point_of("direct", "WG=8");
    return problem->kind == NCL_PROBLEM_CONV;
}

START_TEST(pins_stand_in_for_records)
{
    struct ncl_session_config config = fixture_config(&a.f);
    const struct ncl_dims dims = fixture_dims(&a.f);
    struct ncl_session *session;
    int asked = 0;

    config.pin = pin_direct;
    config.pin_user = &asked;
    MUST(ncl_session_make(&config, a.f.model->graph, &dims, 1, &session));
    ck_assert_int_gt(asked, 0);
    for (int i = 0; i < a.steps; i++) {
        const bool conv = session->schedule->steps[i].problem.kind == NCL_PROBLEM_CONV;

        ck_assert_str_eq(session->layers[i].choice.source,
                         conv && ncl_session_suits(session, i, &session->layers[i].choice.point) &&
                                 session->layers[i].advised
                             ? "tuned"
                             : "default");
    }
    expect_layer(&a, session, &(struct ncl_point){ncl_algo_find("direct"), {8}}, "tuned");
    run(session);
    ncl_session_destroy(session);
}
END_TEST

/* Of a batch of 7 in chunks, whose last is smaller; NULL where the device takes none. */
static struct ncl_session *chunked_session(struct fixture *f)
{
    struct ncl_session_config config = fixture_config(f);
    struct ncl_dims dims = fixture_dims(f);

    config.store = a.store;
    dims.dims[0] = 7;
    for (uint64_t cache = 8192; cache <= 4 << 20; cache *= 2) {
        struct ncl_session *session = NULL;

        f->device.caps.cache_bytes = cache;
        MUST(ncl_session_make(&config, f->model->graph, &dims, 1, &session));
        if (session->schedule->loop_count > 0)
            return session;
        ncl_session_destroy(session);
    }
    return NULL;
}

/* A convolution of several different parts that the point suits. */
static int find_chunked(const struct ncl_session *session, const struct ncl_point *point,
                        int parts[2])
{
    for (int step = 0; step < session->schedule->step_count; step++) {
        int count = 0;

        for (int i = 0; i < session->schedule->part_count; i++)
            if (ncl_session_is_launch(session, i, step) && count < 2)
                parts[count++] = i;
        if (count == 2 && session->schedule->steps[step].problem.kind == NCL_PROBLEM_CONV &&
            ncl_session_suits(session, step, point))
            return step;
    }
    return -1;
}

START_TEST(advice_holds_for_chunks_of_every_size)
{
    const struct ncl_point point = another_point();
    struct ncl_problem problems[2];
    struct ncl_standing standing;
    struct fixture f;
    struct ncl_session *session;
    int parts[2], step;

    fixture_open(&f, FIXTURE_RESNEXT, false);
    session = chunked_session(&f);
    if (session) {
        step = find_chunked(session, &point, parts);
        ck_assert_int_ge(step, 0);
        for (int i = 0; i < 2; i++)
            problems[i] = session->schedule->parts[parts[i]].problem;
        ncl_session_destroy(session);
        tell(a.store, &problems[0], &f.device.caps, &point, &(struct told){.seconds = 1e-3});
        session = chunked_session(&f); /* verified for the other size first */
        ck_assert_str_eq(session->layers[step].choice.source, "tuned");
        ck_assert(ncl_point_equal(&session->layers[step].choice.point, &point));
        ncl_lookup_standing(a.store, &problems[1], &f.device.caps, &point, &standing);
        ck_assert(standing.verified);
        ncl_session_destroy(session);
        tell(a.store, &problems[1], &f.device.caps, &point,
             &(struct told){.verdict = NCL_VERDICT_CRASHED});
        session = chunked_session(&f);
        ck_assert_str_eq(session->layers[step].choice.source, "default");
        ncl_session_destroy(session);
    }
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("advice");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, without_records_the_planner_chooses);
    tcase_add_test(tests, what_was_tuned_here_runs);
    tcase_add_test(tests, what_others_tuned_is_verified_once);
    tcase_add_test(tests, what_was_reasoned_as_the_planner_does_is_not_verified);
    tcase_add_test(tests, a_wrong_record_becomes_a_tombstone);
    tcase_add_test(tests, the_next_best_is_tried_where_the_best_is_wrong);
    tcase_add_test(tests, another_driver_verifies_anew);
    tcase_add_test(tests, without_a_store_nothing_is_verified_and_defaults_run);
    tcase_add_test(tests, a_launch_that_fails_is_remembered);
    tcase_add_test(tests, advice_that_fails_gives_way_to_defaults);
    tcase_add_test(tests, a_failure_that_all_share_blames_nobody);
    tcase_add_test(tests, too_small_work_groups_are_remembered);
    tcase_add_test(tests, advice_beyond_this_device_is_passed_over);
    tcase_add_test(tests, the_key_of_a_net_is_the_same_for_every_session);
    tcase_add_test(tests, pins_stand_in_for_records);
    /* Last: it does not count its launches. */
    tcase_add_test(tests, advice_holds_for_chunks_of_every_size);
    return ncl_run_suite(tests, "advice");
}

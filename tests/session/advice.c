#include "session/advised.h"
#include "session/tune_parts.h"
#include "support/suite.h"

static struct advised a;
/* Launches of this process so far, as the fault layer counts them. */
static long launches;

static void open_all(void)
{
    advised_open(&a);
    launches += a.steps;
}

static void close_all(void)
{
    advised_close(&a);
}

static void run(struct ncl_session *session)
{
    advised_run(&a, session);
    launches += a.steps;
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

/* Launches of one trial: its kernel, once. */
START_TEST(what_others_tuned_is_verified_once)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-3, .unverified = true});
    ck_assert(!standing_of(&a, &point).verified);
    session = advised_session(&a);
    launches++;
    expect_layer(&a, session, &point, "imported");
    ck_assert(standing_of(&a, &point).verified);
    run(session);
    ncl_session_destroy(session);
    fault_set("NCL_LAYER_SKIP", launches + 1); /* would spoil another verification */
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

        fault_set("NCL_LAYER_SKIP", launches + 1); /* would spoil a verification */
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
    fault_set("NCL_LAYER_SKIP", launches + 1);
    session = advised_session(&a);
    unsetenv("NCL_LAYER_SKIP");
    launches++;
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
    fault_set("NCL_LAYER_SKIP", launches + 1);
    session = advised_session(&a);
    unsetenv("NCL_LAYER_SKIP");
    launches += 2;
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
    launches++;
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
        run(session);
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
        run(session);
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
    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + a.at + 1);
    run(session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    launches++;
    ck_assert(!ncl_point_equal(&session->layers[a.at].choice.point, &a.standard));
    ck_assert_int_eq(standing_of(&a, &a.standard).verdict, NCL_VERDICT_LAUNCH);
    ck_assert_int_eq(standing_of(&a, &session->layers[a.at].choice.point).verdict,
                     NCL_VERDICT_GOOD);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_launch_that_fails_is_remembered)
{
    struct ncl_session *session = advised_session(&a);
    struct ncl_point successor;

    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + a.at + 1);
    run(session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    launches++;
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
    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + a.at + 1);
    run(session);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    launches++;
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
    fault_set("NCL_LAYER_FAIL_ENQUEUE", launches + a.at + 1);
    ck_assert_int_eq(fixture_run(session, &a.input, &output), NCL_ERROR_MEMORY);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    unsetenv("NCL_LAYER_CODE");
    launches += a.at + 1;
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

/* A record of this device and its kernels about the whole network; its strings live in `texts`. */
struct block_texts {
    char key[NCL_NET_KEY], kernels[NCL_HASH_TEXT], klass[64];
};

static struct ncl_record block_record(struct block_texts *texts)
{
    struct ncl_session *session = advised_session_as(&a, 0);
    struct ncl_record record = sample_record();

    ck_assert_int_eq(session->config.channel_block, 8);
    MUST(ncl_session_net_key(session->schedule, &a.f.device.caps, texts->key));
    ck_assert_int_eq(strncmp(texts->key, "net ", 4), 0);
    ncl_session_destroy(session);
    ncl_tune_hash_kernels(texts->kernels);
    record.problem = texts->key, record.algorithm = "session", record.params = "CB=4";
    record.kernel = texts->kernels;
    ncl_fingerprint_of(&a.f.device.caps, texts->klass, &record.on);
    return record;
}

static void expect_block(int asked, int block)
{
    struct ncl_session *session = advised_session_as(&a, asked);

    ck_assert_int_eq(session->config.channel_block, block);
    ck_assert_int_eq(session->block.block, asked || block == 8 ? 0 : block);
    run(session);
    ncl_session_destroy(session);
}

START_TEST(a_record_decides_the_channel_block_that_nobody_asked_for)
{
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
    expect_block(8, 8); /* asked for */
}
END_TEST

START_TEST(a_block_of_another_device_or_other_kernels_is_passed_over)
{
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-9, record.default_seconds = 1;
    record.kernel = "dead";
    ck_assert(ncl_records_put(a.store, &record));
    record.kernel = texts.kernels;
    record.on.device = "another one";
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 8);
}
END_TEST

START_TEST(a_block_of_others_gives_way_to_what_was_tuned_here)
{
    const struct ncl_point point = another_point();
    struct block_texts texts;
    struct ncl_record record = block_record(&texts);

    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-9, record.default_seconds = 1;
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
    tell(a.store, &a.problem, &a.f.device.caps, &point, &(struct told){.seconds = 1e-3});
    expect_block(0, 8);
    record.origin = NCL_ORIGIN_MEASURED;
    ck_assert(ncl_records_put(a.store, &record));
    expect_block(0, 4);
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
    tcase_add_test(tests, defaults_with_a_tombstone_give_way_to_others);
    tcase_add_test(tests, tombstones_of_others_keep_nothing_from_running);
    tcase_add_test(tests, the_planners_own_is_the_last_resort_and_loses_its_tombstone);
    tcase_add_test(tests, what_fails_in_this_session_is_no_resort);
    tcase_add_test(tests, a_launch_that_fails_is_remembered);
    tcase_add_test(tests, advice_that_fails_gives_way_to_defaults);
    tcase_add_test(tests, a_failure_that_all_share_blames_nobody);
    tcase_add_test(tests, too_small_work_groups_are_remembered);
    tcase_add_test(tests, advice_beyond_this_device_is_passed_over);
    tcase_add_test(tests, a_record_decides_the_channel_block_that_nobody_asked_for);
    tcase_add_test(tests, a_block_of_another_device_or_other_kernels_is_passed_over);
    tcase_add_test(tests, a_block_of_others_gives_way_to_what_was_tuned_here);
    tcase_add_test(tests, the_key_of_a_net_is_the_same_for_every_session);
    tcase_add_test(tests, pins_stand_in_for_records);
    /* Last: it does not count its launches. */
    tcase_add_test(tests, advice_holds_for_chunks_of_every_size);
    return ncl_run_suite(tests, "advice");
}

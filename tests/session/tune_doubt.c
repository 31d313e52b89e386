/* Failures that are not the candidate's fault leave no tombstones. */
#include "session/tuned.h"

#include "support/fault.h"
#include "support/suite.h"

/* ---- a compiler that stops working ---- */

static int break_compiler(void *user, const ncl_tune_progress *progress)
{
    const size_t *trials = user;

    if (progress->trials >= *trials)
        fault_set("NCL_LAYER_FAIL_BUILD", 0);
    return 0;
}

static int count_verdict(struct net *n, enum ncl_verdict verdict)
{
    struct ncl_record_list list = {0};
    int count = 0;

    find_all(n, &list);
    for (size_t i = 0; i < list.count; i++)
        count += list.records[i].verdict == verdict;
    ncl_record_list_free(&list);
    return count;
}

/* As when the disk is full that the driver compiles on. */
START_TEST(nobody_is_blamed_for_a_broken_compiler)
{
    size_t trials = 3;
    ncl_tune_options options = {.struct_size = sizeof options,
                                .budget_seconds = 60,
                                .progress = break_compiler,
                                .user = &trials};
    struct net n;
    struct ncl_tune_config config;
    ncl_status status;

    open_net(&n);
    config = (struct ncl_tune_config){.session = fixture_config(&n.f), .options = &options};
    config.session.store = n.store;
    status = ncl_tune_network(&config, n.f.model->graph, &n.dims, 1, NULL);
    unsetenv("NCL_LAYER_FAIL_BUILD");
    ck_assert_int_eq(status, NCL_ERROR_DEVICE);
    ck_assert_msg(strstr(ncl_error_text(), "no longer compiles"), "%s", ncl_error_text());
    ck_assert_int_ge(count_verdict(&n, NCL_VERDICT_GOOD), 3);
    ck_assert_int_eq(count_verdict(&n, NCL_VERDICT_BUILD), 0);
    ck_assert_int_eq(count_verdict(&n, NCL_VERDICT_STARTED), 0);
    close_net(&n);
}
END_TEST

/* ---- workers that are killed from outside ---- */

/* An evaluator whose process dies of the first trial that it is given, or of every one. */
struct mortal {
    int calls, deaths; /* so far, and how many there will be */
};

static ncl_status mortal_prepare(void *self, struct ncl_trial *trials, int count)
{
    struct mortal *m = self;

    for (int i = 0; i < count; i++)
        if (m->calls++ < m->deaths) {
            trials[i].verdict = NCL_VERDICT_CRASHED;
            strcpy(trials[i].why, "its process was killed by signal 11");
        }
    return NCL_OK;
}

static enum ncl_verdict verdict_of(struct early *e, const struct ncl_point *point, int deaths,
                                   int *calls)
{
    struct mortal mortal = {0, deaths};
    struct ncl_trial trial = {.task = e->task, .point = *point};

    e->t.net = &e->net;
    e->t.worker = (struct ncl_worker *)&mortal; /* there is one: nobody looks inside */
    e->t.inner = (struct ncl_evaluator){&mortal, mortal_prepare, NULL, NULL};
    MUST(mortal_prepare(&mortal, &trial, 1));
    MUST(ncl_tune_doubt(&e->t, &trial, 1));
    e->t.worker = NULL;
    *calls = mortal.calls;
    return trial.verdict;
}

START_TEST(who_was_right_before_is_tried_again)
{
    struct early e;
    int calls;

    open_early(&e);
    ck_assert_int_eq(verdict_of(&e, &e.points[0], 1, &calls), NCL_VERDICT_CRASHED);
    ck_assert_int_eq(calls, 1);
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[0], 1e-3);
    ck_assert_int_eq(verdict_of(&e, &e.points[0], 1, &calls), NCL_VERDICT_GOOD);
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(verdict_of(&e, &e.points[0], 9, &calls), NCL_VERDICT_CRASHED);
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(verdict_of(&e, &e.points[1], 1, &calls), NCL_VERDICT_CRASHED);
    e.net.measured_at = 1; /* the standard session ran */
    e.net.event_count = 0;
    ck_assert_int_eq(verdict_of(&e, &e.net.layers[e.task].standard, 1, &calls), NCL_VERDICT_GOOD);
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune_doubt");

    if (!fault_layer_load())
        return 1;
    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, nobody_is_blamed_for_a_broken_compiler);
    tcase_add_test(tests, who_was_right_before_is_tried_again);
    return ncl_run_suite(tests, "session/tune_doubt");
}

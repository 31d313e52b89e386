/* Journals of runs: whose they are, and what an interrupted one leaves to the next. */
#include "session/tuned.h"

#include "support/suite.h"

static int cancel_after_trials(void *user, const ncl_tune_progress *progress)
{
    const size_t *trials = user;

    return progress->trials >= *trials;
}

static double budget_of(struct net *n, double given)
{
    json_t *report =
        tune(n, (ncl_tune_options){.budget_seconds = given, .resume = 1, .dry_run = 1}, NCL_OK);
    const double budget = number_of(report, "budget");

    ck_assert(flag_of(report, "resumed"));
    ck_assert(number_of(report, "resumed_seconds") > 0);
    json_decref(report);
    return budget;
}

/* Without a budget, or with the same one, what is left of it; another one as it is. */
START_TEST(a_resumed_run_has_a_budget)
{
    size_t trials = 6;
    struct net n;
    double spent;
    json_t *report;

    open_net(&n);
    report = tune(
        &n,
        (ncl_tune_options){.budget_seconds = 40, .progress = cancel_after_trials, .user = &trials},
        NCL_ERROR_CANCELLED);
    spent = number_of(report, "search_seconds");
    json_decref(report);
    ck_assert(spent > 0);
    ck_assert_double_lt(budget_of(&n, 0), 40);
    ck_assert_double_gt(budget_of(&n, 0), 40 - spent - 1e-3);
    ck_assert_double_eq(budget_of(&n, 40), budget_of(&n, 0));
    ck_assert_double_eq(budget_of(&n, 7), 7);
    ck_assert_double_eq(budget_of(&n, 300), 300);
    close_net(&n);
}
END_TEST

static void measure_one(struct early *e, double seconds)
{
    note(e, &e->net.tasks[e->task].start, seconds);
}

static size_t count_lines(struct early *e, const char *name)
{
    struct ncl_text lines = {0};
    size_t count = 0;

    ck_assert(ncl_store_journal_read(e->n.store, name, &lines));
    for (const char *at = lines.data; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    ncl_text_free(&lines);
    return count;
}

/* Two tuners of one network at a time, in two processes or one. */
START_TEST(runs_do_not_share_a_journal)
{
    struct early first, second, third;
    char name[1024];
    size_t lines;

    open_early(&first);
    measure_one(&first, 1e-3);
    lines = count_lines(&first, first.net.name);
    open_early(&second);
    ck_assert_str_ne(first.net.name, second.net.name);
    measure_one(&second, 2e-3);
    measure_one(&second, 2e-3);
    ck_assert_uint_eq(count_lines(&first, first.net.name), lines);
    ck_assert_uint_eq(count_lines(&first, second.net.name), lines + 1);
    ncl_tune_end_journal(&second.net);
    ck_assert_uint_eq(count_lines(&first, first.net.name), lines);
    snprintf(name, sizeof name, "%s", first.net.name);
    close_early(&first); /* interrupted: its journal stays, its name is free */
    open_early(&third);
    ck_assert_str_eq(third.net.name, name);
    close_early(&third);
    close_early(&second);
}
END_TEST

/* Such as one that another release's tuner cleared while this one's was running. */
START_TEST(a_journal_without_its_beginning_is_none)
{
    size_t trials = 6;
    struct net n;
    struct early e;
    const char *lines[1] = {"n\t0\tgood\t0\t0\t0\t1\t0\t\t\t"};
    json_t *report;

    open_early(&e);
    ncl_store_journal_clear(e.n.store, e.net.name);
    ck_assert(ncl_store_journal_add(e.n.store, e.net.name, lines, 1));
    close_early(&e);
    open_net(&n);
    report = tune(
        &n,
        (ncl_tune_options){
            .budget_seconds = 40, .resume = 1, .progress = cancel_after_trials, .user = &trials},
        NCL_ERROR_CANCELLED);
    ck_assert(!flag_of(report, "resumed"));
    json_decref(report);
    close_net(&n);
}
END_TEST

/* As long as OpenCL lets them be. */
static void lengthen(char *text, size_t bytes)
{
    memset(text, 'x', bytes - 1);
    text[bytes - 1] = '\0';
}

START_TEST(long_names_of_devices_have_journals)
{
    size_t trials = 6;
    ncl_tune_options options = {
        .budget_seconds = 40, .progress = cancel_after_trials, .user = &trials};
    struct net n;
    struct ncl_caps *caps;

    open_net(&n);
    caps = &n.f.device.caps;
    lengthen(caps->platform, sizeof caps->platform);
    lengthen(caps->name, sizeof caps->name);
    lengthen(caps->driver, sizeof caps->driver);
    json_decref(tune(&n, options, NCL_ERROR_CANCELLED));
    ck_assert_double_gt(budget_of(&n, 0), 1);
    close_net(&n);
}
END_TEST

/* ---- what took the machine along ---- */

/* Another tuner, after that boot of the machine: does it try the point? If so it ends there. */
static bool tries(struct early *e, const char *boot)
{
    const struct ncl_trial trial = {.task = e->task, .point = e->points[0]};

    strcpy(e->t.boot, boot);
    e->net.known_count = 0;
    e->net.recalled_starts = 0;
    MUST(ncl_tune_recall(&e->net));
    ck_assert(!e->t.options.resume || e->net.recalled_starts == e->net.count);
    if (ncl_tune_is_dead(&e->net, e->task, &trial.point))
        return false;
    ncl_tune_record_started(&e->net, &trial, 1);
    return true;
}

static void check_boots(bool resume)
{
    static const char *const command[] = {"worker", NULL};
    struct early e;

    open_early(&e);
    e.t.options.worker = command;
    e.t.options.resume = resume;
    e.t.worker = (struct ncl_worker *)&e; /* there is one: nobody looks inside */
    for (int i = 0; i < 3; i++)
        ck_assert(tries(&e, "first")); /* it was the tuner that was killed */
    for (int i = 0; i < 3; i++)
        ck_assert(tries(&e, "second"));
    ck_assert(!tries(&e, "third"));
    ck_assert(!tries(&e, "fourth"));
    ck_assert(tries(&e, "second"));
    MUST(ncl_tune_begin(&e.net));
    note(&e, &e.points[0], 1e-3);
    ck_assert(tries(&e, "fifth"));
    ck_assert_int_eq(count_good(&e.n), 1);
    e.t.worker = NULL;
    close_early(&e);
}

START_TEST(what_ends_two_boots_is_not_tried_again)
{
    check_boots(false);
}
END_TEST

START_TEST(nor_by_a_resumed_run)
{
    check_boots(true);
}
END_TEST

/* In this process it is the candidate that is to blame at once, whether resumed or not. */
START_TEST(without_a_worker_once_is_enough)
{
    struct early e;

    for (int resume = 0; resume < 2; resume++) {
        open_early(&e);
        e.t.options.resume = resume;
        ck_assert(tries(&e, "first") == (resume == 0));
        ck_assert(!tries(&e, "first"));
        close_early(&e);
    }
}
END_TEST

/* A first result waits for the best that others found: the start, as often as not. */
START_TEST(the_first_seed_is_the_best_of_the_portfolio)
{
    struct ncl_search_note dead = {.verdict = NCL_VERDICT_WRONG, .why = ""};
    struct ncl_point seeds[2];
    struct ncl_task *task;
    struct early e;

    open_early(&e);
    task = &e.net.tasks[e.task];
    task->seeds = seeds;
    task->seed_count = 0;
    ck_assert_ptr_null(ncl_tune_first_seed(&e.net, e.task));
    task->seed_count = 2;
    seeds[0] = e.points[0], seeds[1] = task->start;
    ck_assert_ptr_eq(ncl_tune_first_seed(&e.net, e.task), &seeds[0]);
    seeds[0] = task->start, seeds[1] = e.points[0];
    ck_assert_ptr_null(ncl_tune_first_seed(&e.net, e.task));
    seeds[0] = e.points[0], seeds[1] = e.points[1];
    dead.task = e.task;
    dead.point = seeds[0];
    MUST(ncl_tune_avoid(&e.net, &dead));
    ck_assert_ptr_eq(ncl_tune_first_seed(&e.net, e.task), &seeds[1]);
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune_store");

    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_resumed_run_has_a_budget);
    tcase_add_test(tests, runs_do_not_share_a_journal);
    tcase_add_test(tests, a_journal_without_its_beginning_is_none);
    tcase_add_test(tests, long_names_of_devices_have_journals);
    tcase_add_test(tests, what_ends_two_boots_is_not_tried_again);
    tcase_add_test(tests, nor_by_a_resumed_run);
    tcase_add_test(tests, without_a_worker_once_is_enough);
    tcase_add_test(tests, the_first_seed_is_the_best_of_the_portfolio);
    return ncl_run_suite(tests, "session/tune_store");
}

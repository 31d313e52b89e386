/* A store that is locked while a run is under way, as by a large import: nothing is lost. */
#include "session/tuned.h"

#include "support/suite.h"

#include <sqlite3.h>

static sqlite3 *other; /* another program's connection */

static void lock_store(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/nextcl.db", place);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void unlock_store(void)
{
    ck_assert_int_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
}

/* Notes in the run's journal. */
static int count_notes(struct early *e)
{
    struct ncl_text lines = {0};
    int count = 0;

    ck_assert(ncl_store_journal_read(e->n.store, e->net.name, &lines));
    for (const char *at = lines.data; (at = strstr(at, "\nn\t")) != NULL; at++)
        count++;
    ncl_text_free(&lines);
    return count;
}

static void note_all(struct early *e)
{
    note(e, &e->net.tasks[e->task].start, 1e-3);
    note(e, &e->points[0], 0.5e-3);
    note(e, &e->points[1], 0.8e-3);
}

static void check_all(struct early *e)
{
    ck_assert_int_eq(count_good(&e->n), 3);
    ck_assert_int_eq(count_notes(e), 3);
    ck_assert_int_eq(e->net.unkept, 0);
}

START_TEST(nothing_is_lost_to_a_lock)
{
    struct early e;

    open_early(&e);
    lock_store();
    note_all(&e);
    ck_assert_int_eq(count_good(&e.n), 0);
    unlock_store();
    e.net.searched = true;
    e.net.results[e.task] = (struct ncl_search_task){
        .best = e.points[0], .start_seconds = 1e-3, .best_seconds = 0.5e-3, .decided = true};
    ncl_tune_choose(&e.net, false);
    check_all(&e);
    check_chosen(&e, &e.points[0]);
    close_early(&e);
}
END_TEST

/* What was late comes first: a later record of a point replaces an earlier one. */
START_TEST(what_was_late_comes_before_what_is_next)
{
    struct early e;

    open_early(&e);
    lock_store();
    note(&e, &e.points[0], 0.5e-3);
    unlock_store();
    e.net.late.tried = 0; /* the pause between two tries is over */
    e.net.results[e.task].best = e.points[0];
    ncl_tune_tombstone(&e.net, e.task, "wrong inside the network");
    note(&e, &e.points[1], 0.8e-3);
    ck_assert_int_eq(count_good(&e.n), 1);
    ck_assert_int_eq(count_notes(&e), 2);
    close_early(&e);
}
END_TEST

START_TEST(a_journal_may_begin_late)
{
    struct early e;

    open_early(&e);
    note(&e, &e.points[1], 0.8e-3); /* of a run before this one */
    e.net.event_count = 0;
    lock_store();
    MUST(ncl_tune_begin(&e.net));
    note_all(&e);
    unlock_store();
    ncl_tune_forget_started(&e.net);
    check_all(&e);
    close_early(&e);
}
END_TEST

START_TEST(what_is_lost_in_the_end_is_counted)
{
    struct early e;

    open_early(&e);
    lock_store();
    note_all(&e);
    e.net.late.waited = 1e6; /* it has waited long enough */
    ncl_tune_forget_started(&e.net);
    unlock_store();
    ck_assert_int_eq(e.net.unkept, 3);
    ck_assert_int_eq(count_good(&e.n), 0);
    note(&e, &e.points[0], 0.5e-3);
    ck_assert_int_eq(count_good(&e.n), 1);
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune_late");

    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, nothing_is_lost_to_a_lock);
    tcase_add_test(tests, what_was_late_comes_before_what_is_next);
    tcase_add_test(tests, a_journal_may_begin_late);
    tcase_add_test(tests, what_is_lost_in_the_end_is_counted);
    return ncl_run_suite(tests, "session/tune_late");
}

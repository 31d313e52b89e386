/* What sessions get from a run of the tuner, while it is under way and when it ends. */
#include "session/tuned.h"

#include "support/suite.h"

/* A run that is killed leaves the best that it had found, if that was beyond doubt. */
START_TEST(the_best_so_far_is_chosen_at_once)
{
    struct early e;

    open_early(&e);
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    check_chosen(&e, NULL);
    note(&e, &e.points[0], 0.95e-3); /* one of many may be as lucky */
    check_chosen(&e, NULL);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[1]);
    note(&e, &e.points[0], 0.85e-3);
    check_chosen(&e, &e.points[1]);
    close_early(&e);
}
END_TEST

START_TEST(a_seed_needs_less_to_be_chosen)
{
    struct early e;

    open_early(&e);
    e.net.tasks[e.task].seeds = e.points;
    e.net.tasks[e.task].seed_count = 1;
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[0], 0.95e-3);
    check_chosen(&e, &e.points[0]);
    close_early(&e);
}
END_TEST

/* What an earlier run chose stays until a run comes to its end, or has measured it and found
 * better. */
START_TEST(earlier_choices_outlive_a_run_that_ends_early)
{
    struct early e;

    open_early(&e);
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[0], 0.5e-3);
    check_chosen(&e, &e.points[0]);
    e.net.event_count = 0; /* another run */
    e.net.searched = true;
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[0]);
    ncl_tune_choose(&e.net, false);
    check_chosen(&e, &e.points[0]);
    note(&e, &e.points[0], 0.9e-3);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[1]);
    ncl_tune_choose(&e.net, true); /* whose finals found nothing */
    check_chosen(&e, &e.net.layers[e.task].standard);
    close_early(&e);
}
END_TEST

/* Where nobody has found anything, the standard points are the best that is known; else the most
 * promising ones must have been measured where most of the time lies. */
START_TEST(useful_when_the_best_that_is_known_was_measured)
{
    struct early e;

    open_early(&e);
    ck_assert(ncl_tune_is_useful(&e.net)); /* by work */
    e.net.measured_at = 3;
    e.net.layers[e.task].inside[0] = 1e-3;
    ncl_tune_note_useful(&e.net);
    ck_assert_double_eq(e.net.useful_seconds, 3);
    e.net.tasks[e.task].seeds = e.points;
    e.net.tasks[e.task].seed_count = 1;
    ck_assert(!ncl_tune_is_useful(&e.net));
    e.net.layers[e.task].seed_at = 2;
    ncl_tune_note_useful(&e.net);
    ck_assert_double_eq(e.net.useful_seconds, 2);
    e.net.layers[e.task].seed_at = 0;
    e.net.layers[e.task ? 0 : 1].inside[0] = 1; /* next to that, its seed is of no weight */
    ncl_tune_note_useful(&e.net);
    ck_assert_double_eq(e.net.useful_seconds, 3);
    close_early(&e);
}
END_TEST

static void finish_with(struct early *e, const struct ncl_point *best, double start, double seconds)
{
    struct ncl_search_task *r = &e->net.results[e->task];

    *r = (struct ncl_search_task){
        .best = *best, .start_seconds = start, .best_seconds = seconds, .decided = seconds < start};
    ncl_tune_stand_by_choices(&e->net);
    ncl_tune_choose(&e->net, true);
}

/* A run that came to its end without having looked at an earlier one's choice. */
START_TEST(a_short_run_does_not_undo_a_long_one)
{
    const struct ncl_point *standard;
    struct early e;

    open_early(&e);
    standard = &e.net.layers[e.task].standard;
    note(&e, standard, 1e-3);
    note(&e, &e.points[0], 0.5e-3);
    check_chosen(&e, &e.points[0]);
    e.net.event_count = 0; /* another run */
    e.net.searched = true;
    finish_with(&e, standard, 0, 0); /* which did not come to this problem */
    check_chosen(&e, &e.points[0]);
    note(&e, standard, 1e-3);
    finish_with(&e, standard, 1e-3, 1e-3); /* or found nothing */
    check_chosen(&e, &e.points[0]);
    ck_assert(ncl_tune_wins(&e.net, e.task)); /* and so it is judged in the network */
    note(&e, &e.points[1], 0.8e-3);
    finish_with(&e, &e.points[1], 1e-3, 0.8e-3); /* or less */
    check_chosen(&e, &e.points[0]);
    note(&e, &e.points[1], 0.4e-3);
    finish_with(&e, &e.points[1], 1e-3, 0.4e-3);
    check_chosen(&e, &e.points[1]);
    close_early(&e);
}
END_TEST

/* As by `db clear` while a run is under way. */
START_TEST(winners_outlive_a_store_that_is_cleared)
{
    const struct ncl_record_filter all = {.platform = NULL};
    struct early e;

    open_early(&e);
    note(&e, &e.net.layers[e.task].standard, 1e-3);
    note(&e, &e.points[0], 0.5e-3);
    e.net.searched = true;
    ck_assert(ncl_records_delete(e.n.store, &all, NULL));
    finish_with(&e, &e.points[0], 1e-3, 0.5e-3);
    check_chosen(&e, &e.points[0]);
    ck_assert(e.net.layers[e.task].kept);
    ck_assert_int_eq(e.net.unkept, 0);
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune_records");

    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_best_so_far_is_chosen_at_once);
    tcase_add_test(tests, a_seed_needs_less_to_be_chosen);
    tcase_add_test(tests, earlier_choices_outlive_a_run_that_ends_early);
    tcase_add_test(tests, a_short_run_does_not_undo_a_long_one);
    tcase_add_test(tests, winners_outlive_a_store_that_is_cleared);
    tcase_add_test(tests, useful_when_the_best_that_is_known_was_measured);
    return ncl_run_suite(tests, "session/tune_records");
}

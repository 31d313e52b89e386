/* The search as a whole, on synthetic landscapes. */
#include "search/search.h"

#include "search/spaces.h"
#include "support/suite.h"

#include <limits.h>
#include <string.h>

static struct harness h, other;

static void must_run(struct harness *harness)
{
    ck_assert_int_eq(harness_run(harness), NCL_OK);
}

/* No result is a point that fails, or slower than the start. */
static void check_winners(const struct harness *harness)
{
    for (int t = 0; t < HARNESS_TASKS; t++) {
        const struct ncl_search_task *result = &harness->results[t];
        const double start = harness->landscape(t, &harness->tasks[t].start);
        const double best = harness->landscape(t, &result->best);

        ck_assert(!harness_fails(harness, t, &result->best));
        ck_assert_double_le(best, start);
        ck_assert_int_eq(result->decided,
                         !ncl_point_equal(&result->best, &harness->tasks[t].start));
    }
}

/* The network as a whole: where little is to be had, little is looked for. */
static void check_near_optimum(const struct harness *harness, double within)
{
    double best = 0, optimum = 0;

    check_winners(harness);
    for (int t = 0; t < HARNESS_TASKS; t++) {
        best += harness->tasks[t].uses * harness->landscape(t, &harness->results[t].best);
        optimum += harness->tasks[t].uses * harness_optimum(harness, t);
        ck_assert(harness->results[t].decided);
    }
    ck_assert_msg(best <= within * optimum, "seed %d: %g of %g", (int)harness->search.seed, best,
                  optimum);
}

/* Some 150 evaluations. */
#define TUNED_SECONDS 40

/* On every landscape and for many seeds; `within` of the optimum. */
static void try_landscape(double (*landscape)(int task, const struct ncl_point *point),
                          double invalid, double within)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        harness_open(&h, TUNED_SECONDS);
        h.landscape = landscape;
        h.invalid = invalid;
        h.search.seed = seed;
        must_run(&h);
        check_near_optimum(&h, within);
    }
}

START_TEST(one_valley)
{
    try_landscape(spaces_separable, 0, 1.05);
}
END_TEST

START_TEST(rugged)
{
    try_landscape(spaces_rugged, 0, 1.05);
}
END_TEST

START_TEST(plateaus)
{
    try_landscape(spaces_plateau, 0, 1.05);
}
END_TEST

START_TEST(a_third_of_the_points_fails)
{
    try_landscape(spaces_separable, 0.3, 1.05);
    ck_assert_int_gt(h.results[0].tried[NCL_VERDICT_WRONG], 0);
}
END_TEST

static bool same_trace(const struct harness *a, const struct harness *b)
{
    if (a->note_count != b->note_count)
        return false;
    for (int i = 0; i < a->note_count; i++)
        if (!harness_same_note(&a->notes[i], &b->notes[i]) ||
            a->notes[i].seconds != b->notes[i].seconds || a->notes[i].cost != b->notes[i].cost)
            return false;
    return true;
}

START_TEST(same_seed_same_trace)
{
    harness_open(&h, 20);
    harness_open(&other, 20);
    h.fake.noise = other.fake.noise = 0.1;
    must_run(&h);
    must_run(&other);
    ck_assert_int_gt(h.note_count, 30);
    ck_assert(same_trace(&h, &other));
    harness_open(&other, 20);
    other.fake.noise = 0.1;
    other.search.seed = 2;
    must_run(&other);
    ck_assert(!same_trace(&h, &other));
}
END_TEST

START_TEST(no_point_is_tried_twice)
{
    harness_open(&h, 120);
    must_run(&h);
    ck_assert_int_eq(h.started, h.note_count);
    for (int i = 0; i < h.note_count; i++)
        for (int j = 0; j < i; j++)
            ck_assert(h.notes[i].task != h.notes[j].task ||
                      !ncl_point_equal(&h.notes[i].point, &h.notes[j].point));
}
END_TEST

/* Killed after `kept` notes: what it goes on with ends as if nothing had happened. */
static void resume_after(const struct harness *whole, int kept)
{
    harness_open(&other, whole->search.budget);
    other.landscape = whole->landscape;
    other.invalid = whole->invalid;
    other.even = whole->even;
    other.search.resumed = whole->notes;
    other.search.resumed_count = kept;
    must_run(&other);
    ck_assert_int_eq(other.note_count, whole->note_count - kept);
    for (int i = 0; i < other.note_count; i++)
        ck_assert_msg(harness_same_note(&other.notes[i], &whole->notes[kept + i]),
                      "resumed after %d, note %d", kept, i);
    for (int t = 0; t < HARNESS_TASKS; t++) {
        ck_assert(ncl_point_equal(&other.results[t].best, &whole->results[t].best));
        ck_assert(ncl_point_equal(&other.results[t].runner_up, &whole->results[t].runner_up));
        ck_assert_int_eq(other.results[t].decided, whole->results[t].decided);
    }
}

START_TEST(resumed_at_every_record)
{
    harness_open(&h, 20);
    h.landscape = spaces_rugged;
    h.invalid = 0.2;
    h.even = true; /* a batch's costs are shared: what is left of one must cost as much each */
    must_run(&h);
    ck_assert_int_gt(h.note_count, 30);
    for (int kept = 0; kept <= h.note_count; kept++)
        resume_after(&h, kept);
}
END_TEST

/* Each evaluation costs up to 0.3 s and its timing, a failing one `hang`. */
static void check_overrun(double budget, double hang, uint64_t seed)
{
    double costliest = 0;

    harness_open(&h, budget);
    h.invalid = hang > 0 ? 0.3 : 0;
    h.failure = NCL_VERDICT_TIMEOUT;
    h.hang = hang;
    h.search.seed = seed;
    must_run(&h);
    for (int i = 0; i < h.note_count; i++)
        costliest = fmax(costliest, h.notes[i].cost);
    ck_assert_msg(h.fake.now <= budget + costliest, "budget %g, hang %g, seed %d: %g s", budget,
                  hang, (int)seed, h.fake.now);
    if (hang <= 0)
        ck_assert_double_ge(h.fake.now, budget - 2 * costliest);
    check_winners(&h);
}

START_TEST(budget_is_overrun_by_one_evaluation_at_most)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        check_overrun(0.1, 0, seed);
        check_overrun(3, 0, seed);
        check_overrun(20, 0, seed);
        check_overrun(60, 0, seed);
        check_overrun(60, 5, seed);
    }
}
END_TEST

START_TEST(without_budget_until_exhausted)
{
    int points = 0;

    harness_open(&h, 0);
    h.search.task_count = 1;
    must_run(&h);
    for (int i = 0; i < SPACES_COMBINATIONS; i++) {
        struct ncl_point point;

        points += spaces_point(&h.tasks[0], i, &point);
    }
    ck_assert(h.results[0].exhausted);
    ck_assert_int_eq(h.note_count, points);
    ck_assert_double_eq(h.landscape(0, &h.results[0].best), harness_optimum(&h, 0));
}
END_TEST

START_TEST(seeds_first)
{
    struct ncl_point seeds[2];

    harness_open(&h, 60);
    seeds[0] = seeds[1] = h.tasks[0].start;
    seeds[0].v[0] = 8;
    seeds[1].v[0] = 6;
    h.tasks[0].seeds = seeds;
    h.tasks[0].seed_count = 2;
    h.search.seeds_only = true;
    must_run(&h);
    ck_assert_int_eq(h.note_count, HARNESS_TASKS + 2);
    ck_assert(ncl_point_equal(&h.notes[HARNESS_TASKS].point, &seeds[0]));
    ck_assert(ncl_point_equal(&h.notes[HARNESS_TASKS + 1].point, &seeds[1]));
    ck_assert(ncl_point_equal(&h.results[0].best, &seeds[0]));
}
END_TEST

static int enough_after;

static int is_enough(void *user)
{
    const struct harness *harness = user;

    return harness->note_count >= enough_after;
}

/* Where of all but a problem of little work nothing is known by others, a first look goes from the
 * starts to what is known, else to where there is most to gain. */
START_TEST(a_first_look_takes_seeds_first)
{
    struct ncl_point seed;

    for (int first = 0; first < 2; first++) {
        harness_open(&h, 60);
        seed = h.tasks[1].start;
        seed.v[0] = 8;
        h.tasks[1].seeds = &seed;
        h.tasks[1].seed_count = 1;
        h.tasks[0].uses = h.tasks[2].uses = 1000;
        h.search.enough = first ? is_enough : NULL;
        enough_after = INT_MAX;
        must_run(&h);
        ck_assert_int_eq(h.notes[HARNESS_TASKS].task == 1, first);
        ck_assert(!first || ncl_point_equal(&h.notes[HARNESS_TASKS].point, &seed));
    }
}
END_TEST

/* What an evaluation costs is not known yet: the budget may be less than that. */
START_TEST(a_first_look_begins_with_one)
{
    harness_open(&h, 0.1);
    h.search.enough = is_enough;
    enough_after = INT_MAX;
    must_run(&h);
    ck_assert_int_eq(h.note_count, 1);
}
END_TEST

/* A first look, then the rest: what was looked at is not looked at again. */
START_TEST(enough_for_now)
{
    static struct ncl_search_note first[HARNESS_NOTES];
    int count, timed;

    harness_open(&h, 60);
    h.search.enough = is_enough;
    enough_after = 9;
    must_run(&h);
    count = h.note_count;
    ck_assert(count >= enough_after && count < enough_after + 4);
    timed = h.fake.timed;
    memcpy(first, h.notes, (size_t)count * sizeof *first);
    ck_assert_int_eq(h.fake.live_count, 0);
    harness_open(&other, 60);
    other.search.resumed = first;
    other.search.resumed_count = count;
    must_run(&other);
    ck_assert_int_gt(other.note_count, 0);
    for (int i = 0; i < other.note_count; i++)
        for (int k = 0; k < count; k++)
            ck_assert(other.notes[i].task != first[k].task ||
                      !ncl_point_equal(&other.notes[i].point, &first[k].point));
    /* At once: nothing is measured, and the starts stand. */
    harness_open(&h, 60);
    h.search.enough = is_enough;
    enough_after = 0;
    must_run(&h);
    ck_assert_int_eq(h.fake.timed, 0);
    ck_assert_int_gt(timed, 0);
    for (int t = 0; t < HARNESS_TASKS; t++)
        ck_assert(ncl_point_equal(&h.results[t].best, &h.tasks[t].start));
}
END_TEST

START_TEST(fixed_sample)
{
    harness_open(&h, 0);
    h.search.trials_per_task = 40;
    must_run(&h);
    ck_assert_int_eq(h.note_count, HARNESS_TASKS * 41);
    harness_open(&other, 0);
    other.search.trials_per_task = 40;
    other.landscape = spaces_rugged; /* what is found does not change what is tried */
    must_run(&other);
    ck_assert_int_eq(other.note_count, h.note_count);
    for (int i = 0; i < h.note_count; i++)
        ck_assert(harness_same_note(&h.notes[i], &other.notes[i]));
}
END_TEST

START_TEST(most_time_goes_where_most_is_to_be_had)
{
    int counts[HARNESS_TASKS] = {0};

    harness_open(&h, 30);
    h.tasks[2].uses = 50;
    must_run(&h);
    for (int i = 0; i < h.note_count; i++)
        counts[h.notes[i].task]++;
    ck_assert_int_gt(counts[2], counts[0] + counts[1]);
}
END_TEST

START_TEST(cancelled_with_what_there_is)
{
    harness_open(&h, 60);
    h.stop_after = 40;
    ck_assert_int_eq(harness_run(&h), NCL_ERROR_CANCELLED);
    ck_assert_int_eq(h.note_count, 40);
    ck_assert_int_eq(h.fake.live_count, 0);
    check_winners(&h);
    ck_assert(h.results[0].decided || h.results[1].decided || h.results[2].decided);
}
END_TEST

START_TEST(an_evaluator_that_gives_up_ends_it)
{
    harness_open(&h, 60);
    h.fake.status = NCL_ERROR_MEMORY;
    h.fake.prepares_left = 5;
    ck_assert_int_eq(harness_run(&h), NCL_ERROR_MEMORY);
    ck_assert_int_gt(h.note_count, 2);
    check_winners(&h);
}
END_TEST

START_TEST(progress_tells_how_far)
{
    double start = 0, best = 0;

    harness_open(&h, 30);
    must_run(&h);
    for (int t = 0; t < HARNESS_TASKS; t++) {
        start += h.tasks[t].uses * h.results[t].start_seconds;
        best += h.tasks[t].uses * h.results[t].best_seconds;
    }
    ck_assert_int_eq(h.progressed, h.note_count);
    ck_assert_int_eq(h.last.trials, h.note_count);
    ck_assert_int_eq(h.last.rejected, 0);
    ck_assert_double_eq_tol(h.last.start_seconds, start, 1e-9);
    ck_assert_double_eq_tol(h.last.best_seconds, best, 1e-9);
    ck_assert_double_eq(h.last.budget, 30);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("search");

    tcase_add_test(tests, one_valley);
    tcase_add_test(tests, rugged);
    tcase_add_test(tests, plateaus);
    tcase_add_test(tests, a_third_of_the_points_fails);
    tcase_add_test(tests, same_seed_same_trace);
    tcase_add_test(tests, no_point_is_tried_twice);
    tcase_add_test(tests, resumed_at_every_record);
    tcase_add_test(tests, budget_is_overrun_by_one_evaluation_at_most);
    tcase_add_test(tests, without_budget_until_exhausted);
    tcase_add_test(tests, seeds_first);
    tcase_add_test(tests, a_first_look_takes_seeds_first);
    tcase_add_test(tests, a_first_look_begins_with_one);
    tcase_add_test(tests, enough_for_now);
    tcase_add_test(tests, fixed_sample);
    tcase_add_test(tests, most_time_goes_where_most_is_to_be_had);
    tcase_add_test(tests, cancelled_with_what_there_is);
    tcase_add_test(tests, an_evaluator_that_gives_up_ends_it);
    tcase_add_test(tests, progress_tells_how_far);
    return ncl_run_suite(tests, "search");
}

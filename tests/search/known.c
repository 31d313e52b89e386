/* What earlier searches measured, and what they buried. */
#include "search/spaces.h"
#include "support/suite.h"

#include <stdlib.h>

static struct harness h, other;

static void must_run(struct harness *harness)
{
    ck_assert_int_eq(harness_run(harness), NCL_OK);
}

START_TEST(known_points)
{
    struct ncl_search_note known[8] = {{0}};
    int tried = 0;

    harness_open(&h, 60);
    for (int i = 0; i < 8; i++) {
        known[i].point = h.tasks[1].start;
        known[i].task = 1;
        known[i].verdict = i < 2 ? NCL_VERDICT_CRASHED : NCL_VERDICT_GOOD;
        known[i].point.v[0] = spaces_tunables[0].values[i];
    }
    known[0].point.v[2] = 16;
    must_run(&h);
    for (int i = 0; i < h.note_count; i++)
        for (int k = 0; k < 2; k++)
            tried += h.notes[i].task == 1 && ncl_point_equal(&h.notes[i].point, &known[k].point);
    ck_assert_int_gt(tried, 0); /* or the next search would show nothing */
    harness_open(&other, 60);
    other.search.known = known;
    other.search.known_count = 8;
    must_run(&other);
    for (int i = 0; i < other.note_count; i++)
        for (int k = 0; k < 2; k++)
            ck_assert(other.notes[i].task != 1 ||
                      !ncl_point_equal(&other.notes[i].point, &known[k].point));
    /* The best after the start, the others never. */
    tried = 0;
    for (int i = 0; i < other.note_count; i++)
        if (other.notes[i].task == 1) {
            tried++;
            ck_assert(tried != 2 || ncl_point_equal(&other.notes[i].point, &known[2].point));
            for (int k = 3; k < 8; k++)
                ck_assert(!ncl_point_equal(&other.notes[i].point, &known[k].point));
        }
    ck_assert_int_gt(tried, 5);
}
END_TEST

/* A first look waits for what others found first, known or not. */
START_TEST(the_first_seed_is_timed_again)
{
    struct ncl_search_note known[3] = {{0}};
    struct ncl_point seeds[2];
    int timed[3] = {0};

    harness_open(&h, 60);
    for (int i = 0; i < 3; i++) {
        known[i].point = h.tasks[1].start;
        known[i].task = 1;
        known[i].point.v[0] = spaces_tunables[0].values[1 + i];
    }
    seeds[0] = h.tasks[1].start;
    seeds[1] = known[2].point;
    h.tasks[1].seeds = seeds;
    h.tasks[1].seed_count = 2;
    h.search.known = known;
    h.search.known_count = 3;
    must_run(&h);
    for (int i = 0; i < h.note_count; i++)
        for (int k = 0; k < 3; k++)
            timed[k] += h.notes[i].task == 1 && ncl_point_equal(&h.notes[i].point, &known[k].point);
    ck_assert_int_eq(timed[0], 1);
    ck_assert_int_eq(timed[1], 0);
    ck_assert_int_eq(timed[2], 1);
}
END_TEST

/* A start that failed once is what sessions run all the same: it is the first to be timed. */
START_TEST(a_known_start_is_timed_again)
{
    struct ncl_search_note known = {.verdict = NCL_VERDICT_GOOD, .seconds = 1e-3};

    for (int i = 0; i < NCL_VERDICT_COUNT; i++) {
        int first = 0;

        harness_open(&h, 60);
        known.point = h.tasks[1].start;
        known.task = 1;
        known.verdict = (enum ncl_verdict)i;
        h.search.known = &known;
        h.search.known_count = 1;
        must_run(&h);
        while (h.notes[first].task != 1)
            ck_assert_int_lt(++first, h.note_count);
        ck_assert(ncl_point_equal(&h.notes[first].point, &h.tasks[1].start));
        ck_assert(h.results[1].decided);
        ck_assert_double_le(h.landscape(1, &h.results[1].best), 1.05 * harness_optimum(&h, 1));
    }
}
END_TEST

static bool is_known(const struct ncl_search_note *known, int count, int task,
                     const struct ncl_point *point)
{
    for (int i = 0; i < count; i++)
        if (known[i].task == task && ncl_point_equal(&known[i].point, point))
            return true;
    return false;
}

static int faster_first(const void *a, const void *b)
{
    const double x = ((const struct ncl_search_note *)a)->seconds;
    const double y = ((const struct ncl_search_note *)b)->seconds;

    return (x > y) - (x < y);
}

/* Five evaluations at a time, three of which could be starts: each run still measures something
 * new, until all is well. */
START_TEST(many_short_searches_get_somewhere)
{
    static struct ncl_search_note known[HARNESS_NOTES];
    int count = 0;

    for (int run = 0; run < 8; run++) {
        int fresh = 0;

        harness_open(&h, 1.5);
        h.even = true;
        h.search.known = known;
        h.search.known_count = count;
        must_run(&h);
        for (int i = 0; i < h.note_count; i++)
            if (!is_known(known, count, h.notes[i].task, &h.notes[i].point)) {
                known[count++] = h.notes[i];
                fresh++;
            }
        ck_assert_int_ge(h.note_count, 4);
        ck_assert_int_ge(fresh, 1);
        qsort(known, (size_t)count, sizeof *known, faster_first);
    }
    ck_assert_int_ge(count, HARNESS_TASKS + 8);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("known");

    tcase_add_test(tests, known_points);
    tcase_add_test(tests, the_first_seed_is_timed_again);
    tcase_add_test(tests, a_known_start_is_timed_again);
    tcase_add_test(tests, many_short_searches_get_somewhere);
    return ncl_run_suite(tests, "search/known");
}

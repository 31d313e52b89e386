/* Points that are wrong, crash, hang or cannot be timed: never winners, and never in the way. */
#include "search/spaces.h"
#include "support/suite.h"

static struct harness h;

/* Half of all points fail, among them tempting ones: a wrong answer is quickly had. */
static double tempting(int task, const struct ncl_point *point)
{
    return spaces_rugged(task, point) * (harness_fails(&h, task, point) ? 0.1 : 1);
}

static void check_faults(enum ncl_verdict failure, bool late, double hang)
{
    int failed = 0;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        harness_open(&h, 60);
        h.landscape = tempting;
        h.invalid = 0.5;
        h.failure = failure;
        h.late = late;
        h.hang = hang;
        h.search.seed = seed;
        ck_assert_int_eq(harness_run(&h), NCL_OK);
        ck_assert_int_eq(h.fake.live_count, 0);
        for (int t = 0; t < HARNESS_TASKS; t++) {
            const struct ncl_search_task *result = &h.results[t];

            ck_assert(!harness_fails(&h, t, &result->best));
            ck_assert(!result->runner_up.algo || !harness_fails(&h, t, &result->runner_up));
            ck_assert_double_le(h.landscape(t, &result->best), h.landscape(t, &h.tasks[t].start));
            failed += result->tried[failure];
        }
        for (int i = 0; i < h.note_count; i++)
            ck_assert_int_eq(
                h.notes[i].verdict,
                harness_fails(&h, h.notes[i].task, &h.notes[i].point) ? failure : NCL_VERDICT_GOOD);
    }
    ck_assert_int_gt(failed, 50);
}

START_TEST(wrong)
{
    check_faults(NCL_VERDICT_WRONG, false, 0);
}
END_TEST

START_TEST(crashed)
{
    check_faults(NCL_VERDICT_CRASHED, false, 1);
}
END_TEST

START_TEST(crashed_while_timed)
{
    check_faults(NCL_VERDICT_CRASHED, true, 1);
}
END_TEST

START_TEST(hung)
{
    check_faults(NCL_VERDICT_TIMEOUT, false, 2);
}
END_TEST

/* Its clock says nothing sensible of anything: nothing is decided, everything stays as it was. */
START_TEST(no_times_at_all)
{
    harness_open(&h, 10);
    h.fake.events = h.fake.clock = 0;
    ck_assert_int_eq(harness_run(&h), NCL_OK);
    for (int t = 0; t < HARNESS_TASKS; t++) {
        ck_assert(ncl_point_equal(&h.results[t].best, &h.tasks[t].start));
        ck_assert(!h.results[t].decided);
        ck_assert_int_gt(h.results[t].tried[NCL_VERDICT_TIME], 0);
        ck_assert_int_eq(h.results[t].tried[NCL_VERDICT_GOOD], 0);
    }
}
END_TEST

/* All points are alike: noise must not choose. */
static double alike(int task, const struct ncl_point *point)
{
    (void)point;
    return 1e-3 * (1 + task);
}

static void check_noise_wins_nothing(double noise)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        harness_open(&h, 20);
        h.landscape = alike;
        h.fake.noise = noise;
        h.fake.outliers = 0.02;
        h.fake.seed = seed;
        h.search.seed = seed;
        ck_assert_int_eq(harness_run(&h), NCL_OK);
        for (int t = 0; t < HARNESS_TASKS; t++)
            ck_assert_msg(!h.results[t].decided, "seed %d, problem %d", (int)seed, t);
    }
}

START_TEST(noise_wins_nothing)
{
    check_noise_wins_nothing(0.05);
}
END_TEST

START_TEST(much_noise_wins_nothing)
{
    check_noise_wins_nothing(0.2);
}
END_TEST

/* As others' winners may be: as fast as the start, each of them. */
#define EQUALS 8
static struct ncl_point equals[HARNESS_TASKS][EQUALS];
static double found[HARNESS_TASKS]; /* seconds of the start; 0: chosen already */
static int chosen;

static void note_early(void *user, const struct ncl_search_note *note)
{
    harness_note(user, note);
    if (ncl_point_equal(&note->point, &h.tasks[note->task].start))
        found[note->task] = note->seconds;
    else if (found[note->task] > 0 && ncl_search_is_clear(note, found[note->task], true)) {
        found[note->task] = 0;
        chosen++;
    }
}

static int never(void *user)
{
    (void)user;
    return 0;
}

static void add_equals(int task)
{
    int count = 0;

    for (int i = 0; count < EQUALS; i += 7)
        if (spaces_point(&h.tasks[task], i, &equals[task][count]) &&
            !ncl_point_equal(&equals[task][count], &h.tasks[task].start))
            count++;
    h.tasks[task].seeds = equals[task];
    h.tasks[task].seed_count = EQUALS;
}

static double launch;

static double alike_launches(int task, const struct ncl_point *point)
{
    return launch * alike(task, point) * 1e3;
}

/* Interrupted when all seeds are measured: there are no finals. Returns problems of 600 in which
 * one was chosen, when it was noted or at the end. */
static int false_choices(double seconds, bool first_look)
{
    int decided = 0;

    chosen = 0;
    launch = seconds;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        harness_open(&h, 1e6);
        h.landscape = alike_launches;
        h.fake.noise = 0.05;
        h.fake.outliers = 0.02;
        h.fake.seed = h.search.seed = seed;
        h.search.note = note_early;
        h.search.enough = first_look ? never : NULL;
        h.search.seeds_only = true;
        h.stop_after = HARNESS_TASKS * (1 + EQUALS);
        for (int t = 0; t < HARNESS_TASKS; t++)
            add_equals(t);
        ck_assert_int_eq(harness_run(&h), NCL_ERROR_CANCELLED);
        for (int t = 0; t < HARNESS_TASKS; t++)
            decided += h.results[t].decided;
    }
    return chosen > decided ? chosen : decided;
}

/* Half a per cent of the problems at most. */
START_TEST(noise_chooses_nothing_early)
{
    ck_assert_int_le(false_choices(1e-3, false), 3);
    ck_assert_int_le(false_choices(1e-3, true), 3);
    ck_assert_int_le(false_choices(2e-5, false), 3);
    ck_assert_int_le(false_choices(2e-2, false), 3);
}
END_TEST

static double waves(double now)
{
    return 1.5 + 0.5 * sin(now);
}

/* The start is the best there is, and others come close to it. */
static double start_is_best(int task, const struct ncl_point *point)
{
    const bool is_start = ncl_point_equal(point, &h.tasks[task].start);

    return 1e-3 * (is_start ? 1 : 1.002 + 0.1 * ncl_fake_point_random(5, task, point));
}

START_TEST(never_a_slower_winner)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        harness_open(&h, 20);
        h.landscape = start_is_best;
        h.fake.noise = 0.05;
        h.fake.outliers = 0.02;
        h.fake.drift = waves;
        h.fake.seed = seed;
        h.search.seed = seed;
        ck_assert_int_eq(harness_run(&h), NCL_OK);
        for (int t = 0; t < HARNESS_TASKS; t++)
            ck_assert(ncl_point_equal(&h.results[t].best, &h.tasks[t].start));
    }
}
END_TEST

/* The machine's speed goes up and down by a factor of two, times are noisy, launches interrupted.
 */
START_TEST(drift_noise_and_outliers)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        double best = 0, optimum = 0;

        harness_open(&h, 60);
        h.fake.drift = waves;
        h.fake.noise = 0.1;
        h.fake.outliers = 0.03;
        h.fake.seed = seed;
        h.search.seed = seed;
        ck_assert_int_eq(harness_run(&h), NCL_OK);
        for (int t = 0; t < HARNESS_TASKS; t++) {
            best += h.tasks[t].uses * h.landscape(t, &h.results[t].best);
            optimum += h.tasks[t].uses * harness_optimum(&h, t);
            ck_assert(h.results[t].decided);
        }
        ck_assert_double_le(best, 1.05 * optimum);
    }
}
END_TEST

/* The start itself does not work: whatever does is better. */
static void broken_start(void *user, int task, const struct ncl_point *point,
                         struct ncl_fake_answer *answer)
{
    harness_answer(user, task, point, answer);
    if (ncl_point_equal(point, &h.tasks[task].start))
        answer->verdict = NCL_VERDICT_WRONG;
}

START_TEST(a_start_that_fails)
{
    harness_open(&h, 60);
    h.fake.answer = broken_start;
    ck_assert_int_eq(harness_run(&h), NCL_OK);
    for (int t = 0; t < HARNESS_TASKS; t++) {
        ck_assert(h.results[t].decided);
        ck_assert(!ncl_point_equal(&h.results[t].best, &h.tasks[t].start));
        ck_assert_double_le(h.landscape(t, &h.results[t].best), 1.05 * harness_optimum(&h, t));
    }
}
END_TEST

/* It works, but its times cannot be: that is no reason to choose something else. */
static void untimed_start(void *user, int task, const struct ncl_point *point,
                          struct ncl_fake_answer *answer)
{
    harness_answer(user, task, point, answer);
    if (ncl_point_equal(point, &h.tasks[task].start))
        answer->later = NCL_VERDICT_TIME;
}

START_TEST(a_start_that_cannot_be_timed)
{
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        harness_open(&h, 20);
        h.fake.answer = untimed_start;
        h.stop_after = interrupted ? 30 : 0;
        ck_assert_int_eq(harness_run(&h), interrupted ? NCL_ERROR_CANCELLED : NCL_OK);
        for (int t = 0; t < HARNESS_TASKS; t++) {
            ck_assert(!h.results[t].decided);
            ck_assert(ncl_point_equal(&h.results[t].best, &h.tasks[t].start));
            ck_assert_int_gt(h.results[t].tried[NCL_VERDICT_GOOD], 0);
        }
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("faults");

    tcase_add_test(tests, wrong);
    tcase_add_test(tests, crashed);
    tcase_add_test(tests, crashed_while_timed);
    tcase_add_test(tests, hung);
    tcase_add_test(tests, no_times_at_all);
    tcase_add_test(tests, noise_wins_nothing);
    tcase_add_test(tests, much_noise_wins_nothing);
    tcase_add_test(tests, noise_chooses_nothing_early);
    tcase_add_test(tests, never_a_slower_winner);
    tcase_add_test(tests, drift_noise_and_outliers);
    tcase_add_test(tests, a_start_that_fails);
    tcase_add_test(tests, a_start_that_cannot_be_timed);
    return ncl_run_suite(tests, "search/faults");
}

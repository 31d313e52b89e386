/* Timing beside the yardstick: clocks that lie, drift, noise, outliers, losers. */
#include "search/measure.h"

#include "search/spaces.h"
#include "support/suite.h"

static struct ncl_task task;
static struct ncl_fake fake;
static struct ncl_evaluator evaluator;
static struct ncl_search_clock fake_clock;
static double start_seconds, point_seconds;

static void answer(void *user, int index, const struct ncl_point *point, struct ncl_fake_answer *a)
{
    (void)user;
    (void)index;
    a->seconds = point->v[0] == 1 ? start_seconds : point_seconds;
}

static void open_fake(double start, double point)
{
    start_seconds = start;
    point_seconds = point;
    spaces_tasks(&task, 1);
    ncl_fake_open(&fake, &task, 1);
    fake.answer = answer;
    ncl_fake_evaluator(&fake, &evaluator, &fake_clock);
}

static struct ncl_trial trial_of(int a)
{
    struct ncl_trial trial = {.point = task.start};

    trial.point.v[0] = a;
    ck_assert_int_eq(evaluator.prepare(evaluator.self, &trial, 1), NCL_OK);
    return trial;
}

/* The point beside the start; the start had `reference` when it was met first. */
static enum ncl_verdict measure(double reference, double best, struct ncl_measured *measured)
{
    struct ncl_trial start = trial_of(1), point = trial_of(2);
    const struct ncl_gauge gauge = {.evaluator = &evaluator,
                                    .least = 1e-9,
                                    .yard = &start,
                                    .reference = reference,
                                    .best = best,
                                    .best_error = best * 0.002};

    fake.launches = 0;
    ck_assert_int_eq(ncl_measure(&gauge, &point, measured), NCL_OK);
    ck_assert_int_eq(start.verdict, NCL_VERDICT_GOOD);
    return point.verdict;
}

START_TEST(quiet)
{
    struct ncl_measured m;

    open_fake(2e-3, 1e-3);
    ck_assert_int_eq(measure(2e-3, 2e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 1e-3, 1e-9);
    ck_assert_double_eq_tol(m.start_seconds, 2e-3, 1e-9);
    /* Of either point what no number of samples gets below: 0.2 %. */
    ck_assert_double_eq_tol(ncl_median_error(m.seconds, m.spread, m.samples), 2.83e-6, 1e-8);
    ck_assert_int_ge(m.samples, 15);
}
END_TEST

START_TEST(short_launches_go_in_trains)
{
    struct ncl_measured m;

    open_fake(2e-5, 4e-5);
    ck_assert_int_eq(measure(2e-5, 2.1e-5, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 4e-5, 1e-9);
    ck_assert_int_ge(m.samples, 3);
    ck_assert_int_ge(fake.launches, 3 * (25 + 50));
}
END_TEST

static double slower(double now)
{
    return 1 + now;
}

START_TEST(drift_is_taken_out)
{
    struct ncl_measured m;

    open_fake(2e-3, 1e-3);
    fake.drift = slower;
    fake.now = 1; /* twice as slow as when the start was met */
    ck_assert_int_eq(measure(2e-3, 2e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_double_gt(m.start_seconds, 3.9e-3);
    ck_assert_double_eq_tol(m.seconds, 1e-3, 0.02e-3);
}
END_TEST

START_TEST(outliers_and_noise)
{
    struct ncl_measured m;

    open_fake(2e-3, 1e-3);
    fake.noise = 0.1;
    fake.outliers = 0.1;
    ck_assert_int_eq(measure(2e-3, 2e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 1e-3, 0.05e-3);
    ck_assert_double_gt(m.spread, 0.01e-3);
}
END_TEST

/* What is written down tells how far off it may be: twice the standard error, of launches in trains
 * too, and with the start's own. */
START_TEST(the_error_is_all_of_it)
{
    const double launches[] = {1e-3, 2e-5};
    const double events[] = {1, 0};

    for (size_t i = 0; i < 2; i++) {
        int beyond = 0;

        open_fake(launches[i], 0.5 * launches[i]);
        fake.noise = 0.1;
        fake.events = events[i];
        for (fake.seed = 1; fake.seed <= 300; fake.seed++) {
            struct ncl_measured m;

            ck_assert_int_eq(measure(launches[i], 0.8 * launches[i], &m), NCL_VERDICT_GOOD);
            beyond +=
                fabs(m.seconds - point_seconds) > ncl_median_error(m.seconds, m.spread, m.samples);
        }
        ck_assert_int_le(beyond, 300 / 10);
        ck_assert_int_ge(beyond, 1); /* nor does it say much more */
    }
}
END_TEST

START_TEST(noise_takes_more_samples)
{
    struct ncl_measured near, far;

    open_fake(1e-3, 1.03e-3);
    fake.noise = 0.2;
    ck_assert_int_eq(measure(1e-3, 1e-3, &near), NCL_VERDICT_GOOD);
    point_seconds = 1.6e-3;
    ck_assert_int_eq(measure(1e-3, 1e-3, &far), NCL_VERDICT_GOOD);
    ck_assert_int_ge(far.samples, 3);
    ck_assert_int_gt(near.samples, far.samples);
}
END_TEST

START_TEST(losers_are_dropped_early)
{
    struct ncl_measured m;
    int launches;

    open_fake(1e-3, 5e-3);
    ck_assert_int_eq(measure(1e-3, 1e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_int_eq(m.samples, 1);
    ck_assert_double_eq_tol(m.seconds, 5e-3, 1e-9);
    launches = fake.launches;
    point_seconds = 50e-3; /* hopeless: one launch */
    ck_assert_int_eq(measure(1e-3, 1e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 50e-3, 1e-9);
    ck_assert_int_lt(fake.launches, launches);
}
END_TEST

START_TEST(without_events_by_the_clock)
{
    struct ncl_measured m;

    open_fake(2e-3, 1e-3);
    fake.events = 0;
    ck_assert_int_eq(measure(2e-3, 2e-3, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 1e-3, 1e-9);
}
END_TEST

/* Events that count in another unit, either way, are not believed. */
START_TEST(events_of_another_unit)
{
    struct ncl_measured m;

    open_fake(2e-3, 1e-3);
    for (int i = 0; i < 2; i++) {
        fake.events = i ? 1e-3 : 1e3;
        ck_assert_int_eq(measure(2e-3, 2e-3, &m), NCL_VERDICT_GOOD);
        ck_assert_double_eq_tol(m.seconds, 1e-3, 1e-9);
        ck_assert_double_eq_tol(m.start_seconds, 2e-3, 1e-9);
    }
}
END_TEST

/* On a busy machine two of three trains wait for a processor: that says nothing of the events'
 * unit, which would be wrong in the others too. */
static struct ncl_evaluator undisturbed;
static int turns;

static ncl_status time_and_wait(void *self, struct ncl_trial *trial, int launches,
                                struct ncl_timing *timings)
{
    const ncl_status status = undisturbed.time(self, trial, launches, timings);
    const bool waits = turns++ % 3 > 0;

    for (int i = 0; waits && i < launches; i++)
        timings[i].wall += 5e-3;
    return status;
}

START_TEST(waiting_is_not_another_unit)
{
    struct ncl_measured m;

    open_fake(2e-4, 1e-4);
    undisturbed = evaluator;
    evaluator.time = time_and_wait;
    turns = 0;
    ck_assert_int_eq(measure(2e-4, 2e-4, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 1e-4, 1e-9);
    ck_assert_double_eq_tol(m.start_seconds, 2e-4, 1e-9);
}
END_TEST

START_TEST(overhead_is_not_the_kernels)
{
    struct ncl_measured m;

    open_fake(2e-4, 1e-4);
    fake.overhead = 1e-4;
    ck_assert_int_eq(measure(2e-4, 2e-4, &m), NCL_VERDICT_GOOD);
    ck_assert_double_eq_tol(m.seconds, 1e-4, 1e-9);
}
END_TEST

static struct ncl_evaluator honest;
static int trains;

/* One train in five has an event that counts nothing, one in seven two clocks that stand still. */
static ncl_status time_with_glitches(void *self, struct ncl_trial *trial, int launches,
                                     struct ncl_timing *timings)
{
    const ncl_status status = honest.time(self, trial, launches, timings);

    trains++;
    if (trains % 5 == 0)
        timings[0].device = 1e-12;
    for (int i = 0; trains % 7 == 0 && i < launches; i++)
        timings[i] = (struct ncl_timing){1e-12, 1e-12};
    return status;
}

START_TEST(one_bad_reading_condemns_nothing)
{
    const double launches[] = {2e-3, 2e-5};

    for (size_t i = 0; i < 2; i++)
        for (trains = 0; trains < 100; trains++) {
            struct ncl_measured m;
            const int from = trains;

            open_fake(launches[i], 0.5 * launches[i]);
            fake.noise = 0.01;
            honest = evaluator;
            evaluator.time = time_with_glitches;
            ck_assert_int_eq(measure(launches[i], launches[i], &m), NCL_VERDICT_GOOD);
            ck_assert_double_eq_tol(m.seconds, 0.5 * launches[i], 0.01 * launches[i]);
            trains = from;
        }
}
END_TEST

/* Faster than anything is, whatever both clocks say. */
START_TEST(impossible_times)
{
    struct ncl_trial point;
    struct ncl_measured m;
    const struct ncl_gauge gauge = {.evaluator = &evaluator, .least = 1e-9};

    for (int i = 0; i < 3; i++) {
        open_fake(2e-3, i == 0 ? 1e-12 : 1e-3);
        fake.events = i == 1 ? 0 : 1;
        fake.clock = i == 0 ? 1 : 0;
        point = trial_of(2);
        ck_assert_int_eq(ncl_measure(&gauge, &point, &m), NCL_OK);
        ck_assert_int_eq(point.verdict, NCL_VERDICT_TIME);
        ck_assert_str_ne(point.why, "");
        ck_assert_double_eq(m.seconds, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("measure");

    tcase_add_test(tests, quiet);
    tcase_add_test(tests, short_launches_go_in_trains);
    tcase_add_test(tests, drift_is_taken_out);
    tcase_add_test(tests, outliers_and_noise);
    tcase_add_test(tests, the_error_is_all_of_it);
    tcase_add_test(tests, noise_takes_more_samples);
    tcase_add_test(tests, losers_are_dropped_early);
    tcase_add_test(tests, without_events_by_the_clock);
    tcase_add_test(tests, events_of_another_unit);
    tcase_add_test(tests, waiting_is_not_another_unit);
    tcase_add_test(tests, overhead_is_not_the_kernels);
    tcase_add_test(tests, one_bad_reading_condemns_nothing);
    tcase_add_test(tests, impossible_times);
    return ncl_run_suite(tests, "search/measure");
}

/* What is forecast of points, against closed forms of a Gaussian process with few measurements. */
#include "search/forecast.h"

#include "search/spaces.h"
#include "support/suite.h"

#define MEAN NCL_FORECAST_PESSIMISM
#define PRIOR (NCL_FORECAST_DEVIATION * NCL_FORECAST_DEVIATION)
#define STEP NCL_FORECAST_STEP_CORRELATION
#define TASK NCL_FORECAST_TASK_CORRELATION
#define NOISE (NCL_FORECAST_NOISE * NCL_FORECAST_NOISE)
#define TOLERANCE 1e-9
#define BEST 1e-3 /* seconds */

static struct ncl_task tasks[2];
static struct ncl_site sites[2];
static struct ncl_forecast *forecast;
static struct ncl_search search;

static void set_up(void)
{
    spaces_tasks(tasks, 2);
    search = (struct ncl_search){.tasks = tasks, .task_count = 2, .seed = 1};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ncl_site_open(&sites[i], &search, i), NCL_OK);
    forecast = ncl_forecast_new();
    ck_assert_ptr_nonnull(forecast);
}

static void tear_down(void)
{
    ncl_forecast_free(forecast);
    for (int i = 0; i < 2; i++)
        ncl_site_close(&sites[i]);
}

/* The a-th value of A; the other tunables stay. */
static struct ncl_point at(int a)
{
    struct ncl_point point = {&spaces_tiled, {0, 1, 8, 0}};

    point.v[0] = spaces_tunables[0].values[a];
    return point;
}

static void measure_as(int site, const struct ncl_point *point, enum ncl_verdict verdict,
                       double seconds)
{
    const struct ncl_search_note note = {
        .task = site, .point = *point, .verdict = verdict, .seconds = seconds, .samples = 15};

    ck_assert(ncl_site_learn(&sites[site], &note));
}

static void measure(int site, int a, double seconds)
{
    const struct ncl_point point = at(a);

    measure_as(site, &point, NCL_VERDICT_GOOD, seconds);
}

static void expect_of(const struct ncl_point *point, double mean, double variance)
{
    double found_mean, found_variance;

    ck_assert(ncl_forecast_at(forecast, point, &found_mean, &found_variance));
    ck_assert_double_eq_tol(found_mean, mean, TOLERANCE);
    ck_assert_double_eq_tol(found_variance, variance, TOLERANCE);
}

static void expect(int a, double mean, double variance)
{
    const struct ncl_point point = at(a);

    expect_of(&point, mean, variance);
}

/* k: the measurement's covariance with the point; y: what was measured, over the mean. */
static void expect_after_one(int a, double k, double y)
{
    expect(a, MEAN + k / (PRIOR + NOISE) * y, PRIOR - k * k / (PRIOR + NOISE));
}

START_TEST(nothing_measured)
{
    ncl_forecast_fit(forecast, sites, 2, 0);
    for (int a = 0; a < 8; a++)
        expect(a, MEAN, PRIOR);
}
END_TEST

/* Measured, one step off, as far as there is, and off in another direction. */
START_TEST(one_measured)
{
    struct ncl_point other = at(0);

    measure(0, 0, BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect(0, MEAN * NOISE / (PRIOR + NOISE), PRIOR * NOISE / (PRIOR + NOISE));
    for (int a = 0; a < 8; a++)
        expect_after_one(a, PRIOR * pow(STEP, a), -MEAN);
    other.v[1] = 4; /* two steps */
    other.v[3] = 1; /* and one */
    expect_of(&other, MEAN - pow(STEP, 3) * PRIOR / (PRIOR + NOISE) * MEAN,
              PRIOR - pow(STEP, 6) * PRIOR * PRIOR / (PRIOR + NOISE));
}
END_TEST

/* Another algorithm's points tell nothing. */
START_TEST(another_algorithm)
{
    const struct ncl_point other = {&spaces_small, {4}};

    measure(0, 3, BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect_of(&other, MEAN, PRIOR);
}
END_TEST

/* Two alike, on either side: each weighs the same. */
START_TEST(between_two)
{
    const double apart = PRIOR * pow(STEP, 4), half = PRIOR * pow(STEP, 2);

    measure(0, 1, BEST);
    measure(0, 5, BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect(3, MEAN - 2 * half / (PRIOR + NOISE + apart) * MEAN,
           PRIOR - 2 * half * half / (PRIOR + NOISE + apart));
    for (int a = 0; a < 3; a++) {
        const struct ncl_point left = at(3 - a), right = at(3 + a);
        double mean, variance;

        ck_assert(ncl_forecast_at(forecast, &left, &mean, &variance));
        expect_of(&right, mean, variance);
    }
}
END_TEST

/* One faster, one slower by a tenth, weighed by Cramer's rule. */
START_TEST(two_that_differ)
{
    const double own = PRIOR + NOISE, k = PRIOR * pow(STEP, 3), det = own * own - k * k;
    const double y[2] = {-MEAN, log(1.1) - MEAN};
    const double near = PRIOR * STEP, far = PRIOR * pow(STEP, 2);

    measure(0, 2, BEST);
    measure(0, 5, 1.1 * BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect(3, MEAN + (near * (own * y[0] - k * y[1]) + far * (own * y[1] - k * y[0])) / det,
           PRIOR - (near * (own * near - k * far) + far * (own * far - k * near)) / det);
}
END_TEST

/* The covariance of equal points is singular but for the noise, which many measurements average. */
START_TEST(the_same_many_times)
{
    const int count = 90;

    for (int i = 0; i < count; i++)
        measure(0, 4, BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect(4, MEAN - count * PRIOR / (count * PRIOR + NOISE) * MEAN,
           PRIOR * NOISE / (count * PRIOR + NOISE));
    expect(6, MEAN - STEP * STEP * count * PRIOR / (count * PRIOR + NOISE) * MEAN,
           PRIOR - pow(STEP, 4) * PRIOR * count * PRIOR / (count * PRIOR + NOISE));
}
END_TEST

START_TEST(another_problem)
{
    measure(1, 2, 7 * BEST); /* its best: problems' own times do not matter */
    ncl_forecast_fit(forecast, sites, 2, 0);
    expect_after_one(2, TASK * PRIOR, -MEAN);
    expect_after_one(5, TASK * PRIOR * pow(STEP, 3), -MEAN);
}
END_TEST

/* Points that fail tell nothing, and hopeless ones no more than those at the limit. */
START_TEST(failed_and_hopeless)
{
    const struct ncl_point failed = at(7);
    double means[2];

    for (int i = 0; i < 2; i++) {
        const struct ncl_point point = at(6);
        double variance;

        tear_down();
        set_up();
        measure_as(0, &failed, NCL_VERDICT_WRONG, 0);
        measure(0, 0, BEST);
        measure(0, 6, BEST * (i ? exp(NCL_FORECAST_CLIP) : 1000));
        ncl_forecast_fit(forecast, sites, 2, 0);
        ck_assert(ncl_forecast_at(forecast, &point, &means[i], &variance));
    }
    ck_assert_double_eq_tol(means[0], means[1], TOLERANCE);
    ck_assert_double_gt(means[0], MEAN);
}
END_TEST

/* What the time under the best's comes to, summed over the distribution in small steps. */
static double expected_saving(double mean, double variance)
{
    const double deviation = sqrt(variance), step = deviation / 2000;
    double sum = 0;

    for (double x = -step / 2; x > mean - 12 * deviation; x -= step)
        sum -= x * exp(-0.5 * (x - mean) * (x - mean) / variance) * step;
    return sum / (deviation * sqrt(2 * acos(-1)));
}

START_TEST(expected_gains)
{
    measure(0, 2, BEST);
    measure(0, 4, 1.2 * BEST);
    ncl_forecast_fit(forecast, sites, 2, 0);
    for (int a = 0; a < 8; a++) {
        const struct ncl_point point = at(a);
        double mean, variance;

        ck_assert(ncl_forecast_at(forecast, &point, &mean, &variance));
        ck_assert_double_eq_tol(ncl_forecast_gain(forecast, &point),
                                expected_saving(mean, variance), 1e-6);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("forecast");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_measured);
    tcase_add_test(tests, one_measured);
    tcase_add_test(tests, another_algorithm);
    tcase_add_test(tests, between_two);
    tcase_add_test(tests, two_that_differ);
    tcase_add_test(tests, the_same_many_times);
    tcase_add_test(tests, another_problem);
    tcase_add_test(tests, failed_and_hopeless);
    tcase_add_test(tests, expected_gains);
    return ncl_run_suite(tests, "search/forecast");
}

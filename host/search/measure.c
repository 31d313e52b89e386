#include "search/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TRAIN_SECONDS 1e-3 /* clocks tick in microseconds, and a launch's overhead drowns in it */
#define TRAIN_LAUNCHES 64
/* An event may seem a little longer than the wall-clock time around it: the clocks differ. */
#define CLOCK_TOLERANCE 1.05
#define CLOCK_SLACK 5e-6
/* A wall-clock time this far over the device's means that events count in another unit: launching
 * costs up to some hundred microseconds each. */
#define IMPLAUSIBLE_RATIO 8
#define LAUNCH_OVERHEAD 3e-4
#define READINGS 3 /* in a row that no device can have: then the clocks are of no use here */
/* Of the incumbent's time: slower from the first launches on is a loser. */
#define LOSER 2
#define ALIKE 0.015 /* differences that are not worth telling apart */
#define WARM_UP 4   /* how much slower a first launch may be than the later ones */
#define YARD_LEAST                                                                                 \
    7 /* samples of the yardstick where there are as many: outliers are costly ones */
/* Enough of a point that takes so long. */
#define MEASURE_SECONDS 0.25
#define LEAST_ERROR 2e-3    /* of a median: what no number of samples gets below */
#define MEDIAN_ERROR 1.2533 /* a median's error when a mean's is 1, of a normal distribution */
/* 1.4826 makes a standard deviation of the MAD of a normal distribution. */
#define MAD_ERROR (2 * MEDIAN_ERROR * 1.4826)
/* A point that is chosen at once, without finals, saves at least this share. */
#define FEW_MARGIN 0.04
#define MANY_MARGIN 0.08
#define DOUBT_SAMPLES 3
/* It saves so many times its error too, which is twice the standard one: about the quantiles of
 * Student's distribution with 28, 12 and 4 degrees of freedom. Of 9000 problems with eight points
 * that are all as fast as the start, at 5 % noise, 2 % outliers, five or six choose one. */
static const struct {
    int samples;
    double few, many;
} doubts[] = {{31, 2.5, 3}, {15, 3.2, 4.3}, {DOUBT_SAMPLES, 12, 30}};

static double positive(double value)
{
    return isfinite(value) && value > 0 ? value : 0;
}

static double median_of(double *values, int count)
{
    for (int i = 1; i < count; i++) {
        const double value = values[i];
        int at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

/* Without the `cut` fastest and slowest; sorts. */
static double trimmed_mean(double *values, int count, int cut)
{
    double sum = 0;

    median_of(values, count);
    for (int i = cut; i < count - cut; i++)
        sum += values[i];
    return sum / (count - 2 * cut);
}

/* One launch's seconds of a train, by both clocks. */
static ncl_status run_train(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                            int launches, double *device, double *wall)
{
    struct ncl_timing timings[TRAIN_LAUNCHES] = {{0}};
    const ncl_status status = evaluator->time(evaluator->self, trial, launches, timings);
    double devices[TRAIN_LAUNCHES];
    bool events = true;

    *device = *wall = 0;
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    for (int i = 0; i < launches; i++) {
        devices[i] = positive(timings[i].device);
        *wall += positive(timings[i].wall);
        events = events && devices[i] > 0;
    }
    /* One interrupted launch would make a whole train slower by some tenths. */
    *device = events ? trimmed_mean(devices, launches, launches / 5) : 0;
    *wall /= launches;
    return NCL_OK;
}

static bool device_exceeds(double device, double wall)
{
    return device > CLOCK_TOLERANCE * wall + CLOCK_SLACK;
}

static bool device_lags(double device, double wall)
{
    return wall > IMPLAUSIBLE_RATIO * device + LAUNCH_OVERHEAD;
}

/* Seconds of a launch by the clock to be believed; 0: neither. */
static double believed(double device, double wall)
{
    return device > 0 ? device : wall;
}

static void impossible(struct ncl_trial *trial, double device, double wall)
{
    trial->verdict = NCL_VERDICT_TIME;
    snprintf(trial->why, sizeof trial->why, "impossible times: %g s by events, %g s by the clock",
             device, wall);
}

/* A device time that cannot be is none: the wall clock has to do. */
static double plausible(double device, double wall, double least)
{
    return device > least && !device_exceeds(device, wall) ? device : 0;
}

/* One train. One bad reading must not condemn a point for good: several in a row do. */
ncl_status ncl_series_take(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                           double least, struct ncl_series *series)
{
    double raw = 0, wall = 0;

    if (series->count == NCL_SERIES_MAX)
        return NCL_OK;
    for (int i = 0; i < READINGS; i++) {
        const ncl_status status = run_train(evaluator, trial, series->launches, &raw, &wall);
        double device;

        if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
            return status;
        device = plausible(raw, wall, least);
        if (believed(device, wall) > least) {
            series->lagging += raw > 0 && device_lags(raw, wall);
            series->device[series->count] = device;
            series->wall[series->count++] = wall;
            series->spent += series->launches * fmax(device, wall);
            return NCL_OK;
        }
        if (believed(device, wall) <= 0) /* too short for the clocks */
            series->launches = TRAIN_LAUNCHES;
    }
    impossible(trial, raw, wall);
    return NCL_OK;
}

ncl_status ncl_series_begin(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                            double least, struct ncl_series *series, double *first)
{
    double longest;
    ncl_status status;

    *series = (struct ncl_series){.launches = 1};
    *first = 0;
    status = ncl_series_take(evaluator, trial, least, series);
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    *first = believed(series->device[0], series->wall[0]);
    /* By the longer clock: 64 launches of one whose events count in another unit would take long.
     */
    longest = fmax(*first, series->wall[0]);
    if (longest < WARM_UP * TRAIN_SECONDS) {
        /* May have been a slow one: trains that differ in length take outliers differently. */
        status = ncl_series_take(evaluator, trial, least, series);
        if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
            return status;
        *first = fmin(*first, believed(series->device[1], series->wall[1]));
        longest = fmin(longest, fmax(*first, series->wall[1]));
    }
    series->count = series->lagging = 0;
    if (series->launches == 1 && longest < TRAIN_SECONDS)
        series->launches = (int)fmin(ceil(TRAIN_SECONDS / longest), TRAIN_LAUNCHES);
    return NCL_OK;
}

/* Events that count in another unit lag behind in every train; where a train had to wait for a
 * processor, as most may on a busy machine, the others show that they do not. */
bool ncl_series_by_wall(const struct ncl_series *series)
{
    int events = 0;

    for (int i = 0; i < series->count; i++)
        events += series->device[i] > 0;
    return 2 * events < series->count || (series->count && series->lagging == series->count);
}

double ncl_series_value(const struct ncl_series *series, int sample, bool by_wall)
{
    const double device = series->device[sample];

    return by_wall || device <= 0 ? series->wall[sample] : device;
}

double ncl_median_error(double median, double mad, int samples)
{
    /* Few samples may agree by chance: they get a wider floor. */
    return fmax(MAD_ERROR * mad / sqrt(samples > 0 ? samples : 1),
                median * LEAST_ERROR * (samples < 7 ? 2 : 1));
}

struct ncl_spread ncl_spread_of(const double *values, int count)
{
    double sorted[NCL_SERIES_MAX];
    struct ncl_spread spread = {0, 0, 0, 0};

    if (count < 1)
        return spread;
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    spread.median = median_of(sorted, count);
    spread.least = sorted[0];
    for (int i = 0; i < count; i++)
        sorted[i] = fabs(values[i] - spread.median);
    spread.mad = median_of(sorted, count);
    spread.error = ncl_median_error(spread.median, spread.mad, count);
    return spread;
}

double ncl_spread_for(double error, int samples)
{
    return error * sqrt(samples > 0 ? samples : 1) / MAD_ERROR;
}

/* Without the `cut` fastest and slowest, which count as the next ones in the error. */
static struct ncl_spread trimmed(const double *values, int count, int cut)
{
    struct ncl_spread spread = ncl_spread_of(values, count);
    const int kept = count - 2 * cut;
    double sorted[NCL_SERIES_MAX], winsorized = 0, squares = 0;

    if (count < 2)
        return spread;
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    spread.median = trimmed_mean(sorted, count, cut);
    for (int i = 0; i < count; i++) {
        sorted[i] = fmin(fmax(sorted[i], sorted[cut]), sorted[count - 1 - cut]);
        winsorized += sorted[i] / count;
    }
    for (int i = 0; i < count; i++)
        squares += (sorted[i] - winsorized) * (sorted[i] - winsorized);
    spread.error = fmax(2 * sqrt(squares / (count - 1) * count) / kept,
                        spread.median * LEAST_ERROR * (count < 7 ? 2 : 1));
    return spread;
}

struct ncl_spread ncl_trimmed_of(const double *values, int count)
{
    return trimmed(values, count, count / 5);
}

struct ncl_spread ncl_midmean_of(const double *values, int count)
{
    struct ncl_spread spread;

    if (count >= 7)
        return trimmed(values, count, (count + 1) / 4);
    spread = trimmed(values, count, 0);
    spread.error *= MEDIAN_ERROR;
    spread.median = ncl_spread_of(values, count).median;
    return spread;
}

double ncl_gain_margin(bool few)
{
    return few ? FEW_MARGIN : MANY_MARGIN;
}

bool ncl_gain_is_clear(double seconds, double error, int samples, double start, bool few)
{
    const double gain = start - seconds;
    size_t i = 0;

    if (samples < DOUBT_SAMPLES || gain <= ncl_gain_margin(few) * start)
        return false;
    while (samples < doubts[i].samples)
        i++;
    return gain > (few ? doubts[i].few : doubts[i].many) * error;
}

struct ncl_spread ncl_series_spread(const struct ncl_series *series, bool by_wall)
{
    double values[NCL_SERIES_MAX] = {0};

    for (int i = 0; i < series->count; i++)
        values[i] = ncl_series_value(series, i, by_wall);
    return ncl_midmean_of(values, series->count);
}

/* A point and the yardstick, measured in turn. */
struct pair {
    const struct ncl_gauge *gauge;
    struct ncl_series point, yard;
    bool has_yard;
};

static ncl_status take_yard(struct pair *pair)
{
    const struct ncl_gauge *gauge = pair->gauge;
    double first = 0;
    ncl_status status = NCL_OK;

    if (!pair->has_yard)
        return NCL_OK;
    if (!pair->yard.launches)
        status = ncl_series_begin(gauge->evaluator, gauge->yard, gauge->least, &pair->yard, &first);
    if (status == NCL_OK && gauge->yard->verdict == NCL_VERDICT_GOOD)
        status = ncl_series_take(gauge->evaluator, gauge->yard, gauge->least, &pair->yard);
    pair->has_yard = gauge->yard->verdict == NCL_VERDICT_GOOD;
    return status;
}

struct figures {
    double seconds, error, start;
    double least; /* of the samples: interruptions only make them longer */
};

/* Both by one clock, or overheads would be compared with kernels. */
static struct figures figures_of(const struct pair *pair)
{
    const bool yard = pair->has_yard && pair->yard.count;
    const bool by_wall =
        ncl_series_by_wall(&pair->point) || (yard && ncl_series_by_wall(&pair->yard));
    const struct ncl_spread point = ncl_series_spread(&pair->point, by_wall);
    struct figures figures = {point.median, point.error, 0, point.least};

    if (yard) {
        const struct ncl_spread start = ncl_series_spread(&pair->yard, by_wall);
        const double factor = pair->gauge->reference / start.median;

        figures.seconds *= factor;
        figures.least *= factor;
        figures.error = hypot(figures.error * factor, start.error / start.median * figures.seconds);
        figures.start = start.median;
    }
    return figures;
}

/* Seconds of a series without interruptions, which must not count as samples taken. */
static double usual_seconds(const struct ncl_series *series)
{
    return series->count * series->launches * ncl_series_spread(series, true).least;
}

/* More samples of the point up to `count`, the yardstick in turn; a slow one gets twice the time.
 */
static ncl_status take_until(struct pair *pair, struct ncl_trial *trial, int count)
{
    const struct ncl_gauge *gauge = pair->gauge;

    while (pair->point.count < count) {
        ncl_status status = ncl_series_take(gauge->evaluator, trial, gauge->least, &pair->point);

        if (status == NCL_OK && trial->verdict == NCL_VERDICT_GOOD &&
            (pair->yard.count < YARD_LEAST ||
             usual_seconds(&pair->yard) <= 2 * usual_seconds(&pair->point)))
            status = take_yard(pair);
        if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
            return status;
    }
    return NCL_OK;
}

/* Would the point be chosen at once if it were only known better? */
static bool is_promising(const struct pair *pair, const struct figures *figures)
{
    const struct ncl_gauge *gauge = pair->gauge;
    const double start = gauge->reference;

    return figures->seconds < gauge->best && start > 0 &&
           figures->seconds < (1 - ncl_gain_margin(gauge->few)) * start &&
           !ncl_gain_is_clear(figures->seconds, figures->error, pair->point.count, start,
                              gauge->few);
}

/* Is it decided whether the point beats the incumbent? What seems to takes a second look: a lucky
 * incumbent would keep better points out. */
static bool decided(const struct pair *pair, const struct figures *figures)
{
    const struct ncl_gauge *gauge = pair->gauge;
    const bool better = gauge->best <= 0 || figures->seconds < gauge->best;
    const int looks = gauge->quick ? 7 : 15;
    const int needed = better ? looks : figures->least < gauge->best ? 7 : 3;
    double difference, error;

    if (pair->point.count < 3)
        return false;
    if (pair->point.spent > MEASURE_SECONDS)
        return true;
    if (pair->point.count < needed || is_promising(pair, figures))
        return false;
    difference = fabs(figures->seconds - gauge->best);
    error = hypot(figures->error, gauge->best_error);
    /* One standard error is enough against a point: it is no winner, or hardly one. */
    return gauge->best <= 0 || difference > (better ? error : 0.5 * error) ||
           (!better && pair->point.count >= 15) || difference + error < ALIKE * gauge->best;
}

static ncl_status refine(struct pair *pair, struct ncl_trial *trial, double first,
                         struct figures *figures)
{
    static const int steps[] = {3, 7, 15, 31};
    const double limit = LOSER * pair->gauge->best;
    ncl_status status = take_until(pair, trial, 1);

    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    *figures = figures_of(pair);
    if (limit > 0 && fmin(figures->seconds, first * figures->seconds /
                                                ncl_series_value(&pair->point, 0, false)) > limit)
        return NCL_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !decided(pair, figures); i++) {
        status = take_until(pair, trial, steps[i]);
        if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
            return status;
        *figures = figures_of(pair);
    }
    return NCL_OK;
}

/* Hopeless after its first launch, which may have been a slow one? */
static bool hopeless(const struct pair *pair, double first)
{
    const struct ncl_gauge *gauge = pair->gauge;
    double factor = 1;

    if (pair->has_yard && pair->yard.count)
        factor = gauge->reference / ncl_series_spread(&pair->yard, false).median;
    return gauge->best > 0 && first * factor > WARM_UP * LOSER * gauge->best;
}

/* A first launch that seems hopeless may have been interrupted: another one, unless it took long.
 */
static ncl_status look_again(struct pair *pair, struct ncl_trial *trial, double *first)
{
    const struct ncl_gauge *gauge = pair->gauge;
    ncl_status status;

    if (!hopeless(pair, *first) || *first > MEASURE_SECONDS)
        return NCL_OK;
    status = ncl_series_take(gauge->evaluator, trial, gauge->least, &pair->point);
    if (status == NCL_OK && trial->verdict == NCL_VERDICT_GOOD)
        *first = fmin(*first, ncl_series_value(&pair->point, 0, false));
    return status;
}

ncl_status ncl_measure(const struct ncl_gauge *gauge, struct ncl_trial *trial,
                       struct ncl_measured *measured)
{
    struct pair pair = {.gauge = gauge, .has_yard = gauge->yard != NULL};
    struct figures figures = {0, 0, 0, 0};
    double first = 0;
    ncl_status status = take_yard(&pair);

    *measured = (struct ncl_measured){0};
    if (status == NCL_OK)
        status = ncl_series_begin(gauge->evaluator, trial, gauge->least, &pair.point, &first);
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    status = look_again(&pair, trial, &first);
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    if (hopeless(&pair, first)) {
        /* A launch is where ncl_series_begin or look_again left it. */
        pair.point.count = pair.point.launches = 1;
        figures = figures_of(&pair);
    } else {
        status = refine(&pair, trial, first, &figures);
    }
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    *measured =
        (struct ncl_measured){figures.seconds, ncl_spread_for(figures.error, pair.point.count),
                              figures.start, pair.point.count};
    return NCL_OK;
}

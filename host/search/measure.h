/* Timing a point beside the yardstick: warm-up, trains of launches, two clocks, drift, noise.
 * Internal to search. */
#ifndef NCL_SEARCH_MEASURE_H
#define NCL_SEARCH_MEASURE_H

#include "search/evaluator.h"

#define NCL_SERIES_MAX 63

/* Samples of one point: each of a train of launches, by events their mean without the fastest and
 * slowest fifth, by the wall clock their mean. */
struct ncl_series {
    double device[NCL_SERIES_MAX], wall[NCL_SERIES_MAX]; /* device 0: impossible, or no events */
    int count, launches;                                 /* samples; launches of a train */
    int lagging;  /* samples whose device time is implausibly far behind the wall clock */
    double spent; /* seconds of launches so far, by whichever clock says more */
};
/* The first launches, which warm up, tell how long trains have to be. *first: seconds of one.
 * Trains too short for both clocks grow; where that does not help the trial's verdict becomes TIME.
 * `least`: seconds that no device undercuts. */
ncl_status ncl_series_begin(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                            double least, struct ncl_series *series, double *first);
/* One more train. */
ncl_status ncl_series_take(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                           double least, struct ncl_series *series);
/* Is the wall clock to be believed rather than events? */
bool ncl_series_by_wall(const struct ncl_series *series);
double ncl_series_value(const struct ncl_series *series, int sample, bool by_wall);

struct ncl_spread {
    double median, mad;
    double error; /* of the median: twice its standard error, and never less than clocks allow */
    double least;
};
struct ncl_spread ncl_spread_of(const double *values, int count);
/* The same of the mean without the fastest and slowest fifth, as median: tells finer where there
 * are many samples. Its error is by the winsorized variance (Yuen 1974). */
struct ncl_spread ncl_trimmed_of(const double *values, int count);
/* The same without the fastest and slowest quarter: outliers may be many among few samples. Of less
 * than seven it is the median, its error by all of their variance: three are often alike by chance.
 */
struct ncl_spread ncl_midmean_of(const double *values, int count);
struct ncl_spread ncl_series_spread(const struct ncl_series *series, bool by_wall); /* midmean */
/* Twice the standard error of a median of so many samples, and back: what is written down is a MAD
 * that has all of the error in it. */
double ncl_median_error(double median, double mad, int samples);
double ncl_spread_for(double error, int samples);
/* Is a point faster than its start beyond its error, and beyond the luck of the fastest among few
 * (what others found), or among many? Then it needs no finals. The share it has to save at least.
 */
bool ncl_gain_is_clear(double seconds, double error, int samples, double start, bool few);
double ncl_gain_margin(bool few);

struct ncl_gauge {
    const struct ncl_evaluator *evaluator;
    double least;
    /* The task's start, prepared, and its seconds when the search met it first. NULL: none, or it
     * is what is measured. */
    struct ncl_trial *yard;
    double reference;
    /* The incumbent; 0: none. */
    double best, best_error;
    bool quick; /* a first look: fewer samples of what seems better */
    bool few;   /* the point is one of few: a seed */
};
struct ncl_measured {
    double seconds, spread, start_seconds; /* as in ncl_search_note */
    int samples;
};
/* On a verdict other than GOOD of the trial the numbers are 0. The yardstick may fail too: its own
 * verdict tells, and it does without. */
ncl_status ncl_measure(const struct ncl_gauge *gauge, struct ncl_trial *trial,
                       struct ncl_measured *measured);

#endif

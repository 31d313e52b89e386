/* What the tuner's core asks of the world: to prepare points (build, run, verify) and to time them.
 * The core is deterministic given an evaluator, a clock and a seed; session/ has the real ones,
 * tests have landscapes. */
#ifndef NCL_SEARCH_EVALUATOR_H
#define NCL_SEARCH_EVALUATOR_H

#include "plan/point.h"
#include "tunedb/record.h"

struct ncl_trial {
    int task; /* index of the problem */
    struct ncl_point point;
    enum ncl_verdict verdict; /* set by prepare, and by time where that fails */
    char why[192];            /* one line, unless GOOD */
};

/* Of one launch, in seconds. */
struct ncl_timing {
    double device; /* by its event; 0: none, or impossible */
    double wall;   /* share of the wall-clock time of the whole train of launches */
};

struct ncl_evaluator {
    void *self;
    /* Builds each trial, runs it once into poisoned, guarded memory and compares with the oracle;
     * verdicts tell. Several at once, so that they can be built in parallel. Anything but NCL_OK
     * ends tuning: memory, a device lost for good, NCL_ERROR_CANCELLED. */
    ncl_status (*prepare)(void *self, struct ncl_trial *trials, int count);
    /* Runs a prepared trial `launches` times, one after the other, as in the network: weights as
     * cold as they are there. timings[launches]. On failure the verdict becomes a tombstone's. */
    ncl_status (*time)(void *self, struct ncl_trial *trial, int launches,
                       struct ncl_timing *timings);
    /* The trial will not be timed any more: its kernel and buffers may go. */
    void (*forget)(void *self, const struct ncl_trial *trial);
};

struct ncl_search_clock {
    void *self;
    double (*seconds)(void *self); /* monotonic */
};

#endif

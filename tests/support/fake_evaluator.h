/* An evaluator without a device: times come from a function, the clock is a number. It checks how
 * it is used (what is timed is prepared and not forgotten) and injects faults. */
#ifndef NCL_TESTS_FAKE_EVALUATOR_H
#define NCL_TESTS_FAKE_EVALUATOR_H

#include "search/search.h"

struct ncl_fake_answer {
    enum ncl_verdict verdict; /* of prepare */
    double prepare;           /* seconds that takes */
    double seconds;           /* of one launch */
    enum ncl_verdict later;   /* of the first timing, unless GOOD; costs `prepare` again */
};

struct ncl_fake {
    const struct ncl_task *tasks;
    int task_count;
    void (*answer)(void *user, int task, const struct ncl_point *point,
                   struct ncl_fake_answer *answer);
    void *user;
    double now;                  /* the clock, seconds */
    double noise;                /* launches take up to so much more or less, share */
    double outliers;             /* share of launches that take ten times as long */
    double (*drift)(double now); /* factor of all times; NULL: 1 */
    double overhead;             /* of a launch, on the wall clock only */
    double events;               /* what device times are multiplied by: 1 honest, 0 none */
    double clock;                /* what wall times are multiplied by */
    ncl_status status;           /* of prepare, from the prepares-th call on, unless NCL_OK */
    int prepares_left;
    uint64_t seed;
    /* Counters. */
    int prepared, timed, launches;
    double costliest; /* evaluation so far: prepare and all its timing, until the next prepare */
    /* Inside. */
    struct ncl_trial live[256];
    int live_count;
};

void ncl_fake_open(struct ncl_fake *fake, const struct ncl_task *tasks, int task_count);
void ncl_fake_evaluator(struct ncl_fake *fake, struct ncl_evaluator *evaluator,
                        struct ncl_search_clock *clock);

/* A seeded number in [0, 1) from any bytes: noise that comes again. */
double ncl_fake_random(uint64_t seed, const void *data, size_t bytes);
double ncl_fake_point_random(uint64_t seed, int task, const struct ncl_point *point);

#endif

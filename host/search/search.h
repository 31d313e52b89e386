/* The auto-tuner's core. Per problem: portfolio, then the algorithms' defaults, then what a
 * forecast from all evaluations so far promises most of, around the best points and anywhere, over
 * algorithm and parameters jointly. Over the problems: each next evaluation goes where the largest
 * saving per second of tuning is expected. Knows neither OpenCL nor files. */
#ifndef NCL_SEARCH_SEARCH_H
#define NCL_SEARCH_SEARCH_H

#include "search/evaluator.h"

/* One distinct problem of a network. Members are the caller's. */
struct ncl_task {
    struct ncl_problem problem;
    const struct ncl_caps *caps;
    const char *name;     /* of the first layer that has it */
    int uses;             /* launches of it per inference */
    double least_seconds; /* no launch can be faster: the device's peak; 0: not known */
    /* Candidates: algorithms that apply and whose arithmetic the problem allows. */
    const struct ncl_algo *const *algos;
    int algo_count;
    struct ncl_point start;        /* what runs now: the incumbent to beat, and the yardstick */
    const struct ncl_point *seeds; /* portfolio, most promising first; may hold start */
    int seed_count;
};

/* One finished evaluation: what is written down, and, given back, what a resumed search knows. */
struct ncl_search_note {
    int task;
    struct ncl_point point;
    enum ncl_verdict verdict;
    double seconds;       /* of one launch, corrected for drift */
    double spread;        /* a median absolute deviation that has the start's noise in it */
    double start_seconds; /* of the task's start, timed in turn with it; 0: it was not */
    int samples;          /* trains of launches */
    double cost;          /* seconds of tuning that it took */
    const char *why;
};

struct ncl_search_task {
    struct ncl_point best;
    double start_seconds, best_seconds, spread; /* finalists: timed in turn */
    bool decided; /* the best beats the start by more than the noise */
    int tried[NCL_VERDICT_COUNT];
    bool exhausted;
    struct ncl_point runner_up; /* algo NULL: none */
    double runner_up_seconds;
};

struct ncl_search_progress {
    int task;                           /* that the last evaluation was for */
    double elapsed, budget;             /* seconds */
    double start_seconds, best_seconds; /* of the whole network so far: uses x seconds, summed */
    int trials, rejected;
};

struct ncl_search {
    const struct ncl_task *tasks;
    int task_count;
    const struct ncl_evaluator *evaluator;
    const struct ncl_search_clock *clock;
    uint64_t seed;
    double budget;       /* seconds; <= 0: until exhausted */
    int trials_per_task; /* > 0: instead of the strategy a fixed, seeded sample of so many points
                            per task ("full", the yardstick) */
    bool seeds_only;     /* "quick" on its own: start and portfolio, nothing else */
    /* What an interrupted search of the same seed noted: it is not evaluated again and costs what
     * it cost then, so that the search goes on as if nothing had happened. In the order noted. */
    const struct ncl_search_note *resumed;
    int resumed_count;
    /* Points that must not be tried (tombstones, unless of a start), and points measured by earlier
     * searches, best first per task: the first counts as a seed, the others need no trying. */
    const struct ncl_search_note *known;
    int known_count;
    /* Before a point is given to the evaluator (started: the journal), and after. */
    void (*started)(void *user, int task, const struct ncl_point *point);
    void (*note)(void *user, const struct ncl_search_note *note);
    /* Asked before each batch, of a first look: measurements are shorter. Non-zero: that is enough
     * for now, results are what is known, without finals. May be NULL. */
    int (*enough)(void *user);
    int (*progress)(void *user, const struct ncl_search_progress *progress); /* non-zero: stop, with
                                                                              what there is */
    void *user;
};

/* Is a point, by what was noted of it, faster than its task's start beyond the noise, and beyond
 * the luck of one among many? seed: it is one of few. */
bool ncl_search_is_clear(const struct ncl_search_note *note, double start_seconds, bool seed);

/* results[task_count]. NCL_ERROR_CANCELLED: progress asked to stop; results hold what is known. */
ncl_status ncl_search_run(const struct ncl_log *log, const struct ncl_search *search,
                          struct ncl_search_task *results);

#endif

/* Which algorithm computes a problem, with which parameters. */
#ifndef NCL_PLAN_CHOOSE_H
#define NCL_PLAN_CHOOSE_H

#include "plan/point.h"

struct ncl_choice {
    struct ncl_point point;
    const char *source; /* "default"; "fallback" after a better one failed */
};

/* The attempt-th preferred algorithm that applies, 0 first: by rank, highest first, among those
 * whose arithmetic the problem allows. After the last one the direct fallback keeps its defaults.
 * NCL_ERROR_DEVICE when there is none (left). */
ncl_status ncl_choose(const struct ncl_log *log, const struct ncl_problem *p,
                      const struct ncl_caps *caps, int attempt, struct ncl_choice *choice);

#endif

/* Evaluating points in this process: builds them, runs them into poisoned, guarded memory, compares
 * with the host oracle, times them. The evaluator behind the tuner's worker, and what verifies an
 * imported record on its first use. */
#ifndef NCL_SESSION_TRIAL_H
#define NCL_SESSION_TRIAL_H

#include "cl/device.h"
#include "search/evaluator.h"

struct ncl_trials; /* one device, one list of problems; one thread at a time */

struct ncl_trials_config {
    const struct ncl_device *device;
    const struct ncl_problem *problems; /* trial.task is an index; copied */
    int problem_count;
    double launch_limit; /* seconds a launch may take: over it, TIMEOUT; 0: no limit. GPUs are not
                            even given one that would, by a slice of it */
    size_t
        cold_bytes; /* launches go through copies of the weights of so many bytes in all; 0: one */
};
/* The oracle's result of a problem is computed on first use and kept. */
ncl_status ncl_trials_open(const struct ncl_trials_config *config, struct ncl_trials **trials);
void ncl_trials_close(struct ncl_trials *trials);
void ncl_trials_evaluator(struct ncl_trials *trials, struct ncl_evaluator *evaluator);

#endif

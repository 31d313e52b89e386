/* Trying points that records of others advise: first in the session's worker, where it has one,
 * which may crash and hang; then, in turn with the planner's own point, here, where it is to run.
 */
#ifndef NCL_SESSION_FIRST_USE_H
#define NCL_SESSION_FIRST_USE_H

#include "search/evaluator.h"
#include "session/session.h"

struct ncl_first_use;

/* problems: trial.task is an index; they must outlive it. *done of them: for whoever watches. */
ncl_status ncl_first_use_open(struct ncl_session *session, const struct ncl_problem *problems,
                              int count, const int *done, struct ncl_first_use **use);
void ncl_first_use_close(struct ncl_first_use *use);
/* How many to try at once: a worker that hangs is waited for once for each. */
int ncl_first_use_batch(const struct ncl_first_use *use);
/* Builds, runs and compares them; verdicts tell. Of a worker's failures only NCL_ERROR_CANCELLED
 * and NCL_ERROR_MEMORY are the session's too. */
ncl_status ncl_first_use_try(struct ncl_first_use *use, struct ncl_trial *trials, int count);
bool ncl_first_use_is_apart(const struct ncl_first_use *use);

/* Of one launch, beside the planner's own point. */
struct ncl_first_use_times {
    double seconds, standard_seconds; /* 0: not timed, there is nothing to compare with */
    int samples;
    bool loses; /* by more than noise */
};
/* Times a trial that was good, once. Its verdict changes where it fails here after all. */
ncl_status ncl_first_use_time(struct ncl_first_use *use, struct ncl_trial *trial,
                              const struct ncl_point *standard, struct ncl_first_use_times *times);
void ncl_first_use_forget(struct ncl_first_use *use, const struct ncl_trial *trial);

#endif

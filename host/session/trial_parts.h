/* Inside of the in-process evaluator: guarded memory, a problem's tensors, built kernels, cold
 * weights. */
#ifndef NCL_SESSION_TRIAL_PARTS_H
#define NCL_SESSION_TRIAL_PARTS_H

#include "plan/launch.h"
#include "session/trial.h"

/* ---- trial_guard.c: buffers between guard zones of NaN ---- */

struct ncl_guarded {
    cl_mem parent, mem;
    size_t bytes, guard; /* of the buffer, and of each zone */
};
/* data NULL: all NaN. zone: bytes of each, at least. Free also after a failure. */
ncl_status ncl_guarded_make(const struct ncl_device *device, const void *data, size_t bytes,
                            size_t zone, struct ncl_guarded *buffer);
/* Contents and zones anew. */
ncl_status ncl_guarded_write(const struct ncl_device *device, const struct ncl_guarded *buffer,
                             const void *data);
/* Of several at once, because each wait may take longer than a launch. intact[i]: nothing was
 * written outside. */
ncl_status ncl_guarded_check(const struct ncl_device *device,
                             const struct ncl_guarded *const *buffers, int count, bool *intact);
ncl_status ncl_guarded_read(const struct ncl_device *device, const struct ncl_guarded *buffer,
                            void *data);
void ncl_guarded_free(const struct ncl_device *device, struct ncl_guarded *buffer);

/* ---- trial_data.c: what a problem reads and must write ---- */

struct ncl_trial_data {
    bool made;
    float *expected; /* all of y's buffer, as floats in its order */
    size_t y_count;
    float bound;    /* math fast */
    void *before;   /* y's buffer before a run, where it is written only in part; NULL: NaN */
    void *in_place; /* the residual as y's buffer, for algorithms that may write over it */
    float *weights_data;
    struct ncl_weights weights;
    struct ncl_guarded buffers[NCL_ROLE_COUNT]; /* but for W and WORKSPACE */
    size_t zone;   /* bytes of a guard zone: a row of pixels and more */
    bool spoiled;  /* a trial wrote beside what it reads: to be made again before the next one */
    size_t bytes;  /* on host and device */
    uint64_t used; /* when last */
};
/* Seeded tensors, the oracle's answer, buffers on the device. Free also after a failure. */
ncl_status ncl_trial_data_make(const struct ncl_device *device, const struct ncl_problem *p,
                               struct ncl_trial_data *data);
void ncl_trial_data_free(const struct ncl_device *device, struct ncl_trial_data *data);
/* Compares what y's buffer holds; "" or one line in why. */
ncl_status ncl_trial_data_check(const struct ncl_device *device, const struct ncl_problem *p,
                                const struct ncl_trial_data *data, char *why, size_t room);

/* ---- trial_build.c: kernels, built in parallel, kept while they are of use ---- */

struct ncl_built {
    const struct ncl_algo *algo;
    char *defines;
    cl_program program; /* NULL: not yet, or failed */
    bool failed;
    char error[192];
    int users;
    uint64_t used;
};
struct ncl_builds {
    struct ncl_built **all;
    size_t count, capacity;
    uint64_t clock;
    /* Told of each that is built or failed, by the thread that built it; may be NULL. */
    void (*told)(void *user, const struct ncl_built *built);
    void *user;
};
/* The kernel of a point, not built yet when it is new. NCL_ERROR_MEMORY. */
ncl_status ncl_builds_take(struct ncl_builds *builds, const struct ncl_algo *algo, const int *v,
                           const struct ncl_problem *p, struct ncl_built **built);
void ncl_builds_drop(const struct ncl_device *device, struct ncl_builds *builds,
                     struct ncl_built *built);
/* Builds what is not built. Those that fail are marked. */
void ncl_builds_run(const struct ncl_device *device, struct ncl_builds *builds);
void ncl_builds_free(const struct ncl_device *device, struct ncl_builds *builds);

/* ---- trial_cold.c: weights that the device's caches do not hold ---- */

/* Copies of one trial's packed weights, gone through in turn, so that each launch meets weights
 * that were not touched while `bytes` of others were: in a network all other layers' pass by
 * between two uses. */
struct ncl_cold {
    cl_mem pool;
    size_t pool_bytes;
    uint64_t owner; /* hash of the weights; 0: none */
    uint64_t used;  /* when last */
    cl_mem *copies;
    size_t count, next;
};
/* A problem's start and its candidates are timed in turn: each keeps its copies. */
#define NCL_COLD_POOLS 4
/* The pool that holds these weights; NULL: none does. */
struct ncl_cold *ncl_cold_find(struct ncl_cold *pools, uint64_t owner);
/* The one that was used least recently. */
struct ncl_cold *ncl_cold_oldest(struct ncl_cold *pools);
/* As many copies as fit, at least one. */
ncl_status ncl_cold_fill(const struct ncl_device *device, struct ncl_cold *cold, size_t pool_bytes,
                         uint64_t owner, const void *data, size_t bytes);
/* The copy for the next launch. */
cl_mem ncl_cold_next(struct ncl_cold *cold);
void ncl_cold_free(const struct ncl_device *device, struct ncl_cold *cold);

/* ---- trial.c ---- */

/* A trial that passed and may be timed. */
struct ncl_prepared {
    int task;
    struct ncl_point point;
    struct ncl_built *built;
    uint64_t weights; /* hash of what it packs; 0: nothing */
    double seconds;   /* of the launch that was checked */
};

struct ncl_trials {
    struct ncl_device device; /* the caller's, with a queue of our own and no log: what fails is a
                                 finding, not an error */
    struct ncl_problem *problems;
    struct ncl_trial_data *data; /* one per problem */
    int count;
    double launch_limit;
    size_t cold_bytes, data_bytes;
    uint64_t clock;
    struct ncl_builds builds;
    struct ncl_cold cold[NCL_COLD_POOLS];
    struct ncl_cold outputs; /* of the task that is timed: see trial_time.c */
    struct ncl_prepared *prepared;
    size_t prepared_count, prepared_capacity;
};
/* The tensors of a problem, made when they are needed. */
ncl_status ncl_trials_data(struct ncl_trials *t, int task, struct ncl_trial_data **data);
/* Builds the kernels of trials, in parallel where that pays; preparing them finds them built, or
 * failed. told: of each trial, by its index, when there is nothing left to build for it; from
 * several threads. */
ncl_status ncl_trials_build(struct ncl_trials *t, struct ncl_trial *trials, int count,
                            void (*told)(void *user, int index), void *user);

/* ---- trial_run.c: one run, checked; trial_limit.c: within the limit ---- */

struct ncl_trial_run {
    struct ncl_trials *t;
    const struct ncl_problem *p;
    struct ncl_trial_data *data;
    struct ncl_trial *trial;
    const struct ncl_built *built;
    struct ncl_guarded weights, workspace;
    struct ncl_cold *cold; /* while it is timed: its weights */
    struct ncl_launch launch;
    uint64_t packed_hash;
    double seconds; /* of its launch */
};
/* A new block of *bytes, free. */
ncl_status ncl_trial_pack(const struct ncl_trial_run *run, void **packed, size_t *bytes);
ncl_status ncl_trial_put_workspace(struct ncl_trial_run *run);
void ncl_trial_buffers(const struct ncl_trial_run *run, cl_mem buffers[NCL_ROLE_COUNT]);
/* The output and the workspace as they are before a run. */
ncl_status ncl_trial_reset(const struct ncl_trial_run *run);
/* A launch of the whole, or of what the caller left of it, waited for. Its seconds: without what
 * the driver compiles first, where events tell. */
ncl_status ncl_trial_launch(const struct ncl_trial_run *run, const struct ncl_launch *launch,
                            double *seconds);
/* A launch of the whole whose time the limit allows, as far as can be known before: else the
 * verdict is TIMEOUT. NCL_ERROR_DEVICE, NCL_ERROR_MEMORY: it failed. */
ncl_status ncl_trial_launch_within(struct ncl_trial_run *run);
/* Runs once and sets the verdict. Anything but NCL_OK: not the trial's fault. */
ncl_status ncl_trial_check(struct ncl_trial_run *run);
void ncl_trial_run_free(struct ncl_trial_run *run);
void ncl_trial_blame(struct ncl_trial *trial, enum ncl_verdict verdict, const char *why);
/* What the device refused, or had no memory for, is the trial's fault, unless the device is gone;
 * other failures are passed on. */
ncl_status ncl_trial_refused(struct ncl_trial_run *run, ncl_status status);
/* Is the device gone, rather than displeased with one launch? */
ncl_status ncl_trial_check_device(const struct ncl_trials *t);

/* ---- trial_time.c ---- */

ncl_status ncl_trial_time(struct ncl_trial_run *run, const struct ncl_prepared *prepared,
                          int launches, struct ncl_timing *timings);

#endif

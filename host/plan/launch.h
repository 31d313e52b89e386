/* Bound launches: kernels with their arguments set once, or a library call. */
#ifndef NCL_PLAN_LAUNCH_H
#define NCL_PLAN_LAUNCH_H

#include "algo/algo.h"
#include "cl/device.h"

struct ncl_launch {
    const struct ncl_algo *algo;
    int v[NCL_MAX_TUNABLES];
    struct ncl_problem problem;
    cl_mem buffers[NCL_ROLE_COUNT]; /* not owned */
    struct {
        cl_kernel kernel;
        struct ncl_range range;
        struct ncl_args args;
    } stages[NCL_MAX_STAGES];
    int stage_count; /* 0 with host_run */
};

/* Creates each stage's <kernel>_<suffix> from the program, checks the work-group against the
 * kernel's own limit, sets every argument. A buffer that an argument names must not be NULL.
 * Release with ncl_launch_release, also after a failure. */
ncl_status ncl_launch_bind(const struct ncl_device *device, cl_program program, int suffix,
                           const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                           const cl_mem buffers[NCL_ROLE_COUNT], struct ncl_launch *launch);
/* Replaces one buffer, for inputs and outputs that the caller owns. */
ncl_status ncl_launch_rebind(const struct ncl_device *device, struct ncl_launch *launch,
                             enum ncl_role role, cl_mem buffer);
/* *event: of the last kernel. *first, where it is another one: of the first, else NULL. Either
 * pointer may be NULL. */
ncl_status ncl_launch_enqueue(const struct ncl_device *device, const struct ncl_launch *launch,
                              cl_command_queue queue, cl_uint wait_count, const cl_event *waits,
                              cl_event *first, cl_event *event);
void ncl_launch_release(const struct ncl_device *device, struct ncl_launch *launch);

#endif

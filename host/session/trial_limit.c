/* Launches that the limit allows. On GPUs nobody can end one that takes too long, and the screen
 * may hang with it: there a slice of it is launched first. */
#include "session/trial_parts.h"

#include <math.h>
#include <stdio.h>

/* A slice takes as many work-groups as may run at once, so that its time grows with theirs: no GPU
 * keeps more of them on a compute unit, a CPU's core runs one. And it takes a share of all of them,
 * so that what any launch takes is not multiplied into seconds. */
#define GROUPS_PER_UNIT 32
#define LARGEST_SCALE 256

static size_t slice_groups(const struct ncl_caps *caps, size_t all)
{
    const size_t units = caps->compute_units ? caps->compute_units : 1;
    const size_t full = ncl_caps_is_cpu_like(caps) ? units : units * GROUPS_PER_UNIT;
    const size_t share = all / LARGEST_SCALE;

    return full > share ? full : share + 1;
}

/* At least 1, also of ranges that the driver will refuse. */
static size_t count_groups(const struct ncl_range *range, int axis)
{
    const size_t local = range->local[axis] ? range->local[axis] : 1;

    return range->global[axis] > local ? range->global[axis] / local : 1;
}

/* The range with fewer work-groups. The work-items that are left stay within their buffers,
 * whatever they take for the range's size, and what they write is of no use. Returns how many times
 * the slice the range is; below 2: not worth it. */
static double cut(const struct ncl_caps *caps, struct ncl_range *range)
{
    const size_t counts[3] = {count_groups(range, 0), count_groups(range, 1),
                              count_groups(range, 2)};
    const size_t all = counts[0] * counts[1] * counts[2];
    size_t room = slice_groups(caps, all), left = 1;

    for (int i = 0; i < 3; i++) {
        const size_t keep = counts[i] < room ? counts[i] : room;

        range->global[i] = keep * range->local[i];
        left *= keep;
        if (keep > 1)
            room /= keep;
    }
    return (double)all / (double)left;
}

/* By slices of all stages that are worth one; 0: none is. */
static ncl_status estimate(const struct ncl_trial_run *run, double *seconds)
{
    ncl_status status = NCL_OK;

    *seconds = 0;
    for (int i = 0; status == NCL_OK && i < run->launch.stage_count; i++) {
        struct ncl_launch slice = run->launch;
        double scale, taken = 0;

        slice.stages[0] = run->launch.stages[i];
        slice.stage_count = 1;
        scale = cut(&run->t->device.caps, &slice.stages[0].range);
        if (scale >= 2)
            status = ncl_trial_launch(run, &slice, &taken);
        *seconds += taken * scale;
    }
    return status;
}

static bool exceeds(const struct ncl_trial_run *run, double seconds)
{
    return run->t->launch_limit > 0 && seconds > run->t->launch_limit;
}

/* The first time may hold what the driver compiled, or a pause of this process. */
static ncl_status estimate_twice(const struct ncl_trial_run *run, double *seconds)
{
    double again = 0;
    ncl_status status = estimate(run, seconds);

    if (status == NCL_OK && exceeds(run, *seconds)) {
        status = estimate(run, &again);
        *seconds = fmin(*seconds, again);
    }
    if (status == NCL_OK && *seconds > 0)
        status = ncl_trial_reset(run);
    return status;
}

static void blame(struct ncl_trial_run *run, const char *takes, double seconds)
{
    char why[96];

    snprintf(why, sizeof why, "a launch %s %.3g s, the limit is %.3g s", takes, seconds,
             run->t->launch_limit);
    ncl_trial_blame(run->trial, NCL_VERDICT_TIMEOUT, why);
}

/* One that took longer than the limit: a slice tells whether it was the kernel, or else another
 * launch. */
static ncl_status launch_again(struct ncl_trial_run *run)
{
    double estimated = 0;
    ncl_status status = ncl_trial_reset(run);

    if (status == NCL_OK)
        status = estimate_twice(run, &estimated);
    if (status == NCL_OK && !exceeds(run, estimated))
        status = ncl_trial_launch(run, &run->launch, &run->seconds);
    if (status == NCL_OK && exceeds(run, run->seconds))
        blame(run, "takes", run->seconds);
    return status;
}

ncl_status ncl_trial_launch_within(struct ncl_trial_run *run)
{
    const bool first = run->t->launch_limit > 0 && !ncl_caps_is_cpu_like(&run->t->device.caps);
    double estimated = 0;
    ncl_status status = first ? estimate_twice(run, &estimated) : NCL_OK;

    if (status == NCL_OK && exceeds(run, estimated)) {
        blame(run, "would take about", estimated);
        return NCL_OK;
    }
    if (status == NCL_OK)
        status = ncl_trial_launch(run, &run->launch, &run->seconds);
    return status == NCL_OK && exceeds(run, run->seconds) ? launch_again(run) : status;
}

#include "session/trial_parts.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

void ncl_trial_blame(struct ncl_trial *trial, enum ncl_verdict verdict, const char *why)
{
    trial->verdict = verdict;
    snprintf(trial->why, sizeof trial->why, "%s", why);
}

/* Is the device gone, rather than displeased with one launch? */
ncl_status ncl_trial_check_device(const struct ncl_trials *t)
{
    const uint32_t word = 0;
    cl_mem buffer = NULL;
    ncl_status status = ncl_buffer_create(&t->device, CL_MEM_READ_WRITE, sizeof word, &buffer);

    if (status == NCL_OK)
        status = ncl_buffer_write(&t->device, buffer, 0, &word, sizeof word);
    ncl_buffer_release(&t->device, &buffer);
    return status == NCL_OK ? NCL_OK
                            : ncl_fail_within(status, "the device is lost after a failed launch");
}

/* What an algorithm of this problem may do with the residual's memory, the session lets it do. */
static bool runs_in_place(const struct ncl_problem *p, const struct ncl_point *point)
{
    return p->epilogue.residual && !p->y_images &&
           (!point->algo->residual_may_alias || point->algo->residual_may_alias(point->v, p));
}

void ncl_trial_buffers(const struct ncl_trial_run *run, cl_mem buffers[NCL_ROLE_COUNT])
{
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        buffers[i] = run->data->buffers[i].mem;
    if (runs_in_place(run->p, &run->trial->point))
        buffers[NCL_ARG_RESIDUAL] = buffers[NCL_ARG_Y];
    buffers[NCL_ARG_W] = run->weights.mem;
    buffers[NCL_ARG_WORKSPACE] = run->workspace.mem;
}

/* A new block of *bytes, free. */
ncl_status ncl_trial_pack(const struct ncl_trial_run *run, void **packed, size_t *bytes)
{
    const struct ncl_point *point = &run->trial->point;

    *bytes = ncl_algo_packed_bytes(point->algo, point->v, run->p);
    *packed = ncl_alloc_aligned(*bytes, 1);
    if (*packed && ncl_algo_pack(point->algo, point->v, run->p, &run->data->weights, *packed))
        return NCL_OK;
    free(*packed);
    *packed = NULL;
    return ncl_fail_memory(NULL, "packed weights");
}

static ncl_status put_weights(struct ncl_trial_run *run)
{
    void *packed = NULL;
    size_t bytes = 0;
    ncl_status status;

    if (run->p->kind != NCL_PROBLEM_CONV)
        return NCL_OK;
    status = ncl_trial_pack(run, &packed, &bytes);
    if (status != NCL_OK)
        return status;
    run->packed_hash = ncl_hash_bytes(packed, bytes).low | 1;
    status = ncl_guarded_make(&run->t->device, packed, bytes, &run->weights);
    free(packed);
    return status;
}

ncl_status ncl_trial_put_workspace(struct ncl_trial_run *run)
{
    const struct ncl_point *point = &run->trial->point;
    const size_t bytes = ncl_algo_workspace(point->algo, point->v, run->p) * sizeof(float);

    return bytes ? ncl_guarded_make(&run->t->device, NULL, bytes, &run->workspace) : NCL_OK;
}

static ncl_status reset_output(const struct ncl_trial_run *run)
{
    const void *before =
        runs_in_place(run->p, &run->trial->point) ? run->data->in_place : run->data->before;

    return ncl_guarded_write(&run->t->device, &run->data->buffers[NCL_ARG_Y], before);
}

/* Seconds of one launch, waited for. The event does not count what the driver compiles first;
 * without one a second launch tells, unless the first was too long for any compiler. */
static ncl_status launch_once(const struct ncl_trial_run *run, double *seconds)
{
    const struct ncl_device *device = &run->t->device;
    const uint64_t before = ncl_clock_ns();
    cl_event first = NULL, last = NULL;
    uint64_t ns = 0;
    cl_int code = CL_SUCCESS;
    ncl_status status =
        ncl_launch_enqueue(device, &run->launch, device->queue, 0, NULL, &first, &last);

    if (last)
        code = device->cl->WaitForEvents(1, &last);
    if (!code)
        code = device->cl->Finish(device->queue);
    if (status == NCL_OK && code)
        status = ncl_cl_fail(NULL, "waiting for the kernel", code);
    if (status != NCL_OK || run->built->algo->host_run ||
        !ncl_event_span_ns(device, first ? first : last, last, &ns))
        ns = ncl_clock_ns() - before;
    *seconds = (double)ns * 1e-9;
    if (first)
        device->cl->ReleaseEvent(first);
    if (last)
        device->cl->ReleaseEvent(last);
    return status;
}

static ncl_status judge(struct ncl_trial_run *run)
{
    char why[sizeof run->trial->why] = "";
    bool intact = true;
    ncl_status status = ncl_trial_data_check(&run->t->device, run->p, run->data, why, sizeof why);

    if (status == NCL_OK && run->workspace.mem)
        status = ncl_guarded_read(&run->t->device, &run->workspace, NULL, &intact);
    if (status == NCL_OK && !intact)
        snprintf(why, sizeof why, "wrote outside of the workspace");
    if (status == NCL_OK && run->weights.mem)
        status = ncl_guarded_read(&run->t->device, &run->weights, NULL, &intact);
    if (status == NCL_OK && !intact)
        snprintf(why, sizeof why, "wrote beside the weights");
    if (status == NCL_OK && why[0])
        ncl_trial_blame(run->trial, NCL_VERDICT_WRONG, why);
    return status;
}

static void check_seconds(struct ncl_trial_run *run, double seconds)
{
    char why[96];

    if (run->t->launch_limit <= 0 || seconds <= run->t->launch_limit)
        return;
    snprintf(why, sizeof why, "a launch takes %.3g s, the limit is %.3g s", seconds,
             run->t->launch_limit);
    ncl_trial_blame(run->trial, NCL_VERDICT_TIMEOUT, why);
}

static ncl_status launch_and_judge(struct ncl_trial_run *run)
{
    double seconds = 0;
    ncl_status status = launch_once(run, &seconds);

    if (status != NCL_OK) {
        ncl_trial_blame(run->trial, NCL_VERDICT_LAUNCH, ncl_error_text());
        return ncl_trial_check_device(run->t);
    }
    run->seconds = seconds;
    check_seconds(run, seconds);
    return run->trial->verdict == NCL_VERDICT_GOOD ? judge(run) : NCL_OK;
}

ncl_status ncl_trial_check(struct ncl_trial_run *run)
{
    const struct ncl_point *point = &run->trial->point;
    cl_mem buffers[NCL_ROLE_COUNT];
    ncl_status status = put_weights(run);

    if (status == NCL_OK)
        status = reset_output(run);
    if (status != NCL_OK)
        return status;
    if (ncl_trial_put_workspace(run) != NCL_OK) {
        ncl_trial_blame(run->trial, NCL_VERDICT_LAUNCH, ncl_error_text());
        return NCL_OK;
    }
    ncl_trial_buffers(run, buffers);
    if (ncl_launch_bind(&run->t->device, run->built->program, 0, point->algo, point->v, run->p,
                        buffers, &run->launch) != NCL_OK) {
        ncl_trial_blame(run->trial, NCL_VERDICT_BUILD, ncl_error_text());
        return NCL_OK;
    }
    return launch_and_judge(run);
}

void ncl_trial_run_free(struct ncl_trial_run *run)
{
    ncl_launch_release(&run->t->device, &run->launch);
    ncl_guarded_free(&run->t->device, &run->weights);
    ncl_guarded_free(&run->t->device, &run->workspace);
}

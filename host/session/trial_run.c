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
    status = ncl_guarded_make(&run->t->device, packed, bytes, run->data->zone, &run->weights);
    free(packed);
    return status;
}

ncl_status ncl_trial_put_workspace(struct ncl_trial_run *run)
{
    const struct ncl_point *point = &run->trial->point;
    const size_t bytes = ncl_algo_workspace(point->algo, point->v, run->p) * sizeof(float);

    return bytes ? ncl_guarded_make(&run->t->device, NULL, bytes, run->data->zone, &run->workspace)
                 : NCL_OK;
}

static ncl_status reset_output(const struct ncl_trial_run *run)
{
    const void *before =
        runs_in_place(run->p, &run->trial->point) ? run->data->in_place : run->data->before;

    return ncl_guarded_write(&run->t->device, &run->data->buffers[NCL_ARG_Y], before);
}

ncl_status ncl_trial_reset(const struct ncl_trial_run *run)
{
    const ncl_status status = reset_output(run);

    return status == NCL_OK && run->workspace.mem
               ? ncl_guarded_write(&run->t->device, &run->workspace, NULL)
               : status;
}

ncl_status ncl_trial_launch(const struct ncl_trial_run *run, const struct ncl_launch *launch,
                            double *seconds)
{
    const struct ncl_device *device = &run->t->device;
    const uint64_t before = ncl_clock_ns();
    cl_event first = NULL, last = NULL;
    uint64_t ns = 0;
    cl_int code = CL_SUCCESS;
    ncl_status status = ncl_launch_enqueue(device, launch, device->queue, 0, NULL, &first, &last);

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

static const struct ncl_guarded *guarded(const struct ncl_trial_run *run, enum ncl_role role)
{
    if (role == NCL_ARG_W)
        return &run->weights;
    return role == NCL_ARG_WORKSPACE ? &run->workspace : &run->data->buffers[role];
}

static const char *const places[NCL_ROLE_COUNT] = {
    [NCL_ARG_X] = "beside the input",
    [NCL_ARG_Z] = "beside the second input",
    [NCL_ARG_W] = "beside the weights",
    [NCL_ARG_BIAS] = "beside the biases",
    [NCL_ARG_SCALE] = "beside the scales",
    [NCL_ARG_SHIFT] = "beside the shifts",
    [NCL_ARG_RESIDUAL] = "beside the residual",
    [NCL_ARG_Y] = "outside of the output",
    [NCL_ARG_WORKSPACE] = "outside of the workspace",
};

/* All zones there are: a write before one tensor may lie behind another. "" or one line in why. */
static ncl_status check_zones(const struct ncl_trial_run *run, char *why, size_t room)
{
    const struct ncl_guarded *buffers[NCL_ROLE_COUNT];
    enum ncl_role roles[NCL_ROLE_COUNT];
    bool intact[NCL_ROLE_COUNT];
    int count = 0;
    ncl_status status;

    for (int i = 0; i < NCL_ROLE_COUNT; i++) {
        buffers[count] = guarded(run, (enum ncl_role)i);
        roles[count] = (enum ncl_role)i;
        count += buffers[count]->mem != NULL;
    }
    status = ncl_guarded_check(&run->t->device, buffers, count, intact);
    for (int i = 0; status == NCL_OK && i < count; i++) {
        if (intact[i])
            continue;
        if (!why[0])
            snprintf(why, room, "wrote %s", places[roles[i]]);
        /* What other trials read too may be spoiled inside as well. */
        run->data->spoiled |= buffers[i] == &run->data->buffers[roles[i]] && roles[i] != NCL_ARG_Y;
    }
    return status;
}

static ncl_status judge(struct ncl_trial_run *run)
{
    char why[sizeof run->trial->why] = "";
    ncl_status status = check_zones(run, why, sizeof why);

    if (status == NCL_OK && !why[0])
        status = ncl_trial_data_check(&run->t->device, run->p, run->data, why, sizeof why);
    if (status == NCL_OK && why[0])
        ncl_trial_blame(run->trial, NCL_VERDICT_WRONG, why);
    return status;
}

ncl_status ncl_trial_refused(struct ncl_trial_run *run, ncl_status status)
{
    if (status != NCL_ERROR_DEVICE && status != NCL_ERROR_MEMORY)
        return status;
    ncl_trial_blame(run->trial, NCL_VERDICT_LAUNCH, ncl_error_text());
    return ncl_trial_check_device(run->t);
}

static ncl_status launch_and_judge(struct ncl_trial_run *run)
{
    const ncl_status status = ncl_trial_launch_within(run);

    if (status != NCL_OK)
        return ncl_trial_refused(run, status);
    return run->trial->verdict == NCL_VERDICT_GOOD ? judge(run) : NCL_OK;
}

ncl_status ncl_trial_check(struct ncl_trial_run *run)
{
    const struct ncl_point *point = &run->trial->point;
    cl_mem buffers[NCL_ROLE_COUNT];
    ncl_status status = reset_output(run);

    if (status != NCL_OK)
        return status;
    status = put_weights(run);
    if (status == NCL_OK)
        status = ncl_trial_put_workspace(run);
    if (status != NCL_OK)
        return ncl_trial_refused(run, status);
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

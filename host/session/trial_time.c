#include "session/trial_parts.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* Copies of the trial's weights. */
static ncl_status need_weights(struct ncl_trial_run *run, const struct ncl_prepared *prepared)
{
    struct ncl_trials *t = run->t;
    void *packed = NULL;
    size_t bytes = 0;
    ncl_status status = NCL_OK;

    if (!prepared->weights)
        return NCL_OK;
    run->cold = ncl_cold_find(t->cold, prepared->weights);
    if (!run->cold) {
        status = ncl_trial_pack(run, &packed, &bytes);
        if (status == NCL_OK)
            status = ncl_cold_fill(&t->device, ncl_cold_oldest(t->cold), t->cold_bytes,
                                   prepared->weights, packed, bytes);
        free(packed);
        run->cold = ncl_cold_find(t->cold, prepared->weights);
    }
    if (run->cold)
        run->cold->used = ++t->clock;
    return status;
}

/* A network's layers write memory that was last touched some layers ago, of some megabytes that
 * they share; writing the same output again and again would find it in the nearest cache. The
 * residual that a layer writes over is as far away. */
#define OUTPUT_BYTES ((size_t)8 << 20)

static ncl_status need_outputs(struct ncl_trial_run *run, int task)
{
    struct ncl_trials *t = run->t;
    const size_t bytes = run->data->buffers[NCL_ARG_Y].bytes;
    const void *before = run->data->in_place ? run->data->in_place : run->data->before;
    void *zeros = before ? NULL : ncl_alloc(bytes, 1);
    ncl_status status;

    if (!before && !zeros)
        return ncl_fail_memory(NULL, "outputs");
    status = ncl_cold_fill(&t->device, &t->outputs, t->cold_bytes ? OUTPUT_BYTES : 0,
                           (uint64_t)task + 1, before ? before : zeros, bytes);
    free(zeros);
    return status;
}

struct train {
    cl_event *first, *last; /* of each launch */
    int count, warm;        /* all of them, and those before it counts */
};

static ncl_status next_output(struct ncl_trial_run *run)
{
    const cl_mem output = ncl_cold_next(&run->t->outputs);
    const bool in_place = run->launch.buffers[NCL_ARG_RESIDUAL] == run->launch.buffers[NCL_ARG_Y];
    ncl_status status = ncl_launch_rebind(&run->t->device, &run->launch, NCL_ARG_Y, output);

    if (status == NCL_OK && in_place)
        status = ncl_launch_rebind(&run->t->device, &run->launch, NCL_ARG_RESIDUAL, output);
    return status;
}

static ncl_status enqueue_train(struct ncl_trial_run *run, struct train *train)
{
    const struct ncl_device *device = &run->t->device;
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < train->count; i++) {
        if (run->cold)
            status = ncl_launch_rebind(device, &run->launch, NCL_ARG_W, ncl_cold_next(run->cold));
        if (status == NCL_OK)
            status = next_output(run);
        if (status == NCL_OK)
            status = ncl_launch_enqueue(device, &run->launch, device->queue, 0, NULL,
                                        &train->first[i], &train->last[i]);
    }
    return status;
}

/* Events of a train cannot take longer than it did; clocks may err by a twentieth. */
static void read_train(const struct ncl_trial_run *run, const struct train *train, double wall,
                       struct ncl_timing *timings)
{
    double sum = 0;

    for (int i = 0; i < train->count; i++) {
        const cl_event first = train->first[i] ? train->first[i] : train->last[i];
        uint64_t ns = 0;

        if (!run->t->device.profiling || run->built->algo->host_run ||
            !ncl_event_span_ns(&run->t->device, first, train->last[i], &ns))
            ns = 0;
        sum += (double)ns * 1e-9;
        if (i >= train->warm)
            timings[i - train->warm] = (struct ncl_timing){(double)ns * 1e-9, wall / train->count};
    }
    for (int i = 0; i < train->count - train->warm && sum > wall * 1.05; i++)
        timings[i].device = 0;
}

static void free_train(const struct ncl_device *device, struct train *train)
{
    for (int i = 0; train->first && i < 2 * train->count; i++)
        if (train->first[i])
            device->cl->ReleaseEvent(train->first[i]);
    free(train->first);
}

static ncl_status run_train(struct ncl_trial_run *run, int warm, int launches,
                            struct ncl_timing *timings)
{
    const struct ncl_device *device = &run->t->device;
    struct train train = {.count = warm + launches, .warm = warm};
    uint64_t before;
    ncl_status status;
    cl_int code;

    train.first = ncl_alloc(2 * (size_t)train.count + 1, sizeof(cl_event));
    if (!train.first)
        return ncl_fail_memory(NULL, "a train of launches");
    train.last = train.first + train.count;
    before = ncl_clock_ns();
    status = enqueue_train(run, &train);
    code = device->cl->Finish(device->queue);
    if (status == NCL_OK && code)
        status = ncl_cl_fail(NULL, "clFinish", code);
    if (status == NCL_OK)
        read_train(run, &train, (double)(ncl_clock_ns() - before) * 1e-9, timings);
    free_train(device, &train);
    return status;
}

/* A train sets out before it counts. One launch brings the pixels into the caches, where the layer
 * before leaves them in a network. And a CPU's scheduler, which often wakes the driver's threads on
 * one core, needs a few of its ticks to spread them: short trains from rest took twice as long as
 * the network's launches. */
#define WARM_SECONDS 6e-3
#define MOST_WARM 100

static int warm_launches(const struct ncl_trial_run *run, double seconds)
{
    const double wanted = seconds > 0 ? WARM_SECONDS / seconds : 1;

    if (!ncl_caps_is_cpu_like(&run->t->device.caps) || wanted <= 1)
        return 1;
    return wanted < MOST_WARM ? (int)wanted : MOST_WARM;
}

/* All that it needs, bound. */
static ncl_status get_ready(struct ncl_trial_run *run, const struct ncl_prepared *prepared)
{
    const struct ncl_point *point = &run->trial->point;
    cl_mem buffers[NCL_ROLE_COUNT];
    ncl_status status = need_weights(run, prepared);

    if (status == NCL_OK)
        status = ncl_trial_put_workspace(run);
    if (status == NCL_OK && run->t->outputs.owner != (uint64_t)prepared->task + 1)
        status = need_outputs(run, prepared->task);
    if (status != NCL_OK)
        return status;
    ncl_trial_buffers(run, buffers);
    if (run->cold)
        buffers[NCL_ARG_W] = ncl_cold_next(run->cold);
    return ncl_launch_bind(&run->t->device, run->built->program, 0, point->algo, point->v, run->p,
                           buffers, &run->launch);
}

ncl_status ncl_trial_time(struct ncl_trial_run *run, const struct ncl_prepared *prepared,
                          int launches, struct ncl_timing *timings)
{
    ncl_status status = ncl_trials_data(run->t, prepared->task, &run->data);

    if (status != NCL_OK)
        return status;
    status = get_ready(run, prepared);
    if (status == NCL_OK)
        status = run_train(run, warm_launches(run, prepared->seconds), launches, timings);
    return status == NCL_OK ? NCL_OK : ncl_trial_refused(run, status);
}

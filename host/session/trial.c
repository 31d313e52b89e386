#include "session/trial_parts.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Problems' tensors that are kept, on host and device together; the least recently used go first
 * and are made again when they are needed. */
#define MOST_DATA_BYTES ((size_t)1 << 30)

/* ---- opening ---- */

static ncl_status open_queue(struct ncl_trials *t)
{
    const cl_command_queue_properties properties[2] = {CL_QUEUE_PROFILING_ENABLE, 0};
    cl_int code = CL_INVALID_QUEUE_PROPERTIES;

    t->device.queue = NULL;
    for (int i = 0; i < 2 && code; i++) {
        t->device.queue =
            t->device.cl->CreateCommandQueue(t->device.context, t->device.id, properties[i], &code);
        t->device.profiling = i == 0;
    }
    t->device.in_order = true;
    if (!code)
        return NCL_OK;
    t->device.queue = NULL;
    return ncl_cl_fail(NULL, "creating a queue", code);
}

/* All pools together take a quarter of the memory there is, at most. */
static size_t cold_limit(const struct ncl_caps *caps, size_t wanted)
{
    uint64_t most = caps->global_memory / 4 / NCL_COLD_POOLS;

    most = caps->max_allocation < most ? caps->max_allocation : most;
    return wanted < most ? wanted : (size_t)most;
}

ncl_status ncl_trials_open(const struct ncl_trials_config *config, struct ncl_trials **trials)
{
    struct ncl_trials *t = ncl_alloc(1, sizeof *t);
    ncl_status status;

    *trials = NULL;
    if (!t)
        return ncl_fail_memory(config->device->log, "trials");
    t->device = *config->device;
    t->device.log = NULL;
    t->count = config->problem_count;
    t->launch_limit = config->launch_limit;
    t->cold_bytes = cold_limit(&t->device.caps, config->cold_bytes);
    status = open_queue(t);
    t->problems = ncl_alloc((size_t)t->count + 1, sizeof *t->problems);
    t->data = ncl_alloc((size_t)t->count + 1, sizeof *t->data);
    if (status == NCL_OK && (!t->problems || !t->data))
        status = ncl_fail_memory(config->device->log, "trials");
    if (status != NCL_OK) {
        ncl_trials_close(t);
        return status;
    }
    memcpy(t->problems, config->problems, (size_t)t->count * sizeof *t->problems);
    *trials = t;
    return NCL_OK;
}

void ncl_trials_close(struct ncl_trials *t)
{
    if (!t)
        return;
    if (t->device.queue)
        t->device.cl->Finish(t->device.queue);
    for (int i = 0; t->data && i < t->count; i++)
        ncl_trial_data_free(&t->device, &t->data[i]);
    for (int i = 0; i < NCL_COLD_POOLS; i++)
        ncl_cold_free(&t->device, &t->cold[i]);
    ncl_cold_free(&t->device, &t->outputs);
    ncl_builds_free(&t->device, &t->builds);
    if (t->device.queue)
        t->device.cl->ReleaseCommandQueue(t->device.queue);
    free(t->prepared);
    free(t->problems);
    free(t->data);
    free(t);
}

/* ---- a problem's tensors ---- */

static void drop_data(struct ncl_trials *t, int task)
{
    t->data_bytes -= t->data[task].bytes;
    ncl_trial_data_free(&t->device, &t->data[task]);
}

static void make_room(struct ncl_trials *t, int task)
{
    while (t->data_bytes > MOST_DATA_BYTES) {
        int oldest = -1;

        for (int i = 0; i < t->count; i++)
            if (i != task && t->data[i].made &&
                (oldest < 0 || t->data[i].used < t->data[oldest].used))
                oldest = i;
        if (oldest < 0)
            return;
        drop_data(t, oldest);
    }
}

ncl_status ncl_trials_data(struct ncl_trials *t, int task, struct ncl_trial_data **data)
{
    ncl_status status = NCL_OK;

    *data = &t->data[task];
    if (t->data[task].spoiled)
        drop_data(t, task);
    if (!t->data[task].made) {
        status = ncl_trial_data_make(&t->device, &t->problems[task], &t->data[task]);
        if (status != NCL_OK) {
            ncl_trial_data_free(&t->device, &t->data[task]);
            return status;
        }
        t->data_bytes += t->data[task].bytes;
        make_room(t, task);
    }
    t->data[task].used = ++t->clock;
    return status;
}

/* ---- the evaluator's calls ---- */

static bool same_trial(const struct ncl_prepared *prepared, const struct ncl_trial *trial)
{
    return prepared->task == trial->task && prepared->point.algo == trial->point.algo &&
           memcmp(prepared->point.v, trial->point.v, sizeof trial->point.v) == 0;
}

static struct ncl_prepared *find_prepared(struct ncl_trials *t, const struct ncl_trial *trial)
{
    for (size_t i = 0; i < t->prepared_count; i++)
        if (same_trial(&t->prepared[i], trial))
            return &t->prepared[i];
    return NULL;
}

static void forget(void *self, const struct ncl_trial *trial)
{
    struct ncl_trials *t = self;
    struct ncl_prepared *prepared = find_prepared(t, trial);

    if (!prepared)
        return;
    ncl_builds_drop(&t->device, &t->builds, prepared->built);
    *prepared = t->prepared[--t->prepared_count];
}

/* Only what passed is kept. */
static ncl_status keep(const struct ncl_trial_run *run, struct ncl_built *built)
{
    struct ncl_trials *t = run->t;

    if (run->trial->verdict == NCL_VERDICT_GOOD &&
        !ncl_grow((void **)&t->prepared, &t->prepared_capacity, t->prepared_count,
                  sizeof *t->prepared))
        return ncl_fail_memory(NULL, "a prepared trial");
    if (run->trial->verdict == NCL_VERDICT_GOOD)
        t->prepared[t->prepared_count++] = (struct ncl_prepared){
            run->trial->task, run->trial->point, built, run->packed_hash, run->seconds};
    else
        ncl_builds_drop(&t->device, &t->builds, built);
    return NCL_OK;
}

static ncl_status prepare_one(struct ncl_trials *t, struct ncl_trial *trial,
                              struct ncl_built *built)
{
    struct ncl_trial_run run = {
        .t = t, .p = &t->problems[trial->task], .trial = trial, .built = built};
    ncl_status status = NCL_OK;

    if (built->failed)
        ncl_trial_blame(trial, NCL_VERDICT_BUILD, built->error);
    else
        status = ncl_trials_data(t, trial->task, &run.data);
    if (status == NCL_OK && !built->failed)
        status = ncl_trial_check(&run);
    ncl_trial_run_free(&run);
    if (status == NCL_OK)
        return keep(&run, built);
    ncl_builds_drop(&t->device, &t->builds, built);
    return status;
}

/* The kernels of what is not prepared already; built[i] stays NULL where it is. */
static ncl_status take_kernels(struct ncl_trials *t, struct ncl_trial *trials, int count,
                               struct ncl_built **built)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < count; i++) {
        ncl_trial_blame(&trials[i], NCL_VERDICT_GOOD, "");
        if (!find_prepared(t, &trials[i]))
            status = ncl_builds_take(&t->builds, trials[i].point.algo, trials[i].point.v,
                                     &t->problems[trials[i].task], &built[i]);
    }
    return status;
}

/* Whose trials wait for which kernels. */
struct waiting {
    struct ncl_built **built;
    int count;
    void (*told)(void *user, int index);
    void *user;
};

static void tell(void *user, const struct ncl_built *built)
{
    const struct waiting *waiting = user;

    for (int i = 0; i < waiting->count; i++)
        if (waiting->built[i] == built)
            waiting->told(waiting->user, i);
}

/* Of trials that need no building: prepared, or with a kernel that is there. */
static void tell_ready(const struct waiting *waiting)
{
    for (int i = 0; i < waiting->count; i++) {
        const struct ncl_built *built = waiting->built[i];

        if (!built || built->program || built->failed || built->algo->host_run)
            waiting->told(waiting->user, i);
    }
}

ncl_status ncl_trials_build(struct ncl_trials *t, struct ncl_trial *trials, int count,
                            void (*told)(void *user, int index), void *user)
{
    struct ncl_built **built = ncl_alloc((size_t)count + 1, sizeof(struct ncl_built *));
    struct waiting waiting = {built, count, told, user};
    ncl_status status = built ? NCL_OK : ncl_fail_memory(NULL, "trials");

    if (status == NCL_OK)
        status = take_kernels(t, trials, count, built);
    if (status == NCL_OK) {
        tell_ready(&waiting);
        t->builds.told = tell;
        t->builds.user = &waiting;
        ncl_builds_run(&t->device, &t->builds);
        t->builds.told = NULL;
    }
    for (int i = 0; built && i < count; i++)
        if (built[i])
            ncl_builds_drop(&t->device, &t->builds, built[i]);
    free(built);
    return status;
}

static ncl_status prepare(void *self, struct ncl_trial *trials, int count)
{
    struct ncl_trials *t = self;
    struct ncl_built **built = ncl_alloc((size_t)count + 1, sizeof(struct ncl_built *));
    ncl_status status = NCL_OK;

    if (!built)
        return ncl_fail_memory(NULL, "trials");
    status = take_kernels(t, trials, count, built);
    if (status == NCL_OK)
        ncl_builds_run(&t->device, &t->builds);
    for (int i = 0; i < count; i++) {
        if (status == NCL_OK && built[i])
            status = prepare_one(t, &trials[i], built[i]);
        else if (built[i])
            ncl_builds_drop(&t->device, &t->builds, built[i]);
    }
    free(built);
    return status;
}

static ncl_status time_trial(void *self, struct ncl_trial *trial, int launches,
                             struct ncl_timing *timings)
{
    struct ncl_trials *t = self;
    const struct ncl_prepared *prepared = find_prepared(t, trial);
    struct ncl_trial_run run = {.t = t, .p = &t->problems[trial->task], .trial = trial};
    ncl_status status;

    if (!prepared)
        return ncl_fail(NULL, NCL_ERROR_USAGE, "a trial is timed that was not prepared");
    run.built = prepared->built;
    status = ncl_trial_time(&run, prepared, launches, timings);
    ncl_trial_run_free(&run);
    return status;
}

void ncl_trials_evaluator(struct ncl_trials *trials, struct ncl_evaluator *evaluator)
{
    *evaluator = (struct ncl_evaluator){trials, prepare, time_trial, forget};
}

/* Failures that need not be the candidate's fault. A tombstone is for good, so that whoever failed
 * is looked at twice: does anything compile here, was the process killed from outside? */
#include "session/tune_parts.h"

#include "base/clock.h"
#include "cl/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A compiler that worked a moment ago, in seconds, is believed. */
#define BELIEVED_SECONDS 2.0

static ncl_status launch(const struct ncl_device *device, cl_program program, uint32_t *answer)
{
    const size_t one = 1;
    cl_mem out = NULL;
    cl_kernel kernel = NULL;
    cl_int code = CL_SUCCESS;
    ncl_status status = ncl_buffer_create(device, CL_MEM_READ_WRITE, sizeof *answer, &out);

    if (status == NCL_OK)
        kernel = device->cl->CreateKernel(program, "ncl_alive", &code);
    if (kernel)
        code = device->cl->SetKernelArg(kernel, 0, sizeof out, &out);
    if (kernel && code == CL_SUCCESS)
        code = device->cl->EnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &one, &one, 0, NULL,
                                                NULL);
    if (status == NCL_OK && code != CL_SUCCESS)
        status = ncl_cl_fail(NULL, "running a kernel", code);
    if (status == NCL_OK)
        status = ncl_buffer_read(device, out, 0, answer, sizeof *answer);
    if (kernel)
        device->cl->ReleaseKernel(kernel);
    ncl_buffer_release(device, &out);
    return status;
}

/* A program that no cache can hold, built and run. */
static ncl_status compile_something(const struct ncl_device *device)
{
    const uint64_t now = ncl_clock_ns();
    const uint32_t wanted = (uint32_t)now ^ (uint32_t)(now >> 32);
    struct ncl_device uncached = *device;
    char source[256];
    cl_program program = NULL;
    uint32_t answer = ~wanted;
    ncl_status status;

    uncached.log = NULL;
    uncached.binaries = (struct ncl_binary_cache){NULL, NULL, NULL};
    snprintf(source, sizeof source,
             "/* %" PRIu64 " %ld */ __kernel void ncl_alive(__global uint *out) { out[0] = %" PRIu32
             "u; }",
             now, (long)getpid(), wanted);
    status = ncl_program_build(&uncached, source, NCL_BUILD_OPTIONS, &program);
    if (status == NCL_OK)
        status = launch(&uncached, program, &answer);
    ncl_program_release(&uncached, &program);
    if (status == NCL_OK && answer != wanted)
        status = ncl_fail(NULL, NCL_ERROR_DEVICE, "a kernel that writes a number wrote another");
    return status;
}

static bool is_of_compiler(enum ncl_verdict verdict)
{
    return verdict == NCL_VERDICT_BUILD || verdict == NCL_VERDICT_LAUNCH;
}

/* Where no candidate of a batch could be built or launched, they may all be innocent: a full disk
 * keeps drivers from compiling anything. */
static ncl_status check_compiler(struct ncl_tuning *t, const struct ncl_trial *trials, int count)
{
    const double now = ncl_tune_elapsed(t);
    char why[256];

    for (int i = 0; i < count; i++)
        if (!is_of_compiler(trials[i].verdict))
            return NCL_OK;
    if (t->compiled_at > 0 && now - t->compiled_at < BELIEVED_SECONDS)
        return NCL_OK;
    if (compile_something(&t->device) == NCL_OK) {
        t->compiled_at = ncl_tune_elapsed(t);
        return NCL_OK;
    }
    snprintf(why, sizeof why, "%s", ncl_error_text());
    return ncl_fail(t->log, NCL_ERROR_DEVICE,
                    "the device's driver no longer compiles or runs even the smallest kernel (%s): "
                    "no candidate was blamed for it; is the disk with its cache full?",
                    why);
}

/* Was it right before, in this run or an earlier one? Starts of sessions are. */
static bool is_known_good(const struct ncl_tune_net *net, const struct ncl_trial *trial)
{
    const struct ncl_tune_layer *layer = &net->layers[trial->task];

    return (net->measured_at > 0 && ncl_point_equal(&trial->point, &layer->standard)) ||
           ncl_tune_is_measured(net, trial->task, &trial->point);
}

static bool is_of_process(enum ncl_verdict verdict)
{
    return verdict == NCL_VERDICT_CRASHED || verdict == NCL_VERDICT_TIMEOUT;
}

bool ncl_tune_deserves_another(const struct ncl_tuning *t, const struct ncl_trial *trial)
{
    return t->worker && is_of_process(trial->verdict) && is_known_good(t->net, trial);
}

static ncl_status try_again(struct ncl_tuning *t, struct ncl_trial *trial)
{
    ncl_note(t->log, NCL_LOG_INFO, "%s was right before and is tried again: %s",
             trial->point.algo->name, trial->why);
    trial->verdict = NCL_VERDICT_GOOD;
    trial->why[0] = '\0';
    return t->inner.prepare(t->inner.self, trial, 1);
}

ncl_status ncl_tune_doubt(struct ncl_tuning *t, struct ncl_trial *trials, int count)
{
    ncl_status status = check_compiler(t, trials, count);

    for (int i = 0; status == NCL_OK && i < count; i++)
        if (ncl_tune_deserves_another(t, &trials[i]))
            status = try_again(t, &trials[i]);
    return status;
}

ncl_status ncl_tune_time_again(struct ncl_tuning *t, struct ncl_trial *trial, int launches,
                               struct ncl_timing *timings)
{
    const ncl_status status = try_again(t, trial);

    return status == NCL_OK && trial->verdict == NCL_VERDICT_GOOD
               ? t->inner.time(t->inner.self, trial, launches, timings)
               : status;
}

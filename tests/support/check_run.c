/* Runs jobs: one set of kernels for all of them, then one after the other. */
#include "base/memory.h"
#include "plan/kernels.h"
#include "plan/launch.h"
#include "problem/half.h"
#include "problem/oracle.h"
#include "support/check_tensors.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void complain(struct ncl_check_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct ncl_check_job *job, const char *format, ...)
{
    va_list args;

    if (job->message[0])
        return;
    va_start(args, format);
    vsnprintf(job->message, sizeof job->message, format, args);
    va_end(args);
}

static void describe(const struct ncl_algo *algo, struct ncl_check_job *job)
{
    struct ncl_text text = {0};

    ncl_problem_signature(&job->problem, &text);
    ncl_text_add(&text, " |");
    for (int i = 0; i < algo->tunable_count; i++)
        ncl_text_add(&text, " %s=%d", algo->tunables[i].name, job->v[i]);
    ncl_text_add(&text, "%s%s", job->special ? " special" : "", job->alias ? " in place" : "");
    snprintf(job->problem_text, sizeof job->problem_text, "%s", text.data ? text.data : "?");
    ncl_text_free(&text);
}

struct run {
    const struct ncl_device *device;
    const struct ncl_algo *algo;
    struct ncl_check_job *job;
    struct ncl_check_tensors tensors;
    struct ncl_check_buffer buffers[NCL_ROLE_COUNT];
};

/* A plain tensor in the order of its buffer. */
static bool put_ordered(struct run *run, enum ncl_role role, const struct ncl_shape *shape,
                        enum ncl_order order, const float *plain)
{
    const int cb = run->job->problem.channel_block;
    const size_t floats = ncl_shape_elements(shape, order, cb);
    float *ordered = plain ? ncl_alloc(floats, sizeof *ordered) : NULL;
    ncl_status status;

    if (plain && !ordered)
        return false;
    if (plain)
        ncl_order_from_plain(shape, order, cb, plain, ordered);
    status = ncl_check_buffer_make(run->device, ordered, floats,
                                   ncl_order_is_half(order, run->job->problem.half),
                                   &run->buffers[role]);
    free(ordered);
    return status == NCL_OK;
}

/* Per channel, padded to whole blocks: with NaN, which must not reach the output. */
static bool put_channels(struct run *run, enum ncl_role role, const float *data)
{
    const struct ncl_problem *p = &run->job->problem;
    const size_t channels = (size_t)p->y.c;
    const size_t floats = ncl_round_up(channels, (size_t)p->channel_block);
    float *padded = ncl_alloc(floats, sizeof *padded);
    ncl_status status;

    if (!padded)
        return false;
    for (size_t i = 0; i < floats; i++)
        padded[i] = i < channels ? data[i] : NAN;
    status = ncl_check_buffer_make(run->device, padded, floats, false, &run->buffers[role]);
    free(padded);
    return status == NCL_OK;
}

static bool put_weights(struct run *run)
{
    const struct ncl_check_job *job = run->job;
    const bool half = ncl_algo_packs_halves(run->algo, &job->problem);
    const size_t bytes = ncl_algo_packed_bytes(run->algo, job->v, &job->problem);
    const size_t count = bytes / (half ? sizeof(uint16_t) : sizeof(float));
    void *packed = ncl_alloc_aligned(bytes, 1);
    float *floats = ncl_alloc(count, sizeof *floats);
    bool made = packed && floats &&
                ncl_algo_pack(run->algo, job->v, &job->problem, &run->tensors.weights, packed);

    if (made && half)
        ncl_halves_to_floats(packed, count, floats);
    made = made && ncl_check_buffer_make(run->device, half ? floats : packed, count, half,
                                         &run->buffers[NCL_ARG_W]) == NCL_OK;
    free(packed);
    free(floats);
    return made;
}

/* Nothing in it may be read before it is written: guards, NaN, fill it. */
static bool put_workspace(struct run *run)
{
    const size_t floats = ncl_algo_workspace(run->algo, run->job->v, &run->job->problem);

    return !floats || ncl_check_buffer_make(run->device, NULL, floats, false,
                                            &run->buffers[NCL_ARG_WORKSPACE]) == NCL_OK;
}

/* The device gets another input than the oracle had: the smallest change that must show. */
static void plant(struct run *run)
{
    const struct ncl_problem *p = &run->job->problem;
    const size_t count =
        p->kind == NCL_PROBLEM_CONV ? 1 : ncl_shape_elements(&run->tensors.x_shape, NCL_PLAIN, 1);

    for (size_t i = 0; i < count; i++)
        run->tensors.x[i] = 3.0f - run->tensors.x[i];
}

static bool put_all(struct run *run)
{
    const struct ncl_problem *p = &run->job->problem;
    const struct ncl_epilogue *e = &p->epilogue;
    struct ncl_check_tensors *t = &run->tensors;
    const float *before = run->job->alias ? t->residual : t->before;

    if (run->job->planted)
        plant(run);
    return put_ordered(run, NCL_ARG_X, &t->x_shape, p->x_order, t->x) &&
           (!t->z || put_ordered(run, NCL_ARG_Z, &p->of.binary.z, p->x_order, t->z)) &&
           put_ordered(run, NCL_ARG_Y, &t->y_shape, p->y_order, before) &&
           (!e->residual || run->job->alias ||
            put_ordered(run, NCL_ARG_RESIDUAL, &p->y, p->y_order, t->residual)) &&
           (!e->bias || put_channels(run, NCL_ARG_BIAS, t->bias)) &&
           (!e->scale || (put_channels(run, NCL_ARG_SCALE, t->scale) &&
                          put_channels(run, NCL_ARG_SHIFT, t->shift))) &&
           (p->kind != NCL_PROBLEM_CONV || put_weights(run)) && put_workspace(run);
}

static bool launch(struct run *run, cl_program program, int suffix)
{
    const struct ncl_device *device = run->device;
    cl_mem buffers[NCL_ROLE_COUNT];
    struct ncl_launch launch = {0};
    cl_event event = NULL;
    ncl_status status;
    cl_int code = CL_SUCCESS;

    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        buffers[i] = run->buffers[i].mem;
    if (run->job->alias)
        buffers[NCL_ARG_RESIDUAL] = buffers[NCL_ARG_Y];
    status = ncl_launch_bind(device, program, suffix, run->algo, run->job->v, &run->job->problem,
                             buffers, &launch);
    if (status == NCL_OK)
        status = ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, NULL, &event);
    if (event) {
        code = device->cl->WaitForEvents(1, &event);
        device->cl->ReleaseEvent(event);
    }
    ncl_launch_release(device, &launch);
    if (code)
        status = ncl_cl_fail(NULL, "clWaitForEvents", code);
    return status == NCL_OK;
}

/* bound: of what may be missing where bits need not agree; size: see half_math_bound. */
static bool same(bool exact, float bound, float size, float found, float expected)
{
    const float a = ncl_canonical(found), b = ncl_canonical(expected);

    if (memcmp(&a, &b, sizeof a) == 0)
        return true;
    return !exact && fabsf(a - b) <= bound * (1 + fabsf(b)) + size;
}

/* Sums of at most 16 products in halves are off by 16 roundings, 2^-11 each, of the magnitudes' sum
 * at most, and by as many subnormal halves' last bits, 2^-24; no activation's slope is above 1.5,
 * and no scale here above 1. */
static float half_math_bound(float size)
{
    return isfinite(size) ? 1.5f * (0x1.02p-7f * size + 0x1p-16f) : 0;
}

/* Also where the elements are tail lanes, which the reordering leaves +0. */
static void compare(struct run *run, const float *found, const float *expected, const float *sizes,
                    size_t count)
{
    const struct ncl_problem *p = &run->job->problem;
    const bool exact = !run->algo->reorders && !p->fast;
    /* Halves that differ are a unit in their last place apart. */
    const float bound = p->half ? 1e-4f + 0x1p-10f : 1e-4f;
    size_t wrong = 0, first = 0;

    for (size_t i = 0; i < count; i++) {
        if (same(exact, bound, sizes ? half_math_bound(sizes[i]) : 0, found[i], expected[i]))
            continue;
        if (!wrong++)
            first = i;
    }
    if (wrong)
        complain(run->job, "%zu of %zu elements differ, first at %zu: expected %a, found %a", wrong,
                 count, first, (double)expected[first], (double)found[first]);
}

static void check_workspace(struct run *run)
{
    const struct ncl_check_buffer *workspace = &run->buffers[NCL_ARG_WORKSPACE];
    float *found = ncl_alloc(workspace->count + 1, sizeof *found);
    bool intact = false;

    if (workspace->mem &&
        (!found || ncl_check_buffer_read(run->device, workspace, found, &intact) != NCL_OK ||
         !intact))
        complain(run->job, "wrote outside of the workspace");
    free(found);
}

/* What half_math_bound takes, in the order of y; NULL: nothing, or out of memory. */
static float *ordered_sizes(const struct run *run, size_t count)
{
    const struct ncl_problem *p = &run->job->problem;
    float *sizes = run->tensors.sizes ? ncl_alloc(count, sizeof *sizes) : NULL;

    if (sizes)
        ncl_order_from_plain(&run->tensors.y_shape, p->y_order, p->channel_block,
                             run->tensors.sizes, sizes);
    return sizes;
}

static bool check_output(struct run *run)
{
    const struct ncl_problem *p = &run->job->problem;
    const struct ncl_check_buffer *y = &run->buffers[NCL_ARG_Y];
    float *found = ncl_alloc(y->count, sizeof *found);
    float *expected = ncl_alloc(y->count, sizeof *expected);
    float *sizes = ordered_sizes(run, y->count);
    bool intact = true, ok = false;

    if (found && expected && ncl_check_buffer_read(run->device, y, found, &intact) == NCL_OK) {
        ncl_order_from_plain(&run->tensors.y_shape, p->y_order, p->channel_block,
                             run->tensors.expected, expected);
        if (!intact)
            complain(run->job, "wrote outside of the output");
        check_workspace(run);
        compare(run, found, expected, sizes, y->count);
        ok = true;
    }
    free(found);
    free(expected);
    free(sizes);
    return ok;
}

static void run_job(const struct ncl_device *device, const struct ncl_algo *algo,
                    struct ncl_check_job *job, cl_program program, int suffix)
{
    struct run run = {.device = device, .algo = algo, .job = job};

    ncl_error_set("");
    if (!ncl_check_tensors_make(job, &run.tensors) || !put_all(&run) ||
        !launch(&run, program, suffix) || !check_output(&run))
        complain(job, "could not run: %s", ncl_error_text());
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        ncl_check_buffer_free(device, &run.buffers[i]);
    ncl_check_tensors_free(&run.tensors);
}

/* Index of each job's kernel; a complaint where there is none. Some drivers compile the whole
 * program anew for each of its kernels: those get small ones. */
static void build_all(struct ncl_kernels *kernels, const struct ncl_algo *algo,
                      struct ncl_check_job *jobs, size_t count, int *index)
{
    const size_t most = ncl_caps_is_cpu_like(&kernels->device->caps) ? 64 : 2;
    size_t built = 0;

    for (size_t i = 0; i < count; i++) {
        if (!algo->host_run &&
            ncl_kernels_add(kernels, algo, jobs[i].v, &jobs[i].problem, &index[i]) != NCL_OK)
            complain(&jobs[i], "could not compose: %s", ncl_error_text());
        if (kernels->count - built < most && i + 1 < count)
            continue;
        built = kernels->count;
        if (ncl_kernels_build(kernels) != NCL_OK)
            complain(&jobs[i], "could not build: %s", ncl_error_text());
    }
}

void ncl_check_run(const struct ncl_device *device, const struct ncl_algo *algo,
                   struct ncl_check_job *jobs, size_t count)
{
    struct ncl_kernels kernels = {.device = device};
    int *index = ncl_alloc(count + 1, sizeof *index);

    for (size_t i = 0; i < count; i++) {
        describe(algo, &jobs[i]);
        jobs[i].message[0] = '\0';
        if (!index)
            complain(&jobs[i], "out of memory");
    }
    if (index)
        build_all(&kernels, algo, jobs, count, index);
    for (size_t i = 0; i < count; i++) {
        const struct ncl_variant *variant =
            jobs[i].message[0] || algo->host_run ? NULL : &kernels.variants[index[i]];

        if (variant && (variant->failed || !variant->program))
            complain(&jobs[i], "does not build: %s", ncl_error_text());
        if (!jobs[i].message[0])
            run_job(device, algo, &jobs[i], variant ? variant->program : NULL,
                    variant ? index[i] : 0);
    }
    ncl_kernels_free(&kernels);
    free(index);
}

#include "base/thread.h"
#include "problem/canonical_math.h"
#include "problem/oracle_parts.h"

#include <math.h>

static float hard_swish(float x)
{
    float gate = fmaf(x, 0x1.555556p-3f, 0.5f);

    gate = gate < 0.0f ? 0.0f : gate;
    gate = gate > 1.0f ? 1.0f : gate;
    return x * gate;
}

static float activate(const struct ncl_epilogue *epilogue, float x)
{
    switch (epilogue->act) {
    case NCL_ACT_RELU:
        return x <= 0.0f ? 0.0f : x;
    case NCL_ACT_CLIP:
        x = x < epilogue->a ? epilogue->a : x;
        return x > epilogue->b ? epilogue->b : x;
    case NCL_ACT_LEAKY:
        return x < 0.0f ? x * epilogue->a : x;
    case NCL_ACT_HARD_SWISH:
        return hard_swish(x);
    case NCL_ACT_SIGMOID:
        return ncl_sigmoid(x);
    case NCL_ACT_SILU:
        return x * ncl_sigmoid(x);
    case NCL_ACT_NONE:
    case NCL_ACT_COUNT:
        break;
    }
    return x;
}

/* The residual may be y: each element is read before it is written. */
static void finish(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span,
                   const float *acc)
{
    const struct ncl_oracle_tensors *t = job->tensors;
    const struct ncl_epilogue *epilogue = &job->problem->epilogue;
    const size_t start = ncl_plane(&job->problem->y, span->n, span->c) + (size_t)span->first;

    for (int i = 0; i < span->count; ++i) {
        float value = acc[i];

        if (epilogue->scale)
            value = fmaf(value, t->scale[span->c], t->shift[span->c]);
        if (epilogue->residual)
            value += t->residual[start + (size_t)i];
        t->y[start + (size_t)i] = ncl_oracle_stored(job->problem, activate(epilogue, value));
    }
}

static void compute_plane(void *user, size_t index)
{
    const struct ncl_oracle_job *job = user;
    const struct ncl_shape *y = &job->problem->y;
    const int pixels = (int)ncl_plane_pixels(y);
    struct ncl_oracle_span span = {.n = (int)(index / (size_t)y->c),
                                   .c = (int)(index % (size_t)y->c)};
    float acc[NCL_ORACLE_CHUNK];

    for (int first = 0; first < pixels; first += span.count) {
        const int left = pixels - first;

        span.first = first;
        span.count = left < NCL_ORACLE_CHUNK ? left : NCL_ORACLE_CHUNK;
        job->fill(job, &span, acc);
        finish(job, &span, acc);
    }
}

void ncl_oracle_planes(const struct ncl_oracle_job *job)
{
    struct ncl_oracle_job copy = *job;

    ncl_parallel_for((size_t)job->problem->y.n * (size_t)job->problem->y.c, compute_plane, &copy);
}

/* Name of a tensor that the problem needs and the caller left out; NULL: none. */
static const char *missing(const struct ncl_problem *p, const struct ncl_oracle_tensors *t)
{
    const bool epilogue = p->kind != NCL_PROBLEM_COPY && p->kind != NCL_PROBLEM_SOFTMAX;
    const bool conv = p->kind == NCL_PROBLEM_CONV;

    if (!t->x || !t->y)
        return t->x ? "y" : "x";
    if (p->kind == NCL_PROBLEM_BINARY && !t->z)
        return "z";
    if (conv && !t->weights)
        return "weights";
    if (conv && p->epilogue.bias && !t->bias)
        return "bias";
    if (epilogue && p->epilogue.scale && (!t->scale || !t->shift))
        return t->scale ? "shift" : "scale";
    return epilogue && p->epilogue.residual && !t->residual ? "residual" : NULL;
}

ncl_status ncl_oracle_run(const struct ncl_log *log, const struct ncl_problem *problem,
                          const struct ncl_oracle_tensors *tensors)
{
    struct ncl_oracle_job job = {.problem = problem, .tensors = tensors};
    const char *absent = missing(problem, tensors);

    if (absent)
        return ncl_fail(log, NCL_ERROR_USAGE, "oracle: the problem needs tensor %s, found NULL",
                        absent);
    switch (problem->kind) {
    case NCL_PROBLEM_CONV:
        return ncl_oracle_conv(log, &job);
    case NCL_PROBLEM_POOL:
        ncl_oracle_pool(&job);
        return NCL_OK;
    case NCL_PROBLEM_SCALE:
        ncl_oracle_scale(&job);
        return NCL_OK;
    case NCL_PROBLEM_BINARY:
        ncl_oracle_binary(&job);
        return NCL_OK;
    case NCL_PROBLEM_COPY:
        ncl_oracle_copy(&job);
        return NCL_OK;
    case NCL_PROBLEM_SOFTMAX:
        ncl_oracle_softmax(&job);
        return NCL_OK;
    case NCL_PROBLEM_KIND_COUNT:
        break;
    }
    return ncl_fail(log, NCL_ERROR_USAGE, "oracle: expected a problem kind below %d, found %d",
                    NCL_PROBLEM_KIND_COUNT, (int)problem->kind);
}

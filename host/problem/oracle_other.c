/* Everything but convolutions. */
#include "base/thread.h"
#include "problem/canonical_math.h"
#include "problem/oracle_parts.h"

#include <math.h>
#include <stdint.h>

/* The larger one; NaN, once seen, stays. */
static float larger(float acc, float value)
{
    return acc >= value || acc != acc ? acc : value;
}

static bool inside(int64_t i, int64_t first, int64_t end)
{
    return i >= first && i < end;
}

/* One window at (top, left) of the plane. */
static float pool_window(const struct ncl_problem *p, const float *plane, int64_t top, int64_t left)
{
    const struct ncl_pool *pool = &p->of.pool;
    const struct ncl_window *w = &pool->window;
    const int before_h = pool->count_padding ? w->pad_top : 0;
    const int before_w = pool->count_padding ? w->pad_left : 0;
    const int64_t end_h = (int64_t)p->x.h + (pool->count_padding ? w->pad_bottom : 0);
    const int64_t end_w = (int64_t)p->x.w + (pool->count_padding ? w->pad_right : 0);
    float acc = pool->mode == NCL_POOL_MAX ? -INFINITY : 0.0f;
    int count = 0;

    for (int kh = 0; kh < w->kernel_h; ++kh) {
        for (int kw = 0; kw < w->kernel_w; ++kw) {
            const int64_t ih = top + (int64_t)kh * w->dilation_h;
            const int64_t iw = left + (int64_t)kw * w->dilation_w;
            float v;

            count += inside(ih, -before_h, end_h) && inside(iw, -before_w, end_w);
            if (!inside(ih, 0, p->x.h) || !inside(iw, 0, p->x.w))
                continue;
            v = plane[ih * p->x.w + iw];
            acc = pool->mode == NCL_POOL_MAX ? larger(acc, v) : acc + v;
        }
    }
    return pool->mode == NCL_POOL_MAX ? acc : acc * ncl_reciprocal((float)count);
}

static void fill_pool(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span,
                      float *acc)
{
    const struct ncl_problem *p = job->problem;
    const struct ncl_window *w = &p->of.pool.window;
    const float *plane = job->tensors->x + ncl_plane(&p->x, span->n, span->c);

    for (int i = 0; i < span->count; ++i) {
        const int64_t oh = (span->first + i) / p->y.w, ow = (span->first + i) % p->y.w;

        acc[i] =
            pool_window(p, plane, oh * w->stride_h - w->pad_top, ow * w->stride_w - w->pad_left);
    }
}

void ncl_oracle_pool(struct ncl_oracle_job *job)
{
    job->fill = fill_pool;
    ncl_oracle_planes(job);
}

static void fill_scale(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span,
                       float *acc)
{
    const float *x = job->tensors->x + ncl_plane(&job->problem->x, span->n, span->c) + span->first;

    for (int i = 0; i < span->count; ++i)
        acc[i] = x[i];
}

void ncl_oracle_scale(struct ncl_oracle_job *job)
{
    job->fill = fill_scale;
    ncl_oracle_planes(job);
}

static float binary(enum ncl_binary_op op, float x, float z)
{
    if (op == NCL_BINARY_ADD)
        return x + z;
    return op == NCL_BINARY_SUBTRACT ? x - z : x * z;
}

static void fill_binary(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span,
                        float *acc)
{
    const struct ncl_problem *p = job->problem;
    const struct ncl_shape *shape = &p->of.binary.z;
    const float *x = job->tensors->x + ncl_plane(&p->x, span->n, span->c) + span->first;
    const float *z = job->tensors->z +
                     ncl_plane(shape, shape->n == 1 ? 0 : span->n, shape->c == 1 ? 0 : span->c);
    const size_t step_h = shape->h == 1 ? 0 : (size_t)shape->w, step_w = shape->w != 1;

    for (int i = 0; i < span->count; ++i) {
        const size_t h = (size_t)((span->first + i) / p->y.w);
        const size_t w = (size_t)((span->first + i) % p->y.w);

        acc[i] = binary(p->of.binary.op, x[i], z[h * step_h + w * step_w]);
    }
}

void ncl_oracle_binary(struct ncl_oracle_job *job)
{
    job->fill = fill_binary;
    ncl_oracle_planes(job);
}

/* The element of x that element i (n, c, h, w) of y comes from, or fill. */
static float copy_source(const struct ncl_problem *p, const float *x, const int i[4])
{
    const struct ncl_copy *copy = &p->of.copy;
    const int limits[4] = {p->x.n, p->x.c, p->x.h, p->x.w};
    size_t at[4] = {0, 0, 0, 0};

    for (int k = 0; k < 4; ++k) {
        const int axis = copy->permutation[k];
        const int64_t source = copy->start[k] + (int64_t)copy->step[k] * i[k];

        if (!inside(source, 0, limits[axis]))
            return copy->fill;
        at[axis] = (size_t)source;
    }
    return x[ncl_plane(&p->x, (int)at[0], (int)at[1]) + at[2] * (size_t)p->x.w + at[3]];
}

static void copy_plane(void *user, size_t index)
{
    const struct ncl_oracle_job *job = user;
    const struct ncl_problem *p = job->problem;
    const struct ncl_copy *copy = &p->of.copy;
    const int n = (int)(index / (size_t)p->y.c), c = (int)(index % (size_t)p->y.c);
    struct ncl_shape whole = p->y;
    const float *reshaped = job->tensors->x + ncl_plane(&p->y, n, c);
    float *y;

    whole.c = copy->y_channels ? copy->y_channels : p->y.c;
    y = job->tensors->y + ncl_plane(&whole, n, copy->y_channel + c);
    for (int i = 0; i < p->y.h * p->y.w; ++i) {
        const int at[4] = {n, c, i / p->y.w, i % p->y.w};
        const float value = copy->reshape ? reshaped[i] : copy_source(p, job->tensors->x, at);

        y[i] = ncl_oracle_stored(p, copy->canonical ? ncl_canonical(value) : value);
    }
}

void ncl_oracle_copy(struct ncl_oracle_job *job)
{
    ncl_parallel_for((size_t)job->problem->y.n * (size_t)job->problem->y.c, copy_plane, job);
}

static void softmax_pixel(const struct ncl_problem *p, const float *x, float *y, size_t step)
{
    const int channels = p->x.c;
    const bool log = p->of.softmax.log;
    float highest = -INFINITY, sum = 0.0f, rest;

    for (int c = 0; c < channels; ++c)
        highest = larger(highest, x[(size_t)c * step]);
    for (int c = 0; c < channels; ++c) {
        const float difference = x[(size_t)c * step] - highest, e = ncl_exp(difference);

        y[(size_t)c * step] = log ? difference : e;
        sum += e;
    }
    rest = log ? ncl_log(sum) : ncl_reciprocal(sum);
    for (int c = 0; c < channels; ++c) {
        const float value = y[(size_t)c * step];

        y[(size_t)c * step] = ncl_oracle_stored(p, log ? value - rest : value * rest);
    }
}

static void softmax_image(void *user, size_t n)
{
    const struct ncl_oracle_job *job = user;
    const struct ncl_shape *shape = &job->problem->x;
    const size_t pixels = ncl_plane_pixels(shape), start = ncl_plane(shape, (int)n, 0);

    for (size_t i = 0; i < pixels; ++i)
        softmax_pixel(job->problem, job->tensors->x + start + i, job->tensors->y + start + i,
                      pixels);
}

void ncl_oracle_softmax(struct ncl_oracle_job *job)
{
    ncl_parallel_for((size_t)job->problem->x.n, softmax_image, job);
}

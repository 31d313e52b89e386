/* Convolution: one tap after another over a chunk of accumulators, so that the compiler vectorises
 * over pixels while each pixel keeps its own canonical order. */
#include "base/memory.h"
#include "base/thread.h"
#include "problem/oracle_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define CANONICAL_BLOCK 16

/* acc[i] = fma(x[i * stride], w, acc[i]) */
typedef void (*row_fn)(float *restrict acc, const float *restrict x, size_t stride, float w,
                       int count);

struct conv {
    int group_channels, group_outputs, kernel_h, kernel_w;
    int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int64_t in_h, in_w;
    int out_w;
    const struct ncl_problem *problem;
    const struct ncl_weights *weights;
    float *packed; /* [K][taps of the group in canonical order] */
    row_fn row;
};

static inline __attribute__((always_inline)) void
row_body(float *restrict acc, const float *restrict x, size_t stride, float w, int count)
{
    int i = 0;

    /* The constant trip count lets compilers vectorise at -O2. */
    for (; stride == 1 && i + 8 <= count; i += 8) {
        for (int lane = 0; lane < 8; ++lane)
            acc[i + lane] = fmaf(x[i + lane], w, acc[i + lane]);
    }
    for (; i < count; ++i)
        acc[i] = fmaf(x[(size_t)i * stride], w, acc[i]);
}

static void row_portable(float *restrict acc, const float *restrict x, size_t stride, float w,
                         int count)
{
    row_body(acc, x, stride, w, count);
}

#if defined(__x86_64__) && defined(__GNUC__)
/* The library's fmaf gives the same bits through a call per element. */
__attribute__((target("avx2,fma"))) static void
row_fma(float *restrict acc, const float *restrict x, size_t stride, float w, int count)
{
    row_body(acc, x, stride, w, count);
}

static row_fn choose_row(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? row_fma : row_portable;
}
#else
static row_fn choose_row(void)
{
    return row_portable;
}
#endif

/* Part of a row of outputs whose tap lies in the image: [first, end) of the row. */
struct interval {
    int64_t first, end;
};

static struct interval tap_interval(const struct conv *conv, int kw)
{
    const int64_t before = conv->pad_left - kw * conv->dilation_w;
    const int64_t room = conv->in_w - 1 + before;
    struct interval inside = {0, 0};

    if (before > 0)
        inside.first = (before + conv->stride_w - 1) / conv->stride_w;
    if (room >= 0)
        inside.end = room / conv->stride_w + 1;
    return inside;
}

/* One tap over the rows of the span. plane: the input channel. */
static void add_tap(const struct conv *conv, const struct ncl_oracle_span *span, const float *plane,
                    const int tap[2], float w, float *acc)
{
    const struct interval inside = tap_interval(conv, tap[1]);
    const int64_t end = (int64_t)span->first + span->count;
    int64_t row = span->first / conv->out_w;

    for (; row * conv->out_w < end; ++row) {
        const int64_t start = row * conv->out_w;
        const int64_t ih = row * conv->stride_h - conv->pad_top + tap[0] * conv->dilation_h;
        int64_t from = start + inside.first, to = start + inside.end, iw;

        if (ih < 0 || ih >= conv->in_h)
            continue;
        from = from < span->first ? span->first : from;
        to = to > start + conv->out_w ? start + conv->out_w : to;
        to = to > end ? end : to;
        if (from >= to)
            continue;
        iw = (from - start) * conv->stride_w - conv->pad_left + tap[1] * conv->dilation_w;
        conv->row(acc + (from - span->first), plane + ih * conv->in_w + iw, (size_t)conv->stride_w,
                  w, (int)(to - from));
    }
}

static size_t group_taps(const struct conv *conv)
{
    return (size_t)conv->group_channels * (size_t)conv->kernel_h * (size_t)conv->kernel_w;
}

/* One block of 16 channels [channels[0], channels[1]) of the group; returns the weights after it.
 */
static const float *add_block(const struct conv *conv, const struct ncl_oracle_span *span,
                              const float *group, const int channels[2], const float *weights,
                              float *acc)
{
    const size_t pixels = ncl_plane_pixels(&conv->problem->x);

    for (int kh = 0; kh < conv->kernel_h; ++kh) {
        for (int kw = 0; kw < conv->kernel_w; ++kw) {
            for (int c = channels[0]; c < channels[1]; ++c)
                add_tap(conv, span, group + (size_t)c * pixels, (const int[]){kh, kw}, *weights++,
                        acc);
        }
    }
    return weights;
}

static int block_end(const struct conv *conv, int c)
{
    return conv->group_channels - c < CANONICAL_BLOCK ? conv->group_channels : c + CANONICAL_BLOCK;
}

static void fill(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span, float *acc)
{
    const struct conv *conv = job->extra;
    const int group = span->c / conv->group_outputs;
    const float *x =
        job->tensors->x + ncl_plane(&job->problem->x, span->n, group * conv->group_channels);
    const float *weights = conv->packed + (size_t)span->c * group_taps(conv);
    /* A bias of -0 starts as +0. */
    const float start = job->problem->epilogue.bias ? job->tensors->bias[span->c] + 0.0f : 0.0f;

    for (int i = 0; i < span->count; ++i)
        acc[i] = start;
    for (int c = 0; c < conv->group_channels; c += CANONICAL_BLOCK)
        weights = add_block(conv, span, x, (const int[]){c, block_end(conv, c)}, weights, acc);
}

static float *pack_block(const struct conv *conv, int k, const int channels[2], float *packed)
{
    for (int kh = 0; kh < conv->kernel_h; ++kh) {
        for (int kw = 0; kw < conv->kernel_w; ++kw) {
            for (int c = channels[0]; c < channels[1]; ++c) {
                const float weight = ncl_weight(conv->weights, k, c, kh, kw);

                *packed++ = conv->problem->half ? ncl_half_round(weight) : weight;
            }
        }
    }
    return packed;
}

static void pack_output(void *user, size_t k)
{
    const struct conv *conv = user;
    float *packed = conv->packed + k * group_taps(conv);

    for (int c = 0; c < conv->group_channels; c += CANONICAL_BLOCK)
        packed = pack_block(conv, (int)k, (const int[]){c, block_end(conv, c)}, packed);
}

static struct conv make_conv(const struct ncl_oracle_job *job)
{
    const struct ncl_problem *p = job->problem;
    const struct ncl_window *w = &p->of.conv.window;
    struct conv conv = {.group_channels = p->x.c / p->of.conv.groups,
                        .group_outputs = p->y.c / p->of.conv.groups,
                        .kernel_h = w->kernel_h,
                        .kernel_w = w->kernel_w,
                        .stride_h = w->stride_h,
                        .stride_w = w->stride_w,
                        .dilation_h = w->dilation_h,
                        .dilation_w = w->dilation_w,
                        .pad_top = w->pad_top,
                        .pad_left = w->pad_left,
                        .in_h = p->x.h,
                        .in_w = p->x.w,
                        .out_w = p->y.w,
                        .problem = p,
                        .weights = job->tensors->weights,
                        .row = choose_row()};
    const bool unit = w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1;

    /* Every pixel alone: one long row vectorises best. */
    if (unit && w->pad_top == 0 && w->pad_left == 0 && p->x.h == p->y.h && p->x.w == p->y.w) {
        conv.in_w = (int64_t)p->x.h * p->x.w;
        conv.in_h = 1;
        conv.out_w = p->y.h * p->y.w;
    }
    return conv;
}

ncl_status ncl_oracle_conv(const struct ncl_log *log, const struct ncl_oracle_job *job)
{
    struct ncl_oracle_job own = *job;
    const size_t outputs = (size_t)job->problem->y.c;
    struct conv conv = make_conv(job);
    size_t floats;

    if (!ncl_multiply(outputs, group_taps(&conv), &floats))
        return ncl_fail_memory(log, "packing weights for the oracle");
    conv.packed = ncl_alloc(floats, sizeof *conv.packed);
    if (!conv.packed)
        return ncl_fail_memory(log, "packing weights for the oracle");
    ncl_parallel_for(outputs, pack_output, &conv);
    own.extra = &conv;
    own.fill = fill;
    ncl_oracle_planes(&own);
    free(conv.packed);
    return NCL_OK;
}

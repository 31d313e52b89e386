#include "problem/problem.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

size_t ncl_shape_elements(const struct ncl_shape *shape, enum ncl_order order, int channel_block)
{
    const size_t pixels = (size_t)shape->n * (size_t)shape->h * (size_t)shape->w;

    if (order == NCL_PLAIN)
        return pixels * (size_t)shape->c;
    return pixels * (size_t)ncl_blocks(shape->c, channel_block) * (size_t)channel_block;
}

ncl_status ncl_shape_check(const struct ncl_log *log, const struct ncl_shape *shape,
                           const char *what)
{
    const int dims[4] = {shape->n, shape->c, shape->h, shape->w};
    int64_t elements = 1;

    for (int axis = 0; axis < 4; ++axis) {
        /* Channels padded to 16 so that the check holds for every CB. */
        const int64_t padded = axis == 1 ? ((int64_t)dims[1] + 15) / 16 * 16 : dims[axis];

        if (dims[axis] < 1)
            return ncl_fail(log, NCL_ERROR_INPUT,
                            "%s: shape %d x %d x %d x %d (NCHW): %s must be at least 1, found %d",
                            what, dims[0], dims[1], dims[2], dims[3],
                            (const char *const[]){"batch", "channels", "height", "width"}[axis],
                            dims[axis]);
        if (padded > INT_MAX / elements)
            return ncl_fail(log, NCL_ERROR_INPUT,
                            "%s: shape %d x %d x %d x %d (NCHW) is too large: at most %d elements "
                            "with channels rounded up to 16; use a smaller batch or image",
                            what, dims[0], dims[1], dims[2], dims[3], INT_MAX);
        elements *= padded;
    }
    return NCL_OK;
}

double ncl_problem_macs(const struct ncl_problem *problem)
{
    const struct ncl_conv *conv = &problem->of.conv;
    const struct ncl_shape *y = &problem->y;
    int group_channels;

    if (problem->kind != NCL_PROBLEM_CONV)
        return 0.0;
    group_channels = problem->x.c / conv->groups;
    return (double)y->n * y->c * y->h * y->w * group_channels * conv->window.kernel_h *
           conv->window.kernel_w;
}

static const char *conv_kind_name(const struct ncl_problem *problem)
{
    const struct ncl_conv *conv = &problem->of.conv;
    const struct ncl_shape *x = &problem->x;
    const bool one_by_one = conv->window.kernel_h == 1 && conv->window.kernel_w == 1;

    if (one_by_one)
        return conv->groups == 1 && x->h == 1 && x->w == 1 ? "dense" : "pointwise";
    if (conv->groups > 1 && conv->groups == x->c && x->c == problem->y.c)
        return "depthwise";
    if (conv->groups > 1)
        return "grouped";
    return x->c <= 4 ? "stem" : "spatial";
}

const char *ncl_problem_kind_name(const struct ncl_problem *problem)
{
    switch (problem->kind) {
    case NCL_PROBLEM_CONV:
        return conv_kind_name(problem);
    case NCL_PROBLEM_SCALE:
    case NCL_PROBLEM_BINARY:
        return "fused";
    case NCL_PROBLEM_POOL:
        return "pool";
    case NCL_PROBLEM_COPY:
    case NCL_PROBLEM_SOFTMAX:
    case NCL_PROBLEM_KIND_COUNT:
        break;
    }
    return "other";
}

float ncl_weight(const struct ncl_weights *weights, int k, int c, int h, int w)
{
    const size_t index = (size_t)k * weights->stride_k + (size_t)c * weights->stride_c +
                         (size_t)h * weights->stride_h + (size_t)w * weights->stride_w;
    float value;

    memcpy(&value, (const char *)weights->data + index * sizeof value, sizeof value);
    return weights->scale ? (float)((double)value * weights->scale[k]) : value;
}

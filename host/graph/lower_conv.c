/* Convolutions and matrix products: both are convolution problems over the model's own weights. */
#include "base/file.h"
#include "base/thread.h"
#include "graph/lower.h"
#include "graph/passes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Kernels for few input channels read the image as it arrives. */
#define PLAIN_CHANNELS 4

bool ncl_lower_takes_plain(const struct ncl_graph *graph, const struct ncl_node *node)
{
    return (node->op == NCL_OP_CONV || ncl_op_is_matrix(node->op)) &&
           graph->values[node->inputs[0]].rank >= 2 &&
           graph->values[node->inputs[0]].dims[1] <= PLAIN_CHANNELS;
}

static enum ncl_order input_order(const struct ncl_lower *l)
{
    const int root = l->root[l->node->inputs[0]];

    return ncl_lower_takes_plain(l->graph, l->node) && l->slots[root][NCL_PLAIN] >= 0 ? NCL_PLAIN
                                                                                      : NCL_BLOCKED;
}

static struct ncl_window window_of(const struct ncl_node *node)
{
    const int64_t *kernel = node->as.conv.kernel.values, *pads = node->as.conv.pads.values;
    const int64_t *strides = node->as.conv.strides.values;
    const int64_t *dilations = node->as.conv.dilations.values;

    return (struct ncl_window){
        (int)kernel[0],    (int)kernel[1], (int)strides[0], (int)strides[1], (int)dilations[0],
        (int)dilations[1], (int)pads[0],   (int)pads[1],    (int)pads[2],    (int)pads[3]};
}

/* Bias or shift, and whether there is one. Doubles live in the schedule's arena too. */
static ncl_status set_bias(struct ncl_lower *l, struct ncl_step *step, const double *shift,
                           double factor)
{
    const struct ncl_value *bias = ncl_node_input(l->graph, l->node, 2);
    const int count = step->problem.y.c;

    if (shift == NULL && bias != NULL) {
        const bool scalar = ncl_value_elements(bias) == 1;
        double *values = ncl_arena_alloc(&l->schedule->arena, (size_t)count, sizeof *values);

        if (values == NULL)
            return ncl_node_memory(l->graph, l->node);
        for (int i = 0; i < count; i++)
            values[i] = factor * ncl_value_element(bias, scalar ? 0 : i);
        shift = values;
    }
    step->problem.epilogue.bias = shift != NULL;
    return ncl_lower_floats(l, shift, count, &step->bias);
}

static ncl_status finish(struct ncl_lower *l, struct ncl_step *step)
{
    ncl_status status = NCL_OK;

    if (ncl_has_residual(l->node)) {
        step->problem.epilogue.residual = true;
        status = ncl_lower_read(l, l->node->inputs[ncl_residual_input(l->node->op)], NCL_BLOCKED,
                                &step->residual);
    }
    return status == NCL_OK ? ncl_lower_step(l, step) : status;
}

ncl_status ncl_lower_conv(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    const struct ncl_value *w = ncl_node_input(l->graph, node, 1);
    struct ncl_step step;
    ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_CONV, node->inputs[0], input_order(l), NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    step.problem.of.conv.window = window_of(node);
    step.problem.of.conv.groups = (int)node->as.conv.groups;
    step.weights = (struct ncl_weights){.data = w->data,
                                        .stride_k = (size_t)(w->dims[1] * w->dims[2] * w->dims[3]),
                                        .stride_c = (size_t)(w->dims[2] * w->dims[3]),
                                        .stride_h = (size_t)w->dims[3],
                                        .stride_w = 1,
                                        .scale = node->as.conv.scale};
    step.weights_mapped = w->mapped;
    status = set_bias(l, &step, node->as.conv.shift, 1);
    return status == NCL_OK ? finish(l, &step) : status;
}

static ncl_status set_factor(struct ncl_lower *l, struct ncl_step *step)
{
    const double alpha = (double)l->node->as.gemm.alpha;
    double *scale;

    step->weights.scale = l->node->as.gemm.scale;
    if (l->node->as.gemm.scale != NULL || alpha == 1)
        return NCL_OK;
    scale = ncl_arena_alloc(&l->schedule->arena, (size_t)step->problem.y.c, sizeof *scale);
    if (scale == NULL)
        return ncl_node_memory(l->graph, l->node);
    for (int i = 0; i < step->problem.y.c; i++)
        scale[i] = alpha;
    step->weights.scale = scale;
    return NCL_OK;
}

ncl_status ncl_lower_matrix(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    const struct ncl_value *b = ncl_node_input(l->graph, node, 1);
    const bool rows_are_outputs = node->as.gemm.trans_b;
    struct ncl_step step;
    ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_CONV, node->inputs[0], input_order(l), NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    step.problem.of.conv.window = (struct ncl_window){1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    step.problem.of.conv.groups = 1;
    step.weights = (struct ncl_weights){.data = b->data,
                                        .stride_k = rows_are_outputs ? (size_t)b->dims[1] : 1,
                                        .stride_c = rows_are_outputs ? 1 : (size_t)b->dims[1],
                                        .stride_h = 1,
                                        .stride_w = 1};
    step.weights_mapped = b->mapped;
    status = set_factor(l, &step);
    if (status == NCL_OK)
        status = set_bias(l, &step, node->as.gemm.shift, (double)node->as.gemm.beta);
    return status == NCL_OK ? finish(l, &step) : status;
}

static size_t weight_count(const struct ncl_step *step)
{
    const struct ncl_problem *p = &step->problem;

    return (size_t)p->y.c * (size_t)(p->x.c / p->of.conv.groups) *
           (size_t)p->of.conv.window.kernel_h * (size_t)p->of.conv.window.kernel_w;
}

/* Largest magnitude as bits: with the sign cleared, floats order as integers and NaN comes last. */
static float largest_weight(const struct ncl_step *step)
{
    const size_t count = weight_count(step);
    const unsigned char *bytes = step->weights.data;
    uint32_t largest = 0;
    float result;

    for (size_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
        bits &= INT32_MAX;
        largest = bits > largest ? bits : largest;
    }
    memcpy(&result, &largest, sizeof result);
    return result;
}

void ncl_step_forget_weights(const struct ncl_step *step)
{
    if (step->weights_mapped)
        ncl_file_forget(step->weights.data, weight_count(step) * sizeof(float));
}

/* Judges all channels by the largest scale: rarely too careful, which costs speed only, and reads
 * each weight once in the order it lies. */
static void check_finite(void *user, size_t index)
{
    struct ncl_schedule *schedule = user;
    struct ncl_step *step = &schedule->steps[index];
    double scale = step->weights.scale == NULL ? 1 : 0;
    bool finite = true;

    if (step->problem.kind != NCL_PROBLEM_CONV)
        return;
    for (int k = 0; step->weights.scale != NULL && k < step->problem.y.c; k++) {
        finite = finite && isfinite(step->weights.scale[k]);
        scale = fmax(scale, fabs(step->weights.scale[k]));
    }
    step->largest_weight = (float)((double)largest_weight(step) * scale);
    step->problem.finite = finite && isfinite(step->largest_weight);
    ncl_step_forget_weights(step);
}

void ncl_lower_check_finite(struct ncl_schedule *schedule)
{
    ncl_parallel_for((size_t)schedule->step_count, check_finite, schedule);
}

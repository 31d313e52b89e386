/* Per-channel arithmetic with constants: BN, and Mul, Add, Sub, Div by constants, as exporters
 * write BN. Folded into the convolution or matrix product before it, else it becomes a Scale node.
 * All in double; values are rounded once, when the net is lowered. */
#include "graph/fold.h"
#include "graph/passes.h"
#include "problem/problem.h"

#include <math.h>
#include <string.h>

/* y = offset + (x - centre) * scale; NULL: 1 or 0. */
struct affine {
    int x;
    int64_t channels;
    double *scale, *centre, *offset;
};

static ncl_status allocate(struct ncl_graph *graph, const struct ncl_node *node, struct affine *a)
{
    const size_t count = (size_t)a->channels;

    if (!ncl_fold_affords(graph, 3 * count * sizeof *a->scale))
        return ncl_node_fail(graph, node,
                             "with its %zu channels, constants take more than %zu bytes", count,
                             NCL_FOLD_BYTES);
    a->scale = ncl_arena_alloc(&graph->arena, count, 3 * sizeof *a->scale);
    if (a->scale == NULL)
        return ncl_node_memory(graph, node);
    a->centre = a->scale + count;
    a->offset = a->centre + count;
    for (size_t i = 0; i < count; i++)
        a->scale[i] = 1;
    return NCL_OK;
}

static ncl_status read_batch_norm(struct ncl_graph *graph, const struct ncl_node *node,
                                  struct affine *a)
{
    const struct ncl_value *gamma = ncl_node_input(graph, node, 1);
    const struct ncl_value *beta = ncl_node_input(graph, node, 2);
    const struct ncl_value *mean = ncl_node_input(graph, node, 3);
    const struct ncl_value *variance = ncl_node_input(graph, node, 4);
    const ncl_status status = allocate(graph, node, a);

    for (int64_t i = 0; status == NCL_OK && i < a->channels; i++) {
        const double spread = ncl_value_element(variance, i) + (double)node->as.batch_norm.epsilon;

        a->scale[i] = ncl_value_element(gamma, i) / sqrt(spread);
        a->centre[i] = ncl_value_element(mean, i);
        a->offset[i] = ncl_value_element(beta, i);
    }
    return status;
}

/* Stretched over y, the constant differs between channels at most. */
static bool is_channelwise(const struct ncl_value *constant, const struct ncl_value *y)
{
    const int missing = y->rank - constant->rank;

    for (int i = 0; i < constant->rank; i++)
        if (constant->dims[i] != 1 && (i + missing != 1 || y->rank < 2))
            return false;
    return missing >= 0;
}

/* The constant operand of a binary node whose other one has y's shape, or -1. */
static int constant_operand(const struct ncl_graph *graph, const struct ncl_node *node)
{
    const struct ncl_value *y = &graph->values[node->outputs[0]];

    for (int i = 0; i < 2; i++) {
        const struct ncl_value *constant = ncl_node_input(graph, node, i);

        if (ncl_value_is_constant(constant) && is_channelwise(constant, y) &&
            ncl_same_dims(ncl_node_input(graph, node, 1 - i), y))
            return i;
    }
    return -1;
}

static ncl_status read_binary(struct ncl_graph *graph, const struct ncl_node *node, int operand,
                              struct affine *a)
{
    const struct ncl_value *constant = ncl_node_input(graph, node, operand);
    const bool scalar = ncl_value_elements(constant) == 1;
    const ncl_status status = allocate(graph, node, a);

    for (int64_t i = 0; status == NCL_OK && i < a->channels; i++) {
        const double value = ncl_value_element(constant, scalar ? 0 : i);

        if (node->op == NCL_OP_MUL)
            a->scale[i] = value;
        else if (node->op == NCL_OP_DIV)
            a->scale[i] = 1 / value;
        else if (node->op == NCL_OP_SUB && operand == 0)
            a->scale[i] = -1;
        if (node->op == NCL_OP_ADD || (node->op == NCL_OP_SUB && operand == 0))
            a->offset[i] = value;
        else if (node->op == NCL_OP_SUB)
            a->offset[i] = -value;
    }
    return status;
}

static ncl_status read_scale(struct ncl_graph *graph, const struct ncl_node *node, struct affine *a)
{
    const ncl_status status = allocate(graph, node, a);

    if (status != NCL_OK)
        return status;
    memcpy(a->scale, node->as.scale.scale, (size_t)a->channels * sizeof *a->scale);
    memcpy(a->offset, node->as.scale.shift, (size_t)a->channels * sizeof *a->offset);
    return NCL_OK;
}

/* Reads a node as per-channel arithmetic; a->x stays NCL_NO_VALUE if it is none. */
static ncl_status read_affine(struct ncl_graph *graph, const struct ncl_node *node,
                              struct affine *a)
{
    int operand = -1;

    *a = (struct affine){.x = NCL_NO_VALUE};
    switch (node->op) {
    case NCL_OP_BATCH_NORM:
    case NCL_OP_SCALE:
        break;
    case NCL_OP_ADD:
    case NCL_OP_SUB:
    case NCL_OP_MUL:
    case NCL_OP_DIV:
        operand = constant_operand(graph, node);
        if (operand < 0 || (node->op == NCL_OP_DIV && operand == 0))
            return NCL_OK;
        break;
    default:
        return NCL_OK;
    }
    if (node->op == NCL_OP_SCALE && (node->as.scale.scale == NULL || ncl_has_residual(node)))
        return NCL_OK;
    a->x = node->inputs[operand == 0 ? 1 : 0];
    a->channels = ncl_value_channels(&graph->values[node->outputs[0]]);
    if (node->op == NCL_OP_BATCH_NORM)
        return read_batch_norm(graph, node, a);
    return node->op == NCL_OP_SCALE ? read_scale(graph, node, a)
                                    : read_binary(graph, node, operand, a);
}

/* Where an operator keeps what was folded into it. */
static bool folded_arrays(struct ncl_node *node, const double ***scale, const double ***shift)
{
    if (node->op == NCL_OP_CONV) {
        *scale = &node->as.conv.scale;
        *shift = &node->as.conv.shift;
    } else if (ncl_op_is_matrix(node->op)) {
        *scale = &node->as.gemm.scale;
        *shift = &node->as.gemm.shift;
    } else if (node->op == NCL_OP_SCALE) {
        *scale = &node->as.scale.scale;
        *shift = &node->as.scale.shift;
    } else {
        return false;
    }
    return true;
}

static double own_bias(const struct ncl_graph *graph, const struct ncl_node *node, int64_t channel)
{
    const struct ncl_value *bias = node->op == NCL_OP_SCALE ? NULL : ncl_node_input(graph, node, 2);
    const double beta = ncl_op_is_matrix(node->op) ? (double)node->as.gemm.beta : 1;

    if (bias == NULL)
        return 0;
    return beta * ncl_value_element(bias, ncl_value_elements(bias) == 1 ? 0 : channel);
}

/* Writes the composition into a's scale and offset, and hands those to the node. */
static void compose(const struct ncl_graph *graph, struct ncl_node *node, struct affine *a)
{
    const double alpha = ncl_op_is_matrix(node->op) ? (double)node->as.gemm.alpha : 1;
    const double **scale, **shift;

    if (!folded_arrays(node, &scale, &shift))
        return;
    for (int64_t i = 0; i < a->channels; i++) {
        const double before = *shift != NULL ? (*shift)[i] : own_bias(graph, node, i);

        a->offset[i] += (before - a->centre[i]) * a->scale[i];
        a->scale[i] *= *scale != NULL ? (*scale)[i] : alpha;
    }
    *scale = a->scale;
    *shift = a->offset;
}

static bool takes_affine(const struct ncl_node *producer)
{
    return producer != NULL &&
           (producer->op == NCL_OP_CONV || ncl_op_is_matrix(producer->op) ||
            producer->op == NCL_OP_SCALE) &&
           producer->act.act == NCL_ACT_NONE && !ncl_has_residual(producer);
}

static void become_scale(struct ncl_node *node, struct affine *a)
{
    node->op = NCL_OP_SCALE;
    node->inputs[0] = a->x;
    node->input_count = 1;
    memset(&node->as, 0, sizeof node->as);
    for (int64_t i = 0; i < a->channels; i++)
        a->offset[i] += (0 - a->centre[i]) * a->scale[i];
    node->as.scale.scale = a->scale;
    node->as.scale.shift = a->offset;
}

ncl_status ncl_pass_bn(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < graph->node_count; i++) {
        struct ncl_node *node = &graph->nodes[i];
        struct ncl_node *producer;
        struct affine a;

        status = read_affine(graph, node, &a);
        if (status != NCL_OK || a.x == NCL_NO_VALUE)
            continue;
        producer = ncl_sole_producer(graph, links, a.x);
        if (takes_affine(producer)) {
            struct ncl_node merged = *producer;

            compose(graph, &merged, &a);
            merged.act = node->act;
            ncl_absorb(graph, links, producer, i, merged);
            ++*changes;
        } else if (node->op != NCL_OP_SCALE) {
            become_scale(node, &a);
            ++*changes;
        }
    }
    return status;
}

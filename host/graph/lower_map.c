/* Pools, scales, activations, binary operators, softmax. */
#include "graph/lower.h"
#include "graph/passes.h"

#include <string.h>

ncl_status ncl_lower_pool(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    const int64_t *kernel = node->as.pool.kernel.values, *pads = node->as.pool.pads.values;
    const int64_t *strides = node->as.pool.strides.values;
    const int64_t *dilations = node->as.pool.dilations.values;
    struct ncl_step step;
    const ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_POOL, node->inputs[0], NCL_BLOCKED, NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    step.problem.of.pool = (struct ncl_pool){
        .window = {(int)kernel[0], (int)kernel[1], (int)strides[0], (int)strides[1],
                   (int)dilations[0], (int)dilations[1], (int)pads[0], (int)pads[1], (int)pads[2],
                   (int)pads[3]},
        .mode = node->op == NCL_OP_MAX_POOL ? NCL_POOL_MAX : NCL_POOL_AVERAGE,
        .count_padding = node->op == NCL_OP_AVERAGE_POOL && node->as.pool.count_include_pad};
    return ncl_lower_step(l, &step);
}

ncl_status ncl_lower_global_pool(struct ncl_lower *l)
{
    struct ncl_step step;
    const ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_POOL, l->node->inputs[0], NCL_BLOCKED, NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    step.problem.of.pool =
        (struct ncl_pool){.window = {step.problem.x.h, step.problem.x.w, 1, 1, 1, 1, 0, 0, 0, 0},
                          .mode = NCL_POOL_AVERAGE};
    return ncl_lower_step(l, &step);
}

ncl_status ncl_lower_reduce_mean(struct ncl_lower *l)
{
    const struct ncl_value *x = ncl_node_input(l->graph, l->node, 0);
    const struct ncl_axes *axes = &l->node->as.axes.axes;
    char text[NCL_DIMS_TEXT];
    bool spatial = (x->rank == 3 || x->rank == 4) && axes->count == x->rank - 2;

    for (int i = 0; i < axes->count; i++)
        spatial = spatial && axes->values[i] >= 2;
    if (!spatial)
        return ncl_node_fail(l->graph, l->node,
                             "mean over %d axes of shape %s, expected all axes from 2 on",
                             axes->count, ncl_dims_text(x, text));
    return ncl_lower_global_pool(l);
}

ncl_status ncl_lower_softmax(struct ncl_lower *l)
{
    const struct ncl_value *x = ncl_node_input(l->graph, l->node, 0);
    struct ncl_step step;
    struct ncl_shape shape;
    char text[NCL_DIMS_TEXT];
    ncl_status status = ncl_lower_shape(l, l->node->inputs[0], &shape);

    if (status != NCL_OK)
        return status;
    if (l->node->as.axis.axis != 1 || (l->node->as.axis.flat && shape.h * shape.w != 1))
        return ncl_node_fail(l->graph, l->node,
                             "softmax over axis %lld of shape %s, expected axis 1, the channels",
                             (long long)l->node->as.axis.axis, ncl_dims_text(x, text));
    status = ncl_lower_begin(l, NCL_PROBLEM_SOFTMAX, l->node->inputs[0], NCL_BLOCKED, NCL_BLOCKED,
                             &step);
    step.problem.of.softmax.log = l->node->op == NCL_OP_LOG_SOFTMAX;
    return status == NCL_OK ? ncl_lower_step(l, &step) : status;
}

ncl_status ncl_lower_scale(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    struct ncl_step step;
    ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_SCALE, node->inputs[0], NCL_BLOCKED, NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    step.problem.epilogue.scale = node->as.scale.scale != NULL;
    step.problem.epilogue.residual = ncl_has_residual(node);
    if (step.problem.epilogue.residual)
        status = ncl_lower_read(l, node->inputs[1], NCL_BLOCKED, &step.residual);
    if (status == NCL_OK)
        status = ncl_lower_floats(l, node->as.scale.scale, step.problem.y.c, &step.scale);
    if (status == NCL_OK)
        status = ncl_lower_floats(l, node->as.scale.shift, step.problem.y.c, &step.shift);
    return status == NCL_OK ? ncl_lower_step(l, &step) : status;
}

/* An activation that no operator before it could take. */
ncl_status ncl_lower_activation(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    struct ncl_step step;
    struct ncl_epilogue *epilogue = &step.problem.epilogue;
    const ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_SCALE, node->inputs[0], NCL_BLOCKED, NCL_BLOCKED, &step);

    if (status != NCL_OK)
        return status;
    if (node->op == NCL_OP_RELU) {
        epilogue->act = NCL_ACT_RELU;
    } else if (node->op == NCL_OP_CLIP) {
        epilogue->act = NCL_ACT_CLIP;
        epilogue->a = node->as.clip.min;
        epilogue->b = node->as.clip.max;
    } else if (node->op == NCL_OP_LEAKY_RELU) {
        epilogue->act = NCL_ACT_LEAKY;
        epilogue->a = node->as.leaky_relu.alpha;
    } else {
        epilogue->act = node->op == NCL_OP_SIGMOID ? NCL_ACT_SIGMOID : NCL_ACT_HARD_SWISH;
    }
    return ncl_lower_step(l, &step);
}

/* A value's dimensions behind as many ones as broadcasting to `rank` asks for. */
static struct ncl_shape aligned_shape(const struct ncl_value *value, int rank)
{
    int dims[4] = {1, 1, 1, 1};

    for (int i = 0; i < value->rank && value->rank <= 4; i++)
        dims[i + (rank <= 4 ? rank - value->rank : 0)] = (int)value->dims[i];
    return (struct ncl_shape){dims[0], dims[1], dims[2], dims[3]};
}

static ncl_status lower_sum(struct ncl_lower *l)
{
    struct ncl_step step;
    ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_SCALE, l->node->inputs[0], NCL_BLOCKED, NCL_BLOCKED, &step);

    if (status == NCL_OK)
        status = ncl_lower_read(l, l->node->inputs[1], NCL_BLOCKED, &step.residual);
    step.problem.epilogue.residual = true;
    return status == NCL_OK ? ncl_lower_step(l, &step) : status;
}

/* x has y's shape, z is stretched over it. */
static ncl_status lower_broadcast(struct ncl_lower *l, int x, int z)
{
    const enum ncl_op op = l->node->op;
    const struct ncl_value *y = &l->graph->values[l->node->outputs[0]];
    struct ncl_shape shape;
    struct ncl_step step;
    ncl_status status = ncl_lower_shape(l, z, &shape);

    if (status == NCL_OK)
        status = ncl_lower_begin(l, NCL_PROBLEM_BINARY, x, NCL_BLOCKED, NCL_BLOCKED, &step);
    if (status != NCL_OK)
        return status;
    shape = aligned_shape(&l->graph->values[z], y->rank);
    step.problem.of.binary.z = shape;
    step.problem.of.binary.op = op == NCL_OP_ADD   ? NCL_BINARY_ADD
                                : op == NCL_OP_SUB ? NCL_BINARY_SUBTRACT
                                                   : NCL_BINARY_MULTIPLY;
    status = ncl_lower_read_as(l, z, &shape, &step.z);
    return status == NCL_OK ? ncl_lower_step(l, &step) : status;
}

ncl_status ncl_lower_binary(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    const struct ncl_value *y = &l->graph->values[node->outputs[0]];
    const struct ncl_value *a = ncl_node_input(l->graph, node, 0);
    const struct ncl_value *b = ncl_node_input(l->graph, node, 1);
    char text_a[NCL_DIMS_TEXT], text_b[NCL_DIMS_TEXT];

    if (node->op == NCL_OP_ADD && ncl_same_dims(a, b))
        return lower_sum(l);
    if (ncl_same_dims(a, y))
        return lower_broadcast(l, node->inputs[0], node->inputs[1]);
    if (ncl_same_dims(b, y) && node->op != NCL_OP_SUB)
        return lower_broadcast(l, node->inputs[1], node->inputs[0]);
    return ncl_node_fail(l->graph, node,
                         "broadcasts shapes %s and %s, expected one of them (for Sub the first) to "
                         "have the result's shape",
                         ncl_dims_text(a, text_a), ncl_dims_text(b, text_b));
}

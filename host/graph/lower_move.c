/* Copies: reshapes, transposes, slices, pads, concatenation. */
#include "graph/lower.h"

#include <string.h>

/* Order in which the result of a copy is best kept for its readers. */
static enum ncl_order result_order(const struct ncl_lower *l)
{
    return l->wants_plain[l->node->outputs[0]] ? NCL_PLAIN : NCL_BLOCKED;
}

/* The order in which a value already is. */
static enum ncl_order present_order(const struct ncl_lower *l, int value)
{
    const int root = l->root[value];

    return l->slots[root][NCL_BLOCKED] >= 0 || l->slots[root][NCL_PLAIN] < 0 ? NCL_BLOCKED
                                                                             : NCL_PLAIN;
}

static ncl_status begin_copy(struct ncl_lower *l, struct ncl_step *step)
{
    const int x = l->node->inputs[0];
    const ncl_status status =
        ncl_lower_begin(l, NCL_PROBLEM_COPY, x, present_order(l, x), result_order(l), step);

    step->problem.of.copy = ncl_lower_plain_copy();
    return status;
}

ncl_status ncl_lower_reshape(struct ncl_lower *l)
{
    const int x = l->node->inputs[0], y = l->node->outputs[0];
    struct ncl_shape from, to;
    struct ncl_step step;
    ncl_status status = ncl_lower_shape(l, x, &from);

    if (status == NCL_OK)
        status = ncl_lower_shape(l, y, &to);
    if (status != NCL_OK)
        return status;
    if (ncl_same_shape(&from, &to)) {
        ncl_lower_alias(l, x, y);
        return NCL_OK;
    }
    status = begin_copy(l, &step);
    step.problem.of.copy.reshape = true;
    return status == NCL_OK ? ncl_lower_step(l, &step) : status;
}

ncl_status ncl_lower_transpose(struct ncl_lower *l)
{
    const struct ncl_axes *axes = &l->node->as.axes.axes;
    struct ncl_step step;
    const ncl_status status = begin_copy(l, &step);

    if (status != NCL_OK)
        return status;
    for (int i = 0; i < axes->count; i++)
        step.problem.of.copy.permutation[i] = (int)axes->values[i];
    return ncl_lower_step(l, &step);
}

ncl_status ncl_lower_slice(struct ncl_lower *l)
{
    struct ncl_step step;
    const ncl_status status = begin_copy(l, &step);

    if (status != NCL_OK)
        return status;
    for (int i = 0; i < l->node->as.axes.starts.count; i++) {
        step.problem.of.copy.start[i] = (int)l->node->as.axes.starts.values[i];
        step.problem.of.copy.step[i] = (int)l->node->as.axes.steps.values[i];
    }
    return ncl_lower_step(l, &step);
}

ncl_status ncl_lower_pad(struct ncl_lower *l)
{
    struct ncl_step step;
    const ncl_status status = begin_copy(l, &step);

    if (status != NCL_OK)
        return status;
    for (int i = 0; i < l->node->as.pad.pads.count / 2; i++)
        step.problem.of.copy.start[i] = -(int)l->node->as.pad.pads.values[i];
    step.problem.of.copy.fill = l->node->as.pad.value;
    return ncl_lower_step(l, &step);
}

/* Channels whose blocks begin and end where those of the result do, whatever CB is. */
static bool blocks_line_up(const struct ncl_lower *l)
{
    const struct ncl_value *y = &l->graph->values[l->node->outputs[0]];
    bool fits = l->node->as.axis.axis == 1 && y->rank >= 2 && y->rank <= 4;

    for (int i = 0; fits && i < l->node->input_count; i++)
        fits = ncl_node_input(l->graph, l->node, i)->dims[1] % 16 == 0;
    return fits;
}

/* Seen as outer x axis x inner x 1, a PLAIN tensor is concatenated along its second dimension,
 * whichever axis that is. */
static ncl_status plain_view(struct ncl_lower *l, struct ncl_shape *shape)
{
    const int dims[4] = {shape->n, shape->c, shape->h, shape->w};
    const int64_t axis = l->node->as.axis.axis;
    int outer = 1, inner = 1; /* products fit: the shape was checked */
    ncl_status status;

    for (int i = 0; i < 4; i++) {
        outer *= i < axis ? dims[i] : 1;
        inner *= i > axis ? dims[i] : 1;
    }
    *shape = (struct ncl_shape){outer, dims[axis], inner, 1};
    status = ncl_shape_check(NULL, shape, "result");
    return status == NCL_OK ? NCL_OK : ncl_node_fail(l->graph, l->node, "%s", ncl_error_text());
}

/* Copies one part behind those before it. */
static ncl_status copy_part(struct ncl_lower *l, struct ncl_step *step, int value, bool view)
{
    struct ncl_problem *problem = &step->problem;
    ncl_status status;

    problem->x_order = view                              ? NCL_PLAIN
                       : problem->y_order == NCL_BLOCKED ? NCL_BLOCKED
                                                         : present_order(l, value);
    status = ncl_lower_read(l, value, problem->x_order, &step->x);
    if (status != NCL_OK)
        return status;
    problem->x = l->schedule->slots[step->x].shape;
    if (view)
        status = plain_view(l, &problem->x);
    problem->y = problem->x;
    if (status == NCL_OK)
        status = ncl_lower_step(l, step);
    problem->of.copy.y_channel += problem->x.c;
    return status;
}

ncl_status ncl_lower_concat(struct ncl_lower *l)
{
    const struct ncl_node *node = l->node;
    const enum ncl_order order = blocks_line_up(l) ? NCL_BLOCKED : NCL_PLAIN;
    const bool view = node->as.axis.axis != 1;
    struct ncl_shape whole;
    struct ncl_step step;
    ncl_status status;

    memset(&step, 0, sizeof step);
    step.name = node->name;
    step.op = ncl_op_name(node->op);
    step.z = step.residual = -1;
    step.problem.kind = NCL_PROBLEM_COPY;
    step.problem.y_order = order;
    step.problem.of.copy = ncl_lower_plain_copy();
    status = ncl_lower_write(l, node->outputs[0], order, &step.y);
    if (status != NCL_OK)
        return status;
    whole = l->schedule->slots[step.y].shape;
    if (view)
        status = plain_view(l, &whole);
    step.problem.of.copy.y_channels = whole.c;
    for (int i = 0; status == NCL_OK && i < node->input_count; i++)
        status = copy_part(l, &step, node->inputs[i], view);
    return status;
}

/* Lowering: slots, conversions between orders, and the table of operators. */
#include "graph/lower.h"
#include "problem/half.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static ncl_status to_shape(const struct ncl_value *value, struct ncl_shape *shape)
{
    int dims[4] = {1, 1, 1, 1};

    if (value->rank < 0 || value->rank > 4)
        return ncl_fail(NULL, NCL_ERROR_INPUT, "tensor '%s' has rank %d, expected at most 4",
                        value->name, value->rank);
    for (int i = 0; i < value->rank; i++) {
        if (value->dims[i] < 1 || value->dims[i] > INT_MAX)
            return ncl_fail(NULL, NCL_ERROR_INPUT, "tensor '%s': dimension %d is %lld", value->name,
                            i, (long long)value->dims[i]);
        dims[i] = (int)value->dims[i];
    }
    *shape = (struct ncl_shape){dims[0], dims[1], dims[2], dims[3]};
    return ncl_shape_check(NULL, shape, value->name);
}

ncl_status ncl_lower_shape(struct ncl_lower *l, int value, struct ncl_shape *shape)
{
    const ncl_status status = to_shape(&l->graph->values[value], shape);

    if (status != NCL_OK && l->node != NULL)
        return ncl_node_fail(l->graph, l->node, "%s", ncl_error_text());
    return status;
}

static ncl_status add_slot(struct ncl_lower *l, int value, const struct ncl_shape *shape,
                           enum ncl_order order, int *index)
{
    struct ncl_schedule *s = l->schedule;
    const struct ncl_value *v = &l->graph->values[value];
    struct ncl_slot slot = {.shape = *shape, .order = order, .input = -1, .output = -1};

    if (!ncl_grow((void **)&s->slots, &s->slot_capacity, (size_t)s->slot_count, sizeof slot))
        return ncl_fail_memory(l->graph->log, "the schedule");
    slot.name = v->name;
    slot.rank = v->rank;
    memcpy(slot.dims, v->dims, sizeof slot.dims);
    *index = s->slot_count++;
    s->slots[*index] = slot;
    return NCL_OK;
}

ncl_status ncl_lower_step(struct ncl_lower *l, const struct ncl_step *step)
{
    struct ncl_schedule *s = l->schedule;

    if (!ncl_grow((void **)&s->steps, &s->step_capacity, (size_t)s->step_count, sizeof *step))
        return ncl_fail_memory(l->graph->log, "the schedule");
    s->steps[s->step_count++] = *step;
    return NCL_OK;
}

struct ncl_copy ncl_lower_plain_copy(void)
{
    return (struct ncl_copy){.permutation = {0, 1, 2, 3}, .step = {1, 1, 1, 1}};
}

static ncl_status add_copy(struct ncl_lower *l, const char *name, int x, int y, bool reshape,
                           bool canonical)
{
    const struct ncl_slot *from = &l->schedule->slots[x], *to = &l->schedule->slots[y];
    struct ncl_step step;

    memset(&step, 0, sizeof step);
    step.name = name;
    step.op = "Copy";
    step.problem.kind = NCL_PROBLEM_COPY;
    step.problem.x = from->shape;
    step.problem.y = to->shape;
    step.problem.x_order = from->order;
    step.problem.y_order = to->order;
    step.problem.of.copy = ncl_lower_plain_copy();
    step.problem.of.copy.reshape = reshape;
    step.problem.of.copy.canonical = canonical;
    step.x = x;
    step.y = y;
    step.z = step.residual = -1;
    return ncl_lower_step(l, &step);
}

/* Any slot of the value: BLOCKED if there is one. */
static ncl_status read_any(struct ncl_lower *l, int value, int *slot)
{
    const int root = l->root[value];
    const struct ncl_value *v = &l->graph->values[value];
    char text[NCL_DIMS_TEXT];

    *slot =
        l->slots[root][NCL_BLOCKED] >= 0 ? l->slots[root][NCL_BLOCKED] : l->slots[root][NCL_PLAIN];
    if (*slot >= 0)
        return NCL_OK;
    if (l->node == NULL)
        return ncl_fail(l->graph->log, NCL_ERROR_INPUT,
                        "output '%s' is a constant, expected a result of the net", v->name);
    return ncl_node_fail(l->graph, l->node,
                         "operand '%s' is a constant of shape %s, expected one value per channel "
                         "or a tensor of the net",
                         v->name, ncl_dims_text(v, text));
}

ncl_status ncl_lower_read(struct ncl_lower *l, int value, enum ncl_order order, int *slot)
{
    const int root = l->root[value];
    int other;
    ncl_status status;

    *slot = l->slots[root][order];
    if (*slot >= 0)
        return NCL_OK;
    status = read_any(l, value, &other);
    if (status == NCL_OK)
        status = add_slot(l, root, &l->schedule->slots[other].shape, order, slot);
    if (status != NCL_OK)
        return status;
    l->slots[root][order] = *slot;
    return add_copy(l, l->graph->values[root].name, other, *slot, false, false);
}

ncl_status ncl_lower_read_as(struct ncl_lower *l, int value, const struct ncl_shape *shape,
                             int *slot)
{
    int other;
    ncl_status status = read_any(l, value, &other);

    if (status != NCL_OK)
        return status;
    if (ncl_same_shape(&l->schedule->slots[other].shape, shape))
        return ncl_lower_read(l, value, NCL_BLOCKED, slot);
    status = add_slot(l, value, shape, NCL_BLOCKED, slot);
    if (status != NCL_OK)
        return status;
    return add_copy(l, l->graph->values[value].name, other, *slot, true, false);
}

ncl_status ncl_lower_write(struct ncl_lower *l, int value, enum ncl_order order, int *slot)
{
    struct ncl_shape shape;
    ncl_status status = ncl_lower_shape(l, value, &shape);

    if (status == NCL_OK)
        status = add_slot(l, value, &shape, order, slot);
    if (status == NCL_OK)
        l->slots[value][order] = *slot;
    return status;
}

void ncl_lower_alias(struct ncl_lower *l, int x, int y)
{
    l->root[y] = l->root[x];
}

ncl_status ncl_lower_begin(struct ncl_lower *l, enum ncl_problem_kind kind, int x_value,
                           enum ncl_order x_order, enum ncl_order y_order, struct ncl_step *step)
{
    const struct ncl_node *node = l->node;
    ncl_status status;

    memset(step, 0, sizeof *step);
    step->name = node->name;
    step->op = ncl_op_name(node->op);
    step->z = step->residual = -1;
    step->problem.kind = kind;
    step->problem.x_order = x_order;
    step->problem.y_order = y_order;
    step->problem.epilogue.act = (enum ncl_act)node->act.act;
    step->problem.epilogue.a = node->act.a;
    step->problem.epilogue.b = node->act.b;
    status = ncl_lower_read(l, x_value, x_order, &step->x);
    if (status == NCL_OK)
        status = ncl_lower_write(l, node->outputs[0], y_order, &step->y);
    if (status != NCL_OK)
        return status;
    step->problem.x = l->schedule->slots[step->x].shape;
    step->problem.y = l->schedule->slots[step->y].shape;
    return NCL_OK;
}

ncl_status ncl_lower_floats(struct ncl_lower *l, const double *values, int count,
                            const float **result)
{
    float *floats;

    *result = NULL;
    if (values == NULL)
        return NCL_OK;
    floats = ncl_arena_alloc(&l->schedule->arena, (size_t)count, sizeof *floats);
    if (floats == NULL)
        return ncl_node_memory(l->graph, l->node);
    for (int i = 0; i < count; i++)
        floats[i] = (float)values[i] + 0.0f; /* -0 + +0 is +0 */
    *result = floats;
    return NCL_OK;
}

static ncl_lower_fn *const lowers[NCL_OP_COUNT] = {
    [NCL_OP_CONV] = ncl_lower_conv,
    [NCL_OP_RELU] = ncl_lower_activation,
    [NCL_OP_CLIP] = ncl_lower_activation,
    [NCL_OP_LEAKY_RELU] = ncl_lower_activation,
    [NCL_OP_HARD_SWISH] = ncl_lower_activation,
    [NCL_OP_SIGMOID] = ncl_lower_activation,
    [NCL_OP_ADD] = ncl_lower_binary,
    [NCL_OP_SUB] = ncl_lower_binary,
    [NCL_OP_MUL] = ncl_lower_binary,
    [NCL_OP_MAX_POOL] = ncl_lower_pool,
    [NCL_OP_AVERAGE_POOL] = ncl_lower_pool,
    [NCL_OP_GLOBAL_AVERAGE_POOL] = ncl_lower_global_pool,
    [NCL_OP_REDUCE_MEAN] = ncl_lower_reduce_mean,
    [NCL_OP_GEMM] = ncl_lower_matrix,
    [NCL_OP_MATMUL] = ncl_lower_matrix,
    [NCL_OP_FLATTEN] = ncl_lower_reshape,
    [NCL_OP_RESHAPE] = ncl_lower_reshape,
    [NCL_OP_SQUEEZE] = ncl_lower_reshape,
    [NCL_OP_UNSQUEEZE] = ncl_lower_reshape,
    [NCL_OP_IDENTITY] = ncl_lower_reshape,
    [NCL_OP_CAST] = ncl_lower_reshape,
    [NCL_OP_TRANSPOSE] = ncl_lower_transpose,
    [NCL_OP_PAD] = ncl_lower_pad,
    [NCL_OP_SLICE] = ncl_lower_slice,
    [NCL_OP_CONCAT] = ncl_lower_concat,
    [NCL_OP_SOFTMAX] = ncl_lower_softmax,
    [NCL_OP_LOG_SOFTMAX] = ncl_lower_softmax,
    [NCL_OP_SCALE] = ncl_lower_scale,
};

static ncl_status lower_nodes(struct ncl_lower *l)
{
    for (int i = 0; i < l->graph->node_count; i++) {
        ncl_status status;

        l->node = &l->graph->nodes[i];
        if ((size_t)l->node->op >= NCL_OP_COUNT || lowers[l->node->op] == NULL)
            return ncl_node_fail(l->graph, l->node,
                                 "not supported on run-time values, only on constants");
        status = lowers[l->node->op](l);
        if (status != NCL_OK)
            return status;
    }
    l->node = NULL;
    return NCL_OK;
}

static ncl_status add_inputs(struct ncl_lower *l)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < l->graph->input_count; i++) {
        int slot;

        status = ncl_lower_write(l, l->graph->inputs[i], NCL_PLAIN, &slot);
        if (status == NCL_OK)
            l->schedule->slots[slot].input = i;
    }
    return status;
}

static ncl_status add_outputs(struct ncl_lower *l)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < l->graph->output_count; i++) {
        const int value = l->graph->outputs[i];
        struct ncl_shape shape;
        int from, slot;

        status = read_any(l, value, &from);
        if (status == NCL_OK)
            status = ncl_lower_shape(l, value, &shape);
        if (status == NCL_OK)
            status = add_slot(l, value, &shape, NCL_PLAIN, &slot);
        if (status != NCL_OK)
            break;
        l->schedule->slots[slot].output = i;
        status = add_copy(l, l->graph->values[value].name, from, slot, false, true);
    }
    return status;
}

static void find_plain_readers(struct ncl_lower *l)
{
    const struct ncl_graph *graph = l->graph;

    for (int i = 0; i < graph->value_count; i++)
        l->wants_plain[i] = true;
    for (int i = 0; i < graph->output_count; i++)
        l->wants_plain[graph->outputs[i]] = false;
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].inputs[k] != NCL_NO_VALUE &&
                (k > 0 || !ncl_lower_takes_plain(graph, &graph->nodes[i])))
                l->wants_plain[graph->nodes[i].inputs[k]] = false;
}

static ncl_status run(struct ncl_lower *l)
{
    ncl_status status;

    for (int i = 0; i < l->graph->value_count; i++) {
        l->slots[i][NCL_PLAIN] = l->slots[i][NCL_BLOCKED] = -1;
        l->root[i] = i;
    }
    find_plain_readers(l);
    status = add_inputs(l);
    if (status == NCL_OK)
        status = lower_nodes(l);
    if (status == NCL_OK)
        status = add_outputs(l);
    if (status == NCL_OK)
        ncl_lower_check_finite(l->schedule);
    return status;
}

ncl_status ncl_schedule_create(const struct ncl_graph *graph, struct ncl_schedule **schedule)
{
    const size_t count = (size_t)graph->value_count + 1;
    struct ncl_lower l = {.graph = graph};
    ncl_status status;

    l.schedule = *schedule = ncl_alloc(1, sizeof **schedule);
    l.slots = ncl_alloc(count, sizeof *l.slots);
    l.root = ncl_alloc(count, sizeof *l.root);
    l.wants_plain = ncl_alloc(count, sizeof *l.wants_plain);
    if (l.schedule == NULL || l.slots == NULL || l.root == NULL || l.wants_plain == NULL)
        status = ncl_fail_memory(graph->log, "the schedule");
    else
        status = run(&l);
    free(l.slots);
    free(l.root);
    free(l.wants_plain);
    if (status == NCL_OK)
        return NCL_OK;
    ncl_schedule_free(*schedule);
    *schedule = NULL;
    return status;
}

void ncl_schedule_set(struct ncl_schedule *schedule, int channel_block, bool fast, bool half)
{
    schedule->half = half;
    for (int i = 0; i < schedule->step_count; i++) {
        struct ncl_problem *problem = &schedule->steps[i].problem;

        problem->channel_block = channel_block;
        problem->fast = fast;
        problem->half = half;
        if (half)
            problem->finite =
                problem->finite && schedule->steps[i].largest_weight < NCL_HALF_OVERFLOW;
    }
}

void ncl_schedule_set_half_math(struct ncl_schedule *schedule)
{
    for (int i = 0; i < schedule->step_count; i++) {
        struct ncl_problem *problem = &schedule->steps[i].problem;

        problem->half_math = problem->kind == NCL_PROBLEM_CONV;
    }
}

size_t ncl_slot_bytes(const struct ncl_schedule *schedule, int slot, int channel_block)
{
    const struct ncl_slot *s = &schedule->slots[slot];

    return ncl_shape_elements(&s->shape, s->order, channel_block) *
           ncl_element_bytes(s->order, schedule->half);
}

void ncl_schedule_free(struct ncl_schedule *schedule)
{
    if (schedule == NULL)
        return;
    ncl_arena_free(&schedule->arena);
    free(schedule->slots);
    free(schedule->steps);
    free(schedule->parts);
    free(schedule);
}

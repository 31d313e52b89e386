/* Transpositions, as exporters of channels-last nets put them around every convolution: they move
 * down through what works in any order, meet the next one, and are one or none. Cost never rises:
 * a transposition moves only where nobody else needs it in its old place. */
#include "graph/passes.h"

#include <stdlib.h>
#include <string.h>

struct mover {
    struct ncl_graph *graph;
    struct ncl_links *links;
    int *turned;             /* per value: readers that are transpositions */
    const int64_t **pending; /* per value: permutation that its readers have to apply first */
    int *changes;
};

static const int64_t *permutation_of(const struct ncl_node *node)
{
    return node->as.axes.axes.values;
}

/* The transposition that writes a value, or NULL. */
static struct ncl_node *transposition(const struct mover *m, int value)
{
    struct ncl_node *node;

    if (value == NCL_NO_VALUE || m->links->producer[value] < 0)
        return NULL;
    node = &m->graph->nodes[m->links->producer[value]];
    return node->op == NCL_OP_TRANSPOSE ? node : NULL;
}

static bool nobody_else_reads(const struct mover *m, int value)
{
    return m->links->readers[value] == 1 && !m->links->is_output[value];
}

/* before: of a value; after: of the same one transposed. */
static void turn_back(const int64_t *permutation, int rank, const int64_t *after, int64_t *before)
{
    for (int i = 0; i < rank; i++)
        before[permutation[i]] = after[i];
}

/* What a node reads instead of `t`, as one of its readers. */
static void read_before(const struct mover *m, int *input, const struct ncl_node *t)
{
    m->links->readers[*input]--;
    *input = t->inputs[0];
    m->links->readers[*input]++;
}

/* Two in a row are one. */
static void compose(struct ncl_node *node, const int64_t *first)
{
    const struct ncl_axes second = node->as.axes.axes;

    for (int i = 0; i < second.count; i++)
        node->as.axes.axes.values[i] = first[second.values[i]];
}

/* Attributes that name axes, for the operand before the transposition. */
static void turn_attributes(struct ncl_node *node, const int64_t *permutation, int rank)
{
    const struct ncl_node old = *node;

    switch (node->op) {
    case NCL_OP_SLICE:
        turn_back(permutation, rank, old.as.axes.starts.values, node->as.axes.starts.values);
        turn_back(permutation, rank, old.as.axes.steps.values, node->as.axes.steps.values);
        break;
    case NCL_OP_PAD:
        turn_back(permutation, rank, old.as.pad.pads.values, node->as.pad.pads.values);
        turn_back(permutation, rank, old.as.pad.pads.values + rank,
                  node->as.pad.pads.values + rank);
        break;
    case NCL_OP_CONCAT:
    case NCL_OP_SOFTMAX:
    case NCL_OP_LOG_SOFTMAX:
        node->as.axis.axis = permutation[old.as.axis.axis];
        break;
    default:
        break;
    }
}

/* A constant of one value, or of one per element of a single axis, along that axis before the
 * transposition. false: another one. */
static bool turn_constant(const struct mover *m, int *input, const int64_t *permutation, int rank)
{
    struct ncl_value turned = m->graph->values[*input];
    const int missing = rank - turned.rank;
    int axis = -1, index;

    for (int i = 0; i < turned.rank; i++) {
        if (turned.dims[i] == 1)
            continue;
        if (axis >= 0)
            return false;
        axis = i;
    }
    if (missing < 0 || axis < 0)
        return missing >= 0;
    if (ncl_graph_add_value(m->graph, turned.name, strlen(turned.name), &index) != NCL_OK)
        return false;
    for (int i = 0; i < rank; i++)
        turned.dims[i] = 1;
    turned.dims[permutation[axis + missing]] = m->graph->values[*input].dims[axis];
    turned.rank = rank;
    turned.name = m->graph->values[index].name;
    m->graph->values[index] = turned;
    *input = index;
    return true;
}

static bool works_in_any_order(const struct ncl_node *node)
{
    switch (node->op) {
    case NCL_OP_RELU:
    case NCL_OP_CLIP:
    case NCL_OP_LEAKY_RELU:
    case NCL_OP_HARD_SWISH:
    case NCL_OP_SIGMOID:
    case NCL_OP_ADD:
    case NCL_OP_SUB:
    case NCL_OP_MUL:
    case NCL_OP_DIV:
    case NCL_OP_PAD:
    case NCL_OP_CONCAT:
    case NCL_OP_SLICE:
        return true;
    case NCL_OP_SOFTMAX:
    case NCL_OP_LOG_SOFTMAX:
        return !node->as.axis.flat;
    default:
        return false;
    }
}

/* The transposition whose place the node may take: nobody else reads it, all the node's other
 * operands are transposed alike or constant, and known there. NULL: none. */
static struct ncl_node *place_to_move(const struct mover *m, const struct ncl_node *node)
{
    const int rank = m->graph->values[node->outputs[0]].rank;
    struct ncl_node *place = NULL;

    for (int i = 0; i < node->input_count; i++) {
        struct ncl_node *t = transposition(m, node->inputs[i]);

        if (t != NULL && nobody_else_reads(m, node->inputs[i]) && (place == NULL || t > place))
            place = t;
    }
    for (int i = 0; place != NULL && i < node->input_count; i++) {
        const struct ncl_node *t = transposition(m, node->inputs[i]);

        if (node->inputs[i] == NCL_NO_VALUE ||
            ncl_value_is_constant(&m->graph->values[node->inputs[i]]))
            continue;
        if (t == NULL || t->as.axes.axes.count != rank ||
            memcmp(permutation_of(t), permutation_of(place), (size_t)rank * sizeof(int64_t)) != 0 ||
            m->links->producer[t->inputs[0]] >= place - m->graph->nodes)
            return NULL;
    }
    return place;
}

static bool is_constant(const struct mover *m, int value)
{
    return value != NCL_NO_VALUE && ncl_value_is_constant(&m->graph->values[value]);
}

static bool turn_inputs(const struct mover *m, struct ncl_node *node, const struct ncl_node *place)
{
    const int rank = place->as.axes.axes.count;

    for (int i = 0; i < node->input_count; i++)
        if (is_constant(m, node->inputs[i]) &&
            (node->op == NCL_OP_CONCAT ||
             !turn_constant(m, &node->inputs[i], permutation_of(place), rank)))
            return false;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NCL_NO_VALUE && !is_constant(m, node->inputs[i]))
            read_before(m, &node->inputs[i], transposition(m, node->inputs[i]));
    return true;
}

/* y = f(transpose(x)) becomes transpose(f(x)): both change places. */
static void move_below(const struct mover *m, struct ncl_node *node, struct ncl_node *place)
{
    const int between = place->outputs[0], y = node->outputs[0];
    const int rank = place->as.axes.axes.count;
    struct ncl_node first = *node, second = *place;
    struct ncl_value *value;

    if (!turn_inputs(m, &first, place))
        return;
    m->links->readers[place->inputs[0]]--;
    m->links->readers[between] = 1;
    m->links->producer[y] = (int)(node - m->graph->nodes);
    value = &m->graph->values[between];
    turn_attributes(&first, permutation_of(place), rank);
    turn_back(permutation_of(place), rank, m->graph->values[y].dims, value->dims);
    first.outputs = place->outputs;
    second.outputs = node->outputs;
    second.inputs[0] = between;
    *place = first;
    *node = second;
    ++*m->changes;
}

/* A slice of a transposition whose readers all turn it again: they turn the slice of x. */
static ncl_status slice_before(const struct mover *m, struct ncl_node *slice)
{
    const int y = slice->outputs[0];
    const struct ncl_node *t = transposition(m, slice->inputs[0]);
    struct ncl_value *value = &m->graph->values[y];
    int64_t after[NCL_MAX_RANK], *permutation;

    if (t == NULL || m->links->is_output[y] || m->turned[y] != m->links->readers[y])
        return NCL_OK;
    permutation = ncl_arena_alloc(&m->graph->arena, NCL_MAX_RANK, sizeof *permutation);
    if (permutation == NULL)
        return ncl_node_memory(m->graph, slice);
    memcpy(permutation, permutation_of(t), NCL_MAX_RANK * sizeof *permutation);
    memcpy(after, value->dims, sizeof after);
    turn_back(permutation, value->rank, after, value->dims);
    turn_attributes(slice, permutation, value->rank);
    read_before(m, &slice->inputs[0], t);
    m->pending[y] = permutation;
    ++*m->changes;
    return NCL_OK;
}

/* A mean that drops its axes leaves the others in order, whatever the order before. */
static void mean_before(const struct mover *m, struct ncl_node *mean)
{
    const struct ncl_node *t = transposition(m, mean->inputs[0]);
    struct ncl_axes *axes = &mean->as.axes.axes;
    bool reduced[NCL_MAX_RANK] = {false};
    int64_t last = -1;

    if (t == NULL || mean->as.axes.keep_dims)
        return;
    for (int i = 0; i < axes->count; i++)
        reduced[axes->values[i]] = true;
    for (int i = 0; i < t->as.axes.axes.count; i++) {
        if (!reduced[i] && permutation_of(t)[i] < last)
            return;
        last = reduced[i] ? last : permutation_of(t)[i];
    }
    for (int i = 0; i < axes->count; i++)
        axes->values[i] = permutation_of(t)[axes->values[i]];
    read_before(m, &mean->inputs[0], t);
    ++*m->changes;
}

/* Only dimensions of 1 change places: elements stay where they are. */
static bool moves_nothing(const struct mover *m, const struct ncl_node *t)
{
    const struct ncl_value *x = ncl_node_input(m->graph, t, 0);
    int64_t last = -1;

    for (int i = 0; i < x->rank; i++) {
        const int64_t axis = permutation_of(t)[i];

        if (x->dims[axis] == 1)
            continue;
        if (axis < last)
            return false;
        last = axis;
    }
    return true;
}

static void move_transposition(const struct mover *m, struct ncl_node *node)
{
    const struct ncl_node *t = transposition(m, node->inputs[0]);

    if (m->pending[node->inputs[0]] != NULL) {
        compose(node, m->pending[node->inputs[0]]);
    } else if (t != NULL) {
        compose(node, permutation_of(t));
        read_before(m, &node->inputs[0], t);
        ++*m->changes;
    }
    if (moves_nothing(m, node)) {
        memset(&node->as, 0, sizeof node->as);
        node->op = NCL_OP_RESHAPE;
        ++*m->changes;
    }
}

static bool is_reshape(const struct ncl_node *node)
{
    return node->op == NCL_OP_RESHAPE || node->op == NCL_OP_FLATTEN || node->op == NCL_OP_SQUEEZE ||
           node->op == NCL_OP_UNSQUEEZE;
}

/* The last of several in a row says the shape. */
static void move_reshape(const struct mover *m, struct ncl_node *node)
{
    const int producer = m->links->producer[node->inputs[0]];

    if (producer < 0 || !is_reshape(&m->graph->nodes[producer]))
        return;
    read_before(m, &node->inputs[0], &m->graph->nodes[producer]);
    ++*m->changes;
}

static ncl_status move(const struct mover *m, struct ncl_node *node)
{
    struct ncl_node *t;

    if (node->op == NCL_OP_TRANSPOSE) {
        move_transposition(m, node);
    } else if (is_reshape(node)) {
        move_reshape(m, node);
    } else if (node->op == NCL_OP_REDUCE_MEAN) {
        mean_before(m, node);
    } else if (works_in_any_order(node)) {
        t = place_to_move(m, node);
        if (t != NULL)
            move_below(m, node, t);
        else if (node->op == NCL_OP_SLICE)
            return slice_before(m, node);
    }
    return NCL_OK;
}

/* Constants that the pass adds are unknown to its lists, and are no results of nodes. */
ncl_status ncl_pass_transpose(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    const size_t count = (size_t)graph->value_count + 1;
    struct mover m = {graph, links, ncl_alloc(count, sizeof *m.turned),
                      ncl_alloc(count, sizeof *m.pending), changes};
    ncl_status status = NCL_OK;

    if (m.turned == NULL || m.pending == NULL)
        status = ncl_fail_memory(graph->log, "moving transpositions");
    for (int i = 0; status == NCL_OK && i < graph->node_count; i++)
        if (graph->nodes[i].op == NCL_OP_TRANSPOSE)
            m.turned[graph->nodes[i].inputs[0]]++;
    for (int i = 0; status == NCL_OK && i < graph->node_count; i++)
        status = move(&m, &graph->nodes[i]);
    free(m.turned);
    free((void *)m.pending);
    return status;
}

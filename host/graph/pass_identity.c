/* Nodes that pass their input on: Identity, Dropout, moves that move nothing. */
#include "graph/passes.h"

#include <stdlib.h>

static bool all_zero(const struct ncl_axes *list)
{
    for (int i = 0; i < list->count; i++)
        if (list->values[i] != 0)
            return false;
    return true;
}

static bool in_order(const struct ncl_axes *permutation)
{
    for (int i = 0; i < permutation->count; i++)
        if (permutation->values[i] != i)
            return false;
    return true;
}

static bool moves_nothing(const struct ncl_graph *graph, const struct ncl_node *node)
{
    const struct ncl_value *x = ncl_node_input(graph, node, 0);
    const struct ncl_value *y = &graph->values[node->outputs[0]];

    if (x == NULL || ncl_value_is_constant(x) || !ncl_same_dims(x, y))
        return false;
    switch (node->op) {
    case NCL_OP_IDENTITY:
    case NCL_OP_CAST: /* float32 to float32: anything else was folded or refused */
    case NCL_OP_RESHAPE:
    case NCL_OP_FLATTEN:
    case NCL_OP_SQUEEZE:
    case NCL_OP_UNSQUEEZE:
        return true;
    case NCL_OP_TRANSPOSE:
        return in_order(&node->as.axes.axes);
    case NCL_OP_PAD:
        return all_zero(&node->as.pad.pads);
    case NCL_OP_SLICE: /* of equal size: only a reversal differs */
        return all_zero(&node->as.axes.starts);
    case NCL_OP_CONCAT:
        return node->input_count == 1;
    default:
        return false;
    }
}

static int resolve(const int *map, int value)
{
    while (value != NCL_NO_VALUE && map[value] != NCL_NO_VALUE)
        value = map[value]; /* at most two steps: see forward() */
    return value;
}

static void rename_output(struct ncl_node *node, int from, int to)
{
    for (int k = 0; k < node->output_count; k++)
        if (node->outputs[k] == from)
            node->outputs[k] = to;
}

/* Readers of y read x instead. An output of the model keeps its value: then whoever writes x writes
 * y, unless x has a name to keep too. Returns whether the node is gone. */
static bool forward(struct ncl_graph *graph, struct ncl_links *links, int *map, int index)
{
    struct ncl_node *node = &graph->nodes[index];
    const int x = resolve(map, node->inputs[0]), y = node->outputs[0];

    if (!links->is_output[y]) {
        map[y] = x;
        ncl_node_kill(node);
        return true;
    }
    if (links->producer[x] < 0 || links->is_output[x])
        return false;
    rename_output(&graph->nodes[links->producer[x]], x, y);
    links->producer[y] = links->producer[x];
    map[x] = y;
    ncl_node_kill(node);
    return true;
}

ncl_status ncl_pass_identity(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    int *map = ncl_alloc((size_t)graph->value_count + 1, sizeof *map);

    if (map == NULL)
        return ncl_fail_memory(graph->log, "removing identities");
    for (int i = 0; i < graph->value_count; i++)
        map[i] = NCL_NO_VALUE;
    for (int i = 0; i < graph->node_count; i++)
        if (moves_nothing(graph, &graph->nodes[i]) && forward(graph, links, map, i))
            ++*changes;
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            graph->nodes[i].inputs[k] = resolve(map, graph->nodes[i].inputs[k]);
    free(map);
    return NCL_OK;
}

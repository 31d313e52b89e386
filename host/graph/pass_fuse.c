/* Residual additions and activations become part of the operator before them. */
#include "graph/passes.h"
#include "problem/problem.h"

#include <math.h>
#include <string.h>

/* The activation a node is, NCL_ACT_NONE if it is none. */
static struct ncl_node_act activation(const struct ncl_node *node)
{
    switch (node->op) {
    case NCL_OP_RELU:
        return (struct ncl_node_act){.act = NCL_ACT_RELU};
    case NCL_OP_CLIP:
        return (struct ncl_node_act){NCL_ACT_CLIP, node->as.clip.min, node->as.clip.max};
    case NCL_OP_LEAKY_RELU:
        return (struct ncl_node_act){.act = NCL_ACT_LEAKY, .a = node->as.leaky_relu.alpha};
    case NCL_OP_HARD_SWISH:
        return (struct ncl_node_act){.act = NCL_ACT_HARD_SWISH};
    case NCL_OP_SIGMOID:
        return (struct ncl_node_act){.act = NCL_ACT_SIGMOID};
    case NCL_OP_SCALE:
        if (node->as.scale.scale == NULL && !ncl_has_residual(node))
            return node->act;
        break;
    default:
        break;
    }
    return (struct ncl_node_act){.act = NCL_ACT_NONE};
}

static bool takes_activation(const struct ncl_node *node)
{
    if (node == NULL || node->act.act != NCL_ACT_NONE)
        return false;
    switch (node->op) {
    case NCL_OP_CONV:
    case NCL_OP_GEMM:
    case NCL_OP_MATMUL:
    case NCL_OP_SCALE:
    case NCL_OP_ADD:
    case NCL_OP_SUB:
    case NCL_OP_MUL:
    case NCL_OP_MAX_POOL:
    case NCL_OP_AVERAGE_POOL:
    case NCL_OP_GLOBAL_AVERAGE_POOL:
    case NCL_OP_REDUCE_MEAN:
        return true;
    default:
        return false;
    }
}

static void fuse_activation(struct ncl_graph *graph, struct ncl_links *links, int index,
                            int *changes)
{
    struct ncl_node *node = &graph->nodes[index];
    const struct ncl_node_act act = activation(node);
    struct ncl_node *producer;

    if (act.act == NCL_ACT_NONE)
        return;
    producer = ncl_sole_producer(graph, links, node->inputs[0]);
    if (takes_activation(producer)) {
        struct ncl_node merged = *producer;

        merged.act = act;
        ncl_absorb(graph, links, producer, index, merged);
        ++*changes;
    }
}

/* x * sigmoid(x), in either order. */
static void fuse_silu(struct ncl_graph *graph, struct ncl_links *links, struct ncl_node *node,
                      int *changes)
{
    for (int i = 0; i < 2; i++) {
        struct ncl_node *gate = ncl_sole_producer(graph, links, node->inputs[i]);
        const int x = node->inputs[1 - i];

        if (gate == NULL || gate->op != NCL_OP_SIGMOID || gate->inputs[0] != x)
            continue;
        ncl_node_kill(gate);
        links->readers[x]--;
        node->op = NCL_OP_SCALE;
        node->inputs[0] = x;
        node->input_count = 1;
        node->act.act = NCL_ACT_SILU;
        memset(&node->as, 0, sizeof node->as);
        ++*changes;
        return;
    }
}

static bool takes_residual(const struct ncl_node *node)
{
    return node != NULL && ncl_residual_input(node->op) >= 0 && node->act.act == NCL_ACT_NONE &&
           !ncl_has_residual(node);
}

/* Of two candidates the later one adds the other's result, which is there by then. */
static ncl_status fuse_addition(struct ncl_graph *graph, struct ncl_links *links, int index,
                                int *changes)
{
    struct ncl_node *add = &graph->nodes[index];
    struct ncl_node *a = ncl_sole_producer(graph, links, add->inputs[0]);
    struct ncl_node *b = ncl_sole_producer(graph, links, add->inputs[1]);
    struct ncl_node *chosen = takes_residual(a) ? a : NULL;
    struct ncl_node merged;
    ncl_status status;

    if (takes_residual(b) && (chosen == NULL || b > chosen))
        chosen = b;
    if (chosen == NULL || ncl_value_is_constant(&graph->values[add->inputs[0]]) ||
        ncl_value_is_constant(&graph->values[add->inputs[1]]) ||
        !ncl_same_dims(&graph->values[add->inputs[0]], &graph->values[add->inputs[1]]))
        return NCL_OK;
    merged = *chosen;
    status = ncl_widen_inputs(graph, &merged, ncl_residual_input(merged.op) + 1);
    if (status != NCL_OK)
        return status;
    merged.inputs[merged.input_count - 1] = add->inputs[chosen == a ? 1 : 0];
    merged.act = add->act;
    ncl_absorb(graph, links, chosen, index, merged);
    ++*changes;
    return NCL_OK;
}

ncl_status ncl_pass_fuse(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < graph->node_count; i++) {
        if (graph->nodes[i].op == NCL_OP_MUL && graph->nodes[i].act.act == NCL_ACT_NONE)
            fuse_silu(graph, links, &graph->nodes[i], changes);
        fuse_activation(graph, links, i, changes);
        if (graph->nodes[i].op == NCL_OP_ADD)
            status = fuse_addition(graph, links, i, changes);
    }
    return status;
}

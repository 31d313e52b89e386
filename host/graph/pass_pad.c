/* Zero padding in front of a convolution or pool becomes the window's own padding. */
#include "graph/infer.h"
#include "graph/passes.h"
#include "problem/problem.h"

#include <string.h>

static bool pads_space_with_zeros(const struct ncl_node *node)
{
    const int64_t *pads = node->as.pad.pads.values;

    if (node->op != NCL_OP_PAD || node->as.pad.pads.count != 8 || node->as.pad.value != 0)
        return false;
    return pads[0] == 0 && pads[1] == 0 && pads[4] == 0 && pads[5] == 0 && pads[2] >= 0 &&
           pads[3] >= 0 && pads[6] >= 0 && pads[7] >= 0;
}

/* Adds the node's pads to a window's. false: beyond what a window may have. */
static bool add_pads(const struct ncl_node *pad, struct ncl_axes *pads)
{
    static const int from[4] = {2, 3, 6, 7};

    for (int i = 0; i < 4; i++) {
        pads->values[i] += pad->as.pad.pads.values[from[i]];
        if (pads->values[i] > NCL_WINDOW_LIMIT)
            return false;
    }
    return true;
}

static bool never_negative(const struct ncl_graph *graph, const struct ncl_links *links, int value)
{
    const struct ncl_node *node;

    if (links->producer[value] < 0)
        return false;
    node = &graph->nodes[links->producer[value]];
    return node->op == NCL_OP_RELU || node->op == NCL_OP_SIGMOID || node->act.act == NCL_ACT_RELU ||
           (node->op == NCL_OP_CLIP && node->as.clip.min >= 0);
}

/* A maximum pads with -Inf, a mean may not count its padding. */
static bool same_meaning(const struct ncl_graph *graph, const struct ncl_links *links,
                         const struct ncl_node *node, const struct ncl_node *pad)
{
    const int64_t *pads = node->as.pool.pads.values;

    if (node->op == NCL_OP_CONV)
        return true;
    if (node->op == NCL_OP_MAX_POOL)
        return never_negative(graph, links, pad->inputs[0]);
    return node->as.pool.count_include_pad ||
           (pads[0] == 0 && pads[1] == 0 && pads[2] == 0 && pads[3] == 0);
}

/* The node reading the unpadded tensor. Whether its result keeps its size, and every window of a
 * pool an element, is what inference says. */
static bool try_fold(struct ncl_graph *graph, const struct ncl_links *links, struct ncl_node *node,
                     const struct ncl_node *pad)
{
    const bool conv = node->op == NCL_OP_CONV;
    const struct ncl_value before = graph->values[node->outputs[0]];
    const int input = node->inputs[0];
    const struct ncl_log *log = graph->log;
    struct ncl_node folded = *node;
    bool fits;

    if (!same_meaning(graph, links, node, pad) ||
        !add_pads(pad, conv ? &folded.as.conv.pads : &folded.as.pool.pads))
        return false;
    if (node->op == NCL_OP_AVERAGE_POOL)
        folded.as.pool.count_include_pad = true;
    node->inputs[0] = pad->inputs[0];
    graph->log = NULL; /* a refusal here is an answer, not an error */
    fits = ncl_infer_node(graph, &folded) == NCL_OK &&
           ncl_same_dims(&before, &graph->values[node->outputs[0]]);
    graph->log = log;
    if (fits) {
        *node = folded;
        return true;
    }
    node->inputs[0] = input;
    graph->values[node->outputs[0]] = before;
    return false;
}

ncl_status ncl_pass_pad(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    for (int i = 0; i < graph->node_count; i++) {
        struct ncl_node *node = &graph->nodes[i];
        struct ncl_node *pad;
        bool again = node->op == NCL_OP_CONV || node->op == NCL_OP_MAX_POOL ||
                     node->op == NCL_OP_AVERAGE_POOL;

        while (again) {
            pad = ncl_sole_producer(graph, links, node->inputs[0]);
            again = pad != NULL && pads_space_with_zeros(pad) && try_fold(graph, links, node, pad);
            if (!again)
                break;
            ncl_node_kill(pad);
            ++*changes;
        }
    }
    return NCL_OK;
}

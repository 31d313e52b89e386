/* Rewriting a specialised graph. A pass walks the nodes once in topological order, keeps that
 * order, and counts what it changed. */
#ifndef NCL_GRAPH_PASSES_H
#define NCL_GRAPH_PASSES_H

#include "graph/node.h"

/* Who writes and how many read each value; kept current by the functions below. */
struct ncl_links {
    int *producer; /* node, or -1 */
    int *readers;  /* uses as input, and as output of the graph */
    bool *is_output, *is_input;
};
ncl_status ncl_links_create(const struct ncl_graph *graph, struct ncl_links *links);
void ncl_links_free(struct ncl_links *links);

/* The live node that writes `value` for a single reader, or NULL. */
struct ncl_node *ncl_sole_producer(struct ncl_graph *graph, const struct ncl_links *links,
                                   int value);
/* `merged` takes the place and the result of node `consumer`; `producer`, whose result nobody else
 * reads, is gone. At the consumer's place every operand of both is known. */
void ncl_absorb(struct ncl_graph *graph, struct ncl_links *links, struct ncl_node *producer,
                int consumer, struct ncl_node merged);
/* A copy of the node's inputs, with room for `count`, the new ones left out. */
ncl_status ncl_widen_inputs(struct ncl_graph *graph, struct ncl_node *node, int count);

typedef ncl_status ncl_pass_fn(struct ncl_graph *graph, struct ncl_links *links, int *changes);
ncl_pass_fn ncl_pass_identity;  /* nodes that pass their input on */
ncl_pass_fn ncl_pass_transpose; /* transpositions to where they meet others */
ncl_pass_fn ncl_pass_pad;       /* zero padding into the window behind it */
ncl_pass_fn ncl_pass_groups;    /* slices, convolutions and a concatenation into one convolution */
ncl_pass_fn ncl_pass_bn;        /* per-channel multiply and add into what is before them */
ncl_pass_fn ncl_pass_fuse;      /* residual additions and activations into what is before them */
ncl_pass_fn ncl_pass_slice;     /* slices of channels into what is before them */

/* Whether a node is a Slice of consecutive channels of an N x C x H x W tensor. */
bool ncl_slices_channels(const struct ncl_graph *graph, const struct ncl_node *node);

/* Index of the residual among a node's inputs, -1 for operators without. */
static inline int ncl_residual_input(enum ncl_op op)
{
    if (op == NCL_OP_CONV || ncl_op_is_matrix(op))
        return 3;
    return op == NCL_OP_SCALE ? 1 : -1;
}

static inline bool ncl_has_residual(const struct ncl_node *node)
{
    const int input = ncl_residual_input(node->op);

    return input >= 0 && input < node->input_count && node->inputs[input] != NCL_NO_VALUE;
}

/* Channels of a value: its second dimension. */
static inline int64_t ncl_value_channels(const struct ncl_value *value)
{
    return value->rank >= 2 ? value->dims[1] : 1;
}

#endif

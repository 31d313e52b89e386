/* Shapes and types of one node's outputs. Inference also resolves attributes: afterwards windows,
 * pads, axes and permutations are given in full and in range, inputs that held them are dropped. */
#ifndef NCL_GRAPH_INFER_H
#define NCL_GRAPH_INFER_H

#include "graph/node.h"

struct ncl_infer {
    struct ncl_graph *graph;
    struct ncl_node *node;
};

ncl_status ncl_infer_node(struct ncl_graph *graph, struct ncl_node *node);

/* One function per operator; required inputs are known and present when it is called. */
typedef ncl_status ncl_infer_fn(struct ncl_infer *s);
ncl_infer_fn ncl_infer_conv, ncl_infer_pool, ncl_infer_global_pool, ncl_infer_reduce_mean;
ncl_infer_fn ncl_infer_gemm, ncl_infer_matmul, ncl_infer_flatten, ncl_infer_softmax;
ncl_infer_fn ncl_infer_reshape, ncl_infer_transpose, ncl_infer_squeeze, ncl_infer_unsqueeze;
ncl_infer_fn ncl_infer_pad, ncl_infer_slice, ncl_infer_split, ncl_infer_concat, ncl_infer_gather;

static inline const struct ncl_value *ncl_infer_input(const struct ncl_infer *s, int i)
{
    return ncl_node_input(s->graph, s->node, i);
}

/* Sets output 0, checking that it is neither empty nor too large. */
ncl_status ncl_infer_output(struct ncl_infer *s, enum ncl_dtype dtype, int rank,
                            const int64_t *dims);
/* Present inputs first..last share input 0's type. */
ncl_status ncl_infer_same_dtype(struct ncl_infer *s, int last);
ncl_status ncl_infer_rank(struct ncl_infer *s, int input, int rank);
/* Replaces *list by the integers of constant input i, if there is one. */
ncl_status ncl_infer_list(struct ncl_infer *s, int i, const char *what, struct ncl_axes *list);
/* Normalises one axis, -rank..rank-1, to 0..rank-1. */
ncl_status ncl_infer_axis(struct ncl_infer *s, const char *what, int rank, int64_t *axis);
/* Normalises and checks for repetition. */
ncl_status ncl_infer_axes(struct ncl_infer *s, int rank, struct ncl_axes *axes);
/* Drops inputs from `count` on. */
void ncl_infer_drop_inputs(struct ncl_infer *s, int count);

#endif

/* Computing nodes of constants once, on the host. */
#ifndef NCL_GRAPH_FOLD_H
#define NCL_GRAPH_FOLD_H

#include "graph/node.h"

/* Results beyond this many elements are no shape arithmetic and no sensible weight. */
#define NCL_FOLD_LIMIT ((int64_t)64 << 20)
/* All constants that folding and passes make: a small file may ask for many. */
#define NCL_FOLD_BYTES ((size_t)640 << 20)
/* Whether the graph may have `bytes` more of them; counts them if so. */
bool ncl_fold_affords(struct ncl_graph *graph, size_t bytes);

/* Whether an inferred node's result is known before the net runs. */
bool ncl_fold_possible(const struct ncl_graph *graph, const struct ncl_node *node);
/* Makes output 0 of an inferred node a constant. The node itself stays. */
ncl_status ncl_fold_node(struct ncl_graph *graph, const struct ncl_node *node);

/* One function per operator: writes y's elements to data. */
struct ncl_fold {
    const struct ncl_graph *graph;
    const struct ncl_node *node;
    const struct ncl_value *y;
    unsigned char *data;
};
typedef ncl_status ncl_fold_fn(struct ncl_fold *f);
ncl_fold_fn ncl_fold_transpose, ncl_fold_slice, ncl_fold_gather, ncl_fold_concat;
ncl_fold_fn ncl_fold_binary, ncl_fold_cast;

/* Element `index` of the result: floats rounded once, integers as they are. */
void ncl_fold_store(struct ncl_fold *f, int64_t index, double value);
void ncl_fold_store_integer(struct ncl_fold *f, int64_t index, int64_t value);

/* Walks y's coordinates in order; source: offset of each in an operand with these strides. */
struct ncl_walk {
    int rank;
    int64_t dims[NCL_MAX_RANK], at[NCL_MAX_RANK], stride[NCL_MAX_RANK];
    int64_t source;
};
void ncl_walk_next(struct ncl_walk *walk);
/* Elements between neighbours along each axis of a dense value. */
void ncl_dense_strides(const struct ncl_value *value, int64_t strides[NCL_MAX_RANK]);

#endif

/* From nodes to steps. Each operator's function reads its operands' slots in the order it wants,
 * makes a slot for its result, and appends steps. */
#ifndef NCL_GRAPH_LOWER_H
#define NCL_GRAPH_LOWER_H

#include "graph/node.h"
#include "graph/schedule.h"

struct ncl_lower {
    const struct ncl_graph *graph;
    struct ncl_schedule *schedule;
    const struct ncl_node *node;
    int (*slots)[2];   /* per value and ncl_order, -1: not there in that order */
    int *root;         /* per value: the value whose slots it shares, itself mostly */
    bool *wants_plain; /* per value: every reader takes it PLAIN */
};

typedef ncl_status ncl_lower_fn(struct ncl_lower *l);
ncl_lower_fn ncl_lower_conv, ncl_lower_matrix;
ncl_lower_fn ncl_lower_pool, ncl_lower_global_pool, ncl_lower_reduce_mean, ncl_lower_softmax;
ncl_lower_fn ncl_lower_scale, ncl_lower_activation, ncl_lower_binary;
ncl_lower_fn ncl_lower_reshape, ncl_lower_transpose, ncl_lower_slice, ncl_lower_pad;
ncl_lower_fn ncl_lower_concat;

/* Whether this node reads input 0 from a PLAIN slot if there is one. */
bool ncl_lower_takes_plain(const struct ncl_graph *graph, const struct ncl_node *node);

/* NCHW shape of a value; an error names the node. */
ncl_status ncl_lower_shape(struct ncl_lower *l, int value, struct ncl_shape *shape);
/* Slot of a value in the given order, converted if need be, once. */
ncl_status ncl_lower_read(struct ncl_lower *l, int value, enum ncl_order order, int *slot);
/* The same value under another shape of as many elements: PLAIN or BLOCKED, a copy. */
ncl_status ncl_lower_read_as(struct ncl_lower *l, int value, const struct ncl_shape *shape,
                             int *slot);
/* A new slot that holds a value. */
ncl_status ncl_lower_write(struct ncl_lower *l, int value, enum ncl_order order, int *slot);
/* y shares x's slots. */
void ncl_lower_alias(struct ncl_lower *l, int x, int y);
/* Appends a step. */
ncl_status ncl_lower_step(struct ncl_lower *l, const struct ncl_step *step);
/* A step of the current node from a BLOCKED or PLAIN x to its first output: shapes, orders, slots
 * and activation are set. */
ncl_status ncl_lower_begin(struct ncl_lower *l, enum ncl_problem_kind kind, int x_value,
                           enum ncl_order x_order, enum ncl_order y_order, struct ncl_step *step);
/* A copy that moves nothing, from slot to slot. */
struct ncl_copy ncl_lower_plain_copy(void);
/* floats in the schedule's arena, each rounded once, -0 as +0; *result NULL for NULL. */
ncl_status ncl_lower_floats(struct ncl_lower *l, const double *values, int count,
                            const float **result);
/* Sets `finite` of every convolution. */
void ncl_lower_check_finite(struct ncl_schedule *schedule);

static inline bool ncl_same_shape(const struct ncl_shape *a, const struct ncl_shape *b)
{
    return a->n == b->n && a->c == b->c && a->h == b->h && a->w == b->w;
}

#endif

/* Folding of arithmetic: integers as int64 that wraps, floats in double, rounded once. */
#include "graph/fold.h"

#include <string.h>

static struct ncl_walk operand(const struct ncl_fold *f, const struct ncl_value *x)
{
    const int missing = f->y->rank - x->rank;
    struct ncl_walk walk = {.rank = f->y->rank};
    int64_t strides[NCL_MAX_RANK];

    ncl_dense_strides(x, strides);
    memcpy(walk.dims, f->y->dims, sizeof walk.dims);
    for (int i = missing; i < walk.rank; i++)
        walk.stride[i] = x->dims[i - missing] == 1 ? 0 : strides[i - missing];
    return walk;
}

static double compute(enum ncl_op op, double a, double b)
{
    switch (op) {
    case NCL_OP_ADD:
        return a + b;
    case NCL_OP_SUB:
        return a - b;
    case NCL_OP_MUL:
        return a * b;
    default:
        return a / b; /* by zero as IEEE 754 says: Annex F */
    }
}

static int64_t compute_integer(enum ncl_op op, int64_t a, int64_t b)
{
    const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;

    switch (op) {
    case NCL_OP_ADD:
        return (int64_t)(ua + ub);
    case NCL_OP_SUB:
        return (int64_t)(ua - ub);
    case NCL_OP_MUL:
        return (int64_t)(ua * ub);
    default:
        return b == -1 ? (int64_t)(0 - ua) : a / b;
    }
}

static ncl_status fold_integers(struct ncl_fold *f, struct ncl_walk *a, struct ncl_walk *b)
{
    const struct ncl_value *x = ncl_node_input(f->graph, f->node, 0);
    const struct ncl_value *z = ncl_node_input(f->graph, f->node, 1);
    const int64_t count = ncl_value_elements(f->y);

    for (int64_t i = 0; i < count; i++, ncl_walk_next(a), ncl_walk_next(b)) {
        const int64_t divisor = ncl_value_integer(z, b->source);

        if (f->node->op == NCL_OP_DIV && divisor == 0)
            return ncl_node_fail(f->graph, f->node, "divides the integer constant '%s' by 0",
                                 x->name);
        ncl_fold_store_integer(
            f, i, compute_integer(f->node->op, ncl_value_integer(x, a->source), divisor));
    }
    return NCL_OK;
}

ncl_status ncl_fold_binary(struct ncl_fold *f)
{
    const struct ncl_value *x = ncl_node_input(f->graph, f->node, 0);
    const struct ncl_value *z = ncl_node_input(f->graph, f->node, 1);
    const int64_t count = ncl_value_elements(f->y);
    struct ncl_walk a = operand(f, x), b = operand(f, z);

    if (ncl_dtype_is_integer(f->y->dtype))
        return fold_integers(f, &a, &b);
    for (int64_t i = 0; i < count; i++, ncl_walk_next(&a), ncl_walk_next(&b))
        ncl_fold_store(
            f, i,
            compute(f->node->op, ncl_value_element(x, a.source), ncl_value_element(z, b.source)));
    return NCL_OK;
}

ncl_status ncl_fold_cast(struct ncl_fold *f)
{
    const struct ncl_value *x = ncl_node_input(f->graph, f->node, 0);
    const bool exact = ncl_dtype_is_integer(x->dtype) || x->dtype == NCL_DTYPE_BOOL;
    const int64_t count = ncl_value_elements(f->y);

    for (int64_t i = 0; i < count; i++)
        if (exact)
            ncl_fold_store_integer(f, i, ncl_value_integer(x, i));
        else
            ncl_fold_store(f, i, ncl_value_element(x, i));
    return NCL_OK;
}

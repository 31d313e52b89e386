/* Shape inference of matrix products and what surrounds them. */
#include "graph/infer.h"

static ncl_status check_matrices(struct ncl_infer *s)
{
    const struct ncl_value *b = ncl_infer_input(s, 1);
    ncl_status status = ncl_infer_rank(s, 0, 2);

    if (status == NCL_OK)
        status = ncl_infer_rank(s, 1, 2);
    if (status == NCL_OK)
        status = ncl_infer_same_dtype(s, 2);
    if (status == NCL_OK && !ncl_value_is_constant(b))
        return ncl_node_fail(s->graph, s->node,
                             "weight '%s' is a run-time value, expected a constant", b->name);
    return status;
}

/* c stretches to rows x columns; as a bias it may differ between columns only. */
static ncl_status check_gemm_bias(struct ncl_infer *s, int64_t columns)
{
    const struct ncl_value *c = ncl_infer_input(s, 2);
    char text[NCL_DIMS_TEXT];
    int64_t last;

    if (c == NULL)
        return NCL_OK;
    last = c->rank > 0 ? c->dims[c->rank - 1] : 1;
    if (c->rank > 2 || (last != 1 && last != columns) || (c->rank == 2 && c->dims[0] != 1))
        return ncl_node_fail(s->graph, s->node, "bias '%s' of shape %s, expected %lld elements",
                             c->name, ncl_dims_text(c, text), (long long)columns);
    if (!ncl_value_is_constant(c))
        return ncl_node_fail(s->graph, s->node,
                             "bias '%s' is a run-time value, expected a constant", c->name);
    return NCL_OK;
}

static ncl_status infer_product(struct ncl_infer *s)
{
    const struct ncl_value *a = ncl_infer_input(s, 0), *b = ncl_infer_input(s, 1);
    const bool trans_b = s->node->as.gemm.trans_b;
    const int64_t inner = b->dims[trans_b ? 1 : 0], columns = b->dims[trans_b ? 0 : 1];
    const ncl_status status = check_gemm_bias(s, columns);
    char text_a[NCL_DIMS_TEXT], text_b[NCL_DIMS_TEXT];

    if (status != NCL_OK)
        return status;
    if (s->node->as.gemm.trans_a)
        return ncl_node_fail(s->graph, s->node,
                             "transA is set, expected 0: input '%s' is no constant", a->name);
    if (a->dims[1] != inner)
        return ncl_node_fail(s->graph, s->node,
                             "input '%s' of shape %s and weight '%s' of shape %s, expected %lld "
                             "inner elements",
                             a->name, ncl_dims_text(a, text_a), b->name, ncl_dims_text(b, text_b),
                             (long long)inner);
    return ncl_infer_output(s, a->dtype, 2, (int64_t[]){a->dims[0], columns});
}

ncl_status ncl_infer_gemm(struct ncl_infer *s)
{
    const ncl_status status = check_matrices(s);

    return status == NCL_OK ? infer_product(s) : status;
}

ncl_status ncl_infer_matmul(struct ncl_infer *s)
{
    const ncl_status status = check_matrices(s);

    s->node->as.gemm.alpha = 1; /* as Gemm from here on */
    s->node->as.gemm.beta = 1;
    s->node->as.gemm.trans_a = s->node->as.gemm.trans_b = false;
    return status == NCL_OK ? infer_product(s) : status;
}

static int64_t product(const struct ncl_value *value, int64_t from, int64_t to)
{
    int64_t result = 1;

    for (int64_t i = from; i < to; i++)
        result *= value->dims[i]; /* cannot overflow: ncl_value_elements was checked */
    return result;
}

ncl_status ncl_infer_flatten(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    int64_t axis = s->node->as.axis.axis;

    if (axis < -x->rank || axis > x->rank)
        return ncl_node_fail(s->graph, s->node, "axis is %lld, expected %d..%d", (long long)axis,
                             -x->rank, x->rank);
    axis += axis < 0 ? x->rank : 0;
    return ncl_infer_output(s, x->dtype, 2,
                            (int64_t[]){product(x, 0, axis), product(x, axis, x->rank)});
}

ncl_status ncl_infer_softmax(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    const ncl_status status = ncl_infer_axis(s, "axis", x->rank, &s->node->as.axis.axis);

    return status == NCL_OK ? ncl_infer_output(s, x->dtype, x->rank, x->dims) : status;
}

/* Folding of operators that move elements. */
#include "graph/fold.h"

#include <string.h>

static const struct ncl_value *input(const struct ncl_fold *f, int i)
{
    return ncl_node_input(f->graph, f->node, i);
}

static ncl_status copy_along(struct ncl_fold *f, struct ncl_walk *walk)
{
    const struct ncl_value *x = input(f, 0);
    const size_t size = ncl_dtype_size(x->dtype);
    const int64_t count = ncl_value_elements(f->y);

    walk->rank = f->y->rank;
    memcpy(walk->dims, f->y->dims, sizeof walk->dims);
    for (int64_t i = 0; i < count; i++, ncl_walk_next(walk))
        memcpy(f->data + (size_t)i * size,
               (const unsigned char *)x->data + (size_t)walk->source * size, size);
    return NCL_OK;
}

ncl_status ncl_fold_transpose(struct ncl_fold *f)
{
    struct ncl_walk walk = {0};
    int64_t strides[NCL_MAX_RANK];

    ncl_dense_strides(input(f, 0), strides);
    for (int i = 0; i < f->y->rank; i++)
        walk.stride[i] = strides[f->node->as.axes.axes.values[i]];
    return copy_along(f, &walk);
}

ncl_status ncl_fold_slice(struct ncl_fold *f)
{
    struct ncl_walk walk = {0};
    int64_t strides[NCL_MAX_RANK];

    if (ncl_value_elements(f->y) == 0)
        return NCL_OK;
    ncl_dense_strides(input(f, 0), strides);
    for (int i = 0; i < f->y->rank; i++) {
        walk.stride[i] = strides[i] * f->node->as.axes.steps.values[i];
        walk.source += strides[i] * f->node->as.axes.starts.values[i];
    }
    return copy_along(f, &walk);
}

/* Product of dims[from..to). */
static size_t span(const struct ncl_value *value, int64_t from, int64_t to)
{
    size_t result = 1;

    for (int64_t i = from; i < to; i++)
        result *= (size_t)value->dims[i];
    return result;
}

ncl_status ncl_fold_gather(struct ncl_fold *f)
{
    const struct ncl_value *x = input(f, 0), *indices = input(f, 1);
    const int64_t axis = f->node->as.axis.axis, count = ncl_value_elements(indices);
    const int64_t dim = x->dims[axis];
    const size_t block = span(x, axis + 1, x->rank) * ncl_dtype_size(x->dtype);
    const size_t outer = span(x, 0, axis);
    unsigned char *to = f->data;

    for (int64_t i = 0; i < count; i++) {
        const int64_t index = ncl_value_integer(indices, i);

        if (index < -dim || index >= dim)
            return ncl_node_fail(f->graph, f->node, "index %lld, expected %lld..%lld",
                                 (long long)index, (long long)-dim, (long long)dim - 1);
    }
    for (size_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++, to += block) {
            const int64_t index = ncl_value_integer(indices, i);
            const size_t at = o * (size_t)dim + (size_t)(index < 0 ? index + dim : index);

            memcpy(to, (const unsigned char *)x->data + at * block, block);
        }
    return NCL_OK;
}

ncl_status ncl_fold_concat(struct ncl_fold *f)
{
    const int64_t axis = f->node->as.axis.axis;
    const size_t outer = span(f->y, 0, axis);
    unsigned char *to = f->data;

    for (size_t o = 0; o < outer; o++)
        for (int i = 0; i < f->node->input_count; i++) {
            const struct ncl_value *x = input(f, i);
            const size_t block = span(x, axis, x->rank) * ncl_dtype_size(x->dtype);

            memcpy(to, (const unsigned char *)x->data + o * block, block);
            to += block;
        }
    return NCL_OK;
}

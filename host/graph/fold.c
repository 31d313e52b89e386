/* Constant folding: the table of operators, stores, and the simplest ones. */
#include "graph/fold.h"

#include <string.h>

void ncl_fold_store_integer(struct ncl_fold *f, int64_t index, int64_t value)
{
    unsigned char *at = f->data + (size_t)index * ncl_dtype_size(f->y->dtype);
    const int32_t narrow = (int32_t)(uint32_t)((uint64_t)value & UINT32_MAX);

    switch (f->y->dtype) {
    case NCL_DTYPE_I64:
        memcpy(at, &value, sizeof value);
        break;
    case NCL_DTYPE_I32:
        memcpy(at, &narrow, sizeof narrow);
        break;
    case NCL_DTYPE_BOOL:
        *at = value != 0;
        break;
    default:
        ncl_fold_store(f, index, (double)value);
    }
}

/* Conversion of what an integer cannot hold is undefined in C: saturate, NaN gives 0. */
static int64_t to_integer(double value)
{
    if (value >= 9223372036854775808.0)
        return INT64_MAX;
    if (value <= -9223372036854775808.0)
        return INT64_MIN;
    return value == value ? (int64_t)value : 0;
}

void ncl_fold_store(struct ncl_fold *f, int64_t index, double value)
{
    unsigned char *at = f->data + (size_t)index * ncl_dtype_size(f->y->dtype);
    const float narrow = (float)value;

    switch (f->y->dtype) {
    case NCL_DTYPE_F32:
        memcpy(at, &narrow, sizeof narrow);
        break;
    case NCL_DTYPE_F64:
        memcpy(at, &value, sizeof value);
        break;
    case NCL_DTYPE_BOOL:
        *at = value != 0;
        break;
    default:
        ncl_fold_store_integer(f, index, to_integer(value));
    }
}

void ncl_walk_next(struct ncl_walk *walk)
{
    for (int i = walk->rank - 1; i >= 0; i--) {
        walk->source += walk->stride[i];
        if (++walk->at[i] < walk->dims[i])
            return;
        walk->source -= walk->stride[i] * walk->dims[i];
        walk->at[i] = 0;
    }
}

void ncl_dense_strides(const struct ncl_value *value, int64_t strides[NCL_MAX_RANK])
{
    int64_t stride = 1;

    for (int i = value->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= value->dims[i];
    }
}

static ncl_status fold_shape(struct ncl_fold *f)
{
    const struct ncl_value *x = ncl_node_input(f->graph, f->node, 0);

    for (int i = 0; i < x->rank; i++)
        ncl_fold_store_integer(f, i, x->dims[i]);
    return NCL_OK;
}

static ncl_status fold_constant_of_shape(struct ncl_fold *f)
{
    const int64_t count = ncl_value_elements(f->y);

    for (int64_t i = 0; i < count; i++)
        ncl_fold_store(f, i, (double)f->node->as.constant_of_shape.value);
    return NCL_OK;
}

static ncl_fold_fn *const folds[NCL_OP_COUNT] = {
    [NCL_OP_SHAPE] = fold_shape,
    [NCL_OP_CONSTANT_OF_SHAPE] = fold_constant_of_shape,
    [NCL_OP_TRANSPOSE] = ncl_fold_transpose,
    [NCL_OP_SLICE] = ncl_fold_slice,
    [NCL_OP_GATHER] = ncl_fold_gather,
    [NCL_OP_CONCAT] = ncl_fold_concat,
    [NCL_OP_CAST] = ncl_fold_cast,
    [NCL_OP_ADD] = ncl_fold_binary,
    [NCL_OP_SUB] = ncl_fold_binary,
    [NCL_OP_MUL] = ncl_fold_binary,
    [NCL_OP_DIV] = ncl_fold_binary,
};

/* Same elements in the same order: the result shares its operand's data. */
static bool is_view(enum ncl_op op)
{
    return op == NCL_OP_IDENTITY || op == NCL_OP_RESHAPE || op == NCL_OP_FLATTEN ||
           op == NCL_OP_SQUEEZE || op == NCL_OP_UNSQUEEZE;
}

bool ncl_fold_possible(const struct ncl_graph *graph, const struct ncl_node *node)
{
    if (node->op == NCL_OP_SHAPE)
        return true;
    for (int i = 0; i < node->input_count; i++) {
        const struct ncl_value *input = ncl_node_input(graph, node, i);

        if (input != NULL && !ncl_value_is_constant(input))
            return false;
    }
    return true;
}

bool ncl_fold_affords(struct ncl_graph *graph, size_t bytes)
{
    if (bytes > NCL_FOLD_BYTES - graph->folded_bytes)
        return false;
    graph->folded_bytes += bytes;
    return true;
}

ncl_status ncl_fold_node(struct ncl_graph *graph, const struct ncl_node *node)
{
    struct ncl_value *y = &graph->values[node->outputs[0]];
    struct ncl_fold f = {graph, node, y, NULL};
    const int64_t count = ncl_value_elements(y);
    ncl_status status;

    if (is_view(node->op)) {
        y->data = ncl_node_input(graph, node, 0)->data;
        return NCL_OK;
    }
    if (folds[node->op] == NULL)
        return ncl_node_fail(graph, node,
                             "all its inputs are constants, expected a tensor that "
                             "depends on the input");
    if (count > NCL_FOLD_LIMIT)
        return ncl_node_fail(graph, node, "constant result of %lld elements, expected at most %lld",
                             (long long)count, (long long)NCL_FOLD_LIMIT);
    if (!ncl_fold_affords(graph, (size_t)count * ncl_dtype_size(y->dtype)))
        return ncl_node_fail(graph, node, "with this result, constants take more than %zu bytes",
                             NCL_FOLD_BYTES);
    f.data = ncl_arena_alloc(&graph->arena, (size_t)count + 1, ncl_dtype_size(y->dtype));
    if (f.data == NULL)
        return ncl_node_memory(graph, node);
    status = folds[node->op](&f);
    y->data = f.data;
    return status;
}

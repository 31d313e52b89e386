/* Shape inference: the table of operators, what they share, and the elementwise ones. */
#include "graph/check.h"
#include "graph/infer.h"

#include <limits.h>
#include <math.h>
#include <string.h>

ncl_status ncl_infer_output(struct ncl_infer *s, enum ncl_dtype dtype, int rank,
                            const int64_t *dims)
{
    const int index = s->node->output_count > 0 ? s->node->outputs[0] : NCL_NO_VALUE;
    const int64_t least = rank == 1 && ncl_dtype_is_integer(dtype) ? 0 : 1; /* a scalar's shape */
    struct ncl_value result = {.dtype = dtype, .rank = rank};
    struct ncl_value *output;
    char text[NCL_DIMS_TEXT];

    if (index == NCL_NO_VALUE)
        return ncl_node_fail(s->graph, s->node, "its first output is left out");
    if (rank > NCL_MAX_RANK)
        return ncl_node_fail(s->graph, s->node, "output of rank %d, expected at most %d", rank,
                             NCL_MAX_RANK);
    memcpy(result.dims, dims, (size_t)rank * sizeof *dims);
    for (int i = 0; i < rank; i++)
        if (dims[i] < least || dims[i] > INT_MAX)
            return ncl_node_fail(
                s->graph, s->node, "output shape %s: dimension %d is %lld, expected %lld..%d",
                ncl_dims_text(&result, text), i, (long long)dims[i], (long long)least, INT_MAX);
    if (ncl_value_elements(&result) < 0)
        return ncl_node_fail(s->graph, s->node, "output shape %s has too many elements",
                             ncl_dims_text(&result, text));
    output = &s->graph->values[index];
    output->dtype = dtype;
    output->rank = rank;
    memcpy(output->dims, result.dims, sizeof output->dims);
    return NCL_OK;
}

ncl_status ncl_infer_same_dtype(struct ncl_infer *s, int last)
{
    const struct ncl_value *first = ncl_infer_input(s, 0);

    for (int i = 1; i <= last; i++) {
        const struct ncl_value *other = ncl_infer_input(s, i);

        if (other != NULL && other->dtype != first->dtype)
            return ncl_node_fail(s->graph, s->node,
                                 "input '%s' is %s and input '%s' is %s, expected one type",
                                 first->name, ncl_dtype_name(first->dtype), other->name,
                                 ncl_dtype_name(other->dtype));
    }
    return NCL_OK;
}

ncl_status ncl_infer_rank(struct ncl_infer *s, int input, int rank)
{
    const struct ncl_value *value = ncl_infer_input(s, input);
    char text[NCL_DIMS_TEXT];

    if (value->rank == rank)
        return NCL_OK;
    return ncl_node_fail(s->graph, s->node, "input '%s' of shape %s has rank %d, expected %d",
                         value->name, ncl_dims_text(value, text), value->rank, rank);
}

ncl_status ncl_infer_list(struct ncl_infer *s, int i, const char *what, struct ncl_axes *list)
{
    const struct ncl_value *value = ncl_infer_input(s, i);
    int64_t count;
    bool scalar;

    if (value == NULL)
        return NCL_OK;
    count = ncl_value_elements(value);
    if (!ncl_value_is_constant(value))
        return ncl_node_fail(s->graph, s->node,
                             "%s '%s' depends on run-time values, expected a constant", what,
                             value->name);
    /* onnxruntime takes a scalar here, and nowhere else */
    scalar = value->rank == 0 && s->node->op == NCL_OP_UNSQUEEZE;
    if (!ncl_dtype_is_integer(value->dtype) || (value->rank != 1 && !scalar) ||
        count > (int64_t)(sizeof list->values / sizeof *list->values))
        return ncl_node_fail(s->graph, s->node,
                             "%s '%s' is %s of rank %d with %lld elements, expected a short list "
                             "of integers",
                             what, value->name, ncl_dtype_name(value->dtype), value->rank,
                             (long long)count);
    list->given = true;
    list->count = (int)count;
    for (int k = 0; k < list->count; k++)
        list->values[k] = ncl_value_integer(value, k);
    return NCL_OK;
}

ncl_status ncl_infer_axis(struct ncl_infer *s, const char *what, int rank, int64_t *axis)
{
    if (*axis < -rank || *axis >= rank)
        return ncl_node_fail(s->graph, s->node, "%s is %lld, expected %d..%d", what,
                             (long long)*axis, -rank, rank - 1);
    *axis += *axis < 0 ? rank : 0;
    return NCL_OK;
}

ncl_status ncl_infer_axes(struct ncl_infer *s, int rank, struct ncl_axes *axes)
{
    bool seen[2 * NCL_MAX_RANK] = {false};

    for (int i = 0; i < axes->count; i++) {
        const ncl_status status = ncl_infer_axis(s, "an axis", rank, &axes->values[i]);

        if (status != NCL_OK)
            return status;
        if (seen[axes->values[i]])
            return ncl_node_fail(s->graph, s->node, "axis %lld is given twice",
                                 (long long)axes->values[i]);
        seen[axes->values[i]] = true;
    }
    return NCL_OK;
}

void ncl_infer_drop_inputs(struct ncl_infer *s, int count)
{
    if (s->node->input_count > count)
        s->node->input_count = count;
}

static ncl_status infer_same(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);

    return ncl_infer_output(s, x->dtype, x->rank, x->dims);
}

static ncl_status infer_identity(struct ncl_infer *s)
{
    ncl_infer_drop_inputs(s, 1); /* Dropout's ratio and mode say nothing at inference */
    return infer_same(s);
}

static ncl_status infer_batch_norm(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    const ncl_status status = ncl_infer_same_dtype(s, 4);
    char text[NCL_DIMS_TEXT];

    if (status != NCL_OK)
        return status;
    if (x->rank < 2)
        return ncl_node_fail(s->graph, s->node, "input '%s' of rank %d, expected at least 2",
                             x->name, x->rank);
    for (int i = 1; i <= 4; i++) {
        const struct ncl_value *parameter = ncl_infer_input(s, i);

        if (parameter->rank != 1 || parameter->dims[0] != x->dims[1])
            return ncl_node_fail(s->graph, s->node,
                                 "parameter '%.100s' has shape %s, expected %lld, the channels of "
                                 "input '%.100s'; likely fix: a batch norm of %lld channels",
                                 parameter->name, ncl_dims_text(parameter, text),
                                 (long long)x->dims[1], x->name, (long long)x->dims[1]);
        if (!ncl_value_is_constant(parameter))
            return ncl_node_fail(s->graph, s->node,
                                 "parameter '%s' is a run-time value, expected a constant",
                                 parameter->name);
    }
    return infer_same(s);
}

static ncl_status read_limit(struct ncl_infer *s, int input, float *limit)
{
    const struct ncl_value *value = ncl_infer_input(s, input);

    if (value == NULL)
        return NCL_OK;
    if (!ncl_value_is_constant(value) || ncl_value_elements(value) != 1)
        return ncl_node_fail(s->graph, s->node, "limit '%s' is not a constant scalar", value->name);
    *limit = (float)ncl_value_element(value, 0);
    return NCL_OK;
}

static ncl_status infer_clip(struct ncl_infer *s)
{
    ncl_status status = ncl_infer_same_dtype(s, 2);

    if (status == NCL_OK)
        status = read_limit(s, 1, &s->node->as.clip.min);
    if (status == NCL_OK)
        status = read_limit(s, 2, &s->node->as.clip.max);
    if (status != NCL_OK)
        return status;
    ncl_infer_drop_inputs(s, 1);
    return infer_same(s);
}

/* Far enough for any block, and short whatever the net. */
#define MAX_WALK 32

/* The values that a value comes from, by first inputs; the value itself is the first. */
static int walk_back(const struct ncl_graph *graph, int value, int values[MAX_WALK])
{
    int count = 0;

    while (count < MAX_WALK && value != NCL_NO_VALUE) {
        const int producer = ncl_graph_producer(graph, value);

        values[count++] = value;
        value = producer >= 0 && graph->nodes[producer].input_count > 0
                    ? graph->nodes[producer].inputs[0]
                    : NCL_NO_VALUE;
    }
    return count;
}

/* Of a sum's operands, the shortcut is the one nearer to where both come from. */
static bool first_is_shortcut(const struct ncl_graph *graph, const struct ncl_node *sum)
{
    int a[MAX_WALK], b[MAX_WALK];
    const int a_count = walk_back(graph, sum->inputs[0], a);
    const int b_count = walk_back(graph, sum->inputs[1], b);

    for (int i = 0; i < a_count; i++)
        for (int k = 0; k < b_count; k++)
            if (a[i] == b[k])
                return i < k;
    return false;
}

static struct ncl_extent extent_of(const struct ncl_value *value)
{
    return (struct ncl_extent){value->dims[1], value->dims[2], value->dims[3]};
}

static ncl_status broadcast_fail(struct ncl_infer *s)
{
    const struct ncl_value *a = ncl_infer_input(s, 0), *b = ncl_infer_input(s, 1);
    char text_a[NCL_DIMS_TEXT], text_b[NCL_DIMS_TEXT], where[NCL_WHERE_TEXT];
    const struct ncl_node *node = s->node;

    if (node->op == NCL_OP_ADD && a->rank == 4 && b->rank == 4 && a->dims[0] == b->dims[0] &&
        !ncl_value_is_constant(a) && !ncl_value_is_constant(b)) {
        const bool first = first_is_shortcut(s->graph, node);

        return ncl_check_residual(s->graph->log, ncl_node_where(s->graph, node, where),
                                  extent_of(first ? b : a), extent_of(first ? a : b));
    }
    return ncl_node_fail(s->graph, node,
                         "input '%s' of shape %s and input '%s' of shape %s do not broadcast",
                         a->name, ncl_dims_text(a, text_a), b->name, ncl_dims_text(b, text_b));
}

/* numpy's rule: shapes are aligned at their last axes; 1 stretches. */
static ncl_status infer_binary(struct ncl_infer *s)
{
    const struct ncl_value *a = ncl_infer_input(s, 0), *b = ncl_infer_input(s, 1);
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    const ncl_status status = ncl_infer_same_dtype(s, 1);
    int64_t dims[NCL_MAX_RANK];

    for (int i = 0; i < rank; i++) {
        const int ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        const int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];

        if (da != db && da != 1 && db != 1)
            return broadcast_fail(s);
        dims[i] = da == 1 ? db : da;
    }
    return status == NCL_OK ? ncl_infer_output(s, a->dtype, rank, dims) : status;
}

static ncl_status infer_shape(struct ncl_infer *s)
{
    return ncl_infer_output(s, NCL_DTYPE_I64, 1, &(int64_t){ncl_infer_input(s, 0)->rank});
}

static ncl_status infer_cast(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);

    if (s->node->as.cast.to == NCL_DTYPE_UNKNOWN)
        return ncl_node_fail(s->graph, s->node, "unknown target type");
    return ncl_infer_output(s, s->node->as.cast.to, x->rank, x->dims);
}

static ncl_status infer_constant_of_shape(struct ncl_infer *s)
{
    struct ncl_axes shape = {0};
    ncl_status status = ncl_infer_list(s, 0, "shape", &shape);

    if (status == NCL_OK)
        status =
            ncl_infer_output(s, s->node->as.constant_of_shape.dtype, shape.count, shape.values);
    return status;
}

struct rule {
    ncl_infer_fn *infer;
    int least_inputs, most_inputs;
};
static const struct rule rules[NCL_OP_COUNT] = {
    [NCL_OP_CONV] = {ncl_infer_conv, 2, 3},
    [NCL_OP_BATCH_NORM] = {infer_batch_norm, 5, 5},
    [NCL_OP_RELU] = {infer_same, 1, 1},
    [NCL_OP_CLIP] = {infer_clip, 1, 3},
    [NCL_OP_LEAKY_RELU] = {infer_same, 1, 1},
    [NCL_OP_HARD_SWISH] = {infer_same, 1, 1},
    [NCL_OP_SIGMOID] = {infer_same, 1, 1},
    [NCL_OP_ADD] = {infer_binary, 2, 2},
    [NCL_OP_SUB] = {infer_binary, 2, 2},
    [NCL_OP_MUL] = {infer_binary, 2, 2},
    [NCL_OP_DIV] = {infer_binary, 2, 2},
    [NCL_OP_MAX_POOL] = {ncl_infer_pool, 1, 1},
    [NCL_OP_AVERAGE_POOL] = {ncl_infer_pool, 1, 1},
    [NCL_OP_GLOBAL_AVERAGE_POOL] = {ncl_infer_global_pool, 1, 1},
    [NCL_OP_REDUCE_MEAN] = {ncl_infer_reduce_mean, 1, 2},
    [NCL_OP_GEMM] = {ncl_infer_gemm, 2, 3},
    [NCL_OP_MATMUL] = {ncl_infer_matmul, 2, 2},
    [NCL_OP_FLATTEN] = {ncl_infer_flatten, 1, 1},
    [NCL_OP_RESHAPE] = {ncl_infer_reshape, 2, 2},
    [NCL_OP_TRANSPOSE] = {ncl_infer_transpose, 1, 1},
    [NCL_OP_PAD] = {ncl_infer_pad, 1, 4},
    [NCL_OP_SOFTMAX] = {ncl_infer_softmax, 1, 1},
    [NCL_OP_LOG_SOFTMAX] = {ncl_infer_softmax, 1, 1},
    [NCL_OP_IDENTITY] = {infer_identity, 1, 3},
    [NCL_OP_SHAPE] = {infer_shape, 1, 1},
    [NCL_OP_GATHER] = {ncl_infer_gather, 2, 2},
    [NCL_OP_SLICE] = {ncl_infer_slice, 1, 5},
    [NCL_OP_SPLIT] = {ncl_infer_split, 1, 2},
    [NCL_OP_CONCAT] = {ncl_infer_concat, 1, 1 << 16},
    [NCL_OP_SQUEEZE] = {ncl_infer_squeeze, 1, 2},
    [NCL_OP_UNSQUEEZE] = {ncl_infer_unsqueeze, 1, 2},
    [NCL_OP_CAST] = {infer_cast, 1, 1},
    [NCL_OP_CONSTANT_OF_SHAPE] = {infer_constant_of_shape, 1, 1},
};

static ncl_status check_input(struct ncl_infer *s, int i, int least)
{
    const struct ncl_value *value = ncl_infer_input(s, i);

    if (value == NULL && i < least)
        return ncl_node_fail(s->graph, s->node, "input %d is left out", i);
    if (value == NULL)
        return NCL_OK;
    if (value->dtype == NCL_DTYPE_UNKNOWN)
        return ncl_node_fail(s->graph, s->node, "input '%s' has no known element type",
                             value->name);
    if (ncl_value_elements(value) < 0)
        return ncl_node_fail(s->graph, s->node, "input '%s' has no known or no possible shape",
                             value->name);
    for (int k = 0; k < value->rank; k++)
        if (value->dims[k] > INT_MAX)
            return ncl_node_fail(s->graph, s->node,
                                 "input '%s': dimension %d is %lld, expected at most %d",
                                 value->name, k, (long long)value->dims[k], INT_MAX);
    return NCL_OK;
}

ncl_status ncl_infer_node(struct ncl_graph *graph, struct ncl_node *node)
{
    struct ncl_infer s = {graph, node};
    const struct rule *rule = &rules[(size_t)node->op < NCL_OP_COUNT ? node->op : NCL_OP_SCALE];

    if (rule->infer == NULL)
        return ncl_node_fail(graph, node, "the operator is not supported here");
    if (node->input_count < rule->least_inputs || node->input_count > rule->most_inputs)
        return ncl_node_fail(graph, node, "%d inputs, expected %d..%d", node->input_count,
                             rule->least_inputs, rule->most_inputs);
    for (int i = 0; i < node->input_count; i++) {
        const ncl_status status = check_input(&s, i, rule->least_inputs);

        if (status != NCL_OK)
            return status;
    }
    return rule->infer(&s);
}

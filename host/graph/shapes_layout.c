/* Shape inference of operators that move elements without computing. */
#include "graph/infer.h"

#include <limits.h>
#include <string.h>

/* Beyond any tensor; keeps start + step * index within an int. */
#define PAD_LIMIT (1 << 30)

static ncl_status reshape_fail(struct ncl_infer *s, const struct ncl_axes *shape)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_value wanted = {.rank = shape->count};
    char from[NCL_DIMS_TEXT], to[NCL_DIMS_TEXT];

    memcpy(wanted.dims, shape->values, sizeof wanted.dims);
    return ncl_node_fail(s->graph, s->node, "input '%s' of shape %s cannot become %s", x->name,
                         ncl_dims_text(x, from), ncl_dims_text(&wanted, to));
}

/* 0 copies a dimension of the input. Leaves the -1 in place; *free is its index or -1. */
static ncl_status copy_dims(struct ncl_infer *s, struct ncl_axes *shape, int *free)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);

    *free = -1;
    for (int i = 0; i < shape->count; i++) {
        int64_t *dim = &shape->values[i];

        if (*dim == 0 && !s->node->as.reshape.allow_zero) {
            if (i >= x->rank)
                return reshape_fail(s, shape);
            *dim = x->dims[i];
        } else if (*dim == -1 && *free < 0) {
            *free = i;
        } else if (*dim < 1) {
            return reshape_fail(s, shape);
        }
    }
    return NCL_OK;
}

ncl_status ncl_infer_reshape(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    const int64_t elements = ncl_value_elements(x);
    struct ncl_value known = {0};
    struct ncl_axes shape = {0};
    int64_t rest;
    int free;
    ncl_status status = ncl_infer_list(s, 1, "shape", &shape);

    if (status == NCL_OK && shape.count > NCL_MAX_RANK)
        return ncl_node_fail(s->graph, s->node, "shape has %d dimensions, expected at most %d",
                             shape.count, NCL_MAX_RANK);
    if (status == NCL_OK)
        status = copy_dims(s, &shape, &free);
    if (status != NCL_OK)
        return status;
    known.rank = shape.count;
    memcpy(known.dims, shape.values, sizeof known.dims);
    if (free >= 0)
        known.dims[free] = 1;
    rest = ncl_value_elements(&known);
    if (rest < 1 || elements % rest != 0 || (free < 0 && elements != rest))
        return reshape_fail(s, &shape);
    if (free >= 0)
        known.dims[free] = elements / rest;
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, known.rank, known.dims);
}

ncl_status ncl_infer_transpose(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_axes *axes = &s->node->as.axes.axes;
    int64_t dims[NCL_MAX_RANK];
    ncl_status status;

    if (!axes->given) {
        axes->given = true;
        axes->count = x->rank;
        for (int i = 0; i < x->rank; i++)
            axes->values[i] = x->rank - 1 - i;
    }
    if (axes->count != x->rank)
        return ncl_node_fail(s->graph, s->node, "perm has %d axes, expected the input's %d",
                             axes->count, x->rank);
    status = ncl_infer_axes(s, x->rank, axes);
    for (int i = 0; status == NCL_OK && i < x->rank; i++)
        dims[i] = x->dims[axes->values[i]];
    return status == NCL_OK ? ncl_infer_output(s, x->dtype, x->rank, dims) : status;
}

ncl_status ncl_infer_squeeze(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_axes *axes = &s->node->as.axes.axes;
    bool dropped[NCL_MAX_RANK] = {false};
    int64_t dims[NCL_MAX_RANK];
    int rank = 0;
    ncl_status status = ncl_infer_list(s, 1, "axes", axes);

    if (status == NCL_OK)
        status = ncl_infer_axes(s, x->rank, axes);
    if (status != NCL_OK)
        return status;
    for (int i = 0; i < x->rank; i++)
        dropped[i] = !axes->given && x->dims[i] == 1;
    for (int i = 0; i < axes->count; i++) {
        if (x->dims[axes->values[i]] != 1)
            return ncl_node_fail(s->graph, s->node, "axis %lld of input '%s' is %lld, expected 1",
                                 (long long)axes->values[i], x->name,
                                 (long long)x->dims[axes->values[i]]);
        dropped[axes->values[i]] = true;
    }
    for (int i = 0; i < x->rank; i++)
        if (!dropped[i])
            dims[rank++] = x->dims[i];
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, rank, dims);
}

ncl_status ncl_infer_unsqueeze(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_axes *axes = &s->node->as.axes.axes;
    int64_t dims[NCL_MAX_RANK] = {0};
    int rank, from = 0;
    ncl_status status = ncl_infer_list(s, 1, "axes", axes);

    if (status != NCL_OK)
        return status;
    rank = x->rank + axes->count;
    if (!axes->given || rank > NCL_MAX_RANK)
        return ncl_node_fail(s->graph, s->node, "%d axes for an input of rank %d, expected 1..%d",
                             axes->count, x->rank, NCL_MAX_RANK - x->rank);
    status = ncl_infer_axes(s, rank, axes);
    if (status != NCL_OK)
        return status;
    for (int i = 0; i < axes->count; i++)
        dims[axes->values[i]] = -1;
    for (int i = 0; i < rank; i++)
        dims[i] = dims[i] == -1 ? 1 : x->dims[from++];
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, rank, dims);
}

/* Spreads pads given for `axes` over every axis. */
static ncl_status spread_pads(struct ncl_infer *s, int rank, const struct ncl_axes *axes,
                              struct ncl_axes *pads)
{
    const struct ncl_axes given = *pads;

    if (given.count != 2 * axes->count)
        return ncl_node_fail(s->graph, s->node, "%d pads, expected two for each of %d axes",
                             given.count, axes->count);
    *pads = (struct ncl_axes){.given = true, .count = 2 * rank};
    for (int i = 0; i < given.count; i++) {
        const int64_t axis = axes->values[i % axes->count];

        if (given.values[i] < -PAD_LIMIT || given.values[i] > PAD_LIMIT)
            return ncl_node_fail(s->graph, s->node, "pads[%d] is %lld, expected %d..%d", i,
                                 (long long)given.values[i], -PAD_LIMIT, PAD_LIMIT);
        pads->values[axis + (i < axes->count ? 0 : rank)] = given.values[i];
    }
    return NCL_OK;
}

static ncl_status pad_value(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *value = ncl_infer_input(s, 2);

    if (value == NULL)
        return NCL_OK;
    if (!ncl_value_is_constant(value) || ncl_value_elements(value) != 1 || value->dtype != x->dtype)
        return ncl_node_fail(s->graph, s->node, "padding value '%s' is not a constant %s scalar",
                             value->name, ncl_dtype_name(x->dtype));
    s->node->as.pad.value = (float)ncl_value_element(value, 0);
    return NCL_OK;
}

static void all_axes(struct ncl_axes *axes, int rank)
{
    *axes = (struct ncl_axes){.given = true, .count = rank};
    for (int i = 0; i < rank; i++)
        axes->values[i] = i;
}

ncl_status ncl_infer_pad(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_axes *pads = &s->node->as.pad.pads, *axes = &s->node->as.pad.axes;
    int64_t dims[NCL_MAX_RANK];
    ncl_status status = ncl_infer_list(s, 1, "pads", pads);

    if (status == NCL_OK)
        status = ncl_infer_list(s, 3, "axes", axes);
    if (!axes->given)
        all_axes(axes, x->rank);
    if (status == NCL_OK)
        status = ncl_infer_axes(s, x->rank, axes);
    if (status == NCL_OK)
        status = spread_pads(s, x->rank, axes, pads);
    if (status == NCL_OK)
        status = pad_value(s);
    if (status != NCL_OK)
        return status;
    all_axes(axes, x->rank);
    for (int i = 0; i < x->rank; i++)
        dims[i] = x->dims[i] + pads->values[i] + pads->values[i + x->rank];
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, x->rank, dims);
}

struct slice {
    int64_t start, step, count;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* One axis by numpy's rules; values may be anything an int64 holds. */
static struct slice slice_axis(int64_t dim, int64_t start, int64_t end, int64_t step)
{
    const int64_t limit = INT64_MAX / 2; /* magnitudes beyond any dimension, safe to negate */
    struct slice slice = {0, clamp(step, -limit, limit), 0};
    int64_t span;

    start = clamp(start, -limit, limit);
    end = clamp(end, -limit, limit);
    start += start < 0 ? dim : 0;
    end += end < 0 ? dim : 0;
    slice.start = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
    end = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
    span = step > 0 ? end - slice.start : slice.start - end;
    if (span > 0 && dim > 0)
        slice.count = (span - 1) / (slice.step > 0 ? slice.step : -slice.step) + 1;
    if (slice.count <= 1)
        slice.step = 1;
    return slice;
}

static ncl_status read_slice(struct ncl_infer *s)
{
    struct ncl_node *node = s->node;
    ncl_status status = ncl_infer_list(s, 1, "starts", &node->as.axes.starts);

    if (status == NCL_OK)
        status = ncl_infer_list(s, 2, "ends", &node->as.axes.ends);
    if (status == NCL_OK)
        status = ncl_infer_list(s, 3, "axes", &node->as.axes.axes);
    if (status == NCL_OK)
        status = ncl_infer_list(s, 4, "steps", &node->as.axes.steps);
    if (status != NCL_OK)
        return status;
    if (!node->as.axes.axes.given)
        all_axes(&node->as.axes.axes,
                 node->as.axes.starts.count <= NCL_MAX_RANK ? node->as.axes.starts.count : 0);
    if (!node->as.axes.steps.given) {
        node->as.axes.steps = (struct ncl_axes){.given = true, .count = node->as.axes.axes.count};
        for (int i = 0; i < node->as.axes.axes.count; i++)
            node->as.axes.steps.values[i] = 1;
    }
    if (node->as.axes.starts.count != node->as.axes.axes.count ||
        node->as.axes.ends.count != node->as.axes.axes.count ||
        node->as.axes.steps.count != node->as.axes.axes.count)
        return ncl_node_fail(s->graph, node,
                             "%d starts, %d ends, %d axes, %d steps, expected as "
                             "many of each",
                             node->as.axes.starts.count, node->as.axes.ends.count,
                             node->as.axes.axes.count, node->as.axes.steps.count);
    return NCL_OK;
}

/* Afterwards starts, ends (as counts) and steps hold every axis of the input. */
ncl_status ncl_infer_slice(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_node *node = s->node;
    struct ncl_axes starts = {true, x->rank, {0}}, steps = {true, x->rank, {0}};
    int64_t dims[NCL_MAX_RANK];
    ncl_status status = read_slice(s);

    if (status == NCL_OK)
        status = ncl_infer_axes(s, x->rank, &node->as.axes.axes);
    if (status != NCL_OK)
        return status;
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < x->rank; i++)
        steps.values[i] = 1;
    for (int i = 0; i < node->as.axes.axes.count; i++) {
        const int64_t axis = node->as.axes.axes.values[i];
        struct slice slice;

        if (node->as.axes.steps.values[i] == 0)
            return ncl_node_fail(s->graph, node, "steps[%d] is 0", i);
        slice = slice_axis(x->dims[axis], node->as.axes.starts.values[i],
                           node->as.axes.ends.values[i], node->as.axes.steps.values[i]);
        starts.values[axis] = slice.start;
        steps.values[axis] = slice.step;
        dims[axis] = slice.count;
    }
    node->as.axes.starts = starts;
    node->as.axes.steps = steps;
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, x->rank, dims);
}

/* Where this part of x begins along the axis, and how long it is, by the sizes that are given. */
static ncl_status part_by_sizes(struct ncl_infer *s, const struct ncl_value *sizes, int64_t dim,
                                int64_t *start, int64_t *count)
{
    const int64_t part = s->node->as.split.part, parts = s->node->as.split.parts;
    int64_t sum = 0;

    if (!ncl_value_is_constant(sizes) || !ncl_dtype_is_integer(sizes->dtype) || sizes->rank != 1 ||
        sizes->dims[0] != parts)
        return ncl_node_fail(s->graph, s->node, "sizes '%s', expected %lld constant integers",
                             sizes->name, (long long)parts);
    for (int64_t i = 0; i < parts; i++) {
        const int64_t size = ncl_value_integer(sizes, i);

        if (size < 0 || size > dim - sum)
            return ncl_node_fail(s->graph, s->node,
                                 "size %lld of part %lld, expected sizes that sum to %lld",
                                 (long long)size, (long long)i, (long long)dim);
        *start = i == part ? sum : *start;
        *count = i == part ? size : *count;
        sum += size;
    }
    return sum == dim ? NCL_OK
                      : ncl_node_fail(s->graph, s->node, "sizes sum to %lld, expected %lld",
                                      (long long)sum, (long long)dim);
}

/* The same for parts of equal size, of which the last may be smaller if the model states their
 * number (operator set 18). */
static ncl_status part_by_number(struct ncl_infer *s, int64_t dim, int64_t *start, int64_t *count)
{
    const int64_t part = s->node->as.split.part, parts = s->node->as.split.parts;
    const int64_t stated = s->node->as.split.stated, size = (dim + parts - 1) / parts;

    if (stated != 0 && stated != parts)
        return ncl_node_fail(s->graph, s->node, "num_outputs is %lld, expected its %lld outputs",
                             (long long)stated, (long long)parts);
    if (size * parts != dim && (stated == 0 || size * (parts - 1) >= dim))
        return ncl_node_fail(s->graph, s->node, "dimension %lld does not split into %lld parts",
                             (long long)dim, (long long)parts);
    *start = part * size;
    *count = part == parts - 1 ? dim - *start : size;
    return NCL_OK;
}

ncl_status ncl_infer_split(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *sizes = ncl_infer_input(s, 1);
    struct ncl_node *node = s->node;
    struct ncl_axes starts = {true, x->rank, {0}}, steps = {true, x->rank, {0}};
    int64_t axis = node->as.split.axis, dims[NCL_MAX_RANK], start = 0, count = 0;
    ncl_status status = ncl_infer_axis(s, "axis", x->rank, &axis);

    if (status == NCL_OK)
        status = sizes != NULL ? part_by_sizes(s, sizes, x->dims[axis], &start, &count)
                               : part_by_number(s, x->dims[axis], &start, &count);
    if (status != NCL_OK)
        return status;
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < x->rank; i++)
        steps.values[i] = 1;
    starts.values[axis] = start;
    dims[axis] = count;
    node->op = NCL_OP_SLICE;
    memset(&node->as, 0, sizeof node->as);
    node->as.axes.starts = starts;
    node->as.axes.steps = steps;
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, x->rank, dims);
}

ncl_status ncl_infer_concat(struct ncl_infer *s)
{
    const struct ncl_value *first = ncl_infer_input(s, 0);
    int64_t *axis = &s->node->as.axis.axis;
    int64_t dims[NCL_MAX_RANK];
    char text_a[NCL_DIMS_TEXT], text_b[NCL_DIMS_TEXT];
    ncl_status status = ncl_infer_axis(s, "axis", first->rank, axis);

    if (status == NCL_OK)
        status = ncl_infer_same_dtype(s, s->node->input_count - 1);
    if (status != NCL_OK)
        return status;
    memcpy(dims, first->dims, sizeof dims);
    for (int i = 1; i < s->node->input_count; i++) {
        const struct ncl_value *part = ncl_infer_input(s, i);
        bool fits = part != NULL && part->rank == first->rank;

        for (int k = 0; fits && k < first->rank; k++)
            fits = k == *axis || part->dims[k] == first->dims[k];
        if (!fits || part->dims[*axis] > INT_MAX)
            return ncl_node_fail(s->graph, s->node,
                                 "input %d of shape %s does not continue shape %s along axis %lld; "
                                 "likely fix: the same strides and padding in every branch",
                                 i, part == NULL ? "none" : ncl_dims_text(part, text_b),
                                 ncl_dims_text(first, text_a), (long long)*axis);
        dims[*axis] += part->dims[*axis];
    }
    return ncl_infer_output(s, first->dtype, first->rank, dims);
}

ncl_status ncl_infer_gather(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *indices = ncl_infer_input(s, 1);
    int64_t *axis = &s->node->as.axis.axis;
    int64_t dims[2 * NCL_MAX_RANK];
    int rank = 0;
    ncl_status status = ncl_infer_axis(s, "axis", x->rank, axis);

    if (status != NCL_OK)
        return status;
    if (!ncl_dtype_is_integer(indices->dtype))
        return ncl_node_fail(s->graph, s->node, "indices '%s' are %s, expected integers",
                             indices->name, ncl_dtype_name(indices->dtype));
    for (int i = 0; i < *axis; i++)
        dims[rank++] = x->dims[i];
    for (int i = 0; i < indices->rank; i++)
        dims[rank++] = indices->dims[i];
    for (int i = (int)*axis + 1; i < x->rank; i++)
        dims[rank++] = x->dims[i];
    return ncl_infer_output(s, x->dtype, rank, dims);
}

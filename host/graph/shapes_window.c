/* Shape inference of convolutions and pools: what slides a window over height and width. */
#include "graph/check.h"
#include "graph/infer.h"

#include <stdio.h>
#include <string.h>

/* Height and width, resolved. */
struct window {
    int64_t in[2], kernel[2], stride[2], dilation[2], pad[4], out[2];
};

static ncl_status check_range(struct ncl_infer *s, const char *what, const struct ncl_axes *list,
                              int count, int64_t least)
{
    if (list->count != count)
        return ncl_node_fail(s->graph, s->node, "%s has %d values, expected %d", what, list->count,
                             count);
    for (int i = 0; i < count; i++)
        if (list->values[i] < least || list->values[i] > NCL_WINDOW_LIMIT)
            return ncl_node_fail(s->graph, s->node, "%s[%d] is %lld, expected %lld..%d", what, i,
                                 (long long)list->values[i], (long long)least, NCL_WINDOW_LIMIT);
    return NCL_OK;
}

/* Fills an absent list with `value`, checks a given one. */
static ncl_status resolve_list(struct ncl_infer *s, const char *what, struct ncl_axes *list,
                               int count, int64_t least, int64_t value)
{
    if (!list->given) {
        list->given = true;
        list->count = count;
        for (int i = 0; i < count; i++)
            list->values[i] = value;
    }
    return check_range(s, what, list, count, least);
}

static int64_t extent(const struct window *w, int axis)
{
    return w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

static void same_pads(struct window *w, int axis, bool upper)
{
    const int64_t out = (w->in[axis] + w->stride[axis] - 1) / w->stride[axis];
    const int64_t wanted = (out - 1) * w->stride[axis] + extent(w, axis) - w->in[axis];
    const int64_t total = wanted > 0 ? wanted : 0;

    w->pad[axis] = upper ? total / 2 : total - total / 2;
    w->pad[axis + 2] = total - w->pad[axis];
}

/* ceil: a window that would start in the padding behind the image is left out. */
static ncl_status window_out(struct ncl_infer *s, struct window *w, int axis, bool ceil)
{
    const int64_t room = w->in[axis] + w->pad[axis] + w->pad[axis + 2] - extent(w, axis);
    const int64_t stride = w->stride[axis], padded = room + extent(w, axis);

    if (room < 0)
        return ncl_node_fail(s->graph, s->node,
                             "the window covers %lld %s, expected at most the padded input's %lld",
                             (long long)extent(w, axis), axis == 0 ? "rows" : "columns",
                             (long long)padded);
    w->out[axis] = (room + (ceil ? stride - 1 : 0)) / stride + 1;
    if (ceil && (w->out[axis] - 1) * stride >= w->in[axis] + w->pad[axis])
        w->out[axis]--;
    return NCL_OK;
}

static const char *auto_pad_name(enum ncl_auto_pad auto_pad)
{
    return auto_pad == NCL_PAD_VALID        ? "VALID"
           : auto_pad == NCL_PAD_SAME_UPPER ? "SAME_UPPER"
                                            : "SAME_LOWER";
}

static ncl_status resolve_window(struct ncl_infer *s, struct window *w, enum ncl_auto_pad *auto_pad,
                                 struct ncl_axes *pads, bool ceil)
{
    ncl_status status = NCL_OK;

    if (*auto_pad != NCL_PAD_EXPLICIT) {
        for (int i = 0; i < 4; i++)
            if (w->pad[i] != 0)
                return ncl_node_fail(s->graph, s->node,
                                     "auto_pad is %s and pads[%d] is %lld, expected one of the "
                                     "two",
                                     auto_pad_name(*auto_pad), i, (long long)w->pad[i]);
        ceil = false; /* those rules fix the output by themselves */
        memset(w->pad, 0, sizeof w->pad);
        for (int axis = 0; *auto_pad != NCL_PAD_VALID && axis < 2; axis++)
            same_pads(w, axis, *auto_pad == NCL_PAD_SAME_UPPER);
        memcpy(pads->values, w->pad, sizeof w->pad);
        *auto_pad = NCL_PAD_EXPLICIT;
    }
    for (int axis = 0; status == NCL_OK && axis < 2; axis++)
        status = window_out(s, w, axis, ceil);
    return status;
}

static ncl_status check_conv_inputs(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *w = ncl_infer_input(s, 1);
    ncl_status status = ncl_infer_rank(s, 0, 4);

    if (status == NCL_OK)
        status = ncl_infer_rank(s, 1, 4);
    if (status == NCL_OK)
        status = ncl_infer_same_dtype(s, 2);
    if (status != NCL_OK)
        return status;
    if (!ncl_value_is_constant(w))
        return ncl_node_fail(s->graph, s->node,
                             "weight '%s' is a run-time value, expected a constant", w->name);
    if (x->dtype != NCL_DTYPE_F32)
        return ncl_node_fail(s->graph, s->node, "input '%s' is %s, expected float32", x->name,
                             ncl_dtype_name(x->dtype));
    return NCL_OK;
}

static ncl_status channels_fail(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *w = ncl_infer_input(s, 1);
    const int64_t groups = s->node->as.conv.groups, in = x->dims[1];
    char of_x[NCL_DIMS_TEXT], of_w[NCL_DIMS_TEXT], fix[96];

    if (w->dims[1] > 0 && in % w->dims[1] == 0 && w->dims[0] % (in / w->dims[1]) == 0)
        snprintf(fix, sizeof fix, "%lld groups", (long long)(in / w->dims[1]));
    else
        snprintf(fix, sizeof fix, "weights of %lld input channels in each group",
                 (long long)(in / groups));
    return ncl_node_fail(s->graph, s->node,
                         "weight '%.100s' of shape %s in %lld groups takes %lld input channels, "
                         "input '%.100s' of shape %s has %lld; likely fix: %s",
                         w->name, ncl_dims_text(w, of_w), (long long)groups,
                         (long long)w->dims[1] * (long long)groups, x->name, ncl_dims_text(x, of_x),
                         (long long)in, fix);
}

static ncl_status check_conv_channels(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0), *w = ncl_infer_input(s, 1);
    const struct ncl_value *bias = ncl_infer_input(s, 2);
    const int64_t groups = s->node->as.conv.groups;
    char text[NCL_DIMS_TEXT], where[NCL_WHERE_TEXT];
    ncl_status status = ncl_check_groups(s->graph->log, ncl_node_where(s->graph, s->node, where),
                                         "input channels", x->dims[1], groups);

    if (status == NCL_OK)
        status = ncl_check_groups(s->graph->log, where, "output channels", w->dims[0], groups);
    if (status == NCL_OK && w->dims[1] != x->dims[1] / groups)
        status = channels_fail(s);
    if (status != NCL_OK || bias == NULL)
        return status;
    if (bias->rank != 1 || bias->dims[0] != w->dims[0] || !ncl_value_is_constant(bias))
        return ncl_node_fail(s->graph, s->node,
                             "bias '%s' of shape %s, expected a constant of %lld elements, as many "
                             "as output channels",
                             bias->name, ncl_dims_text(bias, text), (long long)w->dims[0]);
    return NCL_OK;
}

static ncl_status resolve_conv_lists(struct ncl_infer *s)
{
    struct ncl_node *node = s->node;
    const struct ncl_value *w = ncl_infer_input(s, 1);
    const struct ncl_axes of_weight = {true, 2, {w->dims[2], w->dims[3]}};
    ncl_status status = check_range(s, "the weight's kernel", &of_weight, 2, 1);

    if (!node->as.conv.kernel.given)
        node->as.conv.kernel = of_weight;
    if (status == NCL_OK)
        status = check_range(s, "kernel_shape", &node->as.conv.kernel, 2, 1);
    for (int i = 0; status == NCL_OK && i < 2; i++)
        if (node->as.conv.kernel.values[i] != of_weight.values[i])
            return ncl_node_fail(s->graph, node, "kernel_shape[%d] is %lld, but the weight's %lld",
                                 i, (long long)node->as.conv.kernel.values[i],
                                 (long long)of_weight.values[i]);
    if (status == NCL_OK)
        status = resolve_list(s, "strides", &node->as.conv.strides, 2, 1, 1);
    if (status == NCL_OK)
        status = resolve_list(s, "dilations", &node->as.conv.dilations, 2, 1, 1);
    if (status == NCL_OK)
        status = resolve_list(s, "pads", &node->as.conv.pads, 4, 0, 0);
    return status;
}

static void load_window(struct window *w, const struct ncl_value *x, const struct ncl_axes *kernel,
                        const struct ncl_axes *strides, const struct ncl_axes *dilations,
                        const struct ncl_axes *pads)
{
    memcpy(w->in, &x->dims[2], sizeof w->in);
    memcpy(w->kernel, kernel->values, sizeof w->kernel);
    memcpy(w->stride, strides->values, sizeof w->stride);
    memcpy(w->dilation, dilations->values, sizeof w->dilation);
    memcpy(w->pad, pads->values, sizeof w->pad);
}

ncl_status ncl_infer_conv(struct ncl_infer *s)
{
    struct ncl_node *node = s->node;
    const struct ncl_value *x = ncl_infer_input(s, 0), *weight = ncl_infer_input(s, 1);
    struct window w;
    ncl_status status = check_conv_inputs(s);

    if (status == NCL_OK)
        status = check_conv_channels(s);
    if (status == NCL_OK)
        status = resolve_conv_lists(s);
    if (status != NCL_OK)
        return status;
    load_window(&w, x, &node->as.conv.kernel, &node->as.conv.strides, &node->as.conv.dilations,
                &node->as.conv.pads);
    status = resolve_window(s, &w, &node->as.conv.auto_pad, &node->as.conv.pads, false);
    if (status != NCL_OK)
        return status;
    return ncl_infer_output(s, x->dtype, 4,
                            (int64_t[]){x->dims[0], weight->dims[0], w.out[0], w.out[1]});
}

/* The maximum or mean of no element has no value. Only windows that begin before the image, and the
 * last one, can miss it. */
static bool every_window_has_a_tap(const struct window *w, int axis)
{
    const int64_t last = (w->out[axis] - 1) * w->stride[axis] - w->pad[axis];

    for (int64_t i = 0; i < w->out[axis]; i++) {
        const int64_t start = i * w->stride[axis] - w->pad[axis];
        const int64_t skip = start < 0 ? (-start + w->dilation[axis] - 1) / w->dilation[axis] : 0;

        if (start >= 0)
            break;
        if (skip >= w->kernel[axis] || start + skip * w->dilation[axis] >= w->in[axis])
            return false;
    }
    return last < w->in[axis];
}

static ncl_status resolve_pool_lists(struct ncl_infer *s)
{
    struct ncl_node *node = s->node;
    ncl_status status;

    if (!node->as.pool.kernel.given)
        return ncl_node_fail(s->graph, node, "kernel_shape is missing");
    status = check_range(s, "kernel_shape", &node->as.pool.kernel, 2, 1);
    if (status == NCL_OK)
        status = resolve_list(s, "strides", &node->as.pool.strides, 2, 1, 1);
    if (status == NCL_OK)
        status = resolve_list(s, "dilations", &node->as.pool.dilations, 2, 1, 1);
    if (status == NCL_OK)
        status = resolve_list(s, "pads", &node->as.pool.pads, 4, 0, 0);
    return status;
}

ncl_status ncl_infer_pool(struct ncl_infer *s)
{
    struct ncl_node *node = s->node;
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct window w;
    ncl_status status = ncl_infer_rank(s, 0, 4);

    if (status == NCL_OK)
        status = resolve_pool_lists(s);
    if (status != NCL_OK)
        return status;
    load_window(&w, x, &node->as.pool.kernel, &node->as.pool.strides, &node->as.pool.dilations,
                &node->as.pool.pads);
    status = resolve_window(s, &w, &node->as.pool.auto_pad, &node->as.pool.pads,
                            node->as.pool.ceil_mode);
    if (status != NCL_OK)
        return status;
    for (int axis = 0; axis < 2; axis++)
        if (!every_window_has_a_tap(&w, axis))
            return ncl_node_fail(s->graph, node, "pads[%d] is %lld: some window holds padding only",
                                 axis, (long long)w.pad[axis]);
    return ncl_infer_output(s, x->dtype, 4,
                            (int64_t[]){x->dims[0], x->dims[1], w.out[0], w.out[1]});
}

ncl_status ncl_infer_global_pool(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    const ncl_status status = ncl_infer_rank(s, 0, 4);

    if (status != NCL_OK)
        return status;
    return ncl_infer_output(s, x->dtype, 4, (int64_t[]){x->dims[0], x->dims[1], 1, 1});
}

ncl_status ncl_infer_reduce_mean(struct ncl_infer *s)
{
    const struct ncl_value *x = ncl_infer_input(s, 0);
    struct ncl_axes *axes = &s->node->as.axes.axes;
    bool reduced[NCL_MAX_RANK] = {false};
    int64_t dims[NCL_MAX_RANK];
    int rank = 0;
    ncl_status status = ncl_infer_list(s, 1, "axes", axes);

    if (status == NCL_OK && s->node->as.axes.keep_all && (!axes->given || axes->count == 0)) {
        s->node->op = NCL_OP_IDENTITY;
        ncl_infer_drop_inputs(s, 1);
        return ncl_infer_output(s, x->dtype, x->rank, x->dims);
    }
    if (status == NCL_OK && (!axes->given || axes->count == 0)) {
        *axes = (struct ncl_axes){.given = true, .count = x->rank};
        for (int i = 0; i < x->rank; i++)
            axes->values[i] = i;
    }
    if (status == NCL_OK)
        status = ncl_infer_axes(s, x->rank, axes);
    if (status != NCL_OK)
        return status;
    for (int i = 0; i < axes->count; i++)
        reduced[axes->values[i]] = true;
    for (int i = 0; i < x->rank; i++)
        if (!reduced[i] || s->node->as.axes.keep_dims)
            dims[rank++] = reduced[i] ? 1 : x->dims[i];
    ncl_infer_drop_inputs(s, 1);
    return ncl_infer_output(s, x->dtype, rank, dims);
}

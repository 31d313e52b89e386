/* Channels that nobody reads are not computed: a slice of channels that is a result's only reader
 * moves in front of per-channel operators and into the weights of a convolution. */
#include "graph/passes.h"

#include <string.h>

static bool is_per_channel(const struct ncl_node *node)
{
    switch (node->op) {
    case NCL_OP_RELU:
    case NCL_OP_CLIP:
    case NCL_OP_LEAKY_RELU:
    case NCL_OP_HARD_SWISH:
    case NCL_OP_SIGMOID:
        return true;
    case NCL_OP_SCALE:
        return !ncl_has_residual(node);
    default:
        return false;
    }
}

static const double *from(const double *values, int64_t start)
{
    return values == NULL ? NULL : values + start;
}

/* y = slice(f(x)) becomes f(slice(x)): both nodes change places, and the value between them has
 * the shape of y. */
static void move_up(struct ncl_graph *graph, struct ncl_links *links, struct ncl_node *slice,
                    struct ncl_node *producer)
{
    const int64_t start = slice->as.axes.starts.values[1];
    const int between = producer->outputs[0], y = slice->outputs[0];
    const int x = producer->inputs[0];
    const struct ncl_node first = *producer;

    memcpy(graph->values[between].dims, graph->values[y].dims, sizeof graph->values[y].dims);
    *producer = *slice;
    *slice = first;
    producer->inputs[0] = x;
    producer->outputs[0] = between;
    slice->inputs[0] = between;
    slice->outputs[0] = y;
    if (slice->op == NCL_OP_SCALE) {
        slice->as.scale.scale = from(slice->as.scale.scale, start);
        slice->as.scale.shift = from(slice->as.scale.shift, start);
    }
    links->producer[between] = (int)(producer - graph->nodes);
    links->producer[y] = (int)(slice - graph->nodes);
}

/* Elements `start` to `start + count` along the first dimension of constant input i. */
static ncl_status narrow(struct ncl_graph *graph, struct ncl_node *node, int i, int64_t start,
                         int64_t count)
{
    struct ncl_value part;
    int64_t row;
    ncl_status status;
    int index;

    if (ncl_node_input(graph, node, i) == NULL)
        return NCL_OK;
    part = *ncl_node_input(graph, node, i);
    row = ncl_value_elements(&part) / part.dims[0];
    part.data = (const char *)part.data + (size_t)(start * row) * ncl_dtype_size(part.dtype);
    part.dims[0] = count;
    status = ncl_graph_add_value(graph, part.name, strlen(part.name), &index);
    if (status != NCL_OK)
        return status;
    part.name = graph->values[index].name;
    graph->values[index] = part;
    node->inputs[i] = index;
    return NCL_OK;
}

static ncl_status move_into(struct ncl_graph *graph, struct ncl_links *links, int index,
                            struct ncl_node *conv)
{
    const struct ncl_node *slice = &graph->nodes[index];
    const int64_t start = slice->as.axes.starts.values[1];
    const int64_t count = graph->values[slice->outputs[0]].dims[1];
    struct ncl_node merged = *conv;
    ncl_status status = ncl_widen_inputs(graph, &merged, conv->input_count);

    if (status == NCL_OK)
        status = narrow(graph, &merged, 1, start, count);
    if (status == NCL_OK)
        status = narrow(graph, &merged, 2, start, count);
    if (status != NCL_OK)
        return status;
    merged.as.conv.scale = from(merged.as.conv.scale, start);
    merged.as.conv.shift = from(merged.as.conv.shift, start);
    ncl_absorb(graph, links, conv, index, merged);
    return NCL_OK;
}

ncl_status ncl_pass_slice(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < graph->node_count; i++) {
        struct ncl_node *node = &graph->nodes[i];
        struct ncl_node *producer;

        if (!ncl_slices_channels(graph, node))
            continue;
        producer = ncl_sole_producer(graph, links, node->inputs[0]);
        if (producer == NULL)
            continue;
        if (is_per_channel(producer))
            move_up(graph, links, node, producer);
        else if (producer->op == NCL_OP_CONV && producer->as.conv.groups == 1 &&
                 !ncl_has_residual(producer))
            status = move_into(graph, links, i, producer);
        else
            continue;
        ++*changes;
    }
    return status;
}

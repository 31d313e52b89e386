#include "graph/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ncl_status ncl_node_fail(const struct ncl_graph *graph, const struct ncl_node *node,
                         const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return ncl_fail(graph->log, NCL_ERROR_INPUT, "node '%s' (%s): %s", node->name,
                    ncl_op_name(node->op), message);
}

ncl_status ncl_node_memory(const struct ncl_graph *graph, const struct ncl_node *node)
{
    ncl_fail_memory(graph->log, "a node's attributes");
    return ncl_fail_within(NCL_ERROR_MEMORY, "node '%s' (%s)", node->name, ncl_op_name(node->op));
}

const char *ncl_dims_text(const struct ncl_value *value, char text[NCL_DIMS_TEXT])
{
    size_t used = 0;

    snprintf(text, NCL_DIMS_TEXT, "%s", value->rank == 0 ? "a scalar" : "unknown");
    for (int i = 0; i < value->rank; i++) {
        const char *separator = i == 0 ? "" : "x";
        const int written = value->dims[i] < 0
                                ? snprintf(text + used, NCL_DIMS_TEXT - used, "%s?", separator)
                                : snprintf(text + used, NCL_DIMS_TEXT - used, "%s%lld", separator,
                                           (long long)value->dims[i]);

        used += (size_t)written; /* 8 numbers of at most 20 characters fit */
    }
    return text;
}

int64_t ncl_value_integer(const struct ncl_value *value, int64_t index)
{
    const unsigned char *bytes = value->data;
    int32_t i32;
    int64_t i64;

    switch (value->dtype) {
    case NCL_DTYPE_I64:
        memcpy(&i64, bytes + (size_t)index * sizeof i64, sizeof i64);
        return i64;
    case NCL_DTYPE_I32:
        memcpy(&i32, bytes + (size_t)index * sizeof i32, sizeof i32);
        return i32;
    case NCL_DTYPE_BOOL:
        return bytes[index] != 0;
    default:
        return 0;
    }
}

bool ncl_dtype_is_integer(enum ncl_dtype dtype)
{
    return dtype == NCL_DTYPE_I32 || dtype == NCL_DTYPE_I64;
}

bool ncl_same_dims(const struct ncl_value *a, const struct ncl_value *b)
{
    if (a->rank != b->rank || a->rank < 0)
        return false;
    return memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool is_needed(const struct ncl_node *node, const char *read)
{
    if (ncl_node_is_dead(node))
        return false;
    for (int k = 0; k < node->output_count; k++)
        if (node->outputs[k] != NCL_NO_VALUE && read[node->outputs[k]])
            return true;
    return false;
}

ncl_status ncl_graph_sweep(struct ncl_graph *graph)
{
    char *read = ncl_alloc((size_t)graph->value_count + 1, 1);
    int kept = 0;

    if (read == NULL)
        return ncl_fail_memory(graph->log, "dropping unread nodes");
    for (int i = 0; i < graph->output_count; i++)
        read[graph->outputs[i]] = 1;
    for (int i = graph->node_count - 1; i >= 0; i--) {
        struct ncl_node *node = &graph->nodes[i];

        if (!is_needed(node, read)) {
            ncl_node_kill(node);
            continue;
        }
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NCL_NO_VALUE)
                read[node->inputs[k]] = 1;
    }
    for (int i = 0; i < graph->node_count; i++)
        if (!ncl_node_is_dead(&graph->nodes[i]))
            graph->nodes[kept++] = graph->nodes[i];
    graph->node_count = kept;
    free(read);
    return NCL_OK;
}

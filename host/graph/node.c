#include "graph/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef ncl_node_fail /* the analyzer's */
#undef ncl_node_memory

#define NAME_SHOWN 100 /* a hostile name may be megabytes long */
#define MAX_BRANCHES 64

ncl_status ncl_node_fail(const struct ncl_graph *graph, const struct ncl_node *node,
                         const char *format, ...)
{
    char message[512], where[NCL_WHERE_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return ncl_fail(graph->log, NCL_ERROR_INPUT, "%s: %s", ncl_node_where(graph, node, where),
                    message);
}

/* The block that the names of a node's constants tell of. */
static const char *block_of_constants(const struct ncl_graph *graph, const struct ncl_node *node,
                                      size_t *length)
{
    const char *block = NULL;

    for (int i = 0; block == NULL && i < node->input_count; i++) {
        const struct ncl_value *value = ncl_node_input(graph, node, i);

        if (value != NULL && ncl_value_is_constant(value))
            block = ncl_block_name(value->name, length);
    }
    return block;
}

/* By name, else by weights, for exporters that number their nodes; a sum's or concatenation's by
 * those of the convolutions before it. */
static const char *find_block(const struct ncl_graph *graph, const struct ncl_node *node,
                              size_t *length)
{
    const char *block = ncl_block_name(node->name, length);

    if (block == NULL)
        block = block_of_constants(graph, node, length);
    if (node->op != NCL_OP_ADD && node->op != NCL_OP_CONCAT)
        return block;
    for (int i = 0; block == NULL && i < node->input_count && i < MAX_BRANCHES; i++) {
        const int producer =
            node->inputs[i] == NCL_NO_VALUE ? -1 : ncl_graph_producer(graph, node->inputs[i]);

        if (producer >= 0)
            block = block_of_constants(graph, &graph->nodes[producer], length);
    }
    return block;
}

const char *ncl_node_where(const struct ncl_graph *graph, const struct ncl_node *node,
                           char text[NCL_WHERE_TEXT])
{
    size_t length = 0, used = 0;
    const char *block = find_block(graph, node, &length);

    if (block != NULL && length <= NAME_SHOWN)
        used = (size_t)snprintf(text, NCL_WHERE_TEXT, "block '%.*s', ", (int)length, block);
    snprintf(text + used, NCL_WHERE_TEXT - used, "node '%.*s' (%s)", NAME_SHOWN, node->name,
             ncl_op_name(node->op));
    return text;
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

/* Bytes of ".12" at `at` where that is a whole part of a dotted name, else 0. */
static size_t dotted_number(const char *at)
{
    const size_t count = *at == '.' ? strspn(at + 1, "0123456789") : 0;
    const char behind = at[count > 0 ? count + 1 : 0];

    return count > 0 && (behind == '.' || behind == '/' || behind == 0) ? count + 1 : 0;
}

/* Bytes of "block12" or "block_12" at `at`, else 0. */
static size_t block_number(const char *at)
{
    const size_t word = strncmp(at, "block", 5) != 0 ? 0 : at[5] == '_' ? 6 : 5;
    const size_t count = word > 0 ? strspn(at + word, "0123456789") : 0;

    return count > 0 ? word + count : 0;
}

/* Bytes of a part of a path up to the end of a block's number; 0: it has none. */
static size_t block_of_part(const char *part, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const size_t word = block_number(part + i);
        const size_t number = i + word > 0 ? dotted_number(part + i + word) : 0;

        if (word + number > 0)
            return i + word + number;
    }
    return 0;
}

const char *ncl_block_name(const char *name, size_t *length)
{
    for (const char *part = name; *part; part += *part == '/') {
        const size_t bytes = strcspn(part, "/");

        *length = block_of_part(part, bytes);
        if (*length > 0)
            return part;
        part += bytes;
    }
    return NULL;
}

bool ncl_node_is_read(const struct ncl_node *node, const char *read)
{
    if (ncl_node_is_dead(node))
        return false;
    for (int k = 0; k < node->output_count; k++)
        if (node->outputs[k] != NCL_NO_VALUE && read[node->outputs[k]])
            return true;
    return false;
}

char *ncl_graph_find_read(const struct ncl_graph *graph)
{
    char *read = ncl_alloc((size_t)graph->value_count + 1, 1);

    if (read == NULL)
        return NULL;
    for (int i = 0; i < graph->output_count; i++)
        read[graph->outputs[i]] = 1;
    for (int i = graph->node_count - 1; i >= 0; i--) {
        const struct ncl_node *node = &graph->nodes[i];

        if (!ncl_node_is_read(node, read))
            continue;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NCL_NO_VALUE)
                read[node->inputs[k]] = 1;
    }
    return read;
}

ncl_status ncl_graph_sweep(struct ncl_graph *graph)
{
    char *read = ncl_graph_find_read(graph);
    int kept = 0;

    if (read == NULL)
        return ncl_fail_memory(graph->log, "dropping unread nodes");
    for (int i = 0; i < graph->node_count; i++)
        if (ncl_node_is_read(&graph->nodes[i], read))
            graph->nodes[kept++] = graph->nodes[i];
    graph->node_count = kept;
    free(read);
    return NCL_OK;
}

/* What every file of this floor asks of nodes and values. */
#ifndef NCL_GRAPH_NODE_H
#define NCL_GRAPH_NODE_H

#include "graph/graph.h"

/* Windows this large already exceed any image; products of two still fit an int. */
#define NCL_WINDOW_LIMIT (1 << 15)

/* "block 'layer2.0', node '/layer2/layer2.0/conv1/Conv' (Conv)", the block as far as names
 * tell; for errors. Returns text. */
#define NCL_WHERE_TEXT 320
const char *ncl_node_where(const struct ncl_graph *graph, const struct ncl_node *node,
                           char text[NCL_WHERE_TEXT]);
/* NCL_ERROR_INPUT with that before the message. */
ncl_status ncl_node_fail(const struct ncl_graph *graph, const struct ncl_node *node,
                         const char *format, ...) __attribute__((format(printf, 3, 4)));
ncl_status ncl_node_memory(const struct ncl_graph *graph, const struct ncl_node *node);
#ifdef __clang_analyzer__
/* As in base/log.h: a failure's status is never NCL_OK. */
#define ncl_node_fail(graph, node, ...) (ncl_node_fail(graph, node, __VA_ARGS__), NCL_ERROR_INPUT)
#define ncl_node_memory(graph, node) (ncl_node_memory(graph, node), NCL_ERROR_MEMORY)
#endif

/* The block that a node's name tells of: "layer2.0" in "/layer2/layer2.0/conv1/Conv" or
 * "layer2.0.conv1", as torch names nodes, "conv2_block1" in Keras's "net/conv2_block1_2_conv/Conv".
 * Returns its beginning within name; NULL: none. */
const char *ncl_block_name(const char *name, size_t *length);

/* "1x3x224x224"; "a scalar" for rank 0; free dimensions as "?". Returns text. */
#define NCL_DIMS_TEXT 192
const char *ncl_dims_text(const struct ncl_value *value, char text[NCL_DIMS_TEXT]);

/* Input i of a node, NULL when left out. */
static inline const struct ncl_value *ncl_node_input(const struct ncl_graph *graph,
                                                     const struct ncl_node *node, int i)
{
    return i < node->input_count && node->inputs[i] != NCL_NO_VALUE
               ? &graph->values[node->inputs[i]]
               : NULL;
}

/* A removed node: compacted away by ncl_graph_sweep. */
static inline void ncl_node_kill(struct ncl_node *node)
{
    node->op = NCL_OP_COUNT;
}

static inline bool ncl_node_is_dead(const struct ncl_node *node)
{
    return node->op == NCL_OP_COUNT;
}

/* Gemm and MatMul share their attributes. */
static inline bool ncl_op_is_matrix(enum ncl_op op)
{
    return op == NCL_OP_GEMM || op == NCL_OP_MATMUL;
}

/* Element of an integer or bool constant, exact; 0 for float types. */
int64_t ncl_value_integer(const struct ncl_value *value, int64_t index);
bool ncl_dtype_is_integer(enum ncl_dtype dtype); /* bool is not */
bool ncl_same_dims(const struct ncl_value *a, const struct ncl_value *b);

/* Whether the graph's outputs depend on value v is in read[v]; free() it. NULL: no memory. */
char *ncl_graph_find_read(const struct ncl_graph *graph);
bool ncl_node_is_read(const struct ncl_node *node, const char *read);
/* Removes dead nodes and those whose results nobody reads. */
ncl_status ncl_graph_sweep(struct ncl_graph *graph);

#endif

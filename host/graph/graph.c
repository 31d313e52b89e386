/* Building a graph: values, nodes, inputs and outputs, each by index. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

/* A hostile file could ask for more nodes than an int counts. */
#define MAX_ENTITIES (1 << 24)

static const char *const dtype_names[] = {
    [NCL_DTYPE_UNKNOWN] = "unknown", [NCL_DTYPE_F32] = "float32", [NCL_DTYPE_F64] = "float64",
    [NCL_DTYPE_I32] = "int32",       [NCL_DTYPE_I64] = "int64",   [NCL_DTYPE_BOOL] = "bool"};

static const size_t dtype_sizes[] = {
    [NCL_DTYPE_F32] = 4, [NCL_DTYPE_F64] = 8,  [NCL_DTYPE_I32] = 4,
    [NCL_DTYPE_I64] = 8, [NCL_DTYPE_BOOL] = 1,
};

static const char *const op_names[NCL_OP_COUNT] = {
    [NCL_OP_CONV] = "Conv",
    [NCL_OP_BATCH_NORM] = "BatchNormalization",
    [NCL_OP_RELU] = "Relu",
    [NCL_OP_CLIP] = "Clip",
    [NCL_OP_LEAKY_RELU] = "LeakyRelu",
    [NCL_OP_HARD_SWISH] = "HardSwish",
    [NCL_OP_SIGMOID] = "Sigmoid",
    [NCL_OP_ADD] = "Add",
    [NCL_OP_SUB] = "Sub",
    [NCL_OP_MUL] = "Mul",
    [NCL_OP_DIV] = "Div",
    [NCL_OP_MAX_POOL] = "MaxPool",
    [NCL_OP_AVERAGE_POOL] = "AveragePool",
    [NCL_OP_GLOBAL_AVERAGE_POOL] = "GlobalAveragePool",
    [NCL_OP_REDUCE_MEAN] = "ReduceMean",
    [NCL_OP_GEMM] = "Gemm",
    [NCL_OP_MATMUL] = "MatMul",
    [NCL_OP_FLATTEN] = "Flatten",
    [NCL_OP_RESHAPE] = "Reshape",
    [NCL_OP_TRANSPOSE] = "Transpose",
    [NCL_OP_PAD] = "Pad",
    [NCL_OP_SOFTMAX] = "Softmax",
    [NCL_OP_LOG_SOFTMAX] = "LogSoftmax",
    [NCL_OP_IDENTITY] = "Identity",
    [NCL_OP_SHAPE] = "Shape",
    [NCL_OP_GATHER] = "Gather",
    [NCL_OP_SLICE] = "Slice",
    [NCL_OP_SPLIT] = "Split",
    [NCL_OP_CONCAT] = "Concat",
    [NCL_OP_SQUEEZE] = "Squeeze",
    [NCL_OP_UNSQUEEZE] = "Unsqueeze",
    [NCL_OP_CAST] = "Cast",
    [NCL_OP_CONSTANT_OF_SHAPE] = "ConstantOfShape",
    [NCL_OP_SCALE] = "Scale",
};

size_t ncl_dtype_size(enum ncl_dtype dtype)
{
    const size_t known = sizeof dtype_sizes / sizeof *dtype_sizes;

    return (size_t)dtype < known ? dtype_sizes[dtype] : 0;
}

const char *ncl_dtype_name(enum ncl_dtype dtype)
{
    const size_t known = sizeof dtype_names / sizeof *dtype_names;

    return (size_t)dtype < known ? dtype_names[dtype] : "unknown";
}

const char *ncl_op_name(enum ncl_op op)
{
    return (size_t)op < NCL_OP_COUNT ? op_names[op] : "unknown";
}

ncl_status ncl_graph_create(const struct ncl_log *log, struct ncl_graph **graph)
{
    *graph = ncl_alloc(1, sizeof **graph);
    if (*graph == NULL)
        return ncl_fail_memory(log, "a graph");
    (*graph)->log = log;
    return NCL_OK;
}

void ncl_graph_free(struct ncl_graph *graph)
{
    if (graph == NULL)
        return;
    ncl_arena_free(&graph->arena);
    free(graph->values);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph);
}

/* Room for one more; what: plural, for the message. */
static ncl_status grow(const struct ncl_graph *graph, void **array, size_t *capacity, int count,
                       size_t size, const char *what)
{
    if (count >= MAX_ENTITIES)
        return ncl_fail(graph->log, NCL_ERROR_INPUT, "graph: more than %d %s", MAX_ENTITIES, what);
    if (!ncl_grow(array, capacity, (size_t)count, size))
        return ncl_fail_memory(graph->log, what);
    return NCL_OK;
}

ncl_status ncl_graph_add_value(struct ncl_graph *graph, const char *name, size_t name_length,
                               int *index)
{
    const char *copy = ncl_arena_text(&graph->arena, name, name_length);
    const ncl_status status = grow(graph, (void **)&graph->values, &graph->value_capacity,
                                   graph->value_count, sizeof *graph->values, "graph values");

    if (status != NCL_OK)
        return status;
    if (copy == NULL)
        return ncl_fail_memory(graph->log, "the name of a value");
    *index = graph->value_count++;
    memset(&graph->values[*index], 0, sizeof *graph->values);
    graph->values[*index].name = copy;
    graph->values[*index].rank = -1;
    return NCL_OK;
}

static int *index_array(struct ncl_graph *graph, int count)
{
    int *array = ncl_arena_alloc(&graph->arena, (size_t)count + 1, sizeof *array);

    for (int i = 0; array != NULL && i < count; i++)
        array[i] = NCL_NO_VALUE;
    return array;
}

ncl_status ncl_graph_add_node(struct ncl_graph *graph, enum ncl_op op, const char *name,
                              size_t name_length, int input_count, int output_count, int *index)
{
    struct ncl_node node;
    const ncl_status status = grow(graph, (void **)&graph->nodes, &graph->node_capacity,
                                   graph->node_count, sizeof node, "graph nodes");

    if (status != NCL_OK)
        return status;
    if (input_count < 0 || output_count < 0)
        return ncl_fail(graph->log, NCL_ERROR_USAGE, "graph: a node of %d inputs and %d outputs",
                        input_count, output_count);
    memset(&node, 0, sizeof node);
    node.op = op;
    node.name = ncl_arena_text(&graph->arena, name, name_length);
    node.inputs = index_array(graph, input_count);
    node.outputs = index_array(graph, output_count);
    node.input_count = input_count;
    node.output_count = output_count;
    if (node.name == NULL || node.inputs == NULL || node.outputs == NULL)
        return ncl_fail_memory(graph->log, "a graph node");
    *index = graph->node_count++;
    graph->nodes[*index] = node;
    return NCL_OK;
}

static ncl_status add_index(struct ncl_graph *graph, int value, int **array, size_t *capacity,
                            int *count, const char *what)
{
    ncl_status status;

    if (value < 0 || value >= graph->value_count)
        return ncl_fail(graph->log, NCL_ERROR_USAGE, "%s: no value %d in a graph of %d", what,
                        value, graph->value_count);
    status = grow(graph, (void **)array, capacity, *count, sizeof **array, what);
    if (status == NCL_OK)
        (*array)[(*count)++] = value;
    return status;
}

ncl_status ncl_graph_add_input(struct ncl_graph *graph, int value)
{
    return add_index(graph, value, &graph->inputs, &graph->input_capacity, &graph->input_count,
                     "graph inputs");
}

ncl_status ncl_graph_add_output(struct ncl_graph *graph, int value)
{
    return add_index(graph, value, &graph->outputs, &graph->output_capacity, &graph->output_count,
                     "graph outputs");
}

int ncl_graph_producer(const struct ncl_graph *graph, int value)
{
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].output_count; k++)
            if (graph->nodes[i].outputs[k] == value)
                return i;
    return -1;
}

int64_t ncl_value_elements(const struct ncl_value *value)
{
    int64_t product = 1;

    if (value->rank < 0 || value->rank > NCL_MAX_RANK)
        return -1;
    for (int i = 0; i < value->rank; i++) {
        const int64_t dim = value->dims[i];

        if (dim < 0 || (dim > 0 && product > INT64_MAX / dim))
            return -1;
        product *= dim;
    }
    return product;
}

double ncl_value_element(const struct ncl_value *value, int64_t index)
{
    const size_t size = ncl_dtype_size(value->dtype);
    const unsigned char *bytes = (const unsigned char *)value->data + (size_t)index * size;
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;

    switch (value->dtype) {
    case NCL_DTYPE_F32:
        memcpy(&f32, bytes, sizeof f32);
        return (double)f32;
    case NCL_DTYPE_F64:
        memcpy(&f64, bytes, sizeof f64);
        return f64;
    case NCL_DTYPE_I32:
        memcpy(&i32, bytes, sizeof i32);
        return (double)i32;
    case NCL_DTYPE_I64:
        memcpy(&i64, bytes, sizeof i64);
        return (double)i64;
    case NCL_DTYPE_BOOL:
        return *bytes != 0;
    default:
        return 0;
    }
}

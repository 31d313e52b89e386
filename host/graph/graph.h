/* The network as a model file tells it: values, and nodes with typed attributes in topological
 * order.
 *
 * Importers and the zoo build a graph and keep it faithful; ncl_graph_specialise() copies it for
 * concrete input shapes; passes rewrite the copy; lowering (graph/schedule.h) turns it into device
 * operations. A graph owns its strings and arrays through its arena; constant data may also point
 * into a file mapping that outlives it. Not thread-safe while it is built, read-only afterwards. */
#ifndef NCL_GRAPH_GRAPH_H
#define NCL_GRAPH_GRAPH_H

#include "base/log.h"
#include "base/memory.h"
#include <stdbool.h>

enum ncl_dtype {
    NCL_DTYPE_UNKNOWN,
    NCL_DTYPE_F32,
    NCL_DTYPE_F64,
    NCL_DTYPE_I32,
    NCL_DTYPE_I64,
    NCL_DTYPE_BOOL
};
size_t ncl_dtype_size(enum ncl_dtype dtype); /* bytes; 0 for unknown */
const char *ncl_dtype_name(enum ncl_dtype dtype);

#define NCL_NO_VALUE (-1)

struct ncl_value {
    const char *name;
    enum ncl_dtype dtype;
    int rank;                   /* -1: unknown */
    int64_t dims[NCL_MAX_RANK]; /* -1: free or unknown */
    const void *data; /* a constant's dense little-endian elements at any alignment, or NULL */
    bool mapped;      /* data lies in a file mapping: ncl_file_forget() may be told of it */
};

enum ncl_op {
    NCL_OP_CONV,       /* inputs x, w, [b]; after fusion also [residual] as input 3 */
    NCL_OP_BATCH_NORM, /* x, scale, b, mean, var */
    NCL_OP_RELU,
    NCL_OP_CLIP, /* x, [min], [max]: scalars */
    NCL_OP_LEAKY_RELU,
    NCL_OP_HARD_SWISH,
    NCL_OP_SIGMOID,
    NCL_OP_ADD,
    NCL_OP_SUB,
    NCL_OP_MUL,
    NCL_OP_DIV, /* folded only */
    NCL_OP_MAX_POOL,
    NCL_OP_AVERAGE_POOL,
    NCL_OP_GLOBAL_AVERAGE_POOL,
    NCL_OP_REDUCE_MEAN, /* x, [axes] */
    NCL_OP_GEMM,        /* a, b, [c]; residual as Conv's */
    NCL_OP_MATMUL,
    NCL_OP_FLATTEN,
    NCL_OP_RESHAPE, /* x, shape */
    NCL_OP_TRANSPOSE,
    NCL_OP_PAD, /* x, [pads], [value], [axes] */
    NCL_OP_SOFTMAX,
    NCL_OP_LOG_SOFTMAX,
    NCL_OP_IDENTITY, /* also Dropout at inference */
    NCL_OP_SHAPE,
    NCL_OP_GATHER, /* x, indices */
    NCL_OP_SLICE,  /* x, [starts], [ends], [axes], [steps] */
    NCL_OP_SPLIT,  /* x, [sizes]: one part of several; inference makes it a Slice */
    NCL_OP_CONCAT,
    NCL_OP_SQUEEZE,   /* x, [axes] */
    NCL_OP_UNSQUEEZE, /* x, [axes] */
    NCL_OP_CAST,
    NCL_OP_CONSTANT_OF_SHAPE, /* shape; folded only */
    NCL_OP_SCALE, /* made by passes: x, [residual]: x times a per-channel scale plus a shift */
    NCL_OP_COUNT
};
const char *ncl_op_name(enum ncl_op op); /* ONNX spelling: "Conv" */

enum ncl_auto_pad { NCL_PAD_EXPLICIT, NCL_PAD_SAME_UPPER, NCL_PAD_SAME_LOWER, NCL_PAD_VALID };

/* An activation fused behind a node: values as enum ncl_act of problem/problem.h. */
struct ncl_node_act {
    int act;
    float a, b;
};

#define NCL_MAX_AXES NCL_MAX_RANK
struct ncl_axes {
    bool given; /* false: absent, the operator's default holds */
    int count;
    int64_t values[2 * NCL_MAX_AXES];
};

struct ncl_node {
    enum ncl_op op;
    const char *name; /* never NULL; unique enough to find the node in the model */
    int *inputs;      /* value indices; NCL_NO_VALUE: optional input left out */
    int *outputs;
    int input_count, output_count;
    struct ncl_node_act act; /* passes: applied to the result */
    union {
        struct {
            struct ncl_axes kernel, strides, dilations, pads; /* pads: all begins, then all ends */
            enum ncl_auto_pad auto_pad;
            int64_t groups;
            /* Passes: BN folded in. Per output channel; NULL: 1, and the bias input or 0. With
             * shift, the bias input is already part of it. */
            const double *scale, *shift;
        } conv;
        struct {
            struct ncl_axes kernel, strides, dilations, pads;
            enum ncl_auto_pad auto_pad;
            bool ceil_mode, count_include_pad;
        } pool;
        struct {
            float epsilon;
        } batch_norm;
        struct {
            float min, max; /* of old opsets; inputs win */
        } clip;
        struct {
            float alpha;
        } leaky_relu;
        struct {
            float alpha, beta;
            bool trans_a, trans_b;
            const double *scale, *shift; /* as conv; alpha and beta are part of them */
        } gemm;
        struct {
            int64_t axis;
            bool flat; /* softmax of opset < 13: everything from axis on is one row */
        } axis;        /* softmax, flatten, concat, gather */
        struct {
            struct ncl_axes axes, starts, ends, steps; /* attributes of old opsets; inputs win */
            bool keep_dims, keep_all; /* keep_all: no axes given means none, not all */
        } axes; /* reduce_mean, squeeze, unsqueeze, slice; transpose: axes = permutation */
        struct {
            int64_t axis;
            int64_t part, parts; /* this one, of how many */
            int64_t stated;      /* the number of parts as the model states it; 0: it does not */
        } split;
        struct {
            struct ncl_axes pads, axes;
            float value;
        } pad;
        struct {
            bool allow_zero;
        } reshape;
        struct {
            enum ncl_dtype to;
        } cast;
        struct {
            float value;
            enum ncl_dtype dtype;
        } constant_of_shape;
        struct {
            const double *scale, *shift; /* per channel of x */
        } scale;                         /* NULL: x as it is */
    } as;
};

struct ncl_graph {
    const struct ncl_log *log;
    struct ncl_arena arena;
    struct ncl_value *values;
    struct ncl_node *nodes; /* topological order */
    int value_count, node_count;
    size_t value_capacity, node_capacity;
    int *inputs, *outputs; /* value indices; inputs exclude constants */
    int input_count, output_count;
    size_t input_capacity, output_capacity;
    ncl_layout layout;   /* of inputs and outputs of rank 4 */
    size_t folded_bytes; /* of constants computed so far */
};

/* ---- building. Every function sets the last error; indices stay valid, pointers do not. ---- */
ncl_status ncl_graph_create(const struct ncl_log *log, struct ncl_graph **graph);
void ncl_graph_free(struct ncl_graph *graph);
/* name is copied; "" is allowed. The value starts with unknown dtype and rank. */
ncl_status ncl_graph_add_value(struct ncl_graph *graph, const char *name, size_t name_length,
                               int *index);
/* A zeroed node of `op` with room for the inputs (NCL_NO_VALUE) and outputs. */
ncl_status ncl_graph_add_node(struct ncl_graph *graph, enum ncl_op op, const char *name,
                              size_t name_length, int input_count, int output_count, int *index);
ncl_status ncl_graph_add_input(struct ncl_graph *graph, int value);
ncl_status ncl_graph_add_output(struct ncl_graph *graph, int value);
/* Checks references, single assignment, acyclicity and sorts nodes topologically (stable). Errors
 * name the node. NCL_ERROR_INPUT. */
ncl_status ncl_graph_finish(struct ncl_graph *graph);
int ncl_graph_producer(const struct ncl_graph *graph, int value); /* node index or -1; O(nodes) */

/* ---- constants ---- */
static inline bool ncl_value_is_constant(const struct ncl_value *value)
{
    return value->data != NULL;
}
/* Elements of a value with fully known dims; -1 when unknown or overflowing. */
int64_t ncl_value_elements(const struct ncl_value *value);
double ncl_value_element(const struct ncl_value *value, int64_t index); /* of a constant */

/* ---- specialising and passes ---- */
struct ncl_dims {
    int rank;
    int64_t dims[NCL_MAX_RANK];
};
/* A copy for concrete input shapes: infers every shape, folds what is constant (all of Shape,
 * Gather, Slice, Concat, Cast, Mul.. chains), drops nodes nobody reads, once they are known to be
 * right. Shapes must agree with the model's fixed dims. Constant data is shared with the original,
 * which must outlive the copy's constants (names are the copy's own).
 * Errors name the node, expected and found. */
ncl_status ncl_graph_specialise(const struct ncl_graph *graph, const struct ncl_dims *inputs,
                                int input_count, struct ncl_graph **special);
/* What a pass did, in all its rounds. */
struct ncl_pass_report {
    const char *pass;
    int changes, nodes_before, nodes_after;
    int removed[NCL_OP_COUNT]; /* nodes of each operator that it took away, less those it made */
};
#define NCL_MAX_PASSES 12
/* Runs every pass until none changes anything: identity removal, pad folding, transpositions, group
 * recovery, BN folding (also from Mul + Add), conv + add + activation fusion, scale + add +
 * activation fusion, slices of channels. */
ncl_status ncl_graph_optimise(struct ncl_graph *special,
                              struct ncl_pass_report reports[NCL_MAX_PASSES], int *report_count);

#endif

#include "import/onnx_ops.h"
#include <float.h>
#include <stddef.h>
#include <string.h>

/* Sizes, strides, pads: what a 32-bit index on a device can hold. */
#define EXTENT INT32_MAX
#define NEWEST INT32_MAX

#define AT(member) offsetof(struct ncl_node, as.member)
#define ROW(NAME, RULE, MEMBER, MIN, MAX)                                                          \
    {                                                                                              \
        .name = (NAME), .rule = NCL_RULE_##RULE, .offset = AT(MEMBER), .min = (MIN), .max = (MAX)  \
    }
#define IGNORED(NAME, TYPE)                                                                        \
    {                                                                                              \
        .name = (NAME), .rule = NCL_RULE_IGNORE, .type = NCL_ONNX_ATTR_##TYPE                      \
    }
#define FIXED(NAME, VALUE)                                                                         \
    {                                                                                              \
        .name = (NAME), .rule = NCL_RULE_FIXED, .min = (VALUE), .max = (VALUE)                     \
    }
#define CONSTANT(NAME, TYPE)                                                                       \
    {                                                                                              \
        .name = (NAME), .rule = NCL_RULE_VALUE, .type = NCL_ONNX_ATTR_##TYPE                       \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

typedef const struct ncl_onnx_attribute_row rows[];

static rows conv_rows = {ROW("kernel_shape", AXES, conv.kernel, 1, EXTENT),
                         ROW("strides", AXES, conv.strides, 1, EXTENT),
                         ROW("dilations", AXES, conv.dilations, 1, EXTENT),
                         ROW("pads", AXES, conv.pads, 0, EXTENT),
                         ROW("auto_pad", AUTO_PAD, conv.auto_pad, 0, 0),
                         ROW("group", INT, conv.groups, 1, EXTENT),
                         END};
/* Of every pool; an operator set adds to the one before. */
#define POOL_ROWS                                                                                  \
    ROW("kernel_shape", AXES, pool.kernel, 1, EXTENT),                                             \
        ROW("strides", AXES, pool.strides, 1, EXTENT), ROW("pads", AXES, pool.pads, 0, EXTENT),    \
        ROW("auto_pad", AUTO_PAD, pool.auto_pad, 0, 0)
#define CEIL_ROW ROW("ceil_mode", BOOL, pool.ceil_mode, 0, 1)
#define DILATIONS_ROW ROW("dilations", AXES, pool.dilations, 1, EXTENT)
#define STORAGE_ROW IGNORED("storage_order", INT) /* of the indices */
#define COUNT_ROW ROW("count_include_pad", BOOL, pool.count_include_pad, 0, 1)

static rows max_pool_7_rows = {POOL_ROWS, END};
static rows max_pool_8_rows = {POOL_ROWS, STORAGE_ROW, END};
static rows max_pool_rows = {POOL_ROWS, STORAGE_ROW, CEIL_ROW, DILATIONS_ROW, END};
static rows average_pool_7_rows = {POOL_ROWS, COUNT_ROW, END};
static rows average_pool_10_rows = {POOL_ROWS, COUNT_ROW, CEIL_ROW, END};
static rows average_pool_rows = {POOL_ROWS, COUNT_ROW, CEIL_ROW, DILATIONS_ROW, END};
/* momentum is of training */
#define BATCH_NORM_ROWS                                                                            \
    ROW("epsilon", FLOAT, batch_norm.epsilon, 0, 1000), IGNORED("momentum", FLOAT)
static rows batch_norm_7_rows = {BATCH_NORM_ROWS, FIXED("spatial", 1), END};
static rows batch_norm_9_rows = {BATCH_NORM_ROWS, END};
static rows batch_norm_rows = {BATCH_NORM_ROWS, FIXED("training_mode", 0), END};
static rows clip_rows = {ROW("min", LIMIT, clip.min, 0, 0), ROW("max", LIMIT, clip.max, 0, 0), END};
static rows leaky_rows = {ROW("alpha", FLOAT, leaky_relu.alpha, INT32_MIN, INT32_MAX), END};
static rows reduce_rows = {ROW("axes", AXES, axes.axes, -NCL_MAX_RANK, NCL_MAX_RANK - 1),
                           ROW("keepdims", BOOL, axes.keep_dims, 0, 1), END};
static rows reduce_18_rows = {ROW("keepdims", BOOL, axes.keep_dims, 0, 1),
                              ROW("noop_with_empty_axes", BOOL, axes.keep_all, 0, 1), END};
static rows axes_rows = {ROW("axes", AXES, axes.axes, -NCL_MAX_RANK, NCL_MAX_RANK - 1), END};
static rows gemm_rows = {ROW("alpha", FLOAT, gemm.alpha, INT32_MIN, INT32_MAX),
                         ROW("beta", FLOAT, gemm.beta, INT32_MIN, INT32_MAX),
                         ROW("transA", BOOL, gemm.trans_a, 0, 1),
                         ROW("transB", BOOL, gemm.trans_b, 0, 1), END};
static rows axis_rows = {ROW("axis", INT, axis.axis, -NCL_MAX_RANK, NCL_MAX_RANK), END};
static rows reshape_rows = {ROW("allowzero", BOOL, reshape.allow_zero, 0, 1), END};
static rows transpose_rows = {ROW("perm", AXES, axes.axes, 0, NCL_MAX_RANK - 1), END};
static rows pad_2_rows = {ROW("pads", AXES, pad.pads, -EXTENT, EXTENT),
                          ROW("value", LIMIT, pad.value, 0, 0), ROW("mode", CONSTANT, pad, 0, 0),
                          END};
static rows pad_rows = {ROW("mode", CONSTANT, pad, 0, 0), END};
static rows dropout_7_rows = {IGNORED("ratio", FLOAT), END};
static rows dropout_rows = {IGNORED("seed", INT), END};
static rows constant_rows = {CONSTANT("value", TENSOR),        CONSTANT("value_float", FLOAT),
                             CONSTANT("value_floats", FLOATS), CONSTANT("value_int", INT),
                             CONSTANT("value_ints", INTS),     END};
static rows shape_rows = {ROW("start", AXIS, axes.starts, -NCL_MAX_RANK, NCL_MAX_RANK),
                          ROW("end", AXIS, axes.ends, INT64_MIN, INT64_MAX), END};
static rows slice_1_rows = {ROW("starts", AXES, axes.starts, INT64_MIN, INT64_MAX),
                            ROW("ends", AXES, axes.ends, INT64_MIN, INT64_MAX),
                            ROW("axes", AXES, axes.axes, -NCL_MAX_RANK, NCL_MAX_RANK - 1), END};
static rows split_2_rows = {ROW("axis", INT, split.axis, -NCL_MAX_RANK, NCL_MAX_RANK - 1),
                            CONSTANT("split", INTS), END};
static rows split_rows = {ROW("axis", INT, split.axis, -NCL_MAX_RANK, NCL_MAX_RANK - 1), END};
static rows split_18_rows = {ROW("axis", INT, split.axis, -NCL_MAX_RANK, NCL_MAX_RANK - 1),
                             ROW("num_outputs", INT, split.stated, 1, EXTENT), END};
static rows cast_rows = {ROW("to", DTYPE, cast.to, 0, 0), IGNORED("saturate", INT),
                         IGNORED("round_mode", STRING), END};
static rows cast_like_rows = {IGNORED("saturate", INT), IGNORED("round_mode", STRING), END};
static rows fill_rows = {ROW("value", FILL, constant_of_shape, 0, 0), END};

static void conv_defaults(struct ncl_node *node)
{
    node->as.conv.groups = 1;
}

static void batch_norm_defaults(struct ncl_node *node)
{
    node->as.batch_norm.epsilon = 1e-5F;
}

static void clip_defaults(struct ncl_node *node)
{
    node->as.clip.min = -FLT_MAX;
    node->as.clip.max = FLT_MAX;
}

static void leaky_defaults(struct ncl_node *node)
{
    node->as.leaky_relu.alpha = 0.01F;
}

static void reduce_defaults(struct ncl_node *node)
{
    node->as.axes.keep_dims = true;
}

static void gemm_defaults(struct ncl_node *node)
{
    node->as.gemm.alpha = 1.0F;
    node->as.gemm.beta = 1.0F;
}

static void flatten_defaults(struct ncl_node *node)
{
    node->as.axis.axis = 1;
}

static void softmax_1_defaults(struct ncl_node *node)
{
    node->as.axis.axis = 1;
    node->as.axis.flat = true;
}

static void softmax_defaults(struct ncl_node *node)
{
    node->as.axis.axis = -1;
}

static void fill_defaults(struct ncl_node *node)
{
    node->as.constant_of_shape.dtype = NCL_DTYPE_F32;
}

/* name, op, operator sets, inputs, their types, attributes, defaults */
#define OP(NAME, OPERATOR, FIRST, LAST, MIN, MAX, TYPES, ROWS, DEFAULTS)                           \
    .name = (NAME), .op = NCL_OP_##OPERATOR, .first = (FIRST), .last = (LAST),                     \
    .min_inputs = (MIN), .max_inputs = (MAX), .types = (TYPES), .attributes = (ROWS),              \
    .defaults = (DEFAULTS)

static const struct ncl_onnx_op table[] = {
    {OP("Conv", CONV, 7, NEWEST, 2, 3, "x", conv_rows, conv_defaults)},
    {OP("BatchNormalization", BATCH_NORM, 7, 8, 5, 5, "x", batch_norm_7_rows, batch_norm_defaults)},
    {OP("BatchNormalization", BATCH_NORM, 9, 13, 5, 5, "x", batch_norm_9_rows,
        batch_norm_defaults)},
    {OP("BatchNormalization", BATCH_NORM, 14, NEWEST, 5, 5, "x", batch_norm_rows,
        batch_norm_defaults)},
    {OP("Relu", RELU, 7, NEWEST, 1, 1, "x", NULL, NULL)},
    {OP("Clip", CLIP, 7, 10, 1, 1, "x", clip_rows, clip_defaults)},
    {OP("Clip", CLIP, 11, NEWEST, 1, 3, "t", NULL, clip_defaults)},
    {OP("LeakyRelu", LEAKY_RELU, 7, NEWEST, 1, 1, "x", leaky_rows, leaky_defaults)},
    {OP("HardSwish", HARD_SWISH, 14, NEWEST, 1, 1, "x", NULL, NULL)},
    {OP("Sigmoid", SIGMOID, 7, NEWEST, 1, 1, "x", NULL, NULL)},
    {OP("Add", ADD, 7, NEWEST, 2, 2, "t", NULL, NULL)},
    {OP("Sub", SUB, 7, NEWEST, 2, 2, "t", NULL, NULL)},
    {OP("Mul", MUL, 7, NEWEST, 2, 2, "t", NULL, NULL)},
    {OP("Div", DIV, 7, NEWEST, 2, 2, "t", NULL, NULL)},
    {OP("MaxPool", MAX_POOL, 7, 7, 1, 1, "x", max_pool_7_rows, NULL), .required = 1},
    {OP("MaxPool", MAX_POOL, 8, 9, 1, 1, "x", max_pool_8_rows, NULL), .required = 1,
     .second_output = true},
    {OP("MaxPool", MAX_POOL, 10, NEWEST, 1, 1, "x", max_pool_rows, NULL), .required = 1,
     .second_output = true},
    {OP("AveragePool", AVERAGE_POOL, 7, 9, 1, 1, "x", average_pool_7_rows, NULL), .required = 1},
    {OP("AveragePool", AVERAGE_POOL, 10, 18, 1, 1, "x", average_pool_10_rows, NULL), .required = 1},
    {OP("AveragePool", AVERAGE_POOL, 19, NEWEST, 1, 1, "x", average_pool_rows, NULL),
     .required = 1},
    {OP("GlobalAveragePool", GLOBAL_AVERAGE_POOL, 7, NEWEST, 1, 1, "x", NULL, NULL)},
    {OP("ReduceMean", REDUCE_MEAN, 7, 17, 1, 1, "x", reduce_rows, reduce_defaults)},
    {OP("ReduceMean", REDUCE_MEAN, 18, NEWEST, 1, 2, "xi", reduce_18_rows, reduce_defaults)},
    {OP("Gemm", GEMM, 7, 10, 3, 3, "x", gemm_rows, gemm_defaults)},
    {OP("Gemm", GEMM, 11, NEWEST, 2, 3, "x", gemm_rows, gemm_defaults)},
    {OP("MatMul", MATMUL, 7, NEWEST, 2, 2, "x", NULL, NULL)},
    {OP("Flatten", FLATTEN, 7, NEWEST, 1, 1, "a", axis_rows, flatten_defaults)},
    {OP("Reshape", RESHAPE, 7, 13, 2, 2, "ai", NULL, NULL)},
    {OP("Reshape", RESHAPE, 14, NEWEST, 2, 2, "ai", reshape_rows, NULL)},
    {OP("Transpose", TRANSPOSE, 7, NEWEST, 1, 1, "a", transpose_rows, NULL)},
    {OP("Pad", PAD, 7, 10, 1, 1, "x", pad_2_rows, NULL), .required = 1},
    {OP("Pad", PAD, 11, NEWEST, 2, 4, "titi", pad_rows, NULL)},
    {OP("Softmax", SOFTMAX, 7, 12, 1, 1, "x", axis_rows, softmax_1_defaults)},
    {OP("Softmax", SOFTMAX, 13, NEWEST, 1, 1, "x", axis_rows, softmax_defaults)},
    {OP("LogSoftmax", LOG_SOFTMAX, 7, 12, 1, 1, "x", axis_rows, softmax_1_defaults)},
    {OP("LogSoftmax", LOG_SOFTMAX, 13, NEWEST, 1, 1, "x", axis_rows, softmax_defaults)},
    {OP("Identity", IDENTITY, 7, NEWEST, 1, 1, "a", NULL, NULL)},
    {OP("Dropout", IDENTITY, 7, 11, 1, 1, "a", dropout_7_rows, NULL), .form = NCL_ONNX_DROPOUT,
     .second_output = true},
    {OP("Dropout", IDENTITY, 12, NEWEST, 1, 3, "a", dropout_rows, NULL), .form = NCL_ONNX_DROPOUT,
     .second_output = true},
    {OP("Constant", IDENTITY, 7, NEWEST, 0, 0, "a", constant_rows, NULL),
     .form = NCL_ONNX_CONSTANT_VALUE},
    {OP("Shape", SHAPE, 7, 14, 1, 1, "a", NULL, NULL), .form = NCL_ONNX_SHAPE},
    {OP("Shape", SHAPE, 15, NEWEST, 1, 1, "a", shape_rows, NULL), .form = NCL_ONNX_SHAPE},
    {OP("Gather", GATHER, 7, NEWEST, 2, 2, "ai", axis_rows, NULL)},
    {OP("Slice", SLICE, 7, 9, 1, 1, "a", slice_1_rows, NULL), .required = 3},
    {OP("Slice", SLICE, 10, NEWEST, 3, 5, "ai", NULL, NULL)},
    {OP("Split", SPLIT, 7, 12, 1, 1, "a", split_2_rows, NULL), .form = NCL_ONNX_SPLIT},
    {OP("Split", SPLIT, 13, 17, 1, 2, "ai", split_rows, NULL), .form = NCL_ONNX_SPLIT},
    {OP("Split", SPLIT, 18, NEWEST, 1, 2, "ai", split_18_rows, NULL), .form = NCL_ONNX_SPLIT},
    {OP("Concat", CONCAT, 7, NEWEST, 1, NCL_ONNX_ANY_COUNT, "t", axis_rows, NULL), .required = 1},
    {OP("Squeeze", SQUEEZE, 7, 12, 1, 1, "a", axes_rows, NULL)},
    {OP("Squeeze", SQUEEZE, 13, NEWEST, 1, 2, "ai", NULL, NULL)},
    {OP("Unsqueeze", UNSQUEEZE, 7, 12, 1, 1, "a", axes_rows, NULL), .required = 1},
    {OP("Unsqueeze", UNSQUEEZE, 13, NEWEST, 2, 2, "ai", NULL, NULL)},
    {OP("Cast", CAST, 7, NEWEST, 1, 1, "a", cast_rows, NULL), .required = 1},
    {OP("CastLike", CAST, 15, NEWEST, 2, 2, "a", cast_like_rows, NULL), .form = NCL_ONNX_CAST_LIKE},
    {OP("ConstantOfShape", CONSTANT_OF_SHAPE, 9, NEWEST, 1, 1, "i", fill_rows, fill_defaults),
     .form = NCL_ONNX_CONSTANT_FILL},
    {OP("Expand", MUL, 8, NEWEST, 2, 2, "ai", NULL, NULL), .form = NCL_ONNX_EXPAND},
};

const struct ncl_onnx_op *ncl_onnx_find_op(struct ncl_span name, int64_t opset)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct ncl_onnx_op *op = &table[i];
        if (strlen(op->name) == name.bytes && memcmp(op->name, name.data, name.bytes) == 0 &&
            opset >= op->first && opset <= op->last) {
            return op;
        }
    }
    return NULL;
}

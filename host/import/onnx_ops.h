/* The ONNX operators that are understood, as a table. */
#ifndef NCL_IMPORT_ONNX_OPS_H
#define NCL_IMPORT_ONNX_OPS_H

#include "import/onnx_attribute.h"

#define NCL_ONNX_ANY_COUNT (1 << 16)

/* How a row's node differs from one graph node of the same inputs. */
enum ncl_onnx_form {
    NCL_ONNX_PLAIN,
    NCL_ONNX_CONSTANT_VALUE, /* no node at all */
    NCL_ONNX_DROPOUT,        /* one input is kept */
    NCL_ONNX_SHAPE,          /* with start or end: Shape, Slice */
    NCL_ONNX_CAST_LIKE,
    NCL_ONNX_EXPAND, /* ConstantOfShape, Mul */
    NCL_ONNX_SPLIT,  /* a node per output */
    NCL_ONNX_CONSTANT_FILL
};

struct ncl_onnx_op {
    const char *name;
    enum ncl_op op;
    int first, last; /* operator sets */
    int min_inputs, max_inputs;
    /* A letter per input, the last one repeated: x FLOAT; t all t alike; i INT64 or INT32; a any.
     */
    const char *types;
    const struct ncl_onnx_attribute_row *attributes; /* NULL: none */
    void (*defaults)(struct ncl_node *node);         /* of attributes; NULL: zeroes */
    uint32_t required;                               /* bit per attribute row */
    enum ncl_onnx_form form;
    bool second_output; /* may be there, but nobody may read it */
};

/* NULL: not supported in that operator set. */
const struct ncl_onnx_op *ncl_onnx_find_op(struct ncl_span name, int64_t opset);

#endif

/* Attributes of ONNX nodes: what an operator knows, as a table, and the check against it. */
#ifndef NCL_IMPORT_ONNX_ATTRIBUTE_H
#define NCL_IMPORT_ONNX_ATTRIBUTE_H

#include "import/onnx_reader.h"

/* What an attribute must be, and where it goes in struct ncl_node. */
enum ncl_onnx_rule {
    NCL_RULE_IGNORE,   /* changes nothing of the first output at inference */
    NCL_RULE_INT,      /* int64_t, min..max */
    NCL_RULE_BOOL,     /* bool: 0 or 1 */
    NCL_RULE_FIXED,    /* not stored: an integer in min..max */
    NCL_RULE_FLOAT,    /* float, finite, min..max */
    NCL_RULE_LIMIT,    /* float, not NaN */
    NCL_RULE_AXES,     /* struct ncl_axes, each min..max */
    NCL_RULE_AXIS,     /* one integer, as struct ncl_axes of one */
    NCL_RULE_AUTO_PAD, /* enum ncl_auto_pad */
    NCL_RULE_DTYPE,    /* enum ncl_dtype */
    NCL_RULE_CONSTANT, /* the text "constant" */
    NCL_RULE_FILL,     /* a tensor of one element: as.constant_of_shape */
    NCL_RULE_VALUE     /* the value of a Constant, of any of its kinds */
};

/* AttributeProto.AttributeType */
enum ncl_onnx_attribute_type {
    NCL_ONNX_ATTR_UNDEFINED,
    NCL_ONNX_ATTR_FLOAT,
    NCL_ONNX_ATTR_INT,
    NCL_ONNX_ATTR_STRING,
    NCL_ONNX_ATTR_TENSOR,
    NCL_ONNX_ATTR_GRAPH,
    NCL_ONNX_ATTR_FLOATS,
    NCL_ONNX_ATTR_INTS,
    NCL_ONNX_ATTR_STRINGS,
    NCL_ONNX_ATTR_TENSORS,
    NCL_ONNX_ATTR_GRAPHS,
    NCL_ONNX_ATTR_SPARSE_TENSOR,
    NCL_ONNX_ATTR_SPARSE_TENSORS,
    NCL_ONNX_ATTR_TYPE_PROTO,
    NCL_ONNX_ATTR_TYPE_PROTOS,
    NCL_ONNX_ATTR_COUNT
};

struct ncl_onnx_attribute_row {
    const char *name; /* NULL ends a table */
    enum ncl_onnx_rule rule;
    size_t offset;
    int64_t min, max;
    enum ncl_onnx_attribute_type type; /* for IGNORE and VALUE */
};

/* Where an attribute's value goes, and what errors call the node. */
struct ncl_onnx_attribute_target {
    struct ncl_onnx_reader *reader;
    const struct ncl_onnx_attribute_row *rows;
    const char *where; /* "node 'x' (Conv)" */
    struct ncl_node *node;
    struct ncl_value *constant; /* of a Constant, else NULL */
    uint32_t seen;              /* bit per row */
};

/* One AttributeProto. */
ncl_status ncl_onnx_attribute(struct ncl_onnx_attribute_target *target,
                              const struct ncl_wire *wire);

#endif

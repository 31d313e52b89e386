/* One NodeProto while it is read: shared by its reading and by what an operator's form changes. */
#ifndef NCL_IMPORT_ONNX_NODE_H
#define NCL_IMPORT_ONNX_NODE_H

#include "import/onnx_ops.h"

struct ncl_onnx_reading {
    struct ncl_onnx_reader *reader;
    struct ncl_span name, op_type, domain, output;
    int inputs;  /* up to the last that isn't left out */
    int outputs; /* likewise */
    int listed;  /* inputs and outputs met, also those left out */
    char where[256];
    const struct ncl_onnx_op *op;
    int node;  /* of the graph; -1: a constant */
    int parts; /* of a Split: outputs met */
    enum ncl_dtype alike;
    struct ncl_value sizes; /* of a Split, as an attribute */
    struct ncl_onnx_attribute_target target;
};

/* "node 'x' (Conv): expected ..., found ...", NCL_ERROR_INPUT. */
ncl_status ncl_onnx_node_fail(const struct ncl_onnx_reading *r, const char *expected,
                              const char *found);
/* A node of the graph by this one's name, with one output. */
ncl_status ncl_onnx_add_node(const struct ncl_onnx_reading *r, enum ncl_op op, int inputs,
                             int *index);

/* ---- onnx_form.c ---- */
/* Completes the connected node, and sets its outputs' types. */
ncl_status ncl_onnx_apply_form(struct ncl_onnx_reading *r);

#endif

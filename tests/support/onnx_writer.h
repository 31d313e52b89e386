/* Writes ONNX models byte by byte, right or wrong. Messages are texts: build the inner one, put it
 * into the outer one. Field numbers are those of onnx.proto. */
#ifndef NCL_TESTS_ONNX_WRITER_H
#define NCL_TESTS_ONNX_WRITER_H

#include "base/text.h"
#include <stdint.h>

void pb_int(struct ncl_text *message, unsigned field, int64_t value);
void pb_float(struct ncl_text *message, unsigned field, float value);
void pb_bytes(struct ncl_text *message, unsigned field, const void *data, size_t bytes);
void pb_text(struct ncl_text *message, unsigned field, const char *text);
void pb_message(struct ncl_text *message, unsigned field, struct ncl_text *inner); /* frees inner */

/* AttributeProtos, into a NodeProto. */
void onnx_int(struct ncl_text *node, const char *name, int64_t value);
void onnx_float(struct ncl_text *node, const char *name, float value);
void onnx_string(struct ncl_text *node, const char *name, const char *value);
void onnx_ints(struct ncl_text *node, const char *name, int count, int64_t value); /* all alike */
void onnx_tensor(struct ncl_text *node, const char *name, struct ncl_text *tensor);

/* A TensorProto of type, dims (ending in -2) and raw zeroes. */
void onnx_zeroes(struct ncl_text *tensor, const char *name, int64_t type, const int64_t *dims,
                 size_t bytes);

/* A model in parts; the graph's parts keep their order: nodes, initializers, inputs, outputs. */
struct onnx_parts {
    struct ncl_text model, nodes, initializers, inputs, outputs;
    int64_t opset; /* 0: none is written */
};
/* Inputs and outputs: names separated by spaces, "-" for one left out. Takes over node, which may
 * hold attributes. */
void onnx_node(struct onnx_parts *parts, const char *op, const char *name, const char *inputs,
               const char *outputs, struct ncl_text *node);
/* A tensor input of elements of `type`; dims end in -2, -1 is free. */
void onnx_input(struct onnx_parts *parts, const char *name, int64_t type, const int64_t *dims);
void onnx_output(struct onnx_parts *parts, const char *name);
void onnx_initializer(struct onnx_parts *parts, struct ncl_text *tensor);
/* The whole file; parts are freed. */
struct ncl_text onnx_model(struct onnx_parts *parts);

#endif

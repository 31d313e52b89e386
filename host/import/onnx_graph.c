/* GraphProto: what it declares, in the order that names need: initializers, inputs, nodes, outputs.
 */
#include "import/onnx_reader.h"
#include <stdio.h>
#include <string.h>

/* Field numbers. */
enum {
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE = 13,
    GRAPH_QUANTIZATION = 14,
    GRAPH_SPARSE = 15
};
enum { TENSOR_NAME = 8 };
enum { INFO_NAME = 1, INFO_TYPE = 2 };
enum { TYPE_TENSOR = 1, TYPE_DENOTATION = 6 };
enum { TENSOR_TYPE_ELEMENT = 1, TENSOR_TYPE_SHAPE = 2 };
enum { DIM_VALUE = 1 };

static ncl_status read_tensor_name(void *user, const struct ncl_wire *wire,
                                   const struct ncl_wire_field *field)
{
    return field->number == TENSOR_NAME ? ncl_wire_text(wire, field, user) : NCL_OK;
}

static ncl_status read_initializer(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct ncl_span name = {NULL, 0};
    char where[160];
    int index = 0;
    ncl_status status = ncl_wire_walk(wire, read_tensor_name, &name);

    if (status == NCL_OK && name.bytes == 0) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "an initializer has no name");
    }
    if (status == NCL_OK) {
        status = ncl_onnx_define(reader, name, NCL_ONNX_CONSTANT, &index);
    }
    if (status != NCL_OK) {
        return status;
    }
    snprintf(where, sizeof(where), "initializer '%.*s'", NCL_SPAN_SHOWN(name));
    status = ncl_onnx_tensor(reader, wire, where, &reader->graph->values[index]);
    reader->values[index].dtype = reader->graph->values[index].dtype;
    return status;
}

/* A ValueInfoProto on its way into the graph. */
struct info {
    struct ncl_span name;
    struct ncl_wire type;
    bool has_tensor, has_shape;
    int64_t element;
    int rank;
    int64_t dims[NCL_MAX_RANK];
    int64_t dim;
    bool has_dim;
};

static ncl_status read_info(void *user, const struct ncl_wire *wire,
                            const struct ncl_wire_field *field)
{
    struct info *info = user;

    switch (field->number) {
    case INFO_NAME:
        return ncl_wire_text(wire, field, &info->name);
    case INFO_TYPE:
        return ncl_wire_enter(wire, field, "TypeProto", &info->type);
    default:
        return NCL_OK;
    }
}

static ncl_status read_dim(void *user, const struct ncl_wire *wire,
                           const struct ncl_wire_field *field)
{
    struct info *info = user;

    if (field->number != DIM_VALUE) {
        return NCL_OK; /* dim_param: free */
    }
    info->has_dim = true;
    return ncl_wire_int(wire, field, &info->dim);
}

static ncl_status read_shape(void *user, const struct ncl_wire *wire,
                             const struct ncl_wire_field *field)
{
    struct info *info = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number != 1) {
        return NCL_OK;
    }
    info->has_dim = false;
    status = ncl_wire_enter(wire, field, "Dimension", &inner);
    if (status == NCL_OK) {
        status = ncl_wire_walk(&inner, read_dim, info);
    }
    if (status != NCL_OK) {
        return status;
    }
    if (info->has_dim && (info->dim < 1 || info->dim > INT32_MAX)) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT,
                        "input '%.*s': dim %d: expected 1 to %d or a free one, found %lld",
                        NCL_SPAN_SHOWN(info->name), info->rank, INT32_MAX, (long long)info->dim);
    }
    if (info->rank == NCL_MAX_RANK) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT, "input '%.*s': expected at most %d dims",
                        NCL_SPAN_SHOWN(info->name), NCL_MAX_RANK);
    }
    info->dims[info->rank++] = info->has_dim ? info->dim : -1;
    return NCL_OK;
}

static ncl_status read_tensor_type(void *user, const struct ncl_wire *wire,
                                   const struct ncl_wire_field *field)
{
    struct info *info = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number == TENSOR_TYPE_ELEMENT) {
        return ncl_wire_int(wire, field, &info->element);
    }
    if (field->number != TENSOR_TYPE_SHAPE) {
        return NCL_OK;
    }
    info->has_shape = true;
    info->rank = 0;
    status = ncl_wire_enter(wire, field, "TensorShapeProto", &inner);
    return status == NCL_OK ? ncl_wire_walk(&inner, read_shape, info) : status;
}

static ncl_status read_type(void *user, const struct ncl_wire *wire,
                            const struct ncl_wire_field *field)
{
    struct info *info = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number != TYPE_TENSOR) {
        return field->number == TYPE_DENOTATION
                   ? NCL_OK
                   : ncl_fail(wire->log, NCL_ERROR_INPUT,
                              "input '%.*s': expected a dense tensor, found another type",
                              NCL_SPAN_SHOWN(info->name));
    }
    info->has_tensor = true;
    status = ncl_wire_enter(wire, field, "TypeProto.Tensor", &inner);
    return status == NCL_OK ? ncl_wire_walk(&inner, read_tensor_type, info) : status;
}

static ncl_status check_input(const struct ncl_onnx_reader *reader, const struct info *info)
{
    if (!info->has_tensor || !info->has_shape) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "input '%.*s': expected a tensor of known rank, found no shape",
                        NCL_SPAN_SHOWN(info->name));
    }
    if (ncl_onnx_dtype(info->element) != NCL_DTYPE_F32) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "input '%.*s': expected FLOAT, found %s",
                        NCL_SPAN_SHOWN(info->name), ncl_onnx_type_name(info->element));
    }
    return NCL_OK;
}

/* ONNX does not say which layout an image has. Keras's nets have channels last: 3 or 1, where
 * channels first would have neither. */
static bool has_channels_last(const struct info *info)
{
    const int64_t *dims = info->dims;

    return info->rank == 4 && (dims[3] == 3 || dims[3] == 1) && dims[1] != 3 && dims[1] != 1 &&
           dims[2] != dims[3];
}

static ncl_status read_input(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct info info = {0};
    struct ncl_value *value = NULL;
    int index = 0;
    ncl_status status = NCL_OK;

    info.type = *wire;
    info.type.span.bytes = 0;
    status = ncl_wire_walk(wire, read_info, &info);
    if (status == NCL_OK && info.name.bytes == 0) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "an input of the graph has no name");
    }
    if (status == NCL_OK) {
        status = ncl_onnx_value(reader, info.name, &index);
    }
    /* IR versions before 4 list initializers as inputs, too. */
    if (status != NCL_OK || reader->values[index].origin == NCL_ONNX_CONSTANT) {
        return status;
    }
    status = ncl_onnx_define(reader, info.name, NCL_ONNX_INPUT, &index);
    if (status == NCL_OK) {
        status = ncl_wire_walk(&info.type, read_type, &info);
    }
    if (status == NCL_OK) {
        status = check_input(reader, &info);
    }
    if (status != NCL_OK) {
        return status;
    }
    reader->values[index].dtype = NCL_DTYPE_F32;
    value = &reader->graph->values[index];
    value->dtype = NCL_DTYPE_F32;
    value->rank = info.rank;
    memcpy(value->dims, info.dims, sizeof(info.dims));
    if (has_channels_last(&info)) {
        reader->graph->layout = NCL_NHWC;
    }
    return ncl_graph_add_input(reader->graph, index);
}

static ncl_status read_element(void *user, const struct ncl_wire *wire,
                               const struct ncl_wire_field *field)
{
    struct info *info = user;

    return field->number == TENSOR_TYPE_ELEMENT ? ncl_wire_int(wire, field, &info->element)
                                                : NCL_OK;
}

static ncl_status read_element_type(void *user, const struct ncl_wire *wire,
                                    const struct ncl_wire_field *field)
{
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number != TYPE_TENSOR) {
        return NCL_OK;
    }
    status = ncl_wire_enter(wire, field, "TypeProto.Tensor", &inner);
    return status == NCL_OK ? ncl_wire_walk(&inner, read_element, user) : status;
}

/* What nodes compute is known by now. Shapes are not compared: nets whose inputs somebody resized
 * keep the old ones here, and are right. */
static ncl_status check_declared(const struct ncl_onnx_reader *reader, int index, struct info *info)
{
    const enum ncl_dtype found = reader->values[index].dtype;
    const ncl_status status = ncl_wire_walk(&info->type, read_element_type, info);

    if (status != NCL_OK || info->element == 0 || found == NCL_DTYPE_UNKNOWN ||
        ncl_onnx_dtype(info->element) == found) {
        return status;
    }
    return ncl_fail(reader->log, NCL_ERROR_INPUT, "value '%.*s' is declared %s, expected %s",
                    NCL_SPAN_SHOWN(info->name), ncl_onnx_type_name(info->element),
                    ncl_dtype_name(found));
}

/* Types of values between nodes, which files may declare or not. */
static ncl_status read_value(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct info info = {0};
    int index = 0;
    ncl_status status = NCL_OK;

    info.type = *wire;
    info.type.span.bytes = 0;
    status = ncl_wire_walk(wire, read_info, &info);
    if (status != NCL_OK || info.name.bytes == 0) {
        return status;
    }
    status = ncl_onnx_value(reader, info.name, &index);
    return status == NCL_OK ? check_declared(reader, index, &info) : status;
}

static ncl_status read_output(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct info info = {0};
    int index = 0;
    ncl_status status = NCL_OK;

    info.type = *wire;
    info.type.span.bytes = 0;
    status = ncl_wire_walk(wire, read_info, &info);
    if (status == NCL_OK && info.name.bytes == 0) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "an output of the graph has no name");
    }
    if (status == NCL_OK) {
        status = ncl_onnx_value(reader, info.name, &index);
    }
    if (status != NCL_OK) {
        return status;
    }
    if (reader->values[index].output) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "output '%.*s' is listed twice",
                        NCL_SPAN_SHOWN(info.name));
    }
    reader->values[index].used = true;
    reader->values[index].output = true;
    status = check_declared(reader, index, &info);
    if (status != NCL_OK) {
        return status;
    }
    return ncl_graph_add_output(reader->graph, index);
}

struct part {
    uint32_t number;
    const char *message;
    ncl_status (*read)(struct ncl_onnx_reader *reader, const struct ncl_wire *wire);
};

struct pass {
    struct ncl_onnx_reader *reader;
    const struct part *part;
};

static ncl_status read_part(void *user, const struct ncl_wire *wire,
                            const struct ncl_wire_field *field)
{
    const struct pass *pass = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number == GRAPH_SPARSE || field->number == GRAPH_QUANTIZATION) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT, "%s tensors are not supported",
                        field->number == GRAPH_SPARSE ? "sparse" : "quantised");
    }
    if (field->number != pass->part->number) {
        return NCL_OK;
    }
    status = ncl_wire_enter(wire, field, pass->part->message, &inner);
    return status == NCL_OK ? pass->part->read(pass->reader, &inner) : status;
}

ncl_status ncl_onnx_graph(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    static const struct part parts[] = {{GRAPH_INITIALIZER, "TensorProto", read_initializer},
                                        {GRAPH_INPUT, "ValueInfoProto", read_input},
                                        {GRAPH_NODE, "NodeProto", ncl_onnx_node},
                                        {GRAPH_VALUE, "ValueInfoProto", read_value},
                                        {GRAPH_OUTPUT, "ValueInfoProto", read_output}};
    const struct ncl_graph *graph = reader->graph;
    ncl_status status = NCL_OK;

    for (size_t i = 0; status == NCL_OK && i < sizeof(parts) / sizeof(*parts); i++) {
        struct pass pass = {reader, &parts[i]};
        status = ncl_wire_walk(wire, read_part, &pass);
    }
    if (status == NCL_OK) {
        status = ncl_onnx_check_dropped(reader);
    }
    if (status == NCL_OK && (graph->input_count == 0 || graph->output_count == 0)) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "expected inputs and outputs, found a graph of %d and %d",
                        graph->input_count, graph->output_count);
    }
    return status == NCL_OK ? ncl_graph_finish(reader->graph) : status;
}

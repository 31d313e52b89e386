/* NodeProto: one node of the file to none, one or two of the graph. */
#include "import/onnx_node.h"
#include <stdio.h>
#include <string.h>

/* Field numbers of NodeProto. */
enum {
    FIELD_INPUT = 1,
    FIELD_OUTPUT = 2,
    FIELD_NAME = 3,
    FIELD_OP_TYPE = 4,
    FIELD_ATTRIBUTE = 5,
    FIELD_DOMAIN = 7
};

ncl_status ncl_onnx_node_fail(const struct ncl_onnx_reading *r, const char *expected,
                              const char *found)
{
    return ncl_fail(r->reader->log, NCL_ERROR_INPUT, "%s: expected %s, found %s", r->where,
                    expected, found);
}

/* First pass: names and counts. */
static ncl_status survey(void *user, const struct ncl_wire *wire,
                         const struct ncl_wire_field *field)
{
    struct ncl_onnx_reading *r = user;
    struct ncl_span text = {NULL, 0};
    ncl_status status = NCL_OK;

    if (field->number > FIELD_DOMAIN || field->number == FIELD_ATTRIBUTE || field->number == 6) {
        return NCL_OK;
    }
    if (r->listed == INT32_MAX) {
        return ncl_wire_fail(wire, field->at, "too many inputs");
    }
    status = ncl_wire_text(wire, field, &text);
    switch (field->number) {
    case FIELD_INPUT:
        r->listed++;
        r->inputs = text.bytes > 0 ? r->listed : r->inputs;
        break;
    case FIELD_OUTPUT:
        r->outputs += text.bytes > 0 ? 1 : 0;
        r->output = r->output.data == NULL ? text : r->output;
        break;
    case FIELD_NAME:
        r->name = text;
        break;
    case FIELD_OP_TYPE:
        r->op_type = text;
        break;
    default:
        r->domain = text;
        break;
    }
    return status;
}

bool ncl_onnx_is_default_domain(struct ncl_span domain)
{
    return domain.bytes == 0 || (domain.bytes == 7 && memcmp(domain.data, "ai.onnx", 7) == 0);
}

/* Of a Split. Sizes are summed up for each part: time grows with the square. */
#define MAX_PARTS 1024

static ncl_status check_counts(const struct ncl_onnx_reading *r)
{
    char expected[64];
    char found[32];
    const bool split = r->op->form == NCL_ONNX_SPLIT;
    const int most = split ? r->outputs : r->op->second_output ? 2 : 1;

    if (r->inputs < r->op->min_inputs || r->inputs > r->op->max_inputs) {
        snprintf(expected, sizeof(expected), "%d to %d inputs", r->op->min_inputs,
                 r->op->max_inputs);
        snprintf(found, sizeof(found), "%d", r->inputs);
        return ncl_onnx_node_fail(r, expected, found);
    }
    if (r->outputs == 0 || (r->output.bytes == 0 && !split) || r->outputs > most) {
        snprintf(expected, sizeof(expected), "a first output%s",
                 most == 1 ? " and no other (they are for training)" : "");
        snprintf(found, sizeof(found), "%d outputs", r->outputs);
        return ncl_onnx_node_fail(r, expected, r->output.bytes == 0 ? "none" : found);
    }
    return NCL_OK;
}

static ncl_status find_op(struct ncl_onnx_reading *r)
{
    const struct ncl_span name = r->name.bytes > 0 ? r->name : r->output;

    snprintf(r->where, sizeof(r->where), "node '%.*s' (%.*s)", NCL_SPAN_SHOWN(name),
             NCL_SPAN_SHOWN(r->op_type));
    if (ncl_onnx_is_default_domain(r->domain)) {
        r->op = ncl_onnx_find_op(r->op_type, r->reader->opset);
    }
    if (r->op == NULL) {
        return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                        "%s: the operator, of domain '%.*s' and operator set %lld, is not "
                        "supported",
                        r->where, NCL_SPAN_SHOWN(r->domain), (long long)r->reader->opset);
    }
    return check_counts(r);
}

ncl_status ncl_onnx_add_node(const struct ncl_onnx_reading *r, enum ncl_op op, int inputs,
                             int *index)
{
    const struct ncl_span name = r->name.bytes > 0 ? r->name : r->output;

    return ncl_graph_add_node(r->reader->graph, op, (const char *)name.data, name.bytes, inputs, 1,
                              index);
}

static ncl_status check_type(struct ncl_onnx_reading *r, int position, enum ncl_dtype dtype)
{
    const size_t last = strlen(r->op->types) - 1;
    const char want = r->op->types[(size_t)position < last ? (size_t)position : last];
    const bool whole = dtype == NCL_DTYPE_I64 || dtype == NCL_DTYPE_I32;
    const char *expected = NULL;
    char what[64];

    if (dtype == NCL_DTYPE_UNKNOWN) {
        return NCL_OK;
    }
    if (want == 'x' && dtype != NCL_DTYPE_F32) {
        expected = ncl_dtype_name(NCL_DTYPE_F32);
    }
    if (want == 'i' && !whole) {
        expected = ncl_dtype_name(NCL_DTYPE_I64);
    }
    if (want == 't' && r->alike != NCL_DTYPE_UNKNOWN && dtype != r->alike) {
        expected = ncl_dtype_name(r->alike);
    }
    if (want == 't') {
        r->alike = dtype;
    }
    if (expected == NULL) {
        return NCL_OK;
    }
    snprintf(what, sizeof(what), "input %d of %s", position, expected);
    return ncl_onnx_node_fail(r, what, ncl_dtype_name(dtype));
}

static ncl_status connect_input(struct ncl_onnx_reading *r, struct ncl_span name)
{
    const int position = r->listed++;
    struct ncl_onnx_reader *reader = r->reader;
    int value = NCL_NO_VALUE;
    ncl_status status = NCL_OK;

    if (name.bytes == 0 && position < r->op->min_inputs) {
        return ncl_onnx_node_fail(r, "all required inputs", "one left out");
    }
    if (name.bytes == 0 || r->node < 0) {
        return NCL_OK;
    }
    status = ncl_onnx_value(reader, name, &value);
    if (status != NCL_OK) {
        return status;
    }
    reader->values[value].used = true;
    reader->graph->nodes[r->node].inputs[position] = value;
    return check_type(r, position, reader->values[value].dtype);
}

/* The next part of a Split: the node itself or one more, completed by make_split(). */
static ncl_status connect_part(struct ncl_onnx_reading *r, struct ncl_span name)
{
    struct ncl_onnx_reader *reader = r->reader;
    int value = NCL_NO_VALUE;
    int node = r->node;
    ncl_status status = name.bytes > 0 ? ncl_onnx_define(reader, name, NCL_ONNX_NODE, &value)
                                       : ncl_onnx_new_value(reader, r->output, &value);

    if (status != NCL_OK) {
        return ncl_fail_within(status, "%s", r->where);
    }
    if (r->parts == MAX_PARTS) {
        return ncl_onnx_node_fail(r, "at most 1024 outputs", "more");
    }
    if (r->parts++ > 0) {
        status = ncl_onnx_add_node(r, NCL_OP_SPLIT, r->inputs, &node);
    }
    if (status == NCL_OK) {
        reader->graph->nodes[node].outputs[0] = value;
    }
    return status;
}

static ncl_status connect_output(struct ncl_onnx_reading *r, struct ncl_span name)
{
    enum ncl_onnx_origin origin = NCL_ONNX_DROPPED;
    bool first = name.data == r->output.data;
    int value = NCL_NO_VALUE;
    ncl_status status = NCL_OK;

    if (r->op->form == NCL_ONNX_SPLIT) {
        return connect_part(r, name);
    }
    if (name.bytes == 0) {
        return NCL_OK;
    }
    if (first) {
        origin = r->node < 0 ? NCL_ONNX_CONSTANT : NCL_ONNX_NODE;
    }
    status = ncl_onnx_define(r->reader, name, origin, &value);
    if (status != NCL_OK) {
        return ncl_fail_within(status, "%s", r->where);
    }
    if (first && r->node >= 0) {
        r->reader->graph->nodes[r->node].outputs[0] = value;
    }
    if (first && r->node < 0) {
        const struct ncl_value *constant = r->target.constant;
        struct ncl_value *kept = &r->reader->graph->values[value];
        const char *own = kept->name;
        *kept = *constant;
        kept->name = own;
        r->reader->values[value].dtype = constant->dtype;
    }
    return NCL_OK;
}

/* Second pass. Attributes come after inputs and outputs in no particular order: a Constant's are
 * read first, by a pass of their own. */
static ncl_status connect(void *user, const struct ncl_wire *wire,
                          const struct ncl_wire_field *field)
{
    struct ncl_onnx_reading *r = user;

    (void)wire;
    if (field->number == FIELD_INPUT && r->listed < r->inputs) {
        return connect_input(r, field->span);
    }
    return field->number == FIELD_OUTPUT ? connect_output(r, field->span) : NCL_OK;
}

static ncl_status read_attribute(void *user, const struct ncl_wire *wire,
                                 const struct ncl_wire_field *field)
{
    struct ncl_onnx_reading *r = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number != FIELD_ATTRIBUTE) {
        return NCL_OK;
    }
    status = ncl_wire_enter(wire, field, "AttributeProto", &inner);
    return status == NCL_OK ? ncl_onnx_attribute(&r->target, &inner) : status;
}

static ncl_status read_attributes(struct ncl_onnx_reading *r, const struct ncl_wire *wire,
                                  struct ncl_node *node, struct ncl_value *constant)
{
    ncl_status status = NCL_OK;

    r->target = (struct ncl_onnx_attribute_target){.reader = r->reader,
                                                   .rows = r->op->attributes,
                                                   .where = r->where,
                                                   .node = node,
                                                   .constant = constant};
    if (r->op->defaults != NULL) {
        r->op->defaults(node);
    }
    status = ncl_wire_walk(wire, read_attribute, r);
    if (status == NCL_OK && (r->op->required & ~r->target.seen) != 0) {
        const uint32_t missing = r->op->required & ~r->target.seen;
        return ncl_onnx_node_fail(r, "its attribute",
                                  (missing & 1) != 0 ? r->op->attributes[0].name
                                                     : r->op->attributes[1].name);
    }
    return status;
}

static ncl_status read_constant(struct ncl_onnx_reading *r, const struct ncl_wire *wire)
{
    struct ncl_node unused = {0};
    struct ncl_value constant = {0};
    ncl_status status = read_attributes(r, wire, &unused, &constant);

    if (status == NCL_OK && constant.data == NULL) {
        return ncl_onnx_node_fail(r, "one value attribute", "none");
    }
    if (status == NCL_OK && (r->target.seen & (r->target.seen - 1)) != 0) {
        return ncl_onnx_node_fail(r, "one value attribute", "several");
    }
    r->node = -1;
    r->listed = 0;
    return status == NCL_OK ? ncl_wire_walk(wire, connect, r) : status;
}

ncl_status ncl_onnx_node(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct ncl_onnx_reading r = {.reader = reader};
    ncl_status status = ncl_wire_walk(wire, survey, &r);

    if (status == NCL_OK) {
        status = find_op(&r);
    }
    if (status != NCL_OK) {
        return status;
    }
    if (r.op->form == NCL_ONNX_CONSTANT_VALUE) {
        return read_constant(&r, wire);
    }
    status = ncl_onnx_add_node(&r, r.op->op, r.inputs, &r.node);
    if (status == NCL_OK) {
        status = read_attributes(&r, wire, &reader->graph->nodes[r.node], &r.sizes);
    }
    r.listed = 0;
    if (status == NCL_OK) {
        status = ncl_wire_walk(wire, connect, &r);
    }
    return status == NCL_OK ? ncl_onnx_apply_form(&r) : status;
}

/* NodeProto: one node of the file to none, one or two of the graph. */
#include "import/onnx_ops.h"
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

#define WHERE_BYTES 256

struct reading {
    struct ncl_onnx_reader *reader;
    struct ncl_span name, op_type, domain, output;
    int inputs;  /* up to the last that isn't left out */
    int outputs; /* likewise */
    int listed;  /* inputs and outputs met, also those left out */
    char where[WHERE_BYTES];
    const struct ncl_onnx_op *op;
    int node; /* of the graph; -1: a constant */
    enum ncl_dtype alike;
    struct ncl_onnx_attribute_target target;
};

static ncl_status fail(const struct reading *r, const char *expected, const char *found)
{
    return ncl_fail(r->reader->log, NCL_ERROR_INPUT, "%s: expected %s, found %s", r->where,
                    expected, found);
}

/* First pass: names and counts. */
static ncl_status survey(void *user, const struct ncl_wire *wire,
                         const struct ncl_wire_field *field)
{
    struct reading *r = user;
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

static ncl_status check_counts(const struct reading *r)
{
    char expected[64];
    char found[32];
    const int most = r->op->second_output ? 2 : 1;

    if (r->inputs < r->op->min_inputs || r->inputs > r->op->max_inputs) {
        snprintf(expected, sizeof(expected), "%d to %d inputs", r->op->min_inputs,
                 r->op->max_inputs);
        snprintf(found, sizeof(found), "%d", r->inputs);
        return fail(r, expected, found);
    }
    if (r->output.bytes == 0 || r->outputs > most) {
        snprintf(expected, sizeof(expected), "a first output%s",
                 most == 2 ? "" : " and no other (they are for training)");
        snprintf(found, sizeof(found), "%d outputs", r->outputs);
        return fail(r, expected, r->output.bytes == 0 ? "none" : found);
    }
    return NCL_OK;
}

static ncl_status find_op(struct reading *r)
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

/* A node of the graph by this one's name. */
static ncl_status add_node(const struct reading *r, enum ncl_op op, int inputs, int *index)
{
    const struct ncl_span name = r->name.bytes > 0 ? r->name : r->output;

    return ncl_graph_add_node(r->reader->graph, op, (const char *)name.data, name.bytes, inputs, 1,
                              index);
}

static ncl_status check_type(struct reading *r, int position, enum ncl_dtype dtype)
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
    return fail(r, what, ncl_dtype_name(dtype));
}

static ncl_status connect_input(struct reading *r, struct ncl_span name)
{
    const int position = r->listed++;
    struct ncl_onnx_reader *reader = r->reader;
    int value = NCL_NO_VALUE;
    ncl_status status = NCL_OK;

    if (name.bytes == 0 && position < r->op->min_inputs) {
        return fail(r, "all required inputs", "one left out");
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

static ncl_status connect_output(struct reading *r, struct ncl_span name)
{
    enum ncl_onnx_origin origin = NCL_ONNX_DROPPED;
    bool first = name.data == r->output.data;
    int value = NCL_NO_VALUE;
    ncl_status status = NCL_OK;

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
    struct reading *r = user;

    (void)wire;
    if (field->number == FIELD_INPUT && r->listed < r->inputs) {
        return connect_input(r, field->span);
    }
    return field->number == FIELD_OUTPUT ? connect_output(r, field->span) : NCL_OK;
}

static ncl_status read_attribute(void *user, const struct ncl_wire *wire,
                                 const struct ncl_wire_field *field)
{
    struct reading *r = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    if (field->number != FIELD_ATTRIBUTE) {
        return NCL_OK;
    }
    status = ncl_wire_enter(wire, field, "AttributeProto", &inner);
    return status == NCL_OK ? ncl_onnx_attribute(&r->target, &inner) : status;
}

static ncl_status read_attributes(struct reading *r, const struct ncl_wire *wire,
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
        return fail(r, "its attribute",
                    (missing & 1) != 0 ? r->op->attributes[0].name : r->op->attributes[1].name);
    }
    return status;
}

static ncl_status read_constant(struct reading *r, const struct ncl_wire *wire)
{
    struct ncl_node unused = {0};
    struct ncl_value constant = {0};
    ncl_status status = read_attributes(r, wire, &unused, &constant);

    if (status == NCL_OK && constant.data == NULL) {
        return fail(r, "one value attribute", "none");
    }
    if (status == NCL_OK && (r->target.seen & (r->target.seen - 1)) != 0) {
        return fail(r, "one value attribute", "several");
    }
    r->node = -1;
    r->listed = 0;
    return status == NCL_OK ? ncl_wire_walk(wire, connect, r) : status;
}

/* ---- what a row's form changes ---- */

/* A node between the given one and its output: the output is now `after`'s, whose input 0 is new.
 */
static ncl_status append(struct reading *r, enum ncl_op op, int inputs, enum ncl_dtype dtype,
                         int *after)
{
    struct ncl_graph *graph = r->reader->graph;
    const int output = graph->nodes[r->node].outputs[0];
    int between = 0;
    ncl_status status = ncl_onnx_new_value(r->reader, r->output, &between);

    if (status == NCL_OK) {
        status = add_node(r, op, inputs, after);
    }
    if (status != NCL_OK) {
        return status;
    }
    r->reader->values[between].dtype = dtype;
    graph->nodes[r->node].outputs[0] = between;
    graph->nodes[*after].inputs[0] = between;
    graph->nodes[*after].outputs[0] = output;
    return NCL_OK;
}

static ncl_status make_shape(struct reading *r)
{
    struct ncl_graph *graph = r->reader->graph;
    struct ncl_axes starts = graph->nodes[r->node].as.axes.starts;
    struct ncl_axes ends = graph->nodes[r->node].as.axes.ends;
    int slice = 0;
    ncl_status status = NCL_OK;

    if (!ends.given && (!starts.given || starts.values[0] == 0)) {
        return NCL_OK;
    }
    status = append(r, NCL_OP_SLICE, 1, NCL_DTYPE_I64, &slice);
    if (status != NCL_OK) {
        return status;
    }
    starts.given = true;
    starts.count = 1;
    if (!ends.given) {
        ends = (struct ncl_axes){.given = true, .count = 1, .values = {INT64_MAX}};
    }
    memset(&graph->nodes[r->node].as, 0, sizeof(graph->nodes[r->node].as));
    graph->nodes[slice].as.axes.starts = starts;
    graph->nodes[slice].as.axes.ends = ends;
    return NCL_OK;
}

/* x broadcast to a shape is x times as many ones: this node makes the ones. */
static ncl_status make_expand(struct reading *r, enum ncl_dtype dtype)
{
    struct ncl_graph *graph = r->reader->graph;
    const int x = graph->nodes[r->node].inputs[0];
    int product = 0;
    ncl_status status = NCL_OK;

    if (dtype == NCL_DTYPE_UNKNOWN || dtype == NCL_DTYPE_BOOL) {
        return fail(r, "numbers of known type to expand", ncl_dtype_name(dtype));
    }
    status = append(r, NCL_OP_MUL, 2, dtype, &product);
    if (status != NCL_OK) {
        return status;
    }
    graph->nodes[product].inputs[1] = x;
    graph->nodes[r->node].op = NCL_OP_CONSTANT_OF_SHAPE;
    graph->nodes[r->node].inputs[0] = graph->nodes[r->node].inputs[1];
    graph->nodes[r->node].input_count = 1;
    graph->nodes[r->node].as.constant_of_shape.value = 1.0F;
    graph->nodes[r->node].as.constant_of_shape.dtype = dtype;
    return NCL_OK;
}

static ncl_status make_dropout(struct reading *r)
{
    struct ncl_node *node = &r->reader->graph->nodes[r->node];
    const int mode = node->input_count > 2 ? node->inputs[2] : NCL_NO_VALUE;

    node->input_count = 1;
    if (mode != NCL_NO_VALUE) {
        const struct ncl_value *value = &r->reader->graph->values[mode];
        if (!ncl_value_is_constant(value) || ncl_value_elements(value) != 1 ||
            ncl_value_element(value, 0) != 0) {
            return fail(r, "training_mode to be the constant false", "something else");
        }
    }
    return NCL_OK;
}

static ncl_status make_cast(struct reading *r)
{
    struct ncl_node *node = &r->reader->graph->nodes[r->node];

    node->as.cast.to = r->reader->values[node->inputs[1]].dtype;
    node->input_count = 1;
    return node->as.cast.to != NCL_DTYPE_UNKNOWN
               ? NCL_OK
               : fail(r, "a second input of known element type", "none");
}

static ncl_status apply_form(struct reading *r)
{
    const struct ncl_node *node = &r->reader->graph->nodes[r->node];
    const int output = node->outputs[0];
    enum ncl_dtype dtype = r->reader->values[node->inputs[0]].dtype;
    ncl_status status = NCL_OK;

    switch (r->op->form) {
    case NCL_ONNX_SHAPE:
        dtype = NCL_DTYPE_I64;
        status = make_shape(r);
        break;
    case NCL_ONNX_EXPAND:
        status = make_expand(r, dtype);
        break;
    case NCL_ONNX_DROPOUT:
        status = make_dropout(r);
        break;
    case NCL_ONNX_CAST_LIKE:
        status = make_cast(r);
        dtype = node->as.cast.to;
        break;
    case NCL_ONNX_CONSTANT_FILL:
        dtype = node->as.constant_of_shape.dtype;
        break;
    default:
        dtype = node->op == NCL_OP_CAST ? node->as.cast.to : dtype;
        break;
    }
    r->reader->values[output].dtype = dtype;
    return status;
}

ncl_status ncl_onnx_node(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct reading r = {.reader = reader};
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
    status = add_node(&r, r.op->op, r.inputs, &r.node);
    if (status == NCL_OK) {
        status = read_attributes(&r, wire, &reader->graph->nodes[r.node], NULL);
    }
    r.listed = 0;
    if (status == NCL_OK) {
        status = ncl_wire_walk(wire, connect, &r);
    }
    return status == NCL_OK ? apply_form(&r) : status;
}

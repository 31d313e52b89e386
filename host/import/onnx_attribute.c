#include "import/onnx_attribute.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_INTS (2 * (size_t)NCL_MAX_AXES)

/* Field numbers of AttributeProto. */
enum {
    FIELD_NAME = 1,
    FIELD_FLOAT = 2,
    FIELD_INT = 3,
    FIELD_STRING = 4,
    FIELD_TENSOR = 5,
    FIELD_GRAPH = 6,
    FIELD_FLOATS = 7,
    FIELD_INTS = 8,
    FIELD_STRINGS = 9,
    FIELD_TENSORS = 10,
    FIELD_GRAPHS = 11,
    FIELD_TYPE_PROTO = 14,
    FIELD_TYPE_PROTOS = 15,
    FIELD_TYPE = 20,
    FIELD_REFERENCE = 21,
    FIELD_SPARSE = 22,
    FIELD_SPARSES = 23
};

static const char *const type_names[NCL_ONNX_ATTR_COUNT] = {
    "an undefined type", "a float", "an int", "a string",
    "a tensor",          "a graph", "floats", "ints",
    "strings",           "tensors", "graphs", "a sparse tensor",
    "sparse tensors",    "a type",  "types"};

/* One attribute as read; its lists are read again when their size is known. */
struct attribute {
    const struct ncl_wire *wire;
    struct ncl_span name;
    int64_t type;   /* as declared, then as found */
    uint32_t kinds; /* 1 << type, of the fields that are there */
    float f;
    int64_t i;
    struct ncl_span s;
    struct ncl_wire tensor;
    size_t float_count, int_count;
    int64_t ints[MAX_INTS];
    bool reference;
    unsigned char *next; /* of a Constant's list */
};

static enum ncl_onnx_attribute_type kind_of(uint32_t field)
{
    static const unsigned char kinds[] = {
        [FIELD_FLOAT] = NCL_ONNX_ATTR_FLOAT,
        [FIELD_INT] = NCL_ONNX_ATTR_INT,
        [FIELD_STRING] = NCL_ONNX_ATTR_STRING,
        [FIELD_TENSOR] = NCL_ONNX_ATTR_TENSOR,
        [FIELD_GRAPH] = NCL_ONNX_ATTR_GRAPH,
        [FIELD_FLOATS] = NCL_ONNX_ATTR_FLOATS,
        [FIELD_INTS] = NCL_ONNX_ATTR_INTS,
        [FIELD_STRINGS] = NCL_ONNX_ATTR_STRINGS,
        [FIELD_TENSORS] = NCL_ONNX_ATTR_TENSORS,
        [FIELD_GRAPHS] = NCL_ONNX_ATTR_GRAPHS,
        [FIELD_TYPE_PROTO] = NCL_ONNX_ATTR_TYPE_PROTO,
        [FIELD_TYPE_PROTOS] = NCL_ONNX_ATTR_TYPE_PROTOS,
        [FIELD_SPARSE] = NCL_ONNX_ATTR_SPARSE_TENSOR,
        [FIELD_SPARSES] = NCL_ONNX_ATTR_SPARSE_TENSORS,
    };

    return field < sizeof(kinds) ? (enum ncl_onnx_attribute_type)kinds[field]
                                 : NCL_ONNX_ATTR_UNDEFINED;
}

static ncl_status read_ints(struct attribute *a, const struct ncl_wire *wire,
                            const struct ncl_wire_field *field)
{
    struct ncl_wire_numbers numbers;
    ncl_status status = ncl_wire_numbers(wire, field, PB_WT_VARINT, &numbers);
    uint64_t value = 0;
    bool more = true;

    while (status == NCL_OK) {
        status = ncl_wire_next_number(&numbers, &value, &more);
        if (status != NCL_OK || !more) {
            break;
        }
        if (a->int_count < MAX_INTS) {
            a->ints[a->int_count] = (int64_t)value;
        }
        a->int_count++;
    }
    return status;
}

static ncl_status read_field(void *user, const struct ncl_wire *wire,
                             const struct ncl_wire_field *field)
{
    struct attribute *a = user;
    const enum ncl_onnx_attribute_type kind = kind_of(field->number);
    struct ncl_span ignored;

    if (kind != NCL_ONNX_ATTR_UNDEFINED) {
        a->kinds |= 1U << kind;
    }
    switch (field->number) {
    case FIELD_NAME:
        return ncl_wire_text(wire, field, &a->name);
    case FIELD_TYPE:
        return ncl_wire_int(wire, field, &a->type);
    case FIELD_REFERENCE:
        a->reference = true;
        return ncl_wire_text(wire, field, &ignored);
    case FIELD_FLOAT:
        return ncl_wire_float(wire, field, &a->f);
    case FIELD_INT:
        return ncl_wire_int(wire, field, &a->i);
    case FIELD_STRING:
        return ncl_wire_bytes(wire, field, &a->s);
    case FIELD_TENSOR:
        return ncl_wire_enter(wire, field, "TensorProto", &a->tensor);
    case FIELD_FLOATS:
        return ncl_wire_count(wire, field, PB_WT_32BIT, &a->float_count);
    case FIELD_INTS:
        return read_ints(a, wire, field);
    default:
        return NCL_OK;
    }
}

static ncl_status fail(const struct ncl_onnx_attribute_target *target, const struct attribute *a,
                       const char *expected, const char *found)
{
    return ncl_fail(target->reader->log, NCL_ERROR_INPUT,
                    "%s: attribute '%.*s': expected %s, found %s", target->where,
                    NCL_SPAN_SHOWN(a->name), expected, found);
}

/* Settles a->type: declared and held must agree; an old file may not declare it, and a writer that
 * leaves out zeros may not hold it. */
static ncl_status settle_type(const struct ncl_onnx_attribute_target *target, struct attribute *a)
{
    enum ncl_onnx_attribute_type held = NCL_ONNX_ATTR_UNDEFINED;

    for (unsigned kind = 1; kind < NCL_ONNX_ATTR_COUNT; kind++) {
        if ((a->kinds & 1U << kind) != 0) {
            held = (enum ncl_onnx_attribute_type)kind;
        }
    }
    if (a->type < 0 || a->type >= NCL_ONNX_ATTR_COUNT) {
        return fail(target, a, "a known type", "another");
    }
    if ((a->kinds & (a->kinds - 1)) != 0) {
        return fail(target, a, "one value", "values of several types");
    }
    if (a->type == NCL_ONNX_ATTR_UNDEFINED) {
        a->type = held;
    }
    if (a->type == NCL_ONNX_ATTR_UNDEFINED || a->reference) {
        return fail(target, a, "a value", a->reference ? "a reference to a function's" : "none");
    }
    if (held != NCL_ONNX_ATTR_UNDEFINED && (int64_t)held != a->type) {
        return fail(target, a, type_names[a->type], type_names[held]);
    }
    return NCL_OK;
}

static enum ncl_onnx_attribute_type expected_type(const struct ncl_onnx_attribute_row *row)
{
    switch (row->rule) {
    case NCL_RULE_FLOAT:
    case NCL_RULE_LIMIT:
        return NCL_ONNX_ATTR_FLOAT;
    case NCL_RULE_AXES:
        return NCL_ONNX_ATTR_INTS;
    case NCL_RULE_AUTO_PAD:
    case NCL_RULE_CONSTANT:
        return NCL_ONNX_ATTR_STRING;
    case NCL_RULE_FILL:
        return NCL_ONNX_ATTR_TENSOR;
    case NCL_RULE_IGNORE:
    case NCL_RULE_VALUE:
        return row->type;
    default:
        return NCL_ONNX_ATTR_INT;
    }
}

static ncl_status check_range(const struct ncl_onnx_attribute_target *target,
                              const struct attribute *a, const struct ncl_onnx_attribute_row *row,
                              int64_t value)
{
    char expected[64];
    char found[32];

    if (value >= row->min && value <= row->max) {
        return NCL_OK;
    }
    snprintf(expected, sizeof(expected), "%lld to %lld", (long long)row->min, (long long)row->max);
    snprintf(found, sizeof(found), "%lld", (long long)value);
    return fail(target, a, expected, found);
}

static ncl_status check_float(const struct ncl_onnx_attribute_target *target,
                              const struct attribute *a, const struct ncl_onnx_attribute_row *row)
{
    char expected[64];
    char found[32];

    if (row->rule == NCL_RULE_LIMIT ? !isnan(a->f)
                                    : a->f >= (float)row->min && a->f <= (float)row->max) {
        return NCL_OK;
    }
    snprintf(expected, sizeof(expected), "a number in %g to %g", (double)row->min,
             (double)row->max);
    snprintf(found, sizeof(found), "%g", (double)a->f);
    return fail(target, a, row->rule == NCL_RULE_LIMIT ? "a number" : expected, found);
}

static ncl_status store_axes(const struct ncl_onnx_attribute_target *target,
                             const struct attribute *a, const struct ncl_onnx_attribute_row *row,
                             struct ncl_axes *axes)
{
    char found[32];
    ncl_status status = NCL_OK;

    if (a->int_count > MAX_INTS) {
        snprintf(found, sizeof(found), "%zu", a->int_count);
        return fail(target, a, "at most 16 ints", found);
    }
    axes->given = true;
    axes->count = (int)a->int_count;
    for (size_t i = 0; status == NCL_OK && i < a->int_count; i++) {
        axes->values[i] = a->ints[i];
        status = check_range(target, a, row, a->ints[i]);
    }
    return status;
}

static bool text_is(struct ncl_span text, const char *wanted)
{
    return text.bytes == strlen(wanted) && memcmp(text.data, wanted, text.bytes) == 0;
}

static ncl_status fail_text(const struct ncl_onnx_attribute_target *target,
                            const struct attribute *a, const char *expected)
{
    char found[64];

    snprintf(found, sizeof(found), "'%.*s'", a->s.bytes < 50 ? (int)a->s.bytes : 50,
             a->s.data == NULL ? "" : (const char *)a->s.data);
    return fail(target, a, expected, found);
}

static ncl_status store_auto_pad(const struct ncl_onnx_attribute_target *target,
                                 const struct attribute *a, enum ncl_auto_pad *pad)
{
    static const char *const names[] = {[NCL_PAD_EXPLICIT] = "NOTSET",
                                        [NCL_PAD_SAME_UPPER] = "SAME_UPPER",
                                        [NCL_PAD_SAME_LOWER] = "SAME_LOWER",
                                        [NCL_PAD_VALID] = "VALID"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (text_is(a->s, names[i])) {
            *pad = (enum ncl_auto_pad)i;
            return NCL_OK;
        }
    }
    return fail_text(target, a, "NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

static ncl_status store_fill(const struct ncl_onnx_attribute_target *target,
                             const struct attribute *a)
{
    struct ncl_value value = {0};
    char where[300];
    ncl_status status = NCL_OK;

    snprintf(where, sizeof(where), "%s: attribute 'value'", target->where);
    status = ncl_onnx_tensor(target->reader, &a->tensor, where, &value);
    if (status != NCL_OK) {
        return status;
    }
    if (ncl_value_elements(&value) != 1) {
        return fail(target, a, "a tensor of one element", "another size");
    }
    target->node->as.constant_of_shape.value = (float)ncl_value_element(&value, 0);
    target->node->as.constant_of_shape.dtype = value.dtype;
    return NCL_OK;
}

static ncl_status put_numbers(void *user, const struct ncl_wire *wire,
                              const struct ncl_wire_field *field)
{
    struct attribute *a = user;
    const bool floats = field->number == FIELD_FLOATS;
    struct ncl_wire_numbers numbers;
    uint64_t value = 0;
    bool more = true;
    ncl_status status = NCL_OK;

    if (!floats && field->number != FIELD_INTS) {
        return NCL_OK;
    }
    status = ncl_wire_numbers(wire, field, floats ? PB_WT_32BIT : PB_WT_VARINT, &numbers);
    while (status == NCL_OK) {
        uint32_t low = 0;
        status = ncl_wire_next_number(&numbers, &value, &more);
        if (status != NCL_OK || !more) {
            break;
        }
        low = (uint32_t)value;
        memcpy(a->next, floats ? (const void *)&low : (const void *)&value,
               floats ? sizeof(low) : sizeof(value));
        a->next += floats ? sizeof(low) : sizeof(value);
    }
    return status;
}

/* value_int, value_ints, value_float, value_floats of a Constant. */
static ncl_status store_numbers(const struct ncl_onnx_attribute_target *target, struct attribute *a)
{
    struct ncl_value *value = target->constant;
    const bool list = a->type == NCL_ONNX_ATTR_INTS || a->type == NCL_ONNX_ATTR_FLOATS;
    const bool whole = a->type == NCL_ONNX_ATTR_INTS || a->type == NCL_ONNX_ATTR_INT;
    const size_t count = !list ? 1 : whole ? a->int_count : a->float_count;
    unsigned char *data = ncl_arena_alloc(&target->reader->graph->arena, count + 1,
                                          whole ? sizeof(a->i) : sizeof(a->f));

    if (data == NULL) {
        return ncl_fail_memory(target->reader->log, "a constant of an ONNX model");
    }
    value->dtype = whole ? NCL_DTYPE_I64 : NCL_DTYPE_F32;
    value->rank = list ? 1 : 0;
    value->dims[0] = (int64_t)count;
    value->data = data;
    if (!list) {
        memcpy(data, whole ? (const void *)&a->i : (const void *)&a->f,
               whole ? sizeof(a->i) : sizeof(a->f));
        return NCL_OK;
    }
    a->next = data;
    return ncl_wire_walk(a->wire, put_numbers, a);
}

static ncl_status store_constant(const struct ncl_onnx_attribute_target *target,
                                 struct attribute *a)
{
    char where[300];

    if (a->type != NCL_ONNX_ATTR_TENSOR) {
        return store_numbers(target, a);
    }
    snprintf(where, sizeof(where), "%s: attribute 'value'", target->where);
    return ncl_onnx_tensor(target->reader, &a->tensor, where, target->constant);
}

static ncl_status store(const struct ncl_onnx_attribute_target *target, struct attribute *a,
                        const struct ncl_onnx_attribute_row *row)
{
    unsigned char *to = (unsigned char *)target->node + row->offset;

    switch (row->rule) {
    case NCL_RULE_IGNORE:
        return NCL_OK;
    case NCL_RULE_INT:
        memcpy(to, &a->i, sizeof(a->i));
        return check_range(target, a, row, a->i);
    case NCL_RULE_BOOL:
        *(bool *)to = a->i != 0;
        return check_range(target, a, row, a->i);
    case NCL_RULE_FIXED:
        return check_range(target, a, row, a->i);
    case NCL_RULE_FLOAT:
    case NCL_RULE_LIMIT:
        memcpy(to, &a->f, sizeof(a->f));
        return check_float(target, a, row);
    case NCL_RULE_AXES:
        return store_axes(target, a, row, (struct ncl_axes *)(void *)to);
    case NCL_RULE_AXIS:
        a->ints[0] = a->i;
        a->int_count = 1;
        return store_axes(target, a, row, (struct ncl_axes *)(void *)to);
    case NCL_RULE_AUTO_PAD:
        return store_auto_pad(target, a, (enum ncl_auto_pad *)(void *)to);
    case NCL_RULE_DTYPE:
        *(enum ncl_dtype *)(void *)to = ncl_onnx_dtype(a->i);
        return ncl_onnx_dtype(a->i) != NCL_DTYPE_UNKNOWN
                   ? NCL_OK
                   : fail(target, a, "FLOAT, DOUBLE, INT32, INT64 or BOOL",
                          ncl_onnx_type_name(a->i));
    case NCL_RULE_CONSTANT:
        return text_is(a->s, "constant") ? NCL_OK : fail_text(target, a, "'constant'");
    case NCL_RULE_FILL:
        return store_fill(target, a);
    default:
        return store_constant(target, a);
    }
}

static const struct ncl_onnx_attribute_row *find_row(const struct ncl_onnx_attribute_target *target,
                                                     struct ncl_span name)
{
    const struct ncl_onnx_attribute_row *row = target->rows;

    while (row != NULL && row->name != NULL && !text_is(name, row->name)) {
        row++;
    }
    return row == NULL || row->name == NULL ? NULL : row;
}

ncl_status ncl_onnx_attribute(struct ncl_onnx_attribute_target *target, const struct ncl_wire *wire)
{
    struct attribute a = {.wire = wire};
    const struct ncl_onnx_attribute_row *row = NULL;
    ncl_status status = NCL_OK;

    a.tensor = *wire;
    a.tensor.span.bytes = 0;
    status = ncl_wire_walk(wire, read_field, &a);
    if (status == NCL_OK) {
        status = settle_type(target, &a);
    }
    if (status != NCL_OK) {
        return status;
    }
    row = find_row(target, a.name);
    if (row == NULL) {
        return ncl_fail(target->reader->log, NCL_ERROR_INPUT,
                        "%s: attribute '%.*s' (%s) is not supported", target->where,
                        NCL_SPAN_SHOWN(a.name), type_names[a.type]);
    }
    if ((target->seen & 1U << (row - target->rows)) != 0) {
        return fail(target, &a, "one value", "a second one");
    }
    target->seen |= 1U << (row - target->rows);
    if ((int64_t)expected_type(row) != a.type) {
        return fail(target, &a, type_names[expected_type(row)], type_names[a.type]);
    }
    return store(target, &a, row);
}

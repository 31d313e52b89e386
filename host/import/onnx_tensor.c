/* TensorProto: constants, left in the file wherever they lie there in one piece. */
#include "import/onnx_reader.h"
#include <stdio.h>
#include <string.h>

/* Field numbers of TensorProto. */
enum {
    FIELD_DIMS = 1,
    FIELD_TYPE = 2,
    FIELD_SEGMENT = 3,
    FIELD_FLOATS = 4,
    FIELD_INT32S = 5,
    FIELD_STRINGS = 6,
    FIELD_INT64S = 7,
    FIELD_NAME = 8,
    FIELD_RAW = 9,
    FIELD_DOUBLES = 10,
    FIELD_UINT64S = 11,
    FIELD_EXTERNAL = 13,
    FIELD_LOCATION = 14
};

static const char *const type_names[] = {
    "UNDEFINED",      "FLOAT",      "UINT8",          "INT8",       "UINT16",   "INT16",
    "INT32",          "INT64",      "STRING",         "BOOL",       "FLOAT16",  "DOUBLE",
    "UINT32",         "UINT64",     "COMPLEX64",      "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",      "INT4",     "FLOAT4E2M1"};

const char *ncl_onnx_type_name(int64_t type)
{
    const int64_t known = sizeof(type_names) / sizeof(*type_names);

    return type >= 0 && type < known ? type_names[type] : "an unknown type";
}

enum ncl_dtype ncl_onnx_dtype(int64_t type)
{
    switch (type) {
    case 1:
        return NCL_DTYPE_F32;
    case 6:
        return NCL_DTYPE_I32;
    case 7:
        return NCL_DTYPE_I64;
    case 9:
        return NCL_DTYPE_BOOL;
    case 11:
        return NCL_DTYPE_F64;
    default:
        return NCL_DTYPE_UNKNOWN;
    }
}

struct reading {
    struct ncl_onnx_reader *reader;
    const struct ncl_wire *wire;
    const char *where;
    int64_t type;
    int rank;
    int64_t dims[NCL_MAX_RANK];
    struct ncl_span raw;
    struct ncl_span packed; /* the only packed field of fixed-size numbers, if there was one */
    size_t number_fields;   /* fields with numbers: unpacked, one each */
    size_t numbers;         /* elements in them */
    unsigned sources;       /* 1 << field number, of non-empty data */
    bool external;
    struct ncl_onnx_external file;
    unsigned char *next; /* where decoding puts the next element */
    size_t size;         /* of an element */
};

static ncl_status read_dims(struct reading *r, const struct ncl_wire *wire,
                            const struct ncl_wire_field *field)
{
    struct ncl_wire_numbers numbers;
    ncl_status status = ncl_wire_numbers(wire, field, PB_WT_VARINT, &numbers);
    uint64_t dim = 0;
    bool more = true;

    while (status == NCL_OK) {
        status = ncl_wire_next_number(&numbers, &dim, &more);
        if (status != NCL_OK || !more) {
            break;
        }
        if (r->rank == NCL_MAX_RANK || dim > INT64_MAX) {
            return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                            "%s: expected at most %d dims, none negative, found dim %d = %lld",
                            r->where, NCL_MAX_RANK, r->rank, (long long)dim);
        }
        r->dims[r->rank++] = (int64_t)dim;
    }
    return status;
}

static ncl_status read_entry(void *user, const struct ncl_wire *wire,
                             const struct ncl_wire_field *field)
{
    struct ncl_span *pair = user;

    return field->number == 1 || field->number == 2
               ? ncl_wire_text(wire, field, &pair[field->number - 1])
               : NCL_OK;
}

static ncl_status read_external(struct reading *r, const struct ncl_wire *wire,
                                const struct ncl_wire_field *field)
{
    const struct {
        const char *key;
        struct ncl_span *value;
    } known[] = {
        {"location", &r->file.location}, {"offset", &r->file.offset}, {"length", &r->file.length}};
    struct ncl_span pair[2] = {{NULL, 0}, {NULL, 0}};
    struct ncl_wire entry;
    ncl_status status = ncl_wire_enter(wire, field, "StringStringEntryProto", &entry);

    r->sources |= 1U << FIELD_EXTERNAL;
    if (status == NCL_OK) {
        status = ncl_wire_walk(&entry, read_entry, pair);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (pair[0].bytes == strlen(known[i].key) &&
            memcmp(pair[0].data, known[i].key, pair[0].bytes) == 0) {
            *known[i].value = pair[1];
        }
    }
    return status;
}

static pb_wire_type_t number_type(uint32_t field)
{
    return field == FIELD_FLOATS    ? PB_WT_32BIT
           : field == FIELD_DOUBLES ? PB_WT_64BIT
                                    : PB_WT_VARINT;
}

static ncl_status count_numbers(struct reading *r, const struct ncl_wire *wire,
                                const struct ncl_wire_field *field)
{
    const size_t before = r->numbers;
    const ncl_status status = ncl_wire_count(wire, field, number_type(field->number), &r->numbers);

    if (r->numbers == before) {
        return status;
    }
    r->sources |= 1U << field->number;
    r->number_fields++;
    r->packed = field->span;
    return status;
}

static ncl_status read_field(void *user, const struct ncl_wire *wire,
                             const struct ncl_wire_field *field)
{
    struct reading *r = user;
    int64_t location = 0;
    ncl_status status = NCL_OK;

    switch (field->number) {
    case FIELD_DIMS:
        return read_dims(r, wire, field);
    case FIELD_TYPE:
        return ncl_wire_int(wire, field, &r->type);
    case FIELD_FLOATS:
    case FIELD_INT32S:
    case FIELD_INT64S:
    case FIELD_DOUBLES:
        return count_numbers(r, wire, field);
    case FIELD_RAW:
        status = ncl_wire_bytes(wire, field, &r->raw);
        r->sources |= r->raw.bytes > 0 ? 1U << FIELD_RAW : 0;
        return status;
    case FIELD_EXTERNAL:
        return read_external(r, wire, field);
    case FIELD_LOCATION:
        status = ncl_wire_int(wire, field, &location);
        r->external = location == 1;
        return status;
    case FIELD_SEGMENT:
    case FIELD_STRINGS:
    case FIELD_UINT64S:
        return ncl_fail(wire->log, NCL_ERROR_INPUT,
                        "%s: segments, strings and unsigned numbers are not supported", r->where);
    default:
        return NCL_OK; /* name, doc_string, metadata */
    }
}

/* Bytes that the data must have; "2x3" into text. */
static ncl_status expected_bytes(const struct reading *r, enum ncl_dtype dtype, size_t *bytes,
                                 char *text, size_t text_size)
{
    size_t used = 0;

    *bytes = ncl_dtype_size(dtype);
    snprintf(text, text_size, "a scalar");
    for (int i = 0; i < r->rank; i++) {
        if (!ncl_multiply(*bytes, (size_t)r->dims[i], bytes) || *bytes > INT64_MAX) {
            return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                            "%s: its dims multiply to more bytes than can be addressed", r->where);
        }
        used += (size_t)snprintf(text + used, text_size - used, i == 0 ? "%lld" : "x%lld",
                                 (long long)r->dims[i]);
    }
    return NCL_OK;
}

/* The field whose numbers hold elements of that type. */
static uint32_t number_field(enum ncl_dtype dtype)
{
    switch (dtype) {
    case NCL_DTYPE_F32:
        return FIELD_FLOATS;
    case NCL_DTYPE_F64:
        return FIELD_DOUBLES;
    case NCL_DTYPE_I64:
        return FIELD_INT64S;
    default:
        return FIELD_INT32S;
    }
}

/* false: the number does not fit the element. */
static bool put_number(struct reading *r, enum ncl_dtype dtype, uint64_t number)
{
    const int64_t whole = (int64_t)number;
    const uint32_t low = (uint32_t)number;

    if (dtype == NCL_DTYPE_BOOL) {
        *r->next = (unsigned char)(number != 0);
    } else if (r->size == sizeof(low)) {
        memcpy(r->next, &low, sizeof(low));
    } else {
        memcpy(r->next, &number, sizeof(number));
    }
    r->next += r->size;
    return dtype != NCL_DTYPE_I32 || (whole >= INT32_MIN && whole <= INT32_MAX);
}

static ncl_status decode_field(void *user, const struct ncl_wire *wire,
                               const struct ncl_wire_field *field)
{
    struct reading *r = user;
    const enum ncl_dtype dtype = ncl_onnx_dtype(r->type);
    struct ncl_wire_numbers numbers;
    uint64_t number = 0;
    bool more = true;
    ncl_status status = NCL_OK;

    if (field->number != number_field(dtype)) {
        return NCL_OK;
    }
    status = ncl_wire_numbers(wire, field, number_type(field->number), &numbers);
    while (status == NCL_OK) {
        status = ncl_wire_next_number(&numbers, &number, &more);
        if (status != NCL_OK || !more) {
            break;
        }
        if (!put_number(r, dtype, number)) {
            return ncl_fail(wire->log, NCL_ERROR_INPUT, "%s: expected 32-bit numbers, found %lld",
                            r->where, (long long)number);
        }
    }
    return status;
}

/* The data as one piece; numbers that lie scattered or as varints are decoded into the arena. */
static ncl_status gather(struct reading *r, enum ncl_dtype dtype, struct ncl_span *data)
{
    const bool fixed = dtype == NCL_DTYPE_F32 || dtype == NCL_DTYPE_F64;
    unsigned char *copy = NULL;

    if ((r->sources & 1U << FIELD_RAW) != 0) {
        *data = r->raw;
        return NCL_OK;
    }
    if (r->sources != 0 && r->sources != 1U << number_field(dtype)) {
        return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                        "%s: its data is in a field for another type than %s", r->where,
                        ncl_onnx_type_name(r->type));
    }
    if (fixed && r->number_fields == 1 && r->packed.bytes > 0) {
        *data = r->packed;
        return NCL_OK;
    }
    /* Every number took at least a byte of the file: no overflow. */
    r->size = ncl_dtype_size(dtype);
    copy = ncl_arena_alloc(&r->reader->graph->arena, r->numbers + 1, r->size);
    if (copy == NULL) {
        return ncl_fail_memory(r->reader->log, "the numbers of an ONNX tensor");
    }
    r->next = copy;
    *data = (struct ncl_span){copy, r->numbers * r->size};
    return ncl_wire_walk(r->wire, decode_field, r);
}

static ncl_status find_data(struct reading *r, enum ncl_dtype dtype, struct ncl_span *data)
{
    const bool file = (r->sources & 1U << FIELD_EXTERNAL) != 0;

    if ((r->sources & (r->sources - 1)) != 0) {
        return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                        "%s: expected its data in one field, found it in several", r->where);
    }
    if (file != r->external) {
        return ncl_fail(r->reader->log, NCL_ERROR_INPUT,
                        "%s: data_location and external_data contradict each other", r->where);
    }
    return file ? ncl_onnx_external(r->reader, &r->file, r->where, data) : gather(r, dtype, data);
}

ncl_status ncl_onnx_tensor(struct ncl_onnx_reader *reader, const struct ncl_wire *wire,
                           const char *where, struct ncl_value *value)
{
    static const unsigned char nothing[1];
    struct reading r = {.reader = reader, .wire = wire, .where = where};
    enum ncl_dtype dtype = NCL_DTYPE_UNKNOWN;
    struct ncl_span data = {NULL, 0};
    char shape[21 * NCL_MAX_RANK];
    size_t bytes = 0;
    ncl_status status = ncl_wire_walk(wire, read_field, &r);

    if (status != NCL_OK) {
        return status;
    }
    dtype = ncl_onnx_dtype(r.type);
    if (dtype == NCL_DTYPE_UNKNOWN) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: expected FLOAT, DOUBLE, INT32, INT64 or BOOL, found %s (%lld)", where,
                        ncl_onnx_type_name(r.type), (long long)r.type);
    }
    status = expected_bytes(&r, dtype, &bytes, shape, sizeof(shape));
    if (status == NCL_OK) {
        status = find_data(&r, dtype, &data);
    }
    if (status != NCL_OK) {
        return status;
    }
    if (data.bytes != bytes) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: expected %zu bytes of data for %s of %s, found %zu", where, bytes,
                        shape, ncl_onnx_type_name(r.type), data.bytes);
    }
    value->dtype = dtype;
    value->rank = r.rank;
    memcpy(value->dims, r.dims, sizeof(r.dims));
    value->data = bytes == 0 ? nothing : data.data;
    return NCL_OK;
}

#include "import/onnx_wire.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *type_name(pb_wire_type_t type)
{
    switch (type) {
    case PB_WT_VARINT:
        return "a varint";
    case PB_WT_64BIT:
        return "a 64-bit number";
    case PB_WT_STRING:
        return "a length-delimited field";
    case PB_WT_32BIT:
        return "a 32-bit number";
    default:
        return "a group";
    }
}

ncl_status ncl_wire_fail(const struct ncl_wire *wire, size_t at, const char *format, ...)
{
    char what[256];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(what, sizeof(what), format, arguments) < 0) {
        what[0] = '\0';
    }
    va_end(arguments);
    return ncl_fail(wire->log, NCL_ERROR_INPUT, "not a valid ONNX file: %s in %s at byte %zu", what,
                    wire->message, at);
}

/* Where a stream over `span` stands. */
static const unsigned char *position(const struct ncl_span *span, const pb_istream_t *stream)
{
    return span->data + (span->bytes - stream->bytes_left);
}

static ncl_status fail_stream(const struct ncl_wire *wire, size_t at, pb_istream_t *stream)
{
    return ncl_wire_fail(wire, at, "%s", PB_GET_ERROR(stream));
}

static bool read_fixed(pb_istream_t *stream, pb_wire_type_t type, uint64_t *value)
{
    uint32_t word = 0;

    if (type == PB_WT_64BIT) {
        return pb_decode_fixed64(stream, value);
    }
    if (!pb_decode_fixed32(stream, &word)) {
        return false;
    }
    *value = word;
    return true;
}

static ncl_status read_span(const struct ncl_wire *wire, pb_istream_t *stream,
                            struct ncl_wire_field *field)
{
    uint64_t length = 0;

    if (!pb_decode_varint(stream, &length)) {
        return fail_stream(wire, field->at, stream);
    }
    if (length > stream->bytes_left) {
        return ncl_wire_fail(wire, field->at, "field %u is %llu bytes long but %zu are left",
                             (unsigned)field->number, (unsigned long long)length,
                             stream->bytes_left);
    }
    field->span.data = position(&wire->span, stream);
    field->span.bytes = (size_t)length;
    if (!pb_read(stream, NULL, (size_t)length)) {
        return fail_stream(wire, field->at, stream);
    }
    return NCL_OK;
}

static ncl_status read_payload(const struct ncl_wire *wire, pb_istream_t *stream,
                               struct ncl_wire_field *field)
{
    bool read = true;

    switch (field->type) {
    case PB_WT_VARINT:
        read = pb_decode_varint(stream, &field->value);
        break;
    case PB_WT_32BIT:
    case PB_WT_64BIT:
        read = read_fixed(stream, field->type, &field->value);
        break;
    case PB_WT_STRING:
        return read_span(wire, stream, field);
    default:
        return ncl_wire_fail(wire, field->at, "field %u has wire type %d", (unsigned)field->number,
                             (int)field->type);
    }
    return read ? NCL_OK : fail_stream(wire, field->at, stream);
}

ncl_status ncl_wire_walk(const struct ncl_wire *wire, ncl_wire_visit visit, void *user)
{
    pb_istream_t stream = pb_istream_from_buffer(wire->span.data, wire->span.bytes);
    ncl_status status = NCL_OK;

    while (status == NCL_OK && stream.bytes_left > 0) {
        struct ncl_wire_field field = {0};
        bool end = false;

        field.at = (size_t)(position(&wire->span, &stream) - wire->file);
        if (!pb_decode_tag(&stream, &field.type, &field.number, &end)) {
            return fail_stream(wire, field.at, &stream);
        }
        if (field.number == 0) {
            return ncl_wire_fail(wire, field.at, "field number 0");
        }
        status = read_payload(wire, &stream, &field);
        if (status == NCL_OK) {
            status = visit(user, wire, &field);
        }
    }
    return status;
}

static ncl_status expect(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                         pb_wire_type_t type)
{
    if (field->type == type) {
        return NCL_OK;
    }
    return ncl_wire_fail(wire, field->at, "field %u: expected %s, found %s",
                         (unsigned)field->number, type_name(type), type_name(field->type));
}

ncl_status ncl_wire_bytes(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          struct ncl_span *bytes)
{
    const ncl_status status = expect(wire, field, PB_WT_STRING);

    *bytes = field->span;
    return status;
}

/* Bytes of the UTF-8 character at `at`, 0: there is none. Overlong forms and surrogates are none.
 */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    const size_t bytes = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = bytes == 1 ? at[0] : at[0] & (0x7fU >> bytes);

    if (at[0] == 0 || (at[0] >= 0x80 && at[0] < 0xc0) || at[0] >= 0xf8 || bytes > left) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3fU);
    }
    return code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : bytes;
}

ncl_status ncl_wire_text(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                         struct ncl_span *text)
{
    const ncl_status status = ncl_wire_bytes(wire, field, text);

    for (size_t i = 0; status == NCL_OK && i < text->bytes;) {
        const size_t bytes = character_bytes(text->data + i, text->bytes - i);
        if (bytes == 0) {
            return ncl_wire_fail(wire, field->at, "field %u: expected UTF-8 text, found byte %02x",
                                 (unsigned)field->number, text->data[i]);
        }
        i += bytes;
    }
    return status;
}

ncl_status ncl_wire_enter(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          const char *message, struct ncl_wire *inner)
{
    *inner = *wire;
    inner->message = message;
    return ncl_wire_bytes(wire, field, &inner->span);
}

ncl_status ncl_wire_int(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                        int64_t *value)
{
    const ncl_status status = expect(wire, field, PB_WT_VARINT);

    *value = (int64_t)field->value;
    return status;
}

ncl_status ncl_wire_float(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          float *value)
{
    const ncl_status status = expect(wire, field, PB_WT_32BIT);
    const uint32_t bits = (uint32_t)field->value;

    memcpy(value, &bits, sizeof(bits));
    return status;
}

ncl_status ncl_wire_numbers(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                            pb_wire_type_t type, struct ncl_wire_numbers *numbers)
{
    const size_t size = type == PB_WT_32BIT ? 4 : type == PB_WT_64BIT ? 8 : 1;

    *numbers = (struct ncl_wire_numbers){.wire = wire, .field = field, .type = type};
    if (field->type != PB_WT_STRING) {
        numbers->single = true;
        return expect(wire, field, type);
    }
    if (field->span.bytes % size != 0) {
        return ncl_wire_fail(wire, field->at,
                             "field %u: expected a multiple of %zu bytes, found %zu",
                             (unsigned)field->number, size, field->span.bytes);
    }
    numbers->stream = pb_istream_from_buffer(field->span.data, field->span.bytes);
    return NCL_OK;
}

ncl_status ncl_wire_next_number(struct ncl_wire_numbers *numbers, uint64_t *value, bool *more)
{
    pb_istream_t *stream = &numbers->stream;
    bool read = true;

    *more = numbers->single || stream->bytes_left > 0;
    if (!*more) {
        return NCL_OK;
    }
    if (numbers->single) {
        numbers->single = false;
        *value = numbers->field->value;
        return NCL_OK;
    }
    read = numbers->type == PB_WT_VARINT ? pb_decode_varint(stream, value)
                                         : read_fixed(stream, numbers->type, value);
    return read ? NCL_OK : fail_stream(numbers->wire, numbers->field->at, stream);
}

ncl_status ncl_wire_count(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          pb_wire_type_t type, size_t *count)
{
    struct ncl_wire_numbers numbers;
    ncl_status status = ncl_wire_numbers(wire, field, type, &numbers);
    uint64_t value = 0;
    bool more = true;

    while (status == NCL_OK && more) {
        status = ncl_wire_next_number(&numbers, &value, &more);
        *count += more ? 1 : 0;
    }
    return status;
}

/* Protocol buffers as ONNX uses them: messages walked in place, field by field, never copied. The
 * wire format itself is nanopb's. Every error says "not a valid ONNX file: ... at byte N". */
#ifndef NCL_IMPORT_ONNX_WIRE_H
#define NCL_IMPORT_ONNX_WIRE_H

#include "base/log.h"
#include <pb_decode.h>
#include <stdbool.h>

struct ncl_span {
    const unsigned char *data;
    size_t bytes;
};

/* For printf's "%.*s": a hostile name may be megabytes long. */
#define NCL_SPAN_SHOWN(span)                                                                       \
    ((span).bytes < 100 ? (int)(span).bytes : 100),                                                \
        ((span).data == NULL ? "" : (const char *)(span).data)

/* A message inside a file. */
struct ncl_wire {
    const struct ncl_log *log;
    const unsigned char *file; /* byte 0, for positions in errors */
    struct ncl_span span;
    const char *message; /* its type, "NodeProto" */
};

struct ncl_wire_field {
    uint32_t number;
    pb_wire_type_t type;
    uint64_t value;       /* of varint and fixed types */
    struct ncl_span span; /* of length-delimited fields */
    size_t at;            /* byte of the file */
};

typedef ncl_status (*ncl_wire_visit)(void *user, const struct ncl_wire *wire,
                                     const struct ncl_wire_field *field);

/* Calls visit for each field in order; stops at its first error. */
ncl_status ncl_wire_walk(const struct ncl_wire *wire, ncl_wire_visit visit, void *user);

/* Typed access; a field of another wire type is an error. */
ncl_status ncl_wire_enter(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          const char *message, struct ncl_wire *inner);
ncl_status ncl_wire_bytes(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          struct ncl_span *bytes);
ncl_status ncl_wire_text(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                         struct ncl_span *text); /* UTF-8 without NUL */
ncl_status ncl_wire_int(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                        int64_t *value);
ncl_status ncl_wire_float(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          float *value);

/* A repeated number: one element, or many packed into one field. */
struct ncl_wire_numbers {
    const struct ncl_wire *wire;
    const struct ncl_wire_field *field;
    pb_wire_type_t type; /* of one element: PB_WT_VARINT, PB_WT_32BIT, PB_WT_64BIT */
    pb_istream_t stream;
    bool single;
};
ncl_status ncl_wire_numbers(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                            pb_wire_type_t type, struct ncl_wire_numbers *numbers);
/* *more false: there was no further element. */
ncl_status ncl_wire_next_number(struct ncl_wire_numbers *numbers, uint64_t *value, bool *more);
ncl_status ncl_wire_count(const struct ncl_wire *wire, const struct ncl_wire_field *field,
                          pb_wire_type_t type, size_t *count); /* added to *count */

ncl_status ncl_wire_fail(const struct ncl_wire *wire, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

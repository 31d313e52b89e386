#include "import/npy.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define ALIGNMENT 64 /* of the data in the file, as the format asks for */

/* Element types that a reader takes. */
struct type {
    const char *descr;
    size_t bytes;
};
struct types {
    struct type list[4];
    const char *expected;
};
static const struct types floats = {{{"<f4", 4}}, "element type '<f4'"};
static const struct types integers = {{{"<i8", 8}, {"<i4", 4}, {"|u1", 1}},
                                      "element type '<i8', '<i4' or '|u1'"};

/* The header is a Python dictionary literal, read from left to right. */
struct header {
    const char *next, *end;
    const struct ncl_log *log;
    const char *name; /* of the file */
    const struct types *types;
    const struct type *type; /* NULL: not read yet */
    bool has_order, has_shape;
    ncl_tensor *out;
};

static void skip_space(struct header *h)
{
    while (h->next < h->end && (*h->next == ' ' || *h->next == '\n' || *h->next == '\t')) {
        h->next++;
    }
}

static ncl_status fail(struct header *h, const char *expected)
{
    int shown = 0;

    skip_space(h);
    while (shown < 40 && shown < h->end - h->next && h->next[shown] != ',') {
        shown++;
    }
    return ncl_fail(h->log, NCL_ERROR_INPUT, "%s: npy header: expected %s, found '%.*s'", h->name,
                    expected, shown, h->next);
}

static bool accept(struct header *h, const char *text)
{
    const size_t length = strlen(text);

    skip_space(h);
    if ((size_t)(h->end - h->next) < length || memcmp(h->next, text, length) != 0) {
        return false;
    }
    h->next += length;
    return true;
}

/* A key or text in either kind of quotes. */
static bool accept_quoted(struct header *h, const char *text)
{
    const struct header before = *h;

    if (accept(h, "'") && accept(h, text) && accept(h, "'")) {
        return true;
    }
    *h = before;
    if (accept(h, "\"") && accept(h, text) && accept(h, "\"")) {
        return true;
    }
    *h = before;
    return false;
}

static ncl_status read_dim(struct header *h)
{
    ncl_tensor *out = h->out;
    const char *start = NULL;
    int64_t dim = 0;

    skip_space(h);
    start = h->next;
    while (h->next < h->end && *h->next >= '0' && *h->next <= '9') {
        const int digit = *h->next - '0';
        if (dim > (INT64_MAX - digit) / 10) {
            h->next = start;
            return fail(h, "a dim below 2^63");
        }
        dim = dim * 10 + digit;
        h->next++;
    }
    if (dim == 0) { /* also without any digit, or with a sign */
        h->next = start;
        return fail(h, "a dim of at least 1");
    }
    if (out->rank == NCL_MAX_RANK) {
        h->next = start;
        return fail(h, "at most 8 dims");
    }
    out->dims[out->rank++] = dim;
    return NCL_OK;
}

static ncl_status read_shape(struct header *h)
{
    ncl_status status = NCL_OK;

    if (!accept(h, "(")) {
        return fail(h, "a tuple");
    }
    h->out->rank = 0;
    while (status == NCL_OK && !accept(h, ")")) {
        status = read_dim(h);
        if (status == NCL_OK && !accept(h, ",")) {
            return accept(h, ")") ? NCL_OK : fail(h, "')'");
        }
    }
    return status;
}

static ncl_status read_type(struct header *h)
{
    if (!accept(h, ":")) {
        return fail(h, "':'");
    }
    for (const struct type *type = h->types->list; type->descr != NULL; type++) {
        if (accept_quoted(h, type->descr)) {
            h->type = type;
            return NCL_OK;
        }
    }
    return fail(h, h->types->expected);
}

static ncl_status read_entry(struct header *h)
{
    if (accept_quoted(h, "descr")) {
        return read_type(h);
    }
    if (accept_quoted(h, "fortran_order")) {
        h->has_order = true;
        return accept(h, ":") && accept(h, "False") ? NCL_OK : fail(h, "fortran_order False");
    }
    if (accept_quoted(h, "shape")) {
        h->has_shape = true;
        return accept(h, ":") ? read_shape(h) : fail(h, "':'");
    }
    return fail(h, "descr, fortran_order or shape");
}

static ncl_status read_header(struct header *h)
{
    ncl_status status = NCL_OK;

    if (!accept(h, "{")) {
        return fail(h, "'{'");
    }
    while (status == NCL_OK && !accept(h, "}")) {
        status = read_entry(h);
        if (status == NCL_OK && !accept(h, ",")) {
            status = accept(h, "}") ? NCL_OK : fail(h, "'}'");
            break;
        }
    }
    skip_space(h);
    if (status == NCL_OK && h->next < h->end) {
        return fail(h, "its end");
    }
    if (status == NCL_OK && !(h->type != NULL && h->has_order && h->has_shape)) {
        return fail(h, "descr, fortran_order and shape");
    }
    return status;
}

/* Bytes before the data; 0: not a header of a known version, or cut off. */
static size_t header_bytes(const unsigned char *file, size_t bytes, size_t *start)
{
    const size_t prefix = bytes > MAGIC_BYTES && file[MAGIC_BYTES] == 1 ? 10 : 12;
    size_t length = 0;

    if (bytes < prefix || file[MAGIC_BYTES] < 1 || file[MAGIC_BYTES] > 3) {
        return 0;
    }
    for (size_t i = prefix; i > 8; i--) {
        length = length << 8 | file[i - 1];
    }
    *start = prefix;
    return length > bytes - prefix ? 0 : prefix + length;
}

/* The shape has as many bytes as the file. */
static ncl_status check_bytes(const struct header *h, size_t bytes)
{
    size_t expected = h->type->bytes;

    for (int i = 0; i < h->out->rank; i++) {
        if (!ncl_multiply(expected, (size_t)h->out->dims[i], &expected)) {
            return ncl_fail(h->log, NCL_ERROR_INPUT,
                            "%s: its dims multiply to more bytes than can be addressed", h->name);
        }
    }
    if (expected != bytes) {
        return ncl_fail(h->log, NCL_ERROR_INPUT,
                        "%s: expected %zu bytes of data for its shape, found %zu", h->name,
                        expected, bytes);
    }
    return NCL_OK;
}

/* Type and shape, and where the data begins. */
static ncl_status parse(struct header *h, const void *data, size_t bytes,
                        struct ncl_file_part *body)
{
    const unsigned char *file = data;
    size_t start = 0;
    size_t offset = 0;
    ncl_status status = NCL_OK;

    if (bytes < MAGIC_BYTES || memcmp(file, MAGIC, MAGIC_BYTES) != 0) {
        return ncl_fail(h->log, NCL_ERROR_INPUT,
                        "%s: expected an npy file, found something else (%zu bytes)", h->name,
                        bytes);
    }
    offset = header_bytes(file, bytes, &start);
    if (offset == 0) {
        return ncl_fail(h->log, NCL_ERROR_INPUT,
                        "%s: expected an npy header of version 1 to 3, found another version or a "
                        "file cut off at %zu bytes",
                        h->name, bytes);
    }
    h->next = (const char *)file + start;
    h->end = (const char *)file + offset;
    *body = (struct ncl_file_part){file + offset, bytes - offset};
    status = read_header(h);
    return status == NCL_OK ? check_bytes(h, body->bytes) : status;
}

ncl_status ncl_npy_parse(const struct ncl_log *log, const char *name, const void *data,
                         size_t bytes, ncl_tensor *out)
{
    struct header h = {.log = log, .name = name, .types = &floats, .out = out};
    struct ncl_file_part body = {0};
    ncl_status status = NCL_OK;

    *out = (ncl_tensor){.element = NCL_FLOAT32};
    status = parse(&h, data, bytes, &body);
    if (status == NCL_OK) {
        out->data = ncl_alloc_aligned(body.bytes, 1);
        status = out->data == NULL ? ncl_fail_memory(log, name) : NCL_OK;
    }
    if (status != NCL_OK) {
        *out = (ncl_tensor){.element = NCL_FLOAT32};
        return status;
    }
    memcpy(out->data, body.data, body.bytes);
    out->bytes = body.bytes;
    return NCL_OK;
}

static int64_t integer_at(const struct type *type, const unsigned char *data, size_t index)
{
    uint64_t value = 0;

    for (size_t i = type->bytes; i > 0; i--) {
        value = value << 8 | data[index * type->bytes + i - 1];
    }
    return type->bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

ncl_status ncl_npy_parse_indices(const struct ncl_log *log, const char *name, const void *data,
                                 size_t bytes, int64_t **indices, size_t *count)
{
    ncl_tensor shape = {0};
    struct header h = {.log = log, .name = name, .types = &integers, .out = &shape};
    struct ncl_file_part body = {0};
    ncl_status status = parse(&h, data, bytes, &body);

    *indices = NULL;
    *count = 0;
    if (status != NCL_OK) {
        return status;
    }
    if (shape.rank != 1) {
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: expected a list of indices, found rank %d", name,
                        shape.rank);
    }
    *indices = ncl_alloc((size_t)shape.dims[0], sizeof(**indices));
    if (*indices == NULL) {
        return ncl_fail_memory(log, name);
    }
    *count = (size_t)shape.dims[0];
    for (size_t i = 0; i < *count; i++) {
        (*indices)[i] = integer_at(h.type, body.data, i);
    }
    return NCL_OK;
}

ncl_status ncl_npy_load(const struct ncl_log *log, const char *path, ncl_tensor *out)
{
    struct ncl_file_map map;
    ncl_status status = NCL_OK;

    *out = (ncl_tensor){.element = NCL_FLOAT32};
    status = ncl_file_map(log, path, &map);
    if (status != NCL_OK) {
        return status;
    }
    status = ncl_npy_parse(log, path, map.data, map.size, out);
    ncl_file_unmap(&map);
    return status;
}

ncl_status ncl_npy_load_indices(const struct ncl_log *log, const char *path, int64_t **indices,
                                size_t *count)
{
    struct ncl_file_map map;
    ncl_status status = ncl_file_map(log, path, &map);

    *indices = NULL;
    *count = 0;
    if (status != NCL_OK) {
        return status;
    }
    status = ncl_npy_parse_indices(log, path, map.data, map.size, indices, count);
    ncl_file_unmap(&map);
    return status;
}

/* The whole of version 1's header, padded. */
static void write_header(struct ncl_text *text, const ncl_tensor *tensor)
{
    size_t length = 0;

    ncl_text_append(text, MAGIC "\x01\x00\x00\x00", 10);
    ncl_text_add(text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < tensor->rank; i++) {
        ncl_text_add(text, i == 0 ? "%lld" : ", %lld", (long long)tensor->dims[i]);
    }
    ncl_text_add(text, tensor->rank == 1 ? ",), }" : "), }");
    while (!text->failed && (text->length + 1) % ALIGNMENT != 0) {
        ncl_text_append(text, " ", 1);
    }
    ncl_text_append(text, "\n", 1);
    if (!text->failed) {
        length = text->length - 10;
        text->data[8] = (char)(length & 0xff);
        text->data[9] = (char)(length >> 8);
    }
}

ncl_status ncl_npy_save(const struct ncl_log *log, const char *path, const ncl_tensor *tensor)
{
    struct ncl_text header = {0};
    struct ncl_file_part parts[2];
    size_t bytes = sizeof(float);
    ncl_status status = NCL_OK;

    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i] < 1 || !ncl_multiply(bytes, (size_t)tensor->dims[i], &bytes)) {
            bytes = SIZE_MAX;
            break;
        }
    }
    if (tensor->data == NULL || tensor->rank < 0 || tensor->rank > NCL_MAX_RANK ||
        bytes > tensor->bytes) {
        return ncl_fail(log, NCL_ERROR_USAGE,
                        "%s: expected a host tensor of rank 0 to %d with all its bytes, found rank "
                        "%d and %zu bytes",
                        path, NCL_MAX_RANK, tensor->rank, tensor->bytes);
    }
    write_header(&header, tensor);
    if (header.failed) {
        ncl_text_free(&header);
        return ncl_fail_memory(log, path);
    }
    parts[0] = (struct ncl_file_part){header.data, header.length};
    parts[1] = (struct ncl_file_part){tensor->data, bytes};
    status = ncl_file_write(log, path, parts, 2);
    ncl_text_free(&header);
    return status;
}

/* Tensor data in files beside the model. */
#include "import/onnx_reader.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ".." as a whole component: "a..b" is a name like any other. */
static bool climbs(struct ncl_span path)
{
    size_t start = 0;

    for (size_t i = 0; i <= path.bytes; i++) {
        if (i < path.bytes && path.data[i] != '/') {
            continue;
        }
        if (i - start == 2 && path.data[start] == '.' && path.data[start + 1] == '.') {
            return true;
        }
        start = i + 1;
    }
    return false;
}

static bool is_inside(const char *directory, const char *path)
{
    const size_t length = strlen(directory);

    if (strncmp(directory, path, length) != 0) {
        return false;
    }
    /* "/" is the one directory that ends in a slash. */
    return path[length] == '/' || (length > 0 && directory[length - 1] == '/');
}

/* *path: a new string, the real place of the file. */
static ncl_status resolve(const struct ncl_onnx_reader *reader, struct ncl_span location,
                          const char *where, char **path)
{
    char joined[PATH_MAX];
    int length = 0;

    if (location.bytes == 0 || location.data[0] == '/' || climbs(location)) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data '%.*s': expected a path inside the model's directory",
                        where, NCL_SPAN_SHOWN(location));
    }
    if (location.bytes >= sizeof(joined)) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data: the path has %zu bytes, expected fewer than %zu", where,
                        location.bytes, sizeof(joined));
    }
    length = snprintf(joined, sizeof(joined), "%s/%.*s", reader->directory, (int)location.bytes,
                      (const char *)location.data);
    errno = ENAMETOOLONG; /* unless realpath says otherwise */
    *path = length < 0 || (size_t)length >= sizeof(joined) ? NULL : realpath(joined, NULL);
    if (*path == NULL) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "%s: external data '%.*s' is missing: %s",
                        where, NCL_SPAN_SHOWN(location), strerror(errno));
    }
    if (!is_inside(reader->directory, *path)) {
        free(*path);
        *path = NULL;
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data '%.*s' is a link out of the model's directory", where,
                        NCL_SPAN_SHOWN(location));
    }
    return NCL_OK;
}

/* Takes over path. */
static ncl_status map_file(struct ncl_onnx_reader *reader, char *path, struct ncl_span *file)
{
    struct ncl_onnx *model = reader->model;
    const int count = model->map_count;
    ncl_status status = NCL_OK;

    for (int i = 1; i < count; i++) {
        if (strcmp(reader->map_paths[i], path) == 0) {
            free(path);
            *file = (struct ncl_span){model->maps[i].data, model->maps[i].size};
            return NCL_OK;
        }
    }
    if (!ncl_grow((void **)&model->maps, &model->map_capacity, (size_t)count,
                  sizeof(*model->maps)) ||
        !ncl_grow((void **)&reader->map_paths, &reader->map_path_capacity, (size_t)count,
                  sizeof(*reader->map_paths))) {
        free(path);
        return ncl_fail_memory(reader->log, "external data");
    }
    status = ncl_file_map(reader->log, path, &model->maps[count]);
    if (status != NCL_OK) {
        free(path);
        return status;
    }
    reader->map_paths[count] = path;
    model->map_count++;
    *file = (struct ncl_span){model->maps[count].data, model->maps[count].size};
    return NCL_OK;
}

/* Decimal digits only; false: something else, or too large. */
static bool parse_size(struct ncl_span text, size_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        const unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || *value > (SIZE_MAX - digit) / 10) {
            return false;
        }
        *value = *value * 10 + digit;
    }
    return text.bytes > 0;
}

ncl_status ncl_onnx_external(struct ncl_onnx_reader *reader, const struct ncl_onnx_external *source,
                             const char *where, struct ncl_span *data)
{
    struct ncl_span file = {0};
    char *path = NULL;
    size_t offset = 0;
    size_t length = 0;
    ncl_status status = NCL_OK;

    if (reader->directory == NULL) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data cannot be reached from a model in memory", where);
    }
    if ((source->offset.data != NULL && !parse_size(source->offset, &offset)) ||
        (source->length.data != NULL && !parse_size(source->length, &length))) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data: expected decimal offset and length, found '%.*s' and "
                        "'%.*s'",
                        where, NCL_SPAN_SHOWN(source->offset), NCL_SPAN_SHOWN(source->length));
    }
    status = resolve(reader, source->location, where, &path);
    if (status == NCL_OK) {
        status = map_file(reader, path, &file);
    }
    if (status != NCL_OK) {
        return status;
    }
    if (offset > file.bytes || length > file.bytes - offset) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "%s: external data '%.*s': expected %zu bytes at %zu, found a file of %zu",
                        where, NCL_SPAN_SHOWN(source->location), length, offset, file.bytes);
    }
    /* Without a length the data reaches to the end of the file. */
    data->bytes = source->length.data != NULL ? length : file.bytes - offset;
    data->data = file.data == NULL ? NULL : file.data + offset;
    return NCL_OK;
}

void ncl_onnx_external_free(struct ncl_onnx_reader *reader)
{
    for (size_t i = 0; i < reader->map_path_capacity; i++) {
        free(reader->map_paths[i]);
    }
    free(reader->map_paths);
}

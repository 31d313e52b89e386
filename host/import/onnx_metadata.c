/* metadata_props: what a file says of itself, as far as the keys are ours. */
#include "import/onnx_reader.h"
#include <string.h>

enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

#define PREFIX "nextcl."
#define MAX_KEY 64
#define MAX_VALUE (1 << 20) /* the class names of any data set */

struct entry {
    struct ncl_span key, value;
};

static ncl_status read_entry_field(void *user, const struct ncl_wire *wire,
                                   const struct ncl_wire_field *field)
{
    struct entry *entry = user;

    /* Other keys are other people's: whatever their values hold is no concern of ours. */
    switch (field->number) {
    case ENTRY_KEY:
        return ncl_wire_bytes(wire, field, &entry->key);
    case ENTRY_VALUE:
        return ncl_wire_bytes(wire, field, &entry->value);
    default:
        return NCL_OK;
    }
}

static bool is_ours(struct ncl_span key)
{
    const size_t length = strlen(PREFIX);

    return key.bytes >= length && memcmp(key.data, PREFIX, length) == 0;
}

static ncl_status check(const struct ncl_onnx_reader *reader, const struct entry *entry)
{
    const struct ncl_onnx *model = reader->model;

    if (entry->key.bytes > MAX_KEY || memchr(entry->key.data, 0, entry->key.bytes) != NULL) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "metadata '%.*s': expected a key of at most %d bytes, none of them NUL, "
                        "found %zu",
                        NCL_SPAN_SHOWN(entry->key), MAX_KEY, entry->key.bytes);
    }
    if (entry->value.bytes > MAX_VALUE ||
        (entry->value.bytes > 0 && memchr(entry->value.data, 0, entry->value.bytes) != NULL)) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "metadata '%.*s': expected at most %d bytes, none of them NUL, found %zu",
                        NCL_SPAN_SHOWN(entry->key), MAX_VALUE, entry->value.bytes);
    }
    if (model->property_count == NCL_ONNX_MAX_PROPERTIES) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "metadata: expected at most %d keys of NextCL's, found more",
                        NCL_ONNX_MAX_PROPERTIES);
    }
    for (int i = 0; i < model->property_count; i++) {
        const char *key = model->properties[i].key;

        if (strlen(key) == entry->key.bytes &&
            memcmp(key, entry->key.data, entry->key.bytes) == 0) {
            return ncl_fail(reader->log, NCL_ERROR_INPUT,
                            "metadata '%s': expected once, found twice", key);
        }
    }
    return NCL_OK;
}

ncl_status ncl_onnx_property(struct ncl_onnx_reader *reader, const struct ncl_wire *wire)
{
    struct ncl_onnx *model = reader->model;
    struct ncl_arena *arena = &reader->graph->arena;
    struct entry entry = {0};
    struct ncl_onnx_property property = {0};
    ncl_status status = ncl_wire_walk(wire, read_entry_field, &entry);

    if (status != NCL_OK || !is_ours(entry.key)) {
        return status;
    }
    status = check(reader, &entry);
    if (status != NCL_OK) {
        return status;
    }
    property.key = ncl_arena_text(arena, (const char *)entry.key.data, entry.key.bytes);
    property.value = ncl_arena_text(arena, entry.value.bytes ? (const char *)entry.value.data : "",
                                    entry.value.bytes);
    if (property.key == NULL || property.value == NULL) {
        return ncl_fail_memory(reader->log, "an ONNX model's metadata");
    }
    model->properties[model->property_count++] = property;
    return NCL_OK;
}

const char *ncl_onnx_metadata(const struct ncl_onnx *model, const char *key)
{
    for (int i = 0; i < model->property_count; i++) {
        if (strcmp(model->properties[i].key, key) == 0) {
            return model->properties[i].value;
        }
    }
    return NULL;
}

#include "base/hash.h"
#include "import/onnx_reader.h"
#include <stdlib.h>
#include <string.h>

static const char *origin_name(enum ncl_onnx_origin origin)
{
    static const char *const names[] = {"nothing", "an initializer", "an input of the graph",
                                        "a node", "a node"};

    return names[origin];
}

static bool name_is(const struct ncl_onnx_reader *reader, int index, struct ncl_span name)
{
    const char *known = reader->graph->values[index].name;

    return strlen(known) == name.bytes && memcmp(known, name.data, name.bytes) == 0;
}

/* The bucket that holds the name, or the free one where it belongs. */
static int *find_bucket(const struct ncl_onnx_reader *reader, struct ncl_span name, uint64_t hash)
{
    size_t at = (size_t)hash & (reader->bucket_count - 1);

    for (;;) {
        int *bucket = &reader->buckets[at];
        const int index = *bucket - 1;
        if (index < 0 || (reader->values[index].hash == hash && name_is(reader, index, name))) {
            return bucket;
        }
        at = (at + 1) & (reader->bucket_count - 1);
    }
}

/* Keeps at least half of the buckets free. */
static bool make_buckets(struct ncl_onnx_reader *reader)
{
    const size_t count = reader->bucket_count == 0 ? 64 : 2 * reader->bucket_count;
    int *buckets = NULL;

    if (2 * ((size_t)reader->graph->value_count + 1) <= reader->bucket_count) {
        return true;
    }
    buckets = ncl_alloc(count, sizeof(*buckets));
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < reader->bucket_count; i++) {
        size_t at = 0;
        if (reader->buckets[i] == 0) {
            continue;
        }
        at = (size_t)reader->values[reader->buckets[i] - 1].hash & (count - 1);
        while (buckets[at] != 0) {
            at = (at + 1) & (count - 1);
        }
        buckets[at] = reader->buckets[i];
    }
    free(reader->buckets);
    reader->buckets = buckets;
    reader->bucket_count = count;
    return true;
}

ncl_status ncl_onnx_new_value(struct ncl_onnx_reader *reader, struct ncl_span like, int *index)
{
    const size_t count = (size_t)reader->graph->value_count;

    if (!ncl_grow((void **)&reader->values, &reader->value_capacity, count,
                  sizeof(*reader->values))) {
        return ncl_fail_memory(reader->log, "the values of an ONNX graph");
    }
    reader->values[count] = (struct ncl_onnx_value){0};
    return ncl_graph_add_value(reader->graph, (const char *)like.data, like.bytes, index);
}

ncl_status ncl_onnx_value(struct ncl_onnx_reader *reader, struct ncl_span name, int *index)
{
    const uint64_t hash = ncl_hash_bytes(name.data, name.bytes).low;
    int *bucket = NULL;
    ncl_status status = NCL_OK;

    if (!make_buckets(reader)) {
        return ncl_fail_memory(reader->log, "the names of an ONNX graph");
    }
    bucket = find_bucket(reader, name, hash);
    *index = *bucket - 1;
    if (*index >= 0) {
        return NCL_OK;
    }
    status = ncl_onnx_new_value(reader, name, index);
    if (status == NCL_OK) {
        reader->values[*index].hash = hash;
        *bucket = *index + 1;
    }
    return status;
}

ncl_status ncl_onnx_define(struct ncl_onnx_reader *reader, struct ncl_span name,
                           enum ncl_onnx_origin origin, int *index)
{
    const ncl_status status = ncl_onnx_value(reader, name, index);

    if (status != NCL_OK) {
        return status;
    }
    if (reader->values[*index].origin != NCL_ONNX_NOWHERE) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "value '%.*s' is defined by %s and again by %s, expected one definition",
                        NCL_SPAN_SHOWN(name), origin_name(reader->values[*index].origin),
                        origin_name(origin));
    }
    reader->values[*index].origin = origin;
    return NCL_OK;
}

ncl_status ncl_onnx_check_dropped(const struct ncl_onnx_reader *reader)
{
    for (int i = 0; i < reader->graph->value_count; i++) {
        if (reader->values[i].origin == NCL_ONNX_DROPPED && reader->values[i].used) {
            return ncl_fail(reader->log, NCL_ERROR_INPUT,
                            "value '%.100s' is the second output of its node and is used: only "
                            "first outputs are supported",
                            reader->graph->values[i].name);
        }
    }
    return NCL_OK;
}

void ncl_onnx_values_free(struct ncl_onnx_reader *reader)
{
    free(reader->values);
    free(reader->buckets);
}

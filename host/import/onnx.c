/* ModelProto, and the files that a model is made of. */
#include "import/onnx_reader.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Field numbers. */
enum { MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14, MODEL_FUNCTION = 25 };

#define OLDEST_OPSET 7

struct model {
    struct ncl_onnx_reader *reader;
    struct ncl_wire graph;
    bool has_graph, has_opset;
};

struct domain {
    struct ncl_span name;
    int64_t version;
    uint32_t name_field; /* OperatorSetIdProto and FunctionProto keep it in different ones */
};

static ncl_status read_domain(void *user, const struct ncl_wire *wire,
                              const struct ncl_wire_field *field)
{
    struct domain *domain = user;

    if (field->number == domain->name_field) {
        return ncl_wire_text(wire, field, &domain->name);
    }
    return field->number == 2 && domain->name_field == 1
               ? ncl_wire_int(wire, field, &domain->version)
               : NCL_OK;
}

static ncl_status read_opset(struct model *model, const struct ncl_wire *wire)
{
    struct domain domain = {.name_field = 1};
    const ncl_status status = ncl_wire_walk(wire, read_domain, &domain);

    if (status != NCL_OK || !ncl_onnx_is_default_domain(domain.name)) {
        return status;
    }
    if (model->has_opset && model->reader->opset != domain.version) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT,
                        "expected one operator set, found versions %lld and %lld",
                        (long long)model->reader->opset, (long long)domain.version);
    }
    if (domain.version < OLDEST_OPSET) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT,
                        "expected operator set %d or later, found %lld: convert the model first",
                        OLDEST_OPSET, (long long)domain.version);
    }
    model->reader->opset = domain.version;
    model->has_opset = true;
    return NCL_OK;
}

/* A function of the default domain would change what an operator means. */
static ncl_status read_function(const struct ncl_wire *wire)
{
    struct domain domain = {.name_field = 10};
    const ncl_status status = ncl_wire_walk(wire, read_domain, &domain);

    if (status == NCL_OK && ncl_onnx_is_default_domain(domain.name)) {
        return ncl_fail(wire->log, NCL_ERROR_INPUT,
                        "the model redefines operators by functions, which is not supported");
    }
    return status;
}

static ncl_status read_model_field(void *user, const struct ncl_wire *wire,
                                   const struct ncl_wire_field *field)
{
    struct model *model = user;
    struct ncl_wire inner;
    ncl_status status = NCL_OK;

    switch (field->number) {
    case MODEL_GRAPH:
        if (model->has_graph) {
            return ncl_wire_fail(wire, field->at, "a second graph");
        }
        model->has_graph = true;
        return ncl_wire_enter(wire, field, "GraphProto", &model->graph);
    case MODEL_OPSET:
        status = ncl_wire_enter(wire, field, "OperatorSetIdProto", &inner);
        return status == NCL_OK ? read_opset(model, &inner) : status;
    case MODEL_METADATA:
        status = ncl_wire_enter(wire, field, "StringStringEntryProto", &inner);
        return status == NCL_OK ? ncl_onnx_property(model->reader, &inner) : status;
    case MODEL_FUNCTION:
        status = ncl_wire_enter(wire, field, "FunctionProto", &inner);
        return status == NCL_OK ? read_function(&inner) : status;
    default:
        return NCL_OK; /* versions, producer, documentation, training: nothing that we run */
    }
}

static ncl_status read_model(struct ncl_onnx_reader *reader, struct ncl_span file)
{
    struct model model = {.reader = reader};
    const struct ncl_wire wire = {reader->log, file.data, file, "ModelProto"};
    ncl_status status = NCL_OK;

    if (file.bytes == 0) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "not a valid ONNX file: it is empty");
    }
    status = ncl_wire_walk(&wire, read_model_field, &model);
    if (status == NCL_OK && !model.has_graph) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT, "not a valid ONNX file: it holds no graph");
    }
    if (status == NCL_OK && !model.has_opset) {
        return ncl_fail(reader->log, NCL_ERROR_INPUT,
                        "expected operator set %d or later, found none in the model", OLDEST_OPSET);
    }
    return status == NCL_OK ? ncl_onnx_graph(reader, &model.graph) : status;
}

/* ---- entry points ---- */

static ncl_status create(const struct ncl_log *log, struct ncl_onnx **model)
{
    ncl_status status = NCL_OK;

    *model = ncl_alloc(1, sizeof(**model));
    if (*model == NULL ||
        !ncl_grow((void **)&(*model)->maps, &(*model)->map_capacity, 0, sizeof(*(*model)->maps))) {
        status = ncl_fail_memory(log, "an ONNX model");
    } else {
        (*model)->map_count = 1; /* the model's own file, or an empty one in memory */
        status = ncl_graph_create(log, &(*model)->graph);
    }
    if (status != NCL_OK) {
        ncl_onnx_free(*model);
        *model = NULL;
    }
    return status;
}

/* Fills *model, or frees it and clears the pointer. Takes over directory. */
static ncl_status fill(const struct ncl_log *log, struct ncl_span file, char *directory,
                       struct ncl_onnx **model)
{
    struct ncl_onnx_reader reader = {
        .log = log, .model = *model, .graph = (*model)->graph, .directory = directory};
    const ncl_status status = read_model(&reader, file);

    ncl_onnx_values_free(&reader);
    ncl_onnx_external_free(&reader);
    free(directory);
    if (status != NCL_OK) {
        ncl_onnx_free(*model);
        *model = NULL;
    }
    return status;
}

/* The real directory of a file; NULL with errno. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = ncl_strdup(path);
    char *real = NULL;

    if (parent == NULL) {
        return NULL;
    }
    if (slash != NULL) {
        parent[slash - path + 1] = '\0';
    }
    real = realpath(slash == NULL ? "." : parent, NULL);
    free(parent);
    return real;
}

/* Constants that lie in one of the model's files. */
static void mark_mapped(const struct ncl_onnx *model)
{
    struct ncl_graph *graph = model->graph;

    for (int i = 0; i < graph->value_count; i++) {
        const uintptr_t data = (uintptr_t)graph->values[i].data;
        for (int k = 0; k < model->map_count; k++) {
            const uintptr_t first = (uintptr_t)model->maps[k].data;
            if (data >= first && data - first < model->maps[k].size) {
                graph->values[i].mapped = true;
            }
        }
    }
}

ncl_status ncl_onnx_load(const struct ncl_log *log, const char *path, struct ncl_onnx **model)
{
    char *directory = NULL;
    ncl_status status = create(log, model);

    if (status != NCL_OK) {
        return status;
    }
    status = ncl_file_map(log, path, &(*model)->maps[0]);
    if (status == NCL_OK) {
        directory = directory_of(path);
    }
    if (status == NCL_OK && directory == NULL) {
        status = ncl_fail(log, NCL_ERROR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (status != NCL_OK) {
        ncl_onnx_free(*model);
        *model = NULL;
        return status;
    }
    status = fill(log, (struct ncl_span){(*model)->maps[0].data, (*model)->maps[0].size}, directory,
                  model);
    if (status != NCL_OK) {
        return ncl_fail_within(status, "%s", path);
    }
    mark_mapped(*model);
    return NCL_OK;
}

ncl_status ncl_onnx_from_memory(const struct ncl_log *log, const void *data, size_t bytes,
                                struct ncl_onnx **model)
{
    const ncl_status status = create(log, model);

    return status == NCL_OK ? fill(log, (struct ncl_span){data, bytes}, NULL, model) : status;
}

void ncl_onnx_free(struct ncl_onnx *model)
{
    if (model == NULL) {
        return;
    }
    ncl_graph_free(model->graph);
    for (int i = 0; i < model->map_count; i++) {
        ncl_file_unmap(&model->maps[i]);
    }
    free(model->maps);
    free(model);
}

#include "api/context.h"

#include "import/onnx.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

/* A model is either an importer's or the zoo's. */
static ncl_status wrap(struct ncl_context *context, ncl_status status, struct ncl_onnx *onnx,
                       struct ncl_graph *built, ncl_model **out)
{
    struct ncl_model *model;

    *out = NULL;
    if (status != NCL_OK)
        return status;
    model = ncl_alloc(1, sizeof *model);
    if (!model) {
        ncl_onnx_free(onnx);
        ncl_graph_free(built);
        return ncl_fail_memory(&context->log, "a model");
    }
    *model = (struct ncl_model){context, onnx, built, onnx ? onnx->graph : built};
    *out = model;
    return NCL_OK;
}

ncl_status ncl_model_load(ncl_context *context, const char *path, ncl_model **model)
{
    struct ncl_onnx *onnx = NULL;
    ncl_status status;

    if (!context || !path || !model)
        return ncl_fail_null("ncl_model_load");
    status = ncl_onnx_load(&context->log, path, &onnx);
    return wrap(context, status, onnx, NULL, model);
}

ncl_status ncl_model_from_memory(ncl_context *context, const void *data, size_t bytes,
                                 ncl_model **model)
{
    struct ncl_onnx *onnx = NULL;
    ncl_status status;

    if (!context || !data || !model)
        return ncl_fail_null("ncl_model_from_memory");
    status = ncl_onnx_from_memory(&context->log, data, bytes, &onnx);
    return wrap(context, status, onnx, NULL, model);
}

ncl_status ncl_model_zoo(ncl_context *context, const char *name, uint64_t seed, int classes,
                         ncl_model **model)
{
    struct ncl_graph *graph = NULL;
    ncl_status status;

    if (!context || !name || !model)
        return ncl_fail_null("ncl_model_zoo");
    status = ncl_zoo_build(&context->log, name, seed, classes ? classes : 1000, &graph);
    return wrap(context, status, NULL, graph, model);
}

void ncl_model_free(ncl_model *model)
{
    if (!model)
        return;
    ncl_onnx_free(model->onnx);
    ncl_graph_free(model->built);
    free(model);
}

size_t ncl_model_input_count(const ncl_model *model)
{
    return model ? (size_t)model->graph->input_count : 0;
}

size_t ncl_model_output_count(const ncl_model *model)
{
    return model ? (size_t)model->graph->output_count : 0;
}

static ncl_status describe(const ncl_model *model, const int *values, int count, size_t index,
                           ncl_io *io)
{
    const struct ncl_value *value;

    if (index >= (size_t)count)
        return ncl_fail(&model->context->log, NCL_ERROR_USAGE, "tensor %zu: the model has %d",
                        index, count);
    value = &model->graph->values[values[index]];
    *io = (ncl_io){.name = value->name, .layout = model->graph->layout, .rank = value->rank};
    if (value->rank > 0)
        memcpy(io->dims, value->dims, (size_t)value->rank * sizeof io->dims[0]);
    return NCL_OK;
}

ncl_status ncl_model_input(const ncl_model *model, size_t index, ncl_io *io)
{
    if (!model || !io)
        return ncl_fail_null("ncl_model_input");
    return describe(model, model->graph->inputs, model->graph->input_count, index, io);
}

ncl_status ncl_model_output(const ncl_model *model, size_t index, ncl_io *io)
{
    if (!model || !io)
        return ncl_fail_null("ncl_model_output");
    return describe(model, model->graph->outputs, model->graph->output_count, index, io);
}

const char *ncl_model_metadata(const ncl_model *model, const char *key)
{
    return model && key && model->onnx ? ncl_onnx_metadata(model->onnx, key) : NULL;
}

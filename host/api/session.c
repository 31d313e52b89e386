#include "api/context.h"

#include <stdlib.h>
#include <string.h>

ncl_status ncl_input_dims(const struct ncl_context *context, const ncl_model *model,
                          const ncl_tensor *inputs, size_t count, struct ncl_dims **result)
{
    struct ncl_dims *dims;

    if (count != (size_t)model->graph->input_count)
        return ncl_fail(&context->log, NCL_ERROR_USAGE, "%zu inputs given, the model has %d", count,
                        model->graph->input_count);
    for (size_t i = 0; i < count; i++)
        if (inputs[i].rank < 0 || inputs[i].rank > NCL_MAX_RANK)
            return ncl_fail(&context->log, NCL_ERROR_USAGE, "input %zu: rank %d, expected 0 to %d",
                            i, inputs[i].rank, NCL_MAX_RANK);
    *result = dims = ncl_alloc(count + 1, sizeof *dims);
    if (!dims)
        return ncl_fail_memory(&context->log, "the shapes of inputs");
    for (size_t i = 0; i < count; i++) {
        dims[i].rank = inputs[i].rank;
        memcpy(dims[i].dims, inputs[i].dims, sizeof dims[i].dims);
    }
    return NCL_OK;
}

ncl_status ncl_session_create(ncl_context *context, const ncl_model *model,
                              const ncl_tensor *inputs, size_t input_count, ncl_session **session)
{
    struct ncl_session_config config;
    struct ncl_dims *dims;
    ncl_status status;

    if (!session)
        return ncl_fail_null("ncl_session_create");
    *session = NULL;
    if (!context || !model || (!inputs && input_count))
        return ncl_fail_null("ncl_session_create");
    config = (struct ncl_session_config){
        .device = &context->device,
        .math = context->options.math,
        .precision = context->options.precision,
        .channel_block = context->channel_block,
        .channel_block_free = context->channel_block_free,
        .store = context->store,
        .progress = context->options.progress,
        .user = context->options.user,
        .workers = ncl_context_workers(context),
    };
    if (!context->has_device)
        return ncl_fail(&context->log, NCL_ERROR_DEVICE, "the context was opened without a device");
    status = ncl_input_dims(context, model, inputs, input_count, &dims);
    if (status != NCL_OK)
        return status;
    status = ncl_session_make(&config, model->graph, dims, (int)input_count, session);
    free(dims);
    return status;
}

void ncl_session_free(ncl_session *session)
{
    ncl_session_destroy(session);
}

ncl_status ncl_session_output(const ncl_session *session, size_t index, ncl_io *io)
{
    const struct ncl_slot *s;

    if (!session || !io)
        return ncl_fail_null("ncl_session_output");
    if (index >= (size_t)session->graph->output_count)
        return ncl_fail(session->device->log, NCL_ERROR_USAGE, "output %zu: the model has %d",
                        index, session->graph->output_count);
    s = &session->schedule->slots[ncl_session_output_slot(session, (int)index)];
    *io = (ncl_io){.name = session->graph->values[session->graph->outputs[index]].name,
                   .layout = session->graph->layout,
                   .rank = s->rank};
    memcpy(io->dims, s->dims, sizeof io->dims);
    return NCL_OK;
}

ncl_status ncl_session_run(ncl_session *session, const ncl_tensor *inputs, size_t input_count,
                           const ncl_tensor *outputs, size_t output_count)
{
    const struct ncl_session_io io = {.inputs = inputs,
                                      .outputs = outputs,
                                      .input_count = input_count,
                                      .output_count = output_count};

    if (!session || (!inputs && input_count) || (!outputs && output_count))
        return ncl_fail_null("ncl_session_run");
    return ncl_session_execute(session, &io);
}

ncl_status ncl_session_enqueue(ncl_session *session, const ncl_tensor *inputs, size_t input_count,
                               const ncl_tensor *outputs, size_t output_count, unsigned wait_count,
                               struct _cl_event *const *wait_list, struct _cl_event **event)
{
    cl_event done = NULL;
    const struct ncl_session_io io = {inputs,     outputs,   input_count, output_count,
                                      wait_count, wait_list, &done};
    ncl_status status;

    if (event)
        *event = NULL;
    if (!session || (!inputs && input_count) || (!outputs && output_count) ||
        (!wait_list && wait_count))
        return ncl_fail_null("ncl_session_enqueue");
    status = ncl_session_execute(session, &io);
    if (event)
        *event = status == NCL_OK ? done : NULL;
    else if (done)
        session->device->cl->ReleaseEvent(done);
    return status;
}

ncl_status ncl_session_statistics(const ncl_session *session, ncl_session_stats *stats)
{
    if (!session || !stats)
        return ncl_fail_null("ncl_session_statistics");
    *stats = (ncl_session_stats){
        .launches = session->schedule->part_count,
        .layers = session->schedule->step_count,
        .peak_device_bytes = session->device_bytes,
        .math = session->config.math,
        .precision = session->config.precision,
        .create_seconds = session->create_seconds,
    };
    for (int i = 0; i < session->schedule->step_count; i++)
        stats->macs += ncl_problem_macs(&session->schedule->steps[i].problem);
    return NCL_OK;
}

ncl_status ncl_session_peak_gflops(const ncl_session *session, double *gflops)
{
    if (!session || !gflops)
        return ncl_fail_null("ncl_session_peak_gflops");
    *gflops = 0;
    return ncl_device_peak_gflops(session->device, session->config.math == NCL_MATH_FAST, gflops);
}

ncl_status ncl_session_peak_gbytes(const ncl_session *session, double *gbytes_per_s)
{
    if (!session || !gbytes_per_s)
        return ncl_fail_null("ncl_session_peak_gbytes");
    *gbytes_per_s = 0;
    return ncl_device_peak_gbytes(session->device, gbytes_per_s);
}

size_t ncl_session_layer_count(const ncl_session *session)
{
    return session ? (size_t)session->schedule->step_count : 0;
}

ncl_status ncl_session_layer(const ncl_session *session, size_t index, ncl_layer *layer)
{
    const struct ncl_session_layer_state *state;
    const struct ncl_step *step;

    if (!session || !layer)
        return ncl_fail_null("ncl_session_layer");
    if (index >= (size_t)session->schedule->step_count)
        return ncl_fail(session->device->log, NCL_ERROR_USAGE, "layer %zu: the session has %d",
                        index, session->schedule->step_count);
    state = &session->layers[index];
    step = &session->schedule->steps[index];
    *layer = (ncl_layer){
        .name = step->name,
        .op = step->op,
        .kind = ncl_problem_kind_name(&step->problem),
        .algorithm = state->choice.point.algo->name,
        .params = state->params,
        .source = state->choice.source,
        .macs = ncl_problem_macs(&step->problem),
        .seconds = state->seconds,
        .chunk_images = ncl_step_images(session->schedule, (int)index),
    };
    return NCL_OK;
}

ncl_status ncl_verify(ncl_session *session, const ncl_tensor *inputs, size_t input_count,
                      char **json)
{
    if (json)
        *json = NULL;
    if (!session || (!inputs && input_count))
        return ncl_fail_null("ncl_verify");
    return ncl_session_verify(session, inputs, input_count, json);
}

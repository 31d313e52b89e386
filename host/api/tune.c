#include "session/tune.h"
#include "api/context.h"

#include <stdlib.h>

static ncl_status check_options(const struct ncl_context *context, const ncl_tune_options *o)
{
    if (!o->struct_size || o->struct_size > sizeof *o)
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "tuning options: struct_size is %zu, expected %zu", o->struct_size,
                        sizeof *o);
    if ((int)o->effort < NCL_EFFORT_NORMAL || o->effort > NCL_EFFORT_FULL)
        return ncl_fail(&context->log, NCL_ERROR_USAGE, "tuning options: unknown effort %d",
                        (int)o->effort);
    if (!(o->budget_seconds >= 0))
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "tuning options: a budget of %g seconds, expected 0 or more",
                        o->budget_seconds);
    if (o->struct_size == sizeof *o && !(o->patience_seconds >= 0))
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "tuning options: a patience of %g seconds, expected 0 or more",
                        o->patience_seconds);
    return NCL_OK;
}

static ncl_status tune(ncl_context *context, const ncl_model *model, const struct ncl_dims *dims,
                       int count, const ncl_tune_options *options, char **json)
{
    const char *block = getenv("NEXTCL_CHANNEL_BLOCK");
    const struct ncl_tune_config config = {
        .session = {.device = &context->device,
                    .math = context->options.math,
                    .precision = context->options.precision,
                    .channel_block = context->channel_block,
                    .store = context->store,
                    .workers = ncl_context_workers(context)},
        .cache_dir = context->cache_dir,
        .channel_block_asked = context->options.channel_block || (block && block[0]),
        .options = options,
        .device_index = context->device_text[0] ? context->device_text : NULL,
    };

    return ncl_tune_network(&config, model->graph, dims, count, json);
}

ncl_status ncl_tune(ncl_context *context, const ncl_model *model, const ncl_tensor *inputs,
                    size_t input_count, const ncl_tune_options *options, char **json)
{
    struct ncl_dims *dims = NULL;
    ncl_status status = NCL_OK;

    if (json)
        *json = NULL;
    if (!context || !model || (!inputs && input_count))
        return ncl_fail_null("ncl_tune");
    if (!context->has_device)
        return ncl_fail(&context->log, NCL_ERROR_DEVICE, "the context was opened without a device");
    if (options)
        status = check_options(context, options);
    if (status == NCL_OK)
        status = ncl_input_dims(context, model, inputs, input_count, &dims);
    if (status == NCL_OK)
        status = tune(context, model, dims, (int)input_count, options, json);
    free(dims);
    return status;
}

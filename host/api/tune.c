#include "session/tune.h"
#include "api/context.h"

#include <stddef.h>
#include <stdlib.h>

/* A year: longer times are slips, and infinite ones no numbers to calculate with. */
#define MAX_SECONDS (365.0 * 86400)

static ncl_status check_seconds(const struct ncl_log *log, const char *what, double seconds)
{
    if (seconds >= 0 && seconds <= MAX_SECONDS) /* and no NaN */
        return NCL_OK;
    return ncl_fail(log, NCL_ERROR_USAGE,
                    "tuning options: a %s of %g seconds, expected 0 to %.0f (a year)", what,
                    seconds, MAX_SECONDS);
}

static ncl_status check_options(const struct ncl_context *context, const ncl_tune_options *o)
{
    ncl_status status = ncl_check_size(&context->log, "tuning options", o->struct_size,
                                       offsetof(ncl_tune_options, patience_seconds), sizeof *o);

    if (status == NCL_OK && ((int)o->effort < NCL_EFFORT_NORMAL || o->effort > NCL_EFFORT_FULL))
        status = ncl_fail(&context->log, NCL_ERROR_USAGE, "tuning options: unknown effort %d",
                          (int)o->effort);
    if (status == NCL_OK)
        status = check_seconds(&context->log, "budget", o->budget_seconds);
    if (status == NCL_OK && o->struct_size == sizeof *o)
        status = check_seconds(&context->log, "patience", o->patience_seconds);
    return status;
}

static ncl_status tune(ncl_context *context, const ncl_model *model, const struct ncl_dims *dims,
                       int count, const ncl_tune_options *options, char **json)
{
    const struct ncl_tune_config config = {
        .session = {.device = &context->device,
                    .math = context->options.math,
                    .precision = context->options.precision,
                    .channel_block = context->channel_block,
                    .store = context->store,
                    .workers = ncl_context_workers(context)},
        .cache_dir = context->cache_dir,
        .channel_block_asked = !context->channel_block_free,
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

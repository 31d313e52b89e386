/* A net of one convolution, whose candidates or defaults hang, crash or are refused. */
#ifndef NCL_TESTS_API_TUNE_SMALL_H
#define NCL_TESTS_API_TUNE_SMALL_H

#include "api/tune.h"

/* Seconds. A busy machine takes over one to compile a kernel, which is nobody's fault. */
#define PATIENCE 6.0

static const ncl_tensor input = {.rank = 4, .dims = {3, 3, 9, 9}};

static inline ncl_model *load(ncl_context *context)
{
    ncl_model *model;

    MUST(ncl_model_load(context, "tests/data/opset7.onnx", &model));
    return model;
}

/* Of a run that takes and closes the context. */
static inline json_t *tune_small(ncl_status status, ncl_context *context, ncl_tune_options options)
{
    ncl_model *model = load(context);
    json_t *report;

    options.worker = tune_worker;
    options.patience_seconds = PATIENCE;
    report = tune_until(status, context, model, &input, options);
    ncl_model_free(model);
    ncl_close(context);
    return report;
}

#endif

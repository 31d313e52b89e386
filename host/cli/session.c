#include "cli.h"

int cli_open_session(const struct cli_options *options, bool profile, struct cli_session *session,
                     ncl_tensor inputs[CLI_MAX_INPUTS], ncl_tensor outputs[CLI_MAX_INPUTS])
{
    ncl_status status;
    int failed = cli_open_context(options, NULL, NCL_MATH_AUTO, profile, &session->context);

    if (!failed)
        failed = cli_open_model(options, session->context, &session->model);
    if (!failed)
        failed = cli_random_inputs(options, session, options->batch, inputs);
    if (!failed)
        failed = cli_tune_first(options, session, inputs);
    if (failed)
        return failed;
    status = ncl_session_create(session->context, session->model, inputs,
                                ncl_model_input_count(session->model), &session->session);
    if (status != NCL_OK)
        return cli_fail_model(options, status);
    session->load_seconds = cli_seconds() - cli_process_start;
    return cli_make_outputs(session, outputs);
}

int cli_run_session(const struct cli_session *session, const ncl_tensor *inputs,
                    const ncl_tensor *outputs, double *seconds)
{
    const double start = cli_seconds();
    const ncl_status status =
        ncl_session_run(session->session, inputs, ncl_model_input_count(session->model), outputs,
                        ncl_model_output_count(session->model));

    *seconds = cli_seconds() - start;
    if (status != NCL_OK)
        return cli_fail_library(status);
    return cli_interrupted() ? cli_fail_interrupted() : 0;
}

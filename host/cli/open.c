#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Progress appears only on a terminal and after this long. */
#define QUIET_SECONDS 1.0

double cli_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *cli_math_name(ncl_math math)
{
    return math == NCL_MATH_FAST ? "fast" : math == NCL_MATH_REPRODUCIBLE ? "reproducible" : "auto";
}

const char *cli_precision_name(ncl_precision precision)
{
    return precision == NCL_FP16 ? "fp16" : "fp32";
}

/* Errors are printed where the command fails. */
static void write_log(void *user, ncl_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const struct cli_options *options = user;

    if (!options->verbose && level != NCL_LOG_WARNING)
        return;
    /* It does not join a line of progress, which is written again anyway. */
    fprintf(stderr, "%snextcl: %s: %s\n",
            !options->verbose && isatty(STDERR_FILENO) ? "\r\033[K" : "", names[level], message);
}

static int show_progress(void *user, const char *stage, size_t done, size_t total)
{
    const struct cli_options *options = user;
    const bool shown = !options->quiet && !options->verbose && !cli_watching() &&
                       isatty(STDERR_FILENO) && cli_seconds() - cli_process_start > QUIET_SECONDS;

    if (shown && done < total)
        fprintf(stderr, "\r\033[K%s (%zu of %zu)", stage, done + 1, total);
    else if (shown)
        fputs("\r\033[K", stderr);
    return cli_interrupted();
}

static int parse_math(const struct cli_options *options, ncl_math math_auto, ncl_math *math)
{
    const char *text = options->math ? options->math : "auto";

    if (strcmp(text, "auto") == 0)
        *math = math_auto;
    else if (strcmp(text, "reproducible") == 0)
        *math = NCL_MATH_REPRODUCIBLE;
    else if (strcmp(text, "fast") == 0)
        *math = NCL_MATH_FAST;
    else
        return cli_fail(NCL_ERROR_USAGE, "--math: expected auto, reproducible or fast, found '%s'",
                        text);
    return 0;
}

static int parse_precision(const struct cli_options *options, ncl_precision *precision)
{
    const char *text = options->precision ? options->precision : "fp32";

    *precision = strcmp(text, "fp16") == 0 ? NCL_FP16 : NCL_FP32;
    if (*precision == NCL_FP16 || strcmp(text, "fp32") == 0)
        return 0;
    return cli_fail(NCL_ERROR_USAGE, "--precision: expected fp32 or fp16, found '%s'", text);
}

int cli_open_context(const struct cli_options *options, const char *device, ncl_math math_auto,
                     bool profile, ncl_context **context)
{
    const char *const worker[] = {"/proc/self/exe", "compile-worker",
                                  options->verbose ? "--verbose" : NULL, NULL};
    ncl_options open;
    ncl_status status;
    int failed;

    *context = NULL;
    ncl_options_init(&open);
    failed = parse_math(options, math_auto, &open.math);
    if (!failed)
        failed = parse_precision(options, &open.precision);
    if (failed)
        return failed;
    open.device = device ? device : options->device;
    open.channel_block = options->channel_block;
    open.log = write_log;
    open.log_level = options->verbose ? NCL_LOG_DEBUG : NCL_LOG_WARNING;
    open.progress = show_progress;
    open.user = (void *)(uintptr_t)options; /* only read */
    open.profile = profile;
    open.worker = worker;
    status = ncl_open(&open, context);
    return status == NCL_OK ? 0 : cli_fail_library(status);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_later_format(const char *path)
{
    static const char *const endings[] = {".keras", ".h5", ".pth", ".pt", ".safetensors"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(path, endings[i]))
            return true;
    return false;
}

int cli_open_any_model(const struct cli_options *options, ncl_context *context, ncl_model **model)
{
    const char *path = options->arguments[0];
    const bool zoo = strncmp(path, "zoo:", 4) == 0;
    ncl_status status;

    *model = NULL;
    if (options->weights || options->arch)
        return cli_fail(NCL_ERROR_USAGE,
                        "--%s: weights files are not read in this release; export the model to "
                        "ONNX instead",
                        options->weights ? "weights" : "arch");
    if (!zoo && is_later_format(path))
        return cli_fail(NCL_ERROR_INPUT,
                        "%s: this release reads .onnx files; export the model to ONNX", path);
    if (zoo)
        status = ncl_model_zoo(context, path + 4, (uint64_t)options->seed, options->classes, model);
    else
        status = ncl_model_load(context, path, model);
    return status == NCL_OK ? 0 : cli_fail_library(status);
}

int cli_open_model(const struct cli_options *options, ncl_context *context, ncl_model **model)
{
    const int failed = cli_open_any_model(options, context, model);

    if (failed)
        return failed;
    if (ncl_model_input_count(*model) > CLI_MAX_INPUTS ||
        ncl_model_output_count(*model) > CLI_MAX_INPUTS)
        return cli_fail(NCL_ERROR_INPUT, "%s: more than %d inputs or outputs",
                        options->arguments[0], CLI_MAX_INPUTS);
    return 0;
}

void cli_close(struct cli_session *session)
{
    ncl_session_free(session->session);
    ncl_model_free(session->model);
    ncl_close(session->context);
    *session = (struct cli_session){0};
}

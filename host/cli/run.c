#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* DIR/<name, non-alphanumerics as _>.npy */
static int output_path(const char *directory, const char *name, char path[PATH_SIZE])
{
    const int length = snprintf(path, PATH_SIZE, "%s/%s.npy", directory, name);
    char *at = path + strlen(directory) + 1;

    if (length < 0 || length >= PATH_SIZE)
        return cli_fail(NCL_ERROR_INPUT, "output '%.60s...': the path is too long", name);
    for (; at < path + length - 4; at++)
        if (!isalnum((unsigned char)*at))
            *at = '_';
    return 0;
}

/* Can the directory be made, and written to? Asked before the work. */
static int check_directory(const char *directory)
{
    char path[PATH_SIZE];
    struct stat info;
    int reason;

    if (!*directory)
        return cli_fail(NCL_ERROR_USAGE, "--output-dir: expected a directory, found ''");
    if (snprintf(path, sizeof path, "%s", directory) >= (int)sizeof path)
        return cli_fail(NCL_ERROR_INPUT, "--output-dir: the path is too long");
    /* Up to the nearest that exists. */
    while (stat(path, &info) != 0) {
        char *slash = strrchr(path, '/');

        if (errno != ENOENT || strcmp(path, ".") == 0)
            return cli_fail(NCL_ERROR_INPUT, "--output-dir %s: cannot be created: %s", directory,
                            strerror(errno));
        if (slash)
            slash[slash == path] = 0;
        else
            snprintf(path, sizeof path, ".");
    }
    reason = S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    if (!reason && access(path, W_OK | X_OK) != 0)
        reason = errno;
    return reason ? cli_fail(NCL_ERROR_INPUT, "--output-dir %s: cannot be written: %s", directory,
                             strerror(reason))
                  : 0;
}

/* mkdir -p of what was checked. */
static int make_directory(const char *directory)
{
    char path[PATH_SIZE];
    struct stat info;
    int reason;

    snprintf(path, sizeof path, "%s", directory);
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        mkdir(path, 0777); /* what cannot be made shows at the last one */
        *at = '/';
    }
    if (mkdir(path, 0777) == 0)
        return 0;
    reason = errno == EEXIST ? ENOTDIR : errno;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    return cli_fail(NCL_ERROR_INPUT, "--output-dir %s: cannot be created: %s", directory,
                    strerror(reason));
}

/* Two names may differ only in characters that file names do not keep. */
static int check_paths(const struct cli_options *options, const struct cli_session *s)
{
    char path[PATH_SIZE], other[PATH_SIZE];
    int failed = 0;
    ncl_io io;

    for (size_t i = 0; !failed && i < ncl_model_output_count(s->model); i++) {
        ncl_session_output(s->session, i, &io);
        failed = output_path(options->output_dir, io.name, path);
        for (size_t k = 0; !failed && k < i; k++) {
            ncl_session_output(s->session, k, &io);
            if (output_path(options->output_dir, io.name, other) == 0 && strcmp(path, other) == 0)
                failed =
                    cli_fail(NCL_ERROR_INPUT, "outputs %zu and %zu: both would be %s", k, i, path);
        }
    }
    return failed;
}

/* All outputs or none. */
static int save_outputs(const struct cli_options *options, const struct cli_session *s,
                        const ncl_tensor *outputs, json_t *list)
{
    char path[PATH_SIZE];
    size_t written = 0;
    int failed = 0;
    ncl_io io;

    for (; !failed && written < ncl_model_output_count(s->model); written += !failed) {
        ncl_status status;

        ncl_session_output(s->session, written, &io);
        failed = output_path(options->output_dir, io.name, path);
        if (failed)
            break;
        status = ncl_tensor_save(s->context, path, &outputs[written]);
        if (status != NCL_OK)
            failed = cli_fail_library(status);
        else
            json_array_append_new(list, json_pack("{s:o, s:o}", "name", cli_json_text(io.name),
                                                  "path", cli_json_text(path)));
    }
    for (size_t i = 0; failed && i < written; i++) {
        ncl_session_output(s->session, i, &io);
        if (output_path(options->output_dir, io.name, path) == 0)
            unlink(path);
    }
    return failed;
}

static int report(const struct cli_options *options, const struct cli_session *s, json_t *list,
                  double seconds)
{
    char path[PATH_SIZE];
    ncl_io io;

    if (options->json) {
        json_t *root = json_pack("{s:O, s:f}", "outputs", list, "latency_ms", seconds * 1e3);

        cli_hint_add(options, s, root);
        return cli_print_json(root);
    }
    for (size_t i = 0; i < ncl_model_output_count(s->model); i++) {
        ncl_session_output(s->session, i, &io);
        if (output_path(options->output_dir, io.name, path) == 0)
            puts(path);
    }
    return 0;
}

static int run_model(const struct cli_options *options, struct cli_session *s, ncl_tensor *inputs,
                     ncl_tensor *outputs)
{
    const size_t input_count = ncl_model_input_count(s->model);
    const size_t output_count = ncl_model_output_count(s->model);
    json_t *list = json_array();
    double start;
    int failed = cli_load_inputs(options, s, inputs);
    ncl_status status;

    if (!failed)
        failed = cli_tune_first(options, s, inputs);
    if (!failed) {
        status = ncl_session_create(s->context, s->model, inputs, input_count, &s->session);
        failed = status == NCL_OK ? check_paths(options, s) : cli_fail_model(options, status);
    }
    if (!failed)
        failed = cli_make_outputs(s, outputs);
    start = cli_seconds();
    if (!failed) {
        status = ncl_session_run(s->session, inputs, input_count, outputs, output_count);
        failed = status == NCL_OK ? make_directory(options->output_dir) : cli_fail_library(status);
    }
    if (!failed && cli_interrupted())
        failed = cli_fail_interrupted();
    start = cli_seconds() - start;
    if (!failed)
        failed = save_outputs(options, s, outputs, list);
    if (!failed)
        failed = report(options, s, list, start);
    json_decref(list);
    return failed;
}

int cli_run(const struct cli_options *options)
{
    struct cli_session s = {0};
    ncl_tensor inputs[CLI_MAX_INPUTS] = {0}, outputs[CLI_MAX_INPUTS] = {0};
    int failed;

    if (!options->output_dir || !options->input_count)
        return cli_fail(NCL_ERROR_USAGE, "run: expected --%s (see nextcl run --help)",
                        options->output_dir ? "input x.npy" : "output-dir DIR");
    failed = check_directory(options->output_dir);
    if (!failed)
        failed = cli_open_context(options, NULL, NCL_MATH_AUTO, false, &s.context);
    if (!failed)
        failed = cli_open_model(options, s.context, &s.model);
    if (!failed)
        failed = run_model(options, &s, inputs, outputs);
    if (!failed)
        cli_hint_print(options, &s, inputs);
    cli_free_tensors(inputs, CLI_MAX_INPUTS);
    cli_free_tensors(outputs, CLI_MAX_INPUTS);
    cli_close(&s);
    return failed;
}

#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int open_all(const struct cli_options *options, struct cli_session *s, ncl_tensor *inputs)
{
    ncl_status status;
    /* Bit for bit is the point: auto means reproducible here. */
    int failed = cli_open_context(options, NULL, NCL_MATH_REPRODUCIBLE, false, &s->context);

    if (!failed)
        failed = cli_open_model(options, s->context, &s->model);
    if (failed)
        return failed;
    failed = options->input_count ? cli_load_inputs(options, s, inputs)
                                  : cli_random_inputs(options, s, options->batch, inputs);
    if (failed)
        return failed;
    status = ncl_session_create(s->context, s->model, inputs, ncl_model_input_count(s->model),
                                &s->session);
    return status == NCL_OK ? 0 : cli_fail_model(options, status);
}

static void print_layers(const json_t *layers)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        const json_int_t differing = json_integer_value(json_object_get(layer, "differing"));

        printf("  %-9s %-32s %s\n", differing ? "DIFFERENT" : "same",
               json_string_value(json_object_get(layer, "name")),
               json_string_value(json_object_get(layer, "algorithm")));
    }
}

static int print_verification(const struct cli_options *options, const char *json)
{
    json_t *root = json_loads(json, 0, NULL);
    const json_t *layers = json_object_get(root, "layers");

    if (options->json) {
        json_decref(root);
        return cli_print_report(json);
    }
    print_layers(layers);
    if (json_is_true(json_object_get(root, "identical")))
        printf("%zu layers, %s\n", json_array_size(layers),
               strcmp(json_string_value(json_object_get(root, "math")), "fast") == 0
                   ? "every one within the bound of --math fast"
                   : "every one bit-identical with the host oracle");
    json_decref(root);
    return 0;
}

static int verify_layers(const struct cli_options *options, struct cli_session *s,
                         const ncl_tensor *inputs)
{
    char *json = NULL;
    const ncl_status status =
        ncl_verify(s->session, inputs, ncl_model_input_count(s->model), &json);

    if (json)
        print_verification(options, json);
    ncl_free(json);
    return status == NCL_OK ? 0 : cli_fail_library(status);
}

/* ---- against given outputs ---- */

static int find_output(const struct cli_options *options, const struct cli_session *s, int expect)
{
    const char *name = options->expects[expect].name;
    int position = 0;

    for (int i = 0; !name && i < expect; i++)
        position += options->expects[i].name == NULL;
    for (size_t i = 0; i < ncl_model_output_count(s->model); i++) {
        ncl_io io;

        ncl_session_output(s->session, i, &io);
        if (name ? strcmp(io.name, name) == 0 : (int)i == position)
            return (int)i;
    }
    return -1;
}

static int check_same_shape(const char *path, const ncl_tensor *expected, const ncl_tensor *found)
{
    bool same = expected->rank == found->rank;

    for (int i = 0; same && i < found->rank; i++)
        same = expected->dims[i] == found->dims[i];
    return same ? 0
                : cli_fail(NCL_ERROR_INPUT, "%s: %zu elements of rank %d, the output has %zu of %d",
                           path, cli_elements(expected), expected->rank, cli_elements(found),
                           found->rank);
}

/* |found - expected| <= atol + rtol * |expected|; NaN equals NaN, an infinity itself. */
static int compare(const struct cli_options *options, const char *name, const char *path,
                   const ncl_tensor *expected, const ncl_tensor *found, double *worst)
{
    const float *e = expected->data, *f = found->data;
    size_t differing = 0, first = 0;

    *worst = 0;
    for (size_t i = 0; i < cli_elements(found); i++) {
        const double error = fabs((double)f[i] - (double)e[i]);
        const double bound = options->atol + options->rtol * fabs((double)e[i]);

        if ((isnan(f[i]) && isnan(e[i])) || f[i] == e[i])
            continue;
        *worst = error > *worst ? error : *worst;
        if (!(error <= bound && isfinite(e[i])) && !differing++)
            first = i;
    }
    if (!differing)
        return 0;
    return cli_fail(NCL_ERROR_MISMATCH,
                    "output '%s': %zu of %zu values differ from %s, first at %zu: expected %.9g, "
                    "found %.9g",
                    name, differing, cli_elements(found), path, first, (double)e[first],
                    (double)f[first]);
}

static int compare_one(const struct cli_options *options, const struct cli_session *s, int expect,
                       const ncl_tensor *outputs, json_t *findings)
{
    const char *path = options->expects[expect].path;
    const int index = find_output(options, s, expect);
    ncl_tensor expected = {0};
    double worst = 0;
    ncl_status status;
    ncl_io io;
    int failed;

    if (index < 0)
        return cli_fail(NCL_ERROR_USAGE, "--expect %s: the model has no such output", path);
    ncl_session_output(s->session, (size_t)index, &io);
    status = ncl_tensor_load(s->context, path, &expected);
    failed = status == NCL_OK ? check_same_shape(path, &expected, &outputs[index])
                              : cli_fail_library(status);
    if (!failed)
        failed = compare(options, io.name, path, &expected, &outputs[index], &worst);
    if (!failed)
        json_array_append_new(findings, json_pack("{s:s, s:o}", "name", io.name, "max_error",
                                                  cli_json_number(worst)));
    ncl_tensor_free(&expected);
    return failed;
}

static int verify_outputs(const struct cli_options *options, struct cli_session *s,
                          const ncl_tensor *inputs)
{
    ncl_tensor outputs[CLI_MAX_INPUTS] = {0};
    json_t *findings = json_array();
    int failed = cli_make_outputs(s, outputs);

    if (!failed) {
        const ncl_status status =
            ncl_session_run(s->session, inputs, ncl_model_input_count(s->model), outputs,
                            ncl_model_output_count(s->model));

        failed = status == NCL_OK ? 0 : cli_fail_library(status);
    }
    for (int i = 0; !failed && i < options->expect_count; i++)
        failed = compare_one(options, s, i, outputs, findings);
    if (!failed && options->json)
        failed = cli_print_json(json_pack("{s:b, s:O}", "within", 1, "outputs", findings));
    for (size_t i = 0; !failed && !options->json && i < json_array_size(findings); i++)
        printf("output %s: largest difference %.3g\n",
               json_string_value(json_object_get(json_array_get(findings, i), "name")),
               json_number_value(json_object_get(json_array_get(findings, i), "max_error")));
    json_decref(findings);
    cli_free_tensors(outputs, CLI_MAX_INPUTS);
    return failed;
}

int cli_verify(const struct cli_options *options)
{
    struct cli_session s = {0};
    ncl_tensor inputs[CLI_MAX_INPUTS] = {0};
    int failed = open_all(options, &s, inputs);

    if (!failed)
        failed = options->expect_count ? verify_outputs(options, &s, inputs)
                                       : verify_layers(options, &s, inputs);
    cli_free_tensors(inputs, CLI_MAX_INPUTS);
    cli_close(&s);
    return failed;
}

#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct bench {
    const struct cli_options *options;
    struct cli_session s;
    ncl_tensor inputs[CLI_MAX_INPUTS], outputs[CLI_MAX_INPUTS];
    double first_result; /* seconds since the process started */
    double *latency;     /* seconds, sorted after the runs */
    double peak_gflops;  /* of the device, measured after the runs */
    double *layer;       /* seconds per layer, summed over the runs */
};

static int setup(struct bench *b)
{
    struct cli_session *s = &b->s;
    ncl_status status;
    int failed = cli_open_context(b->options, NULL, NCL_MATH_AUTO, b->options->layers, &s->context);

    if (!failed)
        failed = cli_open_model(b->options, s->context, &s->model);
    if (!failed && (ncl_model_input_count(s->model) > CLI_MAX_INPUTS ||
                    ncl_model_output_count(s->model) > CLI_MAX_INPUTS))
        failed = cli_fail(NCL_ERROR_INPUT, "%s: more than %d inputs or outputs",
                          b->options->arguments[0], CLI_MAX_INPUTS);
    if (!failed)
        failed = cli_random_inputs(b->options, s, b->options->batch, b->inputs);
    if (failed)
        return failed;
    status = ncl_session_create(s->context, s->model, b->inputs, ncl_model_input_count(s->model),
                                &s->session);
    if (status != NCL_OK)
        return cli_fail_model(b->options, status);
    s->load_seconds = cli_seconds() - cli_process_start;
    failed = cli_make_outputs(s, b->outputs);
    b->latency = calloc((size_t)b->options->repeat + 1, sizeof(double));
    b->layer = calloc(ncl_session_layer_count(s->session) + 1, sizeof(double));
    if (!failed && (!b->latency || !b->layer))
        failed = cli_fail(NCL_ERROR_MEMORY, "out of memory: %d timings", b->options->repeat);
    return failed;
}

static int run_once(struct bench *b, double *seconds)
{
    const double start = cli_seconds();
    const ncl_status status =
        ncl_session_run(b->s.session, b->inputs, ncl_model_input_count(b->s.model), b->outputs,
                        ncl_model_output_count(b->s.model));

    *seconds = cli_seconds() - start;
    if (status != NCL_OK)
        return cli_fail_library(status);
    return cli_interrupted() ? cli_fail_interrupted() : 0;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void add_layers(struct bench *b)
{
    for (size_t i = 0; i < ncl_session_layer_count(b->s.session); i++) {
        ncl_layer layer;

        if (ncl_session_layer(b->s.session, i, &layer) == NCL_OK)
            b->layer[i] += layer.seconds;
    }
}

static int measure(struct bench *b)
{
    double seconds;
    int failed = run_once(b, &seconds);

    b->first_result = cli_seconds() - cli_process_start;
    for (int i = 1; !failed && i < b->options->warmup; i++)
        failed = run_once(b, &seconds);
    for (int i = 0; !failed && i < b->options->repeat; i++) {
        failed = run_once(b, &b->latency[i]);
        add_layers(b);
    }
    qsort(b->latency, (size_t)b->options->repeat, sizeof(double), compare_doubles);
    if (!failed) {
        const ncl_status status = ncl_session_peak_gflops(b->s.session, &b->peak_gflops);

        failed = status == NCL_OK ? 0 : cli_fail_library(status);
    }
    return failed;
}

/* Nearest rank of the sorted latencies, in ms. */
static double percentile(const struct bench *b, double share)
{
    const int count = b->options->repeat;
    int rank = (int)(share * count + 0.999999) - 1;

    rank = rank < 0 ? 0 : rank >= count ? count - 1 : rank;
    return b->latency[rank] * 1e3;
}

static double median_ms(const struct bench *b)
{
    const int count = b->options->repeat;

    return (b->latency[(count - 1) / 2] + b->latency[count / 2]) / 2 * 1e3;
}

static json_t *layers_json(const struct bench *b)
{
    json_t *layers = json_array();

    for (size_t i = 0; i < ncl_session_layer_count(b->s.session); i++) {
        const double seconds = b->layer[i] / b->options->repeat;
        ncl_layer layer;

        ncl_session_layer(b->s.session, i, &layer);
        json_array_append_new(
            layers,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f}", "name", layer.name, "op",
                      layer.op, "kind", layer.kind, "algorithm", layer.algorithm, "params",
                      layer.params, "source", layer.source, "macs", layer.macs, "ms", seconds * 1e3,
                      "gflops", seconds > 0 ? 2 * layer.macs / seconds * 1e-9 : 0.0));
    }
    return layers;
}

static json_t *result_json(const struct bench *b)
{
    const int64_t batch = b->inputs[0].rank ? b->inputs[0].dims[0] : 1;
    ncl_device_info device;
    ncl_session_stats stats;
    struct rusage usage;
    json_t *latency, *root;

    ncl_context_device(b->s.context, &device);
    ncl_session_statistics(b->s.session, &stats);
    getrusage(RUSAGE_SELF, &usage);
    latency =
        json_pack("{s:f, s:f, s:f, s:f}", "min", b->latency[0] * 1e3, "median", median_ms(b), "p95",
                  percentile(b, 0.95), "max", b->latency[b->options->repeat - 1] * 1e3);
    root = json_pack("{s:s, s:s, s:I, s:s, s:s, s:f, s:f, s:o, s:f, s:f}", "model",
                     b->options->arguments[0], "device", device.name, "batch", (json_int_t)batch,
                     "precision", "fp32", "math", cli_math_name(stats.math), "load_s",
                     b->s.load_seconds, "first_result_s", b->first_result, "latency_ms", latency,
                     "images_per_s", (double)batch / median_ms(b) * 1e3, "gflops",
                     2 * stats.macs / median_ms(b) * 1e-6);
    json_object_update_new(root,
                           json_pack("{s:f, s:I, s:I, s:i, s:o}", "peak_gflops", b->peak_gflops,
                                     "peak_device_bytes", (json_int_t)stats.peak_device_bytes,
                                     "peak_host_bytes", (json_int_t)usage.ru_maxrss * 1024,
                                     "launches", stats.launches, "layers", layers_json(b)));
    return root;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_layer_line(const json_t *layer, double total)
{
    printf("  %-32.32s %-10s %-14s %-20s %8.3f ms %5.1f %% %7.1f GFLOP/s\n",
           json_string_value(json_object_get(layer, "name")),
           json_string_value(json_object_get(layer, "kind")),
           json_string_value(json_object_get(layer, "algorithm")),
           json_string_value(json_object_get(layer, "params")), number(layer, "ms"),
           total > 0 ? 100 * number(layer, "ms") / total : 0.0, number(layer, "gflops"));
}

static void print_text(const struct bench *b, const json_t *root)
{
    const json_t *latency = json_object_get(root, "latency_ms");
    const json_t *layers = json_object_get(root, "layers");
    double total = 0;

    printf("%s on %s, batch %.0f, fp32, math %s\n", b->options->arguments[0],
           json_string_value(json_object_get(root, "device")), number(root, "batch"),
           json_string_value(json_object_get(root, "math")));
    printf("latency   %.2f ms median, %.2f min, %.2f p95, %.2f max over %d runs\n",
           number(latency, "median"), number(latency, "min"), number(latency, "p95"),
           number(latency, "max"), b->options->repeat);
    printf("speed     %.1f images/s, %.1f GFLOP/s", number(root, "images_per_s"),
           number(root, "gflops"));
    printf(" of %.1f measured peak, %.0f launches\n", number(root, "peak_gflops"),
           number(root, "launches"));
    printf("start     ready after %.2f s, first result after %.2f s\n", number(root, "load_s"),
           number(root, "first_result_s"));
    printf("memory    %.1f MiB on the device, %.1f MiB of host peak\n",
           number(root, "peak_device_bytes") / 1048576, number(root, "peak_host_bytes") / 1048576);
    for (size_t i = 0; i < json_array_size(layers); i++)
        total += number(json_array_get(layers, i), "ms");
    for (size_t i = 0; b->options->layers && i < json_array_size(layers); i++)
        print_layer_line(json_array_get(layers, i), total);
}

int cli_bench(const struct cli_options *options)
{
    struct bench b = {.options = options};
    int failed = setup(&b);

    if (!failed)
        failed = measure(&b);
    if (!failed) {
        json_t *root = result_json(&b);

        if (!options->json)
            print_text(&b, root);
        failed = options->json ? cli_print_json(root) : 0;
        if (!options->json)
            json_decref(root);
    }
    cli_free_tensors(b.inputs, CLI_MAX_INPUTS);
    cli_free_tensors(b.outputs, CLI_MAX_INPUTS);
    free(b.latency);
    free(b.layer);
    cli_close(&b.s);
    return failed;
}

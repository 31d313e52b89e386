#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct bench {
    const struct cli_options *options;
    struct cli_session s;
    ncl_tensor inputs[CLI_MAX_INPUTS], outputs[CLI_MAX_INPUTS];
    double first_result;   /* seconds since the process started */
    double *latency;       /* seconds, sorted after the runs */
    double median;         /* of them */
    json_int_t host_bytes; /* peak of the process, before the device's peaks are measured */
    struct cli_layers layers;
};

static int setup(struct bench *b)
{
    int failed = cli_open_session(b->options, b->options->layers, &b->s, b->inputs, b->outputs);

    if (failed)
        return failed;
    b->latency = calloc((size_t)b->options->repeat + 1, sizeof(double));
    if (!b->latency)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: %d timings", b->options->repeat);
    return cli_layers_init(&b->layers, &b->s, b->options->repeat);
}

static int measure(struct bench *b)
{
    struct rusage usage;
    double seconds;
    int failed = cli_run_session(&b->s, b->inputs, b->outputs, &seconds);

    b->first_result = cli_seconds() - cli_process_start;
    for (int i = 1; !failed && i < b->options->warmup; i++)
        failed = cli_run_session(&b->s, b->inputs, b->outputs, &seconds);
    for (int i = 0; !failed && i < b->options->repeat; i++) {
        failed = cli_run_session(&b->s, b->inputs, b->outputs, &b->latency[i]);
        cli_layers_add(&b->layers, &b->s);
    }
    getrusage(RUSAGE_SELF, &usage);
    b->host_bytes = (json_int_t)usage.ru_maxrss * 1024;
    b->median = cli_median(b->latency, b->options->repeat);
    return failed ? failed : cli_layers_finish(&b->layers, &b->s, b->options->layers);
}

/* Nearest rank of the sorted latencies, in ms. */
static double percentile(const struct bench *b, double share)
{
    const int count = b->options->repeat;
    int rank = (int)(share * count + 0.999999) - 1;

    rank = rank < 0 ? 0 : rank >= count ? count - 1 : rank;
    return b->latency[rank] * 1e3;
}

static void add_layers(const struct bench *b, json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");

    json_object_set_new(root, "peak_gbytes_per_s", json_real(b->layers.peak_gbytes));
    json_object_set_new(root, "layers_sum", cli_layers_sum_json(&b->layers, b->median * 1e3));
    json_object_set_new(root, "kinds", cli_kinds_json(layers));
}

static json_t *result_json(const struct bench *b)
{
    const int64_t batch = b->inputs[0].rank ? b->inputs[0].dims[0] : 1;
    ncl_device_info device;
    ncl_session_stats stats;
    json_t *latency, *root;

    ncl_context_device(b->s.context, &device);
    ncl_session_statistics(b->s.session, &stats);
    latency =
        json_pack("{s:f, s:f, s:f, s:f}", "min", b->latency[0] * 1e3, "median", b->median * 1e3,
                  "p95", percentile(b, 0.95), "max", b->latency[b->options->repeat - 1] * 1e3);
    root = json_pack("{s:o, s:o, s:I, s:s, s:s, s:f, s:f, s:o, s:f, s:f}", "model",
                     cli_json_text(b->options->arguments[0]), "device", cli_json_text(device.name),
                     "batch", (json_int_t)batch, "precision", cli_precision_name(stats.precision),
                     "math", cli_math_name(stats.math), "load_s", b->s.load_seconds,
                     "first_result_s", b->first_result, "latency_ms", latency, "images_per_s",
                     (double)batch / b->median, "gflops", 2 * stats.macs / b->median * 1e-9);
    json_object_update_new(root, json_pack("{s:f, s:I, s:I, s:i, s:o}", "peak_gflops",
                                           b->layers.peak_gflops, "peak_device_bytes",
                                           (json_int_t)stats.peak_device_bytes, "peak_host_bytes",
                                           b->host_bytes, "launches", stats.launches, "layers",
                                           cli_layers_json(&b->layers)));
    if (b->options->layers)
        add_layers(b, root);
    if (b->options->json)
        cli_hint_add(b->options, &b->s, root);
    return root;
}

static void print_text(const struct bench *b, const json_t *root)
{
    const json_t *latency = json_object_get(root, "latency_ms");

    printf("%s on %s, batch %.0f, %s, math %s\n", b->options->arguments[0],
           cli_text(root, "device"), cli_number(root, "batch"), cli_text(root, "precision"),
           cli_text(root, "math"));
    printf("latency   %.2f ms median, %.2f min, %.2f p95, %.2f max over %d runs\n",
           cli_number(latency, "median"), cli_number(latency, "min"), cli_number(latency, "p95"),
           cli_number(latency, "max"), b->options->repeat);
    printf("speed     %.1f images/s, %.1f GFLOP/s", cli_number(root, "images_per_s"),
           cli_number(root, "gflops"));
    printf(" of %.1f measured peak, %.0f launches\n", cli_number(root, "peak_gflops"),
           cli_number(root, "launches"));
    printf("start     ready after %.2f s, first result after %.2f s\n", cli_number(root, "load_s"),
           cli_number(root, "first_result_s"));
    printf("memory    %.1f MiB on the device, %.1f MiB of host peak\n",
           cli_number(root, "peak_device_bytes") / 1048576,
           cli_number(root, "peak_host_bytes") / 1048576);
    if (!b->options->layers)
        return;
    printf("peaks     %.1f GFLOP/s of %s, %.1f GB/s copied\n", cli_number(root, "peak_gflops"),
           strcmp(cli_text(root, "math"), "fast") == 0 ? "mad" : "fma",
           cli_number(root, "peak_gbytes_per_s"));
    cli_layers_sum_print(json_object_get(root, "layers_sum"));
    cli_layers_print(json_object_get(root, "layers"));
    cli_chunks_print(json_object_get(root, "layers"));
    cli_kinds_print(json_object_get(root, "kinds"));
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
    if (!failed)
        cli_hint_print(options, &b.s, b.inputs);
    cli_free_tensors(b.inputs, CLI_MAX_INPUTS);
    cli_free_tensors(b.outputs, CLI_MAX_INPUTS);
    free(b.latency);
    cli_layers_free(&b.layers);
    cli_close(&b.s);
    return failed;
}

#include "layers.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct profile {
    const struct cli_options *options;
    struct cli_session s;
    ncl_tensor inputs[CLI_MAX_INPUTS], outputs[CLI_MAX_INPUTS];
    double *latency; /* seconds, per run */
    struct cli_layers layers;
    struct cli_trace trace;
};

static int setup(struct profile *p)
{
    int failed = p->options->trace ? cli_check_writable(p->options->trace) : 0;

    if (!failed)
        failed = cli_open_session(p->options, true, &p->s, p->inputs, p->outputs);
    if (failed)
        return failed;
    p->latency = calloc((size_t)p->options->repeat + 1, sizeof(double));
    if (!p->latency)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: %d timings", p->options->repeat);
    failed = cli_layers_init(&p->layers, &p->s, p->options->repeat);
    return failed ? failed : cli_trace_init(&p->trace);
}

static int measure(struct profile *p)
{
    double seconds;
    int failed = 0;

    for (int i = 0; !failed && i < p->options->warmup; i++)
        failed = cli_run_session(&p->s, p->inputs, p->outputs, &seconds);
    for (int i = 0; !failed && i < p->options->repeat; i++) {
        failed = cli_run_session(&p->s, p->inputs, p->outputs, &p->latency[i]);
        cli_layers_add(&p->layers, &p->s);
        if (!failed)
            failed = cli_trace_add(&p->trace, &p->s, p->latency[i]);
    }
    return failed ? failed : cli_layers_finish(&p->layers, &p->s, true);
}

static json_t *result_json(struct profile *p, const char *device)
{
    const double median = 1e3 * cli_median(p->latency, p->options->repeat);
    const char *clock = cli_trace_clock(&p->trace);
    ncl_session_stats stats;
    json_t *layers, *root;

    /* Times of a broken clock are nobody's. */
    if (strcmp(clock, "device") != 0)
        cli_layers_forget(&p->layers);
    ncl_session_statistics(p->s.session, &stats);
    layers = cli_layers_json(&p->layers);
    root = json_pack(
        "{s:o, s:o, s:I, s:s, s:s, s:s, s:o, s:i, s:f, s:f, s:f}", "model",
        cli_json_text(p->options->arguments[0]), "device", cli_json_text(device), "batch",
        (json_int_t)(p->inputs[0].rank ? p->inputs[0].dims[0] : 1), "precision",
        cli_precision_name(stats.precision), "math", cli_math_name(stats.math), "clock", clock,
        "trace", cli_json_text(p->options->trace), "runs", p->options->repeat, "latency_ms", median,
        "peak_gflops", p->layers.peak_gflops, "peak_gbytes_per_s", p->layers.peak_gbytes);
    json_object_set_new(root, "layers_sum", cli_layers_sum_json(&p->layers, median));
    json_object_set_new(root, "kinds", cli_kinds_json(layers));
    json_object_set_new(root, "layers", layers);
    return root;
}

static void print_text(const struct cli_options *options, const json_t *root)
{
    const char *clock = cli_text(root, "clock");

    printf("%s on %s, batch %.0f, %s, math %s\n", options->arguments[0], cli_text(root, "device"),
           cli_number(root, "batch"), cli_text(root, "precision"), cli_text(root, "math"));
    printf("latency   %.3f ms median over %.0f runs\n", cli_number(root, "latency_ms"),
           cli_number(root, "runs"));
    printf("peaks     %.1f GFLOP/s, %.1f GB/s copied\n", cli_number(root, "peak_gflops"),
           cli_number(root, "peak_gbytes_per_s"));
    if (strcmp(clock, "broken") == 0)
        puts("clock     broken: times that are missing, zero or out of order; none is used");
    else if (strcmp(clock, "none") == 0)
        puts("clock     none: the device's queue gives no times");
    cli_layers_sum_print(json_object_get(root, "layers_sum"));
    cli_layers_print(json_object_get(root, "layers"));
    cli_chunks_print(json_object_get(root, "layers"));
    cli_kinds_print(json_object_get(root, "kinds"));
    if (options->trace)
        printf("timeline  %s: open it in https://ui.perfetto.dev or chrome://tracing\n",
               options->trace);
}

static int report(struct profile *p)
{
    ncl_device_info device;
    json_t *root;
    int failed = 0;

    ncl_context_device(p->s.context, &device);
    if (p->options->trace)
        failed = cli_write_json(p->options->trace,
                                cli_trace_json(&p->trace, p->options->arguments[0], device.name));
    if (failed)
        return failed;
    root = result_json(p, device.name);
    if (p->options->json)
        return cli_print_json(root);
    print_text(p->options, root);
    json_decref(root);
    return 0;
}

int cli_profile(const struct cli_options *options)
{
    struct profile p = {.options = options};
    int failed = setup(&p);

    if (!failed)
        failed = measure(&p);
    if (!failed)
        failed = report(&p);
    cli_free_tensors(p.inputs, CLI_MAX_INPUTS);
    cli_free_tensors(p.outputs, CLI_MAX_INPUTS);
    free(p.latency);
    cli_layers_free(&p.layers);
    cli_trace_free(&p.trace);
    cli_close(&p.s);
    return failed;
}

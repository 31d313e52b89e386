#include "layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gaps between launches, transfers and the host's own work are the rest of a latency. */
#define AGREEMENT 0.10

double cli_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *cli_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double cli_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

int cli_layers_init(struct cli_layers *layers, const struct cli_session *session, int runs)
{
    *layers = (struct cli_layers){.count = ncl_session_layer_count(session->session), .runs = runs};
    layers->seconds = calloc(layers->count * (size_t)runs + 1, sizeof(double));
    return layers->seconds ? 0
                           : cli_fail(NCL_ERROR_MEMORY, "out of memory: %d timings of %zu layers",
                                      runs, layers->count);
}

void cli_layers_forget(struct cli_layers *layers)
{
    memset(layers->seconds, 0, layers->count * (size_t)layers->runs * sizeof *layers->seconds);
}

void cli_layers_free(struct cli_layers *layers)
{
    free(layers->seconds);
    json_decref(layers->described);
    *layers = (struct cli_layers){0};
}

void cli_layers_add(struct cli_layers *layers, const struct cli_session *session)
{
    for (size_t i = 0; i < layers->count && layers->added < layers->runs; i++) {
        ncl_layer layer;

        if (ncl_session_layer(session->session, i, &layer) == NCL_OK)
            layers->seconds[i * (size_t)layers->runs + (size_t)layers->added] = layer.seconds;
    }
    layers->added++;
}

static int describe(struct cli_layers *layers, const struct cli_session *session)
{
    char *text = NULL;
    json_t *report;
    const ncl_status status =
        ncl_report(session->context, NCL_REPORT_SESSION, session->session, &text);

    if (status != NCL_OK)
        return cli_fail_library(status);
    report = json_loads(text, 0, NULL);
    ncl_free(text);
    layers->described = json_incref(json_object_get(report, "layers"));
    json_decref(report);
    return layers->described ? 0 : cli_fail(NCL_ERROR_MEMORY, "out of memory: layers");
}

int cli_layers_finish(struct cli_layers *layers, const struct cli_session *session, bool memory)
{
    ncl_status status = ncl_session_peak_gflops(session->session, &layers->peak_gflops);

    if (status == NCL_OK && memory)
        status = ncl_session_peak_gbytes(session->session, &layers->peak_gbytes);
    return status == NCL_OK ? describe(layers, session) : cli_fail_library(status);
}

static json_t *share_of(double part, double whole)
{
    return whole > 0 ? json_real(part / whole) : json_null();
}

static double *medians(const struct cli_layers *layers, double *total)
{
    const size_t runs = (size_t)layers->runs;
    double *ms = calloc(layers->count + 1, sizeof *ms);
    double *sorted = calloc(runs + 1, sizeof *sorted);

    *total = 0;
    for (size_t i = 0; ms && sorted && i < layers->count; i++) {
        memcpy(sorted, &layers->seconds[i * runs], runs * sizeof *sorted);
        ms[i] = 1e3 * cli_median(sorted, layers->runs);
        *total += ms[i];
    }
    free(sorted);
    return ms;
}

json_t *cli_layers_json(const struct cli_layers *layers)
{
    double total;
    double *ms = medians(layers, &total);
    json_t *array = ms ? json_array() : NULL;

    for (size_t i = 0; array && i < layers->count; i++) {
        const json_t *from = json_array_get(layers->described, i);
        const double macs = cli_number(from, "macs");
        const double gflops = ms[i] > 0 ? 2e-6 * macs / ms[i] : 0.0;
        json_t *layer = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f}", "name", cli_text(from, "name"), "op",
            cli_text(from, "op"), "kind", cli_text(from, "kind"), "algorithm",
            cli_text(from, "algorithm"), "params", cli_text(from, "params"), "source",
            cli_text(from, "source"), "macs", macs, "ms", ms[i], "gflops", gflops);

        json_object_update_new(
            layer, json_pack("{s:o, s:o, s:o}", "share", share_of(ms[i], total), "peak_share",
                             share_of(gflops, macs > 0 ? layers->peak_gflops : 0), "gbytes_per_s",
                             share_of(1e-6 * cli_number(from, "bytes"), ms[i])));
        if (json_object_get(from, "chunk_images"))
            json_object_set(layer, "chunk_images", json_object_get(from, "chunk_images"));
        json_array_append_new(array, layer);
    }
    free(ms);
    return array;
}

static json_t *find_kind(const json_t *kinds, const char *name)
{
    for (size_t i = 0; i < json_array_size(kinds); i++)
        if (strcmp(cli_text(json_array_get(kinds, i), "kind"), name) == 0)
            return json_array_get(kinds, i);
    return NULL;
}

static void add_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, json_real(cli_number(object, key) + value));
}

/* A layer without a share of peak has no work that counts as multiply-accumulates. */
static void add_to_kind(json_t *kind, const json_t *layer)
{
    const double macs = cli_number(layer, "macs"), share = cli_number(layer, "peak_share");
    double ms, gflops;

    json_object_set_new(kind, "layers", json_integer((json_int_t)cli_number(kind, "layers") + 1));
    add_number(kind, "ms", cli_number(layer, "ms"));
    add_number(kind, "share", cli_number(layer, "share"));
    add_number(kind, "macs", macs);
    ms = cli_number(kind, "ms");
    gflops = ms > 0 ? 2e-6 * cli_number(kind, "macs") / ms : 0;
    json_object_set_new(kind, "gflops", json_real(gflops));
    json_object_set_new(kind, "peak_share",
                        share > 0 ? json_real(gflops * share / cli_number(layer, "gflops"))
                                  : json_null());
}

static json_t *sorted_by_time(json_t *kinds)
{
    json_t *sorted = json_array();

    while (sorted && json_array_size(kinds) > 0) {
        size_t best = 0;

        for (size_t i = 1; i < json_array_size(kinds); i++)
            if (cli_number(json_array_get(kinds, i), "ms") >
                cli_number(json_array_get(kinds, best), "ms"))
                best = i;
        json_array_append(sorted, json_array_get(kinds, best));
        json_array_remove(kinds, best);
    }
    json_decref(kinds);
    return sorted;
}

json_t *cli_kinds_json(const json_t *layers)
{
    json_t *kinds = json_array();

    for (size_t i = 0; kinds && i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        json_t *kind = find_kind(kinds, cli_text(layer, "kind"));

        if (!kind) {
            kind = json_pack("{s:s, s:i, s:f, s:f, s:f}", "kind", cli_text(layer, "kind"), "layers",
                             0, "ms", 0.0, "share", 0.0, "macs", 0.0);
            json_array_append_new(kinds, kind);
        }
        add_to_kind(kind, layer);
    }
    return kinds ? sorted_by_time(kinds) : NULL;
}

/* The median run's, so that a run that was disturbed counts on neither side. */
static double sum_ms(const struct cli_layers *layers)
{
    double *sums = calloc((size_t)layers->runs + 1, sizeof *sums);
    double ms = 0;

    for (size_t i = 0; sums && i < layers->count * (size_t)layers->runs; i++)
        sums[i % (size_t)layers->runs] += 1e3 * layers->seconds[i];
    if (sums)
        ms = cli_median(sums, layers->runs);
    free(sums);
    return ms;
}

json_t *cli_layers_sum_json(const struct cli_layers *layers, double latency_ms)
{
    const double ms = sum_ms(layers), ratio = latency_ms > 0 ? ms / latency_ms : 0;

    return json_pack("{s:f, s:f, s:f, s:b}", "ms", ms, "latency_ms", latency_ms, "ratio", ratio,
                     "agree", fabs(ratio - 1) <= AGREEMENT);
}

/* Blank where there is nothing to say. */
static void print_number(const json_t *object, const char *key, double factor, const char *format,
                         int width)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_number(value) && json_number_value(value) > 0)
        printf(format, factor * json_number_value(value));
    else
        printf("%*s", width, "");
}

void cli_layers_print(const json_t *layers)
{
    printf("  %-32s %-10s %-14s %9s %7s %9s %6s %7s  %s\n", "layer", "kind", "algorithm", "ms",
           "share", "GFLOP/s", "peak", "GB/s", "parameters");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        printf("  %-32.32s %-10s %-14s %9.3f", cli_text(layer, "name"), cli_text(layer, "kind"),
               cli_text(layer, "algorithm"), cli_number(layer, "ms"));
        print_number(layer, "share", 100, " %5.1f %%", 8);
        print_number(layer, "gflops", 1, " %9.1f", 10);
        print_number(layer, "peak_share", 100, " %4.0f %%", 7);
        print_number(layer, "gbytes_per_s", 1, " %7.1f", 8);
        printf("  %s\n", cli_text(layer, "params"));
    }
}

void cli_chunks_print(const json_t *layers)
{
    const size_t count = json_array_size(layers);
    size_t end = 0;

    for (size_t i = 0; i < count; i = end) {
        const json_t *first = json_array_get(layers, i);
        const double images = cli_number(first, "chunk_images");

        for (end = i; end < count; end++)
            if (cli_number(json_array_get(layers, end), "chunk_images") != images)
                break;
        if (images > 0)
            printf("chunks    %zu layers, from %s to %s, take %.0f image%s at a time\n", end - i,
                   cli_text(first, "name"), cli_text(json_array_get(layers, end - 1), "name"),
                   images, images == 1 ? "" : "s");
    }
}

void cli_kinds_print(const json_t *kinds)
{
    printf("  %-32s %-10s %-14s %9s %7s %9s %6s\n", "kind", "layers", "", "ms", "share", "GFLOP/s",
           "peak");
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *kind = json_array_get(kinds, i);

        printf("  %-32s %-10.0f %-14s %9.3f", cli_text(kind, "kind"), cli_number(kind, "layers"),
               "", cli_number(kind, "ms"));
        print_number(kind, "share", 100, " %5.1f %%", 8);
        print_number(kind, "gflops", 1, " %9.1f", 10);
        print_number(kind, "peak_share", 100, " %4.0f %%", 7);
        putchar('\n');
    }
}

void cli_layers_sum_print(const json_t *sum)
{
    if (cli_number(sum, "ms") <= 0) {
        puts("layers    the device gives no times that can be believed");
        return;
    }
    printf("layers    %.3f ms together, %.2f of the median latency: %s 10 %%\n",
           cli_number(sum, "ms"), cli_number(sum, "ratio"),
           json_is_true(json_object_get(sum, "agree")) ? "agree within" : "differ by more than");
}

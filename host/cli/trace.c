#include "trace.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOST_ROW = 1, DEVICE_ROW = 2 };
enum { QUEUED, SUBMITTED, STARTED, ENDED }; /* of device_ns */
#define PROCESS 1

int cli_trace_init(struct cli_trace *trace)
{
    *trace = (struct cli_trace){json_array(), json_array()};
    return trace->reports && trace->latencies
               ? 0
               : cli_fail(NCL_ERROR_MEMORY, "out of memory: a timeline");
}

int cli_trace_add(struct cli_trace *trace, const struct cli_session *session, double latency)
{
    char *text = NULL;
    const ncl_status status =
        ncl_report(session->context, NCL_REPORT_SESSION, session->session, &text);
    json_t *report;

    if (status != NCL_OK)
        return cli_fail_library(status);
    report = json_loads(text, 0, NULL);
    ncl_free(text);
    if (!report || json_array_append_new(trace->reports, report) ||
        json_array_append_new(trace->latencies, json_real(latency)))
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a timeline");
    return 0;
}

void cli_trace_free(struct cli_trace *trace)
{
    json_decref(trace->reports);
    json_decref(trace->latencies);
    *trace = (struct cli_trace){0};
}

const char *cli_trace_clock(const struct cli_trace *trace)
{
    for (size_t i = 0; i < json_array_size(trace->reports); i++) {
        const char *clock =
            json_string_value(json_object_get(json_array_get(trace->reports, i), "clock"));

        if (strcmp(clock, "device") != 0)
            return strcmp(clock, "broken") == 0 ? "broken" : "none";
    }
    return "device";
}

static int64_t time_at(const json_t *command, const char *key, size_t index)
{
    return json_integer_value(json_array_get(json_object_get(command, key), index));
}

/* ---- the device's clock against the host's ---- */

/* host = device + offset: a command was queued between the host's times around its enqueue, which
 * narrows the offset from both sides. */
struct alignment {
    int64_t low, high;
};

static int64_t offset_of(const struct alignment *a)
{
    return a->low + (a->high - a->low) / 2;
}

/* How far off the offset may be. Bounds that cross come from clocks that drift, or from drivers
 * that stamp a command after they have returned. */
static double doubt_of(const struct alignment *a)
{
    return 0.5e-3 * fabs((double)(a->high - a->low));
}

static void align_to(struct alignment *a, const json_t *commands)
{
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *command = json_array_get(commands, i);
        const int64_t queued = time_at(command, "device_ns", QUEUED);
        const int64_t low = time_at(command, "host_ns", 0) - queued;
        const int64_t high = time_at(command, "host_ns", 1) - queued;

        if (!queued)
            continue;
        a->low = low > a->low ? low : a->low;
        a->high = high < a->high ? high : a->high;
    }
}

/* ---- events ---- */

struct writer {
    json_t *events;
    int64_t start; /* of the first run, host ns: the timeline's 0 */
    struct alignment alignment;
    int run;
    bool device;
};

static json_t *complete(const char *name, const char *category, int row, double start_ns,
                        double end_ns, json_t *args)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:o}", "name", name, "cat", category,
                     "ph", "X", "pid", PROCESS, "tid", row, "ts", start_ns * 1e-3, "dur",
                     (end_ns - start_ns) * 1e-3, "args", args);
}

static void copy_key(json_t *args, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    if (value)
        json_object_set(args, key, value);
}

static json_t *arguments(const struct writer *w, const json_t *command, bool timed)
{
    static const char *const keys[] = {"op",   "kind",  "algorithm", "params", "source",
                                       "macs", "input", "output",    "bytes",  "first_image"};
    const double ns =
        (double)(time_at(command, "device_ns", ENDED) - time_at(command, "device_ns", STARTED));
    const double macs = json_number_value(json_object_get(command, "macs"));
    json_t *args = json_pack("{s:i}", "run", w->run);

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        copy_key(args, command, keys[i]);
    if (timed && ns > 0 && macs > 0)
        json_object_set_new(args, "gflops", json_real(2 * macs / ns));
    return args;
}

static void add_enqueue(struct writer *w, const json_t *command, const char *name)
{
    json_array_append_new(w->events, complete(name, "enqueue", HOST_ROW,
                                              (double)(time_at(command, "host_ns", 0) - w->start),
                                              (double)(time_at(command, "host_ns", 1) - w->start),
                                              json_pack("{s:i}", "run", w->run)));
}

static void add_device(struct writer *w, const json_t *command, const char *name,
                       const char *category)
{
    const int64_t shift = offset_of(&w->alignment) - w->start;
    const int64_t started = time_at(command, "device_ns", STARTED);
    json_t *args = arguments(w, command, true);

    json_object_update_new(
        args,
        json_pack("{s:f, s:f}", "queued_us",
                  1e-3 * (double)(time_at(command, "device_ns", QUEUED) + shift), "submitted_us",
                  1e-3 * (double)(time_at(command, "device_ns", SUBMITTED) + shift)));
    json_array_append_new(w->events,
                          complete(name, category, DEVICE_ROW, (double)(started + shift),
                                   (double)(time_at(command, "device_ns", ENDED) + shift), args));
}

static void add_commands(struct writer *w, const json_t *commands, const char *category)
{
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *command = json_array_get(commands, i);
        const char *name = json_string_value(json_object_get(command, "name"));

        if (!json_is_array(json_object_get(command, "host_ns")))
            continue;
        add_enqueue(w, command, name);
        if (w->device && json_is_array(json_object_get(command, "device_ns")))
            add_device(w, command, name, category);
    }
}

/* One command for each launch: the chunks of a layer stand in its place. */
static json_t *launches_of(const json_t *layers)
{
    json_t *launches = json_array();

    for (size_t i = 0; i < json_array_size(layers); i++) {
        json_t *layer = json_array_get(layers, i);
        const json_t *chunks = json_object_get(layer, "chunks");

        if (!chunks)
            json_array_append(launches, layer);
        for (size_t k = 0; k < json_array_size(chunks); k++) {
            json_t *launch = json_copy(layer);

            json_object_del(launch, "chunks");
            json_object_update(launch, json_array_get(chunks, k));
            json_array_append_new(launches, launch);
        }
    }
    return launches;
}

static void earliest(const json_t *commands, int64_t *start)
{
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const int64_t at = time_at(json_array_get(commands, i), "host_ns", 0);

        if (at && at < *start)
            *start = at;
    }
}

static int64_t run_start(const json_t *transfers, const json_t *launches)
{
    int64_t start = INT64_MAX;

    earliest(transfers, &start);
    earliest(launches, &start);
    return start;
}

static void add_run(struct writer *w, const json_t *transfers, const json_t *launches,
                    double latency)
{
    const int64_t start = run_start(transfers, launches);
    char name[32];

    if (start == INT64_MAX)
        return; /* nothing was timed */
    if (!w->run)
        w->start = start;
    w->run++;
    snprintf(name, sizeof name, "run %d", w->run);
    w->alignment = (struct alignment){INT64_MIN, INT64_MAX};
    align_to(&w->alignment, launches);
    json_array_append_new(
        w->events, complete(name, "run", HOST_ROW, (double)(start - w->start),
                            (double)(start - w->start) + latency * 1e9,
                            json_pack("{s:i, s:f}", "run", w->run, "latency_ms", latency * 1e3)));
    add_commands(w, transfers, "transfer");
    add_commands(w, launches, "kernel");
}

static void name_row(json_t *events, const char *what, int row, const char *name)
{
    json_array_append_new(events,
                          json_pack("{s:s, s:s, s:i, s:i, s:{s:o}}", "name", what, "ph", "M", "pid",
                                    PROCESS, "tid", row, "args", "name", cli_json_text(name)));
}

json_t *cli_trace_json(const struct cli_trace *trace, const char *model, const char *device)
{
    const char *clock = cli_trace_clock(trace);
    struct writer w = {.events = json_array(), .device = strcmp(clock, "device") == 0};
    char row[300];
    double doubt_us = 0;

    snprintf(row, sizeof row, "device: %s", device);
    name_row(w.events, "process_name", 0, "nextcl");
    name_row(w.events, "thread_name", HOST_ROW, "host: enqueues");
    if (w.device)
        name_row(w.events, "thread_name", DEVICE_ROW, row);
    for (size_t i = 0; i < json_array_size(trace->reports); i++) {
        const json_t *report = json_array_get(trace->reports, i);
        json_t *launches = launches_of(json_object_get(report, "layers"));

        add_run(&w, json_object_get(report, "transfers"), launches,
                json_number_value(json_array_get(trace->latencies, i)));
        json_decref(launches);
        if (w.device)
            doubt_us = fmax(doubt_us, doubt_of(&w.alignment));
    }
    return json_pack("{s:o, s:s, s:{s:s, s:o, s:o, s:s, s:f}}", "traceEvents", w.events,
                     "displayTimeUnit", "ms", "otherData", "version", ncl_version(), "model",
                     cli_json_text(model), "device", cli_json_text(device), "clock", clock,
                     "device_row_shift_uncertainty_us", doubt_us);
}

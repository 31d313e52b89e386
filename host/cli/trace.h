/* Timelines in Chrome's trace format (chrome://tracing, Perfetto): complete events in microseconds,
 * one row for the host's enqueues and one for the device. */
#ifndef NCL_CLI_TRACE_H
#define NCL_CLI_TRACE_H

#include "cli.h"

/* Reports of a profiled session, one after each run, in the order of the runs. */
struct cli_trace {
    json_t *reports;   /* array of NCL_REPORT_SESSION */
    json_t *latencies; /* array of seconds */
};

int cli_trace_init(struct cli_trace *trace);
int cli_trace_add(struct cli_trace *trace, const struct cli_session *session, double latency);
void cli_trace_free(struct cli_trace *trace);

/* "device": every run's times can be believed; "broken": some can't; "none": there are none. */
const char *cli_trace_clock(const struct cli_trace *trace);
/* A new document; without a row for the device where its clock is not to be believed. */
json_t *cli_trace_json(const struct cli_trace *trace, const char *model, const char *device);

#endif

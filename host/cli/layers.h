/* Times of a session's layers over several runs: tables for people, arrays for JSON. */
#ifndef NCL_CLI_LAYERS_H
#define NCL_CLI_LAYERS_H

#include "cli.h"

struct cli_layers {
    size_t count;
    int runs, added;
    double *seconds;                 /* [layer][run]; 0 where the device gave no time */
    double peak_gflops, peak_gbytes; /* of the device; 0: not measured */
    json_t *described;               /* "layers" of the session's report */
};

int cli_layers_init(struct cli_layers *layers, const struct cli_session *session, int runs);
/* Takes the times of the session's last run. */
void cli_layers_add(struct cli_layers *layers, const struct cli_session *session);
/* Takes the rest of the report, and measures the peaks: of memory only if asked. */
int cli_layers_finish(struct cli_layers *layers, const struct cli_session *session, bool memory);
/* Drops all times, for devices whose clock is not to be believed. */
void cli_layers_forget(struct cli_layers *layers);
void cli_layers_free(struct cli_layers *layers);

/* [{name op kind algorithm params source macs ms gflops share peak_share gbytes_per_s}]: ms is the
 * median over the runs, share of their sum, gbytes_per_s an estimate that counts every tensor once;
 * shares are 0..1, null where there is nothing to divide by; chunk_images where a launch
 * takes fewer images than the batch, ms then is all its launches'. Work is that of the plain sum:
 * Winograd may exceed the peak. */
json_t *cli_layers_json(const struct cli_layers *layers);
/* [{kind layers ms share macs gflops peak_share}], most time first. */
json_t *cli_kinds_json(const json_t *layers);
/* {ms, latency_ms, ratio, agree}: do the layers' times, summed within each run, explain the latency
 * within 10 %? ms is the median over the runs. */
json_t *cli_layers_sum_json(const struct cli_layers *layers, double latency_ms);

void cli_layers_print(const json_t *layers);
/* A line for each run of layers that take the batch in chunks; none for the others. */
void cli_chunks_print(const json_t *layers);
void cli_kinds_print(const json_t *kinds);
void cli_layers_sum_print(const json_t *sum);

/* Members of an object; 0 or "" where there is none. */
double cli_number(const json_t *object, const char *key);
const char *cli_text(const json_t *object, const char *key);
double cli_median(double *values, int count); /* sorts them */

#endif

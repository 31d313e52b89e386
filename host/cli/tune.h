/* What the files of `tune` share: watching ncl_tune, telling what came of it. */
#ifndef NCL_CLI_TUNE_H
#define NCL_CLI_TUNE_H

#include "cli.h"

/* ---- watch.c: progress on stderr ---- */
struct tune_watch {
    bool silent, terminal; /* terminal: one line, rewritten */
    double next;           /* when to show again, of cli_seconds() */
};
void tune_watch_start(struct tune_watch *watch, const struct cli_options *options);
/* Of ncl_tune_options; user: the watch. */
int tune_watch_progress(void *user, const ncl_tune_progress *progress);
void tune_watch_end(struct tune_watch *watch);

/* ---- summary.c: for people, on stdout ---- */
void tune_print(const struct cli_options *options, const json_t *report);
/* One line of the above, on stderr, for commands that only tune on the way. */
void tune_print_short(const json_t *report);

/* ---- page.c: for browsers ---- */
/* The file is whole or untouched. Returns 0, or a status after one line. */
int tune_write_page(const char *path, const json_t *report);

/* ---- of the report ---- */
/* "pointwise P=6 KB=2" of a point that may be null, "" then. */
#define TUNE_POINT 320
const char *tune_point(const json_t *point, char text[TUNE_POINT]);
/* 0..1; 0 where there is nothing to divide by. */
double tune_share(double part, double whole);
bool tune_known(const json_t *object, const char *key); /* a number, not null */
bool tune_flag(const json_t *object, const char *key);

#endif

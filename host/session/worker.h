/* Evaluating points in another process, which may crash and hang: an evaluator that passes trials
 * to a worker through pipes, kills it when it does not answer in time, and starts another.
 *
 * A worker is a program that calls ncl_tune_worker() of nextcl.h, exec'd: OpenCL does not survive
 * fork. It is told the device ("P:D"), the problems and the limits; both ends are one build, which
 * the greeting checks. */
#ifndef NCL_SESSION_WORKER_H
#define NCL_SESSION_WORKER_H

#include "session/trial.h"

struct ncl_worker;

struct ncl_worker_config {
    const struct ncl_log *log;
    const char *const *command;      /* argv, ends with NULL */
    const char *device;              /* "P:D" */
    const char *cache_dir;           /* NULL: none */
    struct ncl_trials_config trials; /* but for `device` */
    double build_seconds,
        run_seconds; /* a trial may take so long to build; a train of launches to run */
    int (*cancelled)(void *user); /* asked while waiting; may be NULL */
    void *user;
};
/* Starts the first worker: NCL_ERROR_DEVICE when it does not even greet. */
ncl_status ncl_worker_open(const struct ncl_worker_config *config, struct ncl_worker **worker);
void ncl_worker_close(struct ncl_worker *worker); /* also kills it */
/* A trial that takes its worker along gets CRASHED, one that does not answer TIMEOUT. Where it is
 * not plain which of a batch did, its trials are tried again one by one, so that only the guilty is
 * blamed. A worker that was killed by SIGKILL says nothing about its trial, which is tried once
 * more by another. */
void ncl_worker_evaluator(struct ncl_worker *worker, struct ncl_evaluator *evaluator);
/* Processes that crashed, hung or grew too large; the next trial starts another. */
int ncl_worker_restarts(const struct ncl_worker *worker);

/* The other end: serves until `in` is closed. Where in and out are the standard input and output,
 * these are /dev/null from then on: drivers and kernels print. */
ncl_status ncl_worker_serve(int in, int out);

#endif

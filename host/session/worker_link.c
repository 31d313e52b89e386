#include "session/worker_link.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Seconds: to start and greet, to open a device, to take a request. */
#define GREET_SECONDS 20
#define OPEN_SECONDS 120
#define SEND_SECONDS 20
/* How long cancelling may go unnoticed. A turn that took much longer was none of the worker's: this
 * process was stopped, and perhaps the worker with it. It counts as four at most. */
#define TURN_SECONDS 0.05
#define LONGEST_TURN (4 * TURN_SECONDS)

static bool cancelled(const struct ncl_worker *w)
{
    return w->config.cancelled && w->config.cancelled(w->config.user);
}

enum ncl_link_end ncl_link_receive(const struct ncl_worker *w, void *data, size_t bytes,
                                   double seconds)
{
    double waited = 0;
    size_t got = 0;

    for (;;) {
        const uint64_t before = ncl_clock_ns();
        const enum ncl_process_io io =
            ncl_process_receive(&w->process, data, bytes, &got, TURN_SECONDS);

        if (io == NCL_PROCESS_DONE)
            return NCL_LINK_ANSWERED;
        if (io == NCL_PROCESS_GONE)
            return NCL_LINK_DIED;
        if (cancelled(w))
            return NCL_LINK_CANCELLED;
        waited += fmin((double)(ncl_clock_ns() - before) * 1e-9, LONGEST_TURN);
        if (waited >= seconds)
            return NCL_LINK_SILENT;
    }
}

enum ncl_link_end ncl_link_send(const struct ncl_worker *w, const void *data, size_t bytes)
{
    switch (ncl_process_send(&w->process, data, bytes, SEND_SECONDS)) {
    case NCL_PROCESS_DONE:
        return NCL_LINK_ANSWERED;
    case NCL_PROCESS_GONE:
        return NCL_LINK_DIED;
    case NCL_PROCESS_LATE:
        break;
    }
    return NCL_LINK_SILENT;
}

bool ncl_link_is_status(int32_t status)
{
    return status >= NCL_OK && status <= NCL_ERROR_MEMORY;
}

/* ---- starting and ending ---- */

static ncl_status fail_start(struct ncl_worker *w, enum ncl_link_end outcome, const char *what)
{
    char ended[64];

    ncl_process_end(&w->process, ended);
    if (outcome == NCL_LINK_CANCELLED)
        return ncl_fail(w->config.log, NCL_ERROR_CANCELLED, "cancelled while starting a worker");
    return ncl_fail(w->config.log, NCL_ERROR_DEVICE, "the tuner's worker %s does not %s: %s",
                    w->config.command[0], what,
                    outcome == NCL_LINK_SILENT ? "no answer in time" : ended);
}

static ncl_status greet(struct ncl_worker *w)
{
    struct ncl_wire_hello hello, expected;
    const enum ncl_link_end outcome = ncl_link_receive(w, &hello, sizeof hello, GREET_SECONDS);

    ncl_wire_greet(&expected);
    if (outcome != NCL_LINK_ANSWERED)
        return fail_start(w, outcome, "greet");
    if (memcmp(&hello, &expected, sizeof hello) == 0)
        return NCL_OK;
    ncl_process_end(&w->process, NULL);
    return ncl_fail(w->config.log, NCL_ERROR_DEVICE, "the tuner's worker %s is another build",
                    w->config.command[0]);
}

static ncl_status open_worker(struct ncl_worker *w)
{
    struct ncl_wire_reply reply;
    enum ncl_link_end outcome = ncl_link_send(w, &w->open, sizeof w->open);

    if (outcome == NCL_LINK_ANSWERED)
        outcome = ncl_link_send(w, w->config.trials.problems,
                                (size_t)w->open.problem_count * sizeof *w->config.trials.problems);
    if (outcome == NCL_LINK_ANSWERED)
        outcome = ncl_link_receive(w, &reply, sizeof reply, OPEN_SECONDS);
    if (outcome != NCL_LINK_ANSWERED)
        return fail_start(w, outcome, "open the device");
    w->resident = w->first_resident = reply.resident;
    w->shared_cache = reply.shared_cache != 0;
    w->builds_at_once = reply.builds_at_once != 0;
    if (reply.kind == NCL_WIRE_OPENED && reply.status == NCL_OK)
        return NCL_OK;
    ncl_process_end(&w->process, NULL);
    if (reply.kind != NCL_WIRE_OPENED || !ncl_link_is_status(reply.status))
        return ncl_fail(w->config.log, NCL_ERROR_DEVICE, "the tuner's worker %s answers nonsense",
                        w->config.command[0]);
    return ncl_fail(w->config.log, (ncl_status)reply.status, "the tuner's worker: %.*s",
                    (int)sizeof reply.text, reply.text);
}

ncl_status ncl_link_need(struct ncl_worker *w)
{
    const struct ncl_log *log = w->config.log;
    const bool quiet = !log || log->level < NCL_LOG_INFO;
    ncl_status status;

    if (w->process.pid)
        return NCL_OK;
    status = ncl_process_start(log, w->config.command, quiet, &w->process);
    w->killed = false;
    if (status == NCL_OK)
        w->number++;
    if (status == NCL_OK)
        status = greet(w);
    return status == NCL_OK ? open_worker(w) : status;
}

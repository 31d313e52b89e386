/* The worker's end: opens a device of its own and evaluates what it is sent. */
#include "session/worker.h"

#include "base/memory.h"
#include "base/process.h"
#include "session/compile.h"
#include "session/trial_parts.h"
#include "session/worker_wire.h"
#include "tunedb/store.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    int in, out;
    atomic_flag telling;
    struct ncl_watch *watch;
    const struct ncl_cl *cl;
    struct ncl_device_list list;
    struct ncl_device device;
    bool opened;
    struct ncl_store *store;
    struct ncl_wire_open open;
    struct ncl_problem *problems;
    struct ncl_trials *trials;
    struct ncl_evaluator evaluator;
    struct ncl_wire_trial *wire;
    struct ncl_trial *request; /* of the last request */
    struct ncl_compiler compiler;
};

/* 0: the system does not say. */
static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages[2] = {0};

    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &pages[0], &pages[1]) != 2)
        pages[1] = 0;
    fclose(file);
    return (uint64_t)pages[1] * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool reply(const struct server *s, enum ncl_wire_reply_kind kind, ncl_status status,
                  const struct ncl_trial *trial)
{
    struct ncl_wire_reply message = {.kind = (int32_t)kind, .status = (int32_t)status};

    message.resident = resident_bytes();
    message.shared_cache = s->device.caps.caches_programs && s->device.caps.serial_builds;
    message.builds_at_once = !s->device.caps.serial_builds;
    if (trial)
        message.verdict = (int32_t)trial->verdict;
    snprintf(message.text, sizeof message.text, "%s",
             status != NCL_OK ? ncl_error_text()
             : trial          ? trial->why
                              : "");
    return ncl_fd_write(s->out, &message, sizeof message);
}

/* ---- opening ---- */

static ncl_status open_device(struct server *s)
{
    const struct ncl_device_entry *entry = NULL;
    ncl_status status = ncl_cl_load(NULL, &s->cl);

    if (status == NCL_OK)
        status = ncl_device_list(NULL, s->cl, &s->list);
    if (status == NCL_OK)
        status = ncl_device_choose(NULL, &s->list, s->open.device, &entry);
    if (status == NCL_OK)
        status = ncl_device_open(NULL, s->cl, entry, true, &s->device);
    s->opened = status == NCL_OK;
    if (s->opened && s->open.cache_dir[0] &&
        ncl_store_open(NULL, s->open.cache_dir, &s->store) == NCL_OK)
        ncl_store_binary_cache(s->store, &s->device.binaries);
    return status;
}

static ncl_status read_problems(struct server *s)
{
    s->problems = ncl_alloc((size_t)s->open.problem_count + 1, sizeof *s->problems);
    if (!s->problems)
        return ncl_fail_memory(NULL, "problems");
    if (!ncl_fd_read(s->in, s->problems, (size_t)s->open.problem_count * sizeof *s->problems))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker's problems end early");
    return NCL_OK;
}

static ncl_status open_trials(struct server *s)
{
    const struct ncl_trials_config config = {
        .device = &s->device,
        .problems = s->problems,
        .problem_count = s->open.problem_count,
        .launch_limit = s->open.launch_limit,
        .cold_bytes = (size_t)s->open.cold_bytes,
    };
    const ncl_status status = ncl_trials_open(&config, &s->trials);

    if (status == NCL_OK)
        ncl_trials_evaluator(s->trials, &s->evaluator);
    return status;
}

static ncl_status open_all(struct server *s)
{
    struct ncl_wire_hello hello;
    ncl_status status = NCL_OK;

    ncl_wire_greet(&hello);
    if (!ncl_fd_write(s->out, &hello, sizeof hello) ||
        !ncl_fd_read(s->in, &s->open, sizeof s->open))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker without a tuner");
    s->open.device[sizeof s->open.device - 1] = '\0';
    s->open.cache_dir[sizeof s->open.cache_dir - 1] = '\0';
    if (s->open.problem_count < 0)
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker with %d problems", s->open.problem_count);
    ncl_watch_busy(s->watch, true);
    status = read_problems(s);
    if (status == NCL_OK)
        status = open_device(s);
    if (status == NCL_OK)
        status = open_trials(s);
    reply(s, NCL_WIRE_OPENED, status, NULL);
    return status;
}

static void close_all(struct server *s)
{
    ncl_trials_close(s->trials);
    ncl_compiler_close(&s->compiler);
    if (s->opened)
        ncl_device_close(&s->device);
    ncl_device_list_free(&s->list);
    ncl_store_close(s->store);
    free(s->problems);
    free(s->wire);
    free(s->request);
    ncl_watch_stop(s->watch); /* last: until then it ends a process whose driver hangs */
}

/* ---- serving ---- */

static ncl_status read_trials(struct server *s, int count)
{
    free(s->wire);
    free(s->request);
    s->wire = ncl_alloc((size_t)count + 1, sizeof *s->wire);
    s->request = ncl_alloc((size_t)count + 1, sizeof *s->request);
    if (!s->wire || !s->request)
        return ncl_fail_memory(NULL, "trials");
    if (!ncl_fd_read(s->in, s->wire, (size_t)count * sizeof *s->wire))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker's request ends early");
    for (int i = 0; i < count; i++)
        if (!ncl_wire_to_trial(&s->wire[i], &s->request[i]) || s->request[i].task < 0 ||
            s->request[i].task >= s->open.problem_count)
            return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker is sent an unknown trial");
    return NCL_OK;
}

/* The oracle may take longer than any launch: said separately, so that neither has the other's
 * time limit. */
static ncl_status make_data(struct server *s)
{
    struct ncl_trial_data *data;
    const ncl_status status = ncl_trials_data(s->trials, s->request[0].task, &data);

    if (status == NCL_OK && !reply(s, NCL_WIRE_BEAT, NCL_OK, NULL))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "the tuner is gone");
    return status;
}

static bool serve_prepare(struct server *s)
{
    ncl_status status = make_data(s);

    if (status == NCL_OK)
        status = s->evaluator.prepare(s->evaluator.self, s->request, 1);
    return reply(s, NCL_WIRE_DONE, status, &s->request[0]);
}

static bool serve_time(struct server *s, int launches)
{
    struct ncl_timing *timings = ncl_alloc((size_t)launches + 1, sizeof *timings);
    struct ncl_wire_reply message = {.kind = NCL_WIRE_DONE};
    ncl_status status = timings ? make_data(s) : ncl_fail_memory(NULL, "timings");
    bool sent;

    if (status == NCL_OK)
        status = s->evaluator.time(s->evaluator.self, &s->request[0], launches, timings);
    message.status = (int32_t)status;
    message.verdict = (int32_t)s->request[0].verdict;
    message.timings = status == NCL_OK && message.verdict == NCL_VERDICT_GOOD ? launches : 0;
    snprintf(message.text, sizeof message.text, "%s",
             status == NCL_OK ? s->request[0].why : ncl_error_text());
    sent = ncl_fd_write(s->out, &message, sizeof message) &&
           ncl_fd_write(s->out, timings, (size_t)message.timings * sizeof *timings);
    free(timings);
    return sent;
}

/* By several threads, whose messages must not mix: each is written in microseconds. */
static void tell_built(void *user, int index)
{
    struct server *s = user;
    const struct ncl_wire_reply message = {.kind = NCL_WIRE_BUILT, .index = index};

    while (atomic_flag_test_and_set(&s->telling))
        continue;
    ncl_fd_write(s->out, &message, sizeof message);
    atomic_flag_clear(&s->telling);
}

static bool serve_build(struct server *s, int count)
{
    return reply(s, NCL_WIRE_DONE, ncl_trials_build(s->trials, s->request, count, tell_built, s),
                 NULL);
}

static bool serve_request(struct server *s, const struct ncl_wire_request *request)
{
    switch ((enum ncl_wire_kind)request->kind) {
    case NCL_WIRE_BUILD:
        return serve_build(s, request->count);
    case NCL_WIRE_PREPARE:
        return serve_prepare(s);
    case NCL_WIRE_TIME:
        return serve_time(s, request->launches);
    case NCL_WIRE_FORGET:
        s->evaluator.forget(s->evaluator.self, &s->request[0]);
        return true;
    case NCL_WIRE_PROBE:
    case NCL_WIRE_WARM:
    case NCL_WIRE_KERNELS:
    case NCL_WIRE_COMPILE:
        break; /* a session's */
    }
    return false;
}

#define MOST_TRIALS 4096
#define MOST_LAUNCHES 100000

static void serve(struct server *s)
{
    struct ncl_wire_request request;

    while (ncl_watch_busy(s->watch, false) && ncl_fd_read(s->in, &request, sizeof request)) {
        if (request.count < 1 || request.count > MOST_TRIALS || request.launches < 0 ||
            request.launches > MOST_LAUNCHES || !ncl_watch_busy(s->watch, true))
            return;
        if (request.kind >= NCL_WIRE_PROBE) {
            if (!ncl_compile_serve(&s->compiler, &request))
                return;
            continue;
        }
        if (read_trials(s, request.count) != NCL_OK || !serve_request(s, &request))
            return;
    }
}

ncl_status ncl_worker_serve(int in, int out)
{
    struct server s = {.telling = ATOMIC_FLAG_INIT};
    int fds[2] = {in, out};
    ncl_status status;

    /* They stay open: the tuner takes their end for this process's. */
    if (!ncl_fd_take(fds))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker's pipes: %s", strerror(errno));
    s.in = fds[0];
    s.out = fds[1];
    status = ncl_watch_start(NULL, s.in, &s.watch);
    if (status != NCL_OK)
        return status;
    s.compiler = (struct ncl_compiler){.in = s.in, .out = s.out, .device = &s.device};
    status = open_all(&s);
    if (status == NCL_OK)
        serve(&s);
    close_all(&s);
    return status;
}

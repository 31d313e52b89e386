#include "session/compile.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/thread.h"
#include "cl/program.h"
#include "tunedb/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORKERS 4
/* A worker takes some 0.7 s of a CPU before it compiles its first kernel on PoCL, and a kernel
 * 0.1 to 0.4 s. */
#define FEWEST_KERNELS 4
/* Seconds: to take a request; of silence, in which a program is read or a kernel compiled. */
#define SEND_SECONDS 20
#define SILENCE_SECONDS 120
/* How long cancelling may go unnoticed. */
#define TURN_SECONDS 0.05

struct ncl_compile {
    int count;
    struct ncl_process processes[MOST_WORKERS];
    int awaited[MOST_WORKERS]; /* answers that are still to come */
    bool asked[MOST_WORKERS];  /* for a kernel, whatever it answers from then on */
    bool compiling, lost;      /* lost: over a kernel */
};

/* ---- talking ---- */

/* NCL_OK also where the wait was in vain: *index is -1 then. */
static ncl_status wait_for_any(struct ncl_session *session, int first, int count, int *index)
{
    *index = ncl_process_wait(&session->compile->processes[first], count, TURN_SECONDS);
    *index += *index >= 0 ? first : 0;
    return ncl_session_progress(session);
}

static ncl_status receive(struct ncl_session *session, int worker, void *data, size_t bytes)
{
    const struct ncl_process *process = &session->compile->processes[worker];
    const struct ncl_log *log = session->device->log;
    size_t got = 0;

    switch (ncl_process_receive(process, data, bytes, &got, SEND_SECONDS)) {
    case NCL_PROCESS_DONE:
        return NCL_OK;
    case NCL_PROCESS_GONE:
        session->compile->lost = session->compile->compiling;
        return ncl_fail(log, NCL_ERROR_DEVICE, "a compile worker ended");
    case NCL_PROCESS_LATE:
        break;
    }
    return ncl_fail(log, NCL_ERROR_DEVICE, "a compile worker stops in the middle of an answer");
}

/* Waits for something to read of workers first .. first + count - 1. */
static ncl_status wait_until(struct ncl_session *session, int first, int count, double seconds,
                             int *index)
{
    const uint64_t end = ncl_clock_ns() + (uint64_t)(seconds * 1e9);
    ncl_status status = wait_for_any(session, first, count, index);

    while (status == NCL_OK && *index < 0) {
        if (ncl_clock_ns() >= end) {
            session->compile->lost = session->compile->compiling;
            return ncl_fail(session->device->log, NCL_ERROR_DEVICE,
                            "compile workers were silent for %g s", seconds);
        }
        status = wait_for_any(session, first, count, index);
    }
    return status;
}

static ncl_status send_bytes(struct ncl_session *session, int worker, const void *data,
                             size_t bytes)
{
    if (ncl_process_send(&session->compile->processes[worker], data, bytes, SEND_SECONDS) ==
        NCL_PROCESS_DONE)
        return NCL_OK;
    return ncl_fail(session->device->log, NCL_ERROR_DEVICE, "a compile worker takes no request");
}

static ncl_status ask(struct ncl_session *session, int worker, enum ncl_wire_kind kind, int kernel)
{
    const struct ncl_wire_request request = {(int32_t)kind, 1, kernel};

    session->compile->awaited[worker]++;
    return send_bytes(session, worker, &request, sizeof request);
}

/* One answer. */
static ncl_status take_answer(struct ncl_session *session, int worker)
{
    struct ncl_wire_reply reply;
    ncl_status status = receive(session, worker, &reply, sizeof reply);

    if (status != NCL_OK)
        return status;
    session->compile->awaited[worker]--;
    if (reply.status == NCL_OK)
        return NCL_OK;
    session->compile->lost = session->compile->asked[worker];
    return ncl_fail(session->device->log, NCL_ERROR_DEVICE, "a compile worker: %.*s",
                    (int)sizeof reply.text, reply.text);
}

/* ---- starting and ending ---- */

static ncl_status greet(struct ncl_session *session, int index)
{
    const struct ncl_session_workers *config = &session->config.workers;
    struct ncl_wire_open open = {.problem_count = 0};
    struct ncl_wire_hello hello, expected;
    int ready;
    ncl_status status = wait_until(session, index, 1, SILENCE_SECONDS, &ready);

    if (status == NCL_OK)
        status = receive(session, index, &hello, sizeof hello);
    ncl_wire_greet(&expected);
    if (status == NCL_OK && memcmp(&hello, &expected, sizeof hello) != 0)
        return ncl_fail(session->device->log, NCL_ERROR_DEVICE, "%s is another build",
                        config->command[0]);
    snprintf(open.device, sizeof open.device, "%s", config->device);
    snprintf(open.cache_dir, sizeof open.cache_dir, "%s", config->cache_dir);
    session->compile->awaited[index]++;
    return status == NCL_OK ? send_bytes(session, index, &open, sizeof open) : status;
}

static ncl_status start(struct ncl_session *session)
{
    const struct ncl_log *log = session->device->log;
    const unsigned cpus = ncl_cpu_count(), count = cpus < MOST_WORKERS ? cpus : MOST_WORKERS;
    const bool quiet = !log || log->level < NCL_LOG_INFO;
    struct ncl_compile *compile;
    ncl_status status = NCL_OK;

    if (session->compile)
        return NCL_OK;
    session->compile = compile = ncl_alloc(1, sizeof *compile);
    if (!compile)
        return ncl_fail_memory(log, "compile workers");
    for (; status == NCL_OK && compile->count < (int)count; compile->count++)
        status = ncl_process_start(log, session->config.workers.command, quiet,
                                   &compile->processes[compile->count]);
    for (int i = 0; status == NCL_OK && i < compile->count; i++)
        status = greet(session, i);
    return status;
}

void ncl_compile_end(struct ncl_session *session)
{
    if (!session->compile)
        return;
    for (int i = 0; i < session->compile->count; i++)
        ncl_process_end(&session->compile->processes[i], NULL);
    free(session->compile);
    session->compile = NULL;
}

/* What did not work is not tried again by this session. */
static ncl_status settle(struct ncl_session *session, ncl_status status)
{
    const bool lost = session->compile && session->compile->lost;

    if (status == NCL_OK)
        return NCL_OK;
    ncl_compile_end(session);
    session->config.workers.command = NULL;
    if (status == NCL_ERROR_CANCELLED || (lost && session->config.workers.patience > 0))
        return status;
    ncl_note(session->device->log, NCL_LOG_WARNING, "%s: compiling in this process instead",
             ncl_error_text());
    ncl_error_set(""); /* doing without workers is no failure */
    return NCL_OK;
}

bool ncl_compile_applies(const struct ncl_session_workers *workers, const struct ncl_caps *caps)
{
    return workers->command && workers->command[0] && workers->device && workers->cache_dir &&
           caps->serial_builds && caps->programs > 1 && ncl_cpu_count() > 1 && workers->store &&
           ncl_store_is_active(workers->store);
}

static bool applies(const struct ncl_session *session)
{
    return ncl_compile_applies(&session->config.workers, &session->device->caps);
}

/* ---- what is compiled ---- */

ncl_status ncl_compile_probe(struct ncl_session *session)
{
    ncl_status status;
    int ready;

    if (!applies(session) || ncl_device_fma_known(session->device))
        return NCL_OK;
    status = start(session);
    for (int i = 0; status == NCL_OK && i < session->compile->count; i++)
        status = ask(session, i, i == 0 ? NCL_WIRE_PROBE : NCL_WIRE_WARM, 0);
    while (status == NCL_OK && session->compile->awaited[0]) {
        status = wait_until(session, 0, 1, SILENCE_SECONDS, &ready);
        if (status == NCL_OK)
            status = take_answer(session, 0);
    }
    return settle(session, status);
}

/* What the cache does not know. */
struct plan {
    bool *missing; /* per part of the kernels */
    bool *to_do;   /* per variant */
    int *costs;    /* likewise */
    int kernels;   /* to do at first */
    struct ncl_wire_item *items;
    int item_count;
};

static ncl_status find_missing(const struct ncl_session *session, struct plan *plan)
{
    const struct ncl_device *device = session->device;
    const struct ncl_kernels *set = &session->kernels;

    for (int part = 0; part < device->caps.programs; part++) {
        struct ncl_text source = {0};

        ncl_kernels_compose(set, part, &source);
        if (source.failed) {
            ncl_text_free(&source);
            return ncl_fail_memory(device->log, "kernel source");
        }
        plan->missing[part] =
            source.data && !ncl_program_known(device, source.data, NCL_BUILD_OPTIONS);
        ncl_text_free(&source);
    }
    for (size_t i = 0; i < set->count; i++) {
        plan->to_do[i] =
            ncl_variant_pending(&set->variants[i]) && plan->missing[set->variants[i].part];
        plan->kernels += plan->to_do[i];
    }
    return NCL_OK;
}

/* A guess, in kernels of one loop: those that loop over a window are compiled for longer. */
static int cost_of(const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;

    return p->kind == NCL_PROBLEM_CONV && window->kernel_h * window->kernel_w > 1 ? 2 : 1;
}

/* All launches in the order in which their variants were added, so that the worker's set of kernels
 * becomes this one. */
static void list_items(const struct ncl_session *session, struct plan *plan)
{
    const struct ncl_schedule *schedule = session->schedule;

    for (int step = 0; step < schedule->step_count; step++) {
        const struct ncl_trial trial = {.point = session->layers[step].choice.point};

        for (int i = session->layers[step].part; i < schedule->part_count; i++) {
            struct ncl_wire_item *item = &plan->items[plan->item_count];

            if (!ncl_session_is_launch(session, i, step))
                continue;
            item->problem = schedule->parts[i].problem;
            ncl_wire_from_trial(&trial, &item->trial);
            plan->costs[session->parts[i].variant] = cost_of(&item->problem);
            plan->item_count++;
        }
    }
}

/* Each worker begins with programs of its own, and helps with the others' at the end: they read
 * what their first worker left in the cache. The longest first, so that the last ones are short. */
static int next_kernel(const struct ncl_session *session, const struct plan *plan, int worker)
{
    const struct ncl_kernels *set = &session->kernels;
    int best = -1, best_worth = 0;

    for (size_t i = 0; i < set->count; i++) {
        const bool own = set->variants[i].part % session->compile->count == worker;
        const int worth = plan->to_do[i] ? plan->costs[i] + (own ? 8 : 0) : 0;

        if (worth > best_worth) {
            best = (int)i;
            best_worth = worth;
        }
    }
    return best;
}

static ncl_status hand_out(struct ncl_session *session, struct plan *plan, int worker)
{
    const int kernel = next_kernel(session, plan, worker);

    if (kernel < 0)
        return NCL_OK;
    plan->to_do[kernel] = false;
    session->compile->asked[worker] = true;
    return ask(session, worker, NCL_WIRE_COMPILE, kernel);
}

static int awaited(const struct ncl_compile *compile)
{
    int count = 0;

    for (int i = 0; i < compile->count; i++)
        count += compile->awaited[i];
    return count;
}

static ncl_status send_kernels(struct ncl_session *session, const struct plan *plan, int worker)
{
    const struct ncl_wire_request request = {NCL_WIRE_KERNELS, plan->item_count, 0};
    ncl_status status = send_bytes(session, worker, &request, sizeof request);

    session->compile->awaited[worker]++;
    return status == NCL_OK ? send_bytes(session, worker, plan->items,
                                         (size_t)plan->item_count * sizeof *plan->items)
                            : status;
}

/* Was it measured on this device and driver? */
static bool is_proven(const struct ncl_session *session, int step, int part)
{
    struct ncl_standing standing;

    ncl_lookup_standing(session->config.store, &session->schedule->parts[part].problem,
                        &session->device->caps, &session->layers[step].choice.point, &standing);
    return standing.verified && standing.origin == NCL_ORIGIN_MEASURED;
}

/* A cache may have what was built and never ran to its end. */
static void add_unproven(const struct ncl_session *session, struct plan *plan)
{
    for (int i = 0; i < session->schedule->part_count; i++) {
        const int step = session->schedule->parts[i].step;
        const int variant = session->parts[i].variant;

        if (!ncl_session_is_launch(session, i, step) || plan->to_do[variant] ||
            !ncl_variant_pending(&session->kernels.variants[variant]) ||
            is_proven(session, step, i))
            continue;
        plan->to_do[variant] = true;
        plan->kernels++;
    }
}

static ncl_status compile(struct ncl_session *session, struct plan *plan)
{
    const double patience = session->config.workers.patience;
    ncl_status status = start(session);
    int ready;

    if (status != NCL_OK)
        return status;
    list_items(session, plan);
    session->compile->compiling = true;
    for (int i = 0; status == NCL_OK && i < session->compile->count; i++)
        status = send_kernels(session, plan, i);
    while (status == NCL_OK && awaited(session->compile)) {
        status = wait_until(session, 0, session->compile->count,
                            patience > 0 ? patience : SILENCE_SECONDS, &ready);
        if (status == NCL_OK)
            status = take_answer(session, ready);
        if (status == NCL_OK && !session->compile->awaited[ready])
            status = hand_out(session, plan, ready);
    }
    return status;
}

static void note_programs(const struct ncl_session *session, const struct plan *plan)
{
    for (int part = 0; part < session->device->caps.programs; part++) {
        struct ncl_text source = {0};

        if (!plan->missing[part])
            continue;
        ncl_kernels_compose(&session->kernels, part, &source);
        if (source.data && !source.failed)
            ncl_program_note(session->device, source.data, NCL_BUILD_OPTIONS);
        ncl_text_free(&source);
    }
    ncl_note(session->device->log, NCL_LOG_INFO, "%d kernels were compiled by %d workers",
             plan->kernels, session->compile->count);
}

static ncl_status run_plan(struct ncl_session *session, struct plan *plan)
{
    const bool any = session->compile || session->config.workers.patience > 0;
    const int fewest = any ? 1 : FEWEST_KERNELS;
    ncl_status status;

    if (!plan->missing || !plan->to_do || !plan->costs || !plan->items)
        return ncl_fail_memory(session->device->log, "compile workers");
    ncl_kernels_divide(&session->kernels);
    status = find_missing(session, plan);
    if (status == NCL_OK && session->config.workers.patience > 0)
        add_unproven(session, plan);
    if (status != NCL_OK || plan->kernels < fewest)
        return status;
    status = compile(session, plan);
    if (status == NCL_OK)
        note_programs(session, plan);
    return status;
}

ncl_status ncl_compile_kernels(struct ncl_session *session)
{
    struct plan plan = {0};
    ncl_status status;

    if (!applies(session))
        return NCL_OK;
    plan.missing = ncl_alloc((size_t)session->device->caps.programs, sizeof *plan.missing);
    plan.to_do = ncl_alloc(session->kernels.count + 1, sizeof *plan.to_do);
    plan.costs = ncl_alloc(session->kernels.count + 1, sizeof *plan.costs);
    plan.items = ncl_alloc((size_t)session->schedule->part_count + 1, sizeof *plan.items);
    status = run_plan(session, &plan);
    /* They are of no more use, and die while this process goes on. */
    for (int i = 0; session->compile && i < session->compile->count; i++)
        ncl_process_kill(&session->compile->processes[i]);
    free(plan.missing);
    free(plan.to_do);
    free(plan.costs);
    free(plan.items);
    return settle(session, status);
}

/* The tuner's end: an evaluator that passes trials on, and outlives whoever evaluates them. */
#include "session/worker_link.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds: to make a problem's tensors by the oracle, to send times. */
#define DATA_SECONDS 120
#define TIMES_SECONDS 20
/* A worker that has grown by so much is replaced: drivers' compilers leak. */
#define GROWTH_BYTES ((uint64_t)3 << 29)

ncl_status ncl_worker_open(const struct ncl_worker_config *config, struct ncl_worker **worker)
{
    struct ncl_worker *w = ncl_alloc(1, sizeof *w);
    ncl_status status;

    *worker = NULL;
    if (!w)
        return ncl_fail_memory(config->log, "a worker");
    w->config = *config;
    w->open.launch_limit = config->trials.launch_limit;
    w->open.cold_bytes = config->trials.cold_bytes;
    w->open.problem_count = config->trials.problem_count;
    snprintf(w->open.device, sizeof w->open.device, "%s", config->device);
    snprintf(w->open.cache_dir, sizeof w->open.cache_dir, "%s",
             config->cache_dir ? config->cache_dir : "");
    status = ncl_link_need(w);
    if (status != NCL_OK) {
        ncl_worker_close(w);
        return status;
    }
    *worker = w;
    return NCL_OK;
}

void ncl_worker_close(struct ncl_worker *worker)
{
    if (!worker)
        return;
    ncl_worker_close(worker->ahead);
    ncl_process_end(&worker->process, NULL);
    free(worker->passed);
    free(worker);
}

int ncl_worker_restarts(const struct ncl_worker *worker)
{
    return worker->lost + (worker->ahead ? worker->ahead->lost : 0);
}

/* ---- requests ---- */

/* Another one is started when it is needed. true: by SIGKILL. */
static bool lose(struct ncl_worker *w, char ended[64])
{
    w->lost++;
    return ncl_process_end(&w->process, ended);
}

static enum ncl_link_end ask(struct ncl_worker *w, enum ncl_wire_kind kind, int launches,
                             const struct ncl_wire_trial *trials, int count)
{
    const struct ncl_wire_request request = {(int32_t)kind, count, launches};
    enum ncl_link_end outcome = ncl_link_send(w, &request, sizeof request);

    if (outcome == NCL_LINK_ANSWERED)
        outcome = ncl_link_send(w, trials, (size_t)count * sizeof *trials);
    return outcome;
}

/* The reply to a request, after its BEAT. */
static enum ncl_link_end receive_reply(struct ncl_worker *w, double seconds,
                                       struct ncl_wire_reply *reply)
{
    enum ncl_link_end outcome = ncl_link_receive(w, reply, sizeof *reply, DATA_SECONDS + seconds);

    if (outcome == NCL_LINK_ANSWERED && reply->kind == NCL_WIRE_BEAT)
        outcome = ncl_link_receive(w, reply, sizeof *reply, seconds);
    reply->text[sizeof reply->text - 1] = '\0';
    return outcome;
}

/* The worker's end as its trial's verdict, or as tuning's. */
static ncl_status bury(struct ncl_worker *w, enum ncl_link_end outcome, double seconds,
                       struct ncl_trial *trial)
{
    char ended[64];

    w->killed = lose(w, ended) && outcome == NCL_LINK_DIED;
    if (outcome == NCL_LINK_CANCELLED)
        return ncl_fail(w->config.log, NCL_ERROR_CANCELLED, "cancelled");
    trial->verdict = outcome == NCL_LINK_SILENT ? NCL_VERDICT_TIMEOUT : NCL_VERDICT_CRASHED;
    if (outcome == NCL_LINK_SILENT)
        snprintf(trial->why, sizeof trial->why, "no answer within %.3g s", seconds);
    else
        snprintf(trial->why, sizeof trial->why, "its process was %s", ended);
    ncl_note(w->config.log, NCL_LOG_INFO, "the tuner's worker ended: %s: %s",
             trial->point.algo->name, trial->why);
    return NCL_OK;
}

/* No code of a driver sends SIGKILL: whoever is short of memory, or a user, chose this process, and
 * the trial may be as good as any. */
static bool was_killed(const struct ncl_worker *w, const struct ncl_trial *trial)
{
    return w->killed && trial->verdict == NCL_VERDICT_CRASHED;
}

static void blame_killed_twice(struct ncl_trial *trial)
{
    snprintf(trial->why, sizeof trial->why, "%s",
             "its process was killed by signal 9, twice: out of memory?");
}

/* No worker of this build says that: its memory was overwritten, by the trial most likely. */
static ncl_status disbelieve(struct ncl_worker *w, struct ncl_trial *trial, const char *what)
{
    lose(w, NULL);
    trial->verdict = NCL_VERDICT_CRASHED;
    snprintf(trial->why, sizeof trial->why, "its process answered nonsense: %s", what);
    ncl_note(w->config.log, NCL_LOG_INFO, "the tuner's worker is given up: %s: %s",
             trial->point.algo->name, trial->why);
    return NCL_OK;
}

static ncl_status take_verdict(struct ncl_worker *w, const struct ncl_wire_reply *reply,
                               struct ncl_trial *trial)
{
    if (reply->kind != NCL_WIRE_DONE)
        return disbelieve(w, trial, "an answer to something else");
    if (!ncl_link_is_status(reply->status))
        return disbelieve(w, trial, "an unknown status");
    if (reply->status == NCL_OK &&
        (reply->verdict < NCL_VERDICT_GOOD || reply->verdict >= NCL_VERDICT_STARTED))
        return disbelieve(w, trial, "an unknown verdict");
    if (reply->resident)
        w->resident = reply->resident;
    if (reply->status == NCL_OK) {
        trial->verdict = (enum ncl_verdict)reply->verdict;
        snprintf(trial->why, sizeof trial->why, "%.191s", reply->text);
        return NCL_OK;
    }
    /* The worker is of no use after that; another one may be. */
    lose(w, NULL);
    if (reply->status != NCL_ERROR_DEVICE)
        return ncl_fail(w->config.log, (ncl_status)reply->status, "the tuner's worker: %s",
                        reply->text);
    trial->verdict = NCL_VERDICT_CRASHED;
    snprintf(trial->why, sizeof trial->why, "%.191s", reply->text);
    return NCL_OK;
}

static struct ncl_passed *find_passed(struct ncl_worker *w, const struct ncl_wire_trial *trial)
{
    for (size_t i = 0; i < w->passed_count; i++)
        if (memcmp(&w->passed[i].trial, trial, sizeof *trial) == 0)
            return &w->passed[i];
    return NULL;
}

static ncl_status note_passed(struct ncl_worker *w, const struct ncl_wire_trial *trial)
{
    struct ncl_passed *passed = find_passed(w, trial);

    if (!passed) {
        if (!ncl_grow((void **)&w->passed, &w->passed_capacity, w->passed_count, sizeof *w->passed))
            return ncl_fail_memory(w->config.log, "trials");
        passed = &w->passed[w->passed_count++];
        passed->trial = *trial;
    }
    passed->worker = w->number;
    return NCL_OK;
}

static void drop_passed(struct ncl_worker *w, const struct ncl_wire_trial *trial)
{
    struct ncl_passed *passed = find_passed(w, trial);

    if (passed)
        *passed = w->passed[--w->passed_count];
}

static ncl_status try_prepare(struct ncl_worker *w, struct ncl_trial *trial)
{
    const double seconds = w->config.build_seconds + w->config.run_seconds;
    struct ncl_wire_reply reply;
    struct ncl_wire_trial wire;
    enum ncl_link_end outcome;
    ncl_status status = ncl_link_need(w);

    if (status != NCL_OK)
        return status;
    ncl_wire_from_trial(trial, &wire);
    drop_passed(w, &wire);
    outcome = ask(w, NCL_WIRE_PREPARE, 0, &wire, 1);
    if (outcome == NCL_LINK_ANSWERED)
        outcome = receive_reply(w, seconds, &reply);
    if (outcome != NCL_LINK_ANSWERED)
        return bury(w, outcome, seconds, trial);
    status = take_verdict(w, &reply, trial);
    return status == NCL_OK && trial->verdict == NCL_VERDICT_GOOD ? note_passed(w, &wire) : status;
}

/* One trial: built, unless a BUILD did that, run and judged. */
static ncl_status prepare_one(struct ncl_worker *w, struct ncl_trial *trial)
{
    ncl_status status = try_prepare(w, trial);

    if (status != NCL_OK || !was_killed(w, trial))
        return status;
    status = try_prepare(w, trial);
    if (status == NCL_OK && was_killed(w, trial))
        blame_killed_twice(trial);
    return status;
}

/* Kernels of a batch as they are built, each within its time. unbuilt[i] is cleared. */
static enum ncl_link_end follow_builds(struct ncl_worker *w, bool *unbuilt, int count)
{
    struct ncl_wire_reply reply = {.kind = NCL_WIRE_BUILT};

    for (int told = 0; reply.kind == NCL_WIRE_BUILT && told <= count; told++) {
        const enum ncl_link_end outcome =
            ncl_link_receive(w, &reply, sizeof reply, w->config.build_seconds);

        if (outcome != NCL_LINK_ANSWERED)
            return outcome;
        if (reply.kind == NCL_WIRE_BUILT && reply.index >= 0 && reply.index < count)
            unbuilt[reply.index] = false;
    }
    if (reply.kind == NCL_WIRE_DONE && reply.status == NCL_OK)
        return NCL_LINK_ANSWERED;
    memset(unbuilt, 0, (size_t)count * sizeof *unbuilt); /* nobody's fault */
    return NCL_LINK_DIED;
}

/* The only trial without its kernel; NULL: there are none, or several. */
static struct ncl_trial *last_unbuilt(struct ncl_trial *trials, const bool *unbuilt, int count)
{
    struct ncl_trial *last = NULL;

    for (int i = 0; i < count; i++) {
        if (!unbuilt[i])
            continue;
        if (last)
            return NULL;
        last = &trials[i];
    }
    return last;
}

static enum ncl_link_end ask_builds(struct ncl_worker *w, const struct ncl_trial *trials,
                                    struct ncl_wire_trial *wire, bool *unbuilt, int count)
{
    enum ncl_link_end outcome;

    for (int i = 0; i < count; i++) {
        ncl_wire_from_trial(&trials[i], &wire[i]);
        unbuilt[i] = true;
    }
    outcome = ask(w, NCL_WIRE_BUILD, 0, wire, count);
    return outcome == NCL_LINK_ANSWERED ? follow_builds(w, unbuilt, count) : outcome;
}

/* Builds all at once. Who hangs is known when all others are built: it does not get its time twice.
 * Where several were under way, whoever ended the worker is found afterwards, when each is prepared
 * on its own. */
static ncl_status build_batch(struct ncl_worker *w, struct ncl_trial *trials, int count)
{
    struct ncl_wire_trial *wire = ncl_alloc((size_t)count + 1, sizeof *wire);
    bool *unbuilt = ncl_alloc((size_t)count + 1, sizeof *unbuilt);
    ncl_status status = NCL_OK;

    if (!wire || !unbuilt) {
        status = ncl_fail_memory(w->config.log, "trials");
    } else {
        const enum ncl_link_end outcome = ask_builds(w, trials, wire, unbuilt, count);
        struct ncl_trial *guilty = last_unbuilt(trials, unbuilt, count);

        if (outcome == NCL_LINK_CANCELLED || (outcome != NCL_LINK_ANSWERED && guilty))
            status = bury(w, outcome, w->config.build_seconds, guilty ? guilty : &trials[0]);
        else if (outcome != NCL_LINK_ANSWERED)
            lose(w, NULL);
        if (status == NCL_OK && guilty && was_killed(w, guilty))
            guilty->verdict = NCL_VERDICT_GOOD; /* it is prepared on its own */
    }
    free(wire);
    free(unbuilt);
    return status;
}

static void replace_grown(struct ncl_worker *w)
{
    if (w->process.pid && w->resident > w->first_resident &&
        w->resident - w->first_resident > GROWTH_BYTES)
        lose(w, NULL);
}

/* ---- compiling ahead ---- */

/* Some drivers compile one kernel at a time in a process, whatever its threads do, but keep the
 * result for all: another process doubles the rate. false: there is none. */
static bool need_ahead(struct ncl_worker *w)
{
    if (w->alone)
        return false;
    if (w->ahead)
        replace_grown(w->ahead);
    if (w->ahead ? ncl_link_need(w->ahead) == NCL_OK
                 : ncl_worker_open(&w->config, &w->ahead) == NCL_OK)
        return true;
    w->alone = true;
    ncl_note(w->config.log, NCL_LOG_INFO, "compiling in one process only: %s", ncl_error_text());
    return false;
}

/* Every other trial; the answers are fetched later. */
static void send_ahead(struct ncl_worker *ahead, const struct ncl_trial *trials, int count)
{
    enum ncl_link_end outcome = NCL_LINK_ANSWERED;

    for (int i = 1; i < count && outcome == NCL_LINK_ANSWERED; i += 2) {
        struct ncl_wire_trial wire;

        ncl_wire_from_trial(&trials[i], &wire);
        outcome = ask(ahead, NCL_WIRE_PREPARE, 0, &wire, 1);
        if (outcome == NCL_LINK_ANSWERED)
            outcome = ask(ahead, NCL_WIRE_FORGET, 0, &wire, 1);
    }
    if (outcome != NCL_LINK_ANSWERED)
        ncl_process_end(&ahead->process, NULL);
}

/* The verdict on a trial that was sent ahead; GOOD also where there is none. */
static ncl_status fetch_ahead(struct ncl_worker *ahead, struct ncl_trial *trial)
{
    const double seconds = ahead->config.build_seconds + ahead->config.run_seconds;
    struct ncl_wire_reply reply;
    enum ncl_link_end outcome;
    ncl_status status;

    trial->verdict = NCL_VERDICT_GOOD;
    if (!ahead->process.pid)
        return NCL_OK;
    outcome = receive_reply(ahead, seconds, &reply);
    if (outcome == NCL_LINK_ANSWERED)
        return take_verdict(ahead, &reply, trial);
    status = bury(ahead, outcome, seconds, trial);
    if (status == NCL_OK && was_killed(ahead, trial))
        trial->verdict = NCL_VERDICT_GOOD;
    return status;
}

static ncl_status prepare_both(struct ncl_worker *w, struct ncl_trial *trials, int count)
{
    ncl_status status = NCL_OK;

    send_ahead(w->ahead, trials, count);
    for (int i = 0; status == NCL_OK && i < count; i += 2)
        status = prepare_one(w, &trials[i]);
    for (int i = 1; status == NCL_OK && i < count; i += 2) {
        status = fetch_ahead(w->ahead, &trials[i]);
        if (status == NCL_OK && trials[i].verdict == NCL_VERDICT_GOOD)
            status = prepare_one(w, &trials[i]);
    }
    if (status != NCL_OK)
        ncl_process_end(&w->ahead->process, NULL); /* its answers are not wanted any more */
    return status;
}

/* ---- the evaluator's calls ---- */

static ncl_status prepare(void *self, struct ncl_trial *trials, int count)
{
    struct ncl_worker *w = self;
    ncl_status status;

    replace_grown(w);
    status = ncl_link_need(w);
    if (status == NCL_OK && count > 1 && w->shared_cache && need_ahead(w))
        return prepare_both(w, trials, count);
    for (int i = 0; i < count; i++)
        trials[i].verdict = NCL_VERDICT_GOOD;
    if (status == NCL_OK && count > 1 && w->builds_at_once)
        status = build_batch(w, trials, count);
    for (int i = 0; status == NCL_OK && i < count; i++)
        if (trials[i].verdict == NCL_VERDICT_GOOD)
            status = prepare_one(w, &trials[i]);
    return status;
}

static bool are_times(const struct ncl_timing *timings, int count)
{
    for (int i = 0; i < count; i++)
        if (!(isfinite(timings[i].device) && timings[i].device >= 0 && isfinite(timings[i].wall) &&
              timings[i].wall >= 0))
            return false;
    return true;
}

static ncl_status receive_timings(struct ncl_worker *w, const struct ncl_wire_reply *reply,
                                  int launches, struct ncl_trial *trial, struct ncl_timing *timings)
{
    const int expected = trial->verdict == NCL_VERDICT_GOOD ? launches : 0;
    enum ncl_link_end outcome;

    if (reply->timings != expected)
        return disbelieve(w, trial, "more or fewer times than launches");
    outcome = ncl_link_receive(w, timings, (size_t)expected * sizeof *timings, TIMES_SECONDS);
    if (outcome != NCL_LINK_ANSWERED)
        return bury(w, outcome, TIMES_SECONDS, trial);
    return are_times(timings, expected) ? NCL_OK : disbelieve(w, trial, "times that are none");
}

static ncl_status time_prepared(struct ncl_worker *w, const struct ncl_wire_trial *wire,
                                int launches, struct ncl_trial *trial, struct ncl_timing *timings)
{
    struct ncl_wire_reply reply;
    enum ncl_link_end outcome = ask(w, NCL_WIRE_TIME, launches, wire, 1);
    ncl_status status;

    if (outcome == NCL_LINK_ANSWERED)
        outcome = receive_reply(w, w->config.run_seconds, &reply);
    if (outcome != NCL_LINK_ANSWERED)
        return bury(w, outcome, w->config.run_seconds, trial);
    status = take_verdict(w, &reply, trial);
    return status == NCL_OK && w->process.pid ? receive_timings(w, &reply, launches, trial, timings)
                                              : status;
}

/* Where another worker prepared it, this one does first. */
static ncl_status try_time(struct ncl_worker *w, const struct ncl_passed *passed, int launches,
                           struct ncl_trial *trial, struct ncl_timing *timings)
{
    const struct ncl_wire_trial wire = passed->trial;
    ncl_status status = NCL_OK;

    if (!w->process.pid || passed->worker != w->number)
        status = prepare_one(w, trial);
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD)
        return status;
    return time_prepared(w, &wire, launches, trial, timings);
}

static ncl_status time_trial(void *self, struct ncl_trial *trial, int launches,
                             struct ncl_timing *timings)
{
    struct ncl_worker *w = self;
    struct ncl_wire_trial wire;
    const struct ncl_passed *passed;
    ncl_status status;

    ncl_wire_from_trial(trial, &wire);
    passed = find_passed(w, &wire);
    if (!passed)
        return ncl_fail(w->config.log, NCL_ERROR_USAGE, "a trial is timed that was not prepared");
    status = try_time(w, passed, launches, trial, timings);
    passed = find_passed(w, &wire); /* NULL: preparing it again failed, twice already */
    if (status != NCL_OK || !passed || !was_killed(w, trial))
        return status;
    status = try_time(w, passed, launches, trial, timings);
    if (status == NCL_OK && was_killed(w, trial))
        blame_killed_twice(trial);
    return status;
}

static void forget(void *self, const struct ncl_trial *trial)
{
    struct ncl_worker *w = self;
    struct ncl_wire_trial wire;
    const struct ncl_passed *passed;

    ncl_wire_from_trial(trial, &wire);
    passed = find_passed(w, &wire);
    if (!passed)
        return;
    if (w->process.pid && passed->worker == w->number)
        ask(w, NCL_WIRE_FORGET, 0, &wire, 1);
    drop_passed(w, &wire);
}

void ncl_worker_evaluator(struct ncl_worker *worker, struct ncl_evaluator *evaluator)
{
    *evaluator = (struct ncl_evaluator){worker, prepare, time_trial, forget};
}

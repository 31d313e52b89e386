#include "session/advice.h"

#include "base/clock.h"
#include "session/trial.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Advice of others is verified when it is first met. A session's making waits for it so long, and
 * no batch is begun later: what is left runs with defaults, and a later session goes on. */
#define PATIENCE_NS 5000000000u
#define BATCH 8  /* kernels are built together, and only so many may have to be built again */
#define ROUNDS 3 /* of advice that was wrong, the next best is taken, so many times */

/* One point for one part of a step. */
struct check {
    int step, part;
    struct ncl_trial trial;
    struct ncl_record_keys keys;
    struct ncl_record record;      /* what is written of it */
    struct ncl_record_list before; /* what was there, if anything */
};

struct verifying {
    struct ncl_session *session;
    struct check *checks;
    struct ncl_problem *problems;
    int count;
    uint64_t start;
};

static void drop(struct ncl_session *session, int step)
{
    session->layers[step].advice = (struct ncl_advice){.match = NCL_MATCH_NONE};
}

static bool needs_check(const struct ncl_session *session, int step)
{
    const struct ncl_advice *advice = &session->layers[step].advice;

    return ncl_session_first_like(session, step) == step && advice->point.algo && !advice->verified;
}

static ncl_status add_check(struct verifying *v, int step, int part)
{
    const struct ncl_advice *advice = &v->session->layers[step].advice;
    struct check *c = &v->checks[v->count];

    *c = (struct check){.step = step, .part = part, .trial = {v->count, advice->point, 0, ""}};
    v->problems[v->count++] = v->session->schedule->parts[part].problem;
    if (!ncl_record_about(&v->problems[c->trial.task], &v->session->device->caps, &advice->point,
                          &c->keys, &c->record))
        return ncl_fail_memory(v->session->device->log, "verifying records");
    c->record.origin = advice->origin;
    return NCL_OK;
}

static ncl_status collect(struct verifying *v)
{
    const struct ncl_schedule *schedule = v->session->schedule;
    const size_t most = (size_t)schedule->part_count + 1;
    ncl_status status = NCL_OK;

    v->checks = ncl_alloc(most, sizeof *v->checks);
    v->problems = ncl_alloc(most, sizeof *v->problems);
    if (!v->checks || !v->problems)
        return ncl_fail_memory(v->session->device->log, "verifying records");
    for (int i = 0; status == NCL_OK && i < schedule->part_count; i++) {
        const int step = schedule->parts[i].step;

        if (needs_check(v->session, step) && ncl_session_is_launch(v->session, i, step))
            status = add_check(v, step, i);
    }
    return status;
}

/* A crash must not meet the same point again: it is written down first. What the row said before,
 * such as an import's times, is kept to be written back. */
static void begin(struct verifying *v, int first, int end)
{
    for (int i = first; i < end; i++) {
        struct check *c = &v->checks[i];
        const struct ncl_record_filter row = ncl_record_row(&c->record);
        struct ncl_record started = c->record;

        (void)ncl_records_find(v->session->config.store, &row, &c->before);
        if (c->before.count)
            c->record = c->before.records[0];
        started.verdict = NCL_VERDICT_STARTED;
        ncl_records_put(v->session->config.store, &started);
    }
}

static void put_back(struct verifying *v, struct check *c)
{
    const struct ncl_record_filter row = ncl_record_row(&c->record);

    ncl_records_delete(v->session->config.store, &row, NULL);
    if (c->before.count)
        ncl_records_put(v->session->config.store, &c->before.records[0]);
}

static void note_verdict(struct verifying *v, struct check *c)
{
    const struct ncl_session *session = v->session;
    struct ncl_record *record = &c->record;

    record->verdict = c->trial.verdict;
    record->verified = record->verdict == NCL_VERDICT_GOOD;
    record->utc = (int64_t)time(NULL);
    if (!record->verified) {
        record->origin = NCL_ORIGIN_MEASURED;
        record->chosen = false;
        record->why = c->trial.why;
        ncl_note(session->device->log, NCL_LOG_WARNING,
                 "layer '%s': a record's %s %s failed its first use and is passed over: %s: %s",
                 session->schedule->steps[c->step].name, record->algorithm, record->params,
                 ncl_verdict_name(record->verdict), record->why);
    }
    ncl_records_put(session->config.store, record);
}

static ncl_status run_batch(struct verifying *v, const struct ncl_evaluator *evaluator, int first,
                            int end)
{
    struct ncl_trial trials[BATCH];
    ncl_status status;

    for (int i = first; i < end; i++)
        trials[i - first] = v->checks[i].trial;
    begin(v, first, end);
    status = evaluator->prepare(evaluator->self, trials, end - first);
    for (int i = first; i < end; i++) {
        v->checks[i].trial = trials[i - first];
        if (status == NCL_OK) {
            note_verdict(v, &v->checks[i]);
            evaluator->forget(evaluator->self, &trials[i - first]);
        } else {
            put_back(v, &v->checks[i]);
        }
    }
    return status;
}

static bool cancelled(const struct verifying *v, int done)
{
    const struct ncl_session_config *config = &v->session->config;

    return config->progress &&
           config->progress(config->user, "verifying records", (size_t)done, (size_t)v->count);
}

static ncl_status run_all(struct verifying *v, const struct ncl_evaluator *evaluator, int *done)
{
    ncl_status status = NCL_OK;

    for (*done = 0; status == NCL_OK && *done < v->count;) {
        const int end = *done + BATCH < v->count ? *done + BATCH : v->count;

        if (cancelled(v, *done))
            return ncl_fail(v->session->device->log, NCL_ERROR_CANCELLED,
                            "cancelled while verifying records");
        if (ncl_clock_ns() - v->start > PATIENCE_NS)
            break;
        status = run_batch(v, evaluator, *done, end);
        *done = status == NCL_OK ? end : *done;
    }
    return status;
}

/* A step's advice stands when it passed for all parts. */
static void conclude(struct verifying *v, int done)
{
    for (int i = 0; i < v->count; i++)
        v->session->layers[v->checks[i].step].advice.verified = true;
    for (int i = 0; i < v->count; i++) {
        struct ncl_session_layer_state *layer = &v->session->layers[v->checks[i].step];

        layer->waits |= i >= done;
        layer->advice.verified &= i < done && v->checks[i].trial.verdict == NCL_VERDICT_GOOD;
    }
    for (int i = 0; i < v->count; i++) {
        const int step = v->checks[i].step;

        if (v->session->layers[step].advice.verified)
            continue;
        if (v->session->layers[step].waits)
            drop(v->session, step);
        else
            ncl_session_look_up(v->session, step);
    }
}

static ncl_status verify_round(struct verifying *v)
{
    const struct ncl_trials_config config = {
        .device = v->session->device, .problems = v->problems, .problem_count = v->count};
    struct ncl_trials *trials = NULL;
    struct ncl_evaluator evaluator;
    int done = 0;
    ncl_status status = ncl_trials_open(&config, &trials);

    if (status == NCL_OK) {
        ncl_trials_evaluator(trials, &evaluator);
        status = run_all(v, &evaluator, &done);
    }
    ncl_trials_close(trials);
    if (status == NCL_OK || status == NCL_ERROR_MEMORY)
        conclude(v, done);
    /* Without the memory to verify, the session still may have enough for its defaults. */
    return status == NCL_ERROR_MEMORY ? NCL_OK : status;
}

static void free_checks(struct verifying *v)
{
    for (int i = 0; i < v->count; i++) {
        ncl_record_keys_free(&v->checks[i].keys);
        ncl_record_list_free(&v->checks[i].before);
    }
    free(v->checks);
    free(v->problems);
    v->checks = NULL, v->problems = NULL, v->count = 0;
}

ncl_status ncl_session_verify_advice(struct ncl_session *session)
{
    struct verifying v = {.session = session, .start = ncl_clock_ns()};
    ncl_status status = NCL_OK;
    bool more = true;

    for (int round = 0; status == NCL_OK && more && round < ROUNDS; round++) {
        status = collect(&v);
        more = v.count > 0;
        if (status == NCL_OK && more)
            status = verify_round(&v);
        free_checks(&v);
    }
    for (int i = 0; i < session->schedule->step_count; i++)
        if (needs_check(session, i))
            drop(session, i);
    return status;
}

#include "session/advice.h"

#include "base/clock.h"
#include "session/first_use.h"

#include <stdlib.h>

/* Advice of others is verified when it is first met. A session's making waits for it so long, and
 * no batch is begun later: what is left runs with defaults, and a later session goes on. */
#define PATIENCE_NS 5000000000u
#define BATCH 8  /* room for what is tried at once */
#define ROUNDS 3 /* of advice that was wrong, the next best is taken, so many times */

/* One point for one part of a step. */
struct check {
    int step, part;
    struct ncl_trial trial;
    struct ncl_first_use_times times; /* of a step's first part */
    struct ncl_record_keys keys;
    struct ncl_record record;      /* of the point here, with nothing known */
    struct ncl_record_list before; /* what was there, if anything */
};

struct verifying {
    struct ncl_session *session;
    struct check *checks;
    struct ncl_problem *problems;
    struct ncl_first_use *use;
    int count, done;
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
    struct ncl_record_filter row;

    *c = (struct check){.step = step, .part = part, .trial = {v->count, advice->point, 0, ""}};
    v->problems[v->count++] = v->session->schedule->parts[part].problem;
    if (!ncl_record_about(&v->problems[c->trial.task], &v->session->device->caps, &advice->point,
                          &c->keys, &c->record))
        return ncl_fail_memory(v->session->device->log, "verifying records");
    c->record.origin = advice->origin;
    row = ncl_record_row(&c->record);
    return ncl_records_find(v->session->config.store, &row, &c->before);
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

/* Did an earlier session end while it tried the point? */
static bool is_suspect(const struct check *c)
{
    return c->before.count && c->before.records[0].verdict == NCL_VERDICT_STARTED;
}

/* A crash must not meet the same point for ever: that it begins is written down first. A record
 * that is there keeps all else, such as an import's times. false: it cannot be written. */
static bool begin(struct verifying *v, struct check *c)
{
    struct ncl_store *store = v->session->config.store;
    struct ncl_record started = c->record;

    started.verdict = NCL_VERDICT_STARTED;
    started.why = is_suspect(c) ? NCL_SECOND_USE : NCL_FIRST_USE;
    return c->before.count ? ncl_records_mark(store, &c->record, started.verdict, started.why)
                           : ncl_records_put(store, &started);
}

static void put_back(struct verifying *v, struct check *c)
{
    const struct ncl_record_filter row = ncl_record_row(&c->record);

    if (c->before.count)
        ncl_records_mark(v->session->config.store, &c->record, c->before.records[0].verdict,
                         c->before.records[0].why);
    else
        ncl_records_delete(v->session->config.store, &row, NULL);
}

/* What failed, or lost, did so here: of what others said of it nothing stays. */
static struct ncl_record found_here(const struct check *c)
{
    struct ncl_record record = c->record;

    record.origin = NCL_ORIGIN_MEASURED;
    record.verdict = c->trial.verdict;
    record.why = c->trial.why;
    if (record.verdict != NCL_VERDICT_GOOD)
        return record;
    record.verified = true;
    record.why = NCL_FIRST_USE_LOST;
    record.seconds = c->times.seconds;
    record.default_seconds = c->times.standard_seconds;
    record.samples = c->times.samples;
    return record;
}

static void say_passed_over(const struct verifying *v, const struct check *c)
{
    const struct ncl_log *log = v->session->device->log;
    const char *name = v->session->schedule->steps[c->step].name;

    if (c->trial.verdict == NCL_VERDICT_GOOD)
        ncl_note(log, NCL_LOG_WARNING,
                 "layer '%s': a record's %s %s takes %.4g ms here, the default %.4g ms: it is "
                 "passed over",
                 name, c->record.algorithm, c->record.params, c->times.seconds * 1e3,
                 c->times.standard_seconds * 1e3);
    else
        ncl_note(log, NCL_LOG_WARNING,
                 "layer '%s': a record's %s %s failed its first use and is passed over: %s: %s",
                 name, c->record.algorithm, c->record.params, ncl_verdict_name(c->trial.verdict),
                 c->trial.why);
}

static bool stands(const struct check *c)
{
    return c->trial.verdict == NCL_VERDICT_GOOD && !c->times.loses;
}

static void note_verdict(struct verifying *v, struct check *c)
{
    struct ncl_store *store = v->session->config.store;
    struct ncl_record record = c->before.count ? c->before.records[0] : c->record;

    if (stands(c)) {
        record.verdict = NCL_VERDICT_GOOD;
        record.verified = true;
        record.why = "";
    } else {
        record = found_here(c);
        say_passed_over(v, c);
        /* Measured again, what is chosen stays it: not this. */
        if (record.verdict == NCL_VERDICT_GOOD && c->before.count && c->before.records[0].chosen)
            ncl_records_mark(store, &c->record, NCL_VERDICT_TIMEOUT, c->trial.why);
    }
    ncl_records_put(store, &record);
}

/* Once, where it counts, beside what would run without the record. */
static ncl_status time_check(struct verifying *v, struct check *c)
{
    struct ncl_session *session = v->session;
    struct ncl_choice choice;

    if (c->trial.verdict != NCL_VERDICT_GOOD || c->part != session->layers[c->step].part ||
        ncl_choose(session->device->log, &v->problems[c->trial.task], &session->device->caps, 0,
                   &choice) != NCL_OK ||
        ncl_lookup_is_dead(session->config.store, &v->problems[c->trial.task],
                           &session->device->caps, &choice.point, NULL, 0))
        return NCL_OK;
    return ncl_first_use_time(v->use, &c->trial, &choice.point, &c->times);
}

static ncl_status try_batch(struct verifying *v, int end)
{
    struct ncl_trial trials[BATCH];
    ncl_status status;

    for (int i = v->done; i < end; i++)
        trials[i - v->done] = v->checks[i].trial;
    status = ncl_first_use_try(v->use, trials, end - v->done);
    for (int i = v->done; status == NCL_OK && i < end; i++) {
        v->checks[i].trial = trials[i - v->done];
        status = time_check(v, &v->checks[i]);
    }
    for (int i = v->done; status == NCL_OK && i < end; i++)
        ncl_first_use_forget(v->use, &v->checks[i].trial);
    return status;
}

/* false: the store takes nothing, so that nothing can be tried. */
static bool begin_batch(struct verifying *v, int end)
{
    for (int i = v->done; i < end; i++) {
        if (begin(v, &v->checks[i]))
            continue;
        while (i-- > v->done)
            put_back(v, &v->checks[i]);
        return false;
    }
    return true;
}

/* *hung: one of them did, and another wait would be one too many. */
static ncl_status run_batch(struct verifying *v, int end, bool *hung)
{
    const ncl_status status = try_batch(v, end);

    for (int i = v->done; i < end; i++) {
        if (status != NCL_OK) {
            put_back(v, &v->checks[i]);
            continue;
        }
        note_verdict(v, &v->checks[i]);
        *hung |= v->checks[i].trial.verdict == NCL_VERDICT_TIMEOUT;
    }
    v->done = status == NCL_OK ? end : v->done;
    return status;
}

/* Here suspects are tried alone, so that whoever ends the process is known. */
static int end_of_batch(const struct verifying *v)
{
    const bool alone = !ncl_first_use_is_apart(v->use);
    const int most = v->done + ncl_first_use_batch(v->use);
    int end = v->done + 1;

    while (end < most && end < v->count &&
           !(alone && (is_suspect(&v->checks[v->done]) || is_suspect(&v->checks[end]))))
        end++;
    return end;
}

static bool cancelled(const struct verifying *v)
{
    const struct ncl_session_config *config = &v->session->config;

    return config->progress &&
           config->progress(config->user, "verifying records", (size_t)v->done, (size_t)v->count);
}

static ncl_status run_all(struct verifying *v)
{
    bool hung = false;
    ncl_status status = NCL_OK;

    while (status == NCL_OK && v->done < v->count && !hung &&
           ncl_clock_ns() - v->start <= PATIENCE_NS) {
        const int end = end_of_batch(v);

        if (cancelled(v))
            return ncl_fail(v->session->device->log, NCL_ERROR_CANCELLED,
                            "cancelled while verifying records");
        if (!begin_batch(v, end))
            break;
        status = run_batch(v, end, &hung);
    }
    return status;
}

/* A step's advice stands when it passed for all parts. */
static void conclude(struct verifying *v)
{
    for (int i = 0; i < v->count; i++)
        v->session->layers[v->checks[i].step].advice.verified = true;
    for (int i = 0; i < v->count; i++) {
        struct ncl_session_layer_state *layer = &v->session->layers[v->checks[i].step];

        layer->waits |= i >= v->done;
        layer->advice.verified &= i < v->done && stands(&v->checks[i]);
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

/* Whatever goes wrong with a worker, and without the memory to verify, the session still may have
 * what its defaults need. */
static bool goes_on(const struct verifying *v, ncl_status status)
{
    if (status == NCL_OK || status == NCL_ERROR_MEMORY)
        return true;
    if (status == NCL_ERROR_CANCELLED || !v->use || !ncl_first_use_is_apart(v->use))
        return false;
    ncl_note(v->session->device->log, NCL_LOG_WARNING, "records wait to be verified: %s",
             ncl_error_text());
    return true;
}

static ncl_status verify_round(struct verifying *v)
{
    ncl_status status = ncl_first_use_open(v->session, v->problems, v->count, &v->done, &v->use);
    bool going;

    if (status == NCL_OK)
        status = run_all(v);
    going = goes_on(v, status);
    ncl_first_use_close(v->use);
    v->use = NULL;
    if (going)
        conclude(v);
    return going ? NCL_OK : status;
}

static void free_checks(struct verifying *v)
{
    for (int i = 0; i < v->count; i++) {
        ncl_record_keys_free(&v->checks[i].keys);
        ncl_record_list_free(&v->checks[i].before);
    }
    free(v->checks);
    free(v->problems);
    v->checks = NULL, v->problems = NULL, v->count = v->done = 0;
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

/* What sessions run without records: the yardstick, which runs in this process, where a crash would
 * end tuning. So nothing is taken for it that failed on this device and driver, as sessions have
 * it, and what nobody has seen to work is tried in the worker first. */
#include "session/tune_parts.h"

#include "plan/choose.h"
#include "plan/lookup.h"
#include "session/advice.h"
#include "session/compile.h"

#include <math.h>
#include <stdio.h>

/* Tried at a time: two processes compile, and each waits for the other at the end. */
#define BATCH 8
/* Of a process that compiles. */
#define PATIENCE_SECONDS 35.0

/* Where it failed, sessions choose another one. */
static bool is_failure(enum ncl_verdict verdict)
{
    return ncl_session_forbids(verdict, NCL_RESORT_NONE);
}

static bool is_about(const struct ncl_search_note *note, int task, const struct ncl_point *point)
{
    return note->task == task && note->verdict != NCL_VERDICT_STARTED &&
           ncl_point_equal(&note->point, point);
}

/* The last of this run; NULL: there is none. */
static const struct ncl_search_note *note_of(const struct ncl_tune_net *net, int task,
                                             const struct ncl_point *point)
{
    for (size_t i = net->event_count; i-- > 0;)
        if (is_about(&net->events[i].note, task, point))
            return &net->events[i].note;
    for (size_t i = net->resumed_count; i-- > 0;)
        if (is_about(&net->resumed[i], task, point))
            return &net->resumed[i];
    return NULL;
}

/* By this run, what it knew when it began, or else the store. why: what was seen. */
static bool has_failed(const struct ncl_tune_net *net, int task, const struct ncl_point *point,
                       char why[192])
{
    const struct ncl_tuning *t = net->tuning;
    const struct ncl_search_note *note = note_of(net, task, point);
    struct ncl_standing standing;

    for (size_t i = 0; !note && i < net->known_count; i++)
        if (is_about(&net->known[i], task, point))
            note = &net->known[i];
    if (note) {
        snprintf(why, 192, "%s: %s", ncl_verdict_name(note->verdict), note->why ? note->why : "");
        return is_failure(note->verdict);
    }
    ncl_lookup_standing(t->store, &net->tasks[task].problem, &t->device.caps, point, &standing);
    snprintf(why, 192, "%s: %.160s", ncl_verdict_name(standing.verdict), standing.why);
    return standing.bars && is_failure(standing.verdict);
}

/* Did it work on this device and driver, in this run or an earlier one? */
static bool has_worked(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    const struct ncl_tuning *t = net->tuning;
    const struct ncl_search_note *note = note_of(net, task, point);
    struct ncl_standing standing;

    if (note)
        return !is_failure(note->verdict);
    ncl_lookup_standing(t->store, &net->tasks[task].problem, &t->device.caps, point, &standing);
    return standing.verified && standing.origin == NCL_ORIGIN_MEASURED;
}

/* The first of the planner's choices that has not failed; where all have, its very first. */
ncl_status ncl_tune_choose_standard(const struct ncl_tune_net *net, int task,
                                    struct ncl_point *point)
{
    const struct ncl_tuning *t = net->tuning;
    const struct ncl_task *work = &net->tasks[task];
    struct ncl_choice choice;
    char why[192];
    ncl_status status = ncl_choose(t->log, &work->problem, work->caps, 0, &choice);

    if (status != NCL_OK)
        return status;
    *point = choice.point;
    for (int i = 1; has_failed(net, task, &choice.point, why); i++) {
        ncl_note(t->log, NCL_LOG_INFO, "layer '%s': %s is passed over: %s", work->name,
                 choice.point.algo->name, why);
        if (ncl_choose(NULL, &work->problem, work->caps, i, &choice) != NCL_OK)
            return NCL_OK;
    }
    *point = choice.point;
    return NCL_OK;
}

static ncl_status fail_all(const struct ncl_tune_net *net, int task, const char *why)
{
    return ncl_fail(net->tuning->log, NCL_ERROR_DEVICE,
                    "layer '%s' (%s): every algorithm failed, the first, %s, with %s",
                    net->tasks[task].name, net->layers[task].op,
                    net->layers[task].standard.algo->name, why);
}

/* What failed meanwhile gives way to the next, also where an interrupted run began with it. With a
 * worker nothing is run that failed in this run: then there is nothing left. */
static ncl_status settle(struct ncl_tune_net *net, int task, bool apart)
{
    struct ncl_tune_layer *layer = &net->layers[task];
    struct ncl_task *work = &net->tasks[task];
    const bool alike = ncl_point_equal(&work->start, &layer->standard);
    char why[192];
    ncl_status status = NCL_OK;

    if (has_failed(net, task, &layer->standard, why))
        status = ncl_tune_choose_standard(net, task, &layer->standard);
    if (status != NCL_OK)
        return status;
    if (alike || has_failed(net, task, &work->start, why))
        work->start = layer->standard;
    layer->proven = has_worked(net, task, &layer->standard);
    if (apart && !layer->proven && note_of(net, task, &layer->standard)) {
        (void)has_failed(net, task, &layer->standard, why);
        return fail_all(net, task, why);
    }
    return NCL_OK;
}

static ncl_status note_failure(struct ncl_tune_net *net, const struct ncl_trial *trial,
                               double seconds)
{
    const struct ncl_search_note note = {.task = trial->task,
                                         .point = trial->point,
                                         .verdict = trial->verdict,
                                         .cost = floor(seconds * 1e6 + 0.5) * 1e-6,
                                         .why = trial->why};
    const ncl_status status = net->journalled ? NCL_OK : ncl_tune_begin(net);

    return status == NCL_OK ? ncl_tune_remember(net, &note) : status;
}

/* Each runs once and is judged; times are the search's business. */
static ncl_status try_batch(struct ncl_tune_net *net, struct ncl_trial *trials, int count)
{
    struct ncl_tuning *t = net->tuning;
    const double begin = ncl_tune_elapsed(t);
    ncl_status status = ncl_tune_evaluate_open(net);

    if (status != NCL_OK)
        return status;
    t->progress.layer = net->tasks[trials[0].task].name;
    status = t->evaluator.prepare(t->evaluator.self, trials, count);
    for (int i = 0; status == NCL_OK && i < count; i++) {
        if (is_failure(trials[i].verdict))
            status = note_failure(net, &trials[i], (ncl_tune_elapsed(t) - begin) / count);
        else
            net->layers[trials[i].task].proven = true;
    }
    for (int i = 0; i < count; i++)
        t->evaluator.forget(t->evaluator.self, &trials[i]);
    return status;
}

static bool has_worker(const struct ncl_tuning *t)
{
    return t->options.worker && t->config->device_index;
}

/* apart: gathers those that have not been seen to work. */
static ncl_status settle_all(struct ncl_tune_net *net, bool apart, struct ncl_trial trials[BATCH],
                             int *count)
{
    ncl_status status = NCL_OK;

    *count = 0;
    for (int i = 0; status == NCL_OK && i < net->count && *count < BATCH; i++) {
        if (net->layers[i].proven)
            continue;
        status = settle(net, i, apart);
        if (status == NCL_OK && apart && !net->layers[i].proven)
            trials[(*count)++] = (struct ncl_trial){.task = i, .point = net->layers[i].standard};
    }
    return status;
}

static ncl_status try_all(struct ncl_tune_net *net)
{
    struct ncl_trial trials[BATCH];
    int count;
    ncl_status status;

    do {
        status = settle_all(net, true, trials, &count);
        if (status == NCL_OK && count)
            status = try_batch(net, trials, count);
    } while (status == NCL_OK && count);
    return status;
}

/* By an evaluator of its own, of a network that is only looked at. */
static ncl_status try_all_beside(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_worker *worker = t->worker;
    struct ncl_trials *trials = t->trials;
    const struct ncl_evaluator inner = t->inner;
    struct ncl_tune_net *other = t->net;
    ncl_status status;

    t->worker = NULL;
    t->trials = NULL;
    status = try_all(net);
    ncl_tune_settle(net);
    ncl_tune_end_journal(net);
    ncl_tune_evaluate_close(t);
    t->worker = worker;
    t->trials = trials;
    t->inner = inner;
    t->net = other;
    return status;
}

/* By workers that compile the session's kernels, and launch each: it takes no longer than compiling
 * them here would. NCL_ERROR_DEVICE: one did not survive. */
static ncl_status make_watched(struct ncl_tune_net *net, struct ncl_session **session)
{
    struct ncl_tuning *t = net->tuning;
    const double patience = t->options.patience_seconds;
    ncl_status status;

    t->session.workers.patience = patience > 0 ? patience : PATIENCE_SECONDS;
    status = ncl_tune_make_session(net, NCL_TUNE_STANDARD, session);
    t->session.workers.patience = 0;
    return status;
}

ncl_status ncl_tune_make_untried(struct ncl_tune_net *net, struct ncl_session **session)
{
    struct ncl_tuning *t = net->tuning;
    const bool watched = ncl_compile_applies(&t->session.workers, &t->device.caps);
    int count;
    ncl_status status = settle_all(net, false, NULL, &count);

    if (status == NCL_OK && watched) {
        status = make_watched(net, session);
        if (status != NCL_ERROR_DEVICE || !has_worker(t))
            return status;
        status = NCL_OK;
    }
    if (status == NCL_OK && has_worker(t))
        status = t->net == net ? try_all(net) : try_all_beside(net);
    return status == NCL_OK ? ncl_tune_make_session(net, NCL_TUNE_STANDARD, session) : status;
}

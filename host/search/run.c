#include "search/run.h"

#include <math.h>
#include <string.h>

/* Twice the products that the fastest devices compute in a second: a launch that is faster was not
 * timed, or not run. */
#define IMPOSSIBLE_RATE 1e15

double ncl_run_seconds(const struct ncl_run *run)
{
    return run->search->clock->seconds(run->search->clock->self);
}

double ncl_run_least(const struct ncl_site *site)
{
    return fmax(ncl_problem_macs(&site->task->problem) / IMPOSSIBLE_RATE,
                site->task->least_seconds);
}

/* Whole microseconds, so that costs survive being written down, and their sum is the same after
 * resuming. */
static double whole(double seconds)
{
    return floor(seconds * 1e6 + 0.5) * 1e-6;
}

static const struct ncl_search_note *find_resumed(struct ncl_run *run, const struct ncl_slot *slot)
{
    for (int i = 0; i < run->search->resumed_count; i++) {
        const struct ncl_search_note *note = &run->search->resumed[i];

        if (run->replayed[i] || note->task != slot->site->index ||
            !ncl_point_equal(&note->point, &slot->point))
            continue;
        run->replayed[i] = true;
        return note;
    }
    return NULL;
}

static void forget(struct ncl_run *run, struct ncl_site *site, int live)
{
    const struct ncl_evaluator *evaluator = run->search->evaluator;

    evaluator->forget(evaluator->self, &site->live[live]);
    site->live[live] = site->live[--site->live_count];
}

void ncl_run_tidy(struct ncl_run *run, struct ncl_site *site)
{
    for (int i = site->live_count - 1; i >= 0; i--) {
        const struct ncl_point *point = &site->live[i].point;
        const bool best = site->best >= 0 && ncl_point_equal(point, &site->done[site->best].point);
        const bool second =
            site->second >= 0 && ncl_point_equal(point, &site->done[site->second].point);

        if (site->live[i].verdict != NCL_VERDICT_GOOD ||
            (!ncl_site_is_start(site, point) && !best && !second))
            forget(run, site, i);
    }
}

void ncl_run_forget(struct ncl_run *run, struct ncl_site *site)
{
    while (site->live_count)
        forget(run, site, site->live_count - 1);
}

/* Sums over the network, of what is known of it. */
static void totals(const struct ncl_run *run, struct ncl_search_progress *progress)
{
    for (int i = 0; i < run->search->task_count; i++) {
        const struct ncl_site *site = &run->sites[i];
        const double seconds = ncl_site_seconds(site);

        progress->best_seconds += site->task->uses * seconds;
        progress->start_seconds +=
            site->task->uses * (site->reference > 0 ? site->reference : seconds);
    }
}

static ncl_status report(struct ncl_run *run, int task)
{
    const struct ncl_search *search = run->search;
    struct ncl_search_progress progress = {.task = task,
                                           .elapsed = run->elapsed,
                                           .budget = search->budget,
                                           .trials = run->trials,
                                           .rejected = run->rejected};

    if (!search->progress)
        return NCL_OK;
    totals(run, &progress);
    if (search->progress(search->user, &progress))
        return ncl_fail(run->log, NCL_ERROR_CANCELLED, "tuning was cancelled");
    return NCL_OK;
}

ncl_status ncl_run_note(struct ncl_run *run, struct ncl_site *site,
                        const struct ncl_search_note *note, bool is_new)
{
    run->trials++;
    run->rejected += note->verdict != NCL_VERDICT_GOOD;
    run->elapsed += note->cost;
    if (is_new && run->search->note)
        run->search->note(run->search->user, note);
    if (!ncl_site_learn(site, note))
        return ncl_fail_memory(run->log, "finished evaluations");
    return report(run, site->index);
}

/* Trials of a batch: those that are evaluated, then the starts they are compared with. */
struct batch {
    struct ncl_trial trials[2 * NCL_BATCH + NCL_SITE_KEPT];
    struct ncl_site *sites[2 * NCL_BATCH + NCL_SITE_KEPT];
    int count;
};

static void add(struct batch *batch, struct ncl_site *site, const struct ncl_point *point)
{
    batch->trials[batch->count] = (struct ncl_trial){.task = site->index, .point = *point};
    batch->sites[batch->count++] = site;
}

/* The start of a site has to be ready where a point is compared with it. */
static void add_start(struct batch *batch, struct ncl_site *site)
{
    if (site->reference <= 0 || ncl_site_live(site, &site->task->start))
        return;
    for (int i = 0; i < batch->count; i++)
        if (batch->sites[i] == site && ncl_site_is_start(site, &batch->trials[i].point))
            return;
    add(batch, site, &site->task->start);
}

static ncl_status prepare(struct ncl_run *run, struct batch *batch)
{
    const struct ncl_evaluator *evaluator = run->search->evaluator;
    const ncl_status status =
        batch->count ? evaluator->prepare(evaluator->self, batch->trials, batch->count) : NCL_OK;

    for (int i = 0; status == NCL_OK && i < batch->count; i++)
        if (batch->trials[i].verdict == NCL_VERDICT_GOOD)
            batch->sites[i]->live[batch->sites[i]->live_count++] = batch->trials[i];
    return status;
}

ncl_status ncl_run_prepare(struct ncl_run *run, struct ncl_site *site,
                           const struct ncl_point *points, int count)
{
    struct batch batch = {.count = 0};

    add_start(&batch, site);
    for (int i = 0; i < count; i++)
        if (!ncl_site_live(site, &points[i]))
            add(&batch, site, &points[i]);
    return prepare(run, &batch);
}

static ncl_status time_trial(struct ncl_run *run, struct ncl_site *site, struct ncl_trial *trial,
                             struct ncl_search_note *note)
{
    const bool is_start = ncl_site_is_start(site, &trial->point);
    const struct ncl_finished *best = site->best >= 0 ? &site->done[site->best] : NULL;
    const struct ncl_gauge gauge = {
        .evaluator = run->search->evaluator,
        .least = ncl_run_least(site),
        .yard = is_start ? NULL : ncl_site_live(site, &site->task->start),
        .reference = site->reference,
        .quick = run->search->enough != NULL || (is_start && site->known_seconds > 0),
        .few = ncl_point_set_has(&site->seeds, &trial->point),
        .best = best ? best->seconds : 0,
        .best_error = best ? ncl_median_error(best->seconds, best->spread, best->samples) : 0,
    };
    struct ncl_measured measured;
    const ncl_status status = ncl_measure(&gauge, trial, &measured);

    note->seconds = measured.seconds;
    note->spread = measured.spread;
    note->samples = measured.samples;
    note->start_seconds = is_start ? measured.seconds : measured.start_seconds;
    note->verdict = trial->verdict;
    return status;
}

/* One fresh slot after preparation. share: its part of what preparing cost. */
static ncl_status finish(struct ncl_run *run, struct ncl_site *site, struct ncl_trial *prepared,
                         double share)
{
    struct ncl_trial *live = ncl_site_live(site, &prepared->point);
    struct ncl_trial *trial = live ? live : prepared;
    struct ncl_search_note note = {
        .task = site->index, .point = prepared->point, .verdict = prepared->verdict};
    ncl_status status = NCL_OK;
    double now;

    if (live)
        status = time_trial(run, site, live, &note);
    if (status != NCL_OK)
        return status;
    now = ncl_run_seconds(run);
    note.cost = whole(share + now - run->mark);
    run->mark = now;
    note.why = note.verdict == NCL_VERDICT_GOOD ? "" : trial->why;
    return ncl_run_note(run, site, &note, true);
}

static bool is_guilty(const struct ncl_trial *trial)
{
    return trial->verdict == NCL_VERDICT_TIMEOUT || trial->verdict == NCL_VERDICT_CRASHED;
}

/* Starts that fresh slots are compared with and that are not ready, after resuming only. What that
 * costs is charged to nothing: an interrupted search decides as it would have. */
static ncl_status ready_starts(struct ncl_run *run, const struct batch *batch)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < batch->count; i++) {
        struct batch starts = {.count = 0};

        add_start(&starts, batch->sites[i]);
        status = prepare(run, &starts);
        if (starts.count)
            run->mark = ncl_run_seconds(run);
    }
    return status;
}

/* What preparing cost, shared out: a trial that hung or took its process along pays what is beyond
 * the usual. */
static void share_out(const struct ncl_run *run, const struct batch *batch, double seconds,
                      double *shares)
{
    const double even = seconds / (batch->count ? batch->count : 1);
    const double usual = run->trials ? fmin(even, run->elapsed / run->trials) : even;
    int guilty = 0;

    for (int i = 0; i < batch->count; i++)
        guilty += is_guilty(&batch->trials[i]);
    for (int i = 0; i < batch->count; i++) {
        shares[i] = guilty ? usual : even;
        if (is_guilty(&batch->trials[i]))
            shares[i] = (seconds - usual * (batch->count - guilty)) / guilty;
    }
}

/* Prepares the slots that are not replayed. */
static ncl_status prepare_slots(struct ncl_run *run, struct batch *batch, double *shares)
{
    ncl_status status = ready_starts(run, batch);
    double now;

    if (status == NCL_OK)
        status = prepare(run, batch);
    if (status != NCL_OK || !batch->count)
        return status;
    now = ncl_run_seconds(run);
    share_out(run, batch, now - run->mark, shares);
    run->mark = now;
    return NCL_OK;
}

ncl_status ncl_run_batch(struct ncl_run *run, const struct ncl_slot *slots, int count)
{
    const struct ncl_search_note *replayed[NCL_BATCH];
    double shares[NCL_BATCH] = {0};
    struct batch batch = {.count = 0};
    ncl_status status;

    for (int i = 0; i < count; i++) {
        replayed[i] = find_resumed(run, &slots[i]);
        if (replayed[i])
            continue;
        if (run->search->started)
            run->search->started(run->search->user, slots[i].site->index, &slots[i].point);
        add(&batch, slots[i].site, &slots[i].point);
    }
    status = prepare_slots(run, &batch, shares);
    for (int i = 0, next = 0; status == NCL_OK && i < count; i++) {
        if (replayed[i]) {
            status = ncl_run_note(run, slots[i].site, replayed[i], false);
        } else {
            status = finish(run, slots[i].site, &batch.trials[next], shares[next]);
            next++;
        }
    }
    for (int i = 0; i < count; i++)
        ncl_run_tidy(run, slots[i].site);
    return status;
}

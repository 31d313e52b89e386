#include "search/run.h"

#include <math.h>

#define FINALISTS NCL_SITE_KEPT
/* A winner is faster than the start by more than this share, and by more than the noise. */
#define MARGIN 0.015
/* Times twice the standard error: for many samples; few know their own spread less well. Under one
 * in some thousand is lucky then. */
#define DOUBT 1.6
#define FEW_SAMPLES 15
/* The runner-up takes part where the search found it so close to the best. */
#define CLOSE 1.1
#define TRAIN_SECONDS 1e-3
/* Rounds until a decision is looked for, where launches are short; twice as many where that does
 * not settle it. Slow launches get fewer: so much time. */
#define USUAL_ROUNDS 31
#define LEAST_ROUNDS 15
#define ROUND_SECONDS 0.3
#define CLEAR 0.75 /* of the start's time */

/* The start, then those that may win. */
struct final {
    struct ncl_trial *trials[1 + FINALISTS]; /* [0] NULL: no start to compare with */
    struct ncl_series series[1 + FINALISTS];
    int count;
    bool by_wall;
};

static double train_seconds(double launch)
{
    return fmax(launch, TRAIN_SECONDS);
}

/* Points worth timing against the start, fastest first. */
static int finalists(const struct ncl_site *site, struct ncl_point points[FINALISTS])
{
    int count = 0;

    if (site->best < 0 || ncl_site_is_start(site, &site->done[site->best].point))
        return 0;
    points[count++] = site->done[site->best].point;
    if (site->second >= 0 && !ncl_site_is_start(site, &site->done[site->second].point) &&
        site->done[site->second].seconds < CLOSE * site->done[site->best].seconds)
        points[count++] = site->done[site->second].point;
    return count;
}

static double round_seconds(const struct ncl_site *site, int finalists)
{
    return train_seconds(site->reference) + finalists * train_seconds(ncl_site_seconds(site));
}

/* Winners by far take few. */
static int usual_rounds(const struct ncl_site *site, double seconds)
{
    if (ncl_site_seconds(site) < CLEAR * site->reference)
        return LEAST_ROUNDS;
    return (int)fmax(LEAST_ROUNDS, fmin(USUAL_ROUNDS, ROUND_SECONDS / seconds));
}

double ncl_final_cost(const struct ncl_site *site)
{
    struct ncl_point points[FINALISTS];
    const int count = finalists(site, points);
    const double seconds = round_seconds(site, count);

    return count ? (2 * usual_rounds(site, seconds) + 1) * seconds : 0;
}

/* Of samples taken in turn, how long a finalist takes when the start takes 1. */
static struct ncl_spread ratio(const struct final *final, int finalist)
{
    const struct ncl_series *start = &final->series[0], *own = &final->series[finalist];
    double ratios[NCL_SERIES_MAX];

    for (int i = 0; i < own->count; i++) {
        ratios[i] = ncl_series_value(own, i, final->by_wall);
        if (final->trials[0])
            ratios[i] /= ncl_series_value(start, i, final->by_wall);
    }
    return ncl_trimmed_of(ratios, own->count);
}

/* The fastest finalist; 0: none is left. */
static int fastest(const struct final *final)
{
    int best = 0;

    for (int i = 1; i < final->count; i++)
        if (final->trials[i] && (!best || ratio(final, i).median < ratio(final, best).median))
            best = i;
    return best;
}

static double doubt(const struct final *final, int finalist, const struct ncl_spread *spread)
{
    return DOUBT * (1 + (double)FEW_SAMPLES / final->series[finalist].count) * spread->error;
}

static bool beats_start(const struct final *final, int finalist, const struct ncl_spread *spread)
{
    return !final->trials[0] || 1 - spread->median > fmax(MARGIN, doubt(final, finalist, spread));
}

/* Further rounds would not change who wins? */
static bool settled(const struct final *final)
{
    const int best = fastest(final);
    struct ncl_spread spread;

    if (!best)
        return true;
    spread = ratio(final, best);
    if (!beats_start(final, best, &spread))
        return 1 - spread.median + doubt(final, best, &spread) < MARGIN;
    for (int i = 1; i < final->count; i++) {
        const struct ncl_spread other = ratio(final, i);

        if (i != best && final->trials[i] &&
            other.median - spread.median < hypot(other.error, spread.error))
            return false;
    }
    return true;
}

/* A finalist that fails now gets its tombstone after all; a start that does is no yardstick. */
static ncl_status drop(struct ncl_run *run, struct ncl_site *site, struct final *final, int index)
{
    struct ncl_trial *trial = final->trials[index];
    const struct ncl_search_note note = {
        .task = site->index, .point = trial->point, .verdict = trial->verdict, .why = trial->why};

    final->trials[index] = NULL;
    if (index == 0)
        site->start_verdict = trial->verdict;
    site->counts[trial->verdict]++;
    site->counts[NCL_VERDICT_GOOD]--;
    if (run->search->note)
        run->search->note(run->search->user, &note);
    return NCL_OK;
}

static ncl_status begin(struct ncl_run *run, struct ncl_site *site, struct final *final)
{
    const struct ncl_evaluator *evaluator = run->search->evaluator;
    double first;

    for (int i = 0; i < final->count; i++) {
        ncl_status status;

        if (!final->trials[i])
            continue;
        status = ncl_series_begin(evaluator, final->trials[i], ncl_run_least(site),
                                  &final->series[i], &first);
        if (status == NCL_OK && final->trials[i]->verdict != NCL_VERDICT_GOOD)
            status = drop(run, site, final, i);
        if (status != NCL_OK)
            return status;
    }
    return NCL_OK;
}

/* Everyone once, in turn. */
static ncl_status round_of(struct ncl_run *run, struct ncl_site *site, struct final *final)
{
    for (int i = 0; i < final->count; i++) {
        ncl_status status;

        if (!final->trials[i])
            continue;
        status = ncl_series_take(run->search->evaluator, final->trials[i], ncl_run_least(site),
                                 &final->series[i]);
        if (status == NCL_OK && final->trials[i]->verdict != NCL_VERDICT_GOOD)
            status = drop(run, site, final, i);
        if (status != NCL_OK)
            return status;
    }
    final->by_wall = false;
    for (int i = 0; i < final->count; i++)
        final->by_wall =
            final->by_wall || (final->trials[i] && ncl_series_by_wall(&final->series[i]));
    return NCL_OK;
}

static ncl_status play(struct ncl_run *run, struct ncl_site *site, struct final *final)
{
    const int usual = usual_rounds(site, round_seconds(site, final->count - 1));
    const int rounds[] = {usual, 2 * usual};
    ncl_status status = begin(run, site, final);
    int played = 0;

    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        while (status == NCL_OK && played < rounds[i]) {
            status = round_of(run, site, final);
            played++;
        }
        if (status != NCL_OK || settled(final))
            return status;
    }
    return NCL_OK;
}

bool ncl_search_is_clear(const struct ncl_search_note *note, double start_seconds, bool seed)
{
    const double error = ncl_median_error(note->seconds, note->spread, note->samples);

    return note->verdict == NCL_VERDICT_GOOD && note->start_seconds > 0 &&
           ncl_gain_is_clear(note->seconds, error, note->samples, start_seconds, seed);
}

/* The start is known not to work. One whose times cannot be is only unknown: nothing beats it. */
static bool is_start_broken(const struct ncl_site *site)
{
    return site->started && site->start_verdict != NCL_VERDICT_GOOD &&
           site->start_verdict != NCL_VERDICT_TIME;
}

static bool is_decided(const struct ncl_site *site, const struct ncl_finished *best)
{
    const double error = ncl_median_error(best->seconds, best->spread, best->samples);

    if (site->reference <= 0)
        return is_start_broken(site);
    return best->beside_start &&
           ncl_gain_is_clear(best->seconds, error, best->samples, site->reference,
                             ncl_point_set_has(&site->seeds, &best->point));
}

/* What holds without finals: by the search's own figures, of which the best is also the luckiest.
 */
static void by_search(const struct ncl_site *site, struct ncl_search_task *result)
{
    const struct ncl_finished *best = site->best >= 0 ? &site->done[site->best] : NULL;
    const struct ncl_finished *second = site->second >= 0 ? &site->done[site->second] : NULL;

    result->best = site->task->start;
    result->start_seconds = result->best_seconds = site->reference;
    if (!best)
        return;
    result->decided = !ncl_site_is_start(site, &best->point) && is_decided(site, best);
    if (result->decided || ncl_site_is_start(site, &best->point)) {
        result->best = best->point;
        result->best_seconds = best->seconds;
        result->spread = best->spread;
    } else {
        second = best;
    }
    if (second && !ncl_point_equal(&second->point, &result->best)) {
        result->runner_up = second->point;
        result->runner_up_seconds = second->seconds;
    }
}

static void by_final(const struct ncl_site *site, const struct final *final,
                     struct ncl_search_task *result)
{
    const int best = fastest(final);
    const double start =
        final->trials[0] ? ncl_series_spread(&final->series[0], final->by_wall).median : 0;
    const double unit = final->trials[0] ? start : 1;
    struct ncl_spread spread;
    bool wins;

    result->start_seconds = start;
    result->best = site->task->start;
    result->best_seconds = start;
    result->decided = false;
    result->runner_up = (struct ncl_point){.algo = NULL};
    result->runner_up_seconds = 0;
    if (!best)
        return;
    spread = ratio(final, best);
    wins = final->trials[0] ? beats_start(final, best, &spread) : is_start_broken(site);
    if (wins) {
        result->best = final->trials[best]->point;
        result->best_seconds = spread.median * unit;
        result->spread = spread.mad * unit;
        result->decided = true;
    }
    for (int i = 1; i < final->count; i++) {
        if (!final->trials[i] || (wins && i == best))
            continue;
        if (result->runner_up.algo && ratio(final, i).median * unit >= result->runner_up_seconds)
            continue;
        result->runner_up = final->trials[i]->point;
        result->runner_up_seconds = ratio(final, i).median * unit;
    }
}

ncl_status ncl_final(struct ncl_run *run, struct ncl_site *site, struct ncl_search_task *result)
{
    struct ncl_point points[FINALISTS];
    struct final final = {.count = 1};
    const int count = finalists(site, points);
    double before;
    ncl_status status;

    by_search(site, result);
    if (!run || !count)
        return NCL_OK;
    /* After resuming only, and charged to nothing, as in ncl_run_batch. */
    before = ncl_run_seconds(run);
    status = ncl_run_prepare(run, site, points, count);
    run->mark += ncl_run_seconds(run) - before;
    if (status != NCL_OK)
        return status;
    final.trials[0] = site->reference > 0 ? ncl_site_live(site, &site->task->start) : NULL;
    for (int i = 0; i < count; i++)
        final.trials[final.count++] = ncl_site_live(site, &points[i]);
    status = play(run, site, &final);
    if (status == NCL_OK)
        by_final(site, &final, result);
    return status;
}

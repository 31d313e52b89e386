#include "search/search.h"

#include "search/forecast.h"
#include "search/run.h"

#include <math.h>
#include <stdlib.h>

/* A batch of several points may start while this many of the costliest evaluations so far, and this
 * share of the budget, would still fit for each further one: so that the budget is not overrun by
 * more than one evaluation, even if all of them hang. */
#define BATCH_SHARE 0.05
#define FIRST 1e9 /* more than any arm is worth */
/* Of many sites the costliest get so many evaluations each, in turn, before the gains of any are
 * compared: one bad draw says nothing of a site. Two sites more than the ten that matter: ranks
 * change when they are timed again. */
#define COSTLIEST 12
#define LEAST_GIVEN 6
#define SECOND 1e6 /* more than any arm is worth, less than a start */

static bool is_pending_start(const struct ncl_site *site)
{
    return !site->started && ncl_point_set_has(&site->tried, &site->task->start);
}

struct means {
    double cost, worst; /* of an evaluation: mean and highest so far */
};

static struct means means_of(const struct ncl_run *run)
{
    struct means means = {run->trials ? run->elapsed / run->trials : 0, 0};

    for (int i = 0; i < run->search->task_count; i++)
        means.worst = fmax(means.worst, run->sites[i].arm.worst);
    return means;
}

static double stake(const struct ncl_site *site)
{
    return site->task->uses * ncl_site_guess(site);
}

static bool is_owed_more(const struct ncl_run *run, const struct ncl_site *site)
{
    int costlier = 0;

    for (int i = 0; i < run->search->task_count; i++)
        costlier += stake(&run->sites[i]) > stake(site);
    return run->search->task_count > COSTLIEST && costlier < COSTLIEST && site->given < LEAST_GIVEN;
}

/* Starts come first, those of most work before others: nothing is known of a site without; nor
 * where the start failed, until another point works. In a first look the first seed of much work
 * comes before the start of little: who stops early has most of what others found. A start that an
 * earlier search measured waits for its site's turn; what that found and something new come right
 * after it: many short searches get further than that. A fixed sample goes through the sites in
 * turn. */
static double value_of(const struct ncl_run *run, const struct ncl_site *site,
                       const struct means *means)
{
    const bool seed_next = run->search->enough && site->hinted && site->given <= 1;
    const bool known_next =
        !run->search->enough && site->known_seconds > 0 && (site->given == 1 || site->given == 2);

    if (run->search->trials_per_task > 0)
        return 1.0 / (1 + site->given);
    if (ncl_site_guess(site) <= 0 || seed_next || known_next)
        return FIRST * (1 + site->task->uses * ncl_site_work(site)) / (1 + site->given);
    if (is_owed_more(run, site))
        return SECOND / (1 + site->seen) + ncl_arm_value(site, means->cost);
    return ncl_arm_value(site, means->cost);
}

/* The site that the next evaluation goes to; NULL: none has any left. In a first look batches are
 * not filled with what can wait. */
static struct ncl_site *choose(const struct ncl_run *run, const struct means *means, bool first)
{
    const double least = run->search->enough && !first ? 2 * SECOND : 0;
    struct ncl_site *chosen = NULL;
    double best = 0;

    for (int i = 0; i < run->search->task_count; i++) {
        struct ncl_site *site = &run->sites[i];
        double value;

        if (site->exhausted || is_pending_start(site))
            continue;
        value = value_of(run, site, means);
        if (value >= least && (!chosen || value > best)) {
            chosen = site;
            best = value;
        }
    }
    return chosen;
}

/* How many evaluations may start now; 0: the budget is spent. */
static int room(const struct ncl_run *run, const struct means *means)
{
    double left = run->search->budget - run->elapsed, each;
    int count;

    if (run->search->budget <= 0)
        return NCL_BATCH;
    if (!run->trials)
        return 1; /* nothing is known of costs */
    for (int i = 0; i < run->search->task_count; i++)
        left -= ncl_final_cost(&run->sites[i]);
    if (left <= 0 || left < 0.5 * means->cost)
        return 0;
    each = fmax(2 * means->worst, BATCH_SHARE * run->search->budget);
    count = 1 + (int)fmin(left / each, NCL_BATCH - 1);
    return count;
}

/* Not measured by an earlier search? */
static bool is_new(const struct ncl_site *site, const struct ncl_point *point)
{
    return !ncl_point_set_has(&site->known, point) &&
           !(site->known_seconds > 0 && ncl_site_is_start(site, point));
}

/* Fills a batch; *count 0: nothing left to do. */
static ncl_status next_batch(struct ncl_run *run, struct ncl_slot *slots, int *count)
{
    const struct ncl_strategy strategy = {run->search->seeds_only, run->search->trials_per_task};
    const struct ncl_kin kin = {run->forecast, run->sites, run->search->task_count};
    const struct means means = means_of(run);
    const int limit = room(run, &means);
    bool failed = false;

    *count = 0;
    while (*count < limit && !failed) {
        struct ncl_site *site = choose(run, &means, *count == 0);

        if (!site)
            break;
        if (ncl_site_propose(site, &strategy, &kin, &slots[*count].point, &failed)) {
            slots[(*count)++].site = site;
            site->arm.pending++;
            site->given++;
            site->seen += is_new(site, &slots[*count - 1].point);
        } else {
            site->exhausted = true;
        }
    }
    for (int i = 0; i < *count; i++)
        slots[i].site->arm.pending = 0;
    return failed ? ncl_fail_memory(run->log, "points tried") : NCL_OK;
}

static ncl_status explore(struct ncl_run *run)
{
    struct ncl_slot slots[NCL_BATCH];
    ncl_status status;
    int count;

    do {
        run->enough = run->search->enough && run->search->enough(run->search->user);
        if (run->enough)
            return NCL_OK;
        status = next_batch(run, slots, &count);
        if (status == NCL_OK && count)
            status = ncl_run_batch(run, slots, count);
    } while (status == NCL_OK && count);
    return status;
}

/* What a site's best saves per inference. */
static double saving(const struct ncl_site *site)
{
    return site->task->uses * (site->reference - ncl_site_seconds(site));
}

/* The site whose finals matter most, among those not done; NULL: none. */
static struct ncl_site *next_final(const struct ncl_run *run)
{
    struct ncl_site *next = NULL;

    for (int i = 0; i < run->search->task_count; i++) {
        struct ncl_site *site = &run->sites[i];

        if (!site->finished && (!next || saving(site) > saving(next)))
            next = site;
    }
    return next;
}

/* Until the budget is spent: what is left stays with what the search found. */
static ncl_status finals(struct ncl_run *run, struct ncl_search_task *results)
{
    const double budget = run->search->budget;
    struct ncl_site *site;
    ncl_status status = NCL_OK;

    while (status == NCL_OK && (site = next_final(run))) {
        const double elapsed = run->elapsed + ncl_run_seconds(run) - run->mark;
        const bool timed = budget <= 0 || elapsed < budget;

        site->finished = true;
        status = ncl_final(timed ? run : NULL, site, &results[site->index]);
    }
    return status;
}

static ncl_status open(struct ncl_run *run)
{
    const struct ncl_search *search = run->search;

    run->sites = ncl_alloc((size_t)search->task_count, sizeof *run->sites);
    run->replayed = ncl_alloc((size_t)search->resumed_count, sizeof *run->replayed);
    run->forecast = ncl_forecast_new();
    if (!run->sites || !run->replayed || !run->forecast)
        return ncl_fail_memory(run->log, "a search");
    for (int i = 0; i < search->task_count; i++) {
        const ncl_status status = ncl_site_open(&run->sites[i], search, i);

        if (status != NCL_OK)
            return status;
    }
    run->mark = ncl_run_seconds(run);
    return NCL_OK;
}

static void close(struct ncl_run *run)
{
    for (int i = 0; run->sites && i < run->search->task_count; i++) {
        ncl_run_forget(run, &run->sites[i]);
        ncl_site_close(&run->sites[i]);
    }
    free(run->sites);
    free(run->replayed);
    ncl_forecast_free(run->forecast);
}

ncl_status ncl_search_run(const struct ncl_log *log, const struct ncl_search *search,
                          struct ncl_search_task *results)
{
    struct ncl_run run = {.log = log, .search = search};
    ncl_status status = open(&run);

    for (int i = 0; i < search->task_count; i++)
        results[i] = (struct ncl_search_task){.best = search->tasks[i].start};
    if (status == NCL_OK)
        status = explore(&run);
    if (status == NCL_OK && !run.enough)
        status = finals(&run, results);
    for (int i = 0; run.sites && i < search->task_count; i++) {
        if (!run.sites[i].finished)
            ncl_final(NULL, &run.sites[i], &results[i]);
        for (int verdict = 0; verdict < NCL_VERDICT_COUNT; verdict++)
            results[i].tried[verdict] = run.sites[i].counts[verdict];
        results[i].exhausted = run.sites[i].exhausted;
    }
    close(&run);
    return status;
}

#include "search/site.h"

#include <stdlib.h>

/* Good points of earlier searches that are timed again; the others are not: what time there is goes
 * to new ones. A lucky one loses its rank when it is. */
#define KNOWN_SEEDS 1

static bool add_seeds(struct ncl_site *site)
{
    for (int i = 0; i < site->task->seed_count; i++)
        if (!ncl_point_set_add(&site->seeds, &site->task->seeds[i]))
            return false;
    return true;
}

static bool is_buried(const struct ncl_search *search, int task, const struct ncl_point *point)
{
    for (int i = 0; i < search->known_count; i++)
        if (search->known[i].task == task && search->known[i].verdict != NCL_VERDICT_GOOD &&
            ncl_point_equal(&search->known[i].point, point))
            return true;
    return false;
}

/* Of the portfolio, what a first look waits for. */
static bool is_first_seed(const struct ncl_site *site, const struct ncl_search *search,
                          const struct ncl_point *point)
{
    for (int i = 0; i < site->task->seed_count; i++) {
        const struct ncl_point *seed = &site->task->seeds[i];

        if (!ncl_site_is_start(site, seed) && !is_buried(search, site->index, seed))
            return ncl_point_equal(seed, point);
    }
    return false;
}

static bool add_good(struct ncl_site *site, const struct ncl_search *search,
                     const struct ncl_search_note *known)
{
    const bool again =
        site->known.count < KNOWN_SEEDS || is_first_seed(site, search, &known->point);

    if (ncl_site_is_start(site, &known->point)) {
        site->known_seconds = known->seconds;
        return true;
    }
    return ncl_point_set_add(again ? &site->seeds : &site->tried, &known->point) &&
           ncl_point_set_add(&site->known, &known->point);
}

/* Tombstones are never tried, but for the start's: a tuner begins with it only where the planner
 * has nothing else to run, and without it there is nothing to compare with. The first good one is a
 * seed, before the portfolio's. A fixed sample does not depend on what is known. */
static bool add_known(struct ncl_site *site, const struct ncl_search *search)
{
    for (int i = 0; i < search->known_count; i++) {
        const struct ncl_search_note *known = &search->known[i];
        bool added = true;

        if (known->task != site->index)
            continue;
        if (known->verdict != NCL_VERDICT_GOOD)
            added = ncl_site_is_start(site, &known->point) ||
                    ncl_point_set_add(&site->tried, &known->point);
        else if (search->trials_per_task <= 0)
            added = add_good(site, search, known);
        if (!added)
            return false;
    }
    site->seen = (int)site->known.count + (site->known_seconds > 0);
    site->arm.weight = (double)site->known.count;
    return true;
}

static bool is_hinted(const struct ncl_site *site)
{
    const struct ncl_task *task = site->task;
    struct ncl_point point;

    for (size_t i = 0; i < site->seeds.count; i++)
        if (!ncl_point_equal(&site->seeds.points[i], &task->start))
            return true;
    return task->algo_count && ncl_space_defaults(task, task->algos[0], &point) &&
           !ncl_point_equal(&point, &task->start);
}

ncl_status ncl_site_open(struct ncl_site *site, const struct ncl_search *search, int index)
{
    *site =
        (struct ncl_site){.task = &search->tasks[index], .index = index, .best = -1, .second = -1};
    site->rng.state = search->seed * 0x2545f4914f6cdd1du + (uint64_t)index;
    site->sample_rng.state = ncl_rng_next(&site->rng);
    if (!add_known(site, search) || !add_seeds(site))
        return ncl_fail_memory(NULL, "a problem's points");
    site->hinted = is_hinted(site);
    return NCL_OK;
}

void ncl_site_close(struct ncl_site *site)
{
    ncl_point_set_free(&site->tried);
    ncl_point_set_free(&site->seeds);
    ncl_point_set_free(&site->known);
    free(site->done);
    site->done = NULL;
}

bool ncl_site_is_start(const struct ncl_site *site, const struct ncl_point *point)
{
    return ncl_point_equal(point, &site->task->start);
}

bool ncl_site_propose(struct ncl_site *site, const struct ncl_strategy *strategy,
                      const struct ncl_kin *kin, struct ncl_point *point, bool *failed)
{
    if (!site->tried.count || !ncl_point_set_has(&site->tried, &site->task->start))
        *point = site->task->start;
    else if (!ncl_walk_propose(site, strategy, kin, point))
        return false;
    *failed = !ncl_point_set_add(&site->tried, point);
    return !*failed;
}

double ncl_site_seconds(const struct ncl_site *site)
{
    return site->best >= 0 ? site->done[site->best].seconds : 0;
}

double ncl_site_guess(const struct ncl_site *site)
{
    return site->best >= 0 || site->started ? ncl_site_seconds(site) : site->known_seconds;
}

struct ncl_trial *ncl_site_live(struct ncl_site *site, const struct ncl_point *point)
{
    for (int i = 0; i < site->live_count; i++)
        if (ncl_point_equal(&site->live[i].point, point))
            return &site->live[i];
    return NULL;
}

/* Keeps the two fastest. Returns whether the newest is the fastest. */
static bool rank(struct ncl_site *site)
{
    const int newest = (int)site->done_count - 1;
    const double seconds = site->done[newest].seconds;

    if (site->best < 0 || seconds < site->done[site->best].seconds) {
        site->second = site->best;
        site->best = newest;
        return true;
    }
    if (site->second < 0 || seconds < site->done[site->second].seconds)
        site->second = newest;
    return false;
}

bool ncl_site_learn(struct ncl_site *site, const struct ncl_search_note *note)
{
    const double before = ncl_site_seconds(site);
    bool new_best = false;
    struct ncl_finished *finished;

    if (!ncl_grow((void **)&site->done, &site->done_capacity, site->done_count, sizeof *site->done))
        return false;
    finished = &site->done[site->done_count++];
    *finished = (struct ncl_finished){note->point,  note->verdict, note->seconds,
                                      note->spread, note->samples, note->start_seconds > 0};
    site->counts[note->verdict]++;
    if (ncl_site_is_start(site, &note->point)) {
        site->started = true;
        site->start_verdict = note->verdict;
        site->reference = note->verdict == NCL_VERDICT_GOOD ? note->seconds : 0;
    }
    if (note->verdict == NCL_VERDICT_GOOD)
        new_best = rank(site);
    ncl_arm_learn(&site->arm, new_best && before > 0 ? 1 - note->seconds / before : 0, note->cost);
    return true;
}

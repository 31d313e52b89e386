#include "search/forecast.h"

/* Candidates of a proposal, besides all points one tunable away from the best ones. */
#define WANDERERS 24
#define WANDER_STEPS 3
#define ANYWHERE 16
/* What a point costs whose kernel was built before, when one that has to be built costs 1. */
#define SHARED_COST 0.3

/* Does the point get a turn? It counts as tried from then on (ncl_site_propose). */
static bool fresh(const struct ncl_site *site, const struct ncl_point *point)
{
    return ncl_space_legal(site->task, point) && !ncl_point_set_has(&site->tried, point);
}

static bool next_seed(struct ncl_site *site, struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;

    while ((size_t)walk->next_seed < site->seeds.count) {
        *point = site->seeds.points[walk->next_seed++];
        if (fresh(site, point))
            return true;
    }
    return false;
}

static bool next_defaults(struct ncl_site *site, struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;

    while (walk->next_algo < site->task->algo_count) {
        const struct ncl_algo *algo = site->task->algos[walk->next_algo++];

        if (ncl_space_defaults(site->task, algo, point) && fresh(site, point))
            return true;
    }
    return false;
}

static bool same_kernel(const struct ncl_point *a, const struct ncl_point *b)
{
    if (a->algo != b->algo)
        return false;
    for (int i = 0; i < a->algo->tunable_count; i++)
        if (!(a->algo->arguments >> i & 1) && a->v[i] != b->v[i])
            return false;
    return true;
}

static bool is_built(const struct ncl_site *site, const struct ncl_point *point)
{
    for (size_t i = 0; i < site->tried.count; i++)
        if (same_kernel(&site->tried.points[i], point))
            return true;
    return false;
}

struct candidate {
    struct ncl_point point;
    double value; /* expected gain for its cost */
};

static void consider(const struct ncl_site *site, const struct ncl_forecast *forecast,
                     const struct ncl_point *point, struct candidate *best)
{
    double value;

    if (!fresh(site, point))
        return;
    value = ncl_forecast_gain(forecast, point) / (is_built(site, point) ? SHARED_COST : 1);
    if (value > best->value)
        *best = (struct candidate){*point, value};
}

/* All points one tunable away, and some a little further. */
static void consider_around(struct ncl_site *site, const struct ncl_forecast *forecast,
                            const struct ncl_point *centre, struct candidate *best)
{
    struct ncl_point point;

    for (int i = 0; i < centre->algo->tunable_count; i++) {
        const struct ncl_tunable *t = &centre->algo->tunables[i];

        for (int j = 0; j < t->count; j++)
            if (ncl_space_set(site->task, centre, i, t->values[j], &site->rng, &point))
                consider(site, forecast, &point, best);
    }
    for (int i = 0; i < WANDERERS; i++)
        if (ncl_space_wander(site->task, centre, 2 + i % (WANDER_STEPS - 1), &site->rng, &point))
            consider(site, forecast, &point, best);
}

/* Around the best two, the best of other problems, and anywhere. */
static bool by_forecast(struct ncl_site *site, const struct ncl_kin *kin, struct ncl_point *point)
{
    struct candidate best = {.value = 0};

    ncl_forecast_fit(kin->forecast, kin->sites, kin->count, site->index);
    if (site->best >= 0)
        consider_around(site, kin->forecast, &site->done[site->best].point, &best);
    if (site->second >= 0)
        consider_around(site, kin->forecast, &site->done[site->second].point, &best);
    for (int i = 0; i < kin->count; i++) {
        const struct ncl_site *other = &kin->sites[i];

        if (other != site && other->best >= 0 &&
            ncl_space_adopt(site->task, &other->done[other->best].point, &site->rng, point))
            consider(site, kin->forecast, point, &best);
    }
    /* Where there is none left, looking for it takes long: once is enough. */
    for (int i = 0; i < ANYWHERE && ncl_space_random(site->task, &site->tried, &site->rng, point);
         i++)
        consider(site, kin->forecast, point, &best);
    *point = best.point;
    return best.value > 0;
}

bool ncl_walk_propose(struct ncl_site *site, const struct ncl_strategy *strategy,
                      const struct ncl_kin *kin, struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;

    if (strategy->sample > 0) {
        if (walk->sampled++ >= strategy->sample)
            return false;
        return next_defaults(site, point) ||
               ncl_space_random(site->task, &site->tried, &site->sample_rng, point);
    }
    if (next_seed(site, point))
        return true;
    if (strategy->seeds_only)
        return false;
    return next_defaults(site, point) || by_forecast(site, kin, point) ||
           ncl_space_random(site->task, &site->tried, &site->rng, point);
}

#include "search/site.h"

#define PAIRS 6        /* double steps after the single ones */
#define SIDEWAYS 1.003 /* of the centre's time */
#define LANDING 1.3    /* of the best's */
#define WANDER_STEPS 3 /* of a restart near the best */

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

static void enqueue(struct ncl_site *site, const struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;

    if (walk->queue_count == NCL_SITE_QUEUE || !fresh(site, point))
        return;
    for (int i = 0; i < walk->queue_count; i++)
        if (ncl_point_equal(&walk->queue[i], point))
            return;
    walk->queue[walk->queue_count++] = *point;
}

static void shuffle(struct ncl_site *site, int from)
{
    struct ncl_walk *walk = &site->walk;

    for (int i = walk->queue_count - 1; i > from; i--) {
        const int j = from + ncl_rng_below(&site->rng, i - from + 1);
        const struct ncl_point moved = walk->queue[i];

        walk->queue[i] = walk->queue[j];
        walk->queue[j] = moved;
    }
}

/* Single steps of the tunables that are arguments of the kernel, or of those that are not. */
static void enqueue_steps(struct ncl_site *site, bool arguments)
{
    struct ncl_walk *walk = &site->walk;
    const struct ncl_point *centre = &walk->centre.point;
    const int from = walk->queue_count;
    struct ncl_point point;

    for (int i = 0; i < 2 * centre->algo->tunable_count; i++)
        if ((centre->algo->arguments >> i / 2 & 1) == arguments &&
            ncl_space_step(site->task, centre, i / 2, i % 2 ? 1 : -1, &site->rng, &point))
            enqueue(site, &point);
    shuffle(site, from);
}

/* The neighbours of the centre in random order: first those that share its kernel, which cost no
 * build and so are tried in one batch, then other single steps, then some double ones. */
static void fill_queue(struct ncl_site *site)
{
    struct ncl_walk *walk = &site->walk;
    const struct ncl_point *centre = &walk->centre.point;
    struct ncl_point point;

    walk->queue_count = walk->queue_next = 0;
    enqueue_steps(site, true);
    enqueue_steps(site, false);
    for (int i = 0; i < PAIRS; i++)
        if (ncl_space_wander(site->task, centre, 2, &site->rng, &point))
            enqueue(site, &point);
}

static bool next_neighbour(struct ncl_site *site, struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;

    while (walk->queue_next < walk->queue_count) {
        *point = walk->queue[walk->queue_next++];
        if (fresh(site, point))
            return true;
    }
    return false;
}

/* Somewhere else: by turns near the best and anywhere. */
static bool restart(struct ncl_site *site, struct ncl_point *point)
{
    struct ncl_walk *walk = &site->walk;
    const bool near = walk->restarts++ % 2 == 0 && site->best >= 0;

    for (int i = 0; near && i < 8; i++)
        if (ncl_space_wander(site->task, &site->done[site->best].point, WANDER_STEPS + i / 2,
                             &site->rng, point) &&
            fresh(site, point))
            return true;
    return ncl_space_random(site->task, &site->tried, &site->rng, point);
}

bool ncl_walk_propose(struct ncl_site *site, const struct ncl_strategy *strategy,
                      struct ncl_point *point)
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
    if (next_defaults(site, point) || next_neighbour(site, point))
        return true;
    if (restart(site, point)) {
        walk->centre.point.algo = NULL;
        return true;
    }
    return false;
}

/* Is the point worth looking around it? Sideways steps cross plateaus; a restart has to land near
 * the best. */
static bool suits(const struct ncl_site *site, const struct ncl_finished *finished)
{
    const struct ncl_walk *walk = &site->walk;

    return walk->centre.point.algo ? finished->seconds <= SIDEWAYS * walk->centre.seconds
                                   : finished->seconds <= LANDING * ncl_site_seconds(site);
}

void ncl_walk_learn(struct ncl_site *site, const struct ncl_finished *finished, bool new_best)
{
    struct ncl_walk *walk = &site->walk;

    if (finished->verdict != NCL_VERDICT_GOOD)
        return;
    if (new_best)
        walk->restarts = 0;
    if (!new_best && !suits(site, finished))
        return;
    walk->centre = *finished;
    fill_queue(site);
}

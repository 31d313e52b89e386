#include "search/space.h"

#include <stdlib.h>
#include <string.h>

#define RANDOM_TRIES 64   /* before the space is walked through */
#define REPAIR_CHANGES 24 /* small changes of an illegal point before it is given up */
#define SCAN_LIMIT ((uint64_t)1 << 20)

uint64_t ncl_rng_next(struct ncl_rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int ncl_rng_below(struct ncl_rng *rng, int limit)
{
    return (int)((ncl_rng_next(rng) >> 32) * (uint64_t)limit >> 32);
}

bool ncl_point_set_has(const struct ncl_point_set *set, const struct ncl_point *point)
{
    for (size_t i = 0; i < set->count; i++)
        if (ncl_point_equal(&set->points[i], point))
            return true;
    return false;
}

bool ncl_point_set_add(struct ncl_point_set *set, const struct ncl_point *point)
{
    if (!ncl_grow((void **)&set->points, &set->capacity, set->count, sizeof *set->points))
        return false;
    set->points[set->count++] = *point;
    return true;
}

void ncl_point_set_free(struct ncl_point_set *set)
{
    free(set->points);
    *set = (struct ncl_point_set){0};
}

bool ncl_space_legal(const struct ncl_task *task, const struct ncl_point *point)
{
    return ncl_algo_legal(point->algo, point->v, &task->problem, task->caps);
}

bool ncl_space_defaults(const struct ncl_task *task, const struct ncl_algo *algo,
                        struct ncl_point *point)
{
    *point = (struct ncl_point){.algo = algo};
    algo->defaults(point->v, &task->problem, task->caps);
    return ncl_space_legal(task, point);
}

int ncl_tunable_index(const struct ncl_tunable *tunable, int value)
{
    int i = 0;

    while (i + 1 < tunable->count && tunable->values[i] < value)
        i++;
    return i;
}

/* false: no value lies there. */
static bool move(struct ncl_point *point, int tunable, int step)
{
    const struct ncl_tunable *t = &point->algo->tunables[tunable];
    const int to = ncl_tunable_index(t, point->v[tunable]) + step;

    if (to < 0 || to >= t->count)
        return false;
    point->v[tunable] = t->values[to];
    return true;
}

/* Steps of random tunables, but for `fixed` (-1: none), until the point is legal. */
static bool repair(const struct ncl_task *task, int fixed, struct ncl_rng *rng,
                   struct ncl_point *point)
{
    const int count = point->algo->tunable_count;

    for (int i = 0; i < REPAIR_CHANGES && count > (fixed >= 0); i++) {
        int tunable;

        if (ncl_space_legal(task, point))
            return true;
        tunable = ncl_rng_below(rng, count);
        if (tunable != fixed)
            move(point, tunable, ncl_rng_below(rng, 2) ? 1 : -1);
    }
    return ncl_space_legal(task, point);
}

bool ncl_space_wander(const struct ncl_task *task, const struct ncl_point *from, int steps,
                      struct ncl_rng *rng, struct ncl_point *point)
{
    *point = *from;
    if (!from->algo->tunable_count)
        return false;
    for (int i = 0; i < steps; i++)
        move(point, ncl_rng_below(rng, from->algo->tunable_count), ncl_rng_below(rng, 2) ? 1 : -1);
    return repair(task, -1, rng, point);
}

int ncl_space_algo(const struct ncl_task *task, const struct ncl_algo *algo)
{
    for (int i = 0; i < task->algo_count; i++)
        if (strcmp(task->algos[i]->name, algo->name) == 0 &&
            task->algos[i]->tunable_count == algo->tunable_count)
            return i;
    return -1;
}

bool ncl_space_adopt(const struct ncl_task *task, const struct ncl_point *from, struct ncl_rng *rng,
                     struct ncl_point *point)
{
    const int a = ncl_space_algo(task, from->algo);

    if (a < 0)
        return false;
    *point = (struct ncl_point){.algo = task->algos[a]};
    for (int i = 0; i < point->algo->tunable_count; i++) {
        const struct ncl_tunable *t = &point->algo->tunables[i];

        point->v[i] = t->values[ncl_tunable_index(t, from->v[i])];
    }
    return repair(task, -1, rng, point);
}

bool ncl_space_set(const struct ncl_task *task, const struct ncl_point *from, int tunable,
                   int value, struct ncl_rng *rng, struct ncl_point *point)
{
    *point = *from;
    point->v[tunable] = value;
    return repair(task, tunable, rng, point);
}

static void any_values(struct ncl_rng *rng, struct ncl_point *point)
{
    for (int i = 0; i < point->algo->tunable_count; i++) {
        const struct ncl_tunable *t = &point->algo->tunables[i];

        point->v[i] = t->values[ncl_rng_below(rng, t->count)];
    }
}

static uint64_t combinations(const struct ncl_algo *algo)
{
    uint64_t product = 1;

    for (int i = 0; i < algo->tunable_count; i++)
        product *= (uint64_t)algo->tunables[i].count;
    return product;
}

/* The combination of that number. */
static void numbered(const struct ncl_task *task, uint64_t number, struct ncl_point *point)
{
    int a = 0;

    while (number >= combinations(task->algos[a]))
        number -= combinations(task->algos[a++]);
    *point = (struct ncl_point){.algo = task->algos[a]};
    for (int i = 0; i < point->algo->tunable_count; i++) {
        const struct ncl_tunable *t = &point->algo->tunables[i];

        point->v[i] = t->values[number % (uint64_t)t->count];
        number /= (uint64_t)t->count;
    }
}

/* The next legal point that was not tried, from a random place on. */
static bool scan(const struct ncl_task *task, const struct ncl_point_set *tried,
                 struct ncl_rng *rng, struct ncl_point *point)
{
    uint64_t total = 0, at;

    for (int a = 0; a < task->algo_count; a++)
        total += combinations(task->algos[a]);
    if (!total)
        return false;
    at = ncl_rng_next(rng) % total;
    for (uint64_t i = 0; i < total && i < SCAN_LIMIT; i++, at = (at + 1) % total) {
        numbered(task, at, point);
        if (ncl_space_legal(task, point) && !ncl_point_set_has(tried, point))
            return true;
    }
    return false;
}

/* Algorithms take turns by the number of their tunables: those with many have more to find. */
static const struct ncl_algo *any_algo(const struct ncl_task *task, struct ncl_rng *rng)
{
    int total = 0, at, a = 0;

    for (int i = 0; i < task->algo_count; i++)
        total += 1 + task->algos[i]->tunable_count;
    at = ncl_rng_below(rng, total);
    while (at >= 1 + task->algos[a]->tunable_count)
        at -= 1 + task->algos[a++]->tunable_count;
    return task->algos[a];
}

bool ncl_space_random(const struct ncl_task *task, const struct ncl_point_set *tried,
                      struct ncl_rng *rng, struct ncl_point *point)
{
    for (int i = 0; i < RANDOM_TRIES && task->algo_count; i++) {
        *point = (struct ncl_point){.algo = any_algo(task, rng)};
        any_values(rng, point);
        if (repair(task, -1, rng, point) && !ncl_point_set_has(tried, point))
            return true;
    }
    return scan(task, tried, rng, point);
}

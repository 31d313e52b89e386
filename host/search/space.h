/* The space of a problem's points: seeded random ones, and those next to a point. Every point given
 * out is legal. Internal to search. */
#ifndef NCL_SEARCH_SPACE_H
#define NCL_SEARCH_SPACE_H

#include "search/search.h"

/* splitmix64: small, seedable, the same everywhere. */
struct ncl_rng {
    uint64_t state;
};
uint64_t ncl_rng_next(struct ncl_rng *rng);
int ncl_rng_below(struct ncl_rng *rng, int limit); /* 0 .. limit - 1 */

/* Points that must not be given out (again). Zeroed: empty. */
struct ncl_point_set {
    struct ncl_point *points;
    size_t count, capacity;
};
bool ncl_point_set_has(const struct ncl_point_set *set, const struct ncl_point *point);
bool ncl_point_set_add(struct ncl_point_set *set,
                       const struct ncl_point *point); /* false: memory */
void ncl_point_set_free(struct ncl_point_set *set);

bool ncl_space_legal(const struct ncl_task *task, const struct ncl_point *point);
/* What the algorithm would choose itself; false: not legal here. */
bool ncl_space_defaults(const struct ncl_task *task, const struct ncl_algo *algo,
                        struct ncl_point *point);
/* A point that is not in `tried`. false: there is none (or none within a million looked at). */
bool ncl_space_random(const struct ncl_task *task, const struct ncl_point_set *tried,
                      struct ncl_rng *rng, struct ncl_point *point);
/* One tunable at another value. An illegal result is repaired through small random changes of the
 * others. false: that did not help. */
bool ncl_space_set(const struct ncl_task *task, const struct ncl_point *from, int tunable,
                   int value, struct ncl_rng *rng, struct ncl_point *point);
/* The point of another problem, with the nearest values that this one has, repaired. false: it has
 * no such algorithm, or none legal near. */
bool ncl_space_adopt(const struct ncl_task *task, const struct ncl_point *from, struct ncl_rng *rng,
                     struct ncl_point *point);
/* The number of the algorithm of that name among the task's; -1: none. */
int ncl_space_algo(const struct ncl_task *task, const struct ncl_algo *algo);
/* The number of the first value that is no less, or else of the last. */
int ncl_tunable_index(const struct ncl_tunable *tunable, int value);
/* `steps` random steps one after the other. */
bool ncl_space_wander(const struct ncl_task *task, const struct ncl_point *from, int steps,
                      struct ncl_rng *rng, struct ncl_point *point);

#endif

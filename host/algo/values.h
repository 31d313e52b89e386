/* Choosing among a tunable's values, for defaults(). */
#ifndef NCL_ALGO_VALUES_H
#define NCL_ALGO_VALUES_H

#include "algo/algo.h"

/* The smallest value that is at least `wanted`, else the largest. */
static inline int ncl_value_at_least(const struct ncl_tunable *tunable, int wanted)
{
    int i = 0;

    while (i + 1 < tunable->count && tunable->values[i] < wanted)
        ++i;
    return tunable->values[i];
}

/* The largest value that is at most `wanted`, else the smallest. */
static inline int ncl_value_at_most(const struct ncl_tunable *tunable, int wanted)
{
    int i = tunable->count - 1;

    while (i > 0 && tunable->values[i] > wanted)
        --i;
    return tunable->values[i];
}

/* Is the value more than twofold what there is to share out? Such points only repeat others. */
static inline bool ncl_value_excessive(const struct ncl_tunable *tunable, int value, int available)
{
    return value > ncl_value_at_least(tunable, available);
}

static inline bool ncl_work_group_fits(const struct ncl_caps *caps, int work_group)
{
    return (size_t)work_group <= caps->max_work_group &&
           (size_t)work_group <= caps->max_work_items[0];
}

/* Work-items per work-group for `items` of them: what the device prefers, unless most would idle.
 */
static inline int ncl_work_group_default(const struct ncl_tunable *tunable, int items,
                                         const struct ncl_caps *caps)
{
    const size_t limit = caps->max_work_group < caps->max_work_items[0] ? caps->max_work_group
                                                                        : caps->max_work_items[0];
    const int preferred = caps->preferred_work_group;
    const int useful = ncl_value_at_least(tunable, items);
    const int wanted = preferred < useful ? preferred : useful;

    return ncl_value_at_most(tunable, (size_t)wanted < limit ? wanted : (int)limit);
}

static inline int ncl_cores(const struct ncl_caps *caps)
{
    const unsigned units = caps->compute_units < 1024 ? caps->compute_units : 1024;

    return (int)(units ? units : 1);
}

/* Work-items to aim for where one makes a work-group: a few per core even out its interruptions,
 * and each costs a fraction of a microsecond. */
static inline int ncl_items_wanted(const struct ncl_caps *caps)
{
    return 8 * ncl_cores(caps);
}

/* The largest value that leaves at least `wanted` of `items` work-items after dividing by it. */
static inline int ncl_value_sharing(const struct ncl_tunable *tunable, int items, int wanted)
{
    return ncl_value_at_most(tunable, items / wanted);
}

#endif

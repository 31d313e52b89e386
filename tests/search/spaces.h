/* Synthetic problems and algorithms that search's tests share, with landscapes over them. */
#ifndef NCL_TESTS_SEARCH_SPACES_H
#define NCL_TESTS_SEARCH_SPACES_H

#include "support/fake_evaluator.h"

#include <math.h>

static bool spaces_applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    (void)caps;
    return true;
}

/* Tiles of A x B must not be too large; C divides by B. */
static bool spaces_valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    (void)caps;
    return v[0] * v[1] <= 32 && v[2] % v[1] == 0;
}

static bool spaces_always(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)v;
    (void)p;
    (void)caps;
    return true;
}

static void spaces_defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    (void)caps;
    v[0] = v[1] = 1;
    v[2] = 8;
    v[3] = 0;
}

static void spaces_defaults_small(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    (void)caps;
    v[0] = 4;
}

static const struct ncl_tunable spaces_tunables[] = {
    {"A", {1, 2, 3, 4, 6, 8, 12, 16}, 8},
    {"B", {1, 2, 4, 8}, 4},
    {"C", {1, 2, 4, 8, 16, 32}, 6},
    {"D", {0, 1, 2}, 3},
};
static const struct ncl_tunable spaces_tunables_small[] = {{"WG", {1, 2, 4, 8, 16}, 5}};

static const struct ncl_algo spaces_tiled = {
    .name = "tiled",
    .kind = NCL_PROBLEM_CONV,
    .tunables = spaces_tunables,
    .tunable_count = 4,
    .arguments = 1u << 3,
    .applicable = spaces_applicable,
    .valid = spaces_valid,
    .defaults = spaces_defaults,
};
static const struct ncl_algo spaces_small = {
    .name = "small",
    .kind = NCL_PROBLEM_CONV,
    .tunables = spaces_tunables_small,
    .tunable_count = 1,
    .applicable = spaces_applicable,
    .valid = spaces_always,
    .defaults = spaces_defaults_small,
};
static const struct ncl_algo *const spaces_algos[] = {&spaces_tiled, &spaces_small};
static const struct ncl_caps spaces_caps = {.name = "fake"};

/* Tasks of different sizes, each with both algorithms, starting from the first one's defaults. */
static inline void spaces_tasks(struct ncl_task *tasks, int count)
{
    for (int i = 0; i < count; i++) {
        const int channels = 32 << i % 4;

        tasks[i] = (struct ncl_task){
            .problem = {.kind = NCL_PROBLEM_CONV,
                        .channel_block = 8,
                        .x = {1, channels, 14, 14},
                        .y = {1, 64, 14, 14},
                        .of.conv = {.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, .groups = 1}},
            .caps = &spaces_caps,
            .name = "fake",
            .uses = 1 + i % 3,
            .algos = spaces_algos,
            .algo_count = 2,
            .start = {.algo = &spaces_tiled}};
        spaces_defaults(tasks[i].start.v, NULL, NULL);
    }
}

/* Every legal point of a task; returns how many. */
static inline int spaces_points(const struct ncl_task *task, struct ncl_point *points, int room)
{
    int count = 0;

    for (int i = 0; i < 8 * 4 * 6 * 3; i++) {
        const struct ncl_point point = {
            &spaces_tiled,
            {spaces_tunables[0].values[i % 8], spaces_tunables[1].values[i / 8 % 4],
             spaces_tunables[2].values[i / 32 % 6], spaces_tunables[3].values[i / 192]}};

        if (count < room && ncl_algo_legal(point.algo, point.v, &task->problem, task->caps))
            points[count++] = point;
    }
    for (int i = 0; i < 5 && count < room; i++)
        points[count++] = (struct ncl_point){&spaces_small, {spaces_tunables_small[0].values[i]}};
    return count;
}

static inline double spaces_log_distance(int a, int b)
{
    return fabs(log2((double)(a + 1) / (b + 1)));
}

/* One valley: A = 8, B = 4, C = 16, D = 1; 1 ms at its bottom. The small algorithm is no match. */
static inline double spaces_separable(int task, const struct ncl_point *point)
{
    const double bottom = 1e-3 * (1 + 0.3 * (task % 3));

    if (point->algo == &spaces_small)
        return bottom * (3 + 0.1 * point->v[0]);
    return bottom * (1 + 0.4 * spaces_log_distance(point->v[0], 8) +
                     0.3 * spaces_log_distance(point->v[1], 4) +
                     0.15 * spaces_log_distance(point->v[2], 16) +
                     0.2 * spaces_log_distance(point->v[3], 1));
}

#endif

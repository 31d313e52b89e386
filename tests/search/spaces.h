/* Synthetic problems and algorithms that search's tests share, with landscapes over them. */
#ifndef NCL_TESTS_SEARCH_SPACES_H
#define NCL_TESTS_SEARCH_SPACES_H

#include "support/fake_evaluator.h"

#include <check.h>
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

/* The number-th combination of values; false: not legal, or past the last. */
#define SPACES_COMBINATIONS (8 * 4 * 6 * 3 + 5)
static inline bool spaces_point(const struct ncl_task *task, int number, struct ncl_point *point)
{
    const int i = number - 8 * 4 * 6 * 3;

    if (i >= 0)
        *point = (struct ncl_point){&spaces_small, {spaces_tunables_small[0].values[i]}};
    else
        *point = (struct ncl_point){
            &spaces_tiled,
            {spaces_tunables[0].values[number % 8], spaces_tunables[1].values[number / 8 % 4],
             spaces_tunables[2].values[number / 32 % 6], spaces_tunables[3].values[number / 192]}};
    return ncl_algo_legal(point->algo, point->v, &task->problem, task->caps);
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

/* The same with up to 30 % on top, different for each point. */
static inline double spaces_rugged(int task, const struct ncl_point *point)
{
    return spaces_separable(task, point) * (1 + 0.3 * ncl_fake_point_random(7, task, point));
}

/* Steps so wide that most neighbours are equal. */
static inline double spaces_plateau(int task, const struct ncl_point *point)
{
    return 2e-4 * ceil(spaces_separable(task, point) / 2e-4 / 2) * 2;
}

/* A search over fake tasks, with all that it said. */
#define HARNESS_TASKS 3
#define HARNESS_NOTES 4096

struct harness {
    struct ncl_task tasks[HARNESS_TASKS];
    struct ncl_fake fake;
    struct ncl_evaluator evaluator;
    struct ncl_search_clock clock;
    struct ncl_search search;
    struct ncl_search_task results[HARNESS_TASKS];
    struct ncl_search_note notes[HARNESS_NOTES];
    int note_count, started, progressed;
    int stop_after; /* notes, then cancel; 0: never */
    struct ncl_search_progress last;
    double (*landscape)(int task, const struct ncl_point *point);
    double invalid;           /* share of points that fail */
    enum ncl_verdict failure; /* how */
    double hang;              /* seconds that a failing point costs; 0: as others */
    bool late;                /* fail when timed, not when prepared */
    double prepare;
    bool even; /* preparing costs every point the same */
};

static inline bool harness_fails(const struct harness *h, int task, const struct ncl_point *point)
{
    return !ncl_point_equal(point, &h->tasks[task].start) &&
           ncl_fake_point_random(99, task, point) < h->invalid;
}

static inline void harness_answer(void *user, int task, const struct ncl_point *point,
                                  struct ncl_fake_answer *answer)
{
    const struct harness *h = user;

    answer->prepare = h->prepare;
    if (!h->even)
        answer->prepare *= 0.5 + ncl_fake_point_random(3, task, point);
    answer->seconds = h->landscape(task, point);
    if (!harness_fails(h, task, point))
        return;
    answer->prepare = h->hang > 0 ? h->hang : answer->prepare;
    *(h->late ? &answer->later : &answer->verdict) = h->failure;
}

static inline void harness_started(void *user, int task, const struct ncl_point *point)
{
    struct harness *h = user;

    (void)task;
    (void)point;
    h->started++;
}

static inline void harness_note(void *user, const struct ncl_search_note *note)
{
    struct harness *h = user;

    ck_assert_int_lt(h->note_count, HARNESS_NOTES);
    h->notes[h->note_count++] = *note;
}

static inline int harness_progress(void *user, const struct ncl_search_progress *progress)
{
    struct harness *h = user;

    h->progressed++;
    h->last = *progress;
    return h->stop_after && h->note_count >= h->stop_after;
}

static inline void harness_open(struct harness *h, double budget)
{
    *h = (struct harness){
        .landscape = spaces_separable, .prepare = 0.2, .failure = NCL_VERDICT_WRONG};
    spaces_tasks(h->tasks, HARNESS_TASKS);
    ncl_fake_open(&h->fake, h->tasks, HARNESS_TASKS);
    h->fake.answer = harness_answer;
    h->fake.user = h;
    ncl_fake_evaluator(&h->fake, &h->evaluator, &h->clock);
    h->search = (struct ncl_search){.tasks = h->tasks,
                                    .task_count = HARNESS_TASKS,
                                    .evaluator = &h->evaluator,
                                    .clock = &h->clock,
                                    .seed = 1,
                                    .budget = budget,
                                    .started = harness_started,
                                    .note = harness_note,
                                    .progress = harness_progress,
                                    .user = h};
}

static inline ncl_status harness_run(struct harness *h)
{
    return ncl_search_run(NULL, &h->search, h->results);
}

/* The least time of a legal point that works. */
static inline double harness_optimum(const struct harness *h, int task)
{
    double best = h->landscape(task, &h->tasks[task].start);

    for (int i = 0; i < SPACES_COMBINATIONS; i++) {
        struct ncl_point point;

        if (spaces_point(&h->tasks[task], i, &point) && !harness_fails(h, task, &point))
            best = fmin(best, h->landscape(task, &point));
    }
    return best;
}

static inline bool harness_same_note(const struct ncl_search_note *a,
                                     const struct ncl_search_note *b)
{
    return a->task == b->task && ncl_point_equal(&a->point, &b->point) && a->verdict == b->verdict;
}

#endif

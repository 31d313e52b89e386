/* Deliberately bad parameters to start from: a test of the tuner. They are legal, give the right
 * result, and take several times as long as the planner's own choice. */
#include "session/tune_parts.h"

#include <string.h>

/* A start should take so many times as long as the standard point: enough for a network that is at
 * least 3 times slower, no more than that needs, since bad points take long to measure. */
#define WANTED_RATIO 4.0
#define CANDIDATES 8
#define BATCH 4
#define LAUNCHES 2
#define DRAWS 200 /* until a random point is legal */
/* Of the budget, which the way back needs too: from then on the first candidates have to do. */
#define BUDGET_SHARE 0.35

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

struct worst {
    struct ncl_point point;
    double seconds, standard_seconds;
    const struct ncl_algo *deadly; /* took its process along: not drawn again. NULL: none did */
};

static bool draw_point(const struct ncl_tune_net *net, int index, uint64_t *state,
                       const struct worst *worst, struct ncl_point *point)
{
    const struct ncl_task *task = &net->tasks[index];

    for (int i = 0; i < DRAWS; i++) {
        *point = (struct ncl_point){
            .algo = task->algos[next_random(state) % (uint64_t)task->algo_count]};
        for (int k = 0; k < point->algo->tunable_count; k++)
            point->v[k] =
                point->algo->tunables[k]
                    .values[next_random(state) % (uint64_t)point->algo->tunables[k].count];
        if (point->algo != worst->deadly &&
            ncl_algo_legal(point->algo, point->v, &task->problem, task->caps) &&
            !ncl_tune_is_dead(net, index, point))
            return true;
    }
    return false;
}

/* The first candidates: the standard point, and the algorithm of the lowest rank, which is the
 * slowest as a rule. */
static int first_candidates(const struct ncl_tune_net *net, int index, struct ncl_point *points)
{
    const struct ncl_task *task = &net->tasks[index];
    const struct ncl_algo *last = task->algos[0];

    for (int i = 1; i < task->algo_count; i++)
        if (task->algos[i]->rank < last->rank)
            last = task->algos[i];
    points[0] = net->layers[index].standard;
    points[1] = (struct ncl_point){.algo = last};
    last->defaults(points[1].v, &task->problem, task->caps);
    return ncl_point_equal(&points[0], &points[1]) || ncl_tune_is_dead(net, index, &points[1]) ? 1
                                                                                               : 2;
}

/* Seconds of one launch, the fastest of a few; 0: it did not survive. */
static ncl_status time_trial(struct ncl_tuning *t, struct ncl_trial *trial, double *seconds)
{
    struct ncl_timing timings[LAUNCHES];
    ncl_status status;

    *seconds = 0;
    if (trial->verdict != NCL_VERDICT_GOOD)
        return NCL_OK;
    status = t->evaluator.time(t->evaluator.self, trial, LAUNCHES, timings);
    for (int i = 0; status == NCL_OK && trial->verdict == NCL_VERDICT_GOOD && i < LAUNCHES; i++) {
        const double one = timings[i].device > 0 ? timings[i].device : timings[i].wall;

        if (one > 0 && (*seconds == 0 || one < *seconds))
            *seconds = one;
    }
    return status;
}

/* Is it better, as a bad start, than what there is? */
static bool is_preferred(const struct worst *worst, double seconds)
{
    const double wanted = WANTED_RATIO * worst->standard_seconds;

    if (worst->seconds < wanted)
        return seconds > worst->seconds;
    return seconds >= wanted && seconds < worst->seconds;
}

static ncl_status try_batch(struct ncl_tune_net *net, int task, const struct ncl_point *points,
                            int count, struct worst *worst)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_trial trials[BATCH];
    ncl_status status;

    for (int i = 0; i < count; i++)
        trials[i] = (struct ncl_trial){.task = task, .point = points[i]};
    status = t->evaluator.prepare(t->evaluator.self, trials, count);
    for (int i = 0; status == NCL_OK && i < count; i++) {
        const struct ncl_search_note note = {
            .task = task, .point = points[i], .why = trials[i].why};
        struct ncl_search_note record = note;
        double seconds = 0;

        status = time_trial(t, &trials[i], &seconds);
        record.verdict = trials[i].verdict;
        record.seconds = seconds;
        record.samples = LAUNCHES;
        if (status == NCL_OK && (seconds > 0 || trials[i].verdict != NCL_VERDICT_GOOD))
            ncl_tune_record(net, &record);
        if (status == NCL_OK && trials[i].verdict != NCL_VERDICT_GOOD)
            status = ncl_tune_avoid(net, &record);
        if (trials[i].verdict == NCL_VERDICT_CRASHED || trials[i].verdict == NCL_VERDICT_TIMEOUT)
            worst->deadly = points[i].algo;
        if (ncl_point_equal(&points[i], &net->layers[task].standard) && seconds > 0)
            worst->standard_seconds = seconds;
        if (seconds > 0 && is_preferred(worst, seconds)) {
            worst->point = points[i];
            worst->seconds = seconds;
        }
    }
    for (int i = 0; i < count; i++)
        t->evaluator.forget(t->evaluator.self, &trials[i]);
    return status;
}

static bool has_time(const struct ncl_tuning *t)
{
    return t->options.budget_seconds <= 0 ||
           ncl_tune_elapsed(t) < BUDGET_SHARE * t->options.budget_seconds;
}

static ncl_status find_worst(struct ncl_tune_net *net, int task, uint64_t *state)
{
    struct ncl_point points[BATCH];
    struct worst worst = {.point = net->layers[task].standard};
    ncl_status status = NCL_OK;
    int tried = 0;
    int count = first_candidates(net, task, points);

    while (status == NCL_OK && count > 0 && tried < CANDIDATES) {
        status = try_batch(net, task, points, count, &worst);
        tried += count;
        count = 0;
        while (has_time(net->tuning) && count < BATCH &&
               worst.seconds < WANTED_RATIO * worst.standard_seconds &&
               draw_point(net, task, state, &worst, &points[count]))
            count++;
    }
    net->tasks[task].start = worst.point;
    net->layers[task].standard_seconds = worst.standard_seconds;
    net->layers[task].start_seconds = worst.seconds;
    return status;
}

ncl_status ncl_tune_start_from_worst(struct ncl_tune_net *net)
{
    uint64_t state = net->tuning->options.seed;
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < net->count; i++) {
        net->tuning->progress.layer = net->tasks[i].name;
        status = find_worst(net, i, &state);
    }
    return status;
}

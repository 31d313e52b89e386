#include "support/fake_evaluator.h"

#include "base/hash.h"

#include <check.h>
#include <math.h>
#include <string.h>

double ncl_fake_random(uint64_t seed, const void *data, size_t bytes)
{
    const struct ncl_hash hash = ncl_hash_bytes(data, bytes);
    const uint64_t mixed[2] = {hash.low, seed};

    return (double)(ncl_hash_bytes(mixed, sizeof mixed).low >> 11) / 9007199254740992.0;
}

double ncl_fake_point_random(uint64_t seed, int task, const struct ncl_point *point)
{
    const struct ncl_hash name = ncl_hash_bytes(point->algo->name, strlen(point->algo->name));
    const struct ncl_hash values = ncl_hash_bytes(point->v, sizeof point->v);
    const uint64_t key[3] = {name.low, values.low, (uint64_t)task};

    return ncl_fake_random(seed, key, sizeof key);
}

static int find(const struct ncl_fake *fake, const struct ncl_trial *trial)
{
    for (int i = 0; i < fake->live_count; i++)
        if (fake->live[i].task == trial->task &&
            ncl_point_equal(&fake->live[i].point, &trial->point))
            return i;
    return -1;
}

static void prepare_one(struct ncl_fake *fake, struct ncl_trial *trial)
{
    const struct ncl_task *task = &fake->tasks[trial->task];
    struct ncl_fake_answer answer = {.verdict = NCL_VERDICT_GOOD};

    ck_assert(ncl_algo_legal(trial->point.algo, trial->point.v, &task->problem, task->caps));
    fake->answer(fake->user, trial->task, &trial->point, &answer);
    fake->now += answer.prepare;
    fake->costliest = fmax(fake->costliest, answer.prepare);
    trial->verdict = answer.verdict;
    if (answer.verdict != NCL_VERDICT_GOOD) {
        strcpy(trial->why, "as injected");
        return;
    }
    if (find(fake, trial) < 0) {
        ck_assert_int_lt(fake->live_count, 256);
        fake->live[fake->live_count++] = *trial;
    }
}

static ncl_status prepare(void *self, struct ncl_trial *trials, int count)
{
    struct ncl_fake *fake = self;

    if (fake->status != NCL_OK && fake->prepares_left-- <= 0)
        return fake->status;
    for (int i = 0; i < count; i++) {
        fake->prepared++;
        prepare_one(fake, &trials[i]);
    }
    return NCL_OK;
}

static double launch_seconds(struct ncl_fake *fake, double seconds)
{
    const int number = fake->launches++;
    const double random = ncl_fake_random(fake->seed, &number, sizeof number);
    const double other = ncl_fake_random(fake->seed + 1, &number, sizeof number);

    seconds *= 1 + fake->noise * (2 * random - 1);
    if (other < fake->outliers)
        seconds *= 10;
    return fake->drift ? seconds * fake->drift(fake->now) : seconds;
}

static ncl_status time_trial(void *self, struct ncl_trial *trial, int launches,
                             struct ncl_timing *timings)
{
    struct ncl_fake *fake = self;
    struct ncl_fake_answer answer = {.verdict = NCL_VERDICT_GOOD};

    ck_assert_int_ge(find(fake, trial), 0);
    ck_assert_int_ge(launches, 1);
    fake->answer(fake->user, trial->task, &trial->point, &answer);
    fake->timed++;
    if (answer.later != NCL_VERDICT_GOOD) {
        fake->now += answer.prepare;
        trial->verdict = answer.later;
        strcpy(trial->why, "as injected");
        return NCL_OK;
    }
    for (int i = 0; i < launches; i++) {
        const double seconds = launch_seconds(fake, answer.seconds);

        timings[i].device = seconds * fake->events;
        timings[i].wall = (seconds + fake->overhead) * fake->clock;
        fake->now += seconds + fake->overhead;
    }
    return NCL_OK;
}

static void forget(void *self, const struct ncl_trial *trial)
{
    struct ncl_fake *fake = self;
    const int at = find(fake, trial);

    ck_assert_int_ge(at, 0);
    fake->live[at] = fake->live[--fake->live_count];
}

static double seconds_of(void *self)
{
    return ((struct ncl_fake *)self)->now;
}

void ncl_fake_open(struct ncl_fake *fake, const struct ncl_task *tasks, int task_count)
{
    *fake = (struct ncl_fake){
        .tasks = tasks, .task_count = task_count, .events = 1, .clock = 1, .seed = 1};
}

void ncl_fake_evaluator(struct ncl_fake *fake, struct ncl_evaluator *evaluator,
                        struct ncl_search_clock *clock)
{
    *evaluator = (struct ncl_evaluator){fake, prepare, time_trial, forget};
    *clock = (struct ncl_search_clock){fake, seconds_of};
}

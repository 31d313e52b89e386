/* The suite that every algorithm's test runs. */
#include "support/algo_check.h"

#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ncl_check *current;

/* Epilogues of convolutions and scalings, each part and each activation at least once. */
static const struct ncl_epilogue epilogues[] = {
    {.bias = true, .residual = true, .act = NCL_ACT_RELU},
    {.scale = true, .act = NCL_ACT_CLIP, .a = -0.5f, .b = 0.75f},
    {.scale = true, .residual = true},
    {.bias = true, .act = NCL_ACT_SIGMOID},
    {.bias = true, .residual = true, .act = NCL_ACT_LEAKY, .a = 0.01f},
    {.act = NCL_ACT_NONE},
    {.bias = true, .scale = true, .residual = true, .act = NCL_ACT_SILU},
    {.bias = true, .act = NCL_ACT_RELU},
    {.residual = true, .act = NCL_ACT_HARD_SWISH},
};
#define EPILOGUE_COUNT (sizeof epilogues / sizeof epilogues[0])

bool ncl_check_sample(const struct ncl_algo *algo, const struct ncl_problem *p,
                      const struct ncl_caps *caps, unsigned *state, int *v)
{
    for (int tries = 0; tries < 4000; tries++) {
        for (int i = 0; i < algo->tunable_count; i++) {
            const struct ncl_tunable *t = &algo->tunables[i];

            v[i] = t->values[ncl_check_random(state) % (unsigned)t->count];
        }
        if (ncl_algo_legal(algo, v, p, caps))
            return true;
    }
    return false;
}

struct job_list {
    struct ncl_check_job *jobs;
    size_t count, capacity;
    unsigned seed;
    bool few;  /* one point of each problem */
    bool fast; /* all with math fast */
};

/* See ncl_check_fma_is_long. */
static struct job_list list_for(const struct ncl_device *device)
{
    const bool few = ncl_check_fma_is_long(device);

    return (struct job_list){.few = few, .fast = few && current->as_gpu};
}

static const char *spared(const struct job_list *list)
{
    if (!list->few)
        return "";
    return list->fast ? ", fewer and within bounds: it emulates fma" : ", fewer: it emulates fma";
}

static struct ncl_check_job *add_job(struct job_list *list, const struct ncl_problem *p,
                                     const int *v)
{
    struct ncl_check_job *job;

    ck_assert(ncl_grow((void **)&list->jobs, &list->capacity, list->count, sizeof *job));
    job = &list->jobs[list->count++];
    memset(job, 0, sizeof *job);
    job->problem = *p;
    job->problem.fast |= list->fast;
    job->seed = ++list->seed;
    memcpy(job->v, v, sizeof job->v);
    return job;
}

/* The variant with ordinary inputs, with special ones, and with the residual in place: all three
 * run the same kernel. */
static void add_runs(struct job_list *list, const struct ncl_problem *p, const int *v)
{
    const struct ncl_algo *algo = current->algo;

    add_job(list, p, v);
    if (!current->finite_inputs)
        add_job(list, p, v)->special = true;
    if (p->epilogue.residual && !p->y_images &&
        (!algo->residual_may_alias || algo->residual_may_alias(v, p)))
        add_job(list, p, v)->alias = true;
}

static struct ncl_problem vary_epilogue(const struct ncl_problem *p, unsigned seed)
{
    struct ncl_problem varied = *p;

    if (current->fixed_epilogue || (p->kind != NCL_PROBLEM_CONV && p->kind != NCL_PROBLEM_SCALE))
        return varied;
    varied.epilogue = epilogues[seed % EPILOGUE_COUNT];
    if (p->kind == NCL_PROBLEM_SCALE)
        varied.epilogue.bias = false;
    return varied;
}

static int sampled_points(const struct job_list *list, const struct ncl_problem *p)
{
    const char *wanted = getenv("NCL_CHECK_POINTS");

    if (wanted)
        return atoi(wanted);
    /* Of floats the defaults, of halves a sampled point. */
    if (list->few)
        return p->half || !current->algo->half;
    return current->points > 0 ? current->points : 1;
}

static void add_problem(struct job_list *list, const struct ncl_problem *p,
                        const struct ncl_caps *caps, unsigned *variation)
{
    const struct ncl_algo *algo = current->algo;
    unsigned state = list->seed + 77;
    int v[NCL_MAX_TUNABLES] = {0};

    algo->defaults(v, p, caps);
    ck_assert(ncl_algo_legal(algo, v, p, caps));
    if (!list->few || !p->half)
        add_runs(list, p, v);
    for (int i = sampled_points(list, p); i > 0; i--) {
        const struct ncl_problem varied = vary_epilogue(p, (*variation)++);

        if (algo->applicable(&varied, caps) && ncl_check_sample(algo, &varied, caps, &state, v))
            add_runs(list, &varied, v);
    }
}

/* Calls visit for each channel block at which the problem is to be tested on the device. */
static int for_channel_blocks(const struct ncl_problem *p, const struct ncl_caps *caps,
                              void (*visit)(const struct ncl_problem *p,
                                            const struct ncl_caps *caps, void *user),
                              void *user)
{
    int visited = 0;

    for (const int *cb = ncl_check_channel_blocks(caps); *cb; cb++) {
        struct ncl_problem blocked = *p;

        if (p->channel_block && p->channel_block != *cb)
            continue;
        blocked.channel_block = *cb;
        if (!current->algo->applicable(&blocked, caps))
            continue;
        visit(&blocked, caps, user);
        visited++;
    }
    return visited;
}

struct collection {
    struct job_list list;
    unsigned variation;
    struct ncl_problem blocked[3]; /* the last problem, at each of its channel blocks */
    size_t blocked_count;
};

static void collect(const struct ncl_problem *p, const struct ncl_caps *caps, void *user)
{
    struct collection *collection = user;

    add_problem(&collection->list, p, caps, &collection->variation);
    collection->blocked[collection->blocked_count++] = *p;
}

/* Every channel block as floats, and one of them as halves, another for the next problem. */
static void collect_problem(size_t index, const struct ncl_caps *caps,
                            struct collection *collection)
{
    struct ncl_problem half;

    collection->blocked_count = 0;
    for_channel_blocks(&current->problems[index], caps, collect, collection);
    if (!collection->blocked_count || !current->algo->half)
        return;
    half = collection->blocked[index % collection->blocked_count];
    half.half = true;
    add_problem(&collection->list, &half, caps, &collection->variation);
    if (!caps->fp16 || !current->algo->half_math || !current->algo->half_math(&half))
        return;
    half.fast = half.half_math = true;
    add_problem(&collection->list, &half, caps, &collection->variation);
}

/* Prints the first few failures; returns how many there are. */
static size_t report(const struct ncl_device *device, const struct ncl_check_job *jobs,
                     size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        if (!jobs[i].message[0])
            continue;
        if (failed++ < 10)
            printf("%s: %s: %s: %s\n", device->caps.name, current->algo->name, jobs[i].problem_text,
                   jobs[i].message);
    }
    return failed;
}

START_TEST(bits)
{
    size_t devices;
    const struct ncl_device *device = ncl_check_devices(&devices);
    size_t failed = 0;

    for (size_t d = 0; d < devices; d++) {
        struct collection collection = {.list = list_for(&device[d]), .variation = (unsigned)d};
        struct job_list *list = &collection.list;

        for (size_t i = 0; i < current->count; i++)
            collect_problem(i, &device[d].caps, &collection);
        ncl_check_run(&device[d], current->algo, list->jobs, list->count);
        failed += report(&device[d], list->jobs, list->count);
        printf("%s on %s: %zu runs%s\n", current->algo->name, device[d].caps.name, list->count,
               spared(list));
        free(list->jobs);
    }
    ck_assert_uint_eq(failed, 0);
}
END_TEST

static void plant(const struct ncl_problem *p, const struct ncl_caps *caps, void *user)
{
    struct job_list *list = user;
    struct ncl_problem half = *p;
    int v[NCL_MAX_TUNABLES] = {0};

    if (list->count)
        return;
    current->algo->defaults(v, p, caps);
    add_job(list, p, v)->planted = true;
    if (!current->algo->half)
        return;
    half.half = true;
    add_job(list, &half, v)->planted = true;
}

/* The check itself: an output computed from another input must not pass. */
START_TEST(can_fail)
{
    size_t devices;
    const struct ncl_device *device = ncl_check_devices(&devices);

    for (size_t d = 0; d < devices; d++) {
        struct job_list list = list_for(&device[d]);

        for (size_t i = 0; i < current->count; i++) {
            struct ncl_problem p = current->problems[i];

            if (p.kind == NCL_PROBLEM_CONV && !current->fixed_epilogue)
                p.epilogue = (struct ncl_epilogue){0};
            for_channel_blocks(&p, &device[d].caps, plant, &list);
        }
        ncl_check_run(&device[d], current->algo, list.jobs, list.count);
        for (size_t i = 0; i < list.count; i++)
            ck_assert_msg(strstr(list.jobs[i].message, "differ") != NULL,
                          "a planted error went unnoticed: %s: %s", list.jobs[i].problem_text,
                          list.jobs[i].message);
        free(list.jobs);
    }
}
END_TEST

static void check_stage(const struct ncl_stage *stage, const int *v, const struct ncl_problem *p,
                        const struct ncl_caps *caps)
{
    struct ncl_range range = {{1, 1, 1}, {1, 1, 1}};
    struct ncl_args args = {0};
    size_t group = 1;

    stage->geometry(v, p, &range);
    for (int i = 0; i < 3; i++) {
        group *= range.local[i];
        ck_assert_uint_gt(range.global[i], 0);
        ck_assert_uint_eq(range.global[i] % range.local[i], 0);
        ck_assert_uint_le(range.local[i], caps->max_work_items[i]);
    }
    ck_assert_uint_le(group, caps->max_work_group);
    stage->set_args(&args, v, p);
    ck_assert(!args.overflow);
    ck_assert_int_gt(args.count, 0);
}

static void check_launch(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    for (int i = 0; i < ncl_algo_stage_count(current->algo); i++) {
        const struct ncl_stage stage = ncl_algo_stage(current->algo, i);

        check_stage(&stage, v, p, caps);
    }
}

static void check_point(const struct ncl_problem *p, const struct ncl_caps *caps, void *user)
{
    const struct ncl_algo *algo = current->algo;
    unsigned state = 5;
    int v[NCL_MAX_TUNABLES] = {0};

    (void)user;
    algo->defaults(v, p, caps);
    if (!ncl_algo_legal(algo, v, p, caps)) {
        struct ncl_text text = {0};

        ncl_problem_signature(p, &text);
        for (int i = 0; i < algo->tunable_count; i++)
            ncl_text_add(&text, " %s=%d", algo->tunables[i].name, v[i]);
        ck_abort_msg("illegal defaults on %s, CB %d: %s", caps->name, p->channel_block, text.data);
    }
    check_launch(v, p, caps);
    for (int i = 0; i < 8 && ncl_check_sample(algo, p, caps, &state, v); i++)
        check_launch(v, p, caps);
}

START_TEST(descriptor)
{
    ck_assert(ncl_algo_find(current->algo->name) == current->algo);
    for (size_t i = 0; i < current->count; i++) {
        int visited = 0;

        for (size_t d = 0; d < ncl_check_synthetic_count; d++)
            visited += for_channel_blocks(&current->problems[i], &ncl_check_synthetic[d],
                                          check_point, NULL);
        ck_assert_msg(visited > 0, "problem %zu applies nowhere", i);
    }
}
END_TEST

static void ignore(const struct ncl_problem *p, const struct ncl_caps *caps, void *user)
{
    (void)p;
    (void)caps;
    (void)user;
}

START_TEST(refused)
{
    for (size_t i = 0; i < current->refused_count; i++)
        for (size_t d = 0; d < ncl_check_synthetic_count; d++)
            ck_assert_msg(
                !for_channel_blocks(&current->refused[i], &ncl_check_synthetic[d], ignore, NULL),
                "problem %zu must be refused", i);
}
END_TEST

int ncl_check_main_with(const struct ncl_check *check, Suite *extra)
{
    Suite *suite = suite_create(check->algo->name);
    TCase *tcase = tcase_create("algorithm");
    SRunner *runner = srunner_create(suite);
    int failures;

    current = check;
    if (check->as_gpu)
        ncl_check_present_gpus();
    tcase_add_test(tcase, descriptor);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, bits);
    tcase_add_test(tcase, can_fail);
    suite_add_tcase(suite, tcase);
    if (extra)
        srunner_add_suite(runner, extra);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    ncl_check_devices_close();
    return failures;
}

int ncl_check_main(const struct ncl_check *check)
{
    return ncl_check_main_with(check, NULL);
}

/* Points evaluated in this process: what is right passes and gets times, what is wrong does not. */
#include "session/trial_parts.h"

#include "support/algo_check.h"
#include "support/fault.h"
#include "support/suite.h"

#include "base/log.h"
#include "base/memory.h"
#include <string.h>

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_error_text())

static const struct ncl_device *device;

static struct ncl_problem problems[] = {
    {NCL_CHECK_CONV_MEMBERS(1, 40, 9, 7, 24, 1, 1, 0, 1), .epilogue = {.bias = true}},
    {NCL_CHECK_CONV_MEMBERS(2, 32, 6, 6, 32, 3, 1, 1, 1),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
    {NCL_CHECK_CONV_MEMBERS(1, 32, 8, 8, 32, 3, 2, 1, 8), .epilogue = {.scale = true}},
    {.kind = NCL_PROBLEM_SCALE,
     .x = {1, 20, 5, 5},
     .y = {1, 20, 5, 5},
     .x_order = NCL_BLOCKED,
     .y_order = NCL_BLOCKED,
     .epilogue = {.scale = true, .residual = true}},
};
enum { POINTWISE, SPATIAL, GROUPED, SCALE, PROBLEMS };

static struct ncl_trials *open_on(const struct ncl_device *on, struct ncl_evaluator *evaluator,
                                  double launch_limit)
{
    const struct ncl_trials_config config = {
        .device = on,
        .problems = problems,
        .problem_count = PROBLEMS,
        .launch_limit = launch_limit,
        .cold_bytes = 1 << 20,
    };
    struct ncl_trials *trials = NULL;

    MUST(ncl_trials_open(&config, &trials));
    ncl_trials_evaluator(trials, evaluator);
    return trials;
}

static struct ncl_trials *open_trials(struct ncl_evaluator *evaluator, double launch_limit)
{
    return open_on(device, evaluator, launch_limit);
}

static bool applies(const struct ncl_algo *algo, const struct ncl_problem *p)
{
    return algo->kind == p->kind && (!algo->reorders || p->fast) && (!p->half || algo->half) &&
           algo->applicable(p, &device->caps);
}

/* The defaults and one other point of each algorithm that applies. */
static int fill(struct ncl_trial *trials, int task)
{
    unsigned state = 3;
    int count = 0;

    for (size_t i = 0; i < ncl_algo_count; i++) {
        struct ncl_trial trial = {.task = task, .point = {.algo = ncl_algos[i]}};

        if (!applies(ncl_algos[i], &problems[task]))
            continue;
        ncl_algos[i]->defaults(trial.point.v, &problems[task], &device->caps);
        trials[count++] = trial;
        if (ncl_check_sample(ncl_algos[i], &problems[task], &device->caps, &state, trial.point.v))
            trials[count++] = trial;
    }
    ck_assert_int_gt(count, 0);
    return count;
}

static struct ncl_trial default_trial(int task, const char *name)
{
    struct ncl_trial trial = {.task = task, .point = {.algo = ncl_algo_find(name)}};

    trial.point.algo->defaults(trial.point.v, &problems[task], &device->caps);
    return trial;
}

static void check_times(const struct ncl_evaluator *evaluator, struct ncl_trial *trial)
{
    struct ncl_timing timings[3];

    memset(timings, 0xff, sizeof timings);
    MUST(evaluator->time(evaluator->self, trial, 3, timings));
    ck_assert_msg(trial->verdict == NCL_VERDICT_GOOD, "%s", trial->why);
    for (int i = 0; i < 3; i++) {
        ck_assert(timings[i].device >= 0 && timings[i].device < 10);
        ck_assert(timings[i].wall > 0 && timings[i].wall < 10);
    }
}

static void check_good(const struct ncl_evaluator *evaluator, int task)
{
    struct ncl_trial trials[64];
    const int count = fill(trials, task);

    MUST(evaluator->prepare(evaluator->self, trials, count));
    for (int i = 0; i < count; i++) {
        ck_assert_msg(trials[i].verdict == NCL_VERDICT_GOOD, "%s: %s", trials[i].point.algo->name,
                      trials[i].why);
        check_times(evaluator, &trials[i]);
    }
    for (int i = 0; i < count; i++)
        evaluator->forget(evaluator->self, &trials[i]);
}

START_TEST(good_points)
{
    const bool modes[4][2] = {{false, false}, {true, false}, {false, true}, {true, true}};

    for (int m = 0; m < 4; m++) {
        struct ncl_evaluator evaluator;
        struct ncl_trials *trials;

        for (int i = 0; i < PROBLEMS; i++)
            problems[i].fast = modes[m][0], problems[i].half = modes[m][1];
        trials = open_trials(&evaluator, 0);
        for (int i = 0; i < PROBLEMS; i++)
            check_good(&evaluator, i);
        ncl_trials_close(trials);
    }
    for (int i = 0; i < PROBLEMS; i++)
        problems[i].fast = problems[i].half = false;
}
END_TEST

/* A trial that was prepared may be timed in turn with others, and prepared again at no cost. */
START_TEST(turns)
{
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials = open_trials(&evaluator, 0);
    struct ncl_trial both[2] = {default_trial(POINTWISE, "pointwise"),
                                default_trial(SPATIAL, "direct")};
    struct ncl_timing timing;

    MUST(evaluator.prepare(evaluator.self, both, 2));
    for (int i = 0; i < 6; i++)
        check_times(&evaluator, &both[i % 2]);
    MUST(evaluator.prepare(evaluator.self, both, 2));
    check_times(&evaluator, &both[1]);
    evaluator.forget(evaluator.self, &both[1]);
    ck_assert_int_eq(evaluator.time(evaluator.self, &both[1], 1, &timing), NCL_ERROR_USAGE);
    check_times(&evaluator, &both[0]);
    ncl_trials_close(trials);
}
END_TEST

static void check_verdict(const struct ncl_evaluator *evaluator, struct ncl_trial *trial,
                          enum ncl_verdict verdict, const char *why)
{
    struct ncl_timing timing;

    MUST(evaluator->prepare(evaluator->self, trial, 1));
    ck_assert_msg(trial->verdict == verdict && strstr(trial->why, why), "%d: %s",
                  (int)trial->verdict, trial->why);
    if (verdict != NCL_VERDICT_GOOD)
        ck_assert_int_eq(evaluator->time(evaluator->self, trial, 1, &timing), NCL_ERROR_USAGE);
}

START_TEST(slow_points)
{
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials = open_trials(&evaluator, 1e-9);
    struct ncl_trial trial = default_trial(POINTWISE, "pointwise");

    check_verdict(&evaluator, &trial, NCL_VERDICT_TIMEOUT, "the limit is 1e-09 s");
    ncl_trials_close(trials);
}
END_TEST

/* ---- descriptors that are wrong ---- */

static void one_more_row(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    ncl_algo_find("bn_relu_add")->set_args(args, v, p);
    args->items[args->count - 1].value.i += 1; /* a pixel more than there are */
}

static void half_of_it(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    (void)v;
    (void)p;
    range->global[0] = range->global[1] = 1;
}

static void too_many_items(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    (void)v;
    (void)p;
    range->local[0] = range->global[0] = device->caps.max_work_group * 2;
}

static struct ncl_trial scale_trial(const struct ncl_algo *algo)
{
    struct ncl_trial trial = {.task = SCALE, .point = {.algo = algo, .v = {1, 1, 1}}};

    return trial;
}

START_TEST(wrong_descriptors)
{
    const struct ncl_algo *right = ncl_algo_find("bn_relu_add");
    struct ncl_algo stray = *right, partial = *right, absent = *right, large = *right;
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials;
    struct ncl_trial trial;

    problems[SCALE].x.c = problems[SCALE].y.c = 4; /* one block: the pixel more is beyond the end */
    stray.set_args = one_more_row;
    stray.residual_may_alias = NULL;
    partial.geometry = half_of_it;
    absent.kernel = "ncl_no_such_kernel";
    large.geometry = too_many_items;
    trials = open_trials(&evaluator, 0);
    trial = scale_trial(&stray);
    trial.point.v[0] = 4096;
    check_verdict(&evaluator, &trial, NCL_VERDICT_WRONG, "outside of the output");
    trial = scale_trial(&partial);
    check_verdict(&evaluator, &trial, NCL_VERDICT_WRONG, "values differ");
    trial = scale_trial(&absent);
    check_verdict(&evaluator, &trial, NCL_VERDICT_BUILD, "ncl_no_such_kernel");
    trial = scale_trial(&large);
    check_verdict(&evaluator, &trial, NCL_VERDICT_LAUNCH, "CL_INVALID_WORK_GROUP_SIZE");
    trial = scale_trial(right); /* the evaluator is none the worse */
    check_verdict(&evaluator, &trial, NCL_VERDICT_GOOD, "");
    problems[SCALE].x.c = problems[SCALE].y.c = 20;
    ncl_trials_close(trials);
}
END_TEST

/* ---- writes beside a tensor ---- */

static const struct ncl_guarded *struck; /* by a library's call that computes nothing */
static size_t strike_at;                 /* bytes from the beginning of the first zone */

static ncl_status strike(const struct ncl_device *on, const int *v, const struct ncl_problem *p,
                         const cl_mem *buffers, cl_command_queue queue, cl_event *event)
{
    const float value = 1;

    (void)v;
    (void)p;
    (void)buffers;
    ck_assert_uint_lt(strike_at, 2 * struck->guard + struck->bytes);
    return on->cl->EnqueueWriteBuffer(queue, struck->parent, CL_TRUE, strike_at, sizeof value,
                                      &value, 0, NULL, event) == CL_SUCCESS
               ? NCL_OK
               : NCL_ERROR_DEVICE;
}

/* A row of the problem's pixels before the tensor, and a row behind it. What other trials read is
 * none the worse afterwards. */
static void check_struck(struct ncl_trials *trials, const struct ncl_evaluator *evaluator,
                         enum ncl_role role, const char *why)
{
    const size_t row = 5 * 8 * sizeof(float);
    struct ncl_algo wild = *ncl_algo_find("bn_relu_add");

    wild.host_run = strike;
    for (int i = 0; i < 2; i++) {
        struct ncl_trial trial = scale_trial(&wild);
        struct ncl_trial_data *data;

        MUST(ncl_trials_data(trials, SCALE, &data));
        struck = &data->buffers[role];
        ck_assert_uint_ge(struck->guard, 4096);
        strike_at = i ? struck->guard + struck->bytes + row : struck->guard - row;
        check_verdict(evaluator, &trial, NCL_VERDICT_WRONG, why);
        trial = scale_trial(ncl_algo_find("bn_relu_add"));
        check_verdict(evaluator, &trial, NCL_VERDICT_GOOD, "");
        evaluator->forget(evaluator->self, &trial);
    }
}

START_TEST(strays)
{
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials = open_trials(&evaluator, 0);

    check_struck(trials, &evaluator, NCL_ARG_X, "wrote beside the input");
    check_struck(trials, &evaluator, NCL_ARG_SCALE, "wrote beside the scales");
    check_struck(trials, &evaluator, NCL_ARG_SHIFT, "wrote beside the shifts");
    check_struck(trials, &evaluator, NCL_ARG_RESIDUAL, "wrote beside the residual");
    check_struck(trials, &evaluator, NCL_ARG_Y, "wrote outside of the output");
    ncl_trials_close(trials);
}
END_TEST

/* A row of pixels may be longer than the smallest zone. */
START_TEST(wide_rows)
{
    struct ncl_problem wide = problems[POINTWISE];
    struct ncl_trial_data data;

    wide.x.w = wide.y.w = 300;
    wide.x.h = wide.y.h = 1;
    MUST(ncl_trial_data_make(device, &wide, &data));
    ck_assert_uint_ge(data.buffers[NCL_ARG_X].guard, 300 * 8 * sizeof(float));
    ncl_trial_data_free(device, &data);
}
END_TEST

/* ---- launches and their limit ---- */

/* Of 75 work-groups, a millisecond each by the clock of the layer. */
static struct ncl_trial many_groups(void)
{
    return scale_trial(ncl_algo_find("bn_relu_add"));
}

static void check_limit(const struct ncl_device *on, double limit, enum ncl_verdict verdict,
                        const char *why)
{
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials = open_on(on, &evaluator, limit);
    struct ncl_trial trial = many_groups();

    check_verdict(&evaluator, &trial, verdict, why);
    if (verdict == NCL_VERDICT_GOOD)
        check_times(&evaluator, &trial);
    ncl_trials_close(trials);
}

/* A GPU is not given a launch that would take too long. */
START_TEST(estimated)
{
    struct ncl_device gpu = *device;

    gpu.caps.type = NCL_DEVICE_GPU;
    gpu.caps.compute_units = 1;
    setenv("NCL_LAYER_CLOCK", "groups", 1);
    check_limit(&gpu, 0.08, NCL_VERDICT_GOOD, "");
    setenv("NCL_LAYER_MOST_GROUPS", "74", 1); /* the whole of it would fail */
    check_limit(&gpu, 0.08, NCL_VERDICT_LAUNCH, "CL_OUT_OF_RESOURCES");
    check_limit(&gpu, 0.07, NCL_VERDICT_TIMEOUT,
                "a launch would take about 0.075 s, the limit is 0.07 s");
    unsetenv("NCL_LAYER_MOST_GROUPS");
    check_limit(device, 0.07, NCL_VERDICT_TIMEOUT, "a launch takes 0.075 s, the limit is 0.07 s");
    unsetenv("NCL_LAYER_CLOCK");
}
END_TEST

/* Slices leave no trace in what is judged, whatever the algorithm. */
START_TEST(sliced)
{
    struct ncl_device gpu = *device;
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials;

    gpu.caps.type = NCL_DEVICE_GPU;
    gpu.caps.compute_units = 1;
    setenv("NCL_LAYER_CLOCK", "groups", 1);
    trials = open_on(&gpu, &evaluator, 1000);
    for (int i = 0; i < PROBLEMS; i++)
        check_good(&evaluator, i);
    ncl_trials_close(trials);
    unsetenv("NCL_LAYER_CLOCK");
}
END_TEST

/* This process was stopped for a while, perhaps. */
START_TEST(one_slow_launch)
{
    setenv("NCL_LAYER_KERNEL", "bn_relu_add", 1);
    setenv("NCL_LAYER_SLOW", "1", 1);
    check_limit(device, 1, NCL_VERDICT_GOOD, "");
    unsetenv("NCL_LAYER_SLOW");
    unsetenv("NCL_LAYER_KERNEL");
}
END_TEST

/* ---- memory that the device does not have ---- */

static void check_untimed(const struct ncl_evaluator *evaluator, struct ncl_trial *trial)
{
    struct ncl_timing timings[3];

    MUST(evaluator->time(evaluator->self, trial, 3, timings));
    ck_assert_int_eq(trial->verdict, NCL_VERDICT_LAUNCH);
}

/* One candidate's fault, and no reason to end. */
START_TEST(refused_for_memory)
{
    struct ncl_evaluator evaluator;
    struct ncl_trials *trials = open_trials(&evaluator, 0);
    struct ncl_trial trial = default_trial(SPATIAL, "direct");

    setenv("NCL_LAYER_MAX_ALLOC", "65536", 1); /* less than a pool of weights */
    check_verdict(&evaluator, &trial, NCL_VERDICT_GOOD, "");
    check_untimed(&evaluator, &trial);
    unsetenv("NCL_LAYER_MAX_ALLOC");
    check_verdict(&evaluator, &trial, NCL_VERDICT_GOOD, "");
    check_times(&evaluator, &trial);
    trial = default_trial(POINTWISE, "direct");
    setenv("NCL_LAYER_KERNEL", "direct", 1);
    setenv("NCL_LAYER_CODE", "-4", 1);
    setenv("NCL_LAYER_FAIL_ENQUEUE", "0", 1);
    check_verdict(&evaluator, &trial, NCL_VERDICT_LAUNCH, "CL_MEM_OBJECT_ALLOCATION_FAILURE");
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    check_verdict(&evaluator, &trial, NCL_VERDICT_GOOD, "");
    setenv("NCL_LAYER_FAIL_ENQUEUE", "0", 1);
    check_untimed(&evaluator, &trial);
    unsetenv("NCL_LAYER_FAIL_ENQUEUE");
    unsetenv("NCL_LAYER_CODE");
    unsetenv("NCL_LAYER_KERNEL");
    ncl_trials_close(trials);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("trial");
    size_t count = 0;
    int failed = 0;

    fault_layer_load();
    device = ncl_check_devices(&count);
    if (!count)
        return 1;
    for (int i = 0; i < PROBLEMS; i++)
        problems[i].channel_block = 8;
    tcase_add_test(tests, good_points);
    tcase_add_test(tests, turns);
    tcase_add_test(tests, slow_points);
    tcase_add_test(tests, wrong_descriptors);
    tcase_add_test(tests, strays);
    tcase_add_test(tests, wide_rows);
    tcase_add_test(tests, estimated);
    tcase_add_test(tests, sliced);
    tcase_add_test(tests, one_slow_launch);
    tcase_add_test(tests, refused_for_memory);
    failed = ncl_run_suite(tests, "trial");
    ncl_check_devices_close();
    return failed;
}

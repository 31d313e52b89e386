/* Points evaluated in a process of their own, which the layer of layer_fault.c makes crash, hang
 * and miscalculate. This program is the worker too: started with "serve". */
#include "session/worker.h"
#include "nextcl.h"

#include "session/served.h"
#include "support/fault.h"
#include "support/suite.h"

#include "base/clock.h"
#include "base/thread.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ncl_problem problems[] = {
    {NCL_CHECK_CONV_MEMBERS(1, 40, 9, 7, 24, 1, 1, 0, 1), .epilogue = {.bias = true}},
    {NCL_CHECK_CONV_MEMBERS(1, 32, 6, 6, 32, 3, 1, 1, 1),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
};
enum { POINTWISE, SPATIAL, PROBLEMS };

static int stop; /* what `cancelled` answers */

static int is_cancelled(void *user)
{
    (void)user;
    return stop;
}

static struct ncl_worker_config config(void)
{
    return (struct ncl_worker_config){
        .command = command,
        .device = device_name,
        .trials = {.problems = problems, .problem_count = PROBLEMS, .cold_bytes = 1 << 20},
        .build_seconds = 60,
        .run_seconds = 30,
        .cancelled = is_cancelled,
    };
}

static struct ncl_worker *open_worker(const struct ncl_worker_config *c,
                                      struct ncl_evaluator *evaluator)
{
    struct ncl_worker *worker = NULL;

    MUST(ncl_worker_open(c, &worker));
    ncl_worker_evaluator(worker, evaluator);
    return worker;
}

static struct ncl_trial trial_of(int task, const char *name)
{
    struct ncl_trial trial = {.task = task, .point = {.algo = ncl_algo_find(name)}};

    trial.point.algo->defaults(trial.point.v, &problems[task], &device->caps);
    return trial;
}

static void check_times(const struct ncl_evaluator *evaluator, struct ncl_trial *trial)
{
    struct ncl_timing timings[2];

    memset(timings, 0xff, sizeof timings);
    MUST(evaluator->time(evaluator->self, trial, 2, timings));
    ck_assert_msg(trial->verdict == NCL_VERDICT_GOOD, "%s", trial->why);
    for (int i = 0; i < 2; i++) {
        ck_assert(timings[i].device >= 0 && timings[i].device < 10);
        ck_assert(timings[i].wall > 0 && timings[i].wall < 10);
    }
}

/* Four trials, of which the layer spoils those of `direct`. */
static void fill(struct ncl_trial trials[4])
{
    trials[0] = trial_of(POINTWISE, "pointwise");
    trials[1] = trial_of(POINTWISE, "direct");
    trials[2] = trial_of(SPATIAL, "spatial");
    trials[3] = trial_of(POINTWISE, "pointwise");
    trials[3].point = trials[0].point;
    trials[3].task = SPATIAL;
    trials[3].point.algo = ncl_algo_find("spatial");
    ck_assert(ncl_check_sample(trials[3].point.algo, &problems[SPATIAL], &device->caps,
                               &(unsigned){9}, trials[3].point.v));
}

static void check_verdicts(const struct ncl_trial trials[4], enum ncl_verdict direct,
                           const char *why)
{
    for (int i = 0; i < 4; i++) {
        const enum ncl_verdict expected = i == 1 ? direct : NCL_VERDICT_GOOD;

        ck_assert_msg(trials[i].verdict == expected, "%d: %d: %s", i, (int)trials[i].verdict,
                      trials[i].why);
        if (expected != NCL_VERDICT_GOOD)
            ck_assert_msg(strstr(trials[i].why, why) != NULL, "%s", trials[i].why);
    }
}

static void check_batch(const struct ncl_evaluator *evaluator, enum ncl_verdict direct,
                        const char *why)
{
    struct ncl_trial trials[4];

    fill(trials);
    MUST(evaluator->prepare(evaluator->self, trials, 4));
    check_verdicts(trials, direct, why);
    for (int i = 0; i < 4; i++)
        if (trials[i].verdict == NCL_VERDICT_GOOD)
            check_times(evaluator, &trials[i]);
    for (int i = 0; i < 4; i++)
        evaluator->forget(evaluator->self, &trials[i]);
}

static void fault(const char *what)
{
    setenv("NCL_LAYER_KERNEL", "direct", 1);
    setenv(what, "0", 1);
}

static void no_fault(const char *what)
{
    unsetenv(what);
    unsetenv("NCL_LAYER_KERNEL");
}

START_TEST(good)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = open_worker(&c, &evaluator);

    check_batch(&evaluator, NCL_VERDICT_GOOD, "");
    check_batch(&evaluator, NCL_VERDICT_GOOD, "");
    ck_assert_int_eq(ncl_worker_restarts(worker), 0);
    ncl_worker_close(worker);
}
END_TEST

START_TEST(wrong)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;

    fault("NCL_LAYER_WRONG");
    worker = open_worker(&c, &evaluator);
    check_batch(&evaluator, NCL_VERDICT_WRONG, "values differ");
    ck_assert_int_eq(ncl_worker_restarts(worker), 0);
    no_fault("NCL_LAYER_WRONG");
    ncl_worker_close(worker);
}
END_TEST

START_TEST(crash)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;

    fault("NCL_LAYER_CRASH");
    worker = open_worker(&c, &evaluator);
    check_batch(&evaluator, NCL_VERDICT_CRASHED, "killed by signal 11");
    ck_assert_int_ge(ncl_worker_restarts(worker), 1);
    no_fault("NCL_LAYER_CRASH");
    ncl_worker_close(worker);
}
END_TEST

START_TEST(hang)
{
    struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trial = trial_of(POINTWISE, "direct");
    uint64_t before;

    c.build_seconds = 1;
    c.run_seconds = 1;
    fault("NCL_LAYER_HANG");
    worker = open_worker(&c, &evaluator);
    before = ncl_clock_ns();
    MUST(evaluator.prepare(evaluator.self, &trial, 1));
    ck_assert_int_eq(trial.verdict, NCL_VERDICT_TIMEOUT);
    ck_assert_str_eq(trial.why, "no answer within 2 s");
    ck_assert_uint_lt(ncl_clock_ns() - before,
                      30000000000u); /* the oracle's time and a slow machine */
    no_fault("NCL_LAYER_HANG");
    trial = trial_of(POINTWISE, "direct");
    MUST(evaluator.prepare(evaluator.self, &trial, 1)); /* by a new worker */
    ck_assert_msg(trial.verdict == NCL_VERDICT_GOOD, "%s", trial.why);
    ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    ncl_worker_close(worker);
}
END_TEST

/* A device whose driver builds several kernels at once: all the others are built when one hangs or
 * crashes, so that nobody needs to look for it again. */
static void check_builds_at_once(const char *what, enum ncl_verdict verdict, const char *why)
{
    struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trials[4];

    c.build_seconds = 5;
    setenv("NCL_LAYER_TYPE", "gpu", 1);
    setenv("NCL_LAYER_PLATFORM", "None that is known", 1);
    setenv("NCL_LAYER_SOURCE", "FN(ncl_direct)", 1);
    setenv(what, "0", 1);
    worker = open_worker(&c, &evaluator);
    fill(trials);
    MUST(evaluator.prepare(evaluator.self, trials, 4));
    check_verdicts(trials, verdict, why);
    if (verdict == NCL_VERDICT_TIMEOUT && ncl_cpu_count() > 1)
        ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    ncl_worker_close(worker);
    unsetenv(what);
    unsetenv("NCL_LAYER_SOURCE");
    unsetenv("NCL_LAYER_PLATFORM");
    unsetenv("NCL_LAYER_TYPE");
}

START_TEST(hang_among_builds_at_once)
{
    check_builds_at_once("NCL_LAYER_HANG_BUILD", NCL_VERDICT_TIMEOUT, "no answer within 5 s");
}
END_TEST

START_TEST(crash_among_builds_at_once)
{
    check_builds_at_once("NCL_LAYER_CRASH_BUILD", NCL_VERDICT_CRASHED, "killed by signal 11");
}
END_TEST

/* The second launch, the first that is timed, takes the worker along; then it is another trial's
 * turn, which the dead worker had prepared. */
START_TEST(crash_while_timing)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trials[2] = {trial_of(POINTWISE, "direct"), trial_of(POINTWISE, "pointwise")};
    struct ncl_timing timings[4];

    fault("NCL_LAYER_CRASH");
    setenv("NCL_LAYER_CRASH", "2", 1);
    worker = open_worker(&c, &evaluator);
    MUST(evaluator.prepare(evaluator.self, trials, 2));
    ck_assert_int_eq(trials[0].verdict, NCL_VERDICT_GOOD);
    ck_assert_int_eq(trials[1].verdict, NCL_VERDICT_GOOD);
    MUST(evaluator.time(evaluator.self, &trials[0], 4, timings));
    ck_assert_int_eq(trials[0].verdict, NCL_VERDICT_CRASHED);
    ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    check_times(&evaluator, &trials[1]);
    ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    no_fault("NCL_LAYER_CRASH");
    ncl_worker_close(worker);
}
END_TEST

START_TEST(zero_times)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trial = trial_of(POINTWISE, "pointwise");
    struct ncl_timing timings[3];

    setenv("NCL_LAYER_CLOCK", "zero", 1);
    worker = open_worker(&c, &evaluator);
    MUST(evaluator.prepare(evaluator.self, &trial, 1));
    MUST(evaluator.time(evaluator.self, &trial, 3, timings));
    for (int i = 0; i < 3; i++) {
        ck_assert(timings[i].device == 0);
        ck_assert(timings[i].wall > 0);
    }
    unsetenv("NCL_LAYER_CLOCK");
    ncl_worker_close(worker);
}
END_TEST

START_TEST(cancelling)
{
    const struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trial = trial_of(POINTWISE, "direct");

    fault("NCL_LAYER_HANG");
    worker = open_worker(&c, &evaluator);
    stop = 1;
    ck_assert_int_eq(evaluator.prepare(evaluator.self, &trial, 1), NCL_ERROR_CANCELLED);
    stop = 0;
    no_fault("NCL_LAYER_HANG");
    ncl_worker_close(worker);
}
END_TEST

START_TEST(no_worker)
{
    const char *const missing[] = {"/nonexistent/nextcl", NULL}, *const other[] = {"/bin/echo",
                                                                                   NULL};
    struct ncl_worker_config c = config();
    struct ncl_worker *worker;

    c.command = missing;
    ck_assert_int_eq(ncl_worker_open(&c, &worker), NCL_ERROR_DEVICE);
    ck_assert_msg(strstr(ncl_error_text(), "/nonexistent/nextcl") != NULL, "%s", ncl_error_text());
    c.command = other;
    ck_assert_int_eq(ncl_worker_open(&c, &worker), NCL_ERROR_DEVICE);
    ck_assert_msg(strstr(ncl_error_text(), "greet") != NULL, "%s", ncl_error_text());
    c.command = command;
    c.device = "no such device";
    ck_assert_int_eq(ncl_worker_open(&c, &worker), NCL_ERROR_DEVICE);
    ck_assert_msg(strstr(ncl_error_text(), "no such device") != NULL, "%s", ncl_error_text());
}
END_TEST

/* ---- the tuner is killed ---- */

/* As a process of its own: a tuner whose worker hangs. Its worker has inherited `alive`, the end of
 * a pipe, which closes when both are gone. */
static int be_a_tuner(void)
{
    struct ncl_worker_config c = config();
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = NULL;
    struct ncl_trial trial = trial_of(POINTWISE, "direct");

    c.build_seconds = c.run_seconds = 300;
    if (ncl_worker_open(&c, &worker) != NCL_OK)
        return 1;
    ncl_worker_evaluator(worker, &evaluator);
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    evaluator.prepare(evaluator.self, &trial, 1);
    return 2; /* not reached: the worker hangs, and we are killed */
}

static pid_t start_tuner(int *alive)
{
    int ends[2];
    pid_t child;
    char ready;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork(); /* exec'd at once */
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]); /* the other end stays open, across exec and in the worker */
        execl("/proc/self/exe", "session_worker", "tune", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &ready, 1), 1);
    *alive = ends[0];
    return child;
}

START_TEST(killed_tuner)
{
    struct pollfd poller = {.events = POLLIN};
    pid_t tuner;
    char byte;

    fault("NCL_LAYER_HANG");
    tuner = start_tuner(&poller.fd);
    ck_assert_int_eq(poll(&poller, 1, 1000), 0); /* both live, the worker in its launch */
    kill(tuner, SIGKILL);
    ck_assert_int_eq(waitpid(tuner, NULL, 0), tuner);
    ck_assert_int_eq(poll(&poller, 1, 20000), 1);
    ck_assert_int_eq(read(poller.fd, &byte, 1), 0); /* nobody holds the pipe any more */
    close(poller.fd);
    no_fault("NCL_LAYER_HANG");
}
END_TEST

static void open_device(void)
{
    served_open();
    for (int i = 0; i < PROBLEMS; i++)
        problems[i].channel_block = 8;
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("worker");
    int failed;

    fault_layer_load();
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return ncl_tune_worker(0, 1) == NCL_OK ? 0 : 1;
    open_device();
    if (argc == 2 && strcmp(argv[1], "tune") == 0)
        return be_a_tuner();
    tcase_add_test(tests, good);
    tcase_add_test(tests, wrong);
    tcase_add_test(tests, crash);
    tcase_add_test(tests, hang);
    tcase_add_test(tests, hang_among_builds_at_once);
    tcase_add_test(tests, crash_among_builds_at_once);
    tcase_add_test(tests, crash_while_timing);
    tcase_add_test(tests, zero_times);
    tcase_add_test(tests, cancelling);
    tcase_add_test(tests, no_worker);
    tcase_add_test(tests, killed_tuner);
    failed = ncl_run_suite(tests, "worker");
    ncl_check_devices_close();
    return failed;
}

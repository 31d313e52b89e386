/* Workers that end, are stopped, talk nonsense, or whose driver prints, while a tuner or a trial is
 * none the worse. This program is the worker too: started with "serve", or, with "lie FIELD VALUE",
 * one that puts the value into its answers. */
#include "nextcl.h"
#include "session/worker_link.h"

#include "session/served.h"
#include "support/fault.h"
#include "support/suite.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ncl_problem problem = {NCL_CHECK_CONV_MEMBERS(1, 40, 9, 7, 24, 1, 1, 0, 1),
                                     .epilogue = {.bias = true}};

static struct ncl_worker *open_command(const char *const *argv, struct ncl_evaluator *evaluator)
{
    const struct ncl_worker_config config = {
        .command = argv,
        .device = device_name,
        .trials = {.problems = &problem, .problem_count = 1},
        .build_seconds = 60,
        .run_seconds = 30,
    };
    struct ncl_worker *worker = NULL;

    MUST(ncl_worker_open(&config, &worker));
    ncl_worker_evaluator(worker, evaluator);
    return worker;
}

static struct ncl_worker *open_worker(struct ncl_evaluator *evaluator)
{
    return open_command(command, evaluator);
}

static struct ncl_trial trial_of(const char *name)
{
    struct ncl_trial trial = {.point = {.algo = ncl_algo_find(name)}};

    trial.point.algo->defaults(trial.point.v, &problem, &device->caps);
    return trial;
}

static void prepare(const struct ncl_evaluator *evaluator, struct ncl_trial *trials, int count)
{
    MUST(evaluator->prepare(evaluator->self, trials, count));
    for (int i = 0; i < count; i++)
        ck_assert_msg(trials[i].verdict == NCL_VERDICT_GOOD, "%s", trials[i].why);
}

static void check_time(const struct ncl_evaluator *evaluator, struct ncl_trial *trial)
{
    struct ncl_timing timing = {-1, -1};

    MUST(evaluator->time(evaluator->self, trial, 1, &timing));
    ck_assert_msg(trial->verdict == NCL_VERDICT_GOOD, "%s", trial->why);
    ck_assert(timing.wall > 0);
}

static void set_crash(const char *kernel, int launch, int number)
{
    setenv("NCL_LAYER_KERNEL", kernel, 1);
    fault_set("NCL_LAYER_CRASH", launch);
    fault_set("NCL_LAYER_SIGNAL", number);
}

static void no_crash(void)
{
    unsetenv("NCL_LAYER_SIGNAL");
    unsetenv("NCL_LAYER_CRASH");
    unsetenv("NCL_LAYER_KERNEL");
}

/* ---- killed from outside ---- */

/* As by whoever is short of memory. */
static void kill_worker(const struct ncl_worker *worker, int number)
{
    struct pollfd poller = {.fd = worker->process.fd};

    ck_assert_int_eq(kill(worker->process.pid, number), 0);
    ck_assert_int_eq(poll(&poller, 1, 20000), 1); /* it is dead */
}

START_TEST(killed_once)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = open_worker(&evaluator);
    struct ncl_trial trial = trial_of("pointwise");

    kill_worker(worker, SIGKILL);
    prepare(&evaluator, &trial, 1);
    ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    kill_worker(worker, SIGKILL);
    check_time(&evaluator, &trial);
    ck_assert_int_eq(ncl_worker_restarts(worker), 2);
    ncl_worker_close(worker);
}
END_TEST

/* The one that compiles ahead, where the driver's cache is worth one. */
START_TEST(killed_ahead)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = open_worker(&evaluator);
    struct ncl_trial trials[2] = {trial_of("pointwise"), trial_of("direct")};

    set_crash("direct", 0, SIGKILL); /* for those that are started from now on */
    prepare(&evaluator, trials, 2);
    ck_assert_int_eq(ncl_worker_restarts(worker), worker->shared_cache ? 1 : 0);
    no_crash();
    ncl_worker_close(worker);
}
END_TEST

static void check_crashed(const struct ncl_trial *trial, const char *why)
{
    ck_assert_int_eq(trial->verdict, NCL_VERDICT_CRASHED);
    ck_assert_str_eq(trial->why, why);
}

static void check_killed_by_launch(int launch, int number, int restarts, const char *why)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trial = trial_of("pointwise");
    struct ncl_timing timing;

    set_crash("pointwise", launch, number);
    worker = open_worker(&evaluator);
    MUST(evaluator.prepare(evaluator.self, &trial, 1));
    if (launch > 1) {
        ck_assert_msg(trial.verdict == NCL_VERDICT_GOOD, "%s", trial.why);
        MUST(evaluator.time(evaluator.self, &trial, 1, &timing));
    }
    check_crashed(&trial, why);
    ck_assert_int_eq(ncl_worker_restarts(worker), restarts);
    no_crash();
    ncl_worker_close(worker);
}

START_TEST(killed_twice)
{
    const char *const why = "its process was killed by signal 9, twice: out of memory?";

    check_killed_by_launch(1, SIGKILL, 2, why);
    check_killed_by_launch(2, SIGKILL, 2, why);
}
END_TEST

/* Any other end is the trial's. */
START_TEST(terminated_once)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = open_worker(&evaluator);
    struct ncl_trial trial = trial_of("pointwise");

    kill_worker(worker, SIGTERM);
    MUST(evaluator.prepare(evaluator.self, &trial, 1));
    check_crashed(&trial, "its process was killed by signal 15");
    ncl_worker_close(worker);
    check_killed_by_launch(2, SIGABRT, 1, "its process was killed by signal 6");
}
END_TEST

/* ---- nonsense ---- */

struct lie {
    const char *field, *value;
    bool timed; /* told when asked for times; else in the first answer */
};

static const struct lie lies[] = {
    {"verdict", "99", false},  {"verdict", "-1", false}, {"verdict", "7", false}, /* STARTED */
    {"status", "77", false},   {"status", "-1", false},  {"status", "130", false},
    {"kind", "9", false},      {"kind", "0", false},     {"verdict", "8", true},
    {"timings", "1", true},    {"timings", "3", true},   {"timings", "-2", true},
    {"timings", "99999", true}};
enum { LIES = sizeof lies / sizeof lies[0], LAUNCHES = 2 };

static void put_lie(const struct lie *lie, struct ncl_wire_reply *reply)
{
    const int32_t value = (int32_t)atoi(lie->value);

    if (strcmp(lie->field, "verdict") == 0)
        reply->verdict = value;
    else if (strcmp(lie->field, "status") == 0)
        reply->status = value;
    else if (strcmp(lie->field, "kind") == 0)
        reply->kind = value;
    else
        reply->timings = value;
}

static int serve_lie(const struct lie *lie)
{
    struct ncl_wire_reply reply = {.kind = NCL_WIRE_OPENED};
    const struct ncl_timing timings[LAUNCHES] = {{1e-3, 1e-3}, {1e-3, 1e-3}};
    struct ncl_wire_hello hello;
    struct ncl_wire_open open;
    struct ncl_wire_request request;
    struct ncl_wire_trial trial;
    struct ncl_problem one;

    ncl_wire_greet(&hello);
    if (!ncl_fd_write(1, &hello, sizeof hello) || !ncl_fd_read(0, &open, sizeof open) ||
        !ncl_fd_read(0, &one, sizeof one) || !ncl_fd_write(1, &reply, sizeof reply))
        return 1;
    while (ncl_fd_read(0, &request, sizeof request) && ncl_fd_read(0, &trial, sizeof trial)) {
        const bool timed = request.kind == NCL_WIRE_TIME;

        reply = (struct ncl_wire_reply){.kind = NCL_WIRE_DONE, .timings = timed ? LAUNCHES : 0};
        if (lie->timed == timed)
            put_lie(lie, &reply);
        if (!ncl_fd_write(1, &reply, sizeof reply) ||
            (timed && !ncl_fd_write(1, timings, sizeof timings)))
            return 1;
    }
    return 0;
}

START_TEST(nonsense)
{
    const struct lie *lie = &lies[_i];
    const char *const argv[] = {"/proc/self/exe",          "lie", lie->field, lie->value,
                                lie->timed ? "timed" : "", NULL};
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker = open_command(argv, &evaluator);
    struct ncl_trial trial = trial_of("pointwise");
    struct ncl_timing timings[LAUNCHES];

    MUST(evaluator.prepare(evaluator.self, &trial, 1));
    if (lie->timed) {
        ck_assert_msg(trial.verdict == NCL_VERDICT_GOOD, "%s", trial.why);
        MUST(evaluator.time(evaluator.self, &trial, LAUNCHES, timings));
    }
    ck_assert_int_eq(trial.verdict, NCL_VERDICT_CRASHED);
    ck_assert_msg(strstr(trial.why, "nonsense") != NULL, "%s", trial.why);
    ck_assert_int_eq(ncl_worker_restarts(worker), 1);
    ncl_worker_close(worker);
}
END_TEST

/* ---- stopped ---- */

/* Asked at each turn of waiting. */
static int tell_turn(void *user)
{
    const int *turns = user;

    return write(*turns, "", 1) != 1;
}

/* Waits two seconds for a byte. */
static pid_t start_waiting(int fd, int turns)
{
    const pid_t child = fork();

    if (child == 0) {
        const struct ncl_worker worker = {.process = {.fd = fd},
                                          .config = {.cancelled = tell_turn, .user = &turns}};
        char byte;

        _exit((int)ncl_link_receive(&worker, &byte, 1, 2));
    }
    ck_assert_int_ge(child, 0);
    return child;
}

static void drain(int fd)
{
    char bytes[256];
    int count = 0;

    ck_assert_int_eq(ioctl(fd, FIONREAD, &count), 0);
    while (count > 0) {
        const ssize_t got = read(fd, bytes, sizeof bytes);

        ck_assert_int_gt(got, 0);
        count -= (int)got;
    }
}

/* A pause longer than its patience is not the worker's silence. */
START_TEST(stopped)
{
    int ends[2], turns[2], status;
    pid_t child;
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(pipe(turns), 0);
    child = start_waiting(ends[0], turns[1]);
    ck_assert_int_eq(read(turns[0], &byte, 1), 1);
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    drain(turns[0]);
    ck_assert_int_eq(poll(NULL, 0, 2500), 0); /* the pause */
    kill(child, SIGCONT);
    ck_assert_int_eq(read(turns[0], &byte, 1), 1); /* its turn has ended */
    ck_assert_int_eq(write(ends[1], "", 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), NCL_LINK_ANSWERED);
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(turns[i]);
    }
}
END_TEST

/* ---- drivers ---- */

START_TEST(driver_prints)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    struct ncl_trial trial = trial_of("pointwise");

    setenv("NCL_LAYER_PRINT", "1", 1);
    worker = open_worker(&evaluator);
    prepare(&evaluator, &trial, 1);
    check_time(&evaluator, &trial);
    ck_assert_int_eq(ncl_worker_restarts(worker), 0);
    unsetenv("NCL_LAYER_PRINT");
    ncl_worker_close(worker);
}
END_TEST

/* Nobody but the worker holds these; its other end tells when it lets go. */
static int inherited(int pipe_ends[2])
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    return pipe_ends[1];
}

/* The tuner ends while its worker's driver hangs in closing. */
START_TEST(driver_hangs_in_closing)
{
    struct ncl_evaluator evaluator;
    struct ncl_worker *worker;
    int closing[2], alive[2], status;
    struct pollfd poller = {.events = POLLIN};
    pid_t pid;
    char byte;

    fault_set("NCL_LAYER_HANG_CLOSE", inherited(closing));
    inherited(alive);
    worker = open_worker(&evaluator);
    unsetenv("NCL_LAYER_HANG_CLOSE");
    close(closing[1]);
    close(alive[1]);
    pid = worker->process.pid;
    ck_assert_int_eq(shutdown(worker->process.fd, SHUT_WR), 0);
    ck_assert_int_eq(read(closing[0], &byte, 1), 0); /* it hangs */
    close(worker->process.fd);
    poller.fd = alive[0];
    if (poll(&poller, 1, 60000) != 1) {
        kill(pid, SIGKILL);
        ck_abort_msg("the worker outlives its tuner");
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    worker->process.pid = 0;
    ncl_worker_close(worker);
    close(closing[0]);
    close(alive[0]);
}
END_TEST

static void open_device(void)
{
    served_open();
    problem.channel_block = 8;
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("worker_ends");
    int failed;

    if (argc == 5 && strcmp(argv[1], "lie") == 0)
        return serve_lie(&(struct lie){argv[2], argv[3], argv[4][0] != '\0'});
    fault_layer_load();
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return ncl_tune_worker(0, 1) == NCL_OK ? 0 : 1;
    open_device();
    tcase_add_test(tests, killed_once);
    tcase_add_test(tests, killed_ahead);
    tcase_add_test(tests, killed_twice);
    tcase_add_test(tests, terminated_once);
    tcase_add_loop_test(tests, nonsense, 0, LIES);
    tcase_add_test(tests, stopped);
    tcase_add_test(tests, driver_prints);
    tcase_add_test(tests, driver_hangs_in_closing);
    failed = ncl_run_suite(tests, "worker_ends");
    ncl_check_devices_close();
    return failed;
}

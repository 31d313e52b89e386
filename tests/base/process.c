#include "base/process.h"

#include "base/clock.h"

#include "support/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const cat[] = {"cat", NULL};
static const char *const silent[] = {"sleep", "1000", NULL};

static struct ncl_process start(const char *const *command)
{
    struct ncl_process process;

    ck_assert_int_eq(ncl_process_start(NULL, command, true, &process), NCL_OK);
    ck_assert_int_gt(process.pid, 0);
    return process;
}

START_TEST(answers)
{
    struct ncl_process process = start(cat);
    char text[8] = "";
    size_t got = 0;

    ck_assert_int_eq(ncl_process_send(&process, "echo", 5, 10), NCL_PROCESS_DONE);
    ck_assert_int_eq(ncl_process_receive(&process, text, 5, &got, 10), NCL_PROCESS_DONE);
    ck_assert_str_eq(text, "echo");
    ncl_process_end(&process, NULL);
    ck_assert_int_eq(process.pid, 0);
}
END_TEST

/* More than a socket holds, in both directions, while neither side waits for the other. */
START_TEST(late)
{
    static char block[1 << 20];
    struct ncl_process process = start(silent);
    const uint64_t before = ncl_clock_ns();
    char byte;
    size_t got = 0;
    char ended[64];

    ck_assert_int_eq(ncl_process_receive(&process, &byte, 1, &got, 0.05), NCL_PROCESS_LATE);
    ck_assert_int_eq(ncl_process_send(&process, block, sizeof block, 0.05), NCL_PROCESS_LATE);
    ck_assert_uint_ge(ncl_clock_ns() - before, 100000000u);
    ncl_process_end(&process, ended);
    ck_assert_str_eq(ended, "killed by signal 9");
}
END_TEST

/* More than a socket holds, for which there are two seconds. */
static pid_t start_sending(int fd)
{
    static char block[1 << 20];
    const pid_t child = fork();

    if (child == 0) {
        const struct ncl_process process = {.fd = fd};

        _exit((int)ncl_process_send(&process, block, sizeof block, 2));
    }
    ck_assert_int_ge(child, 0);
    return child;
}

static void take_all(int fd)
{
    char bytes[4096];
    ssize_t got;

    do
        got = read(fd, bytes, sizeof bytes);
    while (got > 0);
    ck_assert_int_eq(got, 0);
}

/* Time in which whoever sends is stopped does not count. */
START_TEST(stopped)
{
    struct pollfd alive = {.events = POLLIN};
    int ends[2], pipes[2], status;
    pid_t child;
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(pipe(pipes), 0);
    child = start_sending(ends[0]);
    close(ends[0]);
    close(pipes[1]);
    alive.fd = pipes[0];
    ck_assert_int_eq(read(ends[1], &byte, 1), 1); /* its time has begun */
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(poll(&alive, 1, 2500), 0); /* the pause */
    kill(child, SIGCONT);
    ck_assert_int_eq(poll(&alive, 1, 300), 0); /* it waits still */
    take_all(ends[1]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), NCL_PROCESS_DONE);
    close(ends[1]);
    close(alive.fd);
}
END_TEST

/* The one that speaks, or ends, is found among others that do neither. */
START_TEST(waiting)
{
    struct ncl_process processes[3] = {start(silent), start(cat), start(silent)};
    char ended[64];

    ck_assert_int_eq(ncl_process_wait(processes, 3, 0.05), -1);
    ck_assert_int_eq(ncl_process_send(&processes[1], "x", 1, 10), NCL_PROCESS_DONE);
    ck_assert_int_eq(ncl_process_wait(processes, 3, 10), 1);
    ncl_process_end(&processes[1], NULL);
    processes[1] = start(silent);
    ncl_process_kill(&processes[2]);
    ck_assert_int_eq(ncl_process_wait(processes, 3, 10), 2);
    ncl_process_end(&processes[2], ended);
    ck_assert_str_eq(ended, "killed by signal 9");
    ncl_process_kill(&processes[2]); /* nobody any more */
    for (int i = 0; i < 2; i++)
        ncl_process_end(&processes[i], NULL);
}
END_TEST

/* What came before the time was up is kept. */
START_TEST(in_parts)
{
    struct ncl_process process = start(cat);
    char text[7] = "";
    size_t got = 0;

    ck_assert_int_eq(ncl_process_send(&process, "abc", 3, 10), NCL_PROCESS_DONE);
    while (got < 3)
        ck_assert_int_eq(ncl_process_receive(&process, text, 6, &got, 0.01), NCL_PROCESS_LATE);
    ck_assert_int_eq(ncl_process_send(&process, "def", 3, 10), NCL_PROCESS_DONE);
    ck_assert_int_eq(ncl_process_receive(&process, text, 6, &got, 10), NCL_PROCESS_DONE);
    ck_assert_str_eq(text, "abcdef");
    ncl_process_end(&process, NULL);
}
END_TEST

static void check_end(const char *script, const char *expected)
{
    const char *const command[] = {"sh", "-c", script, NULL};
    struct ncl_process process = start(command);
    char byte, ended[64];
    size_t got = 0;

    ck_assert_int_eq(ncl_process_receive(&process, &byte, 1, &got, 10), NCL_PROCESS_GONE);
    /* SIGPIPE would end this test. */
    ck_assert_int_eq(ncl_process_send(&process, &byte, 1, 10), NCL_PROCESS_GONE);
    ncl_process_end(&process, ended);
    ck_assert_str_eq(ended, expected);
}

START_TEST(how_it_ended)
{
    check_end("exit 3", "exited with status 3");
    check_end("kill -SEGV $$", "killed by signal 11");
}
END_TEST

START_TEST(no_program)
{
    const char *const command[] = {"/nonexistent/program", NULL};
    struct ncl_process process;

    ck_assert_int_eq(ncl_process_start(NULL, command, true, &process), NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "/nonexistent/program"));
    ck_assert_int_eq(process.pid, 0);
    ncl_process_end(&process, NULL); /* does nothing */
}
END_TEST

/* What the child started dies with it. */
START_TEST(whole_group)
{
    /* Both hold the pipe's end, which is not closed on exec. */
    const char *const command[] = {"sh", "-c", "sleep 1000 & echo; wait", NULL};
    struct ncl_process process;
    int alive[2];
    char byte;
    size_t got = 0;

    ck_assert_int_eq(pipe(alive), 0);
    process = start(command);
    close(alive[1]);
    ck_assert_int_eq(ncl_process_receive(&process, &byte, 1, &got, 10), NCL_PROCESS_DONE);
    ncl_process_end(&process, NULL);
    ck_assert_int_eq(read(alive[0], &byte, 1), 0); /* else it would wait a thousand seconds */
    close(alive[0]);
}
END_TEST

/* The second child does not hold the first one's socket open: that one meets the end of its input
 * as soon as it is closed here. */
START_TEST(closed)
{
    struct ncl_process first = start(cat), second = start(cat);
    int status;

    close(first.fd);
    ck_assert_int_eq(waitpid(first.pid, &status, 0), first.pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ncl_process_end(&second, NULL);
}
END_TEST

/* As a child has them: what is printed and what it starts cannot reach the other side. */
static void check_taken(void)
{
    int fds[2] = {STDIN_FILENO, STDOUT_FILENO};

    if (!ncl_fd_take(fds) || fds[0] <= STDERR_FILENO || fds[1] <= STDERR_FILENO)
        _exit(2);
    if (!(fcntl(fds[0], F_GETFD) & FD_CLOEXEC) || !(fcntl(fds[1], F_GETFD) & FD_CLOEXEC))
        _exit(3);
    if (write(STDOUT_FILENO, "noise", 5) != 5 || read(STDIN_FILENO, fds, 1) != 0)
        _exit(4);
    _exit(write(fds[1], "message", 7) == 7 ? 0 : 5);
}

START_TEST(taking)
{
    int ends[2], status;
    char text[16] = "";
    pid_t child;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        dup2(ends[0], STDOUT_FILENO);
        check_taken();
    }
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_eq(read(ends[1], text, sizeof text - 1), 7);
    ck_assert_str_eq(text, "message");
    close(ends[1]);
}
END_TEST

START_TEST(watching)
{
    struct ncl_watch *watch;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(ncl_watch_start(NULL, ends[0], &watch), NCL_OK);
    ck_assert(ncl_watch_busy(watch, true));
    ck_assert(ncl_watch_busy(watch, false));
    close(ends[1]); /* not busy: nothing happens but that it is known */
    while (ncl_watch_busy(watch, false))
        continue;
    ncl_watch_stop(watch);
    close(ends[0]);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("process");

    tcase_add_test(tests, answers);
    tcase_add_test(tests, late);
    tcase_add_test(tests, stopped);
    tcase_add_test(tests, waiting);
    tcase_add_test(tests, in_parts);
    tcase_add_test(tests, how_it_ended);
    tcase_add_test(tests, no_program);
    tcase_add_test(tests, whole_group);
    tcase_add_test(tests, closed);
    tcase_add_test(tests, taking);
    tcase_add_test(tests, watching);
    return ncl_run_suite(tests, "process");
}

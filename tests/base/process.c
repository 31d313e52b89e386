#include "base/process.h"

#include "base/clock.h"

#include "support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    tcase_add_test(tests, waiting);
    tcase_add_test(tests, in_parts);
    tcase_add_test(tests, how_it_ended);
    tcase_add_test(tests, no_program);
    tcase_add_test(tests, whole_group);
    tcase_add_test(tests, closed);
    tcase_add_test(tests, watching);
    return ncl_run_suite(tests, "process");
}

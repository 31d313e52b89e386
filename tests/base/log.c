#include "base/log.h"
#include "base/thread.h"
#include "support/suite.h"
#include <stdio.h>
#include <string.h>

struct seen {
    int count;
    ncl_log_level level;
    char line[2048];
};

static void see(void *user, ncl_log_level level, const char *message)
{
    struct seen *seen = user;

    seen->count++;
    seen->level = level;
    snprintf(seen->line, sizeof(seen->line), "%s", message);
}

START_TEST(failure_is_recorded_and_logged_as_one_line)
{
    struct seen seen = {0};
    const struct ncl_log log = {.write = see, .user = &seen, .level = NCL_LOG_ERROR};

    ck_assert_int_eq(ncl_fail(&log, NCL_ERROR_INPUT, "a\nb\x1b[31m %d\n", 7), NCL_ERROR_INPUT);
    ck_assert_str_eq(ncl_error_text(), "a b [31m 7");
    ck_assert_str_eq(seen.line, "a b [31m 7");
    ck_assert_int_eq(seen.level, NCL_LOG_ERROR);
    ck_assert_int_eq(seen.count, 1);
}
END_TEST

START_TEST(failure_may_quote_the_last_error)
{
    ncl_fail(NULL, NCL_ERROR_INPUT, "inner");
    ncl_fail(NULL, NCL_ERROR_DEVICE, "outer (%s)", ncl_error_text());
    ck_assert_str_eq(ncl_error_text(), "outer (inner)");
}
END_TEST

START_TEST(prefix_goes_before_the_last_error)
{
    ncl_fail(NULL, NCL_ERROR_INPUT, "node bad");
    ck_assert_int_eq(ncl_fail_within(NCL_ERROR_INPUT, "file %s", "m.onnx"), NCL_ERROR_INPUT);
    ck_assert_str_eq(ncl_error_text(), "file m.onnx: node bad");
}
END_TEST

START_TEST(long_lines_are_cut_not_overrun)
{
    char text[4096];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ncl_fail(NULL, NCL_ERROR_INPUT, "%s", text);
    ck_assert_uint_eq(strlen(ncl_error_text()), 1023);
    ncl_fail_within(NCL_ERROR_INPUT, "%s", text);
    ck_assert_uint_eq(strlen(ncl_error_text()), 1023);
    ncl_error_set(text);
    ck_assert_uint_eq(strlen(ncl_error_text()), 1023);
}
END_TEST

START_TEST(notes_respect_the_level)
{
    struct seen seen = {0};
    const struct ncl_log log = {.write = see, .user = &seen, .level = NCL_LOG_INFO};

    ncl_note(&log, NCL_LOG_DEBUG, "no");
    ck_assert_int_eq(seen.count, 0);
    ncl_note(&log, NCL_LOG_INFO, "yes %d", 1);
    ck_assert_str_eq(seen.line, "yes 1");
    ncl_note(NULL, NCL_LOG_ERROR, "nowhere to go");
}
END_TEST

static void fail_in_thread(void *user, size_t index)
{
    (void)user;
    ncl_fail(NULL, NCL_ERROR_INPUT, "thread %zu", index);
    char expected[32];
    snprintf(expected, sizeof(expected), "thread %zu", index);
    ck_assert_str_eq(ncl_error_text(), expected);
}

START_TEST(last_error_belongs_to_its_thread)
{
    ncl_parallel_for(200, fail_in_thread, NULL);
    ck_assert_int_eq(ncl_fail_memory(NULL, "packing"), NCL_ERROR_MEMORY);
    ck_assert_str_eq(ncl_error_text(), "packing: out of host memory");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("log");

    tcase_add_test(tests, failure_is_recorded_and_logged_as_one_line);
    tcase_add_test(tests, failure_may_quote_the_last_error);
    tcase_add_test(tests, prefix_goes_before_the_last_error);
    tcase_add_test(tests, long_lines_are_cut_not_overrun);
    tcase_add_test(tests, notes_respect_the_level);
    tcase_add_test(tests, last_error_belongs_to_its_thread);
    return ncl_run_suite(tests, "base/log");
}

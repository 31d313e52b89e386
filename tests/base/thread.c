#include "base/thread.h"
#include "base/log.h"
#include "support/suite.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static void count(void *user, size_t index)
{
    atomic_fetch_add(&((atomic_int *)user)[index], 1);
}

START_TEST(each_index_once)
{
    static atomic_int calls[10000];

    ncl_parallel_for(10000, count, calls);
    for (size_t i = 0; i < 10000; i++) {
        ck_assert_int_eq(atomic_load(&calls[i]), 1);
    }
}
END_TEST

START_TEST(none_and_one)
{
    atomic_int calls[1] = {0};

    ncl_parallel_for(0, count, calls);
    ck_assert_int_eq(atomic_load(&calls[0]), 0);
    ncl_parallel_for(1, count, calls);
    ck_assert_int_eq(atomic_load(&calls[0]), 1);
}
END_TEST

static void nest(void *user, size_t index)
{
    (void)index;
    ncl_parallel_for(10, count, user);
}

START_TEST(may_nest)
{
    atomic_int calls[10] = {0};

    ncl_parallel_for(20, nest, calls);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_int_eq(atomic_load(&calls[i]), 20);
    }
}
END_TEST

/* What the threads said, by whom it was said. */
struct heard {
    pthread_t caller;
    int count, elsewhere, first, second;
    pthread_barrier_t both;
};

static void hear(void *user, ncl_log_level level, const char *message)
{
    struct heard *heard = user;

    heard->count++;
    heard->elsewhere += !pthread_equal(pthread_self(), heard->caller);
    heard->first += level == NCL_LOG_ERROR && strcmp(message, "one") == 0;
    heard->second += level == NCL_LOG_INFO && strcmp(message, "two") == 0;
}

static void say(void *user, size_t index)
{
    struct heard *heard = user;
    const struct ncl_log log = {hear, heard, NCL_LOG_INFO}; /* gone when it is heard */

    (void)index;
    if (ncl_cpu_count() > 1) {
        pthread_barrier_wait(&heard->both); /* each index has a thread of its own */
    }
    ncl_fail(&log, NCL_ERROR_INPUT, "one");
    ncl_note(&log, NCL_LOG_INFO, "two");
    ncl_note(&log, NCL_LOG_DEBUG, "not wanted");
}

static void say_nested(void *user, size_t index)
{
    if (index == 0) {
        ncl_parallel_for(2, say, user);
    }
}

START_TEST(the_caller_says_what_is_logged)
{
    struct heard heard = {.caller = pthread_self()};

    ck_assert_int_eq(pthread_barrier_init(&heard.both, NULL, 2), 0);
    ncl_parallel_for(2, say, &heard);
    ck_assert_int_eq(heard.count, 4);
    ncl_parallel_for(2, say_nested, &heard);
    pthread_barrier_destroy(&heard.both);
    ck_assert_int_eq(heard.count, 8);
    ck_assert_int_eq(heard.first, 4);
    ck_assert_int_eq(heard.second, 4);
    ck_assert_int_eq(heard.elsewhere, 0);
}
END_TEST

START_TEST(there_is_a_processor)
{
    ck_assert_uint_ge(ncl_cpu_count(), 1);
    ck_assert_uint_lt(ncl_cpu_count(), 100000);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("thread");

    tcase_add_test(tests, each_index_once);
    tcase_add_test(tests, none_and_one);
    tcase_add_test(tests, may_nest);
    tcase_add_test(tests, the_caller_says_what_is_logged);
    tcase_add_test(tests, there_is_a_processor);
    return ncl_run_suite(tests, "base/thread");
}

#include "base/thread.h"
#include "support/suite.h"
#include <stdatomic.h>

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
    tcase_add_test(tests, there_is_a_processor);
    return ncl_run_suite(tests, "base/thread");
}

#include "base/clock.h"
#include "support/suite.h"

START_TEST(never_runs_backwards_and_moves)
{
    const uint64_t start = ncl_clock_ns();
    uint64_t last = start;

    for (long i = 0; last < start + 1000000; i++) {
        const uint64_t now = ncl_clock_ns();
        ck_assert_uint_ge(now, last);
        ck_assert_int_lt(i, 1000000000);
        last = now;
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("clock");

    tcase_add_test(tests, never_runs_backwards_and_moves);
    return ncl_run_suite(tests, "base/clock");
}

/* Every exponent and sign, many mantissas, against the double precision library. */
#include "problem/canonical_math.h"
#include "values.h"

#include <math.h>

/* Odd, so that mantissas of all kinds come up. */
#define STEP 40009u

/* Distance in units of the last place of a normal result. */
static double ulps(float found, double expected)
{
    int exponent;

    frexp(expected, &exponent);
    return fabs((double)found - expected) / ldexp(1.0, exponent - 24);
}

static bool is_number(float x)
{
    return x == x;
}

START_TEST(exp_is_within_one_ulp)
{
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STEP) {
        const float x = from_bits((uint32_t)bits);

        if (x < -0x1.5d589ep6f || x > 0x1.62e42ep6f || !is_number(x))
            continue;
        ck_assert_msg(ulps(ncl_exp(x), exp(x)) < 1.0, "exp(%a) = %a", (double)x,
                      (double)ncl_exp(x));
        ck_assert_int_eq(fpclassify(ncl_exp(x)), FP_NORMAL);
    }
}
END_TEST

START_TEST(exp_has_exact_limits)
{
    ck_assert_uint_eq(bits_of(ncl_exp(0.0f)), bits_of(1.0f));
    ck_assert_uint_eq(bits_of(ncl_exp(-0.0f)), bits_of(1.0f));
    ck_assert(isfinite(ncl_exp(0x1.62e42ep6f)));
    ck_assert_uint_eq(bits_of(ncl_exp(0x1.62e430p6f)), 0x7f800000u);
    ck_assert_uint_eq(bits_of(ncl_exp(INFINITY)), 0x7f800000u);
    ck_assert(ncl_exp(-0x1.5d589ep6f) >= 0x1p-126f);
    ck_assert_uint_eq(bits_of(ncl_exp(-0x1.5d58a0p6f)), 0u);
    ck_assert_uint_eq(bits_of(ncl_exp(-INFINITY)), 0u);
    ck_assert(!is_number(ncl_exp(NAN)));
}
END_TEST

START_TEST(log_is_within_one_ulp)
{
    for (uint64_t bits = bits_of(1.0f); bits < bits_of(INFINITY); bits += STEP / 7) {
        const float x = from_bits((uint32_t)bits);

        ck_assert_msg(ulps(ncl_log(x), log(x)) < 1.0, "log(%a) = %a", (double)x,
                      (double)ncl_log(x));
    }
}
END_TEST

START_TEST(log_has_exact_limits)
{
    ck_assert_uint_eq(bits_of(ncl_log(1.0f)), bits_of(0.0f));
    ck_assert(ulps(ncl_log(0x1.6a09e6p0f), log(0x1.6a09e6p0)) < 1.0); /* where k changes */
    ck_assert(ulps(ncl_log(0x1.6a09e8p0f), log(0x1.6a09e8p0)) < 1.0);
    ck_assert(ulps(ncl_log(0x1.fffffep127f), log(0x1.fffffep127)) < 1.0);
    ck_assert(ulps(ncl_log(0x1.000002p0f), log(0x1.000002p0)) < 1.0);
    ck_assert_uint_eq(bits_of(ncl_log(INFINITY)), bits_of(INFINITY));
    ck_assert(!is_number(ncl_log(NAN)));
}
END_TEST

START_TEST(reciprocal_is_correctly_rounded)
{
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STEP) {
        const float x = from_bits((uint32_t)bits);

        if (fabsf(x) < 0x1p-126f || fabsf(x) > 0x1p126f || !is_number(x) ||
            (bits & 0x7fffffu) == 0x7fffffu)
            continue;
        ck_assert_msg(ncl_reciprocal(x) == 1.0f / x, "1 / %a = %a", (double)x,
                      (double)ncl_reciprocal(x));
    }
    ck_assert(ulps(ncl_reciprocal(0x1.fffffep0f), 1.0 / 0x1.fffffep0) < 0.6);
}
END_TEST

START_TEST(reciprocal_of_counts_is_exact)
{
    for (int count = 1; count < 100000; ++count)
        ck_assert(ncl_reciprocal((float)count) == 1.0f / (float)count);
}
END_TEST

START_TEST(reciprocal_has_exact_limits)
{
    ck_assert_uint_eq(bits_of(ncl_reciprocal(0.0f)), 0x7f800000u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(-0.0f)), 0xff800000u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(from_bits(0x007fffffu))), 0x7f800000u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(from_bits(0x80000001u))), 0xff800000u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(0x1p126f)), bits_of(0x1p-126f));
    ck_assert_uint_eq(bits_of(ncl_reciprocal(-0x1.000002p126f)), 0x80000000u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(0x1.fffffep127f)), 0u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(INFINITY)), 0u);
    ck_assert_uint_eq(bits_of(ncl_reciprocal(-INFINITY)), 0x80000000u);
    ck_assert(!is_number(ncl_reciprocal(NAN)));
    ck_assert(!is_number(ncl_reciprocal(from_bits(0xff800001u))));
}
END_TEST

START_TEST(sigmoid_is_within_three_ulps)
{
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STEP) {
        const float x = from_bits((uint32_t)bits);

        if (x < -87.0f || !is_number(x))
            continue;
        ck_assert_msg(ulps(ncl_sigmoid(x), 1.0 / (1.0 + exp(-(double)x))) < 3.0, "sigmoid(%a) = %a",
                      (double)x, (double)ncl_sigmoid(x));
    }
}
END_TEST

START_TEST(sigmoid_has_exact_limits)
{
    ck_assert_uint_eq(bits_of(ncl_sigmoid(0.0f)), bits_of(0.5f));
    ck_assert_uint_eq(bits_of(ncl_sigmoid(17.0f)), bits_of(1.0f));
    ck_assert_uint_eq(bits_of(ncl_sigmoid(INFINITY)), bits_of(1.0f));
    ck_assert_uint_eq(bits_of(ncl_sigmoid(-88.0f)), 0u);
    ck_assert_uint_eq(bits_of(ncl_sigmoid(-INFINITY)), 0u);
    ck_assert(!is_number(ncl_sigmoid(NAN)));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("canonical_math");

    tcase_add_test(tcase, exp_is_within_one_ulp);
    tcase_add_test(tcase, exp_has_exact_limits);
    tcase_add_test(tcase, log_is_within_one_ulp);
    tcase_add_test(tcase, log_has_exact_limits);
    tcase_add_test(tcase, reciprocal_is_correctly_rounded);
    tcase_add_test(tcase, reciprocal_of_counts_is_exact);
    tcase_add_test(tcase, reciprocal_has_exact_limits);
    tcase_add_test(tcase, sigmoid_is_within_three_ulps);
    tcase_add_test(tcase, sigmoid_has_exact_limits);
    return run_case("canonical_math", tcase);
}

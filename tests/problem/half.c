/* Every half; and floats around each of them, against the definition in double precision. */
#include "problem/half.h"
#include "values.h"

#include <math.h>

/* IEEE binary16 by its fields. */
static double value_of(unsigned half)
{
    const int exponent = half >> 10 & 31;
    const double fraction = half & 0x3ff;
    const double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);

    return half & 0x8000 ? -size : size;
}

static bool is_nan_half(unsigned half)
{
    return (half & 0x7fff) > 0x7c00;
}

START_TEST(every_half_comes_back)
{
    for (unsigned half = 0; half < 0x10000; half++) {
        const float value = ncl_half_to_float((uint16_t)half);

        if (is_nan_half(half)) {
            ck_assert(isnan(value));
            ck_assert_uint_eq(ncl_half_from_float(value), 0x7e00 | (half & 0x8000));
            continue;
        }
        if ((half & 0x7fff) == 0x7c00)
            ck_assert(isinf(value) && (signbit(value) != 0) == (half >> 15 != 0));
        else
            ck_assert_double_eq((double)value, value_of(half));
        ck_assert((signbit(value) != 0) == (half >> 15 != 0));
        ck_assert_uint_eq(ncl_half_from_float(value), half);
    }
}
END_TEST

/* Between neighbours the nearer one; in the middle the even one. */
START_TEST(rounds_to_nearest_even)
{
    for (unsigned half = 0; half < 0x7c00; half++) {
        const float middle = (float)((value_of(half) + value_of(half + 1)) / 2);
        const unsigned even = half & 1 ? half + 1 : half;

        for (unsigned sign = 0; sign < 0x10000; sign += 0x8000) {
            const float side = sign ? -1.0f : 1.0f;

            ck_assert_uint_eq(ncl_half_from_float(side * middle), even | sign);
            ck_assert_uint_eq(ncl_half_from_float(side * nextafterf(middle, 0)), half | sign);
            ck_assert_uint_eq(ncl_half_from_float(side * nextafterf(middle, INFINITY)),
                              (half + 1) | sign);
        }
    }
}
END_TEST

START_TEST(ends_of_the_range)
{
    ck_assert_uint_eq(bits_of(ncl_half_round(65519.996f)), bits_of(65504.0f));
    ck_assert_uint_eq(bits_of(ncl_half_round(NCL_HALF_OVERFLOW)), bits_of(INFINITY));
    ck_assert_uint_eq(bits_of(ncl_half_round(-3.4e38f)), bits_of(-INFINITY));
    ck_assert_uint_eq(bits_of(ncl_half_round(0x1p-25f)), 0u);
    ck_assert_uint_eq(bits_of(ncl_half_round(-0x1.8p-25f)), bits_of(-0x1p-24f));
    ck_assert_uint_eq(bits_of(ncl_half_round(from_bits(1))), 0u);
    ck_assert_uint_eq(bits_of(ncl_half_round(-0.0f)), 0x80000000u);
}
END_TEST

START_TEST(arrays_are_converted_alike)
{
    enum { COUNT = 37 };
    float *values = random_floats(COUNT, 3), back[COUNT];
    uint16_t halves[COUNT];

    ncl_halves_from_floats(values, COUNT, halves);
    ncl_halves_to_floats(halves, COUNT, back);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(halves[i], ncl_half_from_float(values[i]));
        ck_assert_uint_eq(bits_of(back[i]), bits_of(ncl_half_round(values[i])));
    }
    free(values);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("half");

    tcase_add_test(tcase, every_half_comes_back);
    tcase_add_test(tcase, rounds_to_nearest_even);
    tcase_add_test(tcase, ends_of_the_range);
    tcase_add_test(tcase, arrays_are_converted_alike);
    return run_case("half", tcase);
}

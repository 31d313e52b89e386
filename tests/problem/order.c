#include "problem/oracle.h"
#include "values.h"

#include <math.h>

static const struct ncl_shape shapes[] = {{2, 5, 3, 7}, {1, 16, 2, 2}, {3, 1, 1, 4}, {2, 17, 1, 1}};

START_TEST(blocked_there_and_back)
{
    const struct ncl_shape *shape = &shapes[_i];

    for (int cb = 4; cb <= 16; cb *= 2) {
        const size_t plain = ncl_shape_elements(shape, NCL_PLAIN, cb);
        const size_t blocked = ncl_shape_elements(shape, NCL_BLOCKED, cb);
        float *from = random_floats(plain, 1), *back = random_floats(plain, 2);
        float *ordered = random_floats(blocked, 3);

        ncl_order_from_plain(shape, NCL_BLOCKED, cb, from, ordered);
        ncl_order_to_plain(shape, NCL_BLOCKED, cb, ordered, back);
        ck_assert_mem_eq(from, back, plain * sizeof *from);
        free(from);
        free(back);
        free(ordered);
    }
}
END_TEST

START_TEST(blocked_positions_are_as_documented)
{
    const struct ncl_shape *shape = &shapes[_i];
    const int cb = 4, blocks = ncl_blocks(shape->c, cb);
    const size_t blocked = ncl_shape_elements(shape, NCL_BLOCKED, cb);
    float *from = random_floats(ncl_shape_elements(shape, NCL_PLAIN, cb), 1);
    float *ordered = random_floats(blocked, 3);

    ncl_order_from_plain(shape, NCL_BLOCKED, cb, from, ordered);
    for (size_t i = 0; i < blocked; ++i) {
        const int lane = (int)i % cb, w = (int)i / cb % shape->w,
                  h = (int)i / cb / shape->w % shape->h;
        const int n = (int)i / cb / shape->w / shape->h % shape->n;
        const int block = (int)i / cb / shape->w / shape->h / shape->n, c = block * cb + lane;
        const int at = ((n * shape->c + c) * shape->h + h) * shape->w + w;

        ck_assert_int_lt(block, blocks);
        ck_assert_uint_eq(bits_of(ordered[i]), c < shape->c ? bits_of(from[at]) : 0u);
    }
    free(from);
    free(ordered);
}
END_TEST

START_TEST(plain_is_a_copy)
{
    float *from = random_floats(210, 1), *there = random_floats(210, 2),
          *back = random_floats(210, 3);

    ncl_order_from_plain(&shapes[0], NCL_PLAIN, 8, from, there);
    ncl_order_to_plain(&shapes[0], NCL_PLAIN, 8, there, back);
    ck_assert_mem_eq(from, there, 210 * sizeof *from);
    ck_assert_mem_eq(from, back, 210 * sizeof *from);
    free(from);
    free(there);
    free(back);
}
END_TEST

START_TEST(canonical_values)
{
    static const uint32_t pairs[][2] = {{0x7fc00000u, 0x7fc00000u},
                                        {0xffc00001u, 0x7fc00000u},
                                        {0x7f800001u, 0x7fc00000u},
                                        {0x80000000u, 0u},
                                        {0u, 0u},
                                        {1u, 0u},
                                        {0x807fffffu, 0u},
                                        {0x00800000u, 0x00800000u},
                                        {0x80800000u, 0x80800000u},
                                        {0x7f800000u, 0x7f800000u},
                                        {0xff800000u, 0xff800000u},
                                        {0x3f800000u, 0x3f800000u}};

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i)
        ck_assert_uint_eq(bits_of(ncl_canonical(from_bits(pairs[i][0]))), pairs[i][1]);
}
END_TEST

int main(void)
{
    const int count = (int)(sizeof shapes / sizeof shapes[0]);
    TCase *tcase = tcase_create("order");

    tcase_add_loop_test(tcase, blocked_there_and_back, 0, count);
    tcase_add_loop_test(tcase, blocked_positions_are_as_documented, 0, count);
    tcase_add_test(tcase, plain_is_a_copy);
    tcase_add_test(tcase, canonical_values);
    return run_case("order", tcase);
}

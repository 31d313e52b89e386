#include "problem/problem.h"
#include "values.h"

#include <limits.h>

START_TEST(shapes_count_tail_lanes)
{
    const struct ncl_shape shape = {2, 5, 3, 7};

    ck_assert_uint_eq(ncl_shape_elements(&shape, NCL_PLAIN, 4), 210);
    ck_assert_uint_eq(ncl_shape_elements(&shape, NCL_BLOCKED, 4), 336);
    ck_assert_uint_eq(ncl_shape_elements(&shape, NCL_BLOCKED, 16), 672);
}
END_TEST

START_TEST(shapes_are_checked)
{
    const struct ncl_shape good = {1, 2048, 1024, 1023}, full = {1, 2048, 1024, 1024};
    const struct ncl_shape huge = {INT_MAX, INT_MAX, INT_MAX, INT_MAX};
    const struct ncl_shape padded = {1, 1, 16384, 16384}, many = {1, INT_MAX, 1, 1};
    const struct ncl_shape empty = {1, 64, 0, 7}, negative = {-1, 64, 7, 7};

    ck_assert_int_eq(ncl_shape_check(NULL, &good, "a"), NCL_OK);
    ck_assert_int_eq(ncl_shape_check(NULL, &full, "a"), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_shape_check(NULL, &huge, "a"), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_shape_check(NULL, &padded, "a"), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_shape_check(NULL, &many, "a"), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_shape_check(NULL, &negative, "conv1"), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "conv1"));
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "batch"));
    ck_assert_int_eq(ncl_shape_check(NULL, &empty, "a"), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "height"));
}
END_TEST

static struct ncl_problem conv(int c, int k, int size, int kernel, int groups)
{
    return (struct ncl_problem){
        .kind = NCL_PROBLEM_CONV,
        .channel_block = 4,
        .x = {1, c, size, size},
        .y = {1, k, size, size},
        .of.conv = {{kernel, kernel, 1, 1, 1, 1, kernel / 2, kernel / 2, kernel / 2, kernel / 2},
                    groups}};
}

static const char *conv_name(int c, int k, int size, int kernel, int groups)
{
    const struct ncl_problem problem = conv(c, k, size, kernel, groups);

    return ncl_problem_kind_name(&problem);
}

START_TEST(kinds_have_names)
{
    static const char *const names[NCL_PROBLEM_KIND_COUNT] = {
        [NCL_PROBLEM_CONV] = "spatial", [NCL_PROBLEM_POOL] = "pool",
        [NCL_PROBLEM_SCALE] = "fused",  [NCL_PROBLEM_BINARY] = "fused",
        [NCL_PROBLEM_COPY] = "other",   [NCL_PROBLEM_SOFTMAX] = "other"};

    for (int kind = 0; kind < NCL_PROBLEM_KIND_COUNT; ++kind) {
        struct ncl_problem problem = conv(64, 64, 7, 3, 1);

        problem.kind = (enum ncl_problem_kind)kind;
        ck_assert_str_eq(ncl_problem_kind_name(&problem), names[kind]);
    }
    ck_assert_str_eq(conv_name(64, 10, 1, 1, 1), "dense");
    ck_assert_str_eq(conv_name(64, 10, 7, 1, 1), "pointwise");
    ck_assert_str_eq(conv_name(3, 64, 7, 1, 1), "pointwise");
    ck_assert_str_eq(conv_name(64, 64, 7, 3, 64), "depthwise");
    ck_assert_str_eq(conv_name(64, 128, 7, 3, 64), "grouped");
    ck_assert_str_eq(conv_name(64, 64, 7, 3, 32), "grouped");
    ck_assert_str_eq(conv_name(3, 64, 7, 7, 1), "stem");
    ck_assert_str_eq(conv_name(1, 1, 7, 3, 1), "stem");
    ck_assert_str_eq(conv_name(5, 64, 7, 3, 1), "spatial");
}
END_TEST

START_TEST(macs_count_group_channels)
{
    struct ncl_problem problem = conv(128, 256, 14, 3, 32);

    ck_assert(ncl_problem_macs(&problem) == 256.0 * 14 * 14 * 4 * 9);
    problem.kind = NCL_PROBLEM_POOL;
    ck_assert(ncl_problem_macs(&problem) == 0.0);
}
END_TEST

START_TEST(weights_are_read_by_stride_and_scaled_once)
{
    char bytes[1 + 24 * sizeof(float)];
    const double scale[2] = {1.0 / 3.0, -2.0};
    /* W[h][w][c][k] of 2 outputs, 3 channels, a 2 x 2 window; at an odd address. */
    struct ncl_weights weights = {bytes + 1, 1, 2, 12, 6, NULL};

    for (int i = 0; i < 24; ++i)
        memcpy(bytes + 1 + (size_t)i * sizeof(float), &(float){(float)i}, sizeof(float));
    ck_assert(ncl_weight(&weights, 1, 2, 1, 0) == 17.0f);
    ck_assert(ncl_weight(&weights, 0, 1, 0, 1) == 8.0f);
    weights.scale = scale;
    ck_assert(ncl_weight(&weights, 1, 2, 1, 0) == -34.0f);
    ck_assert(ncl_weight(&weights, 0, 1, 0, 1) == (float)(8.0 * (1.0 / 3.0)));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("problem");

    tcase_add_test(tcase, shapes_count_tail_lanes);
    tcase_add_test(tcase, shapes_are_checked);
    tcase_add_test(tcase, kinds_have_names);
    tcase_add_test(tcase, macs_count_group_channels);
    tcase_add_test(tcase, weights_are_read_by_stride_and_scaled_once);
    return run_case("problem", tcase);
}

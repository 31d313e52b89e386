/* The fallback takes every convolution: odd groups, both input orders, weights that aren't finite.
 */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_direct;

#define PLAIN .x_order = NCL_PLAIN
#define NOT_FINITE .finite = false

/* Overriding what the members set is what these initialisers are for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct ncl_problem problems[] = {
    /* n, c, h, w, k, kernel, stride, pad, groups */
    NCL_CHECK_CONV(1, 16, 7, 7, 32, 1, 1, 0, 1),
    NCL_CHECK_CONV(2, 37, 6, 5, 21, 3, 1, 1, 1), /* tails in and out, three blocks of 16 */
    NCL_CHECK_CONV(1, 18, 8, 8, 30, 3, 2, 1, 6), /* 3 in, 5 out: groups straddle blocks */
    NCL_CHECK_CONV(1, 7, 5, 9, 7, 3, 1, 1, 7),   /* depthwise, odd */
    NCL_CHECK_CONV(1, 6, 5, 5, 24, 3, 1, 1, 6),  /* depthwise with a multiplier of 4 */
    NCL_CHECK_CONV(1, 66, 4, 6, 48, 3, 1, 1, 3), /* 22 in: a block of 16 and one of 6 */
    NCL_CHECK_CONV(5, 5, 1, 1, 3, 3, 1, 1, 1),   /* one pixel */
    NCL_CHECK_CONV(1, 3, 3, 4, 9, 11, 1, 9, 3),  /* padding far beyond the map */
    {NCL_CHECK_CONV_WINDOW(1, 20, 9, 14, 20, 5, 3, 2, 3, 1, 2, 3, 0, 4, 5, 1)},
    {NCL_CHECK_CONV_MEMBERS(2, 10, 6, 7, 12, 3, 2, 1, 2), PLAIN},
    {NCL_CHECK_CONV_MEMBERS(1, 35, 5, 4, 17, 3, 1, 1, 1), PLAIN},
    {NCL_CHECK_CONV_MEMBERS(1, 18, 6, 6, 20, 3, 1, 1, 2), NOT_FINITE},
    /* chunks of a batch */
    {NCL_CHECK_CONV_MEMBERS(2, 10, 6, 7, 12, 3, 2, 1, 2), PLAIN, .x_image = 1, .x_images = 4,
     .y_image = 3, .y_images = 5},
    {NCL_CHECK_CONV_MEMBERS(1, 20, 4, 5, 18, 3, 1, 1, 1), .y_image = 1, .y_images = 2,
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
    {NCL_CHECK_CONV_MEMBERS(1, 9, 5, 6, 33, 5, 2, 2, 3), NOT_FINITE},
};
#pragma GCC diagnostic pop

int main(void)
{
    return ncl_check_main(
        &(struct ncl_check){.algo = &ncl_algo_direct, NCL_CHECK_PROBLEMS(problems), .points = 2});
}

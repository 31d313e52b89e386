/* Corners of tiles and windows: maps smaller than a tile, strides with rows between them, dilation,
 * padding on any side, kernels too long to walk. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_depthwise;

static const struct ncl_problem problems[] = {
    /* n, c, h, w, k, kernel, stride, pad, groups */
    NCL_CHECK_CONV(1, 21, 9, 15, 21, 3, 1, 1, 21), /* a channel tail */
    NCL_CHECK_CONV(2, 16, 11, 30, 16, 3, 2, 1, 16),
    NCL_CHECK_CONV(1, 8, 12, 17, 8, 5, 1, 2, 8),
    NCL_CHECK_CONV(1, 12, 13, 13, 12, 7, 2, 3, 12),
    NCL_CHECK_CONV(3, 5, 1, 1, 5, 3, 1, 1, 5),     /* one pixel: all but one tap is padding */
    NCL_CHECK_CONV(1, 8, 6, 17, 8, 1, 1, 0, 8),    /* nothing at the edges */
    NCL_CHECK_CONV(1, 16, 9, 16, 16, 3, 3, 0, 16), /* stride as large as the window */
    NCL_CHECK_CONV(1, 8, 7, 16, 8, 2, 3, 0, 8),    /* and larger: pixels that nothing reads */
    NCL_CHECK_CONV(1, 8, 20, 30, 8, 19, 1, 9, 8),  /* too long to walk */
    NCL_CHECK_CONV(1, 24, 3, 2, 24, 7, 1, 6, 24),  /* padding far beyond the map */
    /* asymmetric padding and strides, dilation */
    {NCL_CHECK_CONV_WINDOW(1, 16, 9, 16, 16, 16, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1)},
    {NCL_CHECK_CONV_WINDOW(1, 16, 13, 21, 16, 16, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3)},
    {NCL_CHECK_CONV_WINDOW(2, 8, 7, 19, 8, 8, 2, 5, 1, 3, 3, 2, 3, 1, 0, 9)},
    {NCL_CHECK_CONV_WINDOW(1, 8, 9, 10, 8, 8, 3, 1, 2, 1, 2, 1, 3, 0, 1, 2)},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 16, 5, 5, 16, 3, 1, 1, 8),  /* groups of 2 */
    NCL_CHECK_CONV(1, 16, 5, 5, 32, 3, 1, 1, 16), /* a multiplier of 2 */
    {.kind = NCL_PROBLEM_CONV,
     .x = {1, 16, 8, 8},
     .y = {1, 16, 8, 8},
     .x_order = NCL_BLOCKED,
     .y_order = NCL_BLOCKED,
     .of.conv = {{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 16}}, /* weights that may be infinite */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_depthwise,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .points = 1});
}

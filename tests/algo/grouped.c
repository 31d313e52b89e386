/* Narrow groups. Corners: groups of every width, maps smaller than a tile, windows larger than the
 * map. What width fits which channel block, the suite finds out by applicable(). */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_grouped;

static const struct ncl_problem problems[] = {
    /* n, c, h, w, k, kernel, stride, pad, groups */
    NCL_CHECK_CONV(1, 12, 9, 15, 12, 3, 1, 1, 12), /* width 1; a channel tail at 8 and 16 */
    NCL_CHECK_CONV(2, 20, 7, 14, 20, 3, 1, 1, 10), /* 2 */
    NCL_CHECK_CONV(1, 36, 14, 14, 36, 3, 1, 1, 9), /* 4; a tail of half a block */
    NCL_CHECK_CONV(1, 32, 11, 29, 32, 3, 2, 1, 4), /* 8, odd map, stride */
    NCL_CHECK_CONV(3, 48, 5, 7, 48, 3, 1, 1, 3),   /* 16 */
    NCL_CHECK_CONV(5, 8, 1, 1, 8, 3, 1, 1, 2),     /* one pixel: all but one tap is padding */
    NCL_CHECK_CONV(1, 8, 6, 17, 8, 1, 1, 0, 2),    /* nothing at the edges */
    NCL_CHECK_CONV(1, 16, 5, 16, 16, 3, 3, 0, 4),  /* stride as large as the window */
    NCL_CHECK_CONV(1, 8, 12, 30, 8, 11, 1, 5, 4),  /* too wide to walk at most tiles */
    NCL_CHECK_CONV(1, 24, 3, 2, 24, 7, 1, 6, 24),  /* padding far beyond the map */
    NCL_CHECK_CONV(1, 8, 4, 4, 8, 3, 1, 1, 1),     /* one group that fills a block of 8 */
    /* asymmetric padding and strides, dilation */
    {NCL_CHECK_CONV_WINDOW(1, 16, 9, 16, 16, 4, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1)},
    {NCL_CHECK_CONV_WINDOW(1, 16, 13, 21, 16, 8, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3)},
    {NCL_CHECK_CONV_WINDOW(2, 8, 7, 19, 8, 4, 2, 5, 1, 3, 3, 2, 3, 1, 0, 9)},
    {NCL_CHECK_CONV_WINDOW(1, 16, 6, 33, 16, 2, 1, 3, 3, 1, 1, 1, 0, 2, 2, 0)},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 96, 5, 5, 96, 3, 1, 1, 3),  /* 32: wider than any block */
    NCL_CHECK_CONV(1, 24, 5, 5, 24, 3, 1, 1, 8),  /* 3: straddles blocks */
    NCL_CHECK_CONV(1, 16, 5, 5, 32, 3, 1, 1, 16), /* more channels out than in */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_grouped,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .points = 2});
}

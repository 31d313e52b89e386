/* Corners of narrow groups on GPUs: widths 1, 2 and 4, strides, dilation, uneven padding, rows
 * shorter than a tile, channels that fill no block. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_grouped_lanes;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 32, 14, 14, 32, 3, 1, 1, 8),
    NCL_CHECK_CONV(2, 16, 9, 11, 16, 3, 2, 1, 4),
    NCL_CHECK_CONV(2, 16, 7, 7, 16, 3, 1, 1, 8),  /* groups of 2 */
    NCL_CHECK_CONV(1, 14, 6, 3, 14, 3, 1, 1, 14), /* depthwise, tail lanes */
    NCL_CHECK_CONV(3, 8, 1, 1, 8, 3, 1, 1, 2),    /* all taps but one lie in the padding */
    {NCL_CHECK_CONV_WINDOW(2, 12, 11, 17, 12, 3, 2, 5, 1, 2, 2, 2, 1, 0, 2, 3)},
    {NCL_CHECK_CONV_WINDOW(1, 8, 5, 9, 8, 2, 1, 4, 1, 3, 1, 1, 0, 2, 0, 4)},
    NCL_CHECK_CONV(1, 8, 4, 1, 8, 3, 1, 2, 2), /* single pixels would lie in the padding */
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 32, 6, 6, 32, 3, 1, 1, 4),  /* groups of 8 */
    NCL_CHECK_CONV(1, 16, 6, 6, 32, 3, 1, 1, 4),  /* 4 in, 8 out */
    NCL_CHECK_CONV(1, 8, 1, 40, 8, 21, 1, 10, 2), /* longer than the kernel's list of pixels */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_grouped_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 4});
}

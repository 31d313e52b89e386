/* Corners of convolutions along rows on GPUs: blocks of 16 channels and parts of one, groups,
 * strides, dilation, uneven padding, rows shorter than a tile, a kernel wider than the row. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_rows_lanes;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 32, 7, 14, 16, 3, 1, 1, 1),
    NCL_CHECK_CONV(2, 16, 5, 7, 16, 3, 1, 1, 2), /* groups of 8 */
    NCL_CHECK_CONV(1, 32, 5, 9, 32, 3, 2, 1, 2), /* groups of 16 */
    NCL_CHECK_CONV(1, 8, 9, 11, 8, 3, 1, 1, 2),  /* groups of 4 */
    NCL_CHECK_CONV(1, 12, 3, 5, 14, 3, 1, 1, 1), /* tail lanes of the output */
    NCL_CHECK_CONV(1, 24, 4, 8, 16, 3, 1, 1, 2), /* groups of 12 in, 8 out */
    NCL_CHECK_CONV(2, 16, 1, 1, 8, 3, 1, 1, 1),  /* all taps but one lie in the padding */
    {NCL_CHECK_CONV_WINDOW(2, 16, 11, 17, 12, 1, 2, 4, 1, 2, 2, 3, 1, 0, 2, 3)},
    {NCL_CHECK_CONV_WINDOW(1, 4, 5, 6, 8, 1, 1, 5, 3, 1, 1, 1, 0, 4, 0, 2)},
    {NCL_CHECK_CONV_WINDOW(1, 4, 2, 3, 4, 1, 1, 7, 1, 1, 1, 1, 0, 5, 0, 4)},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 32, 6, 6, 32, 3, 1, 1, 16), /* groups of 2 */
    NCL_CHECK_CONV(1, 20, 6, 6, 32, 3, 1, 1, 1),  /* a part of a block of 16 behind a whole one */
    NCL_CHECK_CONV(1, 8, 1, 40, 8, 21, 1, 10, 1), /* longer than the kernel's list of taps */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_rows_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 4});
}

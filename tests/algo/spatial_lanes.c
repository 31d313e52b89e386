/* Corners of convolutions with a window on GPUs: groups of every width the kernel takes, strides,
 * dilation, uneven padding, tails of pixels and of output channels. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_spatial_lanes;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 32, 14, 14, 32, 3, 1, 1, 1),
    NCL_CHECK_CONV(2, 16, 9, 7, 22, 3, 2, 1, 1), /* tail lanes */
    NCL_CHECK_CONV(1, 8, 5, 5, 24, 3, 1, 1, 1),
    NCL_CHECK_CONV(1, 32, 7, 7, 32, 3, 1, 1, 4), /* groups of 8 */
    NCL_CHECK_CONV(2, 32, 8, 9, 32, 3, 2, 1, 8), /* of 4 */
    NCL_CHECK_CONV(1, 64, 6, 6, 64, 3, 1, 1, 2), /* of 32 */
    {NCL_CHECK_CONV_WINDOW(2, 12, 11, 10, 16, 1, 2, 5, 1, 2, 2, 1, 1, 0, 2, 3)},
    NCL_CHECK_CONV(1, 16, 1, 1, 16, 3, 1, 1, 1), /* all taps but one lie in the padding */
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 20, 6, 6, 16, 3, 1, 1, 1), /* the last 16 channels are not all there */
    NCL_CHECK_CONV(1, 6, 6, 6, 16, 3, 1, 1, 1),
    NCL_CHECK_CONV(1, 32, 6, 6, 32, 3, 1, 1, 16), /* groups of 2 */
    NCL_CHECK_CONV(1, 16, 9, 9, 16, 7, 1, 3, 1),  /* 49 taps */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_spatial_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 3});
}

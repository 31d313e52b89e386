/* Corners of 1x1 convolutions on GPUs: strides, tails of channels and pixels, batches, the dense
 * layer, fewer pixels than lanes. */
#include "support/corners.h"

extern const struct ncl_algo ncl_algo_pointwise_lanes;

static const struct ncl_problem problems[] = {
    NCL_CHECK_POINTWISE_CORNERS,
    NCL_CHECK_CONV(1, 12, 31, 17, 48, 1, 1, 0, 1), /* several work-groups, the last one ragged */
};

static const struct ncl_problem refused[] = {NCL_CHECK_NOT_POINTWISE};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_pointwise_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 3});
}

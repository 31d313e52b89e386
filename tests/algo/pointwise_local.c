/* Corners of 1x1 convolutions through local memory: strides, tails of channels and pixels, batches,
 * the dense layer, fewer pixels and output blocks than work-items. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_pointwise_local;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 64, 14, 14, 96, 1, 1, 0, 1),
    NCL_CHECK_CONV(2, 1, 1, 14, 1, 1, 1, 0, 1), /* one channel: tail lanes everywhere */
    NCL_CHECK_CONV(1, 70, 7, 7, 33, 1, 1, 0, 1),
    NCL_CHECK_CONV(1, 12, 31, 17, 48, 1, 1, 0, 1), /* several work-groups, the last one ragged */
    NCL_CHECK_CONV(3, 32, 9, 11, 64, 1, 2, 0, 1),
    {NCL_CHECK_CONV_WINDOW(2, 20, 8, 9, 24, 1, 1, 1, 3, 2, 1, 1, 0, 0, 0, 0)},
    {NCL_CHECK_CONV_MEMBERS(1, 256, 1, 1, 100, 1, 1, 0, 1), .epilogue = {.bias = true}}, /* dense */
    {NCL_CHECK_CONV_MEMBERS(5, 48, 1, 1, 40, 1, 1, 0, 1),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 1, 1), /* padding */
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 0, 2), /* groups */
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 3, 1, 0, 1),
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_pointwise_local,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 3});
}

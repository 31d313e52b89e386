/* Corners of the dense layer on GPUs: tails of channels on both sides, batches, a few pixels of a
 * map, fewer channels than lanes. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_dense_lanes;

static const struct ncl_problem problems[] = {
    {NCL_CHECK_CONV_MEMBERS(1, 256, 1, 1, 100, 1, 1, 0, 1), .epilogue = {.bias = true}},
    {NCL_CHECK_CONV_MEMBERS(5, 50, 1, 1, 39, 1, 1, 0, 1),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
    {NCL_CHECK_CONV_MEMBERS(1, 36, 1, 1, 70, 1, 1, 0, 1),
     .epilogue = {.scale = true, .residual = true}},
    NCL_CHECK_CONV(17, 1, 1, 1, 1, 1, 1, 0, 1), /* one channel: tail lanes everywhere */
    NCL_CHECK_CONV(2, 20, 3, 2, 33, 1, 1, 0, 1),
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 64, 4, 4, 64, 1, 1, 1, 1), /* padding */
    NCL_CHECK_CONV(1, 64, 4, 4, 64, 1, 1, 0, 2), /* groups */
    NCL_CHECK_CONV(1, 64, 4, 4, 64, 1, 2, 0, 1), /* strides */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_dense_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 3});
}

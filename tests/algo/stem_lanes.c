/* Few input channels on GPUs, from the caller's NCHW buffer. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_stem_lanes;

#define PLAIN .x_order = NCL_PLAIN

/* Overriding the order that the members set is what these initialisers are for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct ncl_problem problems[] = {
    /* n, c, h, w, k, kernel, stride, pad, groups */
    {NCL_CHECK_CONV_MEMBERS(1, 3, 31, 45, 64, 7, 2, 3, 1), PLAIN},
    {NCL_CHECK_CONV_MEMBERS(2, 3, 13, 30, 33, 3, 1, 1, 1), PLAIN}, /* a channel tail, odd blocks */
    {NCL_CHECK_CONV_MEMBERS(5, 1, 9, 9, 10, 5, 1, 0, 1), PLAIN},   /* one channel, no padding */
    {NCL_CHECK_CONV_MEMBERS(1, 4, 1, 1, 16, 3, 1, 1, 1), PLAIN},   /* one pixel */
    {NCL_CHECK_CONV_MEMBERS(1, 2, 3, 2, 24, 11, 1, 8, 1), PLAIN},  /* padding beyond the map */
    /* TensorFlow's SAME at stride 2; stride 3; dilation */
    {NCL_CHECK_CONV_WINDOW(1, 3, 16, 20, 48, 1, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1), PLAIN},
    {NCL_CHECK_CONV_WINDOW(2, 3, 11, 23, 16, 1, 2, 5, 3, 1, 2, 3, 1, 7, 0, 2), PLAIN},
};
#pragma GCC diagnostic pop

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 3, 6, 6, 16, 3, 1, 1, 1), /* from blocks */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_stem_lanes,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .as_gpu = true,
                                              .points = 3});
}

/* Few input channels, from the caller's NCHW buffer and from blocks. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_stem;

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
    NCL_CHECK_CONV(2, 3, 17, 29, 64, 7, 2, 3, 1),
    NCL_CHECK_CONV(1, 1, 6, 15, 5, 3, 3, 1, 1),
    NCL_CHECK_CONV(3, 4, 5, 8, 32, 1, 1, 0, 1),
    {NCL_CHECK_CONV_WINDOW(1, 2, 8, 14, 40, 1, 4, 3, 1, 2, 1, 2, 5, 0, 0, 4)},
    {NCL_CHECK_CONV_MEMBERS(2, 3, 10, 13, 20, 3, 2, 1, 1), PLAIN, .x_image = 3, .x_images = 5},
};
#pragma GCC diagnostic pop

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 5, 6, 6, 16, 3, 1, 1, 1), /* too many channels */
    NCL_CHECK_CONV(1, 4, 6, 6, 16, 3, 1, 1, 2), /* groups */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_stem,
                                              NCL_CHECK_PROBLEMS(problems),
                                              NCL_CHECK_REFUSED(refused),
                                              .points = 2});
}

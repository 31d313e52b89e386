/* Few input channels, from the caller's NCHW buffer and from blocks. */
#include "support/corners.h"

extern const struct ncl_algo ncl_algo_stem;

/* Overriding the order that the members set is what these initialisers are for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct ncl_problem problems[] = {
    NCL_CHECK_STEM_CORNERS,
    NCL_CHECK_CONV(2, 3, 17, 29, 64, 7, 2, 3, 1),
    NCL_CHECK_CONV(1, 1, 6, 15, 5, 3, 3, 1, 1),
    NCL_CHECK_CONV(3, 4, 5, 8, 32, 1, 1, 0, 1),
    {NCL_CHECK_CONV_WINDOW(1, 2, 8, 14, 40, 1, 4, 3, 1, 2, 1, 2, 5, 0, 0, 4)},
    {NCL_CHECK_CONV_MEMBERS(2, 3, 10, 13, 20, 3, 2, 1, 1), NCL_CHECK_PLAIN, .x_image = 3,
     .x_images = 5},
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

/* Few input channels on GPUs, from the caller's NCHW buffer. */
#include "support/corners.h"

extern const struct ncl_algo ncl_algo_stem_lanes;

/* Overriding the order that the members set is what these initialisers are for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct ncl_problem problems[] = {
    NCL_CHECK_STEM_CORNERS,
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

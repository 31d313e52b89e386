/* Corners of 1x1 convolutions: strides, tails of channels and pixels, batches, the dense layer. */
#include "support/corners.h"

extern const struct ncl_algo ncl_algo_pointwise;

static const struct ncl_problem problems[] = {
    NCL_CHECK_POINTWISE_CORNERS,
    /* Chunks of a batch: the last image of three, and the middle of five. */
    {NCL_CHECK_CONV_MEMBERS(1, 20, 5, 7, 35, 1, 1, 0, 1), .y_image = 2, .y_images = 3,
     .epilogue = {.bias = true, .residual = true}},
    {NCL_CHECK_CONV_MEMBERS(2, 16, 9, 6, 40, 1, 2, 0, 1), .y_image = 1, .y_images = 5},
};

static const struct ncl_problem refused[] = {NCL_CHECK_NOT_POINTWISE};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_pointwise, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

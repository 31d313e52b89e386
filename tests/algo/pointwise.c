/* Corners of 1x1 convolutions: strides, tails of channels and pixels, batches, the dense layer. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_pointwise;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 64, 14, 14, 96, 1, 1, 0, 1),
    NCL_CHECK_CONV(2, 1, 1, 14, 1, 1, 1, 0, 1), /* one channel: tail lanes everywhere */
    NCL_CHECK_CONV(1, 70, 7, 7, 33, 1, 1, 0, 1),
    NCL_CHECK_CONV(3, 32, 9, 11, 64, 1, 2, 0, 1),
    {NCL_CHECK_CONV_WINDOW(2, 20, 8, 9, 24, 1, 1, 1, 3, 2, 1, 1, 0, 0, 0, 0)},
    {NCL_CHECK_CONV_MEMBERS(1, 256, 1, 1, 100, 1, 1, 0, 1), .epilogue = {.bias = true}}, /* dense */
    {NCL_CHECK_CONV_MEMBERS(5, 48, 1, 1, 40, 1, 1, 0, 1),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
    /* Chunks of a batch: the last image of three, and the middle of five. */
    {NCL_CHECK_CONV_MEMBERS(1, 20, 5, 7, 35, 1, 1, 0, 1), .y_image = 2, .y_images = 3,
     .epilogue = {.bias = true, .residual = true}},
    {NCL_CHECK_CONV_MEMBERS(2, 16, 9, 6, 40, 1, 2, 0, 1), .y_image = 1, .y_images = 5},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 1, 1), /* padding */
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 0, 2), /* groups */
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 3, 1, 0, 1),
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_pointwise, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

/* Corners of windows: padding on any side, strides, dilations, groups, tails, tiny maps. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_spatial;

static const struct ncl_problem problems[] = {
    NCL_CHECK_CONV(1, 40, 7, 7, 48, 3, 1, 1, 1),
    NCL_CHECK_CONV(2, 30, 6, 5, 17, 3, 2, 1, 1),  /* tails of channels, not of 16 */
    NCL_CHECK_CONV(1, 64, 10, 9, 64, 3, 1, 1, 2), /* groups of 32 */
    NCL_CHECK_CONV(1, 64, 8, 8, 64, 3, 2, 1, 4),
    {NCL_CHECK_CONV_WINDOW(1, 20, 9, 8, 16, 1, 5, 3, 2, 1, 1, 2, 3, 0, 1, 4),
     .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU}},
    NCL_CHECK_CONV(1, 3, 12, 12, 24, 7, 2, 3, 1),
    NCL_CHECK_CONV(3, 16, 1, 1, 16, 3, 1, 1, 1), /* all taps but one in the padding */
    {NCL_CHECK_CONV_WINDOW(1, 16, 5, 6, 32, 1, 2, 2, 1, 1, 3, 3, 2, 2, 2, 2)},
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 64, 8, 8, 64, 3, 1, 1, 32), /* groups of 2 */
    {.kind = NCL_PROBLEM_CONV,
     .x = {1, 16, 8, 8},
     .y = {1, 16, 8, 8},
     .x_order = NCL_BLOCKED,
     .y_order = NCL_BLOCKED,
     .of.conv = {{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 1}}, /* weights that may be infinite */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_spatial, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

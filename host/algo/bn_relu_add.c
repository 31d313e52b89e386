/* Affine map per channel, residual, activation. Kernel and layouts: cl/fused/bn_relu_add.cl. */
#include "algo/elementwise.h"

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !p->epilogue.bias;
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_epilogue(args, p);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, ncl_elementwise_pixels(p));
}

const struct ncl_algo ncl_algo_bn_relu_add = {
    .name = "bn_relu_add",
    .source = "fused/bn_relu_add",
    .kernel = "ncl_bn_relu_add",
    .version = 1,
    .kind = NCL_PROBLEM_SCALE,
    .rank = 10,
    .half = true,
    .tunables = ncl_elementwise,
    .tunable_count = NCL_ELEMENTWISE_TUNABLES,
    .applicable = applicable,
    .valid = ncl_elementwise_valid,
    .defaults = ncl_elementwise_defaults,
    .geometry = ncl_elementwise_geometry,
    .set_args = set_args,
};

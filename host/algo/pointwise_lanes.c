/* 1x1 convolution and the dense layer on GPUs. Kernel and layouts: cl/conv/pointwise_lanes.cl. */
#include "algo/lanes.h"

enum { UNROLL = NCL_LANES_PARAMS, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    NCL_LANES_TUNABLES,
    [UNROLL] = {"UNROLL", {1, 2, 4}, 3},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;

    return ncl_lanes_applicable(p, caps) && p->of.conv.groups == 1 && w->kernel_h == 1 &&
           w->kernel_w == 1 && !w->pad_top && !w->pad_left && !w->pad_bottom && !w->pad_right;
}

/* Scalar registers hold the weights of one turn: 64 floats. More turns in a row give a compiler
 * that looks for pairs of fmas more of them. */
static int unroll(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    /* Turns are what sums of halves are of. */
    if (caps->index_addressing || (p->half_math && ncl_lanes_half_math(p)))
        return 4;
    if (caps->paired_fma)
        return v[NCL_LANES_P] % 2 || ncl_lanes_strided(p) ? 2 : 4;
    return caps->scalar_registers && v[NCL_LANES_KB] > 2 ? 1 : 2;
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_lanes_tile tile = ncl_lanes_pointwise_tile(p, caps);

    ncl_lanes_defaults(v, p, &tile, caps);
    v[UNROLL] = unroll(v, p, caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "C_TAIL", p->x.c % p->channel_block);
    ncl_define(d, "BLOCKS_LEFT", p->x.c / p->channel_block % v[UNROLL]);
    ncl_define(d, "STRIDED", ncl_lanes_strided(p));
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->x.n * p->x.h * p->x.w);
    ncl_arg_int(args, p->y.n * p->y.h * p->y.w);
    if (ncl_lanes_strided(p))
        ncl_lanes_arg_strides(args, p);
}

const struct ncl_algo ncl_algo_pointwise_lanes = {
    .name = "pointwise_lanes",
    .source = "conv/pointwise_lanes",
    .kernel = "ncl_pointwise_lanes",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 45,
    .half = true,
    .half_math = ncl_lanes_half_math,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = ncl_lanes_valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = ncl_lanes_geometry,
    .set_args = set_args,
    .pack = ncl_lanes_pack,
};

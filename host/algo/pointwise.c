/* 1x1 convolution and the dense layer. Kernel and layouts: cl/conv/pointwise.cl. */
#include "algo/tile.h"

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;

    (void)caps;
    return p->kind == NCL_PROBLEM_CONV && p->of.conv.groups == 1 && w->kernel_h == 1 &&
           w->kernel_w == 1 && !w->pad_top && !w->pad_left && !w->pad_bottom && !w->pad_right &&
           p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED;
}

/* Pixels of the output lie in the input as they do in the output. */
static bool is_strided(const struct ncl_problem *p)
{
    return p->of.conv.window.stride_h != 1 || p->of.conv.window.stride_w != 1;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_tile_defines(d, v, p);
    ncl_define(d, "STRIDED", is_strided(p));
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_W);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_epilogue(args, p);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->x.n * p->x.h * p->x.w);
    ncl_arg_int(args, p->y.n * p->y.h * p->y.w);
    if (!is_strided(p))
        return;
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, p->of.conv.window.stride_h);
    ncl_arg_int(args, p->of.conv.window.stride_w);
}

const struct ncl_algo ncl_algo_pointwise = {
    .name = "pointwise",
    .source = "conv/pointwise",
    .kernel = "ncl_pointwise",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 40,
    .tunables = ncl_tile_tunables,
    .tunable_count = NCL_TILE_PARAMS,
    .applicable = applicable,
    .valid = ncl_tile_valid,
    .defaults = ncl_tile_defaults,
    .defines = defines,
    .geometry = ncl_tile_geometry,
    .set_args = set_args,
};

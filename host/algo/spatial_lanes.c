/* Convolution with any window on GPUs. Kernel and layouts: cl/conv/spatial_lanes.cl. */
#include "algo/lanes.h"
#include <string.h>

/* A pixel's taps inside the image are bits of an int. */
#define TAPS_MAX 32

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_conv *conv = &p->of.conv;
    const int cb = p->channel_block;

    if (!ncl_lanes_applicable(p, caps) || !p->finite ||
        conv->window.kernel_h * conv->window.kernel_w > TAPS_MAX)
        return false;
    if (conv->groups > 1 && p->y.c / conv->groups % cb)
        return false;
    return p->x.c / conv->groups % 16 == 0 ||
           (p->x.c / conv->groups < 16 && p->x.c / conv->groups % cb == 0);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_lanes_tile tile = ncl_lanes_spatial_tile(p, caps);

    ncl_lanes_defaults(v, p, &tile, caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int blocks = p->x.c / p->of.conv.groups / p->channel_block;

    (void)v;
    ncl_define(d, "KH", w->kernel_h);
    ncl_define(d, "KW", w->kernel_w);
    ncl_define(d, "DH", w->dilation_h);
    ncl_define(d, "DW", w->dilation_w);
    ncl_define(d, "TAP", blocks < 4 ? blocks : 4);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);
    const int numbers[] = {
        p->x.c / p->of.conv.groups,
        shape.group_blocks,
        shape.blocks,
        p->x.n,
        p->x.h,
        p->x.w,
        p->y.h,
        p->y.w,
        w->stride_h,
        w->stride_w,
        w->pad_top,
        w->pad_left,
    };

    (void)v;
    ncl_arg_convolution(args, p);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ncl_arg_int(args, numbers[i]);
}

/* Taps in the padding read the zeros behind the weights. */
static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    (void)v;
    return ncl_packed_floats_canonical(p) + (size_t)p->channel_block;
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    ncl_pack_together(p, weights, v[NCL_LANES_KB], packed);
    memset(packed + ncl_packed_floats_canonical(p), 0, (size_t)p->channel_block * sizeof *packed);
}

const struct ncl_algo ncl_algo_spatial_lanes = {
    .name = "spatial_lanes",
    .source = "conv/spatial_lanes",
    .kernel = "ncl_spatial_lanes",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 23,
    .half = true,
    .half_math = ncl_lanes_half_math,
    .tunables = ncl_lanes_tunables,
    .tunable_count = NCL_LANES_PARAMS,
    .applicable = applicable,
    .valid = ncl_lanes_valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = ncl_lanes_geometry,
    .set_args = set_args,
    .packed_floats = packed_floats,
    .pack = pack,
};

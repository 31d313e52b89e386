/* Convolution with any window. Kernel and layouts: cl/conv/spatial.cl. */
#include "algo/tile.h"
#include <string.h>

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int groups = p->of.conv.groups, cb = p->channel_block;

    (void)caps;
    if (p->kind != NCL_PROBLEM_CONV || !p->finite || p->x_order != NCL_BLOCKED ||
        p->y_order != NCL_BLOCKED)
        return false;
    return groups == 1 || (p->x.c / groups % cb == 0 && p->y.c / groups % cb == 0);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    return ncl_tile_valid(v, &shape, p, caps);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    ncl_tile_defaults(v, &shape, p, caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    ncl_tile_defines(d, v, &shape, p);
    ncl_define(d, "P_LESS", v[NCL_TILE_P] - 1);
    ncl_define(d, "TAIL_LESS", shape.row % v[NCL_TILE_P] - 1);
    ncl_define(d, "SW", p->of.conv.window.stride_w);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    ncl_tile_geometry(v, &shape, range);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);
    const int numbers[] = {
        p->x.c / p->of.conv.groups,
        shape.group_blocks,
        shape.blocks,
        p->x.n,
        p->x.h,
        p->x.w,
        p->y.h,
        p->y.w,
        w->kernel_h,
        w->kernel_w,
        w->stride_h,
        w->dilation_h,
        w->dilation_w,
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
    (void)v;
    ncl_pack_canonical(p, weights, packed);
    memset(packed + ncl_packed_floats_canonical(p), 0, (size_t)p->channel_block * sizeof *packed);
}

const struct ncl_algo ncl_algo_spatial = {
    .name = "spatial",
    .source = "conv/spatial",
    .kernel = "ncl_spatial",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 20,
    .half = true,
    .tunables = ncl_tile_tunables,
    .tunable_count = NCL_TILE_PARAMS,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
    .packed_floats = packed_floats,
    .pack = pack,
};

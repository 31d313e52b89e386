/* Convolution with any window along rows on GPUs. Kernel and layouts: cl/conv/rows_lanes.cl. */
#include "algo/lanes.h"

enum { P = NCL_LANES_P, KB = NCL_LANES_KB, INDEX, ROLL, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    [KB] = {"KB", {1, 2, 3, 4}, 4},
    [INDEX] = {"INDEX", {0, 1}, 2},
    [ROLL] = {"ROLL", {0, 1, 2}, 3},
    [WG] = {"WG", {8, 16, 32, 64, 128, 256}, 6},
};

/* Without a loop over taps: at most so many pixels x blocks x blocks of channels. */
#define UNROLLED_MAX 384
/* As far as the kernel's list of taps goes. */
#define KERNEL_MAX 18
/* Places in x and w are bytes in 32 bits. */
#define FLOATS_MAX ((size_t)1 << 29)

/* Blocks of channels per tap. */
static int tap_blocks(const struct ncl_problem *p)
{
    const int blocks = p->x.c / p->of.conv.groups / p->channel_block;

    return blocks < 4 ? blocks : 4;
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int groups = p->kind == NCL_PROBLEM_CONV ? p->of.conv.groups : 1;
    const int in = p->x.c / groups, out = p->y.c / groups;

    if (!ncl_lanes_applicable(p, caps) || !p->finite || p->of.conv.window.kernel_w > KERNEL_MAX ||
        (groups > 1 && out % p->channel_block))
        return false;
    if (ncl_shape_elements(&p->x, p->x_order, p->channel_block) > FLOATS_MAX ||
        ncl_packed_floats_canonical(p) > FLOATS_MAX)
        return false;
    return in % 16 == 0 || (in < 16 && in % p->channel_block == 0);
}

/* Pixels x blocks x blocks of channels that a row of taps takes. */
static int unrolled(const int *v, const struct ncl_problem *p)
{
    return v[P] * v[KB] * tap_blocks(p) * p->of.conv.window.kernel_w;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    return v[P] <= p->y.w && shape.group_blocks % v[KB] == 0 &&
           v[P] * v[KB] + v[P] + v[KB] <= caps->registers &&
           (v[ROLL] == 2 || unrolled(v, p) <= UNROLLED_MAX) && ncl_work_group_fits(caps, v[WG]);
}

/* Floats of a work-item for accumulators and pixels. AMD then runs 3 threads of 64 lanes or 10 of
 * 32, Intel one of 8 without spilling: strides and residuals cost it a few. */
static int most(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    int floats = caps->scalar_registers ? 72 : 160;

    if (caps->index_addressing)
        floats = p->of.conv.window.stride_w > 1 || p->epilogue.residual ? 72 : 80;
    return ncl_lanes_most(floats, p, caps);
}

/* Pixels under several taps stay in registers where these are many, or few are needed. Compilers
 * that look for pairs of fmas hoist the scalar loads of a small tile until they spill. */
static int roll(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    if (unrolled(v, p) > UNROLLED_MAX || (caps->paired_fma && v[KB] <= 2 && v[P] % 2 == 0))
        return 2;
    return caps->scalar_registers || tap_blocks(p) > 2;
}

static double cost(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    /* A pixel is loaded, and a masked one counts for the two at a tile's ends. */
    const struct ncl_lanes_tile tile = {.pixel_cost = caps->index_addressing ? 2.5 : 1.5};
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);
    const double threads =
        (double)ncl_ceil_div(ncl_lanes_row_tiles(v[P], p), (size_t)v[WG]) * shape.blocks / v[KB];

    return ncl_lanes_threads(threads, caps) * ncl_lanes_tile_cost(v[P], v[KB], &tile, caps);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);
    int tile[TUNABLE_COUNT] = {0};
    double best = 0;

    v[WG] = tile[WG] = ncl_lanes_group(&tunables[WG], caps);
    v[INDEX] = caps->index_addressing;
    v[P] = v[KB] = 1;
    for (int i = tunables[P].count * tunables[KB].count - 1; i >= 0; i--) {
        tile[P] = tunables[P].values[i / tunables[KB].count];
        tile[KB] = tunables[KB].values[i % tunables[KB].count];
        if (tile[P] > p->y.w || shape.group_blocks % tile[KB] ||
            tile[P] * (4 * tile[KB] + 4) > most(p, caps))
            continue;
        if (best > 0 && cost(tile, p, caps) >= best)
            continue;
        best = cost(tile, p, caps);
        v[P] = tile[P];
        v[KB] = tile[KB];
    }
    v[ROLL] = roll(v, p, caps);
}

/* Against spatial_lanes (23), whose tiles leave fewer lanes idle on small maps, and grouped_lanes
 * (35), which Intel's compiler makes less of. */
static int rank_for(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);
    const struct ncl_lanes_tile spatial = ncl_lanes_spatial_tile(p, caps);
    int v[TUNABLE_COUNT], other[NCL_LANES_PARAMS];

    if (p->of.conv.groups > 1 && p->x.c / p->of.conv.groups == p->channel_block)
        return caps->index_addressing ? 36 : 22;
    defaults(v, p, caps);
    ncl_lanes_defaults(other, p, &spatial, caps);
    return cost(v, p, caps) < ncl_lanes_cost(other[NCL_LANES_P], other[NCL_LANES_KB],
                                             other[NCL_LANES_WG], &shape, &spatial, caps)
               ? 24
               : 22;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_lanes_define_row(d, v[P], p);
    ncl_define(d, "TAP", tap_blocks(p));
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    ncl_lanes_row_geometry(v[P], v[KB], v[WG], p, range);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int block_bytes = p->channel_block * (int)ncl_element_bytes(NCL_BLOCKED, p->half);
    const int unit = v[INDEX] ? block_bytes : 1, plane = p->x.n * p->x.h * p->x.w;
    const int blocks = v[INDEX] ? ncl_blocks(p->x.c, p->channel_block) : 1;

    ncl_arg_convolution(args, p);
    ncl_arg_int(args, p->x.c / p->of.conv.groups);
    ncl_arg_int(args, ncl_tile_shape(p, true).group_blocks);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_lanes_arg_rows(args, p);
    ncl_arg_int(args, plane * unit);
    ncl_arg_int(args, p->x.w * w->dilation_h * unit);
    ncl_arg_int(args, w->dilation_w * block_bytes);
    ncl_arg_int(args, (plane * blocks - 1) * block_bytes);
}

const struct ncl_algo ncl_algo_rows_lanes = {
    .name = "rows_lanes",
    .source = "conv/rows_lanes",
    .kernel = "ncl_rows_lanes",
    .version = 1,
    NCL_LANES_DESCRIPTOR,
    .rank = 22,
    .rank_for = rank_for,
    .half_math = ncl_lanes_half_math,
    .pack = ncl_lanes_pack,
};

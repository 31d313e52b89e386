/* Winograd's 3x3 convolution in three launches. Kernels and layouts: cl/conv/winograd.cl. */
#include "algo/winograd.h"

#include <string.h>

enum { M, P, KB, PL, KL, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [M] = {"M", {2, 4}, 2},
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14}, 11},
    [KB] = {"KB", {1, 2, 3, 4, 5, 6, 8}, 7},
    [PL] = {"PL", {1, 2, 4, 8, 16, 32, 64}, 7},
    [KL] = {"KL", {1, 2, 4, 8, 16, 32, 64}, 7},
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static size_t stride(int m, int channels, const struct ncl_problem *p)
{
    return ncl_winograd_stride(ncl_blocks(channels, p->channel_block),
                               ncl_winograd_tile_count(m, p));
}

static size_t workspace_blocks(int m, const struct ncl_problem *p)
{
    return (stride(m, p->x.c, p) + stride(m, p->y.c, p)) * (size_t)ncl_winograd_positions(m);
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return ncl_winograd_suits(p) && ncl_winograd_fits(workspace_blocks(4, p), p, caps);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int tiles = ncl_winograd_tile_count(v[M], p);
    const int blocks = ncl_blocks(p->y.c, p->channel_block);

    if (v[P] > tiles || blocks % v[KB] || !ncl_tile_fits(v[P], v[KB], p, caps))
        return false;
    return ncl_winograd_fits(workspace_blocks(v[M], p), p, caps) &&
           ncl_work_group_fits(caps, v[WG]) &&
           !ncl_value_excessive(&tunables[PL], v[PL],
                                (int)ncl_ceil_div((size_t)tiles, (size_t)v[P])) &&
           !ncl_value_excessive(&tunables[KL], v[KL], blocks / v[KB]);
}

/* Cycles for all tiles, per block of output channels and product. */
static double cost(int tiles, int pixels, int blocks, int per_block)
{
    const int tail = tiles % pixels, count = tiles / pixels;
    const double whole = count * ncl_tile_cycles(pixels, blocks * per_block);

    return (whole + (tail ? ncl_tile_cycles(tail, blocks * per_block) : 0)) / blocks;
}

/* The cheapest tile; among equals the widest, which reads weights least often. */
static void choose_tile(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int per_block = ncl_registers_per_block(caps, p->channel_block);
    const int tiles = ncl_winograd_tile_count(v[M], p);
    double best = 0;
    int point[TUNABLE_COUNT];

    memcpy(point, v, sizeof point);
    for (int i = tunables[P].count * tunables[KB].count - 1; i >= 0; i--) {
        double here;

        point[P] = tunables[P].values[i / tunables[KB].count];
        point[KB] = tunables[KB].values[i % tunables[KB].count];
        if (!valid(point, p, caps))
            continue;
        here = cost(tiles, point[P], point[KB], per_block);
        if (best > 0 && here >= best)
            continue;
        best = here;
        v[P] = point[P], v[KB] = point[KB];
    }
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int blocks = ncl_blocks(p->y.c, p->channel_block);
    int tiles;

    /* The transforms of 6 x 6 tiles spill on GPUs. */
    v[M] = ncl_caps_is_cpu_like(caps) ? 4 : 2;
    v[P] = v[KB] = v[PL] = v[KL] = v[WG] = 1;
    tiles = ncl_winograd_tile_count(v[M], p);
    if (ncl_caps_is_cpu_like(caps)) {
        choose_tile(v, p, caps);
        v[KL] = ncl_value_at_least(&tunables[KL], blocks / v[KB]);
    } else {
        v[P] = ncl_value_at_most(&tunables[P], tiles < 4 ? tiles : 4);
        v[KB] = blocks % 2 ? 1 : 2;
    }
    v[WG] =
        ncl_work_group_default(&tunables[WG], (int)ncl_ceil_div((size_t)tiles, (size_t)v[P]), caps);
}

/* CPUs have winograd_chunk; those that vectorise across work-items were not measured. On GPUs each
 * lane takes 4 tiles, of which small maps have too few, and sums of halves save more than the
 * transforms do. */
static int rank_for(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const bool suits = caps->type != NCL_DEVICE_CPU && p->x.c >= 64 && p->y.c >= 64;

    return suits && !p->half_math && ncl_winograd_tile_count(2, p) >= 3 * caps->lanes ? 25 : 1;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "TAIL", ncl_winograd_tile_count(v[M], p) % v[P]);
    ncl_define(d, "C_TAIL", p->x.c % p->channel_block);
}

static size_t workspace_floats(const int *v, const struct ncl_problem *p)
{
    return workspace_blocks(v[M], p) * (size_t)p->channel_block;
}

static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    return ncl_winograd_packed_floats(v[M], p);
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    ncl_winograd_pack(v[M], p, weights, packed);
}

/* ---- the three launches ---- */

static void transform_geometry(const int *v, int channels, const struct ncl_problem *p,
                               struct ncl_range *range)
{
    const size_t work_group = (size_t)v[WG];

    range->local[0] = work_group;
    range->global[0] = ncl_round_up((size_t)ncl_winograd_tile_count(v[M], p), work_group);
    range->global[1] = (size_t)ncl_blocks(channels, p->channel_block);
}

static void input_geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    transform_geometry(v, p->x.c, p, range);
}

static void output_geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    transform_geometry(v, p->y.c, p, range);
}

static void product_geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const size_t tiles = (size_t)ncl_winograd_tile_count(v[M], p);
    const size_t blocks = (size_t)ncl_blocks(p->y.c, p->channel_block);

    range->local[0] = (size_t)v[WG];
    range->global[0] =
        ncl_round_up(ncl_ceil_div(tiles, (size_t)v[P] * (size_t)v[PL]), (size_t)v[WG]);
    range->global[1] = ncl_ceil_div(blocks, (size_t)v[KB] * (size_t)v[KL]);
    range->global[2] = (size_t)ncl_winograd_positions(v[M]);
}

static void tile_args(struct ncl_args *args, const struct ncl_shape *map, const int *v,
                      const struct ncl_problem *p)
{
    ncl_arg_int(args, map->h);
    ncl_arg_int(args, map->w);
    ncl_arg_int(args, ncl_winograd_tiles_down(v[M], p));
    ncl_arg_int(args, ncl_winograd_tiles_across(v[M], p));
    ncl_arg_int(args, map->n);
}

static void sum_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    ncl_arg_int(args, (int)stride(v[M], p->y.c, p));
    ncl_arg_int(args, (int)(stride(v[M], p->x.c, p) * (size_t)ncl_winograd_positions(v[M])));
}

static void input_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_WORKSPACE);
    tile_args(args, &p->x, v, p);
    ncl_arg_int(args, w->pad_top);
    ncl_arg_int(args, w->pad_left);
    ncl_arg_int(args, (int)stride(v[M], p->x.c, p));
}

static void product_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    ncl_arg_buffer(args, NCL_ARG_WORKSPACE);
    ncl_arg_buffer(args, NCL_ARG_W);
    ncl_arg_buffer(args, NCL_ARG_WORKSPACE);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, ncl_winograd_tile_count(v[M], p));
    ncl_arg_int(args, (int)stride(v[M], p->x.c, p));
    sum_args(args, v, p);
}

static void output_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    ncl_arg_buffer(args, NCL_ARG_WORKSPACE);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_epilogue(args, p);
    tile_args(args, &p->y, v, p);
    sum_args(args, v, p);
}

static const struct ncl_stage stages[] = {
    {"ncl_winograd_input", input_geometry, input_args},
    {"ncl_winograd_product", product_geometry, product_args},
    {"ncl_winograd_output", output_geometry, output_args},
};

const struct ncl_algo ncl_algo_winograd = {
    .name = "winograd",
    .source = "conv/winograd",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 25,
    .rank_for = rank_for,
    .reorders = true,
    .half = true,
    .float_weights = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .stages = stages,
    .stage_count = sizeof stages / sizeof stages[0],
    .workspace_floats = workspace_floats,
    .packed_floats = packed_floats,
    .pack = pack,
};

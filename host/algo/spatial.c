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

enum { SLAB = NCL_TILE_PARAMS, XF, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    NCL_TILE_TUNABLES,
    [SLAB] = {"SLAB", {0, 1}, 2},
    [XF] = {"XF", {0, 1}, 2},
};

/* Bytes of sums that a work-item may keep: half a first-level cache. */
#define SUMS_MAX (24 << 10)
/* Bytes of a work-item's weights beyond which the second-level cache gives them up between tiles.
 */
#define WEIGHTS_MAX (256 << 10)

/* Bytes of all weights that a core's second-level cache keeps beside the pixels that pass. */
#define WEIGHTS_KEPT (1 << 20)

static int block_bytes(const struct ncl_problem *p)
{
    return p->channel_block * (int)sizeof(float);
}

static bool slab_valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return !v[SLAB] ||
           (ncl_caps_is_cpu_like(caps) && v[NCL_TILE_KL] == 1 &&
            v[NCL_TILE_PL] * v[NCL_TILE_P] * v[NCL_TILE_KB] * block_bytes(p) <= SUMS_MAX);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    return ncl_tile_valid(v, &shape, p, caps) && slab_valid(v, p, caps) &&
           (!v[XF] || ncl_caps_is_cpu_like(caps));
}

/* Small maps of many channels: all tiles share a slab, or as many as leave work for every core. */
static void choose_slab(int *v, const struct ncl_tile_shape *shape, const struct ncl_problem *p,
                        const struct ncl_caps *caps)
{
    const int tiles = ncl_tile_count(v, shape), groups = shape->blocks / v[NCL_TILE_KB];
    int slab[TUNABLE_COUNT], together;

    memcpy(slab, v, sizeof slab);
    slab[SLAB] = slab[NCL_TILE_KL] = 1;
    slab[XF] = p->of.conv.window.stride_w > 1; /* else few pixels are new to a tile */
    slab[NCL_TILE_PL] = ncl_value_at_least(&tunables[NCL_TILE_PL], tiles);
    while (slab[NCL_TILE_PL] > 1 &&
           (!slab_valid(slab, p, caps) ||
            groups * (int)ncl_ceil_div((size_t)tiles, (size_t)slab[NCL_TILE_PL]) <
                NCL_TILE_ITEMS * ncl_cores(caps)))
        slab[NCL_TILE_PL] /= 2;
    together = tiles < slab[NCL_TILE_PL] ? tiles : slab[NCL_TILE_PL];
    slab[NCL_TILE_PF] =
        ncl_value_at_least(&tunables[NCL_TILE_PF], (p->channel_block + together - 1) / together);
    if (v[NCL_TILE_KB] * shape->depth * block_bytes(p) > WEIGHTS_MAX &&
        together >= NCL_TILE_TOGETHER && valid(slab, p, caps))
        memcpy(v, slab, sizeof slab);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    ncl_tile_defaults(v, &shape, p, caps);
    v[SLAB] = 0;
    v[XF] = ncl_caps_is_cpu_like(caps);
    if (shape.blocks * shape.depth * block_bytes(p) <= WEIGHTS_KEPT)
        v[NCL_TILE_PF] = 0;
    choose_slab(v, &shape, p, caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;
    const struct ncl_tile_shape shape = ncl_tile_shape(p, true);

    ncl_tile_defines(d, v, &shape, p);
    ncl_define(d, "P_LESS", v[NCL_TILE_P] - 1);
    ncl_define(d, "TAIL_LESS", shape.row % v[NCL_TILE_P] - 1);
    ncl_define(d, "SW", window->stride_w);
    ncl_define(d, "KH", window->kernel_h);
    ncl_define(d, "KW", window->kernel_w);
    ncl_define(d, "DH", window->dilation_h);
    ncl_define(d, "DW", window->dilation_w);
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
        w->stride_h,
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
    .version = 2,
    .kind = NCL_PROBLEM_CONV,
    .rank = 20,
    .half = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
    .packed_floats = packed_floats,
    .pack = pack,
};

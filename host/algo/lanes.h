/* Convolution kernels for GPUs, whose work-items are lanes of wide hardware threads: tiles of P
 * pixels, S apart, x KB blocks of output channels. Meaning and legal values: pointwise_lanes.cl. */
#ifndef NCL_ALGO_LANES_H
#define NCL_ALGO_LANES_H

#include "algo/tile.h"

enum { NCL_LANES_P, NCL_LANES_KB, NCL_LANES_S, NCL_LANES_INDEX, NCL_LANES_WG, NCL_LANES_PARAMS };

#define NCL_LANES_TUNABLES                                                                         \
    [NCL_LANES_P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8}, [NCL_LANES_KB] = {"KB", {1, 2, 3, 4}, 4},  \
    [NCL_LANES_S] = {"S", {1, 2, 4, 8}, 4}, [NCL_LANES_INDEX] = {"INDEX", {0, 1}, 2},              \
    [NCL_LANES_WG] = {"WG", {8, 16, 32, 64, 128, 256}, 6}

static const struct ncl_tunable ncl_lanes_tunables[NCL_LANES_PARAMS] = {NCL_LANES_TUNABLES};

/* What the descriptors of these kernels have in common: the functions' names. */
#define NCL_LANES_DESCRIPTOR                                                                       \
    .kind = NCL_PROBLEM_CONV, .half = true, .tunables = tunables, .tunable_count = TUNABLE_COUNT,  \
    .applicable = applicable, .valid = valid, .defaults = defaults, .defines = defines,            \
    .geometry = geometry, .set_args = set_args

/* Not for CPUs, those that vectorise across work-items neither: llvmpipe took 9.8 s for a
 * ResNeXt-50 with these kernels, 6.3 s with the others. */
static inline bool ncl_lanes_applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return p->kind == NCL_PROBLEM_CONV && p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED &&
           p->channel_block == 4 && caps->type != NCL_DEVICE_CPU &&
           ncl_work_group_fits(caps, ncl_lanes_tunables[NCL_LANES_WG].values[0]);
}

static inline bool ncl_lanes_valid(const int *v, const struct ncl_problem *p,
                                   const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);
    const int pixels = v[NCL_LANES_P], blocks = v[NCL_LANES_KB];

    return pixels * v[NCL_LANES_S] <= shape.pixels && shape.group_blocks % blocks == 0 &&
           pixels * blocks + pixels + blocks <= caps->registers &&
           ncl_work_group_fits(caps, v[NCL_LANES_WG]);
}

/* What a kernel's tile takes beside its fmas. */
struct ncl_lanes_tile {
    int most;          /* floats of a work-item for accumulators and pixels */
    int per_pixel;     /* floats of a pixel beside its accumulators */
    double pixel_cost; /* instructions of a pixel for each block of input channels */
};

/* Instructions of one block of input channels: fmas, pixels, loads of weights, the loop. A load of
 * 16 weights into scalar registers goes on beside the rest; where they come 16 at a time all the
 * same, it is a message and its address; else every lane loads each block. */
static inline double ncl_lanes_tile_cost(int pixels, int blocks, const struct ncl_lanes_tile *tile,
                                         const struct ncl_caps *caps)
{
    const double weights = caps->scalar_registers ? 1.0 : caps->index_addressing ? 2.0 : 8.0;

    return 16.0 * pixels * blocks + tile->pixel_cost * pixels + weights * blocks + 6.0;
}

/* Hardware threads, where too few of them leave parts of the device idle: those there is time for.
 */
static inline double ncl_lanes_threads(double threads, const struct ncl_caps *caps)
{
    const double enough = 2.0 * caps->compute_units;

    return threads > enough ? threads : enough;
}

/* Hardware threads times what each takes. */
static inline double ncl_lanes_cost(int pixels, int blocks, int group,
                                    const struct ncl_tile_shape *shape,
                                    const struct ncl_lanes_tile *tile, const struct ncl_caps *caps)
{
    const size_t tiles = ncl_ceil_div((size_t)shape->pixels, (size_t)pixels);
    const double threads = (double)ncl_ceil_div(tiles, (size_t)group) * shape->blocks / blocks;

    return ncl_lanes_threads(threads, caps) * ncl_lanes_tile_cost(pixels, blocks, tile, caps);
}

/* The cheapest tile that fits; among equals that of most pixels. */
static inline void ncl_lanes_choose(int *v, const struct ncl_tile_shape *shape,
                                    const struct ncl_lanes_tile *tile, const struct ncl_caps *caps)
{
    const struct ncl_tunable *ps = &ncl_lanes_tunables[NCL_LANES_P];
    const struct ncl_tunable *kbs = &ncl_lanes_tunables[NCL_LANES_KB];
    double best = 0;

    v[NCL_LANES_P] = v[NCL_LANES_KB] = 1;
    for (int i = ps->count * kbs->count - 1; i >= 0; i--) {
        const int pixels = ps->values[i / kbs->count], blocks = kbs->values[i % kbs->count];
        double cost;

        if (pixels > shape->pixels || shape->group_blocks % blocks ||
            pixels * (4 * blocks + tile->per_pixel) > tile->most)
            continue;
        cost = ncl_lanes_cost(pixels, blocks, v[NCL_LANES_WG], shape, tile, caps);
        if (best > 0 && cost >= best)
            continue;
        best = cost;
        v[NCL_LANES_P] = pixels;
        v[NCL_LANES_KB] = blocks;
    }
}

/* One hardware thread makes a work-group: they share nothing. */
static inline int ncl_lanes_group(const struct ncl_tunable *groups, const struct ncl_caps *caps)
{
    const int limit = caps->max_work_group < 256 ? (int)caps->max_work_group : 256;

    return ncl_value_at_most(groups, caps->lanes < limit ? caps->lanes : limit);
}

static inline void ncl_lanes_defaults(int *v, const struct ncl_problem *p,
                                      const struct ncl_lanes_tile *tile,
                                      const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);

    v[NCL_LANES_WG] = ncl_lanes_group(&ncl_lanes_tunables[NCL_LANES_WG], caps);
    ncl_lanes_choose(v, &shape, tile, caps);
    v[NCL_LANES_S] =
        ncl_value_at_most(&ncl_lanes_tunables[NCL_LANES_S], shape.pixels / v[NCL_LANES_P]);
    v[NCL_LANES_INDEX] = caps->index_addressing;
}

/* Tiles of `pixels` in one row of the output, all rows and images. */
static inline size_t ncl_lanes_row_tiles(int pixels, const struct ncl_problem *p)
{
    return ncl_ceil_div((size_t)p->y.w, (size_t)pixels) * (size_t)p->y.h * (size_t)p->y.n;
}

/* Input pixels under such a tile. */
static inline int ncl_lanes_span(int pixels, const struct ncl_window *w)
{
    return (pixels - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
}

/* The first of them that can lie behind the row: the last tile of a row decides. */
static inline int ncl_lanes_right_edge(int pixels, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    return p->x.w + w->pad_left - (p->y.w - pixels) * w->stride_w;
}

/* Constants of kernels whose tiles lie in one row: see rows_lanes.cl. */
static inline void ncl_lanes_define_row(struct ncl_defines *d, int pixels,
                                        const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    ncl_define(d, "SW", w->stride_w);
    ncl_define(d, "DW", w->dilation_w);
    ncl_define(d, "KW", w->kernel_w);
    ncl_define(d, "LEFT", w->pad_left);
    ncl_define(d, "RIGHT", ncl_lanes_right_edge(pixels, p));
}

/* Their arguments: the maps, and the window along columns. */
static inline void ncl_lanes_arg_rows(struct ncl_args *args, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int numbers[] = {p->x.n,      p->x.h,      p->x.w,        p->y.h,    p->y.w,
                           w->kernel_h, w->stride_h, w->dilation_h, w->pad_top};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ncl_arg_int(args, numbers[i]);
}

/* Their work-items, in groups of so many, for tiles of pixels x blocks. */
static inline void ncl_lanes_row_geometry(int pixels, int blocks, int group,
                                          const struct ncl_problem *p, struct ncl_range *range)
{
    range->local[0] = (size_t)group;
    range->global[0] = ncl_round_up(ncl_lanes_row_tiles(pixels, p), (size_t)group);
    range->global[1] = (size_t)(ncl_blocks(p->y.c, p->channel_block) / blocks);
}

/* Do pixels of a 1x1 convolution's output lie elsewhere in the input? */
static inline bool ncl_lanes_strided(const struct ncl_problem *p)
{
    return p->of.conv.window.stride_h != 1 || p->of.conv.window.stride_w != 1;
}

/* The last arguments of kernels that gather the input's pixels. */
static inline void ncl_lanes_arg_strides(struct ncl_args *args, const struct ncl_problem *p)
{
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, p->of.conv.window.stride_h);
    ncl_arg_int(args, p->of.conv.window.stride_w);
}

/* Sums of halves are added to floats: those of fewer products cost what they save. */
#define NCL_LANES_SUM_MIN 8

static inline bool ncl_lanes_half_math(const struct ncl_problem *p)
{
    return p->x.c / p->of.conv.groups >= NCL_LANES_SUM_MIN;
}

/* Floats for accumulators and pixels where so many fit, as far as sums of halves leave room.
 * Intel's compiler makes hardware threads of 16 lanes, which do two halves for one float, of small
 * tiles alone. */
static inline int ncl_lanes_most(int floats, const struct ncl_problem *p,
                                 const struct ncl_caps *caps)
{
    if (!p->half_math || !ncl_lanes_half_math(p))
        return floats;
    return caps->index_addressing ? floats / 4 : floats / 2;
}

/* Tiles of pointwise_lanes: 64 accumulators leave room for 3 hardware threads on AMD, 12 on NVIDIA,
 * and one of 8 lanes on Intel, which counts the place of every gathered pixel among them. */
static inline struct ncl_lanes_tile ncl_lanes_pointwise_tile(const struct ncl_problem *p,
                                                             const struct ncl_caps *caps)
{
    const int most = caps->index_addressing && ncl_lanes_strided(p) ? 48 : 64;

    return (struct ncl_lanes_tile){.most = ncl_lanes_most(most, p, caps), .pixel_cost = 4};
}

/* Tiles of spatial_lanes: beside its accumulators a pixel keeps a block of input, its place, its
 * taps, a pointer or a mask. The limits leave room for 3 hardware threads on AMD and one of 8 lanes
 * on Intel. */
static inline struct ncl_lanes_tile ncl_lanes_spatial_tile(const struct ncl_problem *p,
                                                           const struct ncl_caps *caps)
{
    static const struct ncl_lanes_tile pointers = {.most = 112, .per_pixel = 5, .pixel_cost = 6},
                                       masks = {.most = 88, .per_pixel = 7, .pixel_cost = 12},
                                       scalar = {.most = 76, .per_pixel = 9, .pixel_cost = 6};

    struct ncl_lanes_tile tile = pointers;

    if (caps->index_addressing || caps->scalar_registers)
        tile = caps->index_addressing ? masks : scalar;
    tile.most = ncl_lanes_most(tile.most, p, caps);
    return tile;
}

/* Weights of KB blocks of output channels take turns. */
static inline void ncl_lanes_pack(const int *v, const struct ncl_problem *p,
                                  const struct ncl_weights *weights, float *packed)
{
    ncl_pack_together(p, weights, v[NCL_LANES_KB], packed);
}

static inline void ncl_lanes_geometry(const int *v, const struct ncl_problem *p,
                                      struct ncl_range *range)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);
    const size_t runs =
        ncl_ceil_div((size_t)shape.pixels, (size_t)v[NCL_LANES_P] * (size_t)v[NCL_LANES_S]);

    range->local[0] = (size_t)v[NCL_LANES_WG];
    range->global[0] = ncl_round_up(runs * (size_t)v[NCL_LANES_S], (size_t)v[NCL_LANES_WG]);
    range->global[1] = (size_t)(shape.blocks / v[NCL_LANES_KB]);
}

#endif

/* Register tiles of P pixels x KB blocks of output channels: parameters that convolution kernels
 * over linear pixels share. Meaning and legal values: cl/conv/pointwise.cl. */
#ifndef NCL_ALGO_TILE_H
#define NCL_ALGO_TILE_H

#include "algo/values.h"
#include "base/memory.h"

enum {
    NCL_TILE_P,
    NCL_TILE_KB,
    NCL_TILE_PL,
    NCL_TILE_KL,
    NCL_TILE_WG,
    NCL_TILE_PF,
    NCL_TILE_PARAMS
};

/* A kernel's tunables begin with these. */
#define NCL_TILE_TUNABLES                                                                          \
    [NCL_TILE_P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14}, 11},                                \
    [NCL_TILE_KB] = {"KB", {1, 2, 3, 4, 5, 6, 8}, 7},                                              \
    [NCL_TILE_PL] = {"PL", {1, 2, 4, 8, 16, 32, 64}, 7},                                           \
    [NCL_TILE_KL] = {"KL", {1, 2, 4, 8, 16, 32, 64}, 7},                                           \
    [NCL_TILE_WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},                                       \
    [NCL_TILE_PF] = {"PF", {0, 1, 2, 3, 4, 6, 8, 12, 16, 32}, 10}

static const struct ncl_tunable ncl_tile_tunables[NCL_TILE_PARAMS] = {NCL_TILE_TUNABLES};

/* A convolution as tiles see it: a product of blocks x depth and depth x pixels. No tile crosses
 * the end of a row. */
struct ncl_tile_shape {
    int pixels;       /* of the output, all images */
    int row;          /* pixels of a row: of the image, or all of them */
    int blocks;       /* of output channels, all groups */
    int group_blocks; /* of output channels of one group */
    int depth;        /* products summed per output */
    int channels;     /* of the input, all groups */
};

static inline struct ncl_tile_shape ncl_tile_shape(const struct ncl_problem *p, bool by_rows)
{
    const struct ncl_conv *conv = &p->of.conv;
    const int pixels = p->y.n * p->y.h * p->y.w;

    return (struct ncl_tile_shape){
        .pixels = pixels,
        .row = by_rows ? p->y.w : pixels,
        .blocks = ncl_blocks(p->y.c, p->channel_block),
        .group_blocks = ncl_blocks(p->y.c / conv->groups, p->channel_block),
        .depth = p->x.c / conv->groups * conv->window.kernel_h * conv->window.kernel_w,
        .channels = p->x.c,
    };
}

static inline int ncl_tile_count(const int *v, const struct ncl_tile_shape *shape)
{
    return shape->pixels / shape->row *
           (int)ncl_ceil_div((size_t)shape->row, (size_t)v[NCL_TILE_P]);
}

/* CPU devices that vectorise across work-items emulate fma in some hundred instructions each, which
 * they inline: a tile of 1 x 1 builds in a second, 2 x 1 in five, 8 x 4 in two minutes. */
static inline bool ncl_tile_fma_is_long(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return caps->type == NCL_DEVICE_CPU && !ncl_caps_is_cpu_like(caps) && !p->fast;
}

/* Accumulators, a weight block for each KB and one input value have to fit, or everything spills.
 */
static inline bool ncl_tile_fits(int pixels, int blocks, const struct ncl_problem *p,
                                 const struct ncl_caps *caps)
{
    const int per_block = ncl_registers_per_block(caps, p->channel_block);

    if (ncl_tile_fma_is_long(p, caps) && pixels * blocks > 1)
        return false;
    return (pixels + 1) * blocks * per_block + 1 <= caps->registers;
}

/* Tiles between two groups of weights. */
static inline int ncl_tile_between(const int *v, const struct ncl_tile_shape *shape)
{
    const int tiles = ncl_tile_count(v, shape);

    return v[NCL_TILE_KL] > 1 && v[NCL_TILE_PL] < tiles ? v[NCL_TILE_PL] : tiles;
}

/* Floats per channel that each of them has to fetch, so that the next group is there in time. */
static inline int ncl_tile_share(const int *v, const struct ncl_tile_shape *shape,
                                 const struct ncl_problem *p)
{
    const int tiles = ncl_tile_between(v, shape);

    return (v[NCL_TILE_KB] * p->channel_block + tiles - 1) / tiles;
}

/* Only CPUs fetch ahead: other devices hide a memory's latency behind other work-items. */
static inline bool ncl_tile_fetch_valid(const int *v, const struct ncl_tile_shape *shape,
                                        const struct ncl_problem *p, const struct ncl_caps *caps)
{
    if (!ncl_caps_is_cpu_like(caps))
        return !v[NCL_TILE_PF];
    return !ncl_value_excessive(&ncl_tile_tunables[NCL_TILE_PF], v[NCL_TILE_PF],
                                ncl_tile_share(v, shape, p));
}

static inline bool ncl_tile_valid(const int *v, const struct ncl_tile_shape *shape,
                                  const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int loops = shape->blocks / v[NCL_TILE_KB];

    if (v[NCL_TILE_P] > shape->row || shape->group_blocks % v[NCL_TILE_KB])
        return false;
    return ncl_tile_fits(v[NCL_TILE_P], v[NCL_TILE_KB], p, caps) &&
           ncl_work_group_fits(caps, v[NCL_TILE_WG]) && ncl_tile_fetch_valid(v, shape, p, caps) &&
           !ncl_value_excessive(&ncl_tile_tunables[NCL_TILE_PL], v[NCL_TILE_PL],
                                ncl_tile_count(v, shape)) &&
           !ncl_value_excessive(&ncl_tile_tunables[NCL_TILE_KL], v[NCL_TILE_KL], loops);
}

/* Cycles a tile takes per product on a core with two fma units, two loads a cycle and a latency of
 * four, and a loop around it. `vectors`: registers of all its output blocks. */
static inline double ncl_tile_cycles(int pixels, int vectors)
{
    const double fma = 0.5 * pixels * vectors, loads = 0.5 * (pixels + vectors);
    const double bound = fma > loads ? fma : loads;

    return 0.25 + (bound > 4 ? bound : 4);
}

/* Cycles for a row of pixels, per block of output channels and product. */
static inline double ncl_tile_cost(int pixels, int blocks, const struct ncl_tile_shape *shape,
                                   int per_block)
{
    const int tail = shape->row % pixels, whole = shape->row / pixels;
    const double full = ncl_tile_cycles(pixels, blocks * per_block);
    const double rest = tail ? ncl_tile_cycles(tail, blocks * per_block) : 0;

    return (whole * full + rest) / blocks;
}

/* The cheapest tile; among equals the widest, which reads weights least often. */
static inline void ncl_tile_choose(int *v, const struct ncl_tile_shape *shape,
                                   const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tunable *ps = &ncl_tile_tunables[NCL_TILE_P];
    const struct ncl_tunable *kbs = &ncl_tile_tunables[NCL_TILE_KB];
    const int per_block = ncl_registers_per_block(caps, p->channel_block);
    double best = 0;

    v[NCL_TILE_P] = v[NCL_TILE_KB] = 1;
    for (int i = ps->count * kbs->count - 1; i >= 0; i--) {
        const int pixels = ps->values[i / kbs->count], blocks = kbs->values[i % kbs->count];
        double cost;

        if (pixels > shape->row || shape->group_blocks % blocks ||
            !ncl_tile_fits(pixels, blocks, p, caps))
            continue;
        cost = ncl_tile_cost(pixels, blocks, shape, per_block);
        if (best > 0 && cost >= best)
            continue;
        best = cost;
        v[NCL_TILE_P] = pixels;
        v[NCL_TILE_KB] = blocks;
    }
}

/* Bytes of an input that stays in a core's second-level cache, whatever passes by. */
#define NCL_TILE_INPUT (256 << 10)
/* Tiles that share each read of the weights. */
#define NCL_TILE_TOGETHER 4
/* Work-items per core that even out its interruptions. */
#define NCL_TILE_ITEMS 6

/* How much one work-item loops over: for each of KL groups of weights, PL tiles. A small input
 * stays in cache while each weight is read once, by all tiles; else a few tiles stay while all
 * weights pass by. Groups of channels read an input each. */
static inline void ncl_tile_loops(int *v, const struct ncl_tile_shape *shape,
                                  const struct ncl_caps *caps)
{
    const int tiles = ncl_tile_count(v, shape), groups = shape->blocks / v[NCL_TILE_KB];
    const double input = 4.0 * shape->pixels * shape->channels;
    const bool once = shape->blocks > shape->group_blocks || input <= NCL_TILE_INPUT;
    const int together = once || tiles < NCL_TILE_TOGETHER ? tiles : NCL_TILE_TOGETHER;
    int *pl = &v[NCL_TILE_PL], *kl = &v[NCL_TILE_KL];

    *pl = ncl_value_at_least(&ncl_tile_tunables[NCL_TILE_PL], together);
    *kl = ncl_value_at_least(&ncl_tile_tunables[NCL_TILE_KL], groups);
    while (*pl * *kl > 1 && (int)ncl_ceil_div((size_t)tiles, (size_t)*pl) *
                                    (int)ncl_ceil_div((size_t)groups, (size_t)*kl) <
                                NCL_TILE_ITEMS * ncl_cores(caps))
        *(*kl > 1 ? kl : pl) /= 2;
}

/* Weights that come from memory, or from another core's cache, are asked for in time. */
static inline void ncl_tile_fetch(int *v, const struct ncl_tile_shape *shape,
                                  const struct ncl_problem *p)
{
    const int wanted = ncl_tile_between(v, shape) > 1 ? ncl_tile_share(v, shape, p) : 0;

    v[NCL_TILE_PF] = ncl_value_at_least(&ncl_tile_tunables[NCL_TILE_PF], wanted);
}

/* Devices with many work-items at once: small tiles, smaller where there would be too few. */
static inline void ncl_tile_defaults_gpu(int *v, const struct ncl_tile_shape *shape,
                                         const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t wanted = 2 * (size_t)caps->compute_units * (size_t)caps->preferred_work_group;

    v[NCL_TILE_P] = shape->row < 4 ? 1 : 4;
    v[NCL_TILE_KB] = shape->group_blocks % 2 ? 1 : 2;
    v[NCL_TILE_PL] = v[NCL_TILE_KL] = 1;
    if (ncl_tile_fma_is_long(p, caps))
        v[NCL_TILE_P] = v[NCL_TILE_KB] = 1;
    while (v[NCL_TILE_P] > 1 &&
           (size_t)ncl_tile_count(v, shape) * (size_t)(shape->blocks / v[NCL_TILE_KB]) < wanted)
        v[NCL_TILE_P] /= 2;
}

static inline void ncl_tile_defaults(int *v, const struct ncl_tile_shape *shape,
                                     const struct ncl_problem *p, const struct ncl_caps *caps)
{
    if (ncl_caps_is_cpu_like(caps)) {
        ncl_tile_choose(v, shape, p, caps);
        ncl_tile_loops(v, shape, caps);
        ncl_tile_fetch(v, shape, p);
    } else {
        ncl_tile_defaults_gpu(v, shape, p, caps);
        v[NCL_TILE_PF] = 0;
    }
    v[NCL_TILE_WG] =
        ncl_work_group_default(&ncl_tile_tunables[NCL_TILE_WG], ncl_tile_count(v, shape), caps);
}

/* TAIL and C_TAIL, as both kernels read them. */
static inline void ncl_tile_defines(struct ncl_defines *d, const int *v,
                                    const struct ncl_tile_shape *shape, const struct ncl_problem *p)
{
    ncl_define(d, "TAIL", shape->row % v[NCL_TILE_P]);
    ncl_define(d, "C_TAIL", p->x.c / p->of.conv.groups % p->channel_block);
}

static inline void ncl_tile_geometry(const int *v, const struct ncl_tile_shape *shape,
                                     struct ncl_range *range)
{
    const size_t tiles = (size_t)ncl_tile_count(v, shape);
    const size_t loops = ncl_ceil_div(tiles, (size_t)v[NCL_TILE_PL]);

    range->local[0] = (size_t)v[NCL_TILE_WG];
    range->global[0] = ncl_round_up(loops, (size_t)v[NCL_TILE_WG]);
    range->global[1] =
        ncl_ceil_div((size_t)shape->blocks, (size_t)v[NCL_TILE_KB] * (size_t)v[NCL_TILE_KL]);
}

#endif

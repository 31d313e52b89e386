/* The host half that kernels over tiles of WG * P pixels and L channel blocks share. */
#ifndef NCL_ALGO_ELEMENTWISE_H
#define NCL_ALGO_ELEMENTWISE_H

#include "algo/values.h"
#include "base/memory.h"

enum { NCL_ELEMENTWISE_P, NCL_ELEMENTWISE_L, NCL_ELEMENTWISE_WG, NCL_ELEMENTWISE_TUNABLES };

static const struct ncl_tunable ncl_elementwise[NCL_ELEMENTWISE_TUNABLES] = {
    [NCL_ELEMENTWISE_P] = {"P", {1, 4, 16, 64, 256, 1024, 4096}, 7},
    [NCL_ELEMENTWISE_L] = {"L", {1, 2, 4, 8, 16}, 5},
    [NCL_ELEMENTWISE_WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static inline int ncl_elementwise_pixels(const struct ncl_problem *p)
{
    return p->y.n * p->y.h * p->y.w;
}

static inline bool ncl_elementwise_valid(const int *v, const struct ncl_problem *p,
                                         const struct ncl_caps *caps)
{
    const int pixels = ncl_elementwise_pixels(p);
    const int blocks = ncl_blocks(p->y.c, p->channel_block);

    return ncl_work_group_fits(caps, v[NCL_ELEMENTWISE_WG]) &&
           !ncl_value_excessive(&ncl_elementwise[NCL_ELEMENTWISE_P], v[NCL_ELEMENTWISE_P],
                                pixels) &&
           !ncl_value_excessive(&ncl_elementwise[NCL_ELEMENTWISE_L], v[NCL_ELEMENTWISE_L], blocks);
}

static inline void ncl_elementwise_defaults(int *v, const struct ncl_problem *p,
                                            const struct ncl_caps *caps)
{
    const int pixels = ncl_elementwise_pixels(p);
    const int blocks = ncl_blocks(p->y.c, p->channel_block);
    const int wanted = ncl_items_wanted(caps);
    int tiles;

    v[NCL_ELEMENTWISE_WG] =
        ncl_work_group_default(&ncl_elementwise[NCL_ELEMENTWISE_WG], pixels, caps);
    v[NCL_ELEMENTWISE_P] = v[NCL_ELEMENTWISE_L] = 1;
    if (v[NCL_ELEMENTWISE_WG] > 1)
        return;
    tiles = (int)ncl_ceil_div((size_t)wanted, (size_t)blocks);
    v[NCL_ELEMENTWISE_P] = ncl_value_at_least(&ncl_elementwise[NCL_ELEMENTWISE_P], pixels / tiles);
    v[NCL_ELEMENTWISE_L] =
        ncl_value_sharing(&ncl_elementwise[NCL_ELEMENTWISE_L], tiles * blocks, wanted);
}

static inline void ncl_elementwise_geometry(const int *v, const struct ncl_problem *p,
                                            struct ncl_range *range)
{
    const size_t local = (size_t)v[NCL_ELEMENTWISE_WG];
    const size_t pixels = (size_t)ncl_elementwise_pixels(p);
    const size_t blocks = (size_t)ncl_blocks(p->y.c, p->channel_block);

    range->local[0] = local;
    range->global[0] = ncl_ceil_div(pixels, local * (size_t)v[NCL_ELEMENTWISE_P]) * local;
    range->global[1] = ncl_ceil_div(blocks, (size_t)v[NCL_ELEMENTWISE_L]);
}

#endif

/* What the algorithms over Winograd's minimal filtering share: tiles, weights. Arithmetic:
 * cl/common/winograd.clh. m: outputs of a tile along each side. */
#ifndef NCL_ALGO_WINOGRAD_H
#define NCL_ALGO_WINOGRAD_H

#include "algo/tile.h"
#include "base/thread.h"
#include "problem/half.h"

#include <limits.h>

#define NCL_WINOGRAD_SIDE_MAX 6

static inline int ncl_winograd_side(int m)
{
    return m + 2;
}

static inline int ncl_winograd_positions(int m)
{
    return ncl_winograd_side(m) * ncl_winograd_side(m);
}

static inline int ncl_winograd_tiles_down(int m, const struct ncl_problem *p)
{
    return (int)ncl_ceil_div((size_t)p->y.h, (size_t)m);
}

static inline int ncl_winograd_tiles_across(int m, const struct ncl_problem *p)
{
    return (int)ncl_ceil_div((size_t)p->y.w, (size_t)m);
}

static inline int ncl_winograd_tile_count(int m, const struct ncl_problem *p)
{
    return p->y.n * ncl_winograd_tiles_down(m, p) * ncl_winograd_tiles_across(m, p);
}

/* Of any size: what the filtering is about. */
static inline bool ncl_winograd_suits(const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    if (p->kind != NCL_PROBLEM_CONV || !p->fast || !p->finite || p->x_order != NCL_BLOCKED ||
        p->y_order != NCL_BLOCKED || p->of.conv.groups != 1)
        return false;
    return w->kernel_h == 3 && w->kernel_w == 3 && w->stride_h == 1 && w->stride_w == 1 &&
           w->dilation_h == 1 && w->dilation_w == 1;
}

/* Blocks from one position to the next for so many at each: odd, or writes to all positions of a
 * tile would compete for few lines of the cache. */
static inline size_t ncl_winograd_stride(int channel_blocks, int tiles)
{
    return ((size_t)channel_blocks * (size_t)tiles) | 1;
}

/* A workspace that kernels can index, and that leaves memory for the tensors. */
static inline bool ncl_winograd_fits(size_t blocks, const struct ncl_problem *p,
                                     const struct ncl_caps *caps)
{
    return blocks <= INT_MAX &&
           blocks * (size_t)p->channel_block * sizeof(float) <= (size_t)caps->max_allocation / 4;
}

/* G: row i is 1, x, x^2 of the i-th point x, divided by its differences from the other points; the
 * last, of infinity, 0, 0, 1. */
static inline void ncl_winograd_g(int m, double g[][3])
{
    static const double points[2][NCL_WINOGRAD_SIDE_MAX - 1] = {{0, 1, -1},
                                                                {0, 0.625, -0.625, 1.5, -1.5}};
    const double *x = points[m == 4];
    const int count = ncl_winograd_side(m) - 1;

    for (int i = 0; i < count; i++) {
        double divisor = 1;

        for (int j = 0; j < count; j++)
            divisor *= j == i ? 1 : x[i] - x[j];
        g[i][0] = 1 / divisor;
        g[i][1] = x[i] / divisor;
        g[i][2] = x[i] * x[i] / divisor;
    }
    g[count][0] = g[count][1] = 0;
    g[count][2] = 1;
}

struct ncl_winograd_packing {
    int m;
    const struct ncl_problem *problem;
    const struct ncl_weights *weights;
    float *packed;
    double g[NCL_WINOGRAD_SIDE_MAX][3];
};

/* A weight as canonical arithmetic has it. */
static inline double ncl_winograd_tap(const struct ncl_winograd_packing *packing, const int at[4])
{
    const float weight = ncl_weight(packing->weights, at[0], at[1], at[2], at[3]);

    return (double)(packing->problem->half ? ncl_half_round(weight) : weight);
}

/* G w Gt of one channel pair, rounded once; one float for each position, `step` apart. */
static inline void ncl_winograd_weight(const struct ncl_winograd_packing *packing, int k, int c,
                                       size_t step, float *u)
{
    const double(*g)[3] = packing->g;
    const int m = packing->m;
    double half[NCL_WINOGRAD_SIDE_MAX][3];

    for (int i = 0; i < ncl_winograd_side(m); i++)
        for (int w = 0; w < 3; w++)
            half[i][w] = g[i][0] * ncl_winograd_tap(packing, (const int[]){k, c, 0, w}) +
                         g[i][1] * ncl_winograd_tap(packing, (const int[]){k, c, 1, w}) +
                         g[i][2] * ncl_winograd_tap(packing, (const int[]){k, c, 2, w});
    for (int i = 0; i < ncl_winograd_side(m); i++)
        for (int j = 0; j < ncl_winograd_side(m); j++)
            u[(size_t)(i * ncl_winograd_side(m) + j) * step] =
                (float)(half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2]);
}

static inline size_t ncl_winograd_position_floats(const struct ncl_problem *p)
{
    return (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->channel_block * (size_t)p->x.c;
}

static inline size_t ncl_winograd_packed_floats(int m, const struct ncl_problem *p)
{
    return ncl_winograd_position_floats(p) * (size_t)ncl_winograd_positions(m);
}

/* All positions of one block of output channels. */
static inline void ncl_winograd_pack_block(void *user, size_t kb)
{
    struct ncl_winograd_packing *packing = user;
    const struct ncl_problem *p = packing->problem;
    const int cb = p->channel_block;
    const size_t step = ncl_winograd_position_floats(p);
    float *u = packing->packed + kb * (size_t)cb * (size_t)p->x.c;

    for (int c = 0; c < p->x.c; c++)
        for (int lane = 0; lane < cb; lane++, u++) {
            const int k = (int)kb * cb + lane;

            if (k < p->y.c)
                ncl_winograd_weight(packing, k, c, step, u);
            for (int i = 0; k >= p->y.c && i < ncl_winograd_positions(packing->m); i++)
                u[(size_t)i * step] = 0;
        }
}

static inline void ncl_winograd_pack(int m, const struct ncl_problem *p,
                                     const struct ncl_weights *weights, float *packed)
{
    struct ncl_winograd_packing packing = {
        .m = m, .problem = p, .weights = weights, .packed = packed};

    ncl_winograd_g(m, packing.g);
    ncl_parallel_for((size_t)ncl_blocks(p->y.c, p->channel_block), ncl_winograd_pack_block,
                     &packing);
}

#endif

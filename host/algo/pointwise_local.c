/* 1x1 convolution through local memory. Kernel and layouts: cl/conv/pointwise_local.cl. */
#include "algo/lanes.h"
#include "base/thread.h"
#include <string.h>

enum { P, KB, LX, LY, DEPTH, PAD, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8}, [KB] = {"KB", {1, 2, 3, 4}, 4},
    [LX] = {"LX", {4, 8, 16, 32}, 4},         [LY] = {"LY", {2, 4, 8, 16}, 4},
    [DEPTH] = {"DEPTH", {1, 2, 4, 8}, 4},     [PAD] = {"PAD", {0, 1}, 2},
};

/* Blocks that a work-item loads, of each tensor: as far as the kernel's lists go. */
#define SHARE_MAX 16

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;

    return ncl_lanes_applicable(p, caps) && caps->local_memory_is_local && p->of.conv.groups == 1 &&
           w->kernel_h == 1 && w->kernel_w == 1 && !w->pad_top && !w->pad_left && !w->pad_bottom &&
           !w->pad_right;
}

static size_t local_bytes(const int *v, const struct ncl_problem *p)
{
    const int x = v[LX] * v[P] + v[PAD], w = p->channel_block * v[LY] * v[KB];

    return (size_t)(v[DEPTH] * (x + w) * p->channel_block) * sizeof(float);
}

/* Do all work-items load as much, and no more than the kernel can? */
static bool shares_fit(const int *v, const struct ncl_problem *p)
{
    const int x = v[DEPTH] * v[P], w = v[DEPTH] * p->channel_block * v[KB];

    return x % v[LY] == 0 && w % v[LX] == 0 && x <= SHARE_MAX * v[LY] && w <= SHARE_MAX * v[LX];
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t items = (size_t)v[LX] * (size_t)v[LY];

    return shares_fit(v, p) && v[P] * v[KB] + v[P] + v[KB] <= caps->registers &&
           local_bytes(v, p) <= caps->local_memory && items <= caps->max_work_group &&
           (size_t)v[LX] <= caps->max_work_items[0] && (size_t)v[LY] <= caps->max_work_items[1];
}

static size_t tiles_across(const int *v, const struct ncl_problem *p)
{
    return ncl_ceil_div((size_t)ncl_tile_shape(p, false).pixels, (size_t)v[LX] * (size_t)v[P]);
}

static size_t tiles_down(const int *v, const struct ncl_problem *p)
{
    return ncl_ceil_div((size_t)ncl_tile_shape(p, false).blocks, (size_t)v[LY] * (size_t)v[KB]);
}

/* Hardware threads times the instructions of a block of input channels: fmas, loads from local
 * memory, the shares of bringing it there, barriers and loop. */
static double cost(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t group = ncl_ceil_div((size_t)v[LX] * (size_t)v[LY], (size_t)caps->lanes);
    const double threads = (double)(tiles_across(v, p) * tiles_down(v, p) * group);
    const double shares = (double)v[P] / v[LY] + (double)(p->channel_block * v[KB]) / v[LX];

    return ncl_lanes_threads(threads, caps) *
           (16.0 * v[P] * v[KB] + 1.5 * (v[P] + p->channel_block * v[KB]) + 3.0 * shares +
            20.0 / v[DEPTH]);
}

/* Whole hardware threads. AMD's compiler loads far ahead: so many accumulators and blocks on their
 * way leave room for 3 threads of 64 lanes. */
static bool suits(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int most = caps->scalar_registers ? 8 : 16;
    const int shares = v[DEPTH] * v[P] / v[LY] + v[DEPTH] * p->channel_block * v[KB] / v[LX];

    return v[LX] * v[LY] % caps->lanes == 0 && v[P] * v[KB] <= most &&
           (!caps->scalar_registers || shares <= 6) && valid(v, p, caps);
}

/* The cheapest tile. False: there is none for whole hardware threads; v is a legal one. */
static bool choose(int *v, const struct ncl_problem *p, const struct ncl_caps *caps, double *least)
{
    int at[TUNABLE_COUNT] = {1, 1, 4, 2, 2, 0};

    *least = 0;
    memcpy(v, at, sizeof at);
    at[DEPTH] = 4;
    for (int i = 0; i < 8 * 4 * 3 * 4; i++) {
        at[P] = tunables[P].values[i % 8];
        at[KB] = tunables[KB].values[i / 8 % 4];
        at[LX] = tunables[LX].values[i / 32 % 3];
        at[LY] = tunables[LY].values[i / 96];
        if (!suits(at, p, caps) || (*least > 0 && cost(at, p, caps) >= *least))
            continue;
        *least = cost(at, p, caps);
        memcpy(v, at, sizeof at);
    }
    return *least > 0;
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    double least;

    choose(v, p, caps, &least);
}

/* Against pointwise_lanes (45), which knows half_math: where narrower tiles leave fewer lanes idle.
 */
static int rank_for(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = ncl_tile_shape(p, false);
    const struct ncl_lanes_tile tile = ncl_lanes_pointwise_tile(p, caps);
    int v[TUNABLE_COUNT], lanes[NCL_LANES_PARAMS];
    double least;

    if (caps->index_addressing || p->half_math || !choose(v, p, caps, &least))
        return 38;
    ncl_lanes_defaults(lanes, p, &tile, caps);
    return least < ncl_lanes_cost(lanes[NCL_LANES_P], lanes[NCL_LANES_KB], lanes[NCL_LANES_WG],
                                  &shape, &tile, caps)
               ? 46
               : 38;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "STRIDED", ncl_lanes_strided(p));
    ncl_define(d, "RAGGED", ncl_blocks(p->x.c, p->channel_block) % v[DEPTH] != 0);
    ncl_define(d, "X_EACH", v[DEPTH] * v[P] / v[LY]);
    ncl_define(d, "W_EACH", v[DEPTH] * p->channel_block * v[KB] / v[LX]);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    *range = (struct ncl_range){
        .global = {tiles_across(v, p) * (size_t)v[LX], tiles_down(v, p) * (size_t)v[LY], 1},
        .local = {(size_t)v[LX], (size_t)v[LY], 1},
    };
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, ncl_blocks(p->x.c, p->channel_block));
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->x.n * p->x.h * p->x.w);
    ncl_arg_int(args, p->y.n * p->y.h * p->y.w);
    if (ncl_lanes_strided(p))
        ncl_lanes_arg_strides(args, p);
}

/* Blocks of input channels, rounded up to whole steps. */
static size_t depth(const int *v, const struct ncl_problem *p)
{
    return ncl_round_up((size_t)ncl_blocks(p->x.c, p->channel_block), (size_t)v[DEPTH]);
}

static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    const size_t cb = (size_t)p->channel_block;

    return tiles_down(v, p) * (size_t)v[LY] * (size_t)v[KB] * depth(v, p) * cb * cb;
}

struct pack_job {
    const int *v;
    const struct ncl_problem *problem;
    const struct ncl_weights *weights;
    float *packed;
};

/* One input channel of a tile of output blocks. */
static void pack_channel(const struct pack_job *job, int first_block, int c, float *packed)
{
    const struct ncl_problem *p = job->problem;
    const int blocks = job->v[LY] * job->v[KB];

    for (int b = 0; b < blocks; b++) {
        for (int lane = 0; lane < p->channel_block; lane++) {
            const int k = (first_block + b) * p->channel_block + lane;

            *packed++ = k < p->y.c && c < p->x.c ? ncl_weight(job->weights, k, c, 0, 0) : 0.0f;
        }
    }
}

static void pack_tile(void *user, size_t index)
{
    const struct pack_job *job = user;
    const int blocks = job->v[LY] * job->v[KB], cb = job->problem->channel_block;
    const int channels = (int)depth(job->v, job->problem) * cb;
    const size_t floats = (size_t)blocks * (size_t)cb;

    for (int c = 0; c < channels; c++)
        pack_channel(job, (int)index * blocks, c,
                     job->packed + (index * (size_t)channels + (size_t)c) * floats);
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    struct pack_job job = {v, p, weights, packed};

    ncl_parallel_for(tiles_down(v, p), pack_tile, &job);
}

const struct ncl_algo ncl_algo_pointwise_local = {
    .name = "pointwise_local",
    .source = "conv/pointwise_local",
    .kernel = "ncl_pointwise_local",
    .version = 1,
    NCL_LANES_DESCRIPTOR,
    .rank = 38,
    .rank_for = rank_for,
    .packed_floats = packed_floats,
    .pack = pack,
};

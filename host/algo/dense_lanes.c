/* The dense layer on GPUs. Kernel and layouts: cl/conv/dense_lanes.cl. */
#include "algo/lanes.h"
#include "base/thread.h"

enum { P, V, INDEX, UNROLL, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    [V] = {"V", {1, 4}, 2},
    [INDEX] = {"INDEX", {0, 1}, 2},
    [UNROLL] = {"UNROLL", {1, 2, 4}, 3},
    [WG] = {"WG", {8, 16, 32, 64, 128, 256}, 6},
};

static int pixels(const struct ncl_problem *p)
{
    return p->y.n * p->y.h * p->y.w;
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;

    return ncl_lanes_applicable(p, caps) && p->of.conv.groups == 1 && w->kernel_h == 1 &&
           w->kernel_w == 1 && !ncl_lanes_strided(p) && !w->pad_top && !w->pad_left &&
           !w->pad_bottom && !w->pad_right;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return v[P] <= pixels(p) && ncl_work_group_fits(caps, v[WG]);
}

/* Work-items along channels. */
static size_t items(const int *v, const struct ncl_problem *p)
{
    return (size_t)(ncl_blocks(p->y.c, p->channel_block) * p->channel_block / v[V]);
}

/* As many lanes as there are output channels, until a device is full of them: each one's sum is as
 * long as the input, and waits for memory. */
static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const double full = 8.0 * caps->compute_units;

    v[WG] = ncl_lanes_group(&tunables[WG], caps);
    v[P] = ncl_value_at_most(&tunables[P], pixels(p));
    v[V] = 4;
    if ((double)items(v, p) / v[WG] < full)
        v[V] = 1;
    v[INDEX] = caps->index_addressing;
    v[UNROLL] = 4;
}

/* With more pixels their lanes are well used along them: pointwise_lanes (45). */
static int rank_for(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return pixels(p) <= 16 ? 47 : 37;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "BLOCKS_LEFT", ncl_blocks(p->x.c, p->channel_block) % v[UNROLL]);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    range->local[0] = (size_t)v[WG];
    range->global[0] = ncl_round_up(items(v, p), (size_t)v[WG]);
    range->global[1] = ncl_ceil_div((size_t)pixels(p), (size_t)v[P]);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, ncl_blocks(p->x.c, p->channel_block));
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, pixels(p));
}

/* A work-item of one channel reads the residuals of a whole block. */
static bool residual_may_alias(const int *v, const struct ncl_problem *p)
{
    return v[V] == p->channel_block;
}

static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    const size_t cb = (size_t)p->channel_block;

    (void)v;
    return (size_t)ncl_blocks(p->x.c, p->channel_block) * cb *
           (size_t)ncl_blocks(p->y.c, p->channel_block) * cb;
}

struct pack_job {
    const struct ncl_problem *problem;
    const struct ncl_weights *weights;
    float *packed;
};

/* One input channel. */
static void pack_row(void *user, size_t index)
{
    const struct pack_job *job = user;
    const struct ncl_problem *p = job->problem;
    const int c = (int)index, row = ncl_blocks(p->y.c, p->channel_block) * p->channel_block;

    for (int k = 0; k < row; k++)
        job->packed[index * (size_t)row + (size_t)k] =
            k < p->y.c && c < p->x.c ? ncl_weight(job->weights, k, c, 0, 0) : 0.0f;
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    struct pack_job job = {p, weights, packed};

    (void)v;
    ncl_parallel_for(ncl_round_up((size_t)p->x.c, (size_t)p->channel_block), pack_row, &job);
}

const struct ncl_algo ncl_algo_dense_lanes = {
    .name = "dense_lanes",
    .source = "conv/dense_lanes",
    .kernel = "ncl_dense_lanes",
    .version = 1,
    NCL_LANES_DESCRIPTOR,
    .rank = 37,
    .rank_for = rank_for,
    .residual_may_alias = residual_may_alias,
    .packed_floats = packed_floats,
    .pack = pack,
};

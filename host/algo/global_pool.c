/* Average over the whole map. Kernel and layouts: cl/pool/global_pool.cl. */
#include "algo/values.h"
#include "base/memory.h"
#include "problem/canonical_math.h"

enum { KB, L, WG, PARAM_COUNT };

static const struct ncl_tunable tunables[PARAM_COUNT] = {
    [KB] = {"KB", {1, 2, 4}, 3},
    [L] = {"L", {1, 2, 4, 8, 16, 32}, 6},
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_epilogue *e = &p->epilogue;
    const struct ncl_window *w = &p->of.pool.window;

    (void)caps;
    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !e->bias && !e->scale &&
           !e->residual && p->of.pool.mode == NCL_POOL_AVERAGE && w->kernel_h == p->x.h &&
           w->kernel_w == p->x.w && w->dilation_h == 1 && w->dilation_w == 1 &&
           w->pad_top + w->pad_left + w->pad_bottom + w->pad_right == 0;
}

static int maps(const struct ncl_problem *p)
{
    return ncl_blocks(p->y.c, p->channel_block) * p->y.n;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return ncl_work_group_fits(caps, v[WG]) && (v[KB] == 1 || v[KB] <= maps(p)) &&
           (v[L] == 1 || v[L] * v[KB] <= maps(p));
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    v[WG] = ncl_work_group_default(&tunables[WG], maps(p), caps);
    v[KB] = v[L] = 1;
    if (v[WG] > 1)
        return;
    v[KB] = ncl_value_at_most(&tunables[KB], maps(p));
    v[L] = ncl_value_sharing(&tunables[L], maps(p) / v[KB], ncl_items_wanted(caps));
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const size_t items = ncl_ceil_div((size_t)maps(p), (size_t)v[L] * (size_t)v[KB]);

    range->local[0] = (size_t)v[WG];
    range->global[0] = ncl_round_up(items, (size_t)v[WG]);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->y.n);
    ncl_arg_int(args, p->x.h * p->x.w);
    ncl_arg_float(args, ncl_reciprocal((float)(p->x.h * p->x.w)));
}

const struct ncl_algo ncl_algo_global_pool = {
    .name = "global_pool",
    .source = "pool/global_pool",
    .kernel = "ncl_global_pool",
    .version = 1,
    .kind = NCL_PROBLEM_POOL,
    .rank = 20,
    .half = true,
    .tunables = tunables,
    .tunable_count = PARAM_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .geometry = geometry,
    .set_args = set_args,
};

/* Maximum and average over windows. Kernel and layouts: cl/pool/pool.cl. */
#include "algo/values.h"
#include "base/memory.h"
#include "problem/canonical_math.h"

enum { P, R, WG, PARAM_COUNT };

static const struct ncl_tunable tunables[PARAM_COUNT] = {
    [P] = {"P", {1, 2, 4, 8, 16, 32, 64, 128, 256}, 9},
    [R] = {"R", {1, 2, 4, 8}, 4},
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_epilogue *e = &p->epilogue;

    (void)caps;
    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !e->bias && !e->scale &&
           !e->residual;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return ncl_work_group_fits(caps, v[WG]) && !ncl_value_excessive(&tunables[P], v[P], p->y.w) &&
           !ncl_value_excessive(&tunables[R], v[R], p->y.h);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int rows = ncl_blocks(p->y.c, p->channel_block) * p->y.n * p->y.h;

    v[WG] = ncl_work_group_default(&tunables[WG], p->y.n * p->y.h * p->y.w, caps);
    v[P] = v[R] = 1;
    if (v[WG] > 1)
        return;
    v[P] = ncl_value_at_least(&tunables[P], p->y.w);
    v[R] = ncl_value_sharing(&tunables[R], rows, ncl_items_wanted(caps));
    if (ncl_value_excessive(&tunables[R], v[R], p->y.h))
        v[R] = ncl_value_at_least(&tunables[R], p->y.h);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.pool.window;

    (void)v;
    ncl_define(d, "AVERAGE", p->of.pool.mode == NCL_POOL_AVERAGE);
    ncl_define(d, "COUNT_PADDING", p->of.pool.count_padding);
    ncl_define(d, "KH", w->kernel_h);
    ncl_define(d, "KW", w->kernel_w);
    ncl_define(d, "SH", w->stride_h);
    ncl_define(d, "SW", w->stride_w);
    ncl_define(d, "DH", w->dilation_h);
    ncl_define(d, "DW", w->dilation_w);
    ncl_define(d, "PT", w->pad_top);
    ncl_define(d, "PL", w->pad_left);
    ncl_define(d, "PB", w->pad_bottom);
    ncl_define(d, "PR", w->pad_right);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const size_t tiles = ncl_ceil_div((size_t)p->y.w, (size_t)v[P]);
    const size_t strips = ncl_ceil_div((size_t)p->y.h, (size_t)v[R]);

    range->local[0] = (size_t)v[WG];
    range->global[0] = ncl_round_up((size_t)p->y.n * strips * tiles, (size_t)v[WG]);
    range->global[1] = (size_t)ncl_blocks(p->y.c, p->channel_block);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.pool.window;

    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->y.n);
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_float(args, ncl_reciprocal((float)(w->kernel_h * w->kernel_w)));
}

const struct ncl_algo ncl_algo_pool = {
    .name = "pool",
    .source = "pool/pool",
    .kernel = "ncl_pool",
    .version = 1,
    .kind = NCL_PROBLEM_POOL,
    .rank = 10,
    .half = true,
    .tunables = tunables,
    .tunable_count = PARAM_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

/* Softmax over channels. Kernel and layouts: cl/softmax/softmax.cl. */
#include "algo/values.h"

enum { WG, PARAM_COUNT };

static const struct ncl_tunable tunables[PARAM_COUNT] = {
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_epilogue *e = &p->epilogue;

    (void)caps;
    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !e->bias && !e->scale &&
           !e->residual && e->act == NCL_ACT_NONE;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return ncl_work_group_fits(caps, v[WG]) &&
           !ncl_value_excessive(&tunables[WG], v[WG], ncl_blocks(p->x.c, p->channel_block));
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    v[WG] = ncl_work_group_default(&tunables[WG], ncl_blocks(p->x.c, p->channel_block), caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_define(d, "LOG", p->of.softmax.log);
}

static int pixels(const struct ncl_problem *p)
{
    return p->x.n * p->x.h * p->x.w;
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    range->local[0] = (size_t)v[WG];
    range->global[0] = (size_t)v[WG] * (size_t)pixels(p);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_int(args, ncl_blocks(p->x.c, p->channel_block));
    ncl_arg_int(args, pixels(p));
}

const struct ncl_algo ncl_algo_softmax = {
    .name = "softmax",
    .source = "softmax/softmax",
    .kernel = "ncl_softmax",
    .version = 1,
    .kind = NCL_PROBLEM_SOFTMAX,
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

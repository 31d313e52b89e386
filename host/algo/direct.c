/* Convolution of any shape: the fallback. Kernel and layouts: cl/conv/direct.cl. */
#include "algo/values.h"
#include "base/memory.h"

enum { WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return p->kind == NCL_PROBLEM_CONV && p->y_order == NCL_BLOCKED;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)p;
    return ncl_work_group_fits(caps, v[WG]);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    v[WG] = ncl_work_group_default(&tunables[WG], p->y.h * p->y.w, caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const int groups = p->of.conv.groups;

    (void)v;
    ncl_define(d, "SAME", groups == 1 || p->y.c / groups % p->channel_block == 0);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    *range = (struct ncl_range){
        .global = {ncl_round_up((size_t)p->y.h * (size_t)p->y.w, (size_t)v[WG]),
                   (size_t)ncl_blocks(p->y.c, p->channel_block), (size_t)p->y.n},
        .local = {(size_t)v[WG], 1, 1},
    };
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;

    (void)v;
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.c);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, p->of.conv.groups);
    ncl_arg_int(args, window->kernel_h);
    ncl_arg_int(args, window->kernel_w);
    ncl_arg_int(args, window->stride_h);
    ncl_arg_int(args, window->stride_w);
    ncl_arg_int(args, window->dilation_h);
    ncl_arg_int(args, window->dilation_w);
    ncl_arg_int(args, window->pad_top);
    ncl_arg_int(args, window->pad_left);
    ncl_arg_int(args, p->x_image);
    ncl_arg_int(args, p->y_image);
    ncl_arg_int(args, p->y_images ? p->y_images : p->y.n);
}

const struct ncl_algo ncl_algo_direct = {
    .name = "direct",
    .source = "conv/direct",
    .kernel = "ncl_direct",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 0,
    .half = true,
    .x_chunks = true,
    .y_chunks = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

/* Sum, difference, product with broadcast. Kernel and layouts: cl/eltwise/binary.cl. */
#include "algo/elementwise.h"

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_epilogue *e = &p->epilogue;
    const struct ncl_shape *z = &p->of.binary.z;

    (void)caps;
    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !e->bias && !e->scale &&
           !e->residual && (z->n == 1 || z->n == p->x.n) && (z->c == 1 || z->c == p->x.c) &&
           (z->h == 1 || z->h == p->x.h) && (z->w == 1 || z->w == p->x.w);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_shape *z = &p->of.binary.z;

    (void)v;
    ncl_define(d, "OP", (int)p->of.binary.op);
    ncl_define(d, "ZN", z->n == p->x.n);
    ncl_define(d, "ZC", z->c == p->x.c);
    ncl_define(d, "ZH", z->h == p->x.h);
    ncl_define(d, "ZW", z->w == p->x.w);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_shape *z = &p->of.binary.z;

    (void)v;
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Z);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, ncl_elementwise_pixels(p));
    ncl_arg_int(args, z->n * z->h * z->w);
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
}

const struct ncl_algo ncl_algo_binary = {
    .name = "binary",
    .source = "eltwise/binary",
    .kernel = "ncl_binary",
    .version = 1,
    .kind = NCL_PROBLEM_BINARY,
    .rank = 10,
    .half = true,
    .tunables = ncl_elementwise,
    .tunable_count = NCL_ELEMENTWISE_TUNABLES,
    .applicable = applicable,
    .valid = ncl_elementwise_valid,
    .defaults = ncl_elementwise_defaults,
    .defines = defines,
    .geometry = ncl_elementwise_geometry,
    .set_args = set_args,
};

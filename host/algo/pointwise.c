/* 1x1 convolution and the dense layer. Kernel and layouts: cl/conv/pointwise.cl. */
#include "algo/tile.h"

enum { PX = NCL_TILE_PARAMS, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    NCL_TILE_TUNABLES,
    [PX] = {"PX", {0, 1}, 2},
};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;

    (void)caps;
    return p->kind == NCL_PROBLEM_CONV && p->of.conv.groups == 1 && w->kernel_h == 1 &&
           w->kernel_w == 1 && !w->pad_top && !w->pad_left && !w->pad_bottom && !w->pad_right &&
           p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED;
}

/* Do pixels of the output lie elsewhere in the input? */
static bool is_strided(const struct ncl_problem *p)
{
    return p->of.conv.window.stride_h != 1 || p->of.conv.window.stride_w != 1;
}

static struct ncl_tile_shape shape_of(const struct ncl_problem *p)
{
    return ncl_tile_shape(p, is_strided(p));
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = shape_of(p);

    return ncl_tile_valid(v, &shape, p, caps) && (!v[PX] || ncl_caps_is_cpu_like(caps));
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_tile_shape shape = shape_of(p);

    ncl_tile_defaults(v, &shape, p, caps);
    v[PX] = ncl_caps_is_cpu_like(caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_tile_shape shape = shape_of(p);

    ncl_tile_defines(d, v, &shape, p);
    ncl_define(d, "SW", is_strided(p) ? p->of.conv.window.stride_w : 0);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const struct ncl_tile_shape shape = shape_of(p);

    ncl_tile_geometry(v, &shape, range);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, v[NCL_TILE_PL]);
    ncl_arg_int(args, v[NCL_TILE_KL]);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, p->x.n * p->x.h * p->x.w);
    ncl_arg_int(args, p->y.n * p->y.h * p->y.w);
    ncl_arg_int(args, p->y_image * p->y.h * p->y.w);
    ncl_arg_int(args, (p->y_images ? p->y_images : p->y.n) * p->y.h * p->y.w);
    if (!is_strided(p))
        return;
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, p->of.conv.window.stride_h);
}

const struct ncl_algo ncl_algo_pointwise = {
    .name = "pointwise",
    .source = "conv/pointwise",
    .kernel = "ncl_pointwise",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 40,
    .half = true,
    .y_chunks = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .arguments = 1u << NCL_TILE_PL | 1u << NCL_TILE_KL,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

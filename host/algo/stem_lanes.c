/* Convolution of few input channels on GPUs. Kernel and layouts: cl/conv/stem_lanes.cl. */
#include "algo/lanes.h"

enum { P = NCL_LANES_P, KB = NCL_LANES_KB, INDEX, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    [KB] = {"KB", {1, 2, 3, 4}, 4},
    [INDEX] = {"INDEX", {0, 1}, 2},
    [WG] = {"WG", {8, 16, 32, 64, 128, 256}, 6},
};

/* As far as the kernel's lists go, and the code stays short. */
#define CHANNELS_MAX 4
#define KERNEL_MAX 11
/* Places in x are bytes in 32 bits. */
#define FLOATS_MAX ((size_t)1 << 29)

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return p->kind == NCL_PROBLEM_CONV && p->x_order == NCL_PLAIN && p->y_order == NCL_BLOCKED &&
           p->channel_block == 4 && caps->type != NCL_DEVICE_CPU &&
           ncl_work_group_fits(caps, tunables[WG].values[0]) && p->of.conv.groups == 1 &&
           p->finite && p->x.c <= CHANNELS_MAX && p->of.conv.window.kernel_w <= KERNEL_MAX &&
           ncl_shape_elements(&p->x, p->x_order, p->channel_block) <= FLOATS_MAX;
}

/* Floats that a work-item keeps: accumulators, and a row of pixels for all of their taps. */
static int floats(const int *v, const struct ncl_problem *p)
{
    return 4 * v[P] * v[KB] + p->x.c * ncl_lanes_span(v[P], &p->of.conv.window);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return v[P] <= p->y.w && ncl_blocks(p->y.c, p->channel_block) % v[KB] == 0 &&
           floats(v, p) <= 4 * caps->registers && ncl_work_group_fits(caps, v[WG]);
}

/* Hardware threads times the instructions of a row of taps: fmas, pixels, loads of weights, the
 * ends of the row. */
static double cost(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;
    const double taps = (double)w->kernel_w * p->x.c, pixels = p->x.c * ncl_lanes_span(v[P], w);
    const double weights = caps->scalar_registers ? 0.25 : caps->index_addressing ? 2 : 1;
    const double threads = (double)ncl_ceil_div(ncl_lanes_row_tiles(v[P], p), (size_t)v[WG]) *
                           ncl_blocks(p->y.c, p->channel_block) / v[KB];

    return ncl_lanes_threads(threads, caps) *
           (4.0 * taps * v[P] * v[KB] + (caps->index_addressing ? 2.5 : 1.0) * pixels +
            weights * taps * v[KB] + 50);
}

/* AMD runs 4 threads of 64 lanes with so many floats, NVIDIA 8 warps, Intel one of 8 lanes. */
static int most(const struct ncl_caps *caps)
{
    return caps->scalar_registers ? 72 : caps->index_addressing ? 100 : 200;
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    int tile[TUNABLE_COUNT] = {0};
    double best = 0;

    v[WG] = tile[WG] = ncl_lanes_group(&tunables[WG], caps);
    v[INDEX] = caps->index_addressing;
    v[P] = v[KB] = 1;
    for (int i = tunables[P].count * tunables[KB].count - 1; i >= 0; i--) {
        tile[P] = tunables[P].values[i / tunables[KB].count];
        tile[KB] = tunables[KB].values[i % tunables[KB].count];
        if (!valid(tile, p, caps) || floats(tile, p) > most(caps))
            continue;
        if (best > 0 && cost(tile, p, caps) >= best)
            continue;
        best = cost(tile, p, caps);
        v[P] = tile[P];
        v[KB] = tile[KB];
    }
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "C", p->x.c);
    ncl_lanes_define_row(d, v[P], p);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    ncl_lanes_row_geometry(v[P], v[KB], v[WG], p, range);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const int plane = p->x.h * p->x.w;
    /* The last pixel there is: of x with INDEX, else from the last channel of the last image on. */
    const int last = p->x.n * p->x.c * plane - (v[INDEX] ? 0 : (p->x.c - 1) * plane) - 1;

    ncl_arg_convolution(args, p);
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_lanes_arg_rows(args, p);
    ncl_arg_int(args, last);
}

const struct ncl_algo ncl_algo_stem_lanes = {
    .name = "stem_lanes",
    .source = "conv/stem_lanes",
    .kernel = "ncl_stem_lanes",
    .version = 1,
    NCL_LANES_DESCRIPTOR,
    .rank = 45,
    .pack = ncl_lanes_pack,
};

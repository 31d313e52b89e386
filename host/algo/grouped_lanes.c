/* Grouped convolution of narrow groups on GPUs. Kernel and layouts: cl/conv/grouped_lanes.cl. */
#include "algo/lanes.h"

enum { P, INDEX, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    [INDEX] = {"INDEX", {0, 1}, 2},
    [WG] = {"WG", {8, 16, 32, 64, 128, 256}, 6},
};

/* As far as the kernel's list of input pixels goes. */
#define SPAN_MAX 18

/* The kernel reads pixel pad_left of every tile: it has to be one, and inside. */
static bool tile_fits(int pixels, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    return pixels <= p->y.w && ncl_lanes_span(pixels, w) <= SPAN_MAX &&
           w->pad_left < ncl_lanes_span(pixels, w) && w->pad_left < ncl_lanes_right_edge(pixels, p);
}

/* The widest tile that fits; 0: none does. */
static int widest(const struct ncl_problem *p)
{
    int pixels = tunables[P].values[tunables[P].count - 1];

    while (pixels > 0 && !tile_fits(pixels, p))
        pixels--;
    return pixels;
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int width = p->kind == NCL_PROBLEM_CONV ? p->x.c / p->of.conv.groups : 0;

    return ncl_lanes_applicable(p, caps) && p->finite && p->x.c == p->y.c &&
           (width == 1 || width == 2 || width == 4) && widest(p) > 0;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return tile_fits(v[P], p) && ncl_work_group_fits(caps, v[WG]);
}

/* Hardware threads times the instructions of a row of taps: fmas, loads, the ends of the row; too
 * few threads leave parts of the device idle. */
static double cost(int pixels, int group, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int width = p->x.c / p->of.conv.groups;
    const double threads = (double)ncl_ceil_div(ncl_lanes_row_tiles(pixels, p), (size_t)group) *
                           ncl_blocks(p->y.c, p->channel_block);
    const double enough = 2.0 * caps->compute_units;

    return (threads > enough ? threads : enough) *
           (4.0 * width * w->kernel_w * pixels + 2.0 * ncl_lanes_span(pixels, w) + 25);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    double best = 0;

    v[WG] = ncl_lanes_group(&tunables[WG], caps);
    v[INDEX] = caps->index_addressing;
    for (int pixels = widest(p); pixels > 0 && tile_fits(pixels, p); pixels--) {
        const double c = cost(pixels, v[WG], p, caps);

        if (best > 0 && c >= best)
            continue;
        best = c;
        v[P] = pixels;
    }
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    ncl_define(d, "G", p->x.c / p->of.conv.groups);
    ncl_define(d, "SPAN", ncl_lanes_span(v[P], &p->of.conv.window));
    ncl_lanes_define_row(d, v[P], p);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    ncl_lanes_row_geometry(v[P], 1, v[WG], p, range);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_arg_convolution(args, p);
    ncl_lanes_arg_rows(args, p);
}

const struct ncl_algo ncl_algo_grouped_lanes = {
    .name = "grouped_lanes",
    .source = "conv/grouped_lanes",
    .kernel = "ncl_grouped_lanes",
    .version = 1,
    NCL_LANES_DESCRIPTOR,
    .rank = 35,
};

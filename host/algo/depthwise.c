/* Depthwise convolution. Kernel and layouts: cl/conv/depthwise.cl. */
#include "algo/strip.h"

enum { P, R, L, WALK, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", NCL_STRIP_PIXELS}, [R] = {"R", {1, 2, 3, 4, 6}, 5}, [L] = {"L", NCL_STRIP_TILES},
    [WALK] = {"WALK", {0, 1}, 2},  [WG] = {"WG", NCL_STRIP_GROUPS},
};

/* As far as the kernel's lists of rows and columns go. */
#define SPAN_MAX 18
/* Of lines that the kernel's macros expand to: beyond, builds take noticeably longer. */
#define EXPANSION_MAX 1200

static int span(int tile, int stride, int kernel, int dilation)
{
    return (tile - 1) * stride + (kernel - 1) * dilation + 1;
}

static int rows(const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    return span(v[R], w->stride_h, w->kernel_h, w->dilation_h);
}

static int columns(const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    return span(v[P], w->stride_w, w->kernel_w, w->dilation_w);
}

static size_t tiles(const int *v, const struct ncl_problem *p)
{
    return ncl_ceil_div((size_t)p->y.w, (size_t)v[P]) * ncl_ceil_div((size_t)p->y.h, (size_t)v[R]);
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return p->kind == NCL_PROBLEM_CONV && p->finite && p->x_order == NCL_BLOCKED &&
           p->y_order == NCL_BLOCKED && p->of.conv.groups == p->x.c && p->x.c == p->y.c;
}

static bool walkable(const int *v, const struct ncl_problem *p)
{
    return rows(v, p) <= SPAN_MAX && columns(v, p) <= SPAN_MAX &&
           rows(v, p) * columns(v, p) * v[P] * v[R] <= EXPANSION_MAX;
}

/* Accumulators, an input pixel and a weight. One pixel in a loop over taps is always legal. */
static bool tile_fits(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int blocks = v[P] * v[R];

    if (v[WALK] ? !walkable(v, p) : v[R] > 1)
        return false;
    if (!v[WALK] && v[P] == 1)
        return true;
    return ncl_strip_suits(blocks, p, caps) &&
           (blocks + 2) * ncl_registers_per_block(caps, p->channel_block) <= caps->registers;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return tile_fits(v, p, caps) && ncl_work_group_fits(caps, v[WG]) &&
           !ncl_value_excessive(&tunables[P], v[P], p->y.w) &&
           !ncl_value_excessive(&tunables[R], v[R], p->y.h) &&
           !ncl_value_excessive(&tunables[L], v[L], (int)tiles(v, p));
}

/* Cycles of a tile on a core with two fma units and a latency of four: products, pixels read and
 * written, and what a tile costs by itself. Weights that find no register are read each time. */
static double tile_cycles(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int per_block = ncl_registers_per_block(caps, p->channel_block);
    const int taps = w->kernel_h * w->kernel_w, outputs = v[P] * v[R];
    const bool weights_stay = (outputs + taps + 2) * per_block <= caps->registers;
    const double parallel = outputs * per_block < 8 ? 8 : outputs * per_block;
    const double pixels = (double)rows(v, p) * columns(v, p) + outputs;

    return taps * parallel * (weights_stay ? 0.5 : 1) + pixels * per_block + 12;
}

/* The cheapest tile for all taps of a pixel at once; among equals the widest. False: none fits. */
static bool choose_tile(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int count = tunables[P].count * tunables[R].count;
    int chosen[2] = {1, 1};
    double best = 0;

    v[WALK] = 1;
    for (int i = count - 1; i >= 0; i--) {
        double cost;

        v[P] = tunables[P].values[i / tunables[R].count];
        v[R] = tunables[R].values[i % tunables[R].count];
        if (!tile_fits(v, p, caps) || ncl_value_excessive(&tunables[P], v[P], p->y.w) ||
            ncl_value_excessive(&tunables[R], v[R], p->y.h))
            continue;
        cost = (double)tiles(v, p) * tile_cycles(v, p, caps);
        if (best > 0 && cost >= best)
            continue;
        best = cost;
        chosen[0] = v[P], chosen[1] = v[R];
    }
    v[P] = chosen[0], v[R] = chosen[1];
    return best > 0;
}

static void defaults_cpu(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t parallel = (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->y.n;
    const size_t wanted = 2 * (size_t)ncl_items_wanted(caps);

    if (!choose_tile(v, p, caps)) {
        v[WALK] = 0;
        v[P] = ncl_value_at_most(&tunables[P], p->y.w);
        while (!tile_fits(v, p, caps))
            v[P] = ncl_value_at_most(&tunables[P], v[P] - 1);
    }
    v[L] = ncl_value_at_least(&tunables[L], (int)tiles(v, p));
    while (v[L] > 1 && ncl_ceil_div(tiles(v, p), (size_t)v[L]) * parallel < wanted)
        v[L] /= 2;
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t parallel = (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->y.n;

    if (ncl_caps_is_cpu_like(caps)) {
        defaults_cpu(v, p, caps);
    } else {
        v[P] = ncl_strip_pixels_gpu(parallel, p, caps);
        v[R] = v[L] = v[WALK] = 1;
        v[WALK] = tile_fits(v, p, caps);
    }
    v[WG] =
        ncl_work_group_default(&tunables[WG], (int)ncl_ceil_div(tiles(v, p), (size_t)v[L]), caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    ncl_define(d, "SH", w->stride_h);
    ncl_define(d, "SW", w->stride_w);
    ncl_define(d, "DW", w->dilation_w);
    if (v[WALK]) {
        ncl_define(d, "DH", w->dilation_h);
        ncl_define(d, "KH", w->kernel_h);
        ncl_define(d, "KW", w->kernel_w);
        ncl_define(d, "ROWS", rows(v, p));
        ncl_define(d, "SPAN", columns(v, p));
    }
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const size_t runs = ncl_ceil_div(tiles(v, p), (size_t)v[L]);

    *range = (struct ncl_range){
        .global = {ncl_round_up(runs, (size_t)v[WG]), (size_t)ncl_blocks(p->y.c, p->channel_block),
                   (size_t)p->y.n},
        .local = {(size_t)v[WG], 1, 1},
    };
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;

    ncl_arg_convolution(args, p);
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, w->pad_top);
    ncl_arg_int(args, w->pad_left);
    if (!v[WALK]) {
        ncl_arg_int(args, w->kernel_h);
        ncl_arg_int(args, w->kernel_w);
        ncl_arg_int(args, w->dilation_h);
    }
}

const struct ncl_algo ncl_algo_depthwise = {
    .name = "depthwise",
    .source = "conv/depthwise",
    .kernel = "ncl_depthwise",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 40,
    .half = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

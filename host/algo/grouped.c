/* Grouped convolution of narrow groups. Kernel and layouts: cl/conv/grouped.cl. */
#include "algo/strip.h"

enum { P, L, WALK, HOLD, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", NCL_STRIP_PIXELS}, [L] = {"L", NCL_STRIP_TILES},    [WALK] = {"WALK", {0, 1}, 2},
    [HOLD] = {"HOLD", {0, 1}, 2},  [WG] = {"WG", NCL_STRIP_GROUPS},
};

/* As far as the kernel's list of input pixels goes. */
#define SPAN_MAX 18

static int group_width(const struct ncl_problem *p)
{
    return p->x.c / p->of.conv.groups;
}

static int span(const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;

    return (v[P] - 1) * window->stride_w + (window->kernel_w - 1) * window->dilation_w + 1;
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    if (p->kind != NCL_PROBLEM_CONV || p->x_order != NCL_BLOCKED || p->y_order != NCL_BLOCKED)
        return false;
    return p->x.c == p->y.c && group_width(p) <= p->channel_block &&
           p->channel_block % group_width(p) == 0;
}

static bool fills_block(const struct ncl_problem *p)
{
    return group_width(p) == p->channel_block;
}

/* Accumulators, an input value and part of its spread form; in a loop over taps also half of the
 * tap's weights: the rest may stay in memory. One pixel without WALK is always legal. */
static bool tile_fits(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int weights = v[WALK] || fills_block(p) ? 0 : group_width(p) / 2;
    const int blocks = v[P] + 1 + weights;

    if ((v[WALK] && span(v, p) > SPAN_MAX) || !ncl_strip_suits(v[P], p, caps))
        return false;
    if (!v[WALK] && v[P] == 1)
        return true;
    return blocks * ncl_registers_per_block(caps, p->channel_block) + !fills_block(p) <=
           caps->registers;
}

/* Can a row's weights stay in registers beside the tile? */
static bool can_hold(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int blocks = v[P] + 2 + 3 * group_width(p);

    return v[WALK] && p->of.conv.window.kernel_w == 3 && group_width(p) <= 4 &&
           blocks * ncl_registers_per_block(caps, p->channel_block) <= caps->registers;
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return tile_fits(v, p, caps) && ncl_work_group_fits(caps, v[WG]) &&
           (!v[HOLD] || can_hold(v, p, caps)) && !ncl_value_excessive(&tunables[P], v[P], p->y.w) &&
           !ncl_value_excessive(&tunables[L], v[L], ncl_strip_tiles(v[P], p));
}

/* Time of a row in units of one pixel of an inner tile: fma latency wants 8 accumulators in flight,
 * and a tile costs something by itself. Walking spreads each input pixel, which takes as long as
 * one of its taps; else the taps of the two tiles at the edges are looked at one by one, but for
 * groups that fill their block. */
static double row_cost(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const double latency = 8.0 / ncl_registers_per_block(caps, p->channel_block);
    const double spread = v[WALK] ? (double)span(v, p) / p->of.conv.window.kernel_w : 0;
    const double edges = v[WALK] || fills_block(p) ? 0 : 1.5 * v[P];
    const double tile = v[P] + spread;

    return ncl_strip_tiles(v[P], p) * ((tile > latency ? tile : latency) + 0.5) + edges;
}

/* The cheapest tile, or P 0 if none fits; among equals the widest. */
static double choose_pixels(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    int chosen = 0;
    double best = 0;

    for (int i = tunables[P].count - 1; i >= 0; i--) {
        v[P] = tunables[P].values[i];
        if (!tile_fits(v, p, caps) || ncl_value_excessive(&tunables[P], v[P], p->y.w))
            continue;
        if (chosen && row_cost(v, p, caps) >= best)
            continue;
        chosen = v[P];
        best = row_cost(v, p, caps);
    }
    v[P] = chosen;
    return best;
}

/* Walking spreads a pixel once for all taps. A group that fills a block of one register needs no
 * spreading: broadcasts from memory are as good. */
static void defaults_cpu(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const bool one_register = ncl_registers_per_block(caps, p->channel_block) == 1;
    const size_t parallel = (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->y.n;
    double walking, rolling;

    v[WALK] = 0;
    rolling = choose_pixels(v, p, caps);
    v[P] = v[P] > 0 ? v[P] : 1; /* which always fits */
    if (!fills_block(p) || !one_register) {
        const int rolled = v[P];

        v[WALK] = 1;
        walking = choose_pixels(v, p, caps);
        if (v[P] == 0 || walking > 1.5 * rolling) {
            v[WALK] = 0;
            v[P] = rolled;
        }
    }
    v[HOLD] = can_hold(v, p, caps);
    v[L] = ncl_strip_default(&tunables[L], v[P], parallel, p, caps);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t parallel = (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->y.n;

    if (ncl_caps_is_cpu_like(caps)) {
        defaults_cpu(v, p, caps);
    } else {
        v[WALK] = v[HOLD] = 0;
        v[P] = ncl_strip_pixels_gpu(parallel, p, caps);
        v[L] = 1;
    }
    v[WG] = ncl_work_group_default(&tunables[WG], (int)ncl_strips(v[P], v[L], p), caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;

    ncl_define(d, "G", group_width(p));
    ncl_define(d, "SW", window->stride_w);
    ncl_define(d, "DW", window->dilation_w);
    ncl_define(d, "P_LESS", v[P] - 1);
    if (v[WALK]) {
        ncl_define(d, "KW", window->kernel_w);
        ncl_define(d, "SPAN", span(v, p));
    }
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    *range = (struct ncl_range){
        .global = {ncl_round_up(ncl_strips(v[P], v[L], p), (size_t)v[WG]),
                   (size_t)ncl_blocks(p->y.c, p->channel_block), (size_t)p->y.n},
        .local = {(size_t)v[WG], 1, 1},
    };
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *window = &p->of.conv.window;

    (void)v;
    ncl_arg_convolution(args, p);
    ncl_arg_int(args, p->x.h);
    ncl_arg_int(args, p->x.w);
    ncl_arg_int(args, p->y.h);
    ncl_arg_int(args, p->y.w);
    ncl_arg_int(args, window->kernel_h);
    ncl_arg_int(args, window->kernel_w);
    ncl_arg_int(args, window->stride_h);
    ncl_arg_int(args, window->dilation_h);
    ncl_arg_int(args, window->pad_top);
    ncl_arg_int(args, window->pad_left);
}

const struct ncl_algo ncl_algo_grouped = {
    .name = "grouped",
    .source = "conv/grouped",
    .kernel = "ncl_grouped",
    .version = 2,
    .kind = NCL_PROBLEM_CONV,
    .rank = 30,
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

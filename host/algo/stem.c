/* Convolution of few input channels. Kernel and layouts: cl/conv/stem.cl. */
#include "algo/strip.h"

enum { P, KB, L, WG, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [P] = {"P", NCL_STRIP_PIXELS},
    [KB] = {"KB", {1, 2, 3, 4}, 4},
    [L] = {"L", NCL_STRIP_TILES},
    [WG] = {"WG", NCL_STRIP_GROUPS},
};

/* A tap's weights and input are loaded once per channel: more channels want another kernel. */
#define CHANNELS_MAX 4

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return p->kind == NCL_PROBLEM_CONV && p->y_order == NCL_BLOCKED && p->of.conv.groups == 1 &&
           p->x.c <= CHANNELS_MAX;
}

/* Accumulators, a tap's weights and one input value fit the registers. */
static bool tile_fits(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int per_block = ncl_registers_per_block(caps, p->channel_block);

    return (v[P] + 1) * v[KB] * per_block + 1 <= caps->registers &&
           ncl_strip_suits(v[P] * v[KB], p, caps) &&
           ncl_blocks(p->y.c, p->channel_block) % v[KB] == 0 &&
           !ncl_value_excessive(&tunables[P], v[P], p->y.w);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return tile_fits(v, p, caps) && ncl_work_group_fits(caps, v[WG]) &&
           !ncl_value_excessive(&tunables[L], v[L], ncl_strip_tiles(v[P], p));
}

/* Cycles of a row per channel block and tap, on a core with two fma units of latency 4 and two
 * loads a cycle; each tile costs something by itself. */
static double row_cost(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int vectors = v[KB] * ncl_registers_per_block(caps, p->channel_block);
    const double fma = 0.5 * v[P] * vectors, loads = 0.5 * (v[P] + vectors);
    const double bound = fma > loads ? fma : loads;

    return ncl_strip_tiles(v[P], p) * ((bound > 4 ? bound : 4) + 0.25) / v[KB];
}

/* The cheapest tile; 1 x 1 always fits. */
static void choose_tile(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    int best[2] = {1, 1};
    double best_cost = 0;

    for (int i = tunables[P].count * tunables[KB].count - 1; i >= 0; i--) {
        v[P] = tunables[P].values[i / tunables[KB].count];
        v[KB] = tunables[KB].values[i % tunables[KB].count];
        if (!tile_fits(v, p, caps))
            continue;
        if (best_cost > 0 && row_cost(v, p, caps) >= best_cost)
            continue;
        best_cost = row_cost(v, p, caps);
        best[0] = v[P];
        best[1] = v[KB];
    }
    v[P] = best[0];
    v[KB] = best[1];
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int blocks = ncl_blocks(p->y.c, p->channel_block);

    if (ncl_caps_is_cpu_like(caps)) {
        choose_tile(v, p, caps);
        v[L] = ncl_strip_default(&tunables[L], v[P], (size_t)(blocks / v[KB]) * (size_t)p->y.n, p,
                                 caps);
    } else {
        v[KB] = blocks % 2 || !ncl_strip_suits(8, p, caps) ? 1 : 2;
        v[P] = ncl_strip_pixels_gpu((size_t)(blocks / v[KB]) * (size_t)p->y.n, p, caps);
        v[L] = 1;
    }
    v[WG] = ncl_work_group_default(&tunables[WG], (int)ncl_strips(v[P], v[L], p), caps);
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_define(d, "C", p->x.c);
    ncl_define(d, "SW", p->of.conv.window.stride_w);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const int blocks = ncl_blocks(p->y.c, p->channel_block);

    *range = (struct ncl_range){
        .global = {ncl_round_up(ncl_strips(v[P], v[L], p), (size_t)v[WG]), (size_t)(blocks / v[KB]),
                   (size_t)p->y.n},
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
    ncl_arg_int(args, ncl_blocks(p->y.c, p->channel_block));
    ncl_arg_int(args, window->kernel_h);
    ncl_arg_int(args, window->kernel_w);
    ncl_arg_int(args, window->stride_h);
    ncl_arg_int(args, window->dilation_h);
    ncl_arg_int(args, window->dilation_w);
    ncl_arg_int(args, window->pad_top);
    ncl_arg_int(args, window->pad_left);
    ncl_arg_int(args, p->x_image);
}

const struct ncl_algo ncl_algo_stem = {
    .name = "stem",
    .source = "conv/stem",
    .kernel = "ncl_stem",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 40,
    .half = true,
    .x_chunks = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

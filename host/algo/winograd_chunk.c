/* Winograd's 3x3 convolution in one launch. Kernel and layouts: cl/conv/winograd_chunk.cl. */
#include "algo/winograd.h"

#include <math.h>
#include <string.h>

enum { M, P, KB, PL, KL, IL, TUNABLE_COUNT };

static const struct ncl_tunable tunables[TUNABLE_COUNT] = {
    [M] = {"M", {2, 4}, 2},
    [P] = {"P", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14}, 11},
    [KB] = {"KB", {1, 2, 3, 4, 5, 6, 8}, 7},
    [PL] = {"PL", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16}, 11},
    [KL] = {"KL", {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}, 12},
    [IL] = {"IL", {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}, 10},
};

static int in_blocks(const struct ncl_problem *p)
{
    return ncl_blocks(p->x.c, p->channel_block);
}

static int out_blocks(const struct ncl_problem *p)
{
    return ncl_blocks(p->y.c, p->channel_block);
}

static size_t v_stride(const int *v, const struct ncl_problem *p)
{
    return ncl_winograd_stride(in_blocks(p), v[P] * v[PL]);
}

static size_t m_stride(const int *v, const struct ncl_problem *p)
{
    (void)p;
    return ncl_winograd_stride(v[KB] * v[KL], v[P] * v[PL]);
}

static int chunks(const int *v, const struct ncl_problem *p)
{
    return (int)ncl_ceil_div((size_t)ncl_winograd_tile_count(v[M], p),
                             (size_t)v[P] * (size_t)v[PL]);
}

static int parts(const int *v, const struct ncl_problem *p)
{
    return (int)ncl_ceil_div((size_t)out_blocks(p), (size_t)v[KB] * (size_t)v[KL]);
}

static size_t slice_blocks(const int *v, const struct ncl_problem *p)
{
    return (v_stride(v, p) + m_stride(v, p)) * (size_t)ncl_winograd_positions(v[M]);
}

static size_t workspace_blocks(const int *v, const struct ncl_problem *p)
{
    return slice_blocks(v, p) * (size_t)v[IL] * (size_t)parts(v, p);
}

/* Legal wherever anything is. */
static const int least[TUNABLE_COUNT] = {[M] = 4, [P] = 1, [KB] = 1, [PL] = 1, [KL] = 1, [IL] = 1};

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    return ncl_winograd_suits(p) && ncl_winograd_fits(workspace_blocks(least, p), p, caps);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int tiles = ncl_winograd_tile_count(v[M], p);

    if (v[P] > tiles || out_blocks(p) % v[KB] || !ncl_tile_fits(v[P], v[KB], p, caps))
        return false;
    return !ncl_value_excessive(&tunables[PL], v[PL],
                                (int)ncl_ceil_div((size_t)tiles, (size_t)v[P])) &&
           !ncl_value_excessive(&tunables[KL], v[KL], out_blocks(p) / v[KB]) &&
           !ncl_value_excessive(&tunables[IL], v[IL], chunks(v, p)) &&
           ncl_winograd_fits(workspace_blocks(v, p), p, caps);
}

/* ---- what to expect of a core with two fma units, in cycles ---- */

#define FORWARD_CYCLES 8 /* per position and vector */
#define BACK_CYCLES 6
/* Between a chunk's steps: what is a usual second-level cache. */
#define SLICE_BYTES (1 << 20)
/* Fewer tiles than the first do not pay for reading all weights: output blocks are shared out
 * instead. Up to the second, reading them once is worth more than the cache. */
#define CHUNK_TILES 12
#define CHUNK_TILES_ANYWAY 24
#define SHARED_BYTES_PER_CYCLE 8  /* of weights that other chunks read too, per core */
#define MEMORY_BYTES_PER_CYCLE 12 /* of all cores */

static int units(const struct ncl_caps *caps)
{
    return caps->compute_units < 1 ? 1 : caps->compute_units > 512 ? 512 : (int)caps->compute_units;
}

static double weight_bytes(int m, const struct ncl_problem *p)
{
    return (double)ncl_winograd_packed_floats(m, p) * sizeof(float);
}

/* One chunk of one work-item. */
static double chunk_cycles(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int per_block = ncl_registers_per_block(caps, p->channel_block);
    const double positions = ncl_winograd_positions(v[M]), tiles = v[P] * v[PL];
    const double blocks = v[KB] * v[KL];
    const double product =
        positions * p->x.c * v[KL] * v[PL] * ncl_tile_cycles(v[P], v[KB] * per_block);
    const double stream = weight_bytes(v[M], p) / parts(v, p) / SHARED_BYTES_PER_CYCLE;
    const double transforms =
        positions * tiles * per_block * (FORWARD_CYCLES * in_blocks(p) + BACK_CYCLES * blocks);

    return transforms + (product > stream ? product : stream);
}

static double total_cycles(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int count = chunks(v, p), items = count < v[IL] ? count : v[IL];
    const double rounds =
        (double)ncl_ceil_div((size_t)items * (size_t)parts(v, p), (size_t)units(caps));
    const double cycles =
        rounds * (double)ncl_ceil_div((size_t)count, (size_t)items) * chunk_cycles(v, p, caps);
    const double memory = weight_bytes(v[M], p) / MEMORY_BYTES_PER_CYCLE;

    return cycles > memory ? cycles : memory;
}

/* The same for algorithms that multiply each tap. */
static double direct_cycles(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int lanes = p->channel_block / ncl_registers_per_block(caps, p->channel_block);
    const double memory = 4.0 * 9 * p->x.c * p->y.c / MEMORY_BYTES_PER_CYCLE;
    const double cycles = ncl_problem_macs(p) / (2.0 * lanes * units(caps));

    return cycles > memory ? cycles : memory;
}

/* ---- defaults ---- */

/* How the tiles and output blocks are shared out: parts of the blocks, tiles of a chunk. */
struct share {
    int parts, tiles;
};

static struct share share_out(int m, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int tiles = ncl_winograd_tile_count(m, p), cores = units(caps);
    const double tile_bytes = 4.0 * ncl_winograd_positions(m) * (p->x.c + p->y.c);
    const int in_cache = (int)(SLICE_BYTES / tile_bytes);
    const int most = in_cache > CHUNK_TILES_ANYWAY ? in_cache : CHUNK_TILES_ANYWAY;
    struct share share = {1, 0};
    int chunks_wanted;

    while (share.parts * 2 <= out_blocks(p) && tiles * share.parts < cores * CHUNK_TILES)
        share.parts *= 2;
    chunks_wanted = (int)ncl_ceil_div((size_t)cores, (size_t)share.parts);
    if (tiles > chunks_wanted * most)
        chunks_wanted *= (int)ncl_ceil_div((size_t)tiles, (size_t)chunks_wanted * (size_t)most);
    share.tiles = (int)ncl_ceil_div((size_t)tiles, (size_t)chunks_wanted);
    return share;
}

/* The rest of a point that has M, P and KB. */
static void complete(int *v, struct share share, const struct ncl_problem *p,
                     const struct ncl_caps *caps)
{
    const size_t groups = ncl_ceil_div((size_t)out_blocks(p), (size_t)share.parts * (size_t)v[KB]);
    int count;

    v[PL] = ncl_value_at_least(&tunables[PL], (int)ncl_ceil_div((size_t)share.tiles, (size_t)v[P]));
    v[KL] = ncl_value_at_least(&tunables[KL], (int)groups);
    count = chunks(v, p);
    v[IL] = ncl_value_at_least(&tunables[IL], count < 4 * units(caps) ? count : 4 * units(caps));
}

/* Improves `best` by the cheapest point with this M; returns its cycles. */
static double choose(int m, double best, int *v, const struct ncl_problem *p,
                     const struct ncl_caps *caps)
{
    const struct share share = share_out(m, p, caps);
    int point[TUNABLE_COUNT];

    point[M] = m;
    for (int i = tunables[P].count * tunables[KB].count - 1; i >= 0; i--) {
        double cycles;

        point[P] = tunables[P].values[i / tunables[KB].count];
        point[KB] = tunables[KB].values[i % tunables[KB].count];
        complete(point, share, p, caps);
        if (!valid(point, p, caps))
            continue;
        cycles = total_cycles(point, p, caps);
        if (cycles >= best)
            continue;
        best = cycles;
        memcpy(v, point, sizeof point);
    }
    return best;
}

static double choose_best(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    memcpy(v, least, sizeof least);
    return choose(2, choose(4, INFINITY, v, p, caps), v, p, caps);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    choose_best(v, p, caps);
}

/* Transforms that are not worth their while below 32 channels, and a margin for what the estimates
 * leave out. */
static int rank_for(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    int v[TUNABLE_COUNT];

    if (!ncl_caps_is_cpu_like(caps) || p->x.c < 32 || p->y.c < 32)
        return 1;
    return choose_best(v, p, caps) < 0.9 * direct_cycles(p, caps) ? 27 : 1;
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    (void)v;
    ncl_define(d, "C_TAIL", p->x.c % p->channel_block);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    range->global[0] = (size_t)v[IL];
    range->global[1] = (size_t)parts(v, p);
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const int numbers[] = {
        p->x.c,
        p->x.h,
        p->x.w,
        out_blocks(p),
        p->y.h,
        p->y.w,
        ncl_winograd_tiles_down(v[M], p),
        ncl_winograd_tiles_across(v[M], p),
        p->x.n,
        w->pad_top,
        w->pad_left,
        (int)v_stride(v, p),
        (int)m_stride(v, p),
    };

    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_W);
    ncl_arg_buffer(args, NCL_ARG_WORKSPACE);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_epilogue(args, p);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ncl_arg_int(args, numbers[i]);
}

static size_t workspace_floats(const int *v, const struct ncl_problem *p)
{
    return workspace_blocks(v, p) * (size_t)p->channel_block;
}

static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    return ncl_winograd_packed_floats(v[M], p);
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    ncl_winograd_pack(v[M], p, weights, packed);
}

const struct ncl_algo ncl_algo_winograd_chunk = {
    .name = "winograd_chunk",
    .source = "conv/winograd_chunk",
    .kernel = "ncl_winograd_chunk",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 27,
    .rank_for = rank_for,
    .reorders = true,
    .half = true,
    .float_weights = true,
    .tunables = tunables,
    .tunable_count = TUNABLE_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
    .workspace_floats = workspace_floats,
    .packed_floats = packed_floats,
    .pack = pack,
};

/* Permute, slice, pad, reshape, concat, change of order. Kernel and layouts: cl/layout/copy.cl. */
#include "algo/values.h"
#include "base/memory.h"
#include <string.h>

enum { P, R, WG, PARAM_COUNT };

static const struct ncl_tunable tunables[PARAM_COUNT] = {
    [P] = {"P", {1, 2, 4, 8, 16, 32, 64, 128, 256}, 9},
    [R] = {"R", {1, 2, 4, 8, 16, 32, 64}, 7},
    [WG] = {"WG", {1, 8, 16, 32, 64, 128, 256}, 7},
};

/* One axis of y: its length, how x moves along it, and where x ends. */
struct axis {
    int length, begin, end; /* coordinates [begin, end) read x, the others get the fill */
    int64_t stride;         /* of x's elements; unused where x's channels run along the axis */
    bool channels;          /* x is BLOCKED and its channels run along */
};

/* The copy as the kernel sees it. Elements are floats, or blocks where whole blocks move. */
struct copy_layout {
    bool blocks, reshape;
    struct axis axes[4];
    int64_t base; /* x's element under y's coordinates 0, without the channel */
    int channel_start, channel_step;
};

static bool whole_blocks(const struct ncl_problem *p)
{
    const struct ncl_copy *copy = &p->of.copy;

    return p->x_order == NCL_BLOCKED && p->y_order == NCL_BLOCKED && !copy->reshape &&
           copy->permutation[1] == 1 && copy->step[1] == 1 && copy->start[1] >= 0 &&
           copy->start[1] % p->channel_block == 0 && copy->start[1] <= p->x.c - p->y.c;
}

/* Coordinates i in [begin, end) of y for which start + step * i is in [0, limit). */
static void set_inside(struct axis *axis, int64_t start, int64_t step, int limit)
{
    int64_t begin = 0, end = axis->length;

    if (step < 0) { /* mirrored, the same range */
        start = limit - 1 - start;
        step = -step;
    }
    if (step == 0) {
        end = start >= 0 && start < limit ? end : 0;
    } else {
        const int64_t first = start < 0 ? (-start + step - 1) / step : 0;
        const int64_t last = start < limit ? (limit - start + step - 1) / step : 0;

        begin = first < end ? first : end;
        end = last < end ? last : end;
    }
    axis->begin = (int)begin;
    axis->end = (int)end;
}

/* Elements of x from one coordinate to the next, along each of its axes. */
static void x_strides(const struct ncl_problem *p, bool blocks, int64_t strides[4])
{
    const int64_t pixels = (int64_t)p->x.h * p->x.w;
    const int element = p->x_order == NCL_PLAIN || blocks ? 1 : p->channel_block;

    strides[3] = element;
    strides[2] = (int64_t)p->x.w * element;
    if (p->x_order == NCL_PLAIN) {
        strides[1] = pixels;
        strides[0] = pixels * p->x.c;
    } else { /* from one block to the next */
        strides[0] = pixels * element;
        strides[1] = pixels * element * p->x.n;
    }
}

static void set_axes(const struct ncl_problem *p, struct copy_layout *l)
{
    const struct ncl_copy *copy = &p->of.copy;
    const int limits[4] = {p->x.n, p->x.c, p->x.h, p->x.w};
    int64_t strides[4];

    x_strides(p, l->blocks, strides);
    for (int k = 0; k < 4; ++k) {
        const int from = copy->permutation[k];
        const bool channels = from == 1 && p->x_order == NCL_BLOCKED;
        const int64_t start =
            channels && l->blocks ? copy->start[k] / p->channel_block : copy->start[k];

        set_inside(&l->axes[k], copy->start[k], copy->step[k], limits[from]);
        l->axes[k].stride = strides[from] * copy->step[k];
        l->axes[k].channels = channels && !l->blocks;
        if (l->axes[k].channels) {
            l->channel_start = copy->start[k];
            l->channel_step = copy->step[k];
        } else {
            l->base += start * strides[from];
        }
    }
}

/* Rows of one element would each be decoded: the last axis longer than 1 becomes the row. Only
 * where y is dense, so that only the order of its axes matters. */
static void lengthen_rows(struct copy_layout *l)
{
    for (int turns = 0; turns < 3 && l->axes[3].length == 1; ++turns) {
        const struct axis last = l->axes[3];

        memmove(&l->axes[1], &l->axes[0], 3 * sizeof last);
        l->axes[0] = last;
    }
}

static void set_reshape(const struct ncl_problem *p, struct copy_layout *l)
{
    for (int k = 0; k < 4; ++k)
        l->axes[k].end = l->axes[k].length;
    l->reshape = true;
    if (p->y_order == NCL_PLAIN && p->of.copy.y_channels == 0) {
        const struct axis one = {.length = 1, .end = 1};
        const int elements = p->y.n * p->y.c * p->y.h * p->y.w;

        l->axes[0] = l->axes[1] = l->axes[2] = one;
        l->axes[3] = (struct axis){.length = elements, .end = elements, .stride = 1};
        l->reshape = p->x_order == NCL_BLOCKED;
    }
}

static struct copy_layout layout_of(const struct ncl_problem *p)
{
    const int lengths[4] = {p->y.n, p->y.c, p->y.h, p->y.w};
    struct copy_layout l = {.blocks = whole_blocks(p)};

    for (int k = 0; k < 4; ++k)
        l.axes[k].length = lengths[k];
    if (p->of.copy.reshape) {
        set_reshape(p, &l);
    } else {
        set_axes(p, &l);
        l.base += (int64_t)p->x_image * p->x.c * p->x.h * p->x.w; /* of a PLAIN x */
        if (p->y_order == NCL_PLAIN && p->of.copy.y_channels == 0)
            lengthen_rows(&l);
    }
    return l;
}

static int rows_of(const struct ncl_problem *p, const struct copy_layout *l)
{
    const int channels = l->axes[1].length;

    return l->axes[0].length * l->axes[2].length *
           (p->y_order == NCL_PLAIN ? channels : ncl_blocks(channels, p->channel_block));
}

/* A part of a concat may share its last block with nobody. */
static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_epilogue *e = &p->epilogue;
    const struct ncl_copy *copy = &p->of.copy;

    (void)caps;
    if (e->bias || e->scale || e->residual || e->act != NCL_ACT_NONE)
        return false;
    if (p->x_images && (copy->reshape || p->x_order != NCL_PLAIN))
        return false;
    return copy->y_channels == 0 || p->y_order == NCL_PLAIN ||
           (copy->y_channel % p->channel_block == 0 &&
            (p->y.c % p->channel_block == 0 || copy->y_channel + p->y.c == copy->y_channels));
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct copy_layout l = layout_of(p);

    return ncl_work_group_fits(caps, v[WG]) &&
           !ncl_value_excessive(&tunables[P], v[P], l.axes[3].length) &&
           !ncl_value_excessive(&tunables[R], v[R], rows_of(p, &l));
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct copy_layout l = layout_of(p);
    const int rows = rows_of(p, &l), width = l.axes[3].length;
    const int64_t items = (int64_t)rows * width;

    v[WG] = ncl_work_group_default(&tunables[WG], items < 256 ? (int)items : 256, caps);
    v[P] = v[R] = 1;
    if (v[WG] > 1)
        return;
    v[P] = ncl_value_at_least(&tunables[P], width);
    v[R] = ncl_value_sharing(&tunables[R], rows, ncl_items_wanted(caps));
}

static void defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    const struct copy_layout l = layout_of(p);
    int channel = 0;

    (void)v;
    for (int k = 0; k < 4; ++k)
        channel = l.axes[k].channels ? k : channel;
    ncl_define(d, "BLOCKS", l.blocks);
    ncl_define(d, "CHANNEL", channel);
    ncl_define(d, "RESHAPE", l.reshape);
    ncl_define(d, "CANONICAL", p->of.copy.canonical);
}

static void geometry(const int *v, const struct ncl_problem *p, struct ncl_range *range)
{
    const struct copy_layout l = layout_of(p);
    const size_t tiles = ncl_ceil_div((size_t)l.axes[3].length, (size_t)v[P]);
    const size_t strips = ncl_ceil_div((size_t)rows_of(p, &l), (size_t)v[R]);

    range->local[0] = (size_t)v[WG];
    range->global[0] = ncl_round_up(tiles * strips, (size_t)v[WG]);
}

/* Modulo 2^32, as the kernel computes: negative strides come out right in the sum. */
static void arg_wrapped(struct ncl_args *args, int64_t value)
{
    const uint32_t low = (uint32_t)value;
    int bits;

    memcpy(&bits, &low, sizeof bits);
    ncl_arg_int(args, bits);
}

/* Where the result starts in y, and elements from one image of y to the next if y is PLAIN. */
static void arg_output(struct ncl_args *args, const struct ncl_problem *p,
                       const struct copy_layout *l)
{
    const struct ncl_copy *copy = &p->of.copy;
    const int64_t pixels = (int64_t)p->y.h * p->y.w;
    const int element = l->blocks ? 1 : p->channel_block;

    if (p->y_order == NCL_BLOCKED) {
        arg_wrapped(args, copy->y_channel / p->channel_block * pixels * p->y.n * element);
        arg_wrapped(args, 0);
    } else if (copy->y_channels) {
        arg_wrapped(args, copy->y_channel * pixels);
        arg_wrapped(args, copy->y_channels * pixels);
    } else {
        arg_wrapped(args, 0);
        arg_wrapped(args, (int64_t)l->axes[1].length * l->axes[2].length * l->axes[3].length);
    }
}

static void set_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    const struct copy_layout l = layout_of(p);
    int fill;

    (void)v;
    memcpy(&fill, &p->of.copy.fill, sizeof fill);
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_Y);
    for (int k = 0; k < 4; ++k)
        ncl_arg_int(args, l.axes[k].length);
    arg_output(args, p, &l);
    for (int k = 0; k < 4; ++k) {
        ncl_arg_int(args, l.axes[k].begin);
        ncl_arg_int(args, l.axes[k].end);
    }
    arg_wrapped(args, l.base);
    for (int k = 0; k < 4; ++k)
        arg_wrapped(args, l.axes[k].stride);
    ncl_arg_int(args, l.channel_start);
    ncl_arg_int(args, l.channel_step);
    ncl_arg_int(args, p->x.n * p->x.h * p->x.w * p->channel_block);
    ncl_arg_int(args, p->x.c);
    ncl_arg_int(args, p->x.h * p->x.w);
    ncl_arg_int(args, fill);
}

const struct ncl_algo ncl_algo_copy = {
    .name = "copy",
    .source = "layout/copy",
    .kernel = "ncl_copy",
    .version = 1,
    .kind = NCL_PROBLEM_COPY,
    .rank = 10,
    .half = true,
    .x_chunks = true,
    .tunables = tunables,
    .tunable_count = PARAM_COUNT,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .defines = defines,
    .geometry = geometry,
    .set_args = set_args,
};

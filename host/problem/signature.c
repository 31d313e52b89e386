/* Signatures: exact (floats as their bits, so the locale's decimal point cannot matter) and short.
 */
#include "problem/problem.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void add_shape(struct ncl_text *text, const char *name, const struct ncl_shape *shape)
{
    ncl_text_add(text, " %s%dx%dx%dx%d", name, shape->n, shape->c, shape->h, shape->w);
}

static void add_window(struct ncl_text *text, const struct ncl_window *w)
{
    ncl_text_add(text, " k%dx%d s%dx%d d%dx%d p%d,%d,%d,%d", w->kernel_h, w->kernel_w, w->stride_h,
                 w->stride_w, w->dilation_h, w->dilation_w, w->pad_top, w->pad_left, w->pad_bottom,
                 w->pad_right);
}

static void add_copy(struct ncl_text *text, const struct ncl_copy *copy)
{
    const int *p = copy->permutation, *start = copy->start, *step = copy->step;

    if (copy->reshape)
        ncl_text_add(text, " reshape");
    else
        ncl_text_add(text, " axes%d,%d,%d,%d from%d,%d,%d,%d step%d,%d,%d,%d fill%08" PRIx32, p[0],
                     p[1], p[2], p[3], start[0], start[1], start[2], start[3], step[0], step[1],
                     step[2], step[3], bits_of(copy->fill));
    if (copy->canonical)
        ncl_text_add(text, " canonical");
    if (copy->y_channels)
        ncl_text_add(text, " at%dof%d", copy->y_channel, copy->y_channels);
}

static void add_chunk(struct ncl_text *text, const struct ncl_problem *problem)
{
    if (problem->x_images)
        ncl_text_add(text, " xat%dof%d", problem->x_image, problem->x_images);
    if (problem->y_images)
        ncl_text_add(text, " yat%dof%d", problem->y_image, problem->y_images);
}

static void add_kind(struct ncl_text *text, const struct ncl_problem *problem)
{
    static const char *const modes[] = {"max", "average"};
    static const char *const ops[] = {"add", "subtract", "multiply"};

    switch (problem->kind) {
    case NCL_PROBLEM_CONV:
        add_window(text, &problem->of.conv.window);
        ncl_text_add(text, " g%d", problem->of.conv.groups);
        break;
    case NCL_PROBLEM_POOL:
        ncl_text_add(text, " %s", modes[problem->of.pool.mode]);
        add_window(text, &problem->of.pool.window);
        if (problem->of.pool.count_padding)
            ncl_text_add(text, " counted");
        break;
    case NCL_PROBLEM_BINARY:
        ncl_text_add(text, " %s", ops[problem->of.binary.op]);
        add_shape(text, "z", &problem->of.binary.z);
        break;
    case NCL_PROBLEM_COPY:
        add_copy(text, &problem->of.copy);
        break;
    case NCL_PROBLEM_SOFTMAX:
        ncl_text_add(text, "%s", problem->of.softmax.log ? " log" : "");
        break;
    case NCL_PROBLEM_SCALE:
    case NCL_PROBLEM_KIND_COUNT:
        break;
    }
}

static void add_epilogue(struct ncl_text *text, const struct ncl_epilogue *epilogue)
{
    static const char *const acts[NCL_ACT_COUNT] = {"",        " relu",    " clip", " leaky",
                                                    " hswish", " sigmoid", " silu"};

    ncl_text_add(text, "%s%s%s%s", epilogue->bias ? " bias" : "", epilogue->scale ? " scale" : "",
                 epilogue->residual ? " res" : "", acts[epilogue->act]);
    if (epilogue->act == NCL_ACT_CLIP)
        ncl_text_add(text, "%08" PRIx32 ",%08" PRIx32, bits_of(epilogue->a), bits_of(epilogue->b));
    if (epilogue->act == NCL_ACT_LEAKY)
        ncl_text_add(text, "%08" PRIx32, bits_of(epilogue->a));
}

void ncl_problem_signature(const struct ncl_problem *problem, struct ncl_text *text)
{
    static const char *const kinds[NCL_PROBLEM_KIND_COUNT] = {"conv",   "pool", "scale",
                                                              "binary", "copy", "softmax"};

    ncl_text_add(text, "%s", kinds[problem->kind]);
    add_shape(text, "x", &problem->x);
    add_shape(text, "y", &problem->y);
    add_chunk(text, problem);
    add_kind(text, problem);
    if (problem->kind != NCL_PROBLEM_COPY && problem->kind != NCL_PROBLEM_SOFTMAX)
        add_epilogue(text, &problem->epilogue);
    ncl_text_add(text, " cb%d%s%s%s%s%s%s", problem->channel_block,
                 problem->x_order == NCL_PLAIN ? " xplain" : "",
                 problem->y_order == NCL_PLAIN ? " yplain" : "", problem->fast ? " fast" : "",
                 problem->half ? " half" : "", problem->half_math ? " halfmath" : "",
                 problem->kind == NCL_PROBLEM_CONV && problem->finite ? " finite" : "");
}

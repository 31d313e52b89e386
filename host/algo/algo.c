#include "algo/algo.h"
#include "base/memory.h"
#include "base/thread.h"
#include "problem/half.h"

#include <stdlib.h>
#include <string.h>

/* Canonical arithmetic takes input channels in blocks of this many, whatever CB is. */
#define CANONICAL_BLOCK 16

const struct ncl_algo *ncl_algo_find(const char *name)
{
    for (size_t i = 0; i < ncl_algo_count; ++i) {
        if (strcmp(ncl_algos[i]->name, name) == 0)
            return ncl_algos[i];
    }
    return NULL;
}

bool ncl_algo_usable(const struct ncl_algo *algo, const struct ncl_problem *p,
                     const struct ncl_caps *caps)
{
    return algo->kind == p->kind && (!algo->reorders || p->fast) && (!p->half || algo->half) &&
           (!p->x_images || algo->x_chunks) && (!p->y_images || algo->y_chunks) &&
           algo->applicable(p, caps);
}

static bool is_value(const struct ncl_tunable *tunable, int value)
{
    for (int i = 0; i < tunable->count; ++i) {
        if (tunable->values[i] == value)
            return true;
    }
    return false;
}

bool ncl_algo_legal(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                    const struct ncl_caps *caps)
{
    for (int i = 0; i < algo->tunable_count; ++i) {
        if (!is_value(&algo->tunables[i], v[i]))
            return false;
    }
    return algo->valid(v, p, caps);
}

bool ncl_algo_half_math(const struct ncl_algo *algo, const struct ncl_problem *p)
{
    return p->half_math && algo->half_math && algo->half_math(p);
}

int ncl_algo_stage_count(const struct ncl_algo *algo)
{
    if (algo->host_run)
        return 0;
    return algo->stage_count ? algo->stage_count : 1;
}

struct ncl_stage ncl_algo_stage(const struct ncl_algo *algo, int index)
{
    return algo->stage_count ? algo->stages[index]
                             : (struct ncl_stage){algo->kernel, algo->geometry, algo->set_args};
}

size_t ncl_algo_workspace(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p)
{
    return algo->workspace_floats ? algo->workspace_floats(v, p) : 0;
}

void ncl_arg_epilogue(struct ncl_args *args, const struct ncl_problem *p)
{
    if (p->epilogue.bias)
        ncl_arg_buffer(args, NCL_ARG_BIAS);
    if (p->epilogue.scale) {
        ncl_arg_buffer(args, NCL_ARG_SCALE);
        ncl_arg_buffer(args, NCL_ARG_SHIFT);
    }
    if (p->epilogue.residual)
        ncl_arg_buffer(args, NCL_ARG_RESIDUAL);
}

void ncl_arg_convolution(struct ncl_args *args, const struct ncl_problem *p)
{
    ncl_arg_buffer(args, NCL_ARG_X);
    ncl_arg_buffer(args, NCL_ARG_W);
    ncl_arg_buffer(args, NCL_ARG_Y);
    ncl_arg_epilogue(args, p);
}

size_t ncl_packed_floats_canonical(const struct ncl_problem *p)
{
    const struct ncl_conv *conv = &p->of.conv;

    return (size_t)ncl_blocks(p->y.c, p->channel_block) * (size_t)p->channel_block *
           (size_t)(p->x.c / conv->groups) * (size_t)conv->window.kernel_h *
           (size_t)conv->window.kernel_w;
}

/* All lanes of one tap. */
static void pack_tap(const struct ncl_problem *p, const struct ncl_weights *weights,
                     const int tap[4], float *packed)
{
    for (int lane = 0; lane < p->channel_block; ++lane) {
        const int k = tap[0] * p->channel_block + lane;

        *packed++ = k < p->y.c ? ncl_weight(weights, k, tap[1], tap[2], tap[3]) : 0.0f;
    }
}

struct pack_job {
    const struct ncl_problem *problem;
    const struct ncl_weights *weights;
    float *packed;
    size_t block_floats; /* of one block of output channels */
    size_t together;     /* blocks of output channels that take turns, tap by tap */
};

/* One block of input channels: the window position is the slower index. Returns the place of the
 * next one. */
static float *pack_block(const struct pack_job *job, int kb, const int channels[2], float *packed)
{
    const struct ncl_window *window = &job->problem->of.conv.window;

    for (int h = 0; h < window->kernel_h; ++h) {
        for (int w = 0; w < window->kernel_w; ++w) {
            for (int c = channels[0]; c < channels[1]; ++c) {
                pack_tap(job->problem, job->weights, (const int[]){kb, c, h, w}, packed);
                packed += job->together * (size_t)job->problem->channel_block;
            }
        }
    }
    return packed;
}

static void pack_outputs(void *user, size_t index)
{
    const struct pack_job *job = user;
    const struct ncl_problem *p = job->problem;
    const int group_channels = p->x.c / p->of.conv.groups;
    const size_t turn = index % job->together;
    float *packed =
        job->packed + (index - turn) * job->block_floats + turn * (size_t)p->channel_block;

    for (int c = 0; c < group_channels; c += CANONICAL_BLOCK) {
        const int left = group_channels - c;
        const int channels[2] = {c, c + (left < CANONICAL_BLOCK ? left : CANONICAL_BLOCK)};

        packed = pack_block(job, (int)index, channels, packed);
    }
}

void ncl_pack_together(const struct ncl_problem *p, const struct ncl_weights *weights, int together,
                       float *packed)
{
    const size_t blocks = (size_t)ncl_blocks(p->y.c, p->channel_block);
    struct pack_job job = {p, weights, packed, ncl_packed_floats_canonical(p) / blocks,
                           (size_t)together};

    ncl_parallel_for(blocks, pack_outputs, &job);
}

void ncl_pack_canonical(const struct ncl_problem *p, const struct ncl_weights *weights,
                        float *packed)
{
    ncl_pack_together(p, weights, 1, packed);
}

static size_t packed_count(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p)
{
    return algo->packed_floats ? algo->packed_floats(v, p) : ncl_packed_floats_canonical(p);
}

bool ncl_algo_packs_halves(const struct ncl_algo *algo, const struct ncl_problem *p)
{
    return p->half && !algo->float_weights;
}

size_t ncl_algo_packed_bytes(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p)
{
    return packed_count(algo, v, p) *
           (ncl_algo_packs_halves(algo, p) ? sizeof(uint16_t) : sizeof(float));
}

static void pack_floats(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                        const struct ncl_weights *weights, float *packed)
{
    if (algo->pack)
        algo->pack(v, p, weights, packed);
    else
        ncl_pack_canonical(p, weights, packed);
}

bool ncl_algo_pack(const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                   const struct ncl_weights *weights, void *packed)
{
    const size_t count = packed_count(algo, v, p);
    const bool halves = ncl_algo_packs_halves(algo, p);
    float *floats = halves ? ncl_alloc_aligned(count, sizeof *floats) : packed;

    if (!floats)
        return false;
    pack_floats(algo, v, p, weights, floats);
    if (halves) {
        ncl_halves_from_floats(floats, count, packed);
        free(floats);
    }
    return true;
}

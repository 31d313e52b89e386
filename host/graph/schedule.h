/* The network as the device runs it: problems in order, over tensors of concrete shape. */
#ifndef NCL_GRAPH_SCHEDULE_H
#define NCL_GRAPH_SCHEDULE_H

#include "cl/caps.h"
#include "graph/graph.h"
#include "problem/problem.h"

/* A device tensor. */
struct ncl_slot {
    const char *name;
    struct ncl_shape shape;
    enum ncl_order order;
    int input, output; /* index among the graph's inputs or outputs, else -1 */
    int rank;          /* of the model's value */
    int64_t dims[NCL_MAX_RANK];
};

struct ncl_step {
    const char *name; /* of the graph node whose result it computes */
    const char *op;
    struct ncl_problem problem;        /* but for what ncl_schedule_set sets */
    int x, z, residual, y;             /* slots; -1: none */
    struct ncl_weights weights;        /* conv */
    float largest_weight;              /* no weight is larger, if problem.finite */
    bool weights_mapped;               /* in a file, see ncl_value */
    const float *bias, *scale, *shift; /* y.c floats each, or NULL */
};

/* Steps [0, end) run once per chunk of at most `images` images, of what the next loop, or the last
 * steps, take at once. */
struct ncl_loop {
    int end, images;
};
#define NCL_MAX_LOOPS 16

/* One run of a step: over the whole batch, or a chunk of it. */
struct ncl_part {
    int step;
    int first; /* image of the batch it begins with */
    int same;  /* the first part of this step with an equal problem, this one perhaps */
    struct ncl_problem problem;
};

/* Owns its arrays; weights point into the graph's constants: the graph must outlive it. */
struct ncl_schedule {
    struct ncl_arena arena;
    struct ncl_slot *slots;
    struct ncl_step *steps;
    int slot_count, step_count;
    bool half; /* BLOCKED slots are stored as halves */
    size_t slot_capacity, step_capacity;
    /* From ncl_schedule_chunk. Loops, innermost first: ends and images ascend. */
    struct ncl_loop loops[NCL_MAX_LOOPS];
    int loop_count;
    struct ncl_part *parts; /* in the order of execution */
    int part_count;
    size_t part_capacity;
};

/* Lowers an optimised graph. Graph inputs are PLAIN; a convolution of at most 4 channels reads them
 * as they are, everything else is converted first; rank 2 (N, F) is N x F x 1 x 1; each output ends
 * in a canonical copy to PLAIN. Operators that cannot be lowered give NCL_ERROR_INPUT with the
 * node. */
ncl_status ncl_schedule_create(const struct ncl_graph *graph, struct ncl_schedule **schedule);
void ncl_schedule_free(struct ncl_schedule *schedule);
/* What every problem shares, see struct ncl_problem. Once, before anything is planned. */
void ncl_schedule_set(struct ncl_schedule *schedule, int channel_block, bool fast, bool half);
/* After it, where math is fast and precision fp16: convolutions may sum products in halves. */
void ncl_schedule_set_half_math(struct ncl_schedule *schedule);
size_t ncl_slot_bytes(const struct ncl_schedule *schedule, int slot, int channel_block);
/* Plans the batch and lists the parts. The problems' channel_block and fast are set. Where a CPU's
 * cache holds what some images need at a time but not what the batch does, the first steps run in
 * chunks: their slots shrink to a chunk, and tensors that leave a loop are written image by image
 * into larger ones. caps NULL: whole, as on devices that want all the work-items at once. Every
 * result has the same bits either way. */
ncl_status ncl_schedule_chunk(const struct ncl_log *log, struct ncl_schedule *schedule,
                              const struct ncl_caps *caps);
/* Images that a run of the step takes at most. */
int ncl_step_images(const struct ncl_schedule *schedule, int step);
/* First and last step between which each slot must keep its memory; -1: no step uses it. What a
 * loop leaves for later steps lives from step 0 on, through all its turns. */
void ncl_schedule_lives(const struct ncl_schedule *schedule, int *first, int *last);
/* A convolution's weights were read, and are not needed until they are read again. */
void ncl_step_forget_weights(const struct ncl_step *step);

/* Where slots live. */
struct ncl_memory_plan {
    struct {
        int chunk; /* -1: not in the arena (inputs and outputs of the graph) */
        size_t offset, bytes;
        int alias; /* slot whose memory this one takes over in place, or -1 */
    } * slots;     /* schedule->slot_count; free with ncl_memory_plan_free */
    size_t chunk_bytes[8];
    int chunk_count;
    size_t total_bytes; /* sum of chunks */
};
/* First-fit by size over the live ranges of the schedule. may_alias[step]: the step's output may
 * replace its dying residual. No chunk exceeds max_chunk; NCL_ERROR_MEMORY when a slot alone does.
 */
ncl_status ncl_memory_plan_create(const struct ncl_log *log, const struct ncl_schedule *schedule,
                                  int channel_block, const bool *may_alias, size_t align,
                                  size_t max_chunk, struct ncl_memory_plan *plan);
void ncl_memory_plan_free(struct ncl_memory_plan *plan);

#endif

/* Where slots live: the largest first, each in the tightest gap that is free for as long as it
 * lives. */
#include "graph/schedule.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CHUNKS ((int)(sizeof((struct ncl_memory_plan *)0)->chunk_bytes / sizeof(size_t)))

/* Memory of one slot, or of several that take it over from each other. */
struct range {
    int slot;        /* the first of them */
    int first, last; /* steps */
    size_t bytes, offset;
    int chunk;
};

struct planner {
    const struct ncl_log *log;
    const struct ncl_schedule *schedule;
    struct ncl_memory_plan *plan;
    size_t align, max_chunk;
    struct range *ranges; /* per slot; bytes 0: not in the arena, or shares another's */
    struct range **by_size;
    struct range **placed[MAX_CHUNKS]; /* by offset */
    int placed_count[MAX_CHUNKS];
    int range_count;
};

static bool find_ranges(struct planner *p)
{
    const int count = p->schedule->slot_count;
    int *lives = ncl_alloc(2 * (size_t)count + 1, sizeof *lives);

    if (lives == NULL)
        return false;
    ncl_schedule_lives(p->schedule, lives, lives + count);
    for (int i = 0; i < count; i++)
        p->ranges[i] =
            (struct range){.slot = i, .first = lives[i], .last = lives[count + i], .chunk = -1};
    free(lives);
    return true;
}

static bool in_arena(const struct planner *p, int slot)
{
    return p->schedule->slots[slot].input < 0 && p->schedule->slots[slot].output < 0 &&
           p->ranges[slot].first >= 0;
}

static bool same_size(const struct ncl_slot *a, const struct ncl_slot *b)
{
    return a->order == b->order && memcmp(&a->shape, &b->shape, sizeof a->shape) == 0;
}

/* The residual is read for the last time, by a step that reads it nowhere else, and the result is
 * born there. */
static bool takes_over(const struct planner *p, int index)
{
    const struct ncl_step *step = &p->schedule->steps[index];
    const int from = step->residual, to = step->y;

    return from >= 0 && from != step->x && from != step->z && from != to && in_arena(p, from) &&
           in_arena(p, to) && p->ranges[from].last == index && p->ranges[to].first == index &&
           same_size(&p->schedule->slots[from], &p->schedule->slots[to]);
}

static ncl_status size_slots(struct planner *p, int channel_block)
{
    const struct ncl_schedule *s = p->schedule;

    for (int i = 0; i < s->slot_count; i++) {
        const size_t exact = ncl_slot_bytes(s, i, channel_block);
        const size_t bytes = ncl_round_up(exact, p->align);

        p->plan->slots[i].chunk = -1;
        p->plan->slots[i].alias = -1;
        p->plan->slots[i].bytes = exact;
        if (!in_arena(p, i))
            continue;
        if (bytes > p->max_chunk)
            return ncl_fail(p->log, NCL_ERROR_MEMORY,
                            "tensor '%s' takes %zu bytes, but the device allocates at most %zu at "
                            "once; use a smaller batch or image",
                            s->slots[i].name, bytes, p->max_chunk);
        p->ranges[i].bytes = bytes;
    }
    return NCL_OK;
}

/* Joins ranges along chains of residuals; by step, so a chain's head is known. */
static void join_ranges(struct planner *p, const bool *may_alias)
{
    for (int i = 0; i < p->schedule->step_count; i++) {
        const struct ncl_step *step = &p->schedule->steps[i];
        struct range *head;

        if (may_alias == NULL || !may_alias[i] || !takes_over(p, i))
            continue;
        p->plan->slots[step->y].alias = step->residual;
        head = &p->ranges[p->ranges[step->residual].slot];
        p->ranges[step->y].slot = head->slot;
        p->ranges[step->y].bytes = 0;
        if (p->ranges[step->y].last > head->last)
            head->last = p->ranges[step->y].last;
    }
}

static int larger_first(const void *a, const void *b)
{
    const struct range *x = *(struct range *const *)a, *y = *(struct range *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
                                : (x->slot > y->slot) - (x->slot < y->slot);
}

/* The tightest gap in a chunk, else the place behind what lives at the same time. false: beyond the
 * largest chunk. */
static bool find_offset(const struct planner *p, int chunk, const struct range *range,
                        size_t *offset)
{
    size_t end = 0, tightest = SIZE_MAX;

    for (int i = 0; i < p->placed_count[chunk]; i++) {
        const struct range *other = p->placed[chunk][i];

        if (other->first > range->last || other->last < range->first)
            continue;
        if (other->offset > end && other->offset - end >= range->bytes &&
            other->offset - end < tightest) {
            tightest = other->offset - end;
            *offset = end;
        }
        if (other->offset + other->bytes > end)
            end = other->offset + other->bytes;
    }
    if (tightest < SIZE_MAX)
        return true;
    *offset = end;
    return end <= p->max_chunk && range->bytes <= p->max_chunk - end;
}

static void insert(struct planner *p, int chunk, struct range *range)
{
    struct range **list = p->placed[chunk];
    int at = p->placed_count[chunk]++;

    for (; at > 0 && list[at - 1]->offset > range->offset; at--)
        list[at] = list[at - 1];
    list[at] = range;
}

/* The chunk that grows least, the first of equals. */
static ncl_status place(struct planner *p, struct range *range)
{
    struct ncl_memory_plan *plan = p->plan;
    size_t least = SIZE_MAX;

    for (int chunk = 0; chunk < MAX_CHUNKS && chunk <= plan->chunk_count; chunk++) {
        size_t offset, grown;

        if (!find_offset(p, chunk, range, &offset))
            continue;
        grown = offset + range->bytes > plan->chunk_bytes[chunk]
                    ? offset + range->bytes - plan->chunk_bytes[chunk]
                    : 0;
        if (grown >= least)
            continue;
        least = grown;
        range->chunk = chunk;
        range->offset = offset;
    }
    if (range->chunk < 0)
        return ncl_fail(p->log, NCL_ERROR_MEMORY,
                        "tensors take more than %d allocations of %zu bytes; use a smaller batch "
                        "or image",
                        MAX_CHUNKS, p->max_chunk);
    plan->chunk_bytes[range->chunk] += least;
    plan->total_bytes += least;
    plan->chunk_count += range->chunk == plan->chunk_count;
    insert(p, range->chunk, range);
    return NCL_OK;
}

static ncl_status place_all(struct planner *p)
{
    ncl_status status = NCL_OK;

    for (int i = 0; i < p->schedule->slot_count; i++)
        if (p->ranges[i].bytes > 0)
            p->by_size[p->range_count++] = &p->ranges[i];
    qsort(p->by_size, (size_t)p->range_count, sizeof *p->by_size, larger_first);
    for (int i = 0; status == NCL_OK && i < p->range_count; i++)
        status = place(p, p->by_size[i]);
    for (int i = 0; status == NCL_OK && i < p->schedule->slot_count; i++) {
        const struct range *head = &p->ranges[p->ranges[i].slot];

        if (!in_arena(p, i))
            continue;
        p->plan->slots[i].chunk = head->chunk;
        p->plan->slots[i].offset = head->offset;
    }
    return status;
}

static bool allocate(struct planner *p)
{
    const size_t slots = (size_t)p->schedule->slot_count + 1;
    bool fine;

    p->plan->slots = ncl_alloc(slots, sizeof *p->plan->slots);
    p->ranges = ncl_alloc(slots, sizeof *p->ranges);
    p->by_size = ncl_alloc(slots, sizeof(struct range *));
    fine = p->plan->slots != NULL && p->ranges != NULL && p->by_size != NULL;
    for (int i = 0; i < MAX_CHUNKS; i++) {
        p->placed[i] = ncl_alloc(slots, sizeof(struct range *));
        fine = fine && p->placed[i] != NULL;
    }
    return fine;
}

ncl_status ncl_memory_plan_create(const struct ncl_log *log, const struct ncl_schedule *schedule,
                                  int channel_block, const bool *may_alias, size_t align,
                                  size_t max_chunk, struct ncl_memory_plan *plan)
{
    struct planner p = {.log = log,
                        .schedule = schedule,
                        .plan = plan,
                        .align = align > 0 ? align : 1,
                        .max_chunk = max_chunk};
    ncl_status status = NCL_OK;

    memset(plan, 0, sizeof *plan);
    if (!allocate(&p) || !find_ranges(&p))
        status = ncl_fail_memory(log, "the memory plan");
    if (status == NCL_OK)
        status = size_slots(&p, channel_block);
    if (status == NCL_OK) {
        join_ranges(&p, may_alias);
        status = place_all(&p);
    }
    free(p.ranges);
    free(p.by_size);
    for (int i = 0; i < MAX_CHUNKS; i++)
        free(p.placed[i]);
    if (status != NCL_OK)
        ncl_memory_plan_free(plan);
    return status;
}

void ncl_memory_plan_free(struct ncl_memory_plan *plan)
{
    free(plan->slots);
    memset(plan, 0, sizeof *plan);
}

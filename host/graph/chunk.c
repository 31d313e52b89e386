/* Batches in chunks of images. Layer after layer over a whole batch, every tensor passes through
 * memory; in chunks whose tensors fit the cache, only what the last layers take does. A loop begins
 * with the first step, so that it reads nothing but the graph's inputs; where it ends, its result
 * is written into a tensor of more images. */
#include "graph/schedule.h"
#include "plan/choose.h"

#include <stdlib.h>
#include <string.h>

/* Of the cache, for the tensors that are needed at a time: weights, other programs and the way that
 * caches map addresses take the rest. */
#define CACHE_SHARE 0.5
/* Bytes of cache that a compute unit can count on at most: guests of a few cores are told the whole
 * socket's, here 480 MiB for two. With half of 128 MiB for chunks batch 64 took 5 % (ResNet-50) and
 * 6 % (ResNeXt-50) less than whole, with half of 480 MiB 1 to 2 %; chunks of 2 and 4 of batch 8
 * cost 2 to 7 % there, because nothing leaves that cache. */
#define CACHE_PER_UNIT (64 << 20)
/* Bytes of tensors that stay in the cache per byte of weights that is read once more for it. */
#define WORTH 2.0

/* A place where a loop may end, and the steps from the place before. */
struct cut {
    int end;
    int pieces;    /* of the batch */
    double needed; /* bytes per image that steps need at a time, at most */
    double moved;  /* bytes per image that steps read and write */
    double weights;
};

struct chunker {
    struct ncl_schedule *schedule;
    const struct ncl_caps *caps;
    int batch;
    int *first, *last; /* per slot, as ncl_schedule_lives */
    int *first_read;   /* -1: none */
    struct cut *cuts;
    int cut_count;
};

static void lives_of(const struct ncl_schedule *s, int *first, int *last)
{
    for (int i = 0; i < s->slot_count; i++)
        first[i] = last[i] = -1;
    for (int i = 0; i < s->step_count; i++) {
        const int slots[4] = {s->steps[i].x, s->steps[i].z, s->steps[i].residual, s->steps[i].y};

        for (int k = 0; k < 4; k++) {
            if (slots[k] < 0)
                continue;
            first[slots[k]] = first[slots[k]] < 0 ? i : first[slots[k]];
            last[slots[k]] = i;
        }
    }
}

void ncl_schedule_lives(const struct ncl_schedule *schedule, int *first, int *last)
{
    lives_of(schedule, first, last);
    for (int i = 0; i < schedule->slot_count; i++)
        for (int k = 0; k < schedule->loop_count; k++)
            if (first[i] < schedule->loops[k].end && last[i] >= schedule->loops[k].end)
                first[i] = 0;
}

int ncl_step_images(const struct ncl_schedule *schedule, int step)
{
    for (int k = 0; k < schedule->loop_count; k++)
        if (step < schedule->loops[k].end)
            return schedule->loops[k].images;
    return schedule->steps[step].problem.y.n;
}

/* ---- where loops may end ---- */

static double image_bytes(const struct chunker *c, int slot)
{
    const struct ncl_slot *s = &c->schedule->slots[slot];
    const int block = c->schedule->steps[0].problem.channel_block;

    return 4.0 * (double)ncl_shape_elements(&s->shape, s->order, block) / s->shape.n;
}

/* Does the step compute each image from the same image of what it reads? By induction from the
 * graph's inputs the first axis is the batch. */
static bool per_image(const struct chunker *c, const struct ncl_step *step)
{
    const struct ncl_problem *p = &step->problem;
    const struct ncl_copy *copy = &p->of.copy;
    const struct ncl_slot *slots = c->schedule->slots;
    const int n = c->batch;

    if (p->x.n != n || p->y.n != n || slots[step->x].shape.n != n || slots[step->y].shape.n != n)
        return false;
    if (step->z >= 0 && (p->of.binary.z.n != n || slots[step->z].shape.n != n))
        return false;
    return p->kind != NCL_PROBLEM_COPY || copy->reshape ||
           (copy->permutation[0] == 0 && copy->start[0] == 0 && copy->step[0] == 1);
}

/* Does the algorithm that would take the whole batch take a chunk as well? */
static bool keeps_algorithm(const struct chunker *c, int step, bool reads, bool leaves)
{
    struct ncl_problem p = c->schedule->steps[step].problem;
    struct ncl_choice whole, part;

    if (ncl_choose(NULL, &p, c->caps, 0, &whole) != NCL_OK)
        return false;
    p.x_images = reads ? c->batch : 0;
    p.y_images = leaves ? c->batch : 0;
    return ncl_choose(NULL, &p, c->caps, 0, &part) == NCL_OK && part.point.algo == whole.point.algo;
}

static bool is_input(const struct chunker *c, int slot)
{
    return slot >= 0 && c->schedule->slots[slot].input >= 0;
}

/* Can the step run inside a loop? */
static bool can_loop(const struct chunker *c, int index)
{
    const struct ncl_step *step = &c->schedule->steps[index];

    if (!per_image(c, step) || c->schedule->slots[step->y].output >= 0 || is_input(c, step->z) ||
        is_input(c, step->residual))
        return false;
    return !is_input(c, step->x) || (c->schedule->slots[step->x].order == NCL_PLAIN &&
                                     keeps_algorithm(c, index, true, false));
}

/* The step that writes the slot; -1: several do. */
static int writer_of(const struct chunker *c, int slot)
{
    int writer = -1;

    for (int i = c->first[slot]; i <= c->last[slot]; i++) {
        if (c->schedule->steps[i].y != slot)
            continue;
        if (writer >= 0)
            return -1;
        writer = i;
    }
    return writer;
}

/* May a loop end before step `end`? What it leaves behind has one writer and no readers inside:
 * they would have to find a chunk in a larger tensor. */
static bool can_end(const struct chunker *c, int end)
{
    for (int i = 0; i < c->schedule->slot_count; i++) {
        const struct ncl_slot *slot = &c->schedule->slots[i];
        int writer;

        if (slot->input >= 0 || c->first[i] < 0 || c->first[i] >= end || c->last[i] < end)
            continue;
        writer = writer_of(c, i);
        if (slot->order != NCL_BLOCKED || writer < 0 || c->first_read[i] < end ||
            !keeps_algorithm(c, writer, is_input(c, c->schedule->steps[writer].x), true))
            return false;
    }
    return true;
}

/* ---- what chunks are worth ---- */

static double weight_bytes(const struct ncl_problem *p)
{
    return p->kind == NCL_PROBLEM_CONV ? 4.0 * (double)ncl_packed_floats_canonical(p) : 0;
}

static void add_step(const struct chunker *c, int index, struct cut *cut)
{
    const struct ncl_step *step = &c->schedule->steps[index];
    const int slots[4] = {step->x, step->z, step->residual, step->y};
    double needed = 0;

    for (int i = 0; i < c->schedule->slot_count; i++)
        if (c->first[i] >= 0 && c->first[i] <= index && c->last[i] >= index)
            needed += image_bytes(c, i);
    for (int k = 0; k < 4; k++)
        cut->moved += slots[k] >= 0 ? image_bytes(c, slots[k]) : 0;
    cut->needed = needed > cut->needed ? needed : cut->needed;
    cut->weights += weight_bytes(&step->problem);
}

static void find_cuts(struct chunker *c)
{
    struct cut cut = {0};

    for (int i = 0; i < c->schedule->step_count && can_loop(c, i); i++) {
        add_step(c, i, &cut);
        cut.end = i + 1;
        if (cut.end == c->schedule->step_count || !can_end(c, cut.end))
            continue;
        c->cuts[c->cut_count++] = cut;
        cut = (struct cut){0};
    }
}

/* Images that the largest of so many pieces has. */
static int chunk_of(const struct chunker *c, int pieces)
{
    return (c->batch + pieces - 1) / pieces;
}

/* The fewest pieces, by halves, that fit the cache; 0: not even one image does. */
static int pieces_that_fit(const struct chunker *c, const struct cut *cut)
{
    const double most = (double)CACHE_PER_UNIT * c->caps->compute_units;
    const double told = (double)c->caps->cache_bytes;
    const double cache = CACHE_SHARE * (told < most ? told : most);

    for (int pieces = 1;; pieces *= 2) {
        if (chunk_of(c, pieces) * cut->needed <= cache)
            return pieces;
        if (chunk_of(c, pieces) == 1)
            return 0;
    }
}

/* Loops nest, so pieces may not become more with depth: earlier steps take as many as later ones
 * need. Steps that do not fit, or whose weights are too many to be read again, end it all. */
static void choose_pieces(struct chunker *c)
{
    int count = 0;

    for (; count < c->cut_count; count++) {
        struct cut *cut = &c->cuts[count];

        cut->pieces = pieces_that_fit(c, cut);
        if (!cut->pieces ||
            (cut->pieces > 1 && cut->moved * c->batch < WORTH * cut->weights * (cut->pieces - 1)))
            break;
    }
    c->cut_count = count;
    for (int i = count - 2; i >= 0; i--)
        if (c->cuts[i].pieces < c->cuts[i + 1].pieces)
            c->cuts[i].pieces = c->cuts[i + 1].pieces;
}

/* What a loop leaves must be read between two ends of loops: by chunks of one size. */
static bool leaves_to_one(const struct chunker *c, int end, int next)
{
    for (int i = 0; i < c->schedule->slot_count; i++)
        if (c->schedule->slots[i].input < 0 && c->first[i] >= 0 && c->first[i] < end &&
            c->last[i] >= next && c->first_read[i] >= end && c->first_read[i] < next)
            return false;
    return true;
}

/* From the outermost, the last, inwards. */
static void make_loops(struct chunker *c)
{
    struct ncl_schedule *s = c->schedule;
    int next = s->step_count, outer = 1;

    for (int i = c->cut_count - 1; i >= 0 && s->loop_count < NCL_MAX_LOOPS; i--) {
        const struct cut *cut = &c->cuts[i];

        if (cut->pieces == outer || !leaves_to_one(c, cut->end, next))
            continue;
        memmove(&s->loops[1], &s->loops[0], (size_t)s->loop_count++ * sizeof s->loops[0]);
        s->loops[0] = (struct ncl_loop){cut->end, chunk_of(c, cut->pieces)};
        next = cut->end;
        outer = cut->pieces;
    }
}

/* A slot holds what its first reader takes at once. */
static void shrink_slots(struct chunker *c)
{
    for (int i = 0; i < c->schedule->slot_count; i++) {
        struct ncl_slot *slot = &c->schedule->slots[i];
        const int user = c->first_read[i] >= 0 ? c->first_read[i] : c->last[i];

        if (slot->input < 0 && slot->output < 0 && user >= 0 && c->schedule->loop_count > 0 &&
            user < c->schedule->loops[c->schedule->loop_count - 1].end)
            slot->shape.n = ncl_step_images(c->schedule, user);
    }
}

static ncl_status plan_loops(struct chunker *c)
{
    struct ncl_schedule *s = c->schedule;
    const size_t slots = (size_t)s->slot_count + 1;

    c->first = ncl_alloc(slots, sizeof *c->first);
    c->last = ncl_alloc(slots, sizeof *c->last);
    c->first_read = ncl_alloc(slots, sizeof *c->first_read);
    c->cuts = ncl_alloc((size_t)s->step_count + 1, sizeof *c->cuts);
    if (!c->first || !c->last || !c->first_read || !c->cuts)
        return NCL_ERROR_MEMORY;
    lives_of(s, c->first, c->last);
    for (int i = 0; i < s->slot_count; i++)
        c->first_read[i] = -1;
    for (int i = s->step_count - 1; i >= 0; i--) {
        const int read[3] = {s->steps[i].x, s->steps[i].z, s->steps[i].residual};

        for (int k = 0; k < 3; k++)
            if (read[k] >= 0)
                c->first_read[read[k]] = i;
    }
    find_cuts(c);
    choose_pieces(c);
    make_loops(c);
    shrink_slots(c);
    return NCL_OK;
}

/* ---- the parts ---- */

/* Images [first, first + count) of the batch, that a level of the nest takes in one turn. Level
 * loop_count is the steps behind the loops. */
struct frame {
    int first, count;
};

struct lister {
    const struct ncl_log *log;
    struct ncl_schedule *schedule;
    struct frame *pool;                      /* of all frames */
    struct frame *frames[NCL_MAX_LOOPS + 1]; /* of each level, in order */
    int at[NCL_MAX_LOOPS + 1];               /* each level's turn */
    int *level_read;                         /* per slot: level of its first reader */
};

static int level_of(const struct ncl_schedule *s, int step)
{
    int level = 0;

    while (level < s->loop_count && step >= s->loops[level].end)
        level++;
    return level;
}

/* Splits each frame of the level above into equal pieces, or pieces that differ by one image, the
 * larger first. */
static void split_frames(struct lister *l, int level, int above)
{
    const int most = l->schedule->loops[level].images;
    int made = 0;

    for (int i = 0; i < above; i++) {
        const struct frame whole = l->frames[level + 1][i];
        const int pieces = (whole.count + most - 1) / most;
        int first = whole.first;

        for (int k = 0; k < pieces; k++) {
            const int count = whole.count / pieces + (k < whole.count % pieces);

            l->frames[level][made++] = (struct frame){first, count};
            first += count;
        }
    }
    l->at[level] = made; /* for the level below; reset before the turns begin */
}

static bool make_frames(struct lister *l, int batch)
{
    const int top = l->schedule->loop_count;

    l->pool = ncl_alloc((size_t)batch * (NCL_MAX_LOOPS + 1), sizeof *l->pool);
    if (!l->pool)
        return false;
    for (int level = 0; level <= NCL_MAX_LOOPS; level++)
        l->frames[level] = l->pool + (size_t)level * (size_t)batch;
    l->frames[top][0] = (struct frame){0, batch};
    l->at[top] = 1;
    for (int level = top - 1; level >= 0; level--)
        split_frames(l, level, l->at[level + 1]);
    memset(l->at, 0, sizeof l->at);
    return true;
}

/* The step's problem for one turn of its level. */
static struct ncl_problem part_problem(const struct lister *l, int index, int level)
{
    const struct ncl_schedule *s = l->schedule;
    const struct ncl_step *step = &s->steps[index];
    const struct frame own = l->frames[level][l->at[level]];
    const int into = l->level_read[step->y];
    struct ncl_problem p = step->problem;

    if (level == s->loop_count)
        return p;
    p.x.n = p.y.n = own.count;
    if (step->z >= 0)
        p.of.binary.z.n = own.count;
    if (s->slots[step->x].input >= 0) {
        p.x_image = own.first;
        p.x_images = s->slots[step->x].shape.n;
    }
    if (into > level) {
        const struct frame larger = l->frames[into][l->at[into]];

        p.y_image = own.first - larger.first;
        p.y_images = larger.count;
    }
    return p;
}

static bool same_problem(const struct ncl_problem *a, const struct ncl_problem *b)
{
    return a->y.n == b->y.n && a->x_image == b->x_image && a->y_image == b->y_image &&
           a->y_images == b->y_images;
}

static ncl_status add_part(struct lister *l, int index, int level)
{
    struct ncl_schedule *s = l->schedule;
    struct ncl_part part = {.step = index, .same = s->part_count};

    if (!ncl_grow((void **)&s->parts, &s->part_capacity, (size_t)s->part_count, sizeof part))
        return ncl_fail_memory(l->log, "the schedule");
    part.first = level < s->loop_count ? l->frames[level][l->at[level]].first : 0;
    part.problem = part_problem(l, index, level);
    for (int i = 0; i < s->part_count && part.same == s->part_count; i++)
        if (s->parts[i].step == index && same_problem(&s->parts[i].problem, &part.problem))
            part.same = i;
    s->parts[s->part_count++] = part;
    return NCL_OK;
}

static ncl_status add_steps(struct lister *l, int level)
{
    const struct ncl_schedule *s = l->schedule;
    const int end = level < s->loop_count ? s->loops[level].end : s->step_count;
    ncl_status status = NCL_OK;

    for (int i = level ? s->loops[level - 1].end : 0; status == NCL_OK && i < end; i++)
        status = add_part(l, i, level);
    return status;
}

/* A level takes its turn when the one below has done the last of its images. */
static ncl_status list_parts(struct lister *l)
{
    const int top = l->schedule->loop_count;
    ncl_status status = NCL_OK;

    while (status == NCL_OK && l->at[top] == 0) {
        const struct frame done = l->frames[0][l->at[0]];
        const int images = done.first + done.count;
        bool ready = true;

        for (int level = 0; status == NCL_OK && level <= top && ready; level++) {
            const struct frame frame = l->frames[level][l->at[level]];

            ready = frame.first + frame.count == images;
            if (!ready)
                break;
            status = add_steps(l, level);
            l->at[level]++;
        }
    }
    return status;
}

/* A slot that nobody reads: of its writer. */
static void find_readers(struct lister *l)
{
    const struct ncl_schedule *s = l->schedule;

    for (int i = s->step_count - 1; i >= 0; i--)
        l->level_read[s->steps[i].y] = level_of(s, i);
    for (int i = s->step_count - 1; i >= 0; i--) {
        const int read[3] = {s->steps[i].x, s->steps[i].z, s->steps[i].residual};

        for (int k = 0; k < 3; k++)
            if (read[k] >= 0)
                l->level_read[read[k]] = level_of(s, i);
    }
}

ncl_status ncl_schedule_chunk(const struct ncl_log *log, struct ncl_schedule *schedule,
                              const struct ncl_caps *caps)
{
    struct chunker c = {.schedule = schedule, .caps = caps};
    struct lister l = {.log = log, .schedule = schedule};
    const int batch = schedule->slot_count ? schedule->slots[0].shape.n : 1;
    ncl_status status = NCL_OK;

    c.batch = batch;
    if (caps && ncl_caps_is_cpu_like(caps) && batch > 1 && schedule->step_count > 0)
        status = plan_loops(&c);
    l.level_read = ncl_alloc((size_t)schedule->slot_count + 1, sizeof *l.level_read);
    if (status != NCL_OK || !l.level_read || !make_frames(&l, batch)) {
        status = ncl_fail_memory(log, "the schedule");
    } else {
        find_readers(&l);
        status = list_parts(&l);
    }
    free(l.pool);
    free(l.level_read);
    free(c.first);
    free(c.last);
    free(c.first_read);
    free(c.cuts);
    return status;
}

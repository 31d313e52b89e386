#include "net.h"

#include "support/algo_check.h"

/* A CPU with so much cache; synthetic, so that the plan is the same everywhere. */
static struct ncl_caps cpu(uint64_t cache)
{
    for (size_t i = 0; i < ncl_check_synthetic_count; i++) {
        struct ncl_caps caps = ncl_check_synthetic[i];

        caps.cache_bytes = cache;
        if (ncl_caps_is_cpu_like(&caps))
            return caps;
    }
    ck_abort_msg("no synthetic CPU");
}

static int conv(struct ncl_graph *graph, const char *name, int x, int outputs, int inputs, int side)
{
    return net_node(
        graph, NCL_OP_CONV, name,
        INPUTS(x, net_floats(graph, "w", -0.5f, 0.0078125f, DIMS(outputs, inputs, side, side))));
}

/* Two blocks with residuals, a pool between them, classes. The model holds the weights. */
static struct ncl_graph *blocks(int batch, struct ncl_graph **model)
{
    struct ncl_graph *graph = *model = net(), *special;
    int v = net_input(graph, "image", DIMS(batch, 3, 14, 14)), block;

    v = conv(graph, "stem", v, 16, 3, 3);
    block = v = conv(graph, "a1", v, 32, 16, 1);
    v = net_node(graph, NCL_OP_RELU, "a2r", INPUTS(conv(graph, "a2", v, 16, 32, 1)));
    v = net_node(graph, NCL_OP_ADD, "a", INPUTS(conv(graph, "a3", v, 32, 16, 1), block));
    v = net_node(graph, NCL_OP_MAX_POOL, "pool", INPUTS(v));
    net_last(graph)->as.pool.kernel = axes(DIMS(2, 2));
    net_last(graph)->as.pool.strides = axes(DIMS(2, 2));
    block = v = conv(graph, "b1", v, 16, 32, 1);
    v = net_node(graph, NCL_OP_ADD, "b", INPUTS(conv(graph, "b2", v, 16, 16, 1), block));
    v = net_node(graph, NCL_OP_GLOBAL_AVERAGE_POOL, "mean", INPUTS(v));
    v = conv(graph, "classes", v, 5, 16, 1);
    special = net_special(graph, v);
    net_optimise(special);
    return special;
}

static struct ncl_schedule *schedule_of(struct ncl_graph *special, const struct ncl_caps *caps)
{
    struct ncl_schedule *schedule;

    must(ncl_schedule_create(special, &schedule));
    for (int i = 0; i < schedule->step_count; i++)
        schedule->steps[i].problem.channel_block = 16;
    must(ncl_schedule_chunk(NULL, schedule, caps));
    return schedule;
}

static size_t image_floats(const struct ncl_shape *shape)
{
    return (size_t)shape->c * (size_t)shape->h * (size_t)shape->w;
}

/* Where each slot's floats are: in the arena, as the memory plan says, or beside it. */
static float **place_slots(const struct ncl_schedule *s, const struct ncl_memory_plan *plan,
                           float *chunks[8])
{
    float **data = calloc((size_t)s->slot_count, sizeof *data);

    for (int i = 0; i < plan->chunk_count; i++)
        chunks[i] = calloc(1, plan->chunk_bytes[i]);
    for (int i = 0; i < s->slot_count; i++) {
        const size_t count = ncl_shape_elements(&s->slots[i].shape, NCL_PLAIN, 16);

        if (plan->slots[i].chunk >= 0) {
            data[i] = chunks[plan->slots[i].chunk] + plan->slots[i].offset / sizeof(float);
            continue;
        }
        data[i] = calloc(count, sizeof(float));
        for (size_t k = 0; s->slots[i].input >= 0 && k < count; k++) /* as net_run */
            data[i][k] = (float)((k * 7 + 3) % 23) / 8.0f - 1.25f;
    }
    return data;
}

static void run_part(const struct ncl_schedule *s, const struct ncl_part *part, float **data)
{
    const struct ncl_step *step = &s->steps[part->step];
    const struct ncl_problem *p = &part->problem;
    const struct ncl_oracle_tensors tensors = {
        .x = data[step->x] + (size_t)p->x_image * image_floats(&p->x),
        .residual = step->residual >= 0 ? data[step->residual] : NULL,
        .weights = &step->weights,
        .bias = step->bias,
        .y = data[step->y] + (size_t)p->y_image * image_floats(&p->y)};

    must(ncl_oracle_run(NULL, p, &tensors));
}

/* The parts, run by the oracle over memory that slots share as planned, give the whole batch's
 * result. */
static void replay(const struct ncl_schedule *s, const float *expected, size_t count)
{
    struct ncl_memory_plan plan;
    float *chunks[8] = {0}, **data;

    must(ncl_memory_plan_create(NULL, s, 16, NULL, 128, SIZE_MAX, &plan));
    data = place_slots(s, &plan, chunks);
    for (int i = 0; i < s->part_count; i++)
        run_part(s, &s->parts[i], data);
    for (int i = 0; i < s->slot_count; i++) {
        if (s->slots[i].output == 0)
            ck_assert_mem_eq(data[i], expected, count * sizeof(float));
        if (plan.slots[i].chunk < 0)
            free(data[i]);
    }
    for (int i = 0; i < 8; i++)
        free(chunks[i]);
    free(data);
    ncl_memory_plan_free(&plan);
}

/* Every image of every step once, in order; sizes differ by one at most inside a level. */
static void check_parts(const struct ncl_schedule *s, int batch)
{
    int *done = calloc((size_t)s->step_count, sizeof *done);

    for (int i = 0; i < s->part_count; i++) {
        const struct ncl_part *part = &s->parts[i];

        ck_assert_int_eq(part->first, done[part->step]);
        ck_assert_int_le(part->problem.y.n, ncl_step_images(s, part->step));
        ck_assert_int_le(part->same, i);
        ck_assert_int_eq(s->parts[part->same].problem.y.n, part->problem.y.n);
        done[part->step] += part->problem.y.n;
    }
    for (int i = 0; i < s->step_count; i++)
        ck_assert_int_eq(done[i], batch);
    free(done);
}

START_TEST(parts_give_the_whole_result)
{
    for (int batch = 1; batch <= 17; batch++) {
        struct ncl_graph *graph, *special = blocks(batch, &graph);
        size_t count;
        float *expected = net_result(special, &count);
        int deepest = 0;

        for (uint64_t cache = 4096; cache <= 4 << 20; cache += cache / 2) {
            const struct ncl_caps caps = cpu(cache);
            struct ncl_schedule *s = schedule_of(special, &caps);

            check_parts(s, batch);
            replay(s, expected, count);
            deepest = s->loop_count > deepest ? s->loop_count : deepest;
            ncl_schedule_free(s);
        }
        ck_assert_int_ge(deepest, batch > 3 ? 2 : batch > 1);
        free(expected);
        ncl_graph_free(special);
        ncl_graph_free(graph);
    }
}
END_TEST

static void check_whole(struct ncl_graph *special, const struct ncl_caps *caps)
{
    struct ncl_schedule *s = schedule_of(special, caps);

    ck_assert_int_eq(s->loop_count, 0);
    ck_assert_int_eq(s->part_count, s->step_count);
    for (int i = 0; i < s->part_count; i++)
        ck_assert(s->parts[i].step == i && s->parts[i].same == i && s->parts[i].first == 0);
    ncl_schedule_free(s);
}

START_TEST(where_nothing_is_gained_the_batch_stays_whole)
{
    struct ncl_graph *graph, *special = blocks(8, &graph);
    struct ncl_caps caps = cpu(UINT64_MAX); /* all fits */

    check_whole(special, NULL);
    check_whole(special, &caps);
    caps = cpu(1024); /* not one image does */
    check_whole(special, &caps);
    caps = cpu(0); /* the driver does not tell */
    check_whole(special, &caps);
    caps = cpu(128 << 10);
    caps.type = NCL_DEVICE_GPU;
    check_whole(special, &caps);
    ncl_graph_free(special);
    ncl_graph_free(graph);
    special = blocks(1, &graph);
    caps = cpu(32 << 10);
    check_whole(special, &caps);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* A net whose first axis is not the batch all the way: what mixes images is outside of any loop. */
START_TEST(steps_that_mix_images_are_left_whole)
{
    struct ncl_graph *graph = net(), *special;
    const struct ncl_caps caps = cpu(64 << 10);
    struct ncl_schedule *s;
    int v = net_input(graph, "image", DIMS(8, 16, 14, 14));

    v = conv(graph, "a", v, 32, 16, 1);
    v = net_node(graph, NCL_OP_TRANSPOSE, "swap", INPUTS(v));
    net_last(graph)->as.axes.axes = axes(DIMS(1, 0, 2, 3));
    v = conv(graph, "b", v, 16, 8, 1);
    special = net_special(graph, v);
    net_optimise(special);
    s = schedule_of(special, &caps);
    for (int i = 0; i < s->loop_count; i++)
        ck_assert_int_le(s->loops[i].end, 2); /* the copy into blocks, and "a" */
    for (int i = 0; i < s->part_count; i++)
        if (s->parts[i].step >= 2)
            ck_assert_int_eq(s->parts[i].problem.y.n, s->steps[s->parts[i].step].problem.y.n);
    ncl_schedule_free(s);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, parts_give_the_whole_result);
    tcase_add_test(tcase, where_nothing_is_gained_the_batch_stays_whole);
    tcase_add_test(tcase, steps_that_mix_images_are_left_whole);
}

int main(void)
{
    return net_main("graph/chunk", add);
}

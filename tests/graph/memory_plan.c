#include "net.h"

static uint32_t state;

static int pick(int below)
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (uint32_t)below);
}

#define SLOTS 60

/* Slot 0 is the input, slot 59 the output; step i writes slot i + 1 from earlier ones. Few shapes,
 * so that residuals may be taken over. */
struct random_net {
    struct ncl_slot slots[SLOTS];
    struct ncl_step steps[SLOTS];
    struct ncl_schedule schedule;
};

static void fill(struct random_net *net)
{
    for (int i = 0; i < SLOTS; i++) {
        const int size = 1 << pick(3);

        net->slots[i] = (struct ncl_slot){.name = "t",
                                          .shape = {1, 20 * size, 2, pick(4) == 0 ? 7 : 4},
                                          .order = NCL_BLOCKED,
                                          .input = i == 0 ? 0 : -1,
                                          .output = i == SLOTS - 1 ? 0 : -1};
    }
    for (int i = 0; i < SLOTS - 1; i++) {
        struct ncl_step *step = &net->steps[i];

        *step = (struct ncl_step){.x = pick(i + 1), .z = -1, .residual = -1, .y = i + 1};
        if (pick(4) > 0)
            step->x = i;
        if (pick(3) == 0)
            step->z = pick(i + 1);
        for (int k = 0; k <= i; k++)
            if (pick(2) && memcmp(&net->slots[k].shape, &net->slots[i + 1].shape,
                                  sizeof net->slots[k].shape) == 0)
                step->residual = k;
    }
    net->schedule = (struct ncl_schedule){
        .slots = net->slots, .steps = net->steps, .slot_count = SLOTS, .step_count = SLOTS - 1};
}

static bool reads(const struct ncl_step *step, int slot)
{
    return step->x == slot || step->z == slot || step->residual == slot;
}

static bool holds(const unsigned char *bytes, size_t count, int number)
{
    size_t same = 0;

    while (same < count && bytes[same] == number)
        same++;
    return same == count;
}

/* Writes each result's number over its bytes and checks that operands still hold theirs. */
static int replay(const struct random_net *net, const struct ncl_memory_plan *plan,
                  const bool *may_alias)
{
    unsigned char *chunks[8] = {0};
    int taken_over = 0;

    for (int i = 0; i < plan->chunk_count; i++)
        chunks[i] = calloc(1, plan->chunk_bytes[i]);
    for (int i = 0; i < SLOTS - 1; i++) {
        const struct ncl_step *step = &net->steps[i];
        const int y = step->y;

        for (int slot = 1; slot < SLOTS - 1; slot++) {
            if (!reads(step, slot))
                continue;
            ck_assert(holds(chunks[plan->slots[slot].chunk] + plan->slots[slot].offset,
                            plan->slots[slot].bytes, slot));
            if (y < SLOTS - 1 && plan->slots[y].alias != slot) /* written while it is read */
                ck_assert(
                    plan->slots[y].chunk != plan->slots[slot].chunk ||
                    plan->slots[y].offset + plan->slots[y].bytes <= plan->slots[slot].offset ||
                    plan->slots[slot].offset + plan->slots[slot].bytes <= plan->slots[y].offset);
        }
        if (plan->slots[y].alias >= 0) {
            taken_over++;
            ck_assert(may_alias[i] && plan->slots[y].alias == step->residual);
            ck_assert(step->residual != step->x && step->residual != step->z);
        }
        if (y < SLOTS - 1)
            memset(chunks[plan->slots[y].chunk] + plan->slots[y].offset, y, plan->slots[y].bytes);
    }
    for (int i = 0; i < 8; i++)
        free(chunks[i]);
    return taken_over;
}

START_TEST(random_nets_share_memory_safely)
{
    struct random_net net;
    struct ncl_memory_plan plan;
    bool may_alias[SLOTS];
    size_t total = 0, sum = 0;
    int taken_over = 0;

    for (int round = 0; round < 60; round++) {
        state = (uint32_t)round;
        memset(&net, 0, sizeof net);
        fill(&net);
        for (int i = 0; i < SLOTS; i++)
            may_alias[i] = pick(3) > 0;
        must(ncl_memory_plan_create(NULL, &net.schedule, 8, may_alias, 64,
                                    round % 2 ? 20000 : SIZE_MAX / 2, &plan));
        ck_assert_int_eq(plan.slots[0].chunk, -1);
        ck_assert_int_eq(plan.slots[SLOTS - 1].chunk, -1);
        sum = 0;
        for (int i = 0; i < plan.chunk_count; i++) {
            ck_assert(plan.chunk_bytes[i] <= (round % 2 ? 20000 : SIZE_MAX / 2));
            sum += plan.chunk_bytes[i];
        }
        ck_assert_uint_eq(sum, plan.total_bytes);
        for (int i = 0; i < SLOTS; i++) {
            ck_assert_uint_eq(plan.slots[i].offset % 64, 0);
            total += plan.slots[i].bytes;
        }
        taken_over += replay(&net, &plan, may_alias);
        ck_assert(sum < total);
        ncl_memory_plan_free(&plan);
    }
    ck_assert_int_gt(taken_over, 20);
}
END_TEST

START_TEST(a_chain_takes_two_buffers)
{
    struct random_net net;
    struct ncl_memory_plan plan;

    memset(&net, 0, sizeof net);
    fill(&net);
    for (int i = 0; i < SLOTS; i++)
        net.slots[i].shape = (struct ncl_shape){1, 16, 4, 4};
    for (int i = 0; i < SLOTS - 1; i++)
        net.steps[i] = (struct ncl_step){.x = i, .z = -1, .residual = -1, .y = i + 1};
    must(ncl_memory_plan_create(NULL, &net.schedule, 16, NULL, 64, SIZE_MAX / 2, &plan));
    ck_assert_uint_eq(plan.total_bytes, 2 * 16 * 16 * 4);
    ncl_memory_plan_free(&plan);
}
END_TEST

/* BLOCKED slots shrink, those of the caller stay. */
START_TEST(halves_take_half_the_memory)
{
    struct random_net net = {0};
    struct ncl_memory_plan single, half;

    state = 7;
    fill(&net);
    net.slots[0].order = net.slots[SLOTS - 1].order = NCL_PLAIN;
    must(ncl_memory_plan_create(NULL, &net.schedule, 8, NULL, 16, SIZE_MAX / 2, &single));
    net.schedule.half = true;
    must(ncl_memory_plan_create(NULL, &net.schedule, 8, NULL, 16, SIZE_MAX / 2, &half));
    for (int i = 0; i < SLOTS; i++)
        ck_assert_uint_eq(half.slots[i].bytes * (net.slots[i].order == NCL_BLOCKED ? 2 : 1),
                          single.slots[i].bytes);
    ck_assert_uint_lt(half.total_bytes, single.total_bytes);
    ncl_memory_plan_free(&single);
    ncl_memory_plan_free(&half);
}
END_TEST

START_TEST(too_large_a_slot_is_refused)
{
    struct random_net net;
    struct ncl_memory_plan plan;

    memset(&net, 0, sizeof net);
    fill(&net);
    ck_assert_int_eq(ncl_memory_plan_create(NULL, &net.schedule, 16, NULL, 64, 100, &plan),
                     NCL_ERROR_MEMORY);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "tensor 't'"));
    ck_assert_ptr_null(plan.slots);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, random_nets_share_memory_safely);
    tcase_add_test(tcase, a_chain_takes_two_buffers);
    tcase_add_test(tcase, halves_take_half_the_memory);
    tcase_add_test(tcase, too_large_a_slot_is_refused);
}

int main(void)
{
    return net_main("memory_plan", add);
}

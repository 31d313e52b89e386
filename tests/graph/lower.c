#include "net.h"

#include <math.h>

static struct ncl_schedule *lowered(struct ncl_graph *special)
{
    struct ncl_schedule *schedule;

    net_optimise(special);
    must(ncl_schedule_create(special, &schedule));
    return schedule;
}

static void lower_must_fail(struct ncl_graph *graph, int y, const char *part)
{
    struct ncl_graph *special = net_special(graph, y);
    struct ncl_schedule *schedule;

    net_optimise(special);
    must_fail(ncl_schedule_create(special, &schedule), part);
    ck_assert_ptr_null(schedule);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}

/* stem conv + pool + mean + flatten + dense: one step each, and the output's copy. */
START_TEST(a_small_net)
{
    struct ncl_graph *graph = net(), *special;
    struct ncl_schedule *s;
    int v = net_input(graph, "image", DIMS(2, 3, 8, 8));

    v = net_node(graph, NCL_OP_CONV, "stem",
                 INPUTS(v, net_floats(graph, "w", -1, 0.01f, DIMS(20, 3, 3, 3))));
    v = net_node(graph, NCL_OP_RELU, "relu", INPUTS(net_batch_norm(graph, "bn", v, 20)));
    v = net_node(graph, NCL_OP_MAX_POOL, "pool", INPUTS(v));
    net_last(graph)->as.pool.kernel = axes(DIMS(2, 2));
    v = net_node(graph, NCL_OP_GLOBAL_AVERAGE_POOL, "mean", INPUTS(v));
    v = net_node(graph, NCL_OP_FLATTEN, "flatten", INPUTS(v));
    net_last(graph)->as.axis.axis = 1;
    v = net_node(graph, NCL_OP_GEMM, "fc",
                 INPUTS(v, net_floats(graph, "fw", 1, -0.01f, DIMS(5, 20)),
                        net_floats(graph, "fb", -0.0f, 1, DIMS(5))));
    net_last(graph)->as.gemm.trans_b = true;
    net_last(graph)->as.gemm.alpha = 0.5f;
    net_last(graph)->as.gemm.beta = 2;
    special = net_special(graph, v);
    s = lowered(special);
    ck_assert_int_eq(s->step_count, 5);
    ck_assert_int_eq(s->steps[0].problem.x_order, NCL_PLAIN);
    ck_assert_int_eq(s->steps[0].x, 0);
    ck_assert_int_eq(s->steps[0].problem.epilogue.act, NCL_ACT_RELU);
    ck_assert(s->steps[0].problem.finite && s->steps[0].weights.scale != NULL);
    ck_assert_int_eq(s->steps[2].problem.of.pool.window.kernel_h, 5);
    ck_assert_int_eq(s->steps[3].problem.x.c, 20);
    ck_assert(ncl_weight(&s->steps[3].weights, 1, 2, 0, 0) == (float)(0.5 * (double)(1 - 0.22f)));
    ck_assert(s->steps[3].bias[3] == 6 && !signbit(s->steps[3].bias[0]));
    ck_assert(s->steps[4].problem.of.copy.canonical);
    ck_assert_int_eq(s->slots[s->steps[4].y].output, 0);
    ck_assert_int_eq(s->slots[s->steps[4].y].rank, 2);
    ck_assert_int_eq(s->slots[s->steps[4].y].order, NCL_PLAIN);
    ncl_schedule_free(s);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* Element i of the net's only output; the input holds the pattern of net_run. */
static float input_at(size_t i)
{
    return (float)((i * 7 + 3) % 23) / 8.0f - 1.25f;
}

START_TEST(transpose_slice_pad)
{
    struct ncl_graph *graph = net(), *special;
    int v = net_input(graph, "x", DIMS(2, 5, 6, 3));
    size_t count;
    float *found;

    v = net_node(graph, NCL_OP_TRANSPOSE, "t", INPUTS(v));
    net_last(graph)->as.axes.axes = axes(DIMS(0, 3, 1, 2)); /* 2 3 5 6 */
    v = net_node(graph, NCL_OP_SLICE, "s",
                 INPUTS(v, net_list(graph, "from", DIMS(-1, 1)),
                        net_list(graph, "to", DIMS(-(1LL << 62), 1LL << 62)),
                        net_list(graph, "axes", DIMS(3, 2)),
                        net_list(graph, "steps", DIMS(-2, 3)))); /* 2 3 2 3 */
    v = net_node(graph, NCL_OP_PAD, "p", INPUTS(v));
    net_last(graph)->as.pad.pads = axes(DIMS(0, 0, 0, 1, 0, 0, 0, 0)); /* 2 3 2 4 */
    net_last(graph)->as.pad.value = 9;
    special = net_special(graph, v);
    ck_dims(&special->values[v], DIMS(2, 3, 2, 4));
    found = net_result(special, &count);
    for (size_t i = 0; i < count; i++) {
        const size_t w = i % 4, h = i / 4 % 2, c = i / 8 % 3, n = i / 24;

        ck_assert(found[i] ==
                  (w == 0 ? 9 : input_at(((n * 5 + 1 + 3 * h) * 6 + 5 - 2 * (w - 1)) * 3 + c)));
    }
    free(found);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* Along every axis, lined up with channel blocks or not. */
START_TEST(concatenation)
{
    const int64_t axis = _i % 4, channels = _i < 4 ? 3 : 16;
    struct ncl_graph *graph = net(), *special;
    const int64_t shape[4] = {2, channels, 3, 2};
    const int x = net_input(graph, "x", 4, shape);
    const int relu = net_node(graph, NCL_OP_RELU, "r", INPUTS(x));
    const int y = net_node(graph, NCL_OP_CONCAT, "c", INPUTS(x, relu));
    int64_t inner = 1;
    size_t count;
    float *found;

    net_last(graph)->as.axis.axis = axis;
    special = net_special(graph, y);
    found = net_result(special, &count);
    for (int64_t i = axis; i < 4; i++)
        inner *= shape[i];
    ck_assert_uint_eq(count, (size_t)(2 * 2 * channels * 3 * 2));
    for (size_t i = 0; i < count; i++) {
        const size_t block = i / (size_t)inner, at = block / 2 * (size_t)inner + i % (size_t)inner;
        const float value = input_at(at);

        ck_assert(found[i] == (block % 2 && value < 0 ? 0 : value));
    }
    free(found);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(broadcasting)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3, 2, 2));
    const int z = net_input(graph, "z", DIMS(3, 1, 1)); /* rank 3: numpy puts a 1 in front */
    const int y = net_node(graph, NCL_OP_MUL, "m", INPUTS(z, x));
    size_t count;
    float *found;

    special = net_special(graph, y);
    found = net_result(special, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert(found[i] == input_at(i) * input_at(i / 4 % 3) + 0.0f);
    free(found);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(inputs_are_converted_once)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 8, 4, 4));
    const int w = net_floats(graph, "w", 1, 1, DIMS(8, 8, 1, 1));
    struct ncl_schedule *s;

    must(ncl_graph_add_output(graph, net_node(graph, NCL_OP_CONV, "a", INPUTS(x, w))));
    must(ncl_graph_add_output(graph, net_node(graph, NCL_OP_CONV, "b", INPUTS(x, w))));
    special = net_special(graph, x);
    s = lowered(special);
    ck_assert_int_eq(s->step_count, 5);
    ck_assert_int_eq(s->steps[1].problem.x_order, NCL_BLOCKED);
    ck_assert_int_eq(s->steps[1].x, s->steps[2].x);
    ncl_schedule_free(s);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(what_cannot_be_lowered_is_named)
{
    struct ncl_graph *graph = net();
    int x = net_input(graph, "x", DIMS(1, 2, 2, 2, 2)), y;

    lower_must_fail(graph, net_node(graph, NCL_OP_RELU, "deep", INPUTS(x)), "rank 5");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 2, 2));
    y = net_node(graph, NCL_OP_SOFTMAX, "soft", INPUTS(x));
    net_last(graph)->as.axis.axis = -1;
    lower_must_fail(graph, y, "node 'soft' (Softmax)");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 2, 2));
    y = net_node(graph, NCL_OP_ADD, "sum",
                 INPUTS(x, net_floats(graph, "map", 0, 1, DIMS(1, 1, 2, 2))));
    lower_must_fail(graph, y, "node 'sum' (Add): operand 'map'");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 60000, 60000));
    lower_must_fail(graph, net_node(graph, NCL_OP_RELU, "vast", INPUTS(x)), "too large");
}
END_TEST

START_TEST(infinite_weights_are_noticed)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 8, 4, 4));
    const int w = net_floats(graph, "w", 1, INFINITY, DIMS(8, 8, 1, 1));
    struct ncl_schedule *s;

    special = net_special(graph, net_node(graph, NCL_OP_CONV, "a", INPUTS(x, w)));
    s = lowered(special);
    ck_assert(!s->steps[1].problem.finite);
    ncl_schedule_free(s);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(weights_too_large_for_halves_are_noticed)
{
    const float largest[3] = {65519.0f, -65520.0f, 32760.0f};
    const double scale[8] = {1, 1, 1, -2, 1, 1, 1, 1};

    for (int i = 0; i < 3; i++) {
        struct ncl_graph *graph = net(), *special;
        const int x = net_input(graph, "x", DIMS(1, 8, 4, 4));
        const int w = net_floats(graph, "w", largest[i], 0, DIMS(8, 8, 1, 1));
        struct ncl_schedule *s;

        special = net_special(graph, net_node(graph, NCL_OP_CONV, "a", INPUTS(x, w)));
        if (i == 2)
            special->nodes[0].as.conv.scale = scale;
        s = lowered(special);
        ncl_schedule_set(s, 4, false, false);
        ck_assert(s->steps[1].problem.finite);
        ncl_schedule_set(s, 4, false, true);
        ck_assert(s->half && s->steps[1].problem.half && s->steps[1].problem.channel_block == 4);
        ck_assert(s->steps[1].problem.finite == (i == 0));
        ck_assert(!s->steps[1].problem.half_math);
        ncl_schedule_set_half_math(s);
        ck_assert(s->steps[1].problem.half_math && !s->steps[0].problem.half_math);
        ncl_schedule_free(s);
        ncl_graph_free(special);
        ncl_graph_free(graph);
    }
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_small_net);
    tcase_add_test(tcase, transpose_slice_pad);
    tcase_add_loop_test(tcase, concatenation, 0, 8);
    tcase_add_test(tcase, broadcasting);
    tcase_add_test(tcase, inputs_are_converted_once);
    tcase_add_test(tcase, what_cannot_be_lowered_is_named);
    tcase_add_test(tcase, infinite_weights_are_noticed);
    tcase_add_test(tcase, weights_too_large_for_halves_are_noticed);
}

int main(void)
{
    return net_main("lower", add);
}

#include "net.h"

static int conv(struct ncl_graph *graph, const char *name, int x)
{
    const int w = net_floats(graph, "w", -0.5f, 0.0625f, DIMS(4, 4, 1, 1));

    return net_node(graph, NCL_OP_CONV, name, INPUTS(x, w));
}

static struct ncl_graph *fused(struct ncl_graph *graph, int y)
{
    struct ncl_graph *special = net_special(graph, y), *plain = net_special(graph, y);
    size_t count;
    float *before = net_result(plain, &count), *after;

    net_optimise(special);
    after = net_result(special, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(before[i] == after[i], "element %zu is %g, expected %g", i, (double)after[i],
                      (double)before[i]);
    free(before);
    free(after);
    ncl_graph_free(plain);
    ncl_graph_free(graph);
    return special;
}

START_TEST(conv_add_relu)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int c = conv(graph, "c", x);
    const int sum = net_node(graph, NCL_OP_ADD, "sum", INPUTS(_i ? x : c, _i ? c : x));

    special = fused(graph, net_node(graph, NCL_OP_RELU, "relu", INPUTS(sum)));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_CONV);
    ck_assert_int_eq(special->nodes[0].inputs[3], special->inputs[0]);
    ck_assert_int_eq(special->nodes[0].act.act, NCL_ACT_RELU);
    ncl_graph_free(special);
}
END_TEST

START_TEST(the_later_conv_adds)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int first = conv(graph, "first", x), second = conv(graph, "second", x);
    const int sum =
        net_node(graph, NCL_OP_ADD, "sum", INPUTS(_i ? first : second, _i ? second : first));

    special = fused(graph, net_node(graph, NCL_OP_RELU, "relu", INPUTS(sum)));
    ck_assert_int_eq(special->node_count, 2);
    ck_assert_str_eq(special->nodes[1].name, "second");
    ck_assert_int_eq(special->nodes[1].inputs[3], first);
    ncl_graph_free(special);
}
END_TEST

START_TEST(a_lone_sum_is_one_step)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int z = net_input(graph, "z", DIMS(1, 4, 3, 3));
    const int sum = net_node(graph, NCL_OP_ADD, "sum", INPUTS(x, z));

    special = fused(graph, net_node(graph, NCL_OP_RELU, "relu", INPUTS(sum)));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].act.act, NCL_ACT_RELU);
    ncl_graph_free(special);
}
END_TEST

static const enum ncl_op activations[] = {NCL_OP_RELU, NCL_OP_CLIP, NCL_OP_LEAKY_RELU,
                                          NCL_OP_HARD_SWISH, NCL_OP_SIGMOID};
static const enum ncl_act expected[] = {NCL_ACT_RELU, NCL_ACT_CLIP, NCL_ACT_LEAKY,
                                        NCL_ACT_HARD_SWISH, NCL_ACT_SIGMOID};

START_TEST(activations_fuse)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int y = net_node(graph, activations[_i], "act", INPUTS(conv(graph, "c", x)));

    if (activations[_i] == NCL_OP_CLIP)
        net_last(graph)->as.clip.max = 6;
    if (activations[_i] == NCL_OP_LEAKY_RELU)
        net_last(graph)->as.leaky_relu.alpha = 0.25f;
    special = fused(graph, y);
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].act.act, expected[_i]);
    ncl_graph_free(special);
}
END_TEST

START_TEST(silu_is_recognised)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int c = conv(graph, "c", x), gate = net_node(graph, NCL_OP_SIGMOID, "s", INPUTS(c));

    special =
        fused(graph, net_node(graph, NCL_OP_MUL, "mul", INPUTS(_i ? gate : c, _i ? c : gate)));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].act.act, NCL_ACT_SILU);
    ncl_graph_free(special);
}
END_TEST

START_TEST(values_with_other_readers_stay)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 3, 3));
    const int c = conv(graph, "c", x);
    const int relu = net_node(graph, NCL_OP_RELU, "relu", INPUTS(c));

    must(ncl_graph_add_output(graph, net_node(graph, NCL_OP_ADD, "sum", INPUTS(relu, relu))));
    must(ncl_graph_add_output(graph, c)); /* before the activation */
    special = fused(graph, c);
    ck_assert_int_eq(special->node_count, 3);
    ncl_graph_free(special);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, conv_add_relu, 0, 2);
    tcase_add_loop_test(tcase, the_later_conv_adds, 0, 2);
    tcase_add_test(tcase, a_lone_sum_is_one_step);
    tcase_add_loop_test(tcase, activations_fuse, 0, 5);
    tcase_add_loop_test(tcase, silu_is_recognised, 0, 2);
    tcase_add_test(tcase, values_with_other_readers_stay);
}

int main(void)
{
    return net_main("pass_fuse", add);
}

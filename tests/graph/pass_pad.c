#include "net.h"

/* x -> [Relu] -> Pad(1, 1, 1, 1 of value) -> op of a 3x3 window. */
static struct ncl_graph *padded(enum ncl_op op, float value, bool relu, bool twice)
{
    struct ncl_graph *graph = net();
    int x = net_input(graph, "x", DIMS(1, 4, 6, 6));

    if (relu)
        x = net_node(graph, NCL_OP_RELU, "relu", INPUTS(x));
    for (int i = 0; i <= twice; i++) {
        x = net_node(graph, NCL_OP_PAD, "pad", INPUTS(x));
        net_last(graph)->as.pad.pads = axes(DIMS(0, 0, 1, 1, 0, 0, 1, 1));
        net_last(graph)->as.pad.value = value;
    }
    if (op == NCL_OP_CONV)
        net_node(graph, op, "window",
                 INPUTS(x, net_floats(graph, "w", -2, 0.125f, DIMS(2, 4, 3, 3))));
    else
        net_node(graph, op, "window", INPUTS(x));
    if (op != NCL_OP_CONV)
        net_last(graph)->as.pool.kernel = axes(DIMS(3, 3));
    return graph;
}

/* Optimises, compares with the net as it was, returns the pads that are left. */
static int pads_left(struct ncl_graph *graph)
{
    const int y = net_last(graph)->outputs[0];
    struct ncl_graph *before = net_special(graph, y), *after = net_special(graph, y);
    size_t count, count_after;
    float *expected = net_result(before, &count), *found;
    int left;

    net_optimise(after);
    left = net_count(after, NCL_OP_PAD);
    found = net_result(after, &count_after);
    ck_assert_uint_eq(count, count_after);
    ck_assert_int_eq(memcmp(expected, found, count * sizeof *found), 0);
    free(expected);
    free(found);
    ncl_graph_free(before);
    ncl_graph_free(after);
    ncl_graph_free(graph);
    return left;
}

START_TEST(conv_takes_zeros)
{
    ck_assert_int_eq(pads_left(padded(NCL_OP_CONV, 0, false, false)), 0);
    ck_assert_int_eq(pads_left(padded(NCL_OP_CONV, 0, false, true)), 0);
    ck_assert_int_eq(pads_left(padded(NCL_OP_CONV, 1, false, false)), 1);
}
END_TEST

START_TEST(maximum_takes_zeros_below_nothing_negative)
{
    ck_assert_int_eq(pads_left(padded(NCL_OP_MAX_POOL, 0, false, false)), 1);
    ck_assert_int_eq(pads_left(padded(NCL_OP_MAX_POOL, 0, true, false)), 0);
}
END_TEST

START_TEST(mean_counts_the_zeros)
{
    struct ncl_graph *graph;

    ck_assert_int_eq(pads_left(padded(NCL_OP_AVERAGE_POOL, 0, false, false)), 0);
    graph = padded(NCL_OP_AVERAGE_POOL, 0, false, false);
    net_last(graph)->as.pool.pads = axes(DIMS(1, 1, 1, 1)); /* these are not counted */
    ck_assert_int_eq(pads_left(graph), 1);
    graph = padded(NCL_OP_AVERAGE_POOL, 0, false, false);
    net_last(graph)->as.pool.pads = axes(DIMS(1, 1, 1, 1));
    net_last(graph)->as.pool.count_include_pad = true;
    ck_assert_int_eq(pads_left(graph), 0);
}
END_TEST

START_TEST(windows_of_padding_alone_stay)
{
    struct ncl_graph *graph = padded(NCL_OP_AVERAGE_POOL, 0, false, true);

    net_last(graph)->as.pool.kernel = axes(DIMS(2, 2));
    ck_assert_int_eq(pads_left(graph), 1); /* the first folds, the second would empty a window */
}
END_TEST

START_TEST(other_readers_need_the_pad)
{
    struct ncl_graph *graph = padded(NCL_OP_CONV, 0, false, false);

    must(ncl_graph_add_output(graph, net_last(graph)->outputs[0]));
    must(ncl_graph_add_output(graph, net_last(graph)->inputs[0]));
    ck_assert_int_eq(pads_left(graph), 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, conv_takes_zeros);
    tcase_add_test(tcase, maximum_takes_zeros_below_nothing_negative);
    tcase_add_test(tcase, mean_counts_the_zeros);
    tcase_add_test(tcase, windows_of_padding_alone_stay);
    tcase_add_test(tcase, other_readers_need_the_pad);
}

int main(void)
{
    return net_main("pass_pad", add);
}

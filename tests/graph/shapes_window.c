#include "net.h"

#include <stdio.h>

#define HUGE_VALUE (1LL << 62)

static struct ncl_graph *conv_net(int *y)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 4, 10, 12));
    const int w = net_floats(graph, "w", 1, 0, DIMS(8, 4, 3, 3));

    *y = net_node(graph, NCL_OP_CONV, "conv1", INPUTS(x, w));
    return graph;
}

static void ck_conv(struct ncl_graph *graph, int y, int64_t h, int64_t w)
{
    struct ncl_graph *special = net_special(graph, y);

    ck_dims(&special->values[y], DIMS(1, 8, h, w));
    ncl_graph_free(special);
    ncl_graph_free(graph);
}

START_TEST(conv_defaults)
{
    int y;
    struct ncl_graph *graph = conv_net(&y);

    ck_conv(graph, y, 8, 10);
}
END_TEST

START_TEST(conv_strided_dilated_padded)
{
    int y;
    struct ncl_graph *graph = conv_net(&y);

    net_last(graph)->as.conv.strides = axes(DIMS(2, 3));
    net_last(graph)->as.conv.dilations = axes(DIMS(2, 1));
    net_last(graph)->as.conv.pads = axes(DIMS(1, 0, 2, 1));
    ck_conv(graph, y, 5, 4);
}
END_TEST

START_TEST(conv_same_padding_is_uneven)
{
    struct ncl_graph *special, *graph;
    int y;

    for (int upper = 0; upper < 2; upper++) {
        graph = conv_net(&y);
        net_last(graph)->as.conv.strides = axes(DIMS(2, 2));
        net_last(graph)->as.conv.auto_pad = upper ? NCL_PAD_SAME_UPPER : NCL_PAD_SAME_LOWER;
        special = net_special(graph, y);
        ck_dims(&special->values[y], DIMS(1, 8, 5, 6));
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(special->nodes[0].as.conv.pads.values[i], (i >= 2) == upper);
        ncl_graph_free(special);
        ncl_graph_free(graph);
    }
}
END_TEST

/* The specification forbids both; zeros say nothing. */
START_TEST(auto_pad_excludes_pads)
{
    static const enum ncl_auto_pad kinds[] = {NCL_PAD_VALID, NCL_PAD_SAME_UPPER,
                                              NCL_PAD_SAME_LOWER};
    static const char *const names[] = {"VALID", "SAME_UPPER", "SAME_LOWER"};
    char expected[64];
    int y;

    for (int i = 0; i < 4; i++) {
        struct ncl_graph *graph = conv_net(&y);

        net_last(graph)->as.conv.auto_pad = kinds[_i];
        net_last(graph)->as.conv.pads = axes(DIMS(i == 0, i == 1, i == 2, i == 3));
        snprintf(expected, sizeof expected, "auto_pad is %s and pads[%d] is 1", names[_i], i);
        net_must_fail(graph, y, expected);
        graph = net();
        y = net_node(graph, NCL_OP_MAX_POOL, "p", INPUTS(net_input(graph, "x", DIMS(1, 4, 9, 9))));
        net_last(graph)->as.pool.kernel = axes(DIMS(2, 2));
        net_last(graph)->as.pool.auto_pad = kinds[_i];
        net_last(graph)->as.pool.pads = axes(DIMS(i == 0, i == 1, i == 2, i == 3));
        net_must_fail(graph, y, expected);
    }
}
END_TEST

START_TEST(auto_pad_takes_pads_of_zero)
{
    int y;
    struct ncl_graph *graph = conv_net(&y);

    net_last(graph)->as.conv.auto_pad = NCL_PAD_VALID;
    net_last(graph)->as.conv.pads = axes(DIMS(0, 0, 0, 0));
    ck_conv(graph, y, 8, 10);
}
END_TEST

/* Each list, one bad number at a time. */
static const int64_t bad_numbers[] = {HUGE_VALUE, -HUGE_VALUE, INT64_MIN, INT64_MAX, -1, 40000};

START_TEST(hostile_numbers_are_refused)
{
    const int64_t bad = bad_numbers[_i];
    int y;

    for (int list = 0; list < 5; list++) {
        struct ncl_graph *graph = conv_net(&y);
        struct ncl_node *node = net_last(graph);
        static const char *const expected[] = {"kernel_shape[0]", "strides[0]", "dilations[0]",
                                               "pads[0]", " groups, expected"};

        if (list == 0)
            node->as.conv.kernel = axes(DIMS(bad, 3));
        else if (list == 1)
            node->as.conv.strides = axes(DIMS(bad, 1));
        else if (list == 2)
            node->as.conv.dilations = axes(DIMS(bad, 1));
        else if (list == 3)
            node->as.conv.pads = axes(DIMS(bad, 0, 0, 0));
        else
            node->as.conv.groups = bad;
        net_must_fail(graph, y, expected[list]);
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), "node 'conv1' (Conv)"));
    }
}
END_TEST

START_TEST(conv_inputs_are_checked)
{
    struct ncl_graph *graph = net();
    int x = net_input(graph, "x", DIMS(1, 4, 10, 12));
    int w = net_input(graph, "w", DIMS(8, 4, 3, 3));

    net_must_fail(graph, net_node(graph, NCL_OP_CONV, "c", INPUTS(x, w)),
                  "node 'c' (Conv): weight 'w' is a run-time value");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 3, 10, 12));
    w = net_floats(graph, "w", 0, 0, DIMS(8, 4, 3, 3));
    net_must_fail(graph, net_node(graph, NCL_OP_CONV, "c", INPUTS(x, w)),
                  "in 1 groups takes 4 input channels, input 'x' of shape 1x3x10x12 has 3");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 2, 12));
    w = net_floats(graph, "w", 0, 0, DIMS(8, 4, 3, 3));
    net_must_fail(graph, net_node(graph, NCL_OP_CONV, "c", INPUTS(x, w)), "3 rows");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 10, 12));
    w = net_floats(graph, "w", 0, 0, DIMS(8, 2, 3, 3));
    graph->values[w].dtype = NCL_DTYPE_F64;
    net_must_fail(graph, net_node(graph, NCL_OP_CONV, "c", INPUTS(x, w)), "is float64");
}
END_TEST

static int64_t pooled(int64_t in, int64_t kernel, int64_t stride, int64_t pad, bool ceil)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, in, in));
    const int y = net_node(graph, NCL_OP_MAX_POOL, "pool", INPUTS(x));
    int64_t result;

    net_last(graph)->as.pool.kernel = axes(DIMS(kernel, kernel));
    net_last(graph)->as.pool.strides = axes(DIMS(stride, stride));
    net_last(graph)->as.pool.pads = axes(DIMS(pad, pad, pad, pad));
    net_last(graph)->as.pool.ceil_mode = ceil;
    special = net_special(graph, y);
    result = special->values[y].dims[2];
    ncl_graph_free(special);
    ncl_graph_free(graph);
    return result;
}

START_TEST(pool_rounding)
{
    ck_assert_int_eq(pooled(112, 3, 2, 1, false), 56);
    ck_assert_int_eq(pooled(112, 3, 2, 0, false), 55);
    ck_assert_int_eq(pooled(112, 3, 2, 0, true), 56);
    ck_assert_int_eq(pooled(5, 2, 2, 0, true), 3);
    ck_assert_int_eq(pooled(4, 1, 3, 0, true), 2);
    /* the third window would start in the padding behind the image */
    ck_assert_int_eq(pooled(2, 2, 3, 1, true), 1);
    ck_assert_int_eq(pooled(3, 3, 4, 1, true), 1);
}
END_TEST

START_TEST(pool_windows_without_elements_are_refused)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 4, 8, 8));
    const int y = net_node(graph, NCL_OP_AVERAGE_POOL, "pool", INPUTS(x));

    net_last(graph)->as.pool.kernel = axes(DIMS(2, 2));
    net_last(graph)->as.pool.pads = axes(DIMS(2, 0, 0, 0));
    net_must_fail(graph, y, "node 'pool' (AveragePool): pads[0] is 2");
}
END_TEST

START_TEST(global_means)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 4, 8, 9));
    const int a = net_node(graph, NCL_OP_GLOBAL_AVERAGE_POOL, "gap", INPUTS(x));
    const int b = net_node(graph, NCL_OP_REDUCE_MEAN, "mean", INPUTS(x));

    net_last(graph)->as.axes.axes = axes(DIMS(-1, 2));
    must(ncl_graph_add_output(graph, a));
    special = (must(ncl_graph_add_output(graph, b)), net_special(graph, b));
    ck_dims(&special->values[a], DIMS(2, 4, 1, 1));
    ck_dims(&special->values[b], DIMS(2, 4));
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, conv_defaults);
    tcase_add_test(tcase, conv_strided_dilated_padded);
    tcase_add_test(tcase, conv_same_padding_is_uneven);
    tcase_add_loop_test(tcase, auto_pad_excludes_pads, 0, 3);
    tcase_add_test(tcase, auto_pad_takes_pads_of_zero);
    tcase_add_loop_test(tcase, hostile_numbers_are_refused, 0,
                        (int)(sizeof bad_numbers / sizeof *bad_numbers));
    tcase_add_test(tcase, conv_inputs_are_checked);
    tcase_add_test(tcase, pool_rounding);
    tcase_add_test(tcase, pool_windows_without_elements_are_refused);
    tcase_add_test(tcase, global_means);
}

int main(void)
{
    return net_main("shapes_window", add);
}

#include "net.h"

/* A net before and after the passes has the same bits. */
static struct ncl_graph *moved(struct ncl_graph *graph, int y)
{
    struct ncl_graph *special = net_special(graph, y), *plain = net_special(graph, y);
    size_t count;
    float *before = net_result(plain, &count), *after;

    net_optimise(special);
    after = net_result(special, &count);
    ck_assert_uint_gt(count, 0);
    ck_assert_mem_eq(before, after, count * sizeof *before);
    free(before);
    free(after);
    ncl_graph_free(plain);
    ncl_graph_free(graph);
    return special;
}

/* `count` elements from `start` on along an axis. */
static int slice(struct ncl_graph *graph, int x, int64_t axis, int64_t start, int64_t count)
{
    const int y = net_node(graph, NCL_OP_SLICE, "slice", INPUTS(x));

    net_last(graph)->as.axes.axes = axes(1, &axis);
    net_last(graph)->as.axes.starts = axes(1, &start);
    net_last(graph)->as.axes.ends = axes(1, &(int64_t){start + count});
    return y;
}

static int conv(struct ncl_graph *graph, int x, int64_t outputs, int64_t inputs)
{
    const int w = net_floats(graph, "w", -0.5f, 0.0625f, DIMS(outputs, inputs, 1, 1));
    const int b = net_floats(graph, "b", 1, 0.25f, DIMS(outputs));

    return net_node(graph, NCL_OP_CONV, "conv", INPUTS(x, w, b));
}

START_TEST(a_convolution_computes_what_is_read)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3, 2, 3));
    const int c = conv(graph, x, 12, 3);
    const int y = net_node(graph, NCL_OP_RELU, "relu", INPUTS(c));

    special = moved(graph, slice(graph, y, 1, 5, 4));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_CONV);
    ck_dims(&special->values[special->nodes[0].inputs[1]], 4, (int64_t[]){4, 3, 1, 1});
    ncl_graph_free(special);
}
END_TEST

START_TEST(folded_factors_move_along)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 2, 3));
    const int c = conv(graph, x, 12, 3);
    const int norm = net_batch_norm(graph, "bn", c, 12);
    const int y = slice(graph, norm, 1, 5, 4);

    special = net_special(graph, y);
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 1);
    /* gamma and variance of channel 5, as net_batch_norm() makes them */
    ck_assert_double_eq_tol(special->nodes[0].as.conv.scale[0], 1.75 / sqrt(4.25 + 1e-5f), 1e-12);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(a_slice_moves_before_batch_norm)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 12, 2, 3));
    const int norm = net_batch_norm(graph, "bn", x, 12);
    const int y = net_node(graph, NCL_OP_RELU, "relu", INPUTS(norm));
    size_t count;
    float *whole, *part;

    special = net_special(graph, y);
    net_optimise(special);
    whole = net_result(special, &count);
    ncl_graph_free(special);
    graph->output_count = 0;
    special = net_special(graph, slice(graph, y, 1, 5, 4));
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 2);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_SLICE);
    ck_assert_int_eq(special->nodes[1].op, NCL_OP_SCALE);
    part = net_result(special, &count);
    ck_assert_uint_eq(count, 4 * 2 * 3);
    ck_assert_mem_eq(part, whole + 5 * 2 * 3, count * sizeof *part);
    free(whole);
    free(part);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(what_others_read_stays)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 2, 3));
    const int c = conv(graph, x, 12, 3);
    const int y = slice(graph, c, 1, 5, 4);

    must(ncl_graph_add_output(graph, y));
    must(ncl_graph_add_output(graph, c));
    special = moved(graph, y);
    ck_assert_int_eq(special->node_count, 2);
    ck_dims(&special->values[special->nodes[0].inputs[1]], 4, (int64_t[]){12, 3, 1, 1});
    ncl_graph_free(special);
}
END_TEST

START_TEST(rows_are_no_channels)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 12, 12));

    special = moved(graph, slice(graph, conv(graph, x, 12, 3), 2, 5, 4));
    ck_assert_int_eq(special->node_count, 2);
    ncl_graph_free(special);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_convolution_computes_what_is_read);
    tcase_add_test(tcase, folded_factors_move_along);
    tcase_add_test(tcase, a_slice_moves_before_batch_norm);
    tcase_add_test(tcase, what_others_read_stays);
    tcase_add_test(tcase, rows_are_no_channels);
}

int main(void)
{
    return net_main("graph/pass_slice", add);
}

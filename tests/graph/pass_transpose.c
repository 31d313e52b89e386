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

static int transpose(struct ncl_graph *graph, int x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    const int y = net_node(graph, NCL_OP_TRANSPOSE, "transpose", INPUTS(x));

    net_last(graph)->as.axes.axes = axes(4, (int64_t[]){a, b, c, d});
    return y;
}

static int to_nhwc(struct ncl_graph *graph, int x)
{
    return transpose(graph, x, 0, 2, 3, 1);
}

static int to_nchw(struct ncl_graph *graph, int x)
{
    return transpose(graph, x, 0, 3, 1, 2);
}

static int conv(struct ncl_graph *graph, int x, int64_t outputs, int64_t inputs)
{
    const int w = net_floats(graph, "w", -0.5f, 0.0625f, DIMS(outputs, inputs, 3, 3));
    const int y = net_node(graph, NCL_OP_CONV, "conv", INPUTS(x, w));

    net_last(graph)->as.conv.pads = axes(4, (int64_t[]){1, 1, 1, 1});
    return y;
}

/* A convolution as channels-last code writes it. */
static int conv_nhwc(struct ncl_graph *graph, int x, int64_t outputs, int64_t inputs)
{
    return to_nhwc(graph, conv(graph, to_nchw(graph, x), outputs, inputs));
}

START_TEST(two_are_one)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2, 3, 4));

    special = moved(graph, transpose(graph, transpose(graph, x, 0, 2, 3, 1), 3, 0, 2, 1));
    ck_assert_int_eq(special->node_count, 1);
    ck_dims(&special->values[special->outputs[0]], 4, (int64_t[]){2, 1, 4, 3});
    ncl_graph_free(special);
}
END_TEST

START_TEST(opposites_are_none)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2, 3, 4));

    special = moved(graph, conv(graph, to_nchw(graph, to_nhwc(graph, x)), 4, 2));
    ck_assert_int_eq(special->node_count, 1);
    ncl_graph_free(special);
}
END_TEST

/* conv, BN as Mul and Add, relu, pad, conv, all in NHWC: one convolution each is left between the
 * first and the last transposition. */
START_TEST(a_channels_last_chain)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 5, 4, 3));
    const int scale = net_floats(graph, "scale", 0.5f, 0.25f, DIMS(6));
    const int shift = net_floats(graph, "shift", -1, 0.5f, DIMS(1, 1, 1, 6));
    const int c = conv_nhwc(graph, x, 6, 3);
    const int scaled = net_node(graph, NCL_OP_MUL, "mul", INPUTS(scale, c));
    const int shifted = net_node(graph, NCL_OP_ADD, "add", INPUTS(scaled, shift));
    const int relu = net_node(graph, NCL_OP_RELU, "relu", INPUTS(shifted));
    const int pads = net_list(graph, "pads", 8, (int64_t[]){0, 2, 1, 0, 0, 0, 3, 0});
    const int padded = net_node(graph, NCL_OP_PAD, "pad", INPUTS(relu, pads));

    special = net_special(graph, conv_nhwc(graph, padded, 4, 6));
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 4);
    ck_assert_int_eq(net_count(special, NCL_OP_TRANSPOSE), 2);
    ck_assert_int_eq(net_count(special, NCL_OP_CONV), 2);
    ck_dims(&special->values[special->outputs[0]], 4, (int64_t[]){2, 7, 8, 4});
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* A residual block: the sum's two operands come transposed. */
START_TEST(a_channels_last_residual)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 5, 3));
    const int first = conv_nhwc(graph, x, 3, 3);
    const int second = conv_nhwc(graph, first, 3, 3);
    const int sum =
        net_node(graph, NCL_OP_ADD, "sum", INPUTS(_i ? first : second, _i ? second : first));
    const int relu = net_node(graph, NCL_OP_RELU, "relu", INPUTS(sum));

    special = moved(graph, conv_nhwc(graph, relu, 3, 3));
    ck_assert_int_eq(net_count(special, NCL_OP_TRANSPOSE), 2);
    ck_assert_int_eq(special->node_count, 5);
    ncl_graph_free(special);
}
END_TEST

static int slice(struct ncl_graph *graph, int x, int64_t axis, int64_t start, int64_t count)
{
    const int y = net_node(graph, NCL_OP_SLICE, "slice", INPUTS(x));

    net_last(graph)->as.axes.axes = axes(1, &axis);
    net_last(graph)->as.axes.starts = axes(1, &start);
    net_last(graph)->as.axes.ends = axes(1, &(int64_t){start + count});
    return y;
}

/* Groups in NHWC: slices of one transposition, each turned back. */
START_TEST(channels_last_groups_are_recovered)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 6, 4, 5)), nhwc = to_nhwc(graph, x);
    int parts[3];

    for (int i = 0; i < 3; i++)
        parts[i] = conv_nhwc(graph, slice(graph, nhwc, 3, 2 * i, 2), 4, 2);
    const int y = net_node(graph, NCL_OP_CONCAT, "concat", 3, parts);
    net_last(graph)->as.axis.axis = 3;
    special = moved(graph, to_nchw(graph, y));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].as.conv.groups, 3);
    ncl_graph_free(special);
}
END_TEST

START_TEST(a_slice_that_is_read_as_it_is_stays)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 6, 4, 5)), nhwc = to_nhwc(graph, x);
    const int part = slice(graph, nhwc, 3, 2, 2);

    must(ncl_graph_add_output(graph, part));
    must(ncl_graph_add_output(graph, nhwc));
    special = moved(graph, to_nchw(graph, part));
    ck_dims(&special->values[special->outputs[0]], 4, (int64_t[]){1, 4, 5, 2});
    ck_dims(&special->values[special->outputs[1]], 4, (int64_t[]){1, 4, 5, 6});
    ncl_graph_free(special);
}
END_TEST

/* Over H and W of NHWC: a global pool of NCHW. */
START_TEST(a_mean_drops_its_transposition)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3, 4, 5));
    const int y = net_node(graph, NCL_OP_REDUCE_MEAN, "mean", INPUTS(to_nhwc(graph, x)));

    net_last(graph)->as.axes.axes = axes(2, (int64_t[]){1, 2});
    special = net_special(graph, y);
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].as.axes.axes.values[0], 2);
    ck_assert_int_eq(special->nodes[0].as.axes.axes.values[1], 3);
    ck_dims(&special->values[special->outputs[0]], 2, (int64_t[]){2, 3});
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* Over channels only the order of what is left changes: the transposition stays. */
START_TEST(a_mean_that_would_reorder_keeps_it)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3, 4, 5));
    const int y =
        net_node(graph, NCL_OP_REDUCE_MEAN, "mean", INPUTS(transpose(graph, x, 0, 3, 2, 1)));

    net_last(graph)->as.axes.axes = axes(1, (int64_t[]){3});
    special = net_special(graph, y);
    net_optimise(special);
    ck_assert_int_eq(net_count(special, NCL_OP_TRANSPOSE), 1);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* After pooling only dimensions of 1 change places: N x C x 1 x 1 to N x C, at no launch. */
START_TEST(unit_dimensions_are_a_reshape)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3, 4, 5));
    const int pool = net_node(graph, NCL_OP_GLOBAL_AVERAGE_POOL, "pool", INPUTS(x));
    const int y = net_node(graph, NCL_OP_FLATTEN, "flatten", INPUTS(to_nhwc(graph, pool)));
    struct ncl_schedule *schedule;

    net_last(graph)->as.axis.axis = 1;
    special = moved(graph, y);
    must(ncl_schedule_create(special, &schedule));
    ck_assert_int_eq(schedule->step_count, 3); /* x in blocks, the pool, the output */
    ncl_schedule_free(schedule);
    ncl_graph_free(special);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, two_are_one);
    tcase_add_test(tcase, opposites_are_none);
    tcase_add_test(tcase, a_channels_last_chain);
    tcase_add_loop_test(tcase, a_channels_last_residual, 0, 2);
    tcase_add_test(tcase, channels_last_groups_are_recovered);
    tcase_add_test(tcase, a_slice_that_is_read_as_it_is_stays);
    tcase_add_test(tcase, a_mean_drops_its_transposition);
    tcase_add_test(tcase, a_mean_that_would_reorder_keeps_it);
    tcase_add_test(tcase, unit_dimensions_are_a_reshape);
}

int main(void)
{
    return net_main("graph/pass_transpose", add);
}

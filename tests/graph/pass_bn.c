#include "net.h"

#include <math.h>

static int conv(struct ncl_graph *graph, int x, bool bias)
{
    const int w = net_floats(graph, "w", -1, 0.0625f, DIMS(4, 3, 2, 2));
    const int b = net_floats(graph, "b", 0.5f, 1, DIMS(4));

    return bias ? net_node(graph, NCL_OP_CONV, "conv", INPUTS(x, w, b))
                : net_node(graph, NCL_OP_CONV, "conv", INPUTS(x, w));
}

/* BN of net_batch_norm on channel c. */
static double bn(double value, int c)
{
    const double scale = (0.5 + 0.25 * c) / sqrt(0.5 + 0.75 * c + (double)1e-5f);

    return (-1 + 0.5 * c) + (value - (0.25 - 0.125 * c)) * scale;
}

/* Result of the optimised net against f(the convolution alone), channel by channel. */
static void ck_folded(struct ncl_graph *graph, int conv_value, int y, double (*f)(double, int))
{
    struct ncl_graph *special = net_special(graph, y), *alone;
    size_t count;
    float *found, *before;

    net_optimise(special);
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_CONV);
    found = net_result(special, &count);
    graph->outputs[0] = conv_value;
    alone = net_special(graph, conv_value);
    before = net_result(alone, &count);
    for (size_t i = 0; i < count; i++) {
        const double expected = f((double)before[i], (int)(i / (count / 4)));

        ck_assert_msg(fabs((double)found[i] - expected) < 1e-5 * (1 + fabs(expected)),
                      "element %zu is %g, expected %g", i, (double)found[i], expected);
    }
    free(found);
    free(before);
    ncl_graph_free(alone);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}

START_TEST(bn_folds_into_conv)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int c = conv(graph, x, _i);

    ck_folded(graph, c, net_batch_norm(graph, "bn", c, 4), bn);
}
END_TEST

static double chain(double value, int c)
{
    return (bn(bn(value, c), c) * (2 + c) + 3 - 1) / 4;
}

START_TEST(chains_compose)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int c = conv(graph, x, true);
    const int factor = net_floats(graph, "factor", 2, 1, DIMS(4, 1, 1));
    const int three = net_floats(graph, "three", 3, 0, DIMS(1, 4, 1, 1));
    const int one = net_floats(graph, "one", 1, 0, 0, NULL);
    const int four = net_floats(graph, "four", 4, 0, DIMS(1));
    int y = net_batch_norm(graph, "bn2", net_batch_norm(graph, "bn1", c, 4), 4);

    y = net_node(graph, NCL_OP_MUL, "mul", INPUTS(factor, y));
    y = net_node(graph, NCL_OP_ADD, "add", INPUTS(y, three));
    y = net_node(graph, NCL_OP_SUB, "sub", INPUTS(y, one));
    y = net_node(graph, NCL_OP_DIV, "div", INPUTS(y, four));
    ck_folded(graph, c, y, chain);
}
END_TEST

static double from_one(double value, int c)
{
    (void)c;
    return 1 - value;
}

START_TEST(constant_minus_tensor)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int c = conv(graph, x, true);
    const int one = net_floats(graph, "one", 1, 0, DIMS(1));

    ck_folded(graph, c, net_node(graph, NCL_OP_SUB, "sub", INPUTS(one, c)), from_one);
}
END_TEST

START_TEST(arrays_are_exact_doubles)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int y = net_batch_norm(graph, "bn", conv(graph, x, false), 4);

    special = net_special(graph, y);
    net_optimise(special);
    for (int c = 0; c < 4; c++) {
        const double scale = (0.5 + 0.25 * c) / sqrt(0.5 + 0.75 * c + (double)1e-5f);

        ck_assert(special->nodes[0].as.conv.scale[c] == scale);
        ck_assert(special->nodes[0].as.conv.shift[c] ==
                  (-1 + 0.5 * c) + (0 - (0.25 - 0.125 * c)) * scale);
    }
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(other_readers_keep_the_conv)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int c = conv(graph, x, false);
    const int y = net_batch_norm(graph, "bn", c, 4);

    must(ncl_graph_add_output(graph, y));
    must(ncl_graph_add_output(graph, c));
    special = net_special(graph, y);
    net_optimise(special);
    ck_assert_int_eq(net_count(special, NCL_OP_CONV), 1);
    ck_assert_int_eq(net_count(special, NCL_OP_SCALE), 1);
    ck_assert_ptr_null(special->nodes[0].as.conv.scale);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(scales_merge)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 4, 3, 3));
    const int two = net_floats(graph, "two", 2, 0, DIMS(1));
    int y = net_batch_norm(graph, "bn", net_node(graph, NCL_OP_RELU, "r", INPUTS(x)), 4);

    y = net_node(graph, NCL_OP_MUL, "mul", INPUTS(y, two));
    y = net_node(graph, NCL_OP_ADD, "add", INPUTS(y, two));
    special = net_special(graph, y);
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 2);
    ck_assert_int_eq(special->nodes[1].op, NCL_OP_SCALE);
    ck_assert(fabs(special->nodes[1].as.scale.shift[1] - (2 * bn(0, 1) + 2)) < 1e-12);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(matrix_products_fold_too)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 3));
    const int w = net_floats(graph, "w", 1, 1, DIMS(3, 4)),
              b = net_floats(graph, "b", 1, 2, DIMS(4));
    const int y = net_node(graph, NCL_OP_ADD, "add",
                           INPUTS(net_node(graph, NCL_OP_MATMUL, "m", INPUTS(x, w)), b));
    struct ncl_schedule *schedule;

    special = net_special(graph, y);
    net_optimise(special);
    must(ncl_schedule_create(special, &schedule));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert(schedule->steps[0].bias[3] == 7);
    ck_assert(ncl_weight(&schedule->steps[0].weights, 2, 1, 0, 0) == 7);
    ncl_schedule_free(schedule);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* A variance that makes BN undefined gives NaN, as IEEE 754 says, and is no error. */
START_TEST(undefined_bn_is_no_error)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3, 5, 5));
    const int y = net_batch_norm(graph, "bn", conv(graph, x, false), 4);
    struct ncl_schedule *schedule;

    graph->values[net_last(graph)->inputs[4]].data =
        graph->values[net_floats(graph, "bad", -1, 1, DIMS(4))].data;
    special = net_special(graph, y);
    net_optimise(special);
    must(ncl_schedule_create(special, &schedule));
    ck_assert(isnan(special->nodes[0].as.conv.scale[0]));
    ck_assert(!schedule->steps[0].problem.finite);
    ncl_schedule_free(schedule);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, bn_folds_into_conv, 0, 2);
    tcase_add_test(tcase, chains_compose);
    tcase_add_test(tcase, constant_minus_tensor);
    tcase_add_test(tcase, arrays_are_exact_doubles);
    tcase_add_test(tcase, other_readers_keep_the_conv);
    tcase_add_test(tcase, scales_merge);
    tcase_add_test(tcase, matrix_products_fold_too);
    tcase_add_test(tcase, undefined_bn_is_no_error);
}

int main(void)
{
    return net_main("pass_bn", add);
}

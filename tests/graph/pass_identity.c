#include "net.h"

START_TEST(chains_vanish)
{
    struct ncl_graph *graph = net(), *special;
    int v = net_input(graph, "x", DIMS(1, 3));

    for (int i = 0; i < 3000; i++)
        v = net_node(graph, NCL_OP_IDENTITY, "i", INPUTS(v));
    v = net_node(graph, NCL_OP_RELU, "relu", INPUTS(v));
    v = net_node(graph, NCL_OP_IDENTITY, "out", INPUTS(v));
    special = net_special(graph, v);
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].inputs[0], special->inputs[0]);
    ck_assert_int_eq(special->nodes[0].outputs[0], special->outputs[0]);
    ck_assert_str_eq(special->values[special->outputs[0]].name, "out");
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* An input that is also an output, and one value under two names: both names stay. */
START_TEST(outputs_keep_their_names)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3));
    const int copy = net_node(graph, NCL_OP_IDENTITY, "copy", INPUTS(x));
    const int relu = net_node(graph, NCL_OP_RELU, "relu", INPUTS(x));
    const int a = net_node(graph, NCL_OP_IDENTITY, "a", INPUTS(relu));
    const int b = net_node(graph, NCL_OP_IDENTITY, "b", INPUTS(relu));
    struct ncl_schedule *schedule;

    must(ncl_graph_add_output(graph, copy));
    must(ncl_graph_add_output(graph, a));
    must(ncl_graph_add_output(graph, b));
    special = net_special(graph, a);
    net_optimise(special);
    ck_assert_str_eq(special->values[special->outputs[0]].name, "copy");
    ck_assert_str_eq(special->values[special->outputs[1]].name, "a");
    ck_assert_str_eq(special->values[special->outputs[2]].name, "b");
    must(ncl_schedule_create(special, &schedule));
    for (int i = 0, seen = 0; i < schedule->slot_count; i++)
        if (schedule->slots[i].output >= 0)
            ck_assert_str_eq(schedule->slots[i].name,
                             special->values[special->outputs[seen++]].name);
    ncl_schedule_free(schedule);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(moves_that_move_stay)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 4, 4, 4));
    const int same = net_node(graph, NCL_OP_TRANSPOSE, "same", INPUTS(x));
    int real, reversed;

    net_last(graph)->as.axes.axes = axes(DIMS(0, 1, 2, 3));
    real = net_node(graph, NCL_OP_TRANSPOSE, "real", INPUTS(same));
    net_last(graph)->as.axes.axes = axes(DIMS(0, 2, 1, 3)); /* equal dims, another order */
    reversed = net_node(graph, NCL_OP_SLICE, "reversed", INPUTS(real));
    net_last(graph)->as.axes.starts = axes(DIMS(-1));
    net_last(graph)->as.axes.ends = axes(DIMS(INT64_MIN));
    net_last(graph)->as.axes.axes = axes(DIMS(3));
    net_last(graph)->as.axes.steps = axes(DIMS(-1));
    special = net_special(graph, reversed);
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 2);
    ck_assert_int_eq(net_count(special, NCL_OP_TRANSPOSE), 1);
    ck_assert_int_eq(net_count(special, NCL_OP_SLICE), 1);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, chains_vanish);
    tcase_add_test(tcase, outputs_keep_their_names);
    tcase_add_test(tcase, moves_that_move_stay);
}

int main(void)
{
    return net_main("pass_identity", add);
}

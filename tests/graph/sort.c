#include "net.h"

START_TEST(nodes_are_sorted)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int b = net_node(graph, NCL_OP_RELU, "b", INPUTS(x));
    const int a = net_node(graph, NCL_OP_RELU, "a", INPUTS(x));

    graph->nodes[0].inputs[0] = a; /* b reads a, which comes later */
    must(ncl_graph_add_output(graph, b));
    must(ncl_graph_finish(graph));
    ck_assert_str_eq(graph->nodes[0].name, "a");
    ck_assert_str_eq(graph->nodes[1].name, "b");
    ncl_graph_free(graph);
}
END_TEST

START_TEST(sorted_nodes_stay)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));

    for (int i = 0; i < 26; i++)
        net_node(graph, NCL_OP_RELU, (char[]){(char)('a' + i), 0}, INPUTS(x));
    must(ncl_graph_finish(graph));
    for (int i = 0; i < 26; i++)
        ck_assert_int_eq(graph->nodes[i].name[0], 'a' + i);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(cycles_are_named)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int a = net_node(graph, NCL_OP_ADD, "loop", INPUTS(x, x));
    const int b = net_node(graph, NCL_OP_RELU, "back", INPUTS(a));

    graph->nodes[0].inputs[1] = b;
    must_fail(ncl_graph_finish(graph), "depends on its own output");
    ck_assert(strstr(ncl_error_text(), "loop") || strstr(ncl_error_text(), "back"));
    ncl_graph_free(graph);
}
END_TEST

START_TEST(broken_references_are_named)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int nowhere = net_value(graph, "nowhere", NCL_DTYPE_F32, 0, NULL);
    const int y = net_node(graph, NCL_OP_RELU, "relu", INPUTS(nowhere));

    must_fail(ncl_graph_finish(graph), "node 'relu': input 'nowhere'");
    graph->nodes[0].inputs[0] = 77;
    must_fail(ncl_graph_finish(graph), "reads value 77");
    graph->nodes[0].inputs[0] = x;
    net_node(graph, NCL_OP_RELU, "second", INPUTS(x));
    graph->nodes[1].outputs[0] = y;
    must_fail(ncl_graph_finish(graph), "node 'second': output 'relu' is already written");
    graph->nodes[1].outputs[0] = x;
    must_fail(ncl_graph_finish(graph), "is an input of the model");
    ncl_graph_free(graph);
}
END_TEST

START_TEST(long_chains_do_not_recurse)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int count = 200000;
    int last = x;

    for (int i = 0; i < count; i++)
        last = net_node(graph, NCL_OP_RELU, "r", INPUTS(last));
    for (int i = 0; i < count / 2; i++) { /* back to front: the deepest walk */
        const struct ncl_node swap = graph->nodes[i];

        graph->nodes[i] = graph->nodes[count - 1 - i];
        graph->nodes[count - 1 - i] = swap;
    }
    must(ncl_graph_finish(graph));
    ck_assert_int_eq(graph->nodes[0].inputs[0], x);
    ck_assert_int_eq(graph->nodes[count - 1].outputs[0], last);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, nodes_are_sorted);
    tcase_add_test(tcase, sorted_nodes_stay);
    tcase_add_test(tcase, cycles_are_named);
    tcase_add_test(tcase, broken_references_are_named);
    tcase_add_test(tcase, long_chains_do_not_recurse);
}

int main(void)
{
    return net_main("sort", add);
}

#include "net.h"

#include "graph/fold.h"
#include "graph/infer.h"

/* PyTorch's view(x.size(0), -1): Shape, Gather, Unsqueeze, Concat, Reshape. */
START_TEST(view_chain)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(3, 4, 5, 6));
    const int minus = net_list(graph, "minus", DIMS(-1));
    const int zero = net_list(graph, "zero", DIMS(0));
    int v = net_node(graph, NCL_OP_SHAPE, "shape", INPUTS(x)), y;

    graph->values[zero].rank = 0;
    v = net_node(graph, NCL_OP_GATHER, "gather", INPUTS(v, zero));
    v = net_node(graph, NCL_OP_UNSQUEEZE, "unsqueeze", INPUTS(v));
    net_last(graph)->as.axes.axes = axes(DIMS(0));
    v = net_node(graph, NCL_OP_CONCAT, "concat", INPUTS(v, minus));
    y = net_node(graph, NCL_OP_RESHAPE, "reshape", INPUTS(x, v));
    special = net_special(graph, y);
    ck_assert_int_eq(special->node_count, 1);
    ck_dims(&special->values[y], DIMS(3, 120));
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(integers_and_casts)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int a = net_list(graph, "a", DIMS(7, -7, 5)), b = net_list(graph, "b", DIMS(2));
    int v = net_node(graph, NCL_OP_DIV, "div", INPUTS(a, b)), y;

    v = net_node(graph, NCL_OP_CAST, "cast", INPUTS(v));
    net_last(graph)->as.cast.to = NCL_DTYPE_F32;
    v = net_node(graph, NCL_OP_SLICE, "slice", INPUTS(v));
    net_last(graph)->as.axes.starts = axes(DIMS(2));
    net_last(graph)->as.axes.ends = axes(DIMS(-100));
    net_last(graph)->as.axes.steps = axes(DIMS(-1));
    y = net_node(graph, NCL_OP_RELU, "relu", INPUTS(x));
    must(ncl_graph_add_output(graph, y));
    must(ncl_graph_add_output(graph, v));
    special = net_special(graph, y);
    ck_dims(&special->values[v], DIMS(3));
    ck_assert(ncl_value_element(&special->values[v], 0) == 2);
    ck_assert(ncl_value_element(&special->values[v], 1) == -3);
    ck_assert(ncl_value_element(&special->values[v], 2) == 3);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(transposed_weights)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 3));
    const int w = net_floats(graph, "w", 0, 1, DIMS(2, 3));
    const int t = net_node(graph, NCL_OP_TRANSPOSE, "t", INPUTS(w));

    special = net_special(graph, net_node(graph, NCL_OP_MATMUL, "m", INPUTS(x, t)));
    ck_assert_int_eq(special->node_count, 1);
    ck_dims(&special->values[t], DIMS(3, 2));
    ck_assert(ncl_value_element(&special->values[t], 1) == 3);
    ck_assert(ncl_value_element(&special->values[t], 4) == 2);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(bad_constants_are_named)
{
    struct ncl_graph *graph = net();
    int a = net_list(graph, "a", DIMS(7)), b = net_list(graph, "b", DIMS(0));

    net_must_fail(graph, net_node(graph, NCL_OP_DIV, "div", INPUTS(a, b)), "node 'div' (Div)");
    graph = net();
    a = net_list(graph, "a", DIMS(7));
    b = net_list(graph, "b", DIMS(1));
    net_must_fail(graph, net_node(graph, NCL_OP_GATHER, "g", INPUTS(a, b)), "index 1");
    graph = net();
    a = net_list(graph, "a", DIMS(1LL << 20, 1 << 20));
    b = net_node(graph, NCL_OP_CONSTANT_OF_SHAPE, "big", INPUTS(a));
    net_last(graph)->as.constant_of_shape.dtype = NCL_DTYPE_F32;
    net_must_fail(graph, b, "expected at most");
    graph = net();
    a = net_list(graph, "a", DIMS(7));
    b = net_floats(graph, "b", 0, 1, DIMS(1));
    net_must_fail(graph, net_node(graph, NCL_OP_ADD, "mixed", INPUTS(a, b)), "is float32");
}
END_TEST

/* A small file may ask for many large constants. */
START_TEST(all_results_together_are_limited)
{
    struct ncl_graph *graph = net();
    const int w = net_floats(graph, "w", 0, 1, DIMS(2, 3));
    struct ncl_node *node;

    net_node(graph, NCL_OP_TRANSPOSE, "t", INPUTS(w));
    node = net_last(graph);
    must(ncl_infer_node(graph, node));
    graph->folded_bytes = NCL_FOLD_BYTES - 24;
    must(ncl_fold_node(graph, node));
    must_fail(ncl_fold_node(graph, node),
              "node 't' (Transpose): with this result, constants take more than");
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, all_results_together_are_limited);
    tcase_add_test(tcase, view_chain);
    tcase_add_test(tcase, integers_and_casts);
    tcase_add_test(tcase, transposed_weights);
    tcase_add_test(tcase, bad_constants_are_named);
}

int main(void)
{
    return net_main("fold", add);
}

#include "net.h"

static struct ncl_graph *with_free_batch(void)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(-1, 3));
    const int y = net_node(graph, NCL_OP_RELU, "relu", INPUTS(x));

    graph->values[net_node(graph, NCL_OP_CAST, "unread", INPUTS(y))].dtype = NCL_DTYPE_I64;
    graph->nodes[graph->node_count - 1].as.cast.to = NCL_DTYPE_I64; /* not computed at run time */
    must(ncl_graph_add_output(graph, y));
    must(ncl_graph_finish(graph));
    return graph;
}

START_TEST(free_dimensions_are_fixed)
{
    struct ncl_graph *graph = with_free_batch(), *special;
    const struct ncl_dims dims = {2, {7, 3}};

    must(ncl_graph_specialise(graph, &dims, 1, &special));
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(graph->values[graph->inputs[0]].dims[0], -1);
    ncl_graph_free(graph); /* names are the copy's own */
    ck_dims(&special->values[special->outputs[0]], DIMS(7, 3));
    ck_assert_str_eq(special->nodes[0].name, "relu");
    ncl_graph_free(special);
}
END_TEST

START_TEST(wrong_inputs_are_named)
{
    static const struct ncl_dims wrong[] = {{2, {7, 4}},         {2, {0, 3}},    {2, {-1, 3}},
                                            {2, {1LL << 62, 3}}, {3, {1, 3, 3}}, {-1, {0}}};
    static const char *const expected[] = {
        "dimension 1 is 4, expected 3", "dimension 0 is 0", "dimension 0 is -1",
        "dimension 0 is 4611686",       "rank 3",           "rank -1"};
    struct ncl_graph *graph = with_free_batch(), *special;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        must_fail(ncl_graph_specialise(graph, &wrong[i], 1, &special), "input 'x'");
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), expected[i]));
        ck_assert_ptr_null(special);
    }
    must_fail(ncl_graph_specialise(graph, wrong, 2, &special), "2 input tensors");
    ncl_graph_free(graph);
}
END_TEST

/* Its result is nobody's, but the file contradicts itself. */
START_TEST(unread_nodes_must_be_right)
{
    struct ncl_graph *graph = with_free_batch(), *special;
    const struct ncl_dims dims = {2, {7, 3}};

    net_node(graph, NCL_OP_MAX_POOL, "flat", INPUTS(graph->outputs[0]));
    must(ncl_graph_finish(graph));
    must_fail(ncl_graph_specialise(graph, &dims, 1, &special), "node 'flat' (MaxPool): input");
    ck_assert_ptr_null(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, unread_nodes_must_be_right);
    tcase_add_test(tcase, free_dimensions_are_fixed);
    tcase_add_test(tcase, wrong_inputs_are_named);
}

int main(void)
{
    return net_main("specialise", add);
}

#include "net.h"

static void ck_reshape(int64_t count, const int64_t *shape, const char *error, int rank,
                       const int64_t *dims)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 6, 4));
    const int y = net_node(graph, NCL_OP_RESHAPE, "r",
                           INPUTS(x, net_list(graph, "shape", (int)count, shape)));

    if (error != NULL) {
        net_must_fail(graph, y, error);
        return;
    }
    special = net_special(graph, y);
    ck_dims(&special->values[y], rank, dims);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}

START_TEST(reshape)
{
    ck_reshape(DIMS(0, -1), NULL, DIMS(2, 24));
    ck_reshape(DIMS(4, 0, 2), NULL, DIMS(4, 6, 2));
    ck_reshape(DIMS(-1), NULL, DIMS(48));
    ck_reshape(DIMS(-1, -1), "node 'r' (Reshape)", 0, NULL);
    ck_reshape(DIMS(5, -1), "cannot become 5x?", 0, NULL);
    ck_reshape(DIMS(1LL << 62, 1LL << 62), "cannot become", 0, NULL);
    ck_reshape(DIMS(INT64_MIN), "cannot become", 0, NULL);
    ck_reshape(DIMS(2, 6, 4, 0), "cannot become", 0, NULL);
    ck_reshape(DIMS(1, 1, 1, 1, 1, 1, 1, 1, 48), "9 dimensions", 0, NULL);
}
END_TEST

START_TEST(squeeze_and_unsqueeze)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(2, 1, 3, 1));
    const int a = net_node(graph, NCL_OP_SQUEEZE, "a", INPUTS(x));
    int b, c;

    b = net_node(graph, NCL_OP_SQUEEZE, "b", INPUTS(x, net_list(graph, "l", DIMS(-1))));
    c = net_node(graph, NCL_OP_UNSQUEEZE, "c", INPUTS(a, net_list(graph, "m", DIMS(-1, 0))));
    must(ncl_graph_add_output(graph, b));
    must(ncl_graph_add_output(graph, c));
    special = net_special(graph, c);
    ck_dims(&special->values[a], DIMS(2, 3));
    ck_dims(&special->values[b], DIMS(2, 1, 3));
    ck_dims(&special->values[c], DIMS(1, 2, 3, 1));
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

/* As onnxruntime has it. */
START_TEST(scalars_are_no_lists)
{
    static const enum ncl_op ops[] = {NCL_OP_RESHAPE, NCL_OP_SQUEEZE, NCL_OP_UNSQUEEZE};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct ncl_graph *graph = net(), *special;
        const int x = net_input(graph, "x", DIMS(1, 6));
        const int list = net_list(graph, "list", DIMS(ops[i] == NCL_OP_RESHAPE ? 6 : 0));
        const int y = net_node(graph, ops[i], "n", INPUTS(x, list));

        graph->values[list].rank = 0;
        if (ops[i] != NCL_OP_UNSQUEEZE) {
            net_must_fail(graph, y, "'list' is int64 of rank 0 with 1 elements");
            continue;
        }
        special = net_special(graph, y);
        ck_dims(&special->values[y], DIMS(1, 1, 6));
        ncl_graph_free(special);
        ncl_graph_free(graph);
    }
}
END_TEST

START_TEST(hostile_axes_are_refused)
{
    static const int64_t bad[] = {1LL << 62, INT64_MIN, INT64_MAX, 3, -4};
    static const enum ncl_op ops[] = {NCL_OP_SQUEEZE, NCL_OP_TRANSPOSE, NCL_OP_REDUCE_MEAN,
                                      NCL_OP_SOFTMAX, NCL_OP_CONCAT,    NCL_OP_UNSQUEEZE};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t k = 0; k < 5; k++) {
            struct ncl_graph *graph = net();
            const int x = net_input(graph, "x", DIMS(2, 6, 4));
            const int y = net_node(graph, ops[k], "n", INPUTS(x));

            net_last(graph)->as.axis.axis = bad[i];
            if (k < 3)
                net_last(graph)->as.axes.axes = axes(DIMS(0, 1, bad[i]));
            net_must_fail(graph, y, "node 'n'");
        }
}
END_TEST

START_TEST(hostile_pads_and_steps_are_refused)
{
    static const int64_t bad[] = {1LL << 62, INT64_MIN, INT64_MAX, -4};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ncl_graph *graph = net();
        const int x = net_input(graph, "x", DIMS(2, 4));
        const int y = net_node(graph, NCL_OP_PAD, "p", INPUTS(x));

        net_last(graph)->as.pad.pads = axes(DIMS(0, 0, 0, bad[i]));
        net_must_fail(graph, y, "node 'p' (Pad)");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ncl_graph *graph = net(), *special;
        const int x = net_input(graph, "x", DIMS(2, 4));
        const int y = net_node(graph, NCL_OP_SLICE, "s", INPUTS(x));

        net_last(graph)->as.axes.starts = axes(DIMS(bad[i] < 0 ? -1 : 0));
        net_last(graph)->as.axes.ends = axes(DIMS(bad[i] < 0 ? INT64_MIN : INT64_MAX));
        net_last(graph)->as.axes.axes = axes(DIMS(1));
        net_last(graph)->as.axes.steps = axes(DIMS(bad[i]));
        special = net_special(graph, y);
        ck_dims(&special->values[y], DIMS(2, 1));
        ncl_graph_free(special);
        ncl_graph_free(graph);
    }
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, reshape);
    tcase_add_test(tcase, squeeze_and_unsqueeze);
    tcase_add_test(tcase, scalars_are_no_lists);
    tcase_add_test(tcase, hostile_axes_are_refused);
    tcase_add_test(tcase, hostile_pads_and_steps_are_refused);
}

int main(void)
{
    return net_main("shapes_layout", add);
}

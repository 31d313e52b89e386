/* The Keras nets: as written, and as Keras executes loops whose functions bind late. */
#include "graph/net.h"
#include "zoo/zoo.h"
#include <math.h>
#include <stdio.h>

#define CLASSES 100

static const char *const names[] = {"resnext50_keras", "resnext50_keras_late"};
#define LATE 1

static struct ncl_graph *build(int net)
{
    struct ncl_graph *graph = NULL;

    must(ncl_zoo_build(NULL, names[net], 1, CLASSES, &graph));
    return graph;
}

static const struct ncl_node *node_named(const struct ncl_graph *graph, const char *name)
{
    for (int i = 0; i < graph->node_count; i++) {
        if (strcmp(graph->nodes[i].name, name) == 0) {
            return &graph->nodes[i];
        }
    }
    ck_abort_msg("no node %s", name);
    return NULL;
}

static const struct ncl_value *input_of(const struct ncl_graph *graph, const char *node, int input)
{
    return &graph->values[node_named(graph, node)->inputs[input]];
}

START_TEST(inputs_and_outputs_are_keras)
{
    static const int64_t dims[4] = {-1, -1, -1, 3};
    struct ncl_graph *graph = build(_i);
    const struct ncl_value *input = &graph->values[graph->inputs[0]];

    ck_assert_int_eq(graph->layout, NCL_NHWC);
    ck_assert_int_eq(input->rank, 4);
    ck_assert_mem_eq(input->dims, dims, sizeof(dims));
    ck_assert_int_eq(graph->nodes[graph->node_count - 1].op, NCL_OP_SOFTMAX);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(the_stem_has_pads_and_a_bias)
{
    struct ncl_graph *graph = build(_i);
    const struct ncl_node *conv = node_named(graph, "conv1_conv");

    ck_assert_str_eq(input_of(graph, "conv1_conv", 0)->name, "conv1_pad");
    ck_assert_str_eq(input_of(graph, "conv1_conv", 1)->name, "conv1_conv/kernel");
    ck_assert_str_eq(input_of(graph, "conv1_conv", 2)->name, "conv1_conv/bias");
    ck_assert_int_eq(conv->as.conv.auto_pad, NCL_PAD_VALID);
    ck_assert_int_eq(node_named(graph, "conv1_pad")->as.pad.pads.values[3], 3);
    ck_assert_str_eq(input_of(graph, "pool1_pool", 0)->name, "pool1_pad");
    ck_assert_int_eq(node_named(graph, "pool1_pool")->as.pool.pads.values[0], 0);
    ck_assert_int_eq(node_named(graph, "conv2_block1_1_conv")->input_count, 2);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(batch_norm_is_keras)
{
    struct ncl_graph *graph = build(_i);

    for (int i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].op == NCL_OP_BATCH_NORM) {
            ck_assert_float_eq(graph->nodes[i].as.batch_norm.epsilon, 1.001e-5F);
        }
    }
    ck_assert_str_eq(input_of(graph, "conv5_block3_3_bn", 1)->name, "conv5_block3_3_bn/gamma");
    ck_assert_str_eq(input_of(graph, "conv5_block3_3_bn", 4)->name,
                     "conv5_block3_3_bn/moving_variance");
    ncl_graph_free(graph);
}
END_TEST

START_TEST(groups_are_slices_and_convolutions)
{
    struct ncl_graph *graph = build(0);

    ck_assert_int_eq(net_count(graph, NCL_OP_SLICE), 16 * 32);
    ck_assert_int_eq(net_count(graph, NCL_OP_CONCAT), 16);
    for (int i = 0; i < 32; i++) {
        char name[64];
        const struct ncl_node *conv = NULL;
        snprintf(name, sizeof(name), "conv3_block1_2_slice_%d", i);
        ck_assert_int_eq(node_named(graph, name)->as.axes.starts.values[0], 8 * i);
        ck_assert_int_eq(node_named(graph, name)->as.axes.ends.values[0], 8 * i + 8);
        snprintf(name, sizeof(name), "conv3_block1_2_conv_%d", i);
        conv = node_named(graph, name);
        ck_assert_int_eq(conv->as.conv.auto_pad, NCL_PAD_SAME_UPPER);
        ck_assert_int_eq(conv->as.conv.strides.values[1], 2);
        ck_assert_int_eq(conv->outputs[0], node_named(graph, "conv3_block1_2_concat")->inputs[i]);
    }
    ncl_graph_free(graph);
}
END_TEST

START_TEST(late_groups_read_the_last_slice)
{
    static const int starts[] = {124, 248, 496, 992};
    struct ncl_graph *graph = build(LATE);

    ck_assert_int_eq(net_count(graph, NCL_OP_SLICE), 16);
    for (int stage = 0; stage < 4; stage++) {
        char name[64];
        const struct ncl_node *slice = NULL;
        snprintf(name, sizeof(name), "conv%d_block1_2_slice", stage + 2);
        slice = node_named(graph, name);
        ck_assert_int_eq(slice->as.axes.starts.values[0], starts[stage]);
        ck_assert_int_eq(slice->as.axes.ends.values[0], 128 << stage);
        for (int i = 0; i < 32; i++) {
            snprintf(name, sizeof(name), "conv%d_block1_2_conv_%d", stage + 2, i);
            ck_assert_int_eq(node_named(graph, name)->inputs[0], slice->outputs[0]);
        }
    }
    ncl_graph_free(graph);
}
END_TEST

/* One net's weights fit the other: they are the same model file. */
START_TEST(both_have_the_same_weights)
{
    struct ncl_graph *graph = build(0);
    struct ncl_graph *late = build(LATE);
    const char *const node = "conv4_block2_2_conv_17";

    ck_assert_str_eq(input_of(graph, node, 1)->name, "conv4_block2_2_conv_17/kernel");
    ck_assert_int_eq(ncl_value_elements(input_of(graph, node, 1)), 16 * 16 * 9);
    ck_assert_mem_eq(input_of(graph, node, 1)->data, input_of(late, node, 1)->data,
                     16 * 16 * 9 * sizeof(float));
    ncl_graph_free(graph);
    ncl_graph_free(late);
}
END_TEST

/* Odd and unequal sides, on the oracle. */
START_TEST(probabilities_are_spread)
{
    static const struct ncl_dims dims = {4, {2, 33, 46, 3}};
    struct ncl_graph *graph = build(_i);
    struct ncl_graph *special = NULL;
    size_t count = 0;
    float *result = NULL;

    must(ncl_graph_specialise(graph, &dims, 1, &special));
    net_optimise(special);
    result = net_result(special, &count);
    ck_assert_uint_eq(count, 2 * CLASSES);
    for (int image = 0; image < 2; image++) {
        double whole = 0.0;
        double sum = 0.0;
        double squares = 0.0;
        for (int i = 0; i < CLASSES; i++) {
            const double p = (double)result[image * CLASSES + i];
            whole += p;
            sum += log(p) / CLASSES;
            squares += log(p) * log(p) / CLASSES;
        }
        ck_assert_double_eq_tol(whole, 1.0, 1e-5);
        ck_assert_double_gt(sqrt(squares - sum * sum), 0.4);
        ck_assert_double_lt(sqrt(squares - sum * sum), 4.0);
    }
    free(result);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tests)
{
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, inputs_and_outputs_are_keras, 0, 2);
    tcase_add_loop_test(tests, the_stem_has_pads_and_a_bias, 0, 2);
    tcase_add_loop_test(tests, batch_norm_is_keras, 0, 2);
    tcase_add_test(tests, groups_are_slices_and_convolutions);
    tcase_add_test(tests, late_groups_read_the_last_slice);
    tcase_add_test(tests, both_have_the_same_weights);
    tcase_add_loop_test(tests, probabilities_are_spread, 0, 2);
}

int main(void)
{
    return net_main("zoo/keras", add);
}

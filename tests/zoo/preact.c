/* Pre-activation blocks: where their BN and relu, shortcuts and sums are. */
#include "graph/net.h"
#include "zoo/zoo.h"

static struct ncl_graph *build(const char *name)
{
    struct ncl_graph *graph = NULL;

    must(ncl_zoo_build(NULL, name, 1, 10, &graph));
    return graph;
}

/* Input `input` of node `name` is the output of node `from`. */
static void reads(const struct ncl_graph *graph, const char *name, int input, const char *from)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct ncl_node *node = &graph->nodes[i];
        if (strcmp(node->name, name) == 0) {
            ck_assert_str_eq(graph->values[node->inputs[input]].name, from);
            return;
        }
    }
    ck_abort_msg("no node %s", name);
}

START_TEST(basic_blocks)
{
    struct ncl_graph *graph = build("preact_resnet18");

    reads(graph, "layer1.0.bn1", 0, "maxpool");
    reads(graph, "maxpool", 0, "conv1");
    /* No shape changes: the shortcut is the block's input, not activated. */
    reads(graph, "layer1.0.add", 1, "maxpool");
    reads(graph, "layer1.0.add", 0, "layer1.0.conv2");
    reads(graph, "layer2.0.relu1", 0, "layer2.0.bn1");
    reads(graph, "layer2.0.bn1", 0, "layer1.1.add");
    reads(graph, "layer2.0.shortcut", 0, "layer2.0.relu1");
    reads(graph, "layer2.0.add", 1, "layer2.0.shortcut");
    reads(graph, "bn", 0, "layer4.1.add");
    reads(graph, "avgpool", 0, "relu");
    ck_assert_int_eq(net_count(graph, NCL_OP_RELU), 17);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(bottlenecks)
{
    struct ncl_graph *graph = build("preact_resnet50");

    reads(graph, "layer1.0.conv1", 0, "layer1.0.relu1");
    reads(graph, "layer1.0.conv2", 0, "layer1.0.relu2");
    reads(graph, "layer1.0.conv3", 0, "layer1.0.relu3");
    reads(graph, "layer1.0.add", 0, "layer1.0.conv3");
    /* 64 channels become 256 without a stride. */
    reads(graph, "layer1.0.shortcut", 0, "layer1.0.relu1");
    reads(graph, "layer1.1.add", 1, "layer1.0.add");
    ck_assert_int_eq(net_count(graph, NCL_OP_RELU), 49);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, basic_blocks);
    tcase_add_test(tests, bottlenecks);
}

int main(void)
{
    return net_main("zoo/preact", add);
}

/* Blocks that do not fit together: errors name the block, both numbers and the likely fix. */
#include "net.h"

static const struct {
    const char *name, *block; /* NULL: none */
} names[] = {
    {"/layer2/layer2.0/conv1/Conv", "layer2.0"},
    {"/layer4/layer4.10/downsample/downsample.0/Conv", "layer4.10"},
    {"layer3.5.bn2", "layer3.5"},
    {"/features/features.4/features.4.1/Add", "features.4"},
    {"net/conv2_block1_2_conv/Conv2D", "conv2_block1"},
    {"conv5_block12_add/add", "conv5_block12"},
    {"stage/block_7_expand/Relu", "block_7"},
    {"block7", "block7"},
    {"block2.1.conv1", "block2.1"},
    {"/conv1/Conv", NULL},
    {"Conv__3757", NULL},
    {"a.1x/b", NULL}, /* no number */
    {"a./.5", NULL},
    {"blocks/block/block_", NULL},
    {"", NULL},
    {"/", NULL},
};

START_TEST(names_tell_of_blocks)
{
    size_t length;
    const char *block = ncl_block_name(names[_i].name, &length);

    if (names[_i].block == NULL) {
        ck_assert_ptr_null(block);
        return;
    }
    ck_assert_ptr_nonnull(block);
    ck_assert_msg(length == strlen(names[_i].block) && memcmp(block, names[_i].block, length) == 0,
                  "'%.*s', expected '%s'", (int)length, block, names[_i].block);
}
END_TEST

static const struct {
    int64_t in, out, per_group, groups;
    const char *expected;
} convolutions[] = {
    {60, 64, 2, 32,
     "block 'layer2.0', node '/layer2/layer2.0/conv2/Conv' (Conv): 60 input channels in 32 groups, "
     "expected a multiple of the groups; likely fix: 32 or 64 channels, or 30 groups"},
    {64, 100, 2, 32,
     "block 'layer2.0', node '/layer2/layer2.0/conv2/Conv' (Conv): 100 output channels in 32 "
     "groups, expected a multiple of the groups; likely fix: 96 or 128 channels, or 25 groups"},
    {64, 128, 4, 32,
     "weight 'w' of shape 128x4x3x3 in 32 groups takes 128 input channels, input 'x' of shape "
     "1x64x8x8 has 64; likely fix: 16 groups"},
    {64, 128, 3, 32,
     "takes 96 input channels, input 'x' of shape 1x64x8x8 has 64; likely fix: "
     "weights of 2 input channels in each group"},
    {4, 8, 0, 2, "takes 0 input channels"},
    {4, 8, 4, 8,
     "4 input channels in 8 groups, expected a multiple of the groups; likely fix: 4 "
     "groups or fewer"},
};

START_TEST(convolutions_are_checked)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, convolutions[_i].in, 8, 8));
    const int w =
        net_floats(graph, "w", 0, 0, DIMS(convolutions[_i].out, convolutions[_i].per_group, 3, 3));
    const int y = net_node(graph, NCL_OP_CONV, "/layer2/layer2.0/conv2/Conv", INPUTS(x, w));

    net_last(graph)->as.conv.groups = convolutions[_i].groups;
    net_must_fail(graph, y, convolutions[_i].expected);
}
END_TEST

/* A convolution of `channels` and stride on the main path; the shortcut is x, or a 1x1 convolution
 * of it. The sum's operands in either order. */
static struct ncl_graph *residual_net(int64_t channels, int64_t stride, int64_t shortcut,
                                      bool shortcut_first, int *y)
{
    struct ncl_graph *graph = net();
    const int input = net_input(graph, "input", DIMS(2, 64, 8, 8));
    const int x = net_node(graph, NCL_OP_RELU, "relu", INPUTS(input));
    const int w = net_floats(graph, "w", 0, 0, DIMS(channels, 64, 1, 1));
    const int v = net_floats(graph, "v", 0, 0, DIMS(channels, channels, 1, 1));
    const int u = net_floats(graph, "u", 0, 0, DIMS(shortcut ? shortcut : 1, 64, 1, 1));
    int a = net_node(graph, NCL_OP_CONV, "a", INPUTS(x, w)), b = x;

    net_last(graph)->as.conv.strides = axes(DIMS(stride, stride));
    a = net_node(graph, NCL_OP_CONV, "b", INPUTS(a, v));
    if (shortcut)
        b = net_node(graph, NCL_OP_CONV, "c", INPUTS(x, u));
    *y = net_node(graph, NCL_OP_ADD, "net/conv3_block1_add/add",
                  INPUTS(shortcut_first ? b : a, shortcut_first ? a : b));
    return graph;
}

static const struct {
    int64_t channels, stride, shortcut;
    const char *expected;
} residuals[] = {
    {128, 1, 0,
     "block 'conv3_block1', node 'net/conv3_block1_add/add' (Add): the main path has 128 channels "
     "of 8x8, the shortcut 64 channels of 8x8, expected the same; likely fix: a 1x1 convolution to "
     "128 channels on the shortcut"},
    {128, 2, 0,
     "the main path has 128 channels of 4x4, the shortcut 64 channels of 8x8, expected the same; "
     "likely fix: a 1x1 convolution to 128 channels with stride 2 on the shortcut"},
    {128, 2, 128, "the main path has 128 channels of 4x4, the shortcut 128 channels of 8x8"},
    {128, 1, 96, "the main path has 128 channels of 8x8, the shortcut 96 channels of 8x8"},
};

START_TEST(residuals_are_checked)
{
    for (int first = 0; first < 2; first++) {
        int y;
        struct ncl_graph *graph = residual_net(residuals[_i].channels, residuals[_i].stride,
                                               residuals[_i].shortcut, first == 1, &y);

        net_must_fail(graph, y, residuals[_i].expected);
    }
}
END_TEST

START_TEST(other_sums_are_checked)
{
    struct ncl_graph *graph = net();
    int a = net_input(graph, "a", DIMS(1, 4, 8, 8)), b = net_input(graph, "b", DIMS(1, 4, 8, 7));

    net_must_fail(graph, net_node(graph, NCL_OP_MUL, "m", INPUTS(a, b)),
                  "input 'a' of shape 1x4x8x8 and input 'b' of shape 1x4x8x7 do not broadcast");
    graph = net();
    a = net_input(graph, "a", DIMS(1, 4, 8, 8));
    b = net_floats(graph, "b", 0, 0, DIMS(5, 1, 1));
    net_must_fail(graph, net_node(graph, NCL_OP_ADD, "m", INPUTS(a, b)), "do not broadcast");
    /* Nothing in common: the first is the main path. */
    graph = net();
    a = net_input(graph, "a", DIMS(1, 4, 8, 8));
    b = net_input(graph, "b", DIMS(1, 6, 8, 8));
    net_must_fail(graph, net_node(graph, NCL_OP_ADD, "m", INPUTS(a, b)),
                  "the main path has 4 channels of 8x8, the shortcut 6");
}
END_TEST

START_TEST(norms_and_branches_are_checked)
{
    struct ncl_graph *graph = net();
    int x = net_input(graph, "x", DIMS(1, 64, 8, 8)), a, b, w;

    net_must_fail(graph, net_batch_norm(graph, "layer1.0.bn1", x, 32),
                  "block 'layer1.0', node 'layer1.0.bn1' (BatchNormalization): parameter 'gamma' "
                  "has shape 32, expected 64, the channels of input 'x'; likely fix: a batch norm "
                  "of 64 channels");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 64, 8, 8));
    w = net_floats(graph, "w", 0, 0, DIMS(2, 64, 1, 1));
    a = net_node(graph, NCL_OP_CONV, "a", INPUTS(x, w));
    b = net_node(graph, NCL_OP_CONV, "b", INPUTS(x, w));
    net_last(graph)->as.conv.strides = axes(DIMS(2, 2));
    a = net_node(graph, NCL_OP_CONCAT, "concat", INPUTS(a, b));
    net_last(graph)->as.axis.axis = 1;
    net_must_fail(graph, a,
                  "input 1 of shape 1x2x4x4 does not continue shape 1x2x8x8 along axis 1; likely "
                  "fix: the same strides and padding in every branch");
}
END_TEST

/* Exporters that number their nodes name the weights. */
START_TEST(weights_tell_of_blocks)
{
    struct ncl_graph *graph = net();
    int x = net_input(graph, "x", DIMS(1, 4, 8, 8));
    int w = net_floats(graph, "layer1.0.conv1.weight", 0, 0, DIMS(8, 3, 3, 3)), a;

    net_must_fail(graph, net_node(graph, NCL_OP_CONV, "node_conv_7", INPUTS(x, w)),
                  "block 'layer1.0', node 'node_conv_7' (Conv): weight 'layer1.0.conv1.weight'");
    graph = net();
    x = net_input(graph, "x", DIMS(1, 4, 8, 8));
    w = net_floats(graph, "layer1.0.conv1.weight", 0, 0, DIMS(8, 4, 1, 1));
    a = net_node(graph, NCL_OP_CONV, "node_conv_7", INPUTS(x, w));
    net_must_fail(graph, net_node(graph, NCL_OP_ADD, "node_add_8", INPUTS(x, a)),
                  "block 'layer1.0', node 'node_add_8' (Add): the main path has 8 channels");
}
END_TEST

/* The line stays short enough to hold what it has to say. */
START_TEST(long_names_are_cut)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 3, 8, 8));
    const int w = net_floats(graph, "w", 0, 0, DIMS(8, 4, 3, 3));
    char name[2000] = {0};

    memset(name, 'n', sizeof name - 1);
    net_must_fail(graph, net_node(graph, NCL_OP_CONV, name, INPUTS(x, w)), "likely fix: ");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, names_tell_of_blocks, 0, COUNT(names));
    tcase_add_loop_test(tcase, convolutions_are_checked, 0, COUNT(convolutions));
    tcase_add_loop_test(tcase, residuals_are_checked, 0, COUNT(residuals));
    tcase_add_test(tcase, other_sums_are_checked);
    tcase_add_test(tcase, norms_and_branches_are_checked);
    tcase_add_test(tcase, weights_tell_of_blocks);
    tcase_add_test(tcase, long_names_are_cut);
}

int main(void)
{
    return net_main("shapes_blocks", add);
}

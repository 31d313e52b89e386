/* ResNet, ResNeXt and Wide ResNet as torchvision writes them: the stride in the 3x3, batch
 * normalisation behind every convolution, a shortcut of conv + bn where the shape changes. */
#include "zoo/builder.h"

/* Scale of the BN that ends a branch: sums of many blocks must not explode. */
#define QUIET 0.375

static struct ncl_flow basic(struct ncl_builder *b, const struct ncl_block *block,
                             struct ncl_flow x)
{
    const char *in = block->name;

    x = ncl_build_conv(b, in, ".conv1", x,
                       ncl_conv_layer(block->width, 3, block->stride, block->groups));
    x = ncl_build_batch_norm(b, in, ".bn1", x, 1.0);
    x = ncl_build_relu(b, in, ".relu1", x);
    x = ncl_build_conv(b, in, ".conv2", x, ncl_conv_layer(block->channels, 3, 1, 1));
    return ncl_build_batch_norm(b, in, ".bn2", x, QUIET);
}

static struct ncl_flow bottleneck(struct ncl_builder *b, const struct ncl_block *block,
                                  struct ncl_flow x)
{
    const char *in = block->name;

    x = ncl_build_conv(b, in, ".conv1", x, ncl_conv_layer(block->width, 1, 1, 1));
    x = ncl_build_batch_norm(b, in, ".bn1", x, 1.0);
    x = ncl_build_relu(b, in, ".relu1", x);
    x = ncl_build_conv(b, in, ".conv2", x,
                       ncl_conv_layer(block->width, 3, block->stride, block->groups));
    x = ncl_build_batch_norm(b, in, ".bn2", x, 1.0);
    x = ncl_build_relu(b, in, ".relu2", x);
    x = ncl_build_conv(b, in, ".conv3", x, ncl_conv_layer(block->channels, 1, 1, 1));
    return ncl_build_batch_norm(b, in, ".bn3", x, QUIET);
}

static struct ncl_flow add(struct ncl_builder *b, const struct ncl_block *block, struct ncl_flow x)
{
    const char *in = block->name;
    struct ncl_flow y, sum;

    if (!ncl_build_check(b, block)) {
        return x;
    }
    y = block->bottleneck ? bottleneck(b, block, x) : basic(b, block, x);
    if (block->project) {
        x = ncl_build_conv(b, in, ".downsample.0", x,
                           ncl_conv_layer(block->channels, 1, block->stride, 1));
        x = ncl_build_batch_norm(b, in, ".downsample.1", x, 1.0);
    }
    sum = ncl_build_sum(b, block, ".add", y, x);
    sum = ncl_build_relu(b, in, block->bottleneck ? ".relu3" : ".relu2", sum);
    if (!block->project) {
        /* What came through an identity was positive before: relu takes little of it. */
        sum.power = x.power + 0.8 * y.power;
    }
    return sum;
}

static struct ncl_flow begin(struct ncl_builder *b)
{
    struct ncl_flow x = ncl_build_input(b, NCL_NCHW);

    x = ncl_build_conv(b, "", "conv1", x, ncl_conv_layer(64, 7, 2, 1));
    x = ncl_build_relu(b, "", "relu", ncl_build_batch_norm(b, "", "bn1", x, 1.0));
    /* The largest of nine rectified normals, of which neighbours are alike. */
    return ncl_build_max_pool(b, "maxpool", x, 1, 1.5);
}

static void end(struct ncl_builder *b, struct ncl_flow x, int classes)
{
    int pooled = 0;
    struct ncl_node *node = NULL;

    ncl_build_node(b, NCL_OP_GLOBAL_AVERAGE_POOL, "", "avgpool", &x.value, 1, &pooled);
    node = ncl_build_node(b, NCL_OP_FLATTEN, "", "flatten", &pooled, 1, &x.value);
    if (node != NULL) {
        node->as.axis.axis = 1;
    }
    ncl_build_output(b, ncl_build_dense(b, "fc", x, classes, false, 2.0));
}

const struct ncl_zoo_names ncl_names_torch = {.stage = "layer",
                                              .block = ".",
                                              .first_stage = 1,
                                              .first_block = 0,
                                              .weight = ".weight",
                                              .bias = ".bias",
                                              .gamma = ".weight",
                                              .beta = ".bias",
                                              .mean = ".running_mean",
                                              .variance = ".running_var",
                                              .epsilon = 1e-5F};
const struct ncl_style ncl_style_torch = {&ncl_names_torch, begin, add, end};

/* Pre-activation ResNets (He et al., Identity Mappings in Deep Residual Networks, 2016) as torch
 * code writes them: BN and relu before each convolution; the shortcut, where the shape changes, a
 * 1x1 convolution of the activated tensor; no BN in the stem; BN and relu before pooling. */
#include "zoo/builder.h"

/* Of the weights that end a branch, behind which no BN sets the size. */
#define QUIET 0.5

static struct ncl_flow bn_relu(struct ncl_builder *b, const char *block, const char *bn,
                               const char *relu, struct ncl_flow x)
{
    return ncl_build_relu(b, block, relu, ncl_build_batch_norm(b, block, bn, x, 1.0));
}

/* From the activated tensor to the branch's end. */
static struct ncl_flow branch(struct ncl_builder *b, const struct ncl_block *block,
                              struct ncl_flow x)
{
    const char *in = block->name;
    const struct ncl_conv_layer spatial =
        ncl_conv_layer(block->width, 3, block->stride, block->groups);
    struct ncl_conv_layer last = ncl_conv_layer(block->channels, block->bottleneck ? 1 : 3, 1, 1);

    last.gain = QUIET;
    if (!block->bottleneck) {
        x = ncl_build_conv(b, in, ".conv1", x, spatial);
        x = bn_relu(b, in, ".bn2", ".relu2", x);
        return ncl_build_conv(b, in, ".conv2", x, last);
    }
    x = ncl_build_conv(b, in, ".conv1", x, ncl_conv_layer(block->width, 1, 1, 1));
    x = bn_relu(b, in, ".bn2", ".relu2", x);
    x = ncl_build_conv(b, in, ".conv2", x, spatial);
    x = bn_relu(b, in, ".bn3", ".relu3", x);
    return ncl_build_conv(b, in, ".conv3", x, last);
}

static struct ncl_flow add(struct ncl_builder *b, const struct ncl_block *block, struct ncl_flow x)
{
    const char *in = block->name;
    struct ncl_flow active;

    if (!ncl_build_check(b, block)) {
        return x;
    }
    active = bn_relu(b, in, ".bn1", ".relu1", x);
    if (block->project) {
        x = ncl_build_conv(b, in, ".shortcut", active,
                           ncl_conv_layer(block->channels, 1, block->stride, 1));
    }
    return ncl_build_sum(b, block, ".add", branch(b, block, active), x);
}

static struct ncl_flow begin(struct ncl_builder *b)
{
    struct ncl_flow x = ncl_build_input(b, NCL_NCHW);

    x = ncl_build_conv(b, "", "conv1", x, ncl_conv_layer(64, 7, 2, 1));
    /* The largest of nine normals, of which neighbours are alike, has 2.4 times their power, and is
     * mostly positive: the next relu leaves twice as much of it as of others. */
    return ncl_build_max_pool(b, "maxpool", x, 1, 2.0 * 2.4 * x.power);
}

static void end(struct ncl_builder *b, struct ncl_flow x, int classes)
{
    ncl_style_torch.end(b, bn_relu(b, "", "bn", "relu", x), classes);
}

const struct ncl_style ncl_style_preact = {&ncl_names_torch, begin, add, end};

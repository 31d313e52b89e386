/* ResNeXt as Keras code writes it: images in NHWC, a padded stem whose convolution has a bias,
 * grouped convolution as a slice and a 'same' convolution per group and their concatenation,
 * probabilities at the end. In the form that exporters give it: one transpose, then NCHW. */
#include "zoo/builder.h"
#include <stdio.h>

/* Scale of the BN that ends a branch: sums of many blocks must not explode. */
#define QUIET 0.375

static struct ncl_flow slice(struct ncl_builder *b, const char *block, const char *name,
                             struct ncl_flow x, int first, int channels)
{
    const int input = x.value;
    struct ncl_node *node = ncl_build_node(b, NCL_OP_SLICE, block, name, &input, 1, &x.value);

    if (node != NULL) {
        node->as.axes.axes = ncl_axes_of(1, 1);
        node->as.axes.starts = ncl_axes_of(1, first);
        node->as.axes.ends = ncl_axes_of(1, first + channels);
    }
    x.channels = channels;
    return x;
}

/* late: the loop over the groups makes functions that read its variable when they are called, after
 * its end, so that every group reads the last one's channels; exporters leave a single slice. */
static struct ncl_flow grouped(struct ncl_builder *b, const struct ncl_block *block,
                               struct ncl_flow x, bool late)
{
    const int channels = block->width / block->groups;
    struct ncl_conv_layer layer = ncl_conv_layer(channels, 3, block->stride, 1);
    int *parts = ncl_arena_alloc(&b->graph->arena, (size_t)block->groups, sizeof(*parts));
    struct ncl_node *node = NULL;
    struct ncl_flow y = x;

    if (parts == NULL) {
        b->status = ncl_fail_memory(b->log, "groups of a zoo model");
        return x;
    }
    layer.auto_pad = NCL_PAD_SAME_UPPER;
    if (late) {
        x = slice(b, block->name, "_2_slice", x, block->width - channels, channels);
    }
    for (int i = 0; i < block->groups; i++) {
        char name[NCL_ZOO_NAME];
        snprintf(name, sizeof(name), "_2_slice_%d", i);
        y = late ? x : slice(b, block->name, name, x, i * channels, channels);
        snprintf(name, sizeof(name), "_2_conv_%d", i);
        y = ncl_build_conv(b, block->name, name, y, layer);
        parts[i] = y.value;
    }
    node =
        ncl_build_node(b, NCL_OP_CONCAT, block->name, "_2_concat", parts, block->groups, &y.value);
    if (node != NULL) {
        node->as.axis.axis = 1;
    }
    y.channels = block->width;
    return y;
}

static struct ncl_flow branch(struct ncl_builder *b, const struct ncl_block *block,
                              struct ncl_flow x, bool late)
{
    const char *in = block->name;

    x = ncl_build_conv(b, in, "_1_conv", x, ncl_conv_layer(block->width, 1, 1, 1));
    x = ncl_build_batch_norm(b, in, "_1_bn", x, 1.0);
    x = ncl_build_relu(b, in, "_1_relu", x);
    x = grouped(b, block, x, late);
    x = ncl_build_batch_norm(b, in, "_2_bn", x, 1.0);
    x = ncl_build_relu(b, in, "_2_relu", x);
    x = ncl_build_conv(b, in, "_3_conv", x, ncl_conv_layer(block->channels, 1, 1, 1));
    return ncl_build_batch_norm(b, in, "_3_bn", x, QUIET);
}

static struct ncl_flow add(struct ncl_builder *b, const struct ncl_block *block, struct ncl_flow x,
                           bool late)
{
    const char *in = block->name;
    struct ncl_flow y, sum;

    if (!ncl_build_check(b, block)) {
        return x;
    }
    y = branch(b, block, x, late);
    if (block->project) {
        x = ncl_build_conv(b, in, "_0_conv", x,
                           ncl_conv_layer(block->channels, 1, block->stride, 1));
        x = ncl_build_batch_norm(b, in, "_0_bn", x, 1.0);
    }
    sum = ncl_build_relu(b, in, "_out", ncl_build_sum(b, block, "_add", y, x));
    if (!block->project) {
        /* What came through an identity was positive before: relu takes little of it. */
        sum.power = x.power + 0.8 * y.power;
    }
    return sum;
}

static struct ncl_flow add_as_written(struct ncl_builder *b, const struct ncl_block *block,
                                      struct ncl_flow x)
{
    return add(b, block, x, false);
}

static struct ncl_flow add_late(struct ncl_builder *b, const struct ncl_block *block,
                                struct ncl_flow x)
{
    return add(b, block, x, true);
}

static struct ncl_flow pad(struct ncl_builder *b, const char *name, struct ncl_flow x, int pixels)
{
    const int input = x.value;
    struct ncl_node *node = ncl_build_node(b, NCL_OP_PAD, "", name, &input, 1, &x.value);

    if (node != NULL) {
        node->as.pad.axes = (struct ncl_axes){.given = true, .count = 2, .values = {2, 3}};
        node->as.pad.pads = ncl_axes_of(4, pixels);
    }
    x.side += 2 * pixels;
    return x;
}

static struct ncl_flow begin(struct ncl_builder *b)
{
    struct ncl_conv_layer stem = ncl_conv_layer(64, 7, 2, 1);
    struct ncl_flow x = ncl_build_input(b, NCL_NHWC);
    const int input = x.value;
    struct ncl_node *node =
        ncl_build_node(b, NCL_OP_TRANSPOSE, "", "transpose", &input, 1, &x.value);

    if (node != NULL) {
        node->as.axes.axes = (struct ncl_axes){.given = true, .count = 4, .values = {0, 3, 1, 2}};
    }
    stem.auto_pad = NCL_PAD_VALID;
    stem.bias = true;
    x = ncl_build_conv(b, "", "conv1_conv", pad(b, "conv1_pad", x, 3), stem);
    x = ncl_build_relu(b, "", "conv1_relu", ncl_build_batch_norm(b, "", "conv1_bn", x, 1.0));
    /* The largest of nine rectified normals, of which neighbours are alike. */
    return ncl_build_max_pool(b, "pool1_pool", pad(b, "pool1_pad", x, 1), 0, 1.5);
}

static void end(struct ncl_builder *b, struct ncl_flow x, int classes)
{
    int input = x.value;
    struct ncl_node *node =
        ncl_build_node(b, NCL_OP_REDUCE_MEAN, "", "avg_pool", &input, 1, &x.value);

    if (node != NULL) {
        node->as.axes.axes = (struct ncl_axes){.given = true, .count = 2, .values = {2, 3}};
    }
    x = ncl_build_dense(b, "predictions", x, classes, true, 1.4);
    input = x.value;
    node = ncl_build_node(b, NCL_OP_SOFTMAX, "predictions", "_softmax", &input, 1, &x.value);
    if (node != NULL) {
        node->as.axis.axis = 1;
    }
    ncl_build_output(b, x);
}

static const struct ncl_zoo_names names = {.stage = "conv",
                                           .block = "_block",
                                           .first_stage = 2,
                                           .first_block = 1,
                                           .weight = "/kernel",
                                           .bias = "/bias",
                                           .gamma = "/gamma",
                                           .beta = "/beta",
                                           .mean = "/moving_mean",
                                           .variance = "/moving_variance",
                                           .epsilon = 1.001e-5F};
const struct ncl_style ncl_style_keras = {&names, begin, add_as_written, end};
const struct ncl_style ncl_style_keras_late = {&names, begin, add_late, end};

/* What the architectures are made of: layers with seeded random weights, put into a graph one after
 * the other, and the checks of a block. */
#ifndef NCL_ZOO_BUILDER_H
#define NCL_ZOO_BUILDER_H

#include "graph/graph.h"
#include "zoo/weights.h"

#define NCL_ZOO_NAME 64 /* bytes of the name of a block, of a layer, of a parameter */

/* Not thread-safe. The first failure sticks in status; later steps do nothing. */
struct ncl_builder {
    const struct ncl_log *log;
    struct ncl_graph *graph;
    ncl_status status;
    const struct ncl_style *style; /* of the architecture */
    uint64_t seed, tensors;
    struct ncl_fill *pieces;
    size_t piece_count, piece_capacity;
};

/* A value on its way through the net. */
struct ncl_flow {
    int value;
    int channels;
    int side;     /* of its map, for square images of NCL_ZOO_SIDE pixels; 1 without a map */
    double power; /* expected mean of squares, for an input of unit variance */
};
#define NCL_ZOO_SIDE 224

/* One residual block. */
struct ncl_block {
    const char *name; /* "layer1.0" */
    bool bottleneck;  /* 1x1, 3x3, 1x1; else two 3x3 */
    int width;        /* channels between its convolutions */
    int channels;     /* of its result */
    int groups, stride;
    bool project; /* the shortcut is a 1x1 convolution; else the block's input as it is */
};

/* How an origin names things, and its BN's epsilon. */
struct ncl_zoo_names {
    /* The second block of the first stage is stage, first_stage, block, first_block + 1:
     * "conv2_block2". */
    const char *stage, *block;
    int first_stage, first_block;
    /* Parameters, behind their layer's name: of convolutions and dense layers, and of BN. */
    const char *weight, *bias, *gamma, *beta, *mean, *variance;
    float epsilon;
};
extern const struct ncl_zoo_names ncl_names_torch;

/* One way to write residual nets. */
struct ncl_style {
    const struct ncl_zoo_names *names;
    struct ncl_flow (*begin)(struct ncl_builder *b); /* input and stem */
    struct ncl_flow (*add)(struct ncl_builder *b, const struct ncl_block *block, struct ncl_flow x);
    void (*end)(struct ncl_builder *b, struct ncl_flow x, int classes); /* head and output */
};
extern const struct ncl_style ncl_style_torch, ncl_style_preact;
extern const struct ncl_style ncl_style_keras, ncl_style_keras_late;

/* Layers: a node and an output, named `block` + `name`. */
struct ncl_conv_layer {
    int channels, kernel, stride, groups;
    /* Explicit: kernel / 2 on every side, as torch's nets have it. */
    enum ncl_auto_pad auto_pad;
    bool bias;
    double gain; /* of the weights: 1 doubles the power */
};
static inline struct ncl_conv_layer ncl_conv_layer(int channels, int kernel, int stride, int groups)
{
    return (struct ncl_conv_layer){channels, kernel, stride, groups, NCL_PAD_EXPLICIT, false, 1.0};
}
struct ncl_flow ncl_build_conv(struct ncl_builder *b, const char *block, const char *name,
                               struct ncl_flow x, struct ncl_conv_layer layer);
/* Statistics near those of x, a scale around `gain`. */
struct ncl_flow ncl_build_batch_norm(struct ncl_builder *b, const char *block, const char *name,
                                     struct ncl_flow x, double gain);
struct ncl_flow ncl_build_relu(struct ncl_builder *b, const char *block, const char *name,
                               struct ncl_flow x);
/* 3x3, stride 2. power: its result's. */
struct ncl_flow ncl_build_max_pool(struct ncl_builder *b, const char *name, struct ncl_flow x,
                                   int pad, double power);
/* A dense layer with weights of {classes, features}, or of {features, classes}. deviation: of the
 * results, for images of about 64 pixels; larger ones, whose maps have less border, spread more. */
struct ncl_flow ncl_build_dense(struct ncl_builder *b, const char *name, struct ncl_flow x,
                                int classes, bool features_first, double deviation);

/* false: the block's width does not divide into its groups, or something failed before. */
bool ncl_build_check(struct ncl_builder *b, const struct ncl_block *block);
/* The sum that ends a block, whose paths must agree in channels and size. */
struct ncl_flow ncl_build_sum(struct ncl_builder *b, const struct ncl_block *block,
                              const char *name, struct ncl_flow path, struct ncl_flow shortcut);

/* The graph's input `input`, of 3 channels, batch and size free. */
struct ncl_flow ncl_build_input(struct ncl_builder *b, ncl_layout layout);
void ncl_build_output(struct ncl_builder *b, struct ncl_flow x); /* the graph's, named `output` */
/* A node `block` + `name` whose output *output bears its name; NULL after a failure. */
struct ncl_node *ncl_build_node(struct ncl_builder *b, enum ncl_op op, const char *block,
                                const char *name, const int *inputs, int input_count, int *output);
struct ncl_axes ncl_axes_of(int count, int64_t value); /* the same value `count` times */

#endif

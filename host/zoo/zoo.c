#include "zoo/zoo.h"
#include "base/text.h"
#include "zoo/weights.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 4
#define MAX_CLASSES 100000
#define NAME_BYTES 64

struct architecture {
    const char *name;
    bool bottleneck; /* else two 3x3 convolutions */
    int blocks[STAGES];
    int groups, group_width; /* of the 3x3, at 64 planes */
};

static const struct architecture architectures[] = {
    {"resnet18", false, {2, 2, 2, 2}, 1, 64},
    {"resnet34", false, {3, 4, 6, 3}, 1, 64},
    {"resnet50", true, {3, 4, 6, 3}, 1, 64},
    {"resnet101", true, {3, 4, 23, 3}, 1, 64},
    {"resnet152", true, {3, 8, 36, 3}, 1, 64},
    {"resnext50_32x4d", true, {3, 4, 6, 3}, 32, 4},
    {"resnext101_32x8d", true, {3, 4, 23, 3}, 32, 8},
    {"wide_resnet50_2", true, {3, 4, 6, 3}, 1, 128},
};

/* The first failure sticks in status; later steps do nothing. */
struct builder {
    const struct ncl_log *log;
    struct ncl_graph *graph;
    ncl_status status;
    uint64_t seed, tensors;
    struct ncl_fill *pieces;
    size_t piece_count, piece_capacity;
};

/* A value on its way through the net. */
struct flow {
    int value;
    int channels;
    double power; /* expected mean of squares, for an input of unit variance */
};

static struct ncl_value *add_value(struct builder *b, const char *name, int *index)
{
    *index = 0;
    if (b->status == NCL_OK) {
        b->status = ncl_graph_add_value(b->graph, name, strlen(name), index);
    }
    return b->status == NCL_OK ? &b->graph->values[*index] : NULL;
}

static void add_pieces(struct builder *b, float *data, size_t count, float low, float high)
{
    const uint64_t key = ncl_fill_key(b->seed, b->tensors++);

    for (size_t first = 0; b->status == NCL_OK && first < count; first += NCL_FILL_PIECE) {
        const size_t left = count - first;
        if (!ncl_grow((void **)&b->pieces, &b->piece_capacity, b->piece_count,
                      sizeof(*b->pieces))) {
            b->status = ncl_fail_memory(b->log, "weights of a zoo model");
            return;
        }
        b->pieces[b->piece_count++] = (struct ncl_fill){
            data, first, left < NCL_FILL_PIECE ? left : NCL_FILL_PIECE, key, low, high};
    }
}

/* A tensor `layer.parameter`, evenly spread over low..high. */
static int add_weights(struct builder *b, const char *layer, const char *parameter, int rank,
                       const int64_t *dims, float low, float high)
{
    char name[NAME_BYTES];
    size_t count = 1;
    int index = 0;
    struct ncl_value *value = NULL;
    float *data = NULL;

    snprintf(name, sizeof(name), "%s.%s", layer, parameter);
    value = add_value(b, name, &index);
    if (value == NULL) {
        return 0;
    }
    for (int i = 0; i < rank; i++) {
        count *= (size_t)dims[i];
        value->dims[i] = dims[i];
    }
    data = ncl_arena_alloc(&b->graph->arena, count, sizeof(*data));
    if (data == NULL) {
        b->status = ncl_fail_memory(b->log, "weights of a zoo model");
        return 0;
    }
    value->dtype = NCL_DTYPE_F32;
    value->rank = rank;
    value->data = data;
    add_pieces(b, data, count, low, high);
    return index;
}

/* A node whose output bears its name; NULL after a failure. */
static struct ncl_node *add_node(struct builder *b, enum ncl_op op, const char *name,
                                 const int *inputs, int input_count, int *output)
{
    struct ncl_node *node = NULL;
    int index = 0;

    if (add_value(b, name, output) == NULL) {
        return NULL;
    }
    b->status = ncl_graph_add_node(b->graph, op, name, strlen(name), input_count, 1, &index);
    if (b->status != NCL_OK) {
        return NULL;
    }
    node = &b->graph->nodes[index];
    memcpy(node->inputs, inputs, (size_t)input_count * sizeof(*inputs));
    node->outputs[0] = *output;
    return node;
}

static struct ncl_axes axes(int count, int64_t value)
{
    struct ncl_axes result = {.given = true, .count = count};

    for (int i = 0; i < count; i++) {
        result.values[i] = value;
    }
    return result;
}

static struct flow conv(struct builder *b, const char *name, struct flow x, int channels,
                        int kernel, int stride, int groups)
{
    const int64_t dims[4] = {channels, x.channels / groups, kernel, kernel};
    const double fan_in = (double)(dims[1] * kernel * kernel);
    const float limit = (float)sqrt(6.0 / fan_in); /* He: a variance of 2 / fan_in */
    const int inputs[2] = {x.value, add_weights(b, name, "weight", 4, dims, -limit, limit)};
    struct flow y = {0, channels, 2.0 * x.power};
    struct ncl_node *node = add_node(b, NCL_OP_CONV, name, inputs, 2, &y.value);

    if (node != NULL) {
        node->as.conv.kernel = axes(2, kernel);
        node->as.conv.strides = axes(2, stride);
        node->as.conv.dilations = axes(2, 1);
        node->as.conv.pads = axes(4, kernel / 2);
        node->as.conv.groups = groups;
    }
    return y;
}

/* Statistics near what the convolution gives, gain around `gain`. */
static struct flow batch_norm(struct builder *b, const char *name, struct flow x, double gain)
{
    const int64_t dims[1] = {x.channels};
    const float mean = (float)(0.1 * sqrt(x.power));
    const int inputs[5] = {
        x.value,
        add_weights(b, name, "weight", 1, dims, (float)(0.75 * gain), (float)(1.25 * gain)),
        add_weights(b, name, "bias", 1, dims, -0.1F, 0.1F),
        add_weights(b, name, "running_mean", 1, dims, -mean, mean),
        add_weights(b, name, "running_var", 1, dims, (float)(0.8 * x.power),
                    (float)(1.25 * x.power))};
    struct flow y = {0, x.channels, gain * gain};
    struct ncl_node *node = add_node(b, NCL_OP_BATCH_NORM, name, inputs, 5, &y.value);

    if (node != NULL) {
        node->as.batch_norm.epsilon = 1e-5F;
    }
    return y;
}

static struct flow relu(struct builder *b, const char *name, struct flow x)
{
    struct flow y = {0, x.channels, 0.5 * x.power};

    add_node(b, NCL_OP_RELU, name, &x.value, 1, &y.value);
    return y;
}

struct block {
    const char *prefix; /* "layer1.0" */
    int planes, stride;
};

/* conv, bn and, unless it ends the branch, relu number `index` of a block. */
static struct flow unit(struct builder *b, const struct block *block, int index, struct flow x,
                        int channels, int kernel, int stride, int groups, bool last)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s.conv%d", block->prefix, index);
    x = conv(b, name, x, channels, kernel, stride, groups);
    snprintf(name, sizeof(name), "%s.bn%d", block->prefix, index);
    /* A quiet end of the branch: sums of many blocks must not explode. */
    x = batch_norm(b, name, x, last ? 0.375 : 1.0);
    if (last) {
        return x;
    }
    snprintf(name, sizeof(name), "%s.relu%d", block->prefix, index);
    return relu(b, name, x);
}

static struct flow branch(struct builder *b, const struct architecture *a,
                          const struct block *block, struct flow x)
{
    const int width = block->planes * a->group_width / 64 * a->groups;

    if (!a->bottleneck) {
        x = unit(b, block, 1, x, block->planes, 3, block->stride, 1, false);
        return unit(b, block, 2, x, block->planes, 3, 1, 1, true);
    }
    x = unit(b, block, 1, x, width, 1, 1, 1, false);
    x = unit(b, block, 2, x, width, 3, block->stride, a->groups, false);
    return unit(b, block, 3, x, 4 * block->planes, 1, 1, 1, true);
}

static struct flow shortcut(struct builder *b, const struct block *block, struct flow x,
                            int channels)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s.downsample.0", block->prefix);
    x = conv(b, name, x, channels, 1, block->stride, 1);
    snprintf(name, sizeof(name), "%s.downsample.1", block->prefix);
    return batch_norm(b, name, x, 1.0);
}

static struct flow add_block(struct builder *b, const struct architecture *a,
                             const struct block *block, struct flow x)
{
    char name[NAME_BYTES];
    const struct flow y = branch(b, a, block, x);
    const bool plain = block->stride == 1 && x.channels == y.channels;
    struct flow sum = {0, y.channels, 0.0};
    int inputs[2] = {y.value, 0};

    if (!plain) {
        x = shortcut(b, block, x, y.channels);
    }
    inputs[1] = x.value;
    sum.power = x.power + y.power;
    snprintf(name, sizeof(name), "%s.add", block->prefix);
    add_node(b, NCL_OP_ADD, name, inputs, 2, &sum.value);
    snprintf(name, sizeof(name), "%s.relu%d", block->prefix, a->bottleneck ? 3 : 2);
    sum = relu(b, name, sum);
    /* What came through an identity was positive before: relu takes little of it. */
    sum.power = plain ? x.power + 0.8 * y.power : sum.power;
    return sum;
}

static struct flow stem(struct builder *b)
{
    static const int64_t dims[4] = {-1, 3, -1, -1};
    struct flow x = {0, 3, 1.0};
    struct ncl_value *input = add_value(b, "input", &x.value);
    struct ncl_node *node = NULL;
    int pooled = 0;

    if (input != NULL) {
        input->dtype = NCL_DTYPE_F32;
        input->rank = 4;
        memcpy(input->dims, dims, sizeof(dims));
        b->status = ncl_graph_add_input(b->graph, x.value);
    }
    x = relu(b, "relu", batch_norm(b, "bn1", conv(b, "conv1", x, 64, 7, 2, 1), 1.0));
    node = add_node(b, NCL_OP_MAX_POOL, "maxpool", &x.value, 1, &pooled);
    if (node != NULL) {
        node->as.pool.kernel = axes(2, 3);
        node->as.pool.strides = axes(2, 2);
        node->as.pool.dilations = axes(2, 1);
        node->as.pool.pads = axes(4, 1);
    }
    x.value = pooled;
    x.power = 1.5; /* the largest of nine rectified normals, of which neighbours are alike */
    return x;
}

static void head(struct builder *b, struct flow x, int classes)
{
    const int64_t dims[2] = {classes, x.channels};
    /* Logits of deviation 2: the pooled features keep most of the power. */
    const float limit = (float)sqrt(3.0 * 4.0 / (0.7 * x.power * x.channels));
    struct ncl_node *node = NULL;
    int pooled = 0;
    int inputs[3] = {0};
    int output = 0;

    add_node(b, NCL_OP_GLOBAL_AVERAGE_POOL, "avgpool", &x.value, 1, &pooled);
    node = add_node(b, NCL_OP_FLATTEN, "flatten", &pooled, 1, &inputs[0]);
    if (node != NULL) {
        node->as.axis.axis = 1;
    }
    inputs[1] = add_weights(b, "fc", "weight", 2, dims, -limit, limit);
    inputs[2] = add_weights(b, "fc", "bias", 1, dims, -0.1F, 0.1F);
    node = add_node(b, NCL_OP_GEMM, "fc", inputs, 3, &output);
    if (node == NULL) {
        return;
    }
    node->as.gemm.alpha = 1.0F;
    node->as.gemm.beta = 1.0F;
    node->as.gemm.trans_b = true;
    b->graph->values[output].name = "output";
    b->status = ncl_graph_add_output(b->graph, output);
}

static void build(struct builder *b, const struct architecture *a, int classes)
{
    struct flow x = stem(b);

    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < a->blocks[stage]; i++) {
            char prefix[NAME_BYTES / 2];
            const struct block block = {prefix, 64 << stage, stage > 0 && i == 0 ? 2 : 1};

            snprintf(prefix, sizeof(prefix), "layer%d.%d", stage + 1, i);
            x = add_block(b, a, &block, x);
        }
    }
    head(b, x, classes);
    if (b->status == NCL_OK) {
        b->status = ncl_graph_finish(b->graph);
    }
    if (b->status == NCL_OK) {
        ncl_fill_all(b->pieces, b->piece_count);
    }
}

const char *ncl_zoo_name(int index)
{
    const int count = sizeof(architectures) / sizeof(*architectures);

    return index >= 0 && index < count ? architectures[index].name : NULL;
}

static ncl_status fail_name(const struct ncl_log *log, const char *name)
{
    struct ncl_text known = {0};
    ncl_status status = NCL_OK;

    for (int i = 0; ncl_zoo_name(i) != NULL; i++) {
        ncl_text_add(&known, "%s%s", i == 0 ? "" : ", ", ncl_zoo_name(i));
    }
    status = known.failed ? ncl_fail_memory(log, "the zoo")
                          : ncl_fail(log, NCL_ERROR_INPUT,
                                     "zoo: expected one of %s, found '%.100s'", known.data, name);
    ncl_text_free(&known);
    return status;
}

ncl_status ncl_zoo_build(const struct ncl_log *log, const char *name, uint64_t seed, int classes,
                         struct ncl_graph **graph)
{
    struct builder b = {.log = log, .seed = seed};
    int index = 0;

    *graph = NULL;
    while (ncl_zoo_name(index) != NULL && strcmp(ncl_zoo_name(index), name) != 0) {
        index++;
    }
    if (ncl_zoo_name(index) == NULL) {
        return fail_name(log, name);
    }
    if (classes < 1 || classes > MAX_CLASSES) {
        return ncl_fail(log, NCL_ERROR_USAGE, "zoo: expected 1 to %d classes, found %d",
                        MAX_CLASSES, classes);
    }
    b.status = ncl_graph_create(log, &b.graph);
    if (b.status == NCL_OK) {
        build(&b, &architectures[index], classes);
    }
    free(b.pieces);
    if (b.status != NCL_OK) {
        ncl_graph_free(b.graph);
        return b.status;
    }
    *graph = b.graph;
    return NCL_OK;
}

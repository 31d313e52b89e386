#include "zoo/builder.h"
#include "graph/check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct ncl_value *add_value(struct ncl_builder *b, const char *name, int *index)
{
    *index = 0;
    if (b->status == NCL_OK) {
        b->status = ncl_graph_add_value(b->graph, name, strlen(name), index);
    }
    return b->status == NCL_OK ? &b->graph->values[*index] : NULL;
}

static void add_pieces(struct ncl_builder *b, float *data, size_t count, float low, float high)
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

/* A tensor `block` + `layer` + `parameter`, evenly spread over low..high. */
static int add_weights(struct ncl_builder *b, const char *block, const char *layer,
                       const char *parameter, int rank, const int64_t *dims, float low, float high)
{
    char name[NCL_ZOO_NAME];
    size_t count = 1;
    int index = 0;
    struct ncl_value *value = NULL;
    float *data = NULL;

    snprintf(name, sizeof(name), "%s%s%s", block, layer, parameter);
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

struct ncl_node *ncl_build_node(struct ncl_builder *b, enum ncl_op op, const char *block,
                                const char *name, const int *inputs, int input_count, int *output)
{
    char whole[NCL_ZOO_NAME];
    struct ncl_node *node = NULL;
    int index = 0;

    snprintf(whole, sizeof(whole), "%s%s", block, name);
    if (add_value(b, whole, output) == NULL) {
        return NULL;
    }
    b->status = ncl_graph_add_node(b->graph, op, whole, strlen(whole), input_count, 1, &index);
    if (b->status != NCL_OK) {
        return NULL;
    }
    node = &b->graph->nodes[index];
    memcpy(node->inputs, inputs, (size_t)input_count * sizeof(*inputs));
    node->outputs[0] = *output;
    return node;
}

struct ncl_axes ncl_axes_of(int count, int64_t value)
{
    struct ncl_axes result = {.given = true, .count = count};

    for (int i = 0; i < count; i++) {
        result.values[i] = value;
    }
    return result;
}

struct ncl_flow ncl_build_input(struct ncl_builder *b, ncl_layout layout)
{
    struct ncl_flow x = {0, 3, NCL_ZOO_SIDE, 1.0};
    struct ncl_value *input = add_value(b, "input", &x.value);

    if (input != NULL) {
        input->dtype = NCL_DTYPE_F32;
        input->rank = 4;
        for (int i = 0; i < 4; i++) {
            input->dims[i] = i == (layout == NCL_NHWC ? 3 : 1) ? x.channels : -1;
        }
        b->graph->layout = layout;
        b->status = ncl_graph_add_input(b->graph, x.value);
    }
    return x;
}

void ncl_build_output(struct ncl_builder *b, struct ncl_flow x)
{
    if (b->status == NCL_OK) {
        b->graph->values[x.value].name = "output";
        b->status = ncl_graph_add_output(b->graph, x.value);
    }
}

struct ncl_flow ncl_build_conv(struct ncl_builder *b, const char *block, const char *name,
                               struct ncl_flow x, struct ncl_conv_layer layer)
{
    const int64_t dims[4] = {layer.channels, x.channels / layer.groups, layer.kernel, layer.kernel};
    const double fan_in = (double)(dims[1] * layer.kernel * layer.kernel);
    /* He: a variance of 2 / fan_in */
    const float limit = (float)(layer.gain * sqrt(6.0 / fan_in));
    const int pad = layer.auto_pad == NCL_PAD_VALID ? 0 : layer.kernel / 2;
    int inputs[3] = {x.value};
    struct ncl_node *node = NULL;

    inputs[1] = add_weights(b, block, name, b->style->names->weight, 4, dims, -limit, limit);
    if (layer.bias) {
        inputs[2] = add_weights(b, block, name, b->style->names->bias, 1, dims, -0.1F, 0.1F);
    }
    node = ncl_build_node(b, NCL_OP_CONV, block, name, inputs, layer.bias ? 3 : 2, &x.value);
    if (node != NULL) {
        node->as.conv.kernel = ncl_axes_of(2, layer.kernel);
        node->as.conv.strides = ncl_axes_of(2, layer.stride);
        node->as.conv.dilations = ncl_axes_of(2, 1);
        node->as.conv.auto_pad = layer.auto_pad;
        node->as.conv.groups = layer.groups;
        if (layer.auto_pad == NCL_PAD_EXPLICIT) {
            node->as.conv.pads = ncl_axes_of(4, pad);
        }
    }
    x.channels = layer.channels;
    x.side = (x.side + 2 * pad - layer.kernel) / layer.stride + 1;
    x.power *= 2.0 * layer.gain * layer.gain;
    return x;
}

struct ncl_flow ncl_build_batch_norm(struct ncl_builder *b, const char *block, const char *name,
                                     struct ncl_flow x, double gain)
{
    const struct ncl_zoo_names *names = b->style->names;
    const int64_t dims[1] = {x.channels};
    const float scale[2] = {(float)(0.75 * gain), (float)(1.25 * gain)};
    const float mean = (float)(0.1 * sqrt(x.power));
    const float variance[2] = {(float)(0.8 * x.power), (float)(1.25 * x.power)};
    int inputs[5] = {x.value};
    struct ncl_node *node = NULL;

    inputs[1] = add_weights(b, block, name, names->gamma, 1, dims, scale[0], scale[1]);
    inputs[2] = add_weights(b, block, name, names->beta, 1, dims, -0.1F, 0.1F);
    inputs[3] = add_weights(b, block, name, names->mean, 1, dims, -mean, mean);
    inputs[4] = add_weights(b, block, name, names->variance, 1, dims, variance[0], variance[1]);
    node = ncl_build_node(b, NCL_OP_BATCH_NORM, block, name, inputs, 5, &x.value);
    if (node != NULL) {
        node->as.batch_norm.epsilon = names->epsilon;
    }
    x.power = gain * gain;
    return x;
}

struct ncl_flow ncl_build_relu(struct ncl_builder *b, const char *block, const char *name,
                               struct ncl_flow x)
{
    const int input = x.value;

    ncl_build_node(b, NCL_OP_RELU, block, name, &input, 1, &x.value);
    x.power *= 0.5;
    return x;
}

struct ncl_flow ncl_build_max_pool(struct ncl_builder *b, const char *name, struct ncl_flow x,
                                   int pad, double power)
{
    const int input = x.value;
    struct ncl_node *node = ncl_build_node(b, NCL_OP_MAX_POOL, "", name, &input, 1, &x.value);

    if (node != NULL) {
        node->as.pool.kernel = ncl_axes_of(2, 3);
        node->as.pool.strides = ncl_axes_of(2, 2);
        node->as.pool.dilations = ncl_axes_of(2, 1);
        node->as.pool.pads = ncl_axes_of(4, pad);
    }
    x.side = (x.side + 2 * pad - 3) / 2 + 1;
    x.power = power;
    return x;
}

struct ncl_flow ncl_build_dense(struct ncl_builder *b, const char *name, struct ncl_flow x,
                                int classes, bool features_first, double deviation)
{
    const int64_t dims[2] = {features_first ? x.channels : classes,
                             features_first ? classes : x.channels};
    const int64_t bias_dims[1] = {classes};
    /* The pooled features keep most of the power. */
    const double power = 0.7 * x.power * x.channels;
    const float limit = (float)sqrt(3.0 * deviation * deviation / power);
    int inputs[3] = {x.value};
    struct ncl_node *node = NULL;

    inputs[1] = add_weights(b, "", name, b->style->names->weight, 2, dims, -limit, limit);
    inputs[2] = add_weights(b, "", name, b->style->names->bias, 1, bias_dims, -0.1F, 0.1F);
    node = ncl_build_node(b, NCL_OP_GEMM, "", name, inputs, 3, &x.value);
    if (node != NULL) {
        node->as.gemm.alpha = 1.0F;
        node->as.gemm.beta = 1.0F;
        node->as.gemm.trans_b = !features_first;
    }
    x.channels = classes;
    return x;
}

bool ncl_build_check(struct ncl_builder *b, const struct ncl_block *block)
{
    char where[2 * NCL_ZOO_NAME];

    snprintf(where, sizeof(where), "block '%s'", block->name);
    if (b->status == NCL_OK) {
        b->status = ncl_check_groups(b->log, where, "channels", block->width, block->groups);
    }
    return b->status == NCL_OK;
}

struct ncl_flow ncl_build_sum(struct ncl_builder *b, const struct ncl_block *block,
                              const char *name, struct ncl_flow path, struct ncl_flow shortcut)
{
    const struct ncl_extent of_main = {path.channels, path.side, path.side};
    const struct ncl_extent of_shortcut = {shortcut.channels, shortcut.side, shortcut.side};
    const int inputs[2] = {path.value, shortcut.value};
    char where[2 * NCL_ZOO_NAME];

    snprintf(where, sizeof(where), "block '%s' at %d pixels", block->name, NCL_ZOO_SIDE);
    if (b->status == NCL_OK) {
        b->status = ncl_check_residual(b->log, where, of_main, of_shortcut);
    }
    path.power += shortcut.power;
    ncl_build_node(b, NCL_OP_ADD, block->name, name, inputs, 2, &path.value);
    return path;
}

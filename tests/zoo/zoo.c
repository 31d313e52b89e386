/* The architectures, and that their random weights keep activations in range. */
#include "zoo/zoo.h"
#include "support/suite.h"
#include "zoo/weights.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define CLASSES 100
#define SIDE 32

static struct ncl_graph *build(const char *name, uint64_t seed, int classes)
{
    struct ncl_graph *graph = NULL;

    ck_assert_msg(ncl_zoo_build(NULL, name, seed, classes, &graph) == NCL_OK, "%s",
                  ncl_error_text());
    return graph;
}

static const struct ncl_value *value_named(const struct ncl_graph *graph, const char *name)
{
    for (int i = 0; i < graph->value_count; i++) {
        if (strcmp(graph->values[i].name, name) == 0) {
            return &graph->values[i];
        }
    }
    ck_abort_msg("no value %s", name);
    return NULL;
}

/* Parameters without running statistics; convolutions with the shortcuts'; millions of
 * multiply-accumulates at 224 pixels. torchvision 0.29 says so of its own; the Keras nets have a
 * bias of 64 more than resnext50_32x4d, and each of 16 grouped convolutions in 32 parts; the others
 * were counted on torch modules. */
static const struct {
    const char *name;
    int64_t parameters;
    int convolutions, norms, blocks, megamacs;
} architectures[] = {
    {"resnet18", 11689512, 20, 20, 8, 1814},
    {"resnet34", 21797672, 36, 36, 16, 3664},
    {"resnet50", 25557032, 53, 53, 16, 4089},
    {"resnet101", 44549160, 104, 104, 33, 7801},
    {"resnet152", 60192808, 155, 155, 50, 11514},
    {"resnext50_32x4d", 25028904, 53, 53, 16, 4230},
    {"resnext101_32x8d", 88791336, 104, 104, 33, 16414},
    {"wide_resnet50_2", 68883240, 53, 53, 16, 11398},
    {"resnext50_keras", 25028968, 53 + 16 * 31, 53, 16, 4230},
    {"resnext50_keras_late", 25028968, 53 + 16 * 31, 53, 16, 4230},
    {"preact_resnet18", 11687720, 20, 17, 8, 1814},
    {"preact_resnet50", 25549352, 53, 49, 16, 4089},
};

static int count_nodes(const struct ncl_graph *graph, enum ncl_op op)
{
    int count = 0;

    for (int i = 0; i < graph->node_count; i++) {
        count += graph->nodes[i].op == op;
    }
    return count;
}

/* Of convolutions and dense layers, at 224 pixels. */
static int64_t count_macs(const struct ncl_graph *graph)
{
    const bool nhwc = graph->layout == NCL_NHWC;
    const struct ncl_dims input = {4, {1, nhwc ? 224 : 3, 224, nhwc ? 3 : 224}};
    struct ncl_graph *special = NULL;
    int64_t macs = 0;

    ck_assert_msg(ncl_graph_specialise(graph, &input, 1, &special) == NCL_OK, "%s",
                  ncl_error_text());
    for (int i = 0; i < special->node_count; i++) {
        const struct ncl_node *node = &special->nodes[i];
        if (node->op == NCL_OP_CONV) {
            const struct ncl_value *w = &special->values[node->inputs[1]];
            macs += ncl_value_elements(&special->values[node->outputs[0]]) * ncl_value_elements(w) /
                    w->dims[0];
        } else if (node->op == NCL_OP_GEMM) {
            macs += ncl_value_elements(&special->values[node->inputs[1]]);
        }
    }
    ncl_graph_free(special);
    return macs;
}

static bool is_statistic(const char *name)
{
    return strstr(name, "running_") != NULL || strstr(name, "moving_") != NULL;
}

START_TEST(architectures_have_their_size)
{
    struct ncl_graph *graph = build(architectures[_i].name, 1, 1000);
    int64_t parameters = 0;

    ck_assert_str_eq(ncl_zoo_name(_i), architectures[_i].name);
    for (int i = 0; i < graph->value_count; i++) {
        const struct ncl_value *value = &graph->values[i];
        if (ncl_value_is_constant(value) && !is_statistic(value->name)) {
            parameters += ncl_value_elements(value);
        }
    }
    ck_assert_int_eq(parameters, architectures[_i].parameters);
    ck_assert_int_eq(count_nodes(graph, NCL_OP_CONV), architectures[_i].convolutions);
    ck_assert_int_eq(count_nodes(graph, NCL_OP_BATCH_NORM), architectures[_i].norms);
    ck_assert_int_eq(count_nodes(graph, NCL_OP_ADD), architectures[_i].blocks);
    ck_assert_int_eq((count_macs(graph) + 500000) / 1000000, architectures[_i].megamacs);
    ck_assert_str_eq(graph->values[graph->inputs[0]].name, "input");
    ck_assert_str_eq(graph->values[graph->outputs[0]].name, "output");
    ncl_graph_free(graph);
}
END_TEST

START_TEST(the_stride_is_in_the_3x3)
{
    struct ncl_graph *graph = build("resnext50_32x4d", 1, 10);
    int found = 0;

    for (int i = 0; i < graph->node_count; i++) {
        const struct ncl_node *node = &graph->nodes[i];
        if (strcmp(node->name, "layer2.0.conv2") == 0) {
            ck_assert_int_eq(node->as.conv.strides.values[0], 2);
            ck_assert_int_eq(node->as.conv.groups, 32);
            found++;
        }
        if (strcmp(node->name, "layer2.0.conv1") == 0) {
            ck_assert_int_eq(node->as.conv.strides.values[0], 1);
            found++;
        }
    }
    ck_assert_int_eq(found, 2);
    ck_assert_int_eq(value_named(graph, "layer2.0.conv2.weight")->dims[1], 8);
    ck_assert_int_eq(value_named(graph, "fc.weight")->dims[0], 10);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(weights_depend_on_the_seed_alone)
{
    struct ncl_graph *one = build("resnet18", 7, 10);
    struct ncl_graph *again = build("resnet18", 7, 10);
    struct ncl_graph *other = build("resnet18", 8, 10);
    const size_t bytes = 512 * 512 * 9 * sizeof(float);
    const void *weights = value_named(one, "layer4.1.conv1.weight")->data;

    ck_assert_mem_eq(weights, value_named(again, "layer4.1.conv1.weight")->data, bytes);
    ck_assert_mem_ne(weights, value_named(other, "layer4.1.conv1.weight")->data, bytes);
    ck_assert_mem_ne(weights, value_named(one, "layer4.1.conv2.weight")->data, bytes);
    ncl_graph_free(one);
    ncl_graph_free(again);
    ncl_graph_free(other);
}
END_TEST

START_TEST(pieces_do_not_show)
{
    float whole[100];
    float parts[100];
    const uint64_t key = ncl_fill_key(3, 4);
    const struct ncl_fill one = {whole, 0, 100, key, -2.0F, 5.0F};
    const struct ncl_fill two[] = {{parts, 37, 63, key, -2.0F, 5.0F},
                                   {parts, 0, 37, key, -2.0F, 5.0F}};
    double sum = 0.0;

    ncl_fill_all(&one, 1);
    ncl_fill_all(two, 2);
    ck_assert_mem_eq(whole, parts, sizeof(whole));
    for (int i = 0; i < 100; i++) {
        ck_assert(whole[i] >= -2.0F && whole[i] <= 5.0F);
        sum += (double)whole[i];
    }
    ck_assert_double_eq_tol(sum / 100, 1.5, 1.0);
}
END_TEST

START_TEST(wrong_calls_are_errors)
{
    struct ncl_graph *graph = NULL;

    ck_assert_int_eq(ncl_zoo_build(NULL, "resnet", 1, 10, &graph), NCL_ERROR_INPUT);
    ck_assert_ptr_null(graph);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "resnext50_32x4d"));
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "'resnet'"));
    ck_assert_int_eq(ncl_zoo_build(NULL, "resnet18", 1, 0, &graph), NCL_ERROR_USAGE);
    ck_assert_int_eq(ncl_zoo_build(NULL, "resnet18", 1, 100001, &graph), NCL_ERROR_USAGE);
    ck_assert_ptr_null(graph);
    ck_assert_ptr_null(ncl_zoo_name(COUNT(architectures)));
    ck_assert_ptr_null(ncl_zoo_name(-1));
}
END_TEST

/* ---- a plain evaluator, batch 1, square maps: enough for a ResNet ---- */

struct map {
    int channels, side;
    float *data;
};

static struct map new_map(int channels, int side)
{
    struct map map = {channels, side, NULL};

    map.data = calloc((size_t)channels * (size_t)side * (size_t)side, sizeof(float));
    ck_assert_ptr_nonnull(map.data);
    return map;
}

static const float *numbers(const struct ncl_graph *graph, const struct ncl_node *node, int input)
{
    return graph->values[node->inputs[input]].data;
}

/* y += w * x for one tap of one pair of channels. */
static void add_tap(const float *x, int x_side, float *y, int y_side, float w, int dy, int dx,
                    int stride)
{
    for (int i = 0; i < y_side; i++) {
        const int from = i * stride + dy;
        for (int k = 0; from >= 0 && from < x_side && k < y_side; k++) {
            const int column = k * stride + dx;
            if (column >= 0 && column < x_side) {
                y[i * y_side + k] += w * x[from * x_side + column];
            }
        }
    }
}

static struct map conv(const struct ncl_graph *graph, const struct ncl_node *node, struct map x)
{
    const int64_t *dims = graph->values[node->inputs[1]].dims;
    const int kernel = (int)dims[2];
    const int stride = (int)node->as.conv.strides.values[0];
    const int narrow = (int)dims[1];
    const int group = (int)dims[0] / (int)node->as.conv.groups;
    const float *w = numbers(graph, node, 1);
    struct map y = new_map((int)dims[0], (x.side - 1) / stride + 1);

    for (int out = 0; out < y.channels; out++) {
        for (int in = 0; in < narrow; in++) {
            const float *from = x.data + (out / group * narrow + in) * x.side * x.side;
            for (int tap = 0; tap < kernel * kernel; tap++) {
                add_tap(from, x.side, y.data + out * y.side * y.side, y.side, *w++,
                        tap / kernel - kernel / 2, tap % kernel - kernel / 2, stride);
            }
        }
    }
    return y;
}

static struct map batch_norm(const struct ncl_graph *graph, const struct ncl_node *node,
                             struct map x)
{
    struct map y = new_map(x.channels, x.side);
    const int pixels = x.side * x.side;

    for (int i = 0; i < x.channels * pixels; i++) {
        const int c = i / pixels;
        const float scale = numbers(graph, node, 1)[c] / sqrtf(numbers(graph, node, 4)[c] + 1e-5F);
        y.data[i] = (x.data[i] - numbers(graph, node, 3)[c]) * scale + numbers(graph, node, 2)[c];
    }
    return y;
}

static struct map max_pool(struct map x)
{
    struct map y = new_map(x.channels, x.side / 2);

    for (int i = 0; i < y.channels * y.side * y.side; i++) {
        y.data[i] = -INFINITY;
    }
    for (int i = 0; i < y.channels * y.side * y.side * 9; i++) {
        const int at = i / 9;
        const int row = at / y.side % y.side * 2 + i % 9 / 3 - 1;
        const int column = at % y.side * 2 + i % 3 - 1;
        if (row >= 0 && row < x.side && column >= 0 && column < x.side) {
            const int c = at / (y.side * y.side);
            y.data[at] = fmaxf(y.data[at], x.data[(c * x.side + row) * x.side + column]);
        }
    }
    return y;
}

static struct map average(struct map x)
{
    struct map y = new_map(x.channels, 1);
    const int pixels = x.side * x.side;

    for (int i = 0; i < x.channels * pixels; i++) {
        y.data[i / pixels] += x.data[i] / (float)pixels;
    }
    return y;
}

static struct map dense(const struct ncl_graph *graph, const struct ncl_node *node, struct map x)
{
    struct map y = new_map(CLASSES, 1);

    for (int i = 0; i < CLASSES * x.channels; i++) {
        y.data[i / x.channels] += numbers(graph, node, 1)[i] * x.data[i % x.channels];
    }
    return y;
}

static struct map rectify_or_add(struct map x, const struct map *z)
{
    struct map y = new_map(x.channels, x.side);

    for (int i = 0; i < x.channels * x.side * x.side; i++) {
        y.data[i] = z != NULL ? x.data[i] + z->data[i] : fmaxf(x.data[i], 0.0F);
    }
    return y;
}

static struct map evaluate(const struct ncl_graph *graph, const struct ncl_node *node,
                           const struct map *maps)
{
    const struct map x = maps[node->inputs[0]];

    switch (node->op) {
    case NCL_OP_CONV:
        return conv(graph, node, x);
    case NCL_OP_BATCH_NORM:
        return batch_norm(graph, node, x);
    case NCL_OP_ADD:
        return rectify_or_add(x, &maps[node->inputs[1]]);
    case NCL_OP_MAX_POOL:
        return max_pool(x);
    case NCL_OP_GLOBAL_AVERAGE_POOL:
        return average(x);
    case NCL_OP_GEMM:
        return dense(graph, node, x);
    default: /* Relu; Flatten, of what is positive */
        return rectify_or_add(x, NULL);
    }
}

static double deviation(const float *data, int count)
{
    double sum = 0.0;
    double squares = 0.0;

    for (int i = 0; i < count; i++) {
        sum += (double)data[i];
        squares += (double)data[i] * (double)data[i];
    }
    return sqrt(squares / count - sum / count * (sum / count));
}

START_TEST(logits_are_finite_and_spread)
{
    static const char *const names[] = {"resnet18", "resnext50_32x4d", "preact_resnet18"};
    struct ncl_graph *graph = build(names[_i], 1, CLASSES);
    struct map *maps = calloc((size_t)graph->value_count, sizeof(*maps));
    struct map *input = &maps[graph->inputs[0]];
    struct ncl_fill pixels = {NULL, 0, 3 * SIDE * SIDE, 99, -1.73F, 1.73F}; /* unit variance */
    double spread = 0.0;

    *input = new_map(3, SIDE);
    pixels.data = input->data;
    ncl_fill_all(&pixels, 1);
    for (int i = 0; i < graph->node_count; i++) {
        maps[graph->nodes[i].outputs[0]] = evaluate(graph, &graph->nodes[i], maps);
    }
    spread = deviation(maps[graph->outputs[0]].data, CLASSES);
    ck_assert_msg(spread > 0.7 && spread < 4.0, "%s: deviation %g", names[_i], spread);
    for (int i = 0; i < graph->value_count; i++) {
        free(maps[i].data);
    }
    free(maps);
    ncl_graph_free(graph);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("zoo");

    tcase_add_loop_test(tests, architectures_have_their_size, 0, COUNT(architectures));
    tcase_add_test(tests, the_stride_is_in_the_3x3);
    tcase_add_test(tests, weights_depend_on_the_seed_alone);
    tcase_add_test(tests, pieces_do_not_show);
    tcase_add_test(tests, wrong_calls_are_errors);
    tcase_add_loop_test(tests, logits_are_finite_and_spread, 0, 3);
    return ncl_run_suite(tests, "zoo/zoo");
}

/* Group recovery. Frameworks without grouped convolution write one as slices of a tensor, a
 * convolution of each and a concatenation of the results. It becomes one convolution again, by the
 * slices' real offsets: consecutive slices make groups; branches that all read the same slice, as
 * the late-binding lambdas of a Keras loop do, are output channels of one convolution of it. */
#include "graph/fold.h"
#include "graph/passes.h"

#include <stdlib.h>
#include <string.h>

/* Channels that a convolution reads. */
struct span {
    int x;
    int64_t start, count;
};

struct branches {
    const struct ncl_node *concat;
    struct ncl_node **convs;
    struct span *spans;
    int count;
};

bool ncl_slices_channels(const struct ncl_graph *graph, const struct ncl_node *node)
{
    const struct ncl_axes *starts = &node->as.axes.starts, *steps = &node->as.axes.steps;
    const struct ncl_value *x, *y;

    if (node->op != NCL_OP_SLICE)
        return false;
    x = ncl_node_input(graph, node, 0);
    y = &graph->values[node->outputs[0]];
    if (x->rank != 4 || starts->count != 4 || steps->values[1] != 1)
        return false;
    for (int i = 0; i < 4; i++)
        if (i != 1 && (starts->values[i] != 0 || steps->values[i] != 1 || x->dims[i] != y->dims[i]))
            return false;
    return true;
}

static struct span span_of(const struct ncl_graph *graph, const struct ncl_links *links, int value)
{
    const int producer = links->producer[value];
    struct span span = {value, 0, graph->values[value].dims[1]};

    if (producer >= 0 && ncl_slices_channels(graph, &graph->nodes[producer])) {
        span.x = graph->nodes[producer].inputs[0];
        span.start = graph->nodes[producer].as.axes.starts.values[1];
    }
    return span;
}

static bool same_list(const struct ncl_axes *a, const struct ncl_axes *b)
{
    return a->count == b->count &&
           memcmp(a->values, b->values, (size_t)a->count * sizeof *a->values) == 0;
}

static bool same_act(const struct ncl_node_act *a, const struct ncl_node_act *b)
{
    return a->act == b->act && memcmp(&a->a, &b->a, sizeof a->a) == 0 &&
           memcmp(&a->b, &b->b, sizeof a->b) == 0;
}

/* Equal but for weights and the channels they read. */
static bool alike(const struct ncl_graph *graph, const struct ncl_node *a, const struct ncl_node *b)
{
    const struct ncl_value *w = ncl_node_input(graph, a, 1), *v = ncl_node_input(graph, b, 1);

    return same_list(&a->as.conv.strides, &b->as.conv.strides) &&
           same_list(&a->as.conv.dilations, &b->as.conv.dilations) &&
           same_list(&a->as.conv.pads, &b->as.conv.pads) &&
           a->as.conv.groups == b->as.conv.groups && same_act(&a->act, &b->act) &&
           w->dims[1] == v->dims[1] && w->dims[2] == v->dims[2] && w->dims[3] == v->dims[3];
}

static bool is_branch(const struct ncl_graph *graph, const struct ncl_node *conv)
{
    const struct ncl_value *bias;

    if (conv == NULL || conv->op != NCL_OP_CONV || ncl_has_residual(conv))
        return false;
    bias = ncl_node_input(graph, conv, 2);
    return ncl_value_is_constant(ncl_node_input(graph, conv, 1)) &&
           (bias == NULL || ncl_value_is_constant(bias));
}

/* false: not the pattern. */
static bool collect(struct ncl_graph *graph, const struct ncl_links *links, struct branches *b)
{
    for (int i = 0; i < b->count; i++) {
        struct ncl_node *conv = ncl_sole_producer(graph, links, b->concat->inputs[i]);

        if (!is_branch(graph, conv) || (i > 0 && !alike(graph, b->convs[0], conv)))
            return false;
        b->convs[i] = conv;
        b->spans[i] = span_of(graph, links, conv->inputs[0]);
    }
    return true;
}

static bool read_the_same(const struct branches *b)
{
    const struct span *first = &b->spans[0];

    for (int i = 1; i < b->count; i++)
        if (b->spans[i].x != first->x || b->spans[i].start != first->start ||
            b->spans[i].count != first->count)
            return false;
    return b->convs[0]->as.conv.groups == 1;
}

/* One after the other, all of x, each as many outputs. */
static bool partition(const struct ncl_graph *graph, const struct branches *b)
{
    const struct span *first = &b->spans[0];

    for (int i = 0; i < b->count; i++)
        if (b->spans[i].x != first->x || b->spans[i].start != i * first->count ||
            b->spans[i].count != first->count ||
            ncl_node_input(graph, b->convs[i], 1)->dims[0] !=
                ncl_node_input(graph, b->convs[0], 1)->dims[0])
            return false;
    return b->count * first->count == graph->values[first->x].dims[1];
}

/* The weights of all branches, one behind the other along the output channels. */
static ncl_status join_weights(struct ncl_graph *graph, const struct branches *b, int *weights)
{
    const struct ncl_value *first = ncl_node_input(graph, b->convs[0], 1);
    struct ncl_value joined = *first;
    const size_t row = (size_t)(first->dims[1] * first->dims[2] * first->dims[3]) * sizeof(float);
    const int64_t channels = graph->values[b->concat->outputs[0]].dims[1];
    char *data = ncl_arena_alloc(&graph->arena, (size_t)channels, row);
    ncl_status status;

    if (data == NULL)
        return ncl_node_memory(graph, b->concat);
    joined.dims[0] = channels;
    joined.data = data;
    joined.mapped = false;
    for (int i = 0; i < b->count; i++) {
        const struct ncl_value *part = ncl_node_input(graph, b->convs[i], 1);

        memcpy(data, part->data, (size_t)part->dims[0] * row);
        data += (size_t)part->dims[0] * row;
    }
    status = ncl_graph_add_value(graph, joined.name, strlen(joined.name), weights);
    if (status != NCL_OK)
        return status;
    joined.name = graph->values[*weights].name;
    graph->values[*weights] = joined;
    return NCL_OK;
}

/* What is folded into a convolution: factors, or what is added. */
enum folded { SCALE, SHIFT };

static bool has(const struct ncl_graph *graph, const struct ncl_node *conv, enum folded what)
{
    if (what == SCALE)
        return conv->as.conv.scale != NULL;
    return conv->as.conv.shift != NULL || ncl_node_input(graph, conv, 2) != NULL;
}

static double folded_at(const struct ncl_graph *graph, const struct ncl_node *conv,
                        enum folded what, int64_t i)
{
    const double *values = what == SCALE ? conv->as.conv.scale : conv->as.conv.shift;
    const struct ncl_value *bias = ncl_node_input(graph, conv, 2);

    if (values != NULL)
        return values[i];
    if (what == SCALE)
        return 1;
    return bias != NULL ? ncl_value_element(bias, i) : 0;
}

/* One value per output channel of all branches; *joined stays NULL where none has any. */
static ncl_status join(struct ncl_graph *graph, const struct branches *b, enum folded what,
                       const double **joined)
{
    const int64_t channels = graph->values[b->concat->outputs[0]].dims[1];
    double *values = NULL;
    bool any = false;

    for (int i = 0; i < b->count; i++)
        any = any || has(graph, b->convs[i], what);
    *joined = NULL;
    if (!any)
        return NCL_OK;
    *joined = values = ncl_arena_alloc(&graph->arena, (size_t)channels, sizeof *values);
    if (values == NULL)
        return ncl_node_memory(graph, b->concat);
    for (int i = 0; i < b->count; i++) {
        const int64_t count = ncl_node_input(graph, b->convs[i], 1)->dims[0];

        for (int64_t k = 0; k < count; k++)
            *values++ = folded_at(graph, b->convs[i], what, k);
    }
    return NCL_OK;
}

/* `links` does not know the joined weights: nothing asks it for an operand that is no result. */
static ncl_status merge(struct ncl_graph *graph, struct ncl_links *links, const struct branches *b,
                        bool grouped)
{
    struct ncl_node merged = *b->convs[0];
    int *inputs = ncl_arena_alloc(&graph->arena, 2, sizeof *inputs);
    ncl_status status = inputs == NULL ? ncl_node_memory(graph, b->concat) : NCL_OK;

    if (status == NCL_OK)
        status = join_weights(graph, b, &inputs[1]);
    if (status == NCL_OK)
        status = join(graph, b, SCALE, &merged.as.conv.scale);
    if (status == NCL_OK)
        status = join(graph, b, SHIFT, &merged.as.conv.shift);
    if (status != NCL_OK)
        return status;
    inputs[0] = grouped ? b->spans[0].x : merged.inputs[0];
    merged.inputs = inputs;
    merged.input_count = 2;
    merged.name = b->concat->name;
    if (grouped)
        merged.as.conv.groups *= b->count;
    for (int i = 1; i < b->count; i++)
        ncl_node_kill(b->convs[i]);
    ncl_absorb(graph, links, b->convs[0], (int)(b->concat - graph->nodes), merged);
    return NCL_OK;
}

/* Branches may share weights, which are copied for each. */
static bool affords_weights(struct ncl_graph *graph, const struct branches *b)
{
    const struct ncl_value *w = ncl_node_input(graph, b->convs[0], 1);
    const int64_t channels = graph->values[b->concat->outputs[0]].dims[1];
    size_t bytes;

    return ncl_multiply((size_t)channels * sizeof(float),
                        (size_t)(w->dims[1] * w->dims[2] * w->dims[3]), &bytes) &&
           ncl_fold_affords(graph, bytes);
}

static ncl_status try_concat(struct ncl_graph *graph, struct ncl_links *links,
                             const struct ncl_node *concat, int *changes)
{
    struct branches b = {concat, NULL, NULL, concat->input_count};
    ncl_status status = NCL_OK;

    b.convs = ncl_alloc((size_t)b.count, sizeof(*b.convs));
    b.spans = ncl_alloc((size_t)b.count, sizeof(*b.spans));
    if (b.convs == NULL || b.spans == NULL) {
        status = ncl_node_memory(graph, concat);
    } else if (collect(graph, links, &b)) {
        const bool grouped = partition(graph, &b);

        if ((grouped || read_the_same(&b)) && affords_weights(graph, &b)) {
            status = merge(graph, links, &b, grouped);
            ++*changes;
        }
    }
    free(b.convs);
    free(b.spans);
    return status;
}

ncl_status ncl_pass_groups(struct ncl_graph *graph, struct ncl_links *links, int *changes)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < graph->node_count; i++) {
        const struct ncl_node *node = &graph->nodes[i];

        if (node->op == NCL_OP_CONCAT && node->as.axis.axis == 1 && node->input_count > 1 &&
            graph->values[node->outputs[0]].rank == 4)
            status = try_concat(graph, links, node, changes);
    }
    return status;
}

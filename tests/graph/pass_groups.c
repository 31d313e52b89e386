#include "net.h"

#define CARDINALITY 4
#define WIDTH 3

/* A net before and after the passes has the same bits. */
static struct ncl_graph *recovered(struct ncl_graph *graph, int y)
{
    struct ncl_graph *special = net_special(graph, y), *plain = net_special(graph, y);
    size_t count;
    float *before = net_result(plain, &count), *after;

    net_optimise(special);
    after = net_result(special, &count);
    ck_assert_uint_gt(count, 0);
    ck_assert_mem_eq(before, after, count * sizeof *before);
    free(before);
    free(after);
    ncl_graph_free(plain);
    ncl_graph_free(graph);
    return special;
}

static int slice(struct ncl_graph *graph, int x, int64_t start, int64_t count, int64_t step)
{
    const int starts = net_list(graph, "starts", 1, &start);
    const int64_t end = start + step * count;
    const int ends = net_list(graph, "ends", 1, &end);
    const int axis = net_list(graph, "axes", 1, &(int64_t){1});
    const int steps = net_list(graph, "steps", 1, &step);

    return net_node(graph, NCL_OP_SLICE, "slice", INPUTS(x, starts, ends, axis, steps));
}

struct branch {
    int64_t start, step, outputs, stride;
    bool bias;
};

/* A 3x3 convolution of WIDTH channels of x; weights differ between branches. */
static int branch(struct ncl_graph *graph, int x, int index, const struct branch *b)
{
    const int w = net_floats(graph, "w", 0.25f * (float)index - 0.5f, 0.03125f,
                             DIMS(b->outputs, WIDTH, 3, 3));
    const int from = slice(graph, x, b->start, WIDTH, b->step);
    const int bias = net_floats(graph, "b", (float)index, 0.5f, DIMS(b->outputs));
    const int y = net_node(graph, NCL_OP_CONV, "conv", INPUTS(from, w, bias));

    net_last(graph)->input_count = b->bias ? 3 : 2;
    net_last(graph)->as.conv.pads = axes(4, (int64_t[]){1, 1, 1, 1});
    net_last(graph)->as.conv.strides = axes(2, (int64_t[]){b->stride, b->stride});
    return y;
}

static int concat(struct ncl_graph *graph, int count, const int *parts)
{
    const int y = net_node(graph, NCL_OP_CONCAT, "block", count, parts);

    net_last(graph)->as.axis.axis = 1;
    return y;
}

/* change: what branch 2 has of its own. */
static int block(struct ncl_graph *graph, int64_t apart, const struct branch *change)
{
    const int x = net_input(graph, "x", DIMS(2, CARDINALITY * WIDTH, 5, 4));
    int parts[CARDINALITY];

    for (int i = 0; i < CARDINALITY; i++) {
        const struct branch usual = {apart * i + (apart == 0) * 2, 1, 2, 2, false};

        parts[i] = branch(graph, x, i, i == 2 && change != NULL ? change : &usual);
    }
    return concat(graph, CARDINALITY, parts);
}

START_TEST(groups_are_recovered)
{
    struct ncl_graph *graph = net();
    struct ncl_graph *special = recovered(graph, block(graph, WIDTH, NULL));

    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_CONV);
    ck_assert_int_eq(special->nodes[0].as.conv.groups, CARDINALITY);
    ck_assert_str_eq(special->nodes[0].name, "block");
    ncl_graph_free(special);
}
END_TEST

/* The channels of a late-binding loop: one slice, one convolution of it. */
START_TEST(equal_slices_are_one_convolution)
{
    struct ncl_graph *graph = net();
    struct ncl_graph *special = recovered(graph, block(graph, 0, NULL));

    ck_assert_int_eq(special->node_count, 2);
    ck_assert_int_eq(special->nodes[0].op, NCL_OP_SLICE);
    ck_assert_int_eq(special->nodes[0].as.axes.starts.values[1], 2);
    ck_assert_int_eq(special->nodes[1].op, NCL_OP_CONV);
    ck_assert_int_eq(special->nodes[1].as.conv.groups, 1);
    ncl_graph_free(special);
}
END_TEST

/* Branches of one input may differ in how many channels they make. */
START_TEST(parallel_branches_are_one_convolution)
{
    struct ncl_graph *graph = net();
    const struct branch wide = {2, 1, 5, 2, false};
    struct ncl_graph *special = recovered(graph, block(graph, 0, &wide));

    ck_assert_int_eq(net_count(special, NCL_OP_CONV), 1);
    ck_assert_int_eq(special->values[special->outputs[0]].dims[1], 11);
    ncl_graph_free(special);
}
END_TEST

START_TEST(a_bias_of_some_branches)
{
    struct ncl_graph *graph = net();
    const struct branch biased = {2 * WIDTH, 1, 2, 2, true};
    struct ncl_graph *special = recovered(graph, block(graph, WIDTH, &biased));

    ck_assert_int_eq(special->node_count, 1);
    ck_assert_ptr_nonnull(special->nodes[0].as.conv.shift);
    ncl_graph_free(special);
}
END_TEST

static const struct branch others[] = {
    {2 * WIDTH, 1, 3, 2, false}, /* more output channels: no grouped convolution */
    {WIDTH, 1, 2, 2, false},     /* a slice twice, another never */
    {2 * WIDTH, 2, 2, 2, false}, /* every second channel */
};

START_TEST(other_slices_stay)
{
    struct ncl_graph *graph = net();
    struct ncl_graph *special = recovered(graph, block(graph, WIDTH, &others[_i]));

    ck_assert_int_eq(net_count(special, NCL_OP_CONV), CARDINALITY);
    ck_assert_int_eq(net_count(special, NCL_OP_CONCAT), 1);
    ncl_graph_free(special);
}
END_TEST

/* Same shapes, other windows: dilation with the padding that keeps the size. */
START_TEST(other_attributes_stay)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2 * WIDTH, 6, 6));
    const struct branch a = {0, 1, 2, 1, false}, b = {WIDTH, 1, 2, 1, false};
    const int parts[2] = {branch(graph, x, 0, &a), branch(graph, x, 1, &b)};

    net_last(graph)->as.conv.pads = axes(4, (int64_t[]){2, 2, 2, 2});
    net_last(graph)->as.conv.dilations = axes(2, (int64_t[]){2, 2});
    special = recovered(graph, concat(graph, 2, parts));
    ck_assert_int_eq(net_count(special, NCL_OP_CONV), 2);
    ncl_graph_free(special);
}
END_TEST

/* A branch that somebody else reads, too, must stay a result of its own. */
START_TEST(a_branch_with_another_reader_stays)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2 * WIDTH, 4, 4));
    const struct branch a = {0, 1, 2, 1, false}, b = {WIDTH, 1, 2, 1, false};
    const int parts[2] = {branch(graph, x, 0, &a), branch(graph, x, 1, &b)};
    const int y = concat(graph, 2, parts);

    must(ncl_graph_add_output(graph, y));
    must(ncl_graph_add_output(graph, parts[1]));
    special = recovered(graph, y);
    ck_assert_int_eq(net_count(special, NCL_OP_CONV), 2);
    ncl_graph_free(special);
}
END_TEST

/* What was folded into the branches before, per branch, is theirs in the joined one. */
START_TEST(batch_norm_and_activation_of_each_branch)
{
    struct ncl_graph *graph = net(), *special;
    const int x = net_input(graph, "x", DIMS(1, 2 * WIDTH, 4, 4));
    int parts[2];

    for (int i = 0; i < 2; i++) {
        const struct branch b = {WIDTH * i, 1, 2, 1, i == 1};
        const int conv = branch(graph, x, i, &b);
        const int norm = i == 0 ? net_batch_norm(graph, "bn", conv, 2) : conv;

        parts[i] = net_node(graph, NCL_OP_RELU, "relu", INPUTS(norm));
    }
    special = net_special(graph, concat(graph, 2, parts));
    net_optimise(special);
    ck_assert_int_eq(special->node_count, 1);
    ck_assert_int_eq(special->nodes[0].as.conv.groups, 2);
    ck_assert_ptr_nonnull(special->nodes[0].as.conv.scale);
    /* Branch 1: bias 1 and 1.5, factor 1. */
    ck_assert(special->nodes[0].as.conv.scale[3] == 1);
    ck_assert(special->nodes[0].as.conv.shift[3] == 1.5);
    ncl_graph_free(special);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, groups_are_recovered);
    tcase_add_test(tcase, equal_slices_are_one_convolution);
    tcase_add_test(tcase, parallel_branches_are_one_convolution);
    tcase_add_test(tcase, a_bias_of_some_branches);
    tcase_add_loop_test(tcase, other_slices_stay, 0, 3);
    tcase_add_test(tcase, other_attributes_stay);
    tcase_add_test(tcase, a_branch_with_another_reader_stays);
    tcase_add_test(tcase, batch_norm_and_activation_of_each_branch);
}

int main(void)
{
    return net_main("graph/pass_groups", add);
}

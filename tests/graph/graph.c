#include "net.h"

START_TEST(values_know_their_size)
{
    const struct ncl_value scalar = {.rank = 0};
    const struct ncl_value huge = {.rank = 3, .dims = {1LL << 31, 1LL << 31, 4}};
    const struct ncl_value unknown = {.rank = 2, .dims = {3, -1}};

    ck_assert_int_eq(ncl_value_elements(&scalar), 1);
    ck_assert_int_eq(ncl_value_elements(&huge), -1);
    ck_assert_int_eq(ncl_value_elements(&unknown), -1);
    ck_assert_int_eq(ncl_value_elements(&(struct ncl_value){.rank = -1}), -1);
}
END_TEST

START_TEST(elements_are_read_at_any_alignment)
{
    unsigned char bytes[17] = {0};
    const float f = -2.5f;
    struct ncl_value value = {.dtype = NCL_DTYPE_F32, .rank = 1, .dims = {2}, .data = bytes + 1};

    memcpy(bytes + 5, &f, sizeof f);
    ck_assert(ncl_value_element(&value, 1) == -2.5);
    value.dtype = NCL_DTYPE_I64;
    memcpy(bytes + 9, &(int64_t){-7}, 8);
    ck_assert(ncl_value_element(&value, 1) == -7);
    ck_assert_int_eq(ncl_value_integer(&value, 1), -7);
}
END_TEST

START_TEST(names_of_everything)
{
    for (int op = 0; op < NCL_OP_COUNT; op++)
        ck_assert_ptr_nonnull(ncl_op_name((enum ncl_op)op));
    ck_assert_str_eq(ncl_op_name(NCL_OP_CONV), "Conv");
    ck_assert_str_eq(ncl_dtype_name(NCL_DTYPE_I64), "int64");
    ck_assert_uint_eq(ncl_dtype_size(NCL_DTYPE_F64), 8);
    ck_assert_uint_eq(ncl_dtype_size(NCL_DTYPE_UNKNOWN), 0);
}
END_TEST

START_TEST(wrong_indices_are_refused)
{
    struct ncl_graph *graph = net();

    ck_assert_int_eq(ncl_graph_add_input(graph, 0), NCL_ERROR_USAGE);
    ck_assert_int_eq(ncl_graph_add_output(graph, -1), NCL_ERROR_USAGE);
    ncl_graph_free(graph);
}
END_TEST

START_TEST(producer_is_found)
{
    struct ncl_graph *graph = net();
    const int x = net_input(graph, "x", DIMS(1, 2));
    const int y = net_node(graph, NCL_OP_RELU, "r", INPUTS(x));

    ck_assert_int_eq(ncl_graph_producer(graph, y), 0);
    ck_assert_int_eq(ncl_graph_producer(graph, x), -1);
    ncl_graph_free(graph);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, values_know_their_size);
    tcase_add_test(tcase, elements_are_read_at_any_alignment);
    tcase_add_test(tcase, names_of_everything);
    tcase_add_test(tcase, wrong_indices_are_refused);
    tcase_add_test(tcase, producer_is_found);
}

int main(void)
{
    return net_main("graph", add);
}

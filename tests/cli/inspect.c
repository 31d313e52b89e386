#include "cli/cli.h"

START_TEST(json_keys)
{
    json_t *root;

    MUST_WORK("inspect %s --json", NET);
    root = said_json();
    must_have(root, "layers launches macs parameters arena_bytes inputs outputs passes");
    must_have(json_array_get(json_object_get(root, "layers"), 0), "name op kind macs");
    json_decref(root);
}
END_TEST

START_TEST(needs_no_device)
{
    shell("NEXTCL_OPENCL_LIBRARY=/none.so NEXTCL_DEVICE=nosuch $NEXTCL_CLI inspect %s", NET);
    ck_assert_msg(said.status == 0, "%s", said.err);
    ck_assert_ptr_nonnull(strstr(said.out, "16 launches"));
    ck_assert_ptr_nonnull(strstr(said.out, "output  output 2x10"));
}
END_TEST

START_TEST(the_main_networks_size)
{
    json_t *root;
    double macs;

    MUST_WORK("inspect zoo:resnext50_32x4d --json");
    root = said_json();
    macs = json_number_value(json_object_get(root, "macs"));
    ck_assert(json_integer_value(json_object_get(root, "launches")) <= 62);
    ck_assert_msg(macs > 4.2e9 && macs < 4.3e9, "%g", macs);
    json_decref(root);
}
END_TEST

START_TEST(a_drawing)
{
    MUST_WORK("inspect %s --dot", NET);
    ck_assert_int_eq(strncmp(said.out, "digraph", 7), 0);
    ck_assert_ptr_nonnull(strstr(said.out, " -> "));
    ck_assert_str_eq(said.out + strlen(said.out) - 2, "}\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("inspect");

    tcase_add_test(tests, json_keys);
    tcase_add_test(tests, needs_no_device);
    tcase_add_test(tests, the_main_networks_size);
    tcase_add_test(tests, a_drawing);
    return cli_suite(tests, "inspect");
}

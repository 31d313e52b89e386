#include "cli/cli.h"

START_TEST(every_layer_is_the_same)
{
    json_t *root;

    MUST_WORK("verify %s", NET);
    ck_assert_ptr_nonnull(strstr(said.out, "16 layers, every one bit-identical"));
    ck_assert_ptr_null(strstr(said.out, "DIFFERENT"));
    MUST_WORK("verify %s --input %s --json", NET, NET_INPUT);
    root = said_json();
    must_have(root, "identical math layers");
    must_have(json_array_get(json_object_get(root, "layers"), 0), "name op algorithm differing");
    json_decref(root);
    MUST_WORK("verify %s --precision fp16 --math reproducible", NET);
    ck_assert_ptr_nonnull(strstr(said.out, "16 layers, every one bit-identical"));
    MUST_WORK("verify %s --math fast", NET);
    ck_assert_ptr_nonnull(strstr(said.out, "bound"));
}
END_TEST

START_TEST(against_a_given_output)
{
    json_t *root;

    MUST_WORK("verify %s --input %s --expect %s --rtol 1e-3 --atol 1e-5 --json", NET, NET_INPUT,
              NET_EXPECTED);
    root = said_json();
    ck_assert(json_is_true(json_object_get(root, "within")));
    must_have(json_array_get(json_object_get(root, "outputs"), 0), "name max_error");
    json_decref(root);
    MUST_WORK("verify %s --input %s --expect output=%s --rtol 1e-3", NET, NET_INPUT, NET_EXPECTED);
    MUST_FAIL(1, "output 'output'", "verify %s --input %s --expect %s --rtol 0 --atol 0", NET,
              NET_INPUT, NET_EXPECTED);
    /* No bound makes up for an infinity: the last of the expected values. */
    shell("{ head -c -4 %s; printf '\\000\\000\\200\\177'; } >\"$T/infinite.npy\"", NET_EXPECTED);
    MUST_FAIL(1, "expected inf", "verify %s --input %s --expect \"$T/infinite.npy\" --rtol 1e-3",
              NET, NET_INPUT);
    MUST_FAIL(3, "elements", "verify %s --input %s --expect %s", NET, NET_INPUT, NET_INPUT);
    MUST_FAIL(2, "no such output", "verify %s --input %s --expect z=%s", NET, NET_INPUT,
              NET_EXPECTED);
    MUST_FAIL(3, "none.npy", "verify %s --input %s --expect none.npy", NET, NET_INPUT);
}
END_TEST

START_TEST(a_launch_left_out_is_named)
{
    shell("OPENCL_LAYERS=$NEXTCL_BUILD/tests/layer_fault.so NCL_LAYER_SKIP=4 $NEXTCL_CLI verify %s",
          NET);
    ck_assert_int_eq(said.status, 1);
    ck_assert_ptr_nonnull(strstr(said.err, "layer '/blocks/blocks.0/conv2/Conv'"));
    ck_assert_ptr_eq(strchr(said.err, '\n'), said.err + strlen(said.err) - 1);
    ck_assert_ptr_nonnull(strstr(said.out, "DIFFERENT /blocks/blocks.0/conv2/Conv"));
}
END_TEST

START_TEST(one_launch_per_layer)
{
    json_t *root;

    shell("OPENCL_LAYERS=$NEXTCL_BUILD/tests/layer_fault.so NCL_LAYER_COUNT=\"$T/count\" "
          "$NEXTCL_CLI run %s --input %s --output-dir \"$T/out\" --math reproducible; "
          "cat \"$T/count\" >&2",
          NET, NET_INPUT);
    ck_assert_int_eq(said.status, 0);
    root = json_loads(said.err, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "launches")), 16);
    json_decref(root);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("verify");

    tcase_add_test(tests, every_layer_is_the_same);
    tcase_add_test(tests, against_a_given_output);
    tcase_add_test(tests, a_launch_left_out_is_named);
    tcase_add_test(tests, one_launch_per_layer);
    return cli_suite(tests, "verify");
}

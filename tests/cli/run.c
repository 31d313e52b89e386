#include "cli/cli.h"

START_TEST(writes_each_output)
{
    json_t *root;

    MUST_WORK("run %s --input %s --output-dir \"$T/a/b/c\"", NET, NET_INPUT);
    ck_assert_ptr_nonnull(strstr(said.out, "/a/b/c/output.npy\n"));
    MUST_WORK("run %s --input input=%s --output-dir \"$T/again\" --json", NET, NET_INPUT);
    root = said_json();
    must_have(root, "outputs latency_ms");
    must_have(json_array_get(json_object_get(root, "outputs"), 0), "name path");
    json_decref(root);
    shell("cmp \"$T/a/b/c/output.npy\" \"$T/again/output.npy\"");
    ck_assert_int_eq(said.status, 0);
    shell("ls -A \"$T/again\"");
    ck_assert_str_eq(said.out, "output.npy\n");
}
END_TEST

/* JSON has '?' for what is no UTF-8; the text is the path itself. */
START_TEST(names_that_are_no_utf8)
{
    json_t *root;
    const json_t *output;

    MUST_WORK("run %s --input %s --output-dir \"$T/$(printf 'o\\377')\"", NET, NET_INPUT);
    ck_assert_ptr_nonnull(strstr(said.out, "/o\377/output.npy\n"));
    MUST_WORK("run %s --input %s --output-dir \"$T/$(printf 'o\\377')\" --json", NET, NET_INPUT);
    root = said_json();
    output = json_array_get(json_object_get(root, "outputs"), 0);
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(output, "path")), "/o?/output.npy"));
    json_decref(root);
}
END_TEST

/* The output is float32 whatever is between. */
START_TEST(fp16_is_near_fp32)
{
    MUST_WORK("run %s --input %s --output-dir \"$T/half\" --precision fp16", NET, NET_INPUT);
    MUST_WORK("verify %s --input %s --expect \"$T/half/output.npy\" --rtol 1e-2 --atol 2e-3", NET,
              NET_INPUT);
    MUST_FAIL(1, "output 'output'",
              "verify %s --input %s --expect \"$T/half/output.npy\" --rtol 1e-5 --atol 1e-6", NET,
              NET_INPUT);
}
END_TEST

START_TEST(the_same_bits_for_every_channel_block)
{
    shell("for b in 4 8 16; do $NEXTCL_CLI run %s --input %s --output-dir \"$T/cb$b\" "
          "--channel-block $b --math reproducible || exit 1; done; "
          "cmp \"$T/cb4/output.npy\" \"$T/cb8/output.npy\" && "
          "cmp \"$T/cb8/output.npy\" \"$T/cb16/output.npy\"",
          NET, NET_INPUT);
    ck_assert_msg(said.status == 0, "%s%s", said.out, said.err);
}
END_TEST

/* Whoever compiles, and whatever became of the file that was started. */
START_TEST(compiles_in_other_processes)
{
    shell("NEXTCL_CACHE_DIR=\"$T/cache\" $NEXTCL_CLI run %s --input %s --output-dir \"$T/first\" "
          "--verbose && NEXTCL_CACHE_DIR=\"$T/cache\" $NEXTCL_CLI run %s --input %s --output-dir "
          "\"$T/second\" && cmp \"$T/first/output.npy\" \"$T/second/output.npy\"",
          NET, NET_INPUT, NET, NET_INPUT);
    ck_assert_msg(said.status == 0, "%s%s", said.out, said.err);
    ck_assert_ptr_null(strstr(said.err, "in this process instead"));
}
END_TEST

START_TEST(a_free_batch_takes_what_comes)
{
    MUST_WORK("run tests/data/resnext_unfolded.onnx "
              "--input tests/data/resnext_unfolded.input.npy --output-dir \"$T/free\"");
}
END_TEST

/* The folder exists, and nothing is in it. */
static void must_be_empty(void)
{
    shell("ls -A \"$T/out\"");
    ck_assert_str_eq(said.out, "");
}

START_TEST(bad_tensors_leave_no_output)
{
    shell("mkdir -p \"$T/out\"; head -c 1000 %s >\"$T/short.npy\"; : >\"$T/empty.npy\"; "
          "{ cat %s; echo tail; } >\"$T/long.npy\"; "
          "sed 's/<f4/<f8/' %s >\"$T/double.npy\"; sed 's/<f4/>f4/' %s >\"$T/big.npy\"",
          NET_INPUT, NET_INPUT, NET_INPUT, NET_INPUT);
    MUST_FAIL(3, "none.npy", "run %s --input none.npy --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "short.npy", "run %s --input \"$T/short.npy\" --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "empty.npy", "run %s --input \"$T/empty.npy\" --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "long.npy", "run %s --input \"$T/long.npy\" --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "double.npy", "run %s --input \"$T/double.npy\" --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "big.npy", "run %s --input \"$T/big.npy\" --output-dir \"$T/out\"", NET);
    MUST_FAIL(3, "rank 2", "run %s --input %s --output-dir \"$T/out\"", NET, NET_EXPECTED);
    MUST_FAIL(3, "dimension",
              "run %s --input tests/data/conv_variants.input.npy --output-dir \"$T/out\"", NET);
    must_be_empty();
}
END_TEST

START_TEST(wrong_usage_leaves_no_output)
{
    shell("mkdir -p \"$T/out\"");
    MUST_FAIL(2, "--output-dir", "run %s --input %s", NET, NET_INPUT);
    MUST_FAIL(2, "--input", "run %s --output-dir \"$T/out\"", NET);
    MUST_FAIL(2, "no input of this name", "run %s --input z=%s --output-dir \"$T/out\"", NET,
              NET_INPUT);
    MUST_FAIL(2, "2 --input", "run %s --input %s --input %s --output-dir \"$T/out\"", NET,
              NET_INPUT, NET_INPUT);
    must_be_empty();
}
END_TEST

START_TEST(outputs_that_cannot_be_written)
{
    shell("echo file >\"$T/plain\"; mkdir -p \"$T/out\"");
    /* Known before a device is opened. */
    MUST_FAIL(3, "plain", "run %s --input %s --output-dir \"$T/plain\" --device nosuch", NET,
              NET_INPUT);
    MUST_FAIL(3, "plain/sub", "run %s --input %s --output-dir \"$T/plain/sub\" --device nosuch",
              NET, NET_INPUT);
    MUST_FAIL(2, "--output-dir", "run %s --input %s --output-dir ''", NET, NET_INPUT);
    MUST_FAIL(3, "/proc/none", "run %s --input %s --output-dir /proc/none", NET, NET_INPUT);
    must_be_empty();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("run");

    tcase_add_test(tests, writes_each_output);
    tcase_add_test(tests, names_that_are_no_utf8);
    tcase_add_test(tests, fp16_is_near_fp32);
    tcase_add_test(tests, the_same_bits_for_every_channel_block);
    tcase_add_test(tests, compiles_in_other_processes);
    tcase_add_test(tests, a_free_batch_takes_what_comes);
    tcase_add_test(tests, bad_tensors_leave_no_output);
    tcase_add_test(tests, wrong_usage_leaves_no_output);
    tcase_add_test(tests, outputs_that_cannot_be_written);
    return cli_suite(tests, "run");
}

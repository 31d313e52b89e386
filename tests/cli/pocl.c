#include "cli/cli.h"

/* /proc takes no folders, whoever asks: a home that cannot be written, even for root. */
#define READ_ONLY_HOME "env -u POCL_CACHE_DIR HOME=/proc/none XDG_CACHE_HOME=/proc/none "

START_TEST(a_home_that_cannot_be_written)
{
    char folder[64] = "";
    const char *line;

    shell(READ_ONLY_HOME "$NEXTCL_CLI bench tests/data/residuals.onnx --repeat 1 --json");
    ck_assert_msg(said.status == 0 && !said.err[0], "%d %s", said.status, said.err);
    shell(READ_ONLY_HOME "$NEXTCL_CLI bench tests/data/residuals.onnx --repeat 1 --verbose");
    ck_assert_int_eq(said.status, 0);
    line = strstr(said.err, "compiles afresh in ");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "compiles afresh in %63s", folder), 1);
    ck_assert_int_ne(access(folder, F_OK), 0);
}
END_TEST

START_TEST(what_the_user_set_is_left_alone)
{
    shell("POCL_CACHE_DIR=\"$T/mine\" HOME=/proc/none $NEXTCL_CLI bench "
          "tests/data/residuals.onnx --repeat 1 --verbose");
    ck_assert_msg(strstr(said.err, "compiles afresh") == NULL, "%s", said.err);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pocl");

    tcase_add_test(tests, a_home_that_cannot_be_written);
    tcase_add_test(tests, what_the_user_set_is_left_alone);
    return cli_suite(tests, "pocl");
}

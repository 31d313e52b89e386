/* Ctrl-C, SIGTERM and SIGHUP: the cases are interrupt.py's. */
#include "cli/cli.h"

#define CASE(name)                                                                                 \
    START_TEST(name)                                                                               \
    {                                                                                              \
        use_store(#name);                                                                          \
        shell("timeout 300 python3 tests/cli/interrupt.py " #name);                                \
        ck_assert_msg(said.status == 0, "%d: %s", said.status, said.err);                          \
    }                                                                                              \
    END_TEST

CASE(every_command)
CASE(nohup_is_respected)
CASE(again_leaves_at_once)
CASE(a_group_with_compilers)
CASE(who_blocks_what)

int main(void)
{
    TCase *tests = tcase_create("interrupt");

    tcase_add_test(tests, every_command);
    tcase_add_test(tests, nohup_is_respected);
    tcase_add_test(tests, again_leaves_at_once);
    tcase_add_test(tests, a_group_with_compilers);
    tcase_add_test(tests, who_blocks_what);
    return cli_suite(tests, "interrupt");
}

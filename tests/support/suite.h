/* A test program's main: one suite, no fork (OpenCL does not survive it). */
#ifndef NCL_TESTS_SUITE_H
#define NCL_TESTS_SUITE_H

#include <check.h>

static inline int ncl_run_suite(TCase *tests, const char *name)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_set_timeout(tests, 0);
    suite_add_tcase(suite, tests);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

#endif

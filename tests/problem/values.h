/* Values and comparisons of the problem floor's tests. */
#ifndef NCL_TESTS_PROBLEM_VALUES_H
#define NCL_TESTS_PROBLEM_VALUES_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Seeded, in -1 .. 1, multiples of 2^-22; free(). */
static inline float *random_floats(size_t count, uint32_t seed)
{
    float *values = malloc(count * sizeof *values);

    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)((int)(seed >> 9) - 0x400000) * 0x1p-22f;
    }
    return values;
}

/* Runs the suite of one case without forking; returns the number of failures. */
static inline int run_case(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failures;

    tcase_set_timeout(tcase, 300);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures;
}

#endif

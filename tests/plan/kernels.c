#include "plan/kernels.h"

#include "plan/choose.h"
#include "plan/problems.h"
#include "support/devices.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static int add(struct ncl_kernels *set, const struct ncl_algo *algo, const struct ncl_problem *p)
{
    int v[NCL_MAX_TUNABLES] = {0}, index = -1;

    algo->defaults(v, p, &set->device->caps);
    ck_assert_int_eq(ncl_kernels_add(set, algo, v, p, &index), NCL_OK);
    return index;
}

static void check_shared(struct ncl_device *device)
{
    struct ncl_kernels set = {.device = device};
    const struct ncl_algo *direct = ncl_algo_find("direct");
    struct ncl_problem small = conv_problem(3, 1), large = small, other = small;

    large.x.c = 64;
    other.epilogue.act = NCL_ACT_NONE;
    ck_assert_int_eq(add(&set, direct, &small), 0);
    ck_assert_int_eq(add(&set, direct, &large), 0);
    ck_assert_int_eq(add(&set, direct, &other), 1);
    ck_assert_int_eq(add(&set, direct, &small), 0);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_int_eq(ncl_kernels_build(&set), NCL_OK);
    ck_assert_uint_le(set.program_count, (size_t)device->caps.programs);
    ck_assert_ptr_nonnull(set.variants[0].program);
    ck_assert_ptr_nonnull(set.variants[1].program);
    ncl_kernels_free(&set);
    ck_assert_uint_eq(set.count, 0);
}

START_TEST(equal_variants_are_built_once)
{
    ncl_on_every_device(check_shared);
}
END_TEST

static void broken_defines(struct ncl_defines *d, const int *v, const struct ncl_problem *p)
{
    (void)v;
    (void)p;
    ncl_define(d, "OP", 9); /* the kernel says #error */
}

static char last_warning[1024];

static void keep_warning(void *user, ncl_log_level level, const char *message)
{
    (void)user;
    if (level == NCL_LOG_WARNING)
        snprintf(last_warning, sizeof last_warning, "%s", message);
}

static void check_isolation(struct ncl_device *device)
{
    const struct ncl_log log = {keep_warning, NULL, NCL_LOG_WARNING};
    struct ncl_kernels set = {.device = device};
    struct ncl_algo broken = *ncl_algo_find("binary");
    const struct ncl_problem sum = add_problem(16), tail = add_problem(13);
    const struct ncl_problem conv = conv_problem(3, 1);
    int good, bad, also_good, later;
    cl_program program;

    broken.defines = broken_defines;
    device->log = &log;
    device->caps.programs = 1;
    good = add(&set, ncl_algo_find("direct"), &conv);
    bad = add(&set, &broken, &sum);
    also_good = add(&set, ncl_algo_find("binary"), &sum);
    ck_assert_int_eq(ncl_kernels_build(&set), NCL_OK);
    ck_assert(set.variants[bad].failed && !set.variants[bad].program);
    ck_assert(!set.variants[good].failed && set.variants[good].program);
    ck_assert(!set.variants[also_good].failed && set.variants[also_good].program);
    ck_assert_msg(strstr(last_warning, "binary does not build") != NULL, "%s", last_warning);
    /* What was built stays; what is added later is built; what failed is not tried again. */
    program = set.variants[good].program;
    later = add(&set, ncl_algo_find("binary"), &tail);
    last_warning[0] = 0;
    ck_assert_int_eq(ncl_kernels_build(&set), NCL_OK);
    ck_assert_ptr_eq(set.variants[good].program, program);
    ck_assert_ptr_nonnull(set.variants[later].program);
    ck_assert_str_eq(last_warning, "");
    ncl_kernels_free(&set);
    device->log = NULL;
}

START_TEST(one_broken_variant_spoils_no_other)
{
    ncl_on_every_device(check_isolation);
}
END_TEST

/* Variants of direct and binary, in turn; all are pending. */
static void fill(struct ncl_kernels *set)
{
    for (int i = 1; i <= 4; i++) {
        const struct ncl_problem sum = add_problem(8 + i);
        struct ncl_problem conv = conv_problem(3, 1);

        conv.epilogue.act = i % 2 ? NCL_ACT_NONE : NCL_ACT_RELU;
        conv.y.c = i > 2 ? 25 : 24;
        ck_assert_int_eq(add(set, ncl_algo_find("direct"), &conv), 2 * i - 2);
        ck_assert_int_eq(add(set, ncl_algo_find("binary"), &sum), 2 * i - 1);
    }
}

/* Two sets that were filled alike have the same programs, each with as much of every algorithm. */
static void check_division(struct ncl_device *device)
{
    struct ncl_kernels sets[2] = {{.device = device}, {.device = device}};
    int shares[2][2] = {{0}};

    device->caps.programs = 2;
    for (int k = 0; k < 2; k++) {
        fill(&sets[k]);
        ncl_kernels_divide(&sets[k]);
    }
    for (int part = 0; part < 2; part++) {
        struct ncl_text texts[2] = {{0}, {0}};

        for (int k = 0; k < 2; k++) {
            ncl_kernels_compose(&sets[k], part, &texts[k]);
            ck_assert(texts[k].data && !texts[k].failed);
        }
        ck_assert_str_eq(texts[0].data, texts[1].data);
        for (int k = 0; k < 2; k++)
            ncl_text_free(&texts[k]);
    }
    for (size_t i = 0; i < sets[0].count; i++)
        shares[sets[0].variants[i].part][i % 2]++;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(shares[i / 2][i % 2], 2);
    /* One part alone. */
    ck_assert_int_eq(ncl_kernels_build_part(&sets[0], 1), NCL_OK);
    for (size_t i = 0; i < sets[0].count; i++)
        ck_assert_int_eq(ncl_variant_pending(&sets[0].variants[i]), sets[0].variants[i].part == 0);
    for (int k = 0; k < 2; k++)
        ncl_kernels_free(&sets[k]);
}

START_TEST(programs_are_divided_alike)
{
    ncl_on_every_device(check_division);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("kernels");

    tcase_add_test(tests, equal_variants_are_built_once);
    tcase_add_test(tests, programs_are_divided_alike);
    tcase_add_test(tests, one_broken_variant_spoils_no_other);
    return ncl_run_suite(tests, "kernels");
}

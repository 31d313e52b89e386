/* What algorithms share; the algorithms themselves have a file each. */
#include "algo/algo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct ncl_tunable tunables[] = {{"P", {1, 2, 4, 8}, 4}, {"KB", {1, 2}, 2}};

/* The problem's batch is the limit on P * KB. */
static bool product_fits(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
    return v[0] * v[1] <= p->x.n;
}

static const struct ncl_algo sample = {
    .name = "sample", .tunables = tunables, .tunable_count = 2, .valid = product_fits};

static struct ncl_problem limited(int limit)
{
    return (struct ncl_problem){.x = {limit, 1, 1, 1}};
}

START_TEST(legal_points_have_listed_values_and_are_valid)
{
    const struct ncl_problem p = limited(8);

    ck_assert(ncl_algo_legal(&sample, (const int[]){4, 2}, &p, NULL));
    ck_assert(!ncl_algo_legal(&sample, (const int[]){3, 2}, &p, NULL));
    ck_assert(!ncl_algo_legal(&sample, (const int[]){4, 0}, &p, NULL));
    ck_assert(!ncl_algo_legal(&sample, (const int[]){8, 2}, &p, NULL));
}
END_TEST

START_TEST(registered_algorithms_are_found)
{
    ck_assert_uint_gt(ncl_algo_count, 0);
    for (size_t i = 0; i < ncl_algo_count; ++i) {
        const struct ncl_algo *algo = ncl_algos[i];

        ck_assert_ptr_eq(ncl_algo_find(algo->name), algo);
        ck_assert(i == 0 || strcmp(ncl_algos[i - 1]->name, algo->name) < 0);
        ck_assert((algo->source != NULL) != (algo->host_run != NULL));
        ck_assert(!algo->source || ncl_algo_source(algo->source));
    }
    ck_assert_ptr_null(ncl_algo_find("no such algorithm"));
    ck_assert_ptr_null(ncl_algo_source("no/such"));
}
END_TEST

START_TEST(epilogue_arguments_keep_their_order)
{
    struct ncl_problem p = {.epilogue = {.bias = true, .scale = true, .residual = true}};
    const enum ncl_role roles[] = {NCL_ARG_BIAS, NCL_ARG_SCALE, NCL_ARG_SHIFT, NCL_ARG_RESIDUAL};
    struct ncl_args args = {.count = 0};

    ncl_arg_epilogue(&args, &p);
    ck_assert_int_eq(args.count, 4);
    for (int i = 0; i < 4; ++i) {
        ck_assert_int_eq(args.items[i].kind, NCL_ARG_KIND_BUFFER);
        ck_assert_int_eq(args.items[i].value.role, roles[i]);
    }
    p.epilogue = (struct ncl_epilogue){.residual = true};
    args.count = 0;
    ncl_arg_epilogue(&args, &p);
    ck_assert_int_eq(args.count, 1);
    ck_assert_int_eq(args.items[0].value.role, NCL_ARG_RESIDUAL);
}
END_TEST

/* 2 groups of 19 channels to 2 groups of 3 outputs, 2 x 3 window; each weight is its own index. */
static struct ncl_problem packed_problem(int channel_block)
{
    return (struct ncl_problem){.kind = NCL_PROBLEM_CONV,
                                .channel_block = channel_block,
                                .x = {1, 38, 5, 5},
                                .y = {1, 6, 4, 3},
                                .of.conv = {{2, 3, 1, 1, 1, 1, 0, 0, 0, 0}, 2}};
}

enum { TAPS = 19 * 2 * 3 };

/* Position of W[k][c][h][w] in the documented order, counted from its parts. */
static int position(int cb, int k, int c, int h, int w)
{
    const int before = c / 16 * 16, width = before == 16 ? 3 : 16;
    const int tap = before * 6 + (h * 3 + w) * width + c % 16;

    return (k / cb * TAPS + tap) * cb + k % cb;
}

START_TEST(weights_are_packed_where_documented)
{
    const int cb = 4 << _i;
    const struct ncl_problem p = packed_problem(cb);
    const size_t floats = ncl_packed_floats_canonical(&p);
    float w[6 * TAPS], *packed = malloc(floats * sizeof *packed);
    const struct ncl_weights weights = {w, TAPS, 6, 3, 1, NULL};
    size_t zeros = 0;

    ck_assert_ptr_nonnull(packed);
    ck_assert_uint_eq(floats, (size_t)(ncl_blocks(6, cb) * cb * TAPS));
    for (int i = 0; i < 6 * TAPS; ++i)
        w[i] = (float)(i + 1);
    ncl_pack_canonical(&p, &weights, packed);
    for (int i = 0; i < 6 * TAPS; ++i) {
        const int k = i / TAPS, c = i % TAPS / 6, h = i % 6 / 3;

        ck_assert(packed[position(cb, k, c, h, i % 3)] == (float)(i + 1));
    }
    for (size_t i = 0; i < floats; ++i)
        zeros += packed[i] == 0.0f;
    ck_assert_uint_eq(zeros, floats - 6 * TAPS);
    free(packed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("algo");
    TCase *tcase = tcase_create("algo");
    SRunner *runner;
    int failures;

    tcase_add_test(tcase, legal_points_have_listed_values_and_are_valid);
    tcase_add_test(tcase, registered_algorithms_are_found);
    tcase_add_test(tcase, epilogue_arguments_keep_their_order);
    tcase_add_loop_test(tcase, weights_are_packed_where_documented, 0, 3);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures;
}

#include "plan/choose.h"

#include "plan/problems.h"
#include "support/suite.h"

#include <string.h>

#define CAPS (&ncl_check_synthetic[0])

/* All algorithms for a problem, best first; returns how many. */
static int all_choices(const struct ncl_problem *p, const struct ncl_caps *caps,
                       struct ncl_choice choices[8])
{
    int count = 0;

    while (count < 8 && ncl_choose(NULL, p, caps, count, &choices[count]) == NCL_OK)
        count++;
    return count;
}

START_TEST(best_rank_first_and_direct_last)
{
    const struct ncl_problem problems[] = {conv_problem(1, 1), conv_problem(3, 1),
                                           conv_problem(3, 4)};

    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        struct ncl_choice choices[8];
        const int count = all_choices(&problems[i], CAPS, choices);

        ck_assert_int_ge(count, 2);
        ck_assert_str_eq(choices[count - 1].point.algo->name, "direct");
        for (int k = 0; k < count; k++) {
            ck_assert(k == 0 || choices[k].point.algo->rank <= choices[k - 1].point.algo->rank);
            ck_assert_str_eq(choices[k].source, k ? "fallback" : "default");
            ck_assert(choices[k].point.algo->applicable(&problems[i], CAPS));
            ck_assert(
                ncl_algo_legal(choices[k].point.algo, choices[k].point.v, &problems[i], CAPS));
        }
    }
}
END_TEST

START_TEST(no_layer_of_the_family_takes_the_fallback)
{
    const struct ncl_problem problems[] = {conv_problem(1, 1), conv_problem(3, 1),
                                           conv_problem(3, 4)};

    for (size_t d = 0; d < ncl_check_synthetic_count; d++)
        for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
            struct ncl_choice choice;

            ck_assert_int_eq(ncl_choose(NULL, &problems[i], &ncl_check_synthetic[d], 0, &choice),
                             NCL_OK);
            ck_assert_msg(strcmp(choice.point.algo->name, "direct") != 0 ||
                              ncl_check_synthetic[d].max_work_group < 8,
                          "%s", ncl_check_synthetic[d].name);
        }
}
END_TEST

START_TEST(canonical_order_excludes_algorithms_that_reorder)
{
    struct ncl_problem p = conv_problem(1, 1);
    struct ncl_choice choices[8];

    p.x = (struct ncl_shape){1, 16, 1, 1}, p.y = (struct ncl_shape){1, 24, 1, 1};
    p.epilogue.act = NCL_ACT_NONE;
    for (int i = all_choices(&p, CAPS, choices); i-- > 0;)
        ck_assert(!choices[i].point.algo->reorders);
}
END_TEST

START_TEST(half_problems_take_algorithms_that_know_halves)
{
    for (size_t d = 0; d < ncl_check_synthetic_count; d++)
        for (int kernel = 1; kernel <= 3; kernel += 2) {
            struct ncl_problem p = conv_problem(kernel, 1);
            struct ncl_choice choices[8];
            int count;

            p.channel_block = ncl_check_synthetic[d].channel_block;
            p.half = p.fast = true;
            count = all_choices(&p, &ncl_check_synthetic[d], choices);
            ck_assert_int_ge(count, 2);
            for (int i = 0; i < count; i++)
                ck_assert_msg(choices[i].point.algo->half, "%s", choices[i].point.algo->name);
        }
}
END_TEST

/* The first choice for a 3x3 of 256 channels on so many pixels squared, with math fast on a GPU. */
static const char *choice_on_gpu(int side, bool half_math)
{
    struct ncl_problem p = conv_problem(3, 1);
    struct ncl_caps caps = {0};
    struct ncl_choice choice;

    for (size_t d = 0; d < ncl_check_synthetic_count; d++)
        if (strcmp(ncl_check_synthetic[d].name, "large GPU") == 0)
            caps = ncl_check_synthetic[d];
    ck_assert_int_eq(caps.type, NCL_DEVICE_GPU);
    p.channel_block = 4;
    p.x = p.y = (struct ncl_shape){1, 256, side, side};
    p.fast = p.finite = true;
    p.half = p.half_math = half_math;
    ck_assert_int_eq(ncl_choose(NULL, &p, &caps, 0, &choice), NCL_OK);
    return choice.point.algo->name;
}

START_TEST(winograd_wants_tiles_for_all_lanes_of_a_gpu)
{
    ck_assert_str_eq(choice_on_gpu(28, false), "winograd");
    ck_assert_str_ne(choice_on_gpu(14, false), "winograd");
    ck_assert_str_ne(choice_on_gpu(28, true), "winograd");
}
END_TEST

START_TEST(past_the_last_one_is_an_error)
{
    const struct ncl_problem p = conv_problem(3, 1);
    struct ncl_choice choices[8];
    const int count = all_choices(&p, CAPS, choices);

    ck_assert_int_lt(count, 8);
    ck_assert_int_eq(ncl_choose(NULL, &p, CAPS, count, &choices[0]), NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "no further algorithm"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("choose");

    tcase_add_test(tests, best_rank_first_and_direct_last);
    tcase_add_test(tests, no_layer_of_the_family_takes_the_fallback);
    tcase_add_test(tests, canonical_order_excludes_algorithms_that_reorder);
    tcase_add_test(tests, half_problems_take_algorithms_that_know_halves);
    tcase_add_test(tests, winograd_wants_tiles_for_all_lanes_of_a_gpu);
    tcase_add_test(tests, past_the_last_one_is_an_error);
    return ncl_run_suite(tests, "choose");
}

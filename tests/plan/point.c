#include "plan/point.h"

#include "plan/problems.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

/* A point of the algorithm at its defaults for some problem on some device. */
static struct ncl_point point_of(const struct ncl_algo *algo)
{
    struct ncl_point point = {.algo = algo};

    for (int i = 0; i < algo->tunable_count; i++)
        point.v[i] = algo->tunables[i].values[algo->tunables[i].count - 1];
    return point;
}

START_TEST(every_algorithm_travels_as_text)
{
    for (size_t i = 0; i < ncl_algo_count; i++) {
        const struct ncl_point point = point_of(ncl_algos[i]);
        struct ncl_point parsed;
        struct ncl_text text = {0};

        ncl_point_params(&point, &text);
        ck_assert_ptr_nonnull(text.data);
        ck_assert_msg(ncl_point_parse(ncl_algos[i]->name, text.data, &parsed), "%s %s",
                      ncl_algos[i]->name, text.data);
        ck_assert(ncl_point_equal(&point, &parsed));
        if (ncl_algos[i]->tunable_count) {
            parsed.v[0]++;
            ck_assert(!ncl_point_equal(&point, &parsed));
        }
        ncl_text_free(&text);
    }
}
END_TEST

START_TEST(text_has_the_names_of_the_kernel)
{
    struct ncl_point point = {.algo = ncl_algo_find("direct"), .v = {32}};
    struct ncl_text text = {0};

    ncl_point_params(&point, &text);
    ck_assert_str_eq(text.data, "WG=32");
    ncl_text_free(&text);
}
END_TEST

START_TEST(the_order_of_parameters_is_free)
{
    const struct ncl_algo *algo = ncl_algo_find("pointwise");
    const struct ncl_point point = point_of(algo);
    struct ncl_text text = {0};
    struct ncl_point parsed;

    for (int i = algo->tunable_count - 1; i >= 0; i--)
        ncl_text_add(&text, "%s=%d%s", algo->tunables[i].name, point.v[i], i ? " " : "");
    ck_assert(ncl_point_parse("pointwise", text.data, &parsed));
    ck_assert(ncl_point_equal(&point, &parsed));
    ncl_text_free(&text);
}
END_TEST

START_TEST(other_text_is_no_point)
{
    static const char *const wrong[] = {
        "",       "WG",     "WG=",         "=32",     "WG=x",     "WG=-1",         "WG= 32",
        "WG=32 ", " WG=32", "WG=32 WG=32", "WG=32,1", "WG=32 P=", "W=32",          "WGG=32",
        "wg=32",  "WG=3.5", "WG=+32",      "WG=32\n", "P=32",     "WG=1000000000", "WG=0x20"};
    struct ncl_point point;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!ncl_point_parse("direct", wrong[i], &point), "'%s'", wrong[i]);
    ck_assert(!ncl_point_parse("no such algorithm", "WG=32", &point));
    ck_assert(!ncl_point_parse("session", "CB=8", &point));
    ck_assert(ncl_point_parse("direct", "WG=32", &point));
    ck_assert(ncl_point_parse("direct", "WG=999999999", &point)); /* a number, not a legal one */
}
END_TEST

START_TEST(legal_needs_the_right_problem_arithmetic_and_values)
{
    const struct ncl_caps *caps = &ncl_check_synthetic[0];
    struct ncl_problem p = conv_problem(3, 1);
    struct ncl_point point = {.algo = ncl_algo_find("winograd")};

    ck_assert(!ncl_point_legal(&point, &p, caps)); /* reorders */
    p.fast = p.finite = true;
    point.algo->defaults(point.v, &p, caps);
    ck_assert(ncl_point_legal(&point, &p, caps));
    point.v[0] = 12345;
    ck_assert(!ncl_point_legal(&point, &p, caps));
    ck_assert(ncl_point_parse("direct", "WG=1", &point));
    ck_assert(ncl_point_legal(&point, &p, caps));
    p = add_problem(16);
    ck_assert(!ncl_point_legal(&point, &p, caps)); /* of another kind */
}
END_TEST

static void check_tokens(const char *source, const char *expected)
{
    struct ncl_text text = {0};

    ncl_kernel_tokens(source, &text);
    ck_assert_str_eq(text.data, expected);
    ncl_text_free(&text);
}

START_TEST(tokens_are_what_the_compiler_sees)
{
    check_tokens("int a = b;", "int a=b;");
    check_tokens("int  a\t=\n  b ; // why\n/* and\nwhy */", "int a=b;");
    check_tokens("a + +b", "a+ +b");
    check_tokens("a/* */b", "a b");
    check_tokens("x;\n  #define A (1) /* one */\n  #define B \\\n  A\ny z;\n",
                 "x;\n#define A (1)\n#define B A\ny z;");
    check_tokens("#if A\n\n\n#endif\n", "#if A\n#endif\n");
}
END_TEST

START_TEST(hashes_follow_the_kernel)
{
    char hashes[64][NCL_HASH_TEXT], other[NCL_HASH_TEXT];
    struct ncl_algo algo = *ncl_algo_find("pointwise");
    struct ncl_tunable tunables[NCL_MAX_TUNABLES];

    ck_assert_uint_le(ncl_algo_count, 64);
    for (size_t i = 0; i < ncl_algo_count; i++) {
        ncl_point_kernel_hash(ncl_algos[i], hashes[i]);
        ck_assert_uint_eq(strlen(hashes[i]), NCL_HASH_TEXT - 1);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(hashes[i], hashes[j]);
        ncl_point_kernel_hash(ncl_algos[i], other);
        ck_assert_str_eq(hashes[i], other);
    }
    ncl_point_kernel_hash(ncl_algo_find("pointwise"), hashes[0]);
    algo.version++;
    ncl_point_kernel_hash(&algo, other);
    ck_assert_str_ne(hashes[0], other);
    algo.version--;
    memcpy(tunables, algo.tunables, (size_t)algo.tunable_count * sizeof *tunables);
    tunables[0].name = "Q";
    algo.tunables = tunables;
    ncl_point_kernel_hash(&algo, other);
    ck_assert_str_ne(hashes[0], other);
    algo = *ncl_algo_find("clblast_gemm");
    ncl_point_kernel_hash(&algo, hashes[0]);
    algo.library = "another";
    ncl_point_kernel_hash(&algo, other);
    ck_assert_str_ne(hashes[0], other);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("point");

    tcase_add_test(tests, every_algorithm_travels_as_text);
    tcase_add_test(tests, text_has_the_names_of_the_kernel);
    tcase_add_test(tests, the_order_of_parameters_is_free);
    tcase_add_test(tests, other_text_is_no_point);
    tcase_add_test(tests, legal_needs_the_right_problem_arithmetic_and_values);
    tcase_add_test(tests, tokens_are_what_the_compiler_sees);
    tcase_add_test(tests, hashes_follow_the_kernel);
    return ncl_run_suite(tests, "point");
}

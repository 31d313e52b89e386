#include "plan/compose.h"

#include "plan/choose.h"
#include "plan/problems.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static struct ncl_defines defines_of(const struct ncl_algo *algo, const struct ncl_problem *p)
{
    struct ncl_defines defines = {0};
    int v[NCL_MAX_TUNABLES] = {0};

    algo->defaults(v, p, &ncl_check_synthetic[0]);
    ncl_compose_defines(&defines, algo, v, p);
    ck_assert(!defines.text.failed);
    return defines;
}

static bool defines_line(const struct ncl_defines *defines, const char *line)
{
    return strstr(defines->text.data, line) != NULL;
}

START_TEST(defines_say_everything_a_kernel_asks)
{
    struct ncl_problem p = conv_problem(1, 1);
    const struct ncl_algo *algo = ncl_algo_find("pointwise");
    struct ncl_defines defines = defines_of(algo, &p);

    ck_assert(defines_line(&defines, "#define CB 8\n"));
    ck_assert(defines_line(&defines, "#define FAST 0\n"));
    ck_assert(defines_line(&defines, "#define HALF 0\n"));
    ck_assert(defines_line(&defines, "#define HAS_BIAS 1\n"));
    ck_assert(defines_line(&defines, "#define HAS_RES 0\n"));
    ck_assert(defines_line(&defines, "#define Y_TAIL 0\n"));
    for (int i = 0; i < algo->tunable_count; i++) {
        char line[64];

        snprintf(line, sizeof line, "#define %s ", algo->tunables[i].name);
        /* Arguments are passed instead: no text may depend on them. */
        ck_assert_msg(defines_line(&defines, line) == !(algo->arguments >> i & 1), "%s", line);
    }
    ncl_text_free(&defines.text);
    p.y.c = 21, p.fast = p.half = true, p.epilogue.act = NCL_ACT_CLIP;
    p.epilogue.a = -0.1f, p.epilogue.b = 6;
    defines = defines_of(algo, &p);
    ck_assert(defines_line(&defines, "#define Y_TAIL 5\n"));
    ck_assert(defines_line(&defines, "#define FAST 1\n"));
    ck_assert(defines_line(&defines, "#define HALF 1\n"));
    ck_assert(defines_line(&defines, "#define ACT_A ") && defines_line(&defines, "#define ACT_B "));
    ncl_text_free(&defines.text);
}
END_TEST

START_TEST(equal_layers_have_equal_text_whatever_their_size)
{
    struct ncl_problem a = conv_problem(1, 1), b = a;
    struct ncl_defines first = defines_of(ncl_algo_find("direct"), &a), second;

    b.x.c = 64, b.y.c = 128;
    second = defines_of(ncl_algo_find("direct"), &b);
    ck_assert_str_eq(first.text.data, second.text.data);
    ncl_text_free(&second.text);
    b.epilogue.residual = true;
    second = defines_of(ncl_algo_find("direct"), &b);
    ck_assert_str_ne(first.text.data, second.text.data);
    ncl_text_free(&second.text);
    ncl_text_free(&first.text);
}
END_TEST

/* Is every "#define NAME" at the start of a line followed by "#undef NAME" before the end? */
static void check_undefined(const char *source)
{
    for (const char *at = source; (at = strstr(at, "\n#define ")) != NULL;) {
        char line[128] = "\n#undef ";
        size_t length = 0;

        at += sizeof "\n#define " - 1;
        while (at[length] != ' ' && at[length] != '(' && at[length] != '\n' && length < 100)
            length++;
        strncat(line, at, length);
        strcat(line, "\n");
        ck_assert_msg(strstr(at, line) != NULL, "left defined:%s", line);
    }
}

START_TEST(a_variant_leaves_nothing_defined)
{
    for (size_t i = 0; i < ncl_algo_count; i++) {
        const struct ncl_problem p = conv_problem(1, 1);
        struct ncl_defines defines = {0};
        struct ncl_text source = {0};

        if (ncl_algos[i]->host_run)
            continue;
        ncl_define(&defines, "CB", p.channel_block);
        ncl_text_add(&source, "\n");
        ncl_compose_variant(&source, ncl_algos[i], &defines, 7);
        ck_assert(!source.failed);
        ck_assert_ptr_nonnull(strstr(source.data, "#define NCL_SUFFIX 7\n"));
        check_undefined(source.data);
        ncl_text_free(&source);
        ncl_text_free(&defines.text);
    }
}
END_TEST

START_TEST(a_missing_source_fails)
{
    struct ncl_algo algo = *ncl_algo_find("binary");
    struct ncl_defines defines = {0};
    struct ncl_text source = {0};

    ncl_define(&defines, "CB", 8);
    algo.source = "no/such";
    ncl_compose_variant(&source, &algo, &defines, 0);
    ck_assert(source.failed);
    ncl_text_free(&source);
    ncl_text_free(&defines.text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("compose");

    tcase_add_test(tests, defines_say_everything_a_kernel_asks);
    tcase_add_test(tests, equal_layers_have_equal_text_whatever_their_size);
    tcase_add_test(tests, a_variant_leaves_nothing_defined);
    tcase_add_test(tests, a_missing_source_fails);
    return ncl_run_suite(tests, "compose");
}

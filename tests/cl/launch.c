#include "cl/launch.h"
#include "support/suite.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(arguments_keep_order_kind_and_value)
{
    struct ncl_args args = {0};

    ncl_arg_buffer(&args, NCL_ARG_Y);
    ncl_arg_int(&args, -3);
    ncl_arg_float(&args, 0.5f);
    ck_assert_int_eq(args.count, 3);
    ck_assert_int_eq(args.items[0].kind, NCL_ARG_KIND_BUFFER);
    ck_assert_int_eq(args.items[0].value.role, NCL_ARG_Y);
    ck_assert_int_eq(args.items[1].value.i, -3);
    ck_assert(args.items[2].value.f == 0.5f);
}
END_TEST

START_TEST(too_many_arguments_are_noticed)
{
    struct ncl_args args = {0};

    for (int i = 0; i < NCL_MAX_ARGS; i++) {
        ncl_arg_int(&args, i);
    }
    ck_assert(!args.overflow);
    ncl_arg_int(&args, 0);
    ck_assert(args.overflow);
    ck_assert_int_eq(args.count, NCL_MAX_ARGS);
}
END_TEST

/* The number in "#define V (number)". */
static void expect_exact(float value)
{
    struct ncl_defines defines = {{0}};
    float read = 0.0f;

    ncl_define_float(&defines, "V", value);
    ck_assert_ptr_nonnull(strstr(defines.text.data, "#define V ("));
    read = strtof(defines.text.data + strlen("#define V ("), NULL);
    ck_assert_mem_eq(&read, &value, sizeof(read));
    ncl_text_free(&defines.text);
}

START_TEST(floats_are_exact)
{
    const float values[] = {0.0f,    -0.0f,       1.0f,    -1.5f,    0.1f,     1e-5f,
                            FLT_MAX, FLT_MIN / 3, FLT_MIN, 1.5e-45f, INFINITY, -INFINITY};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        expect_exact(values[i]);
    }
}
END_TEST

START_TEST(defines_are_lines)
{
    struct ncl_defines defines = {{0}};

    ncl_define(&defines, "CB", 8);
    ncl_define(&defines, "PAD", -1);
    ncl_define_float(&defines, "SLOPE", NAN);
    ck_assert_str_eq(defines.text.data, "#define CB 8\n#define PAD (-1)\n#define SLOPE (NAN)\n");
    ncl_text_free(&defines.text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("launch");

    tcase_add_test(tests, arguments_keep_order_kind_and_value);
    tcase_add_test(tests, too_many_arguments_are_noticed);
    tcase_add_test(tests, floats_are_exact);
    tcase_add_test(tests, defines_are_lines);
    return ncl_run_suite(tests, "cl/launch");
}

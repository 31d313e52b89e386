#include "base/text.h"
#include "support/suite.h"
#include <stdint.h>
#include <string.h>

START_TEST(grows_by_adding_and_appending)
{
    struct ncl_text text = {0};

    for (int i = 0; i < 300; i++) {
        ncl_text_add(&text, "%d,", i % 10);
    }
    ncl_text_append(&text, "tail cut", 4);
    ncl_text_append(&text, NULL, 0);
    ck_assert(!text.failed);
    ck_assert_uint_eq(text.length, 604);
    ck_assert_uint_eq(strlen(text.data), 604);
    ck_assert_str_eq(text.data + 596, "8,9,tail");
    ncl_text_free(&text);
    ck_assert_ptr_null(text.data);
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(an_empty_addition_makes_a_string)
{
    struct ncl_text text = {0};

    ncl_text_append(&text, "", 0);
    ck_assert_str_eq(text.data, "");
    ncl_text_free(&text);
}
END_TEST

START_TEST(failure_sticks)
{
    struct ncl_text text = {0};

    ncl_text_add(&text, "kept");
    ncl_text_append(&text, "x", SIZE_MAX);
    ck_assert(text.failed);
    ncl_text_add(&text, "not added");
    ck_assert(text.failed);
    ck_assert_str_eq(text.data, "kept");
    ncl_text_free(&text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("text");

    tcase_add_test(tests, grows_by_adding_and_appending);
    tcase_add_test(tests, an_empty_addition_makes_a_string);
    tcase_add_test(tests, failure_sticks);
    return ncl_run_suite(tests, "base/text");
}

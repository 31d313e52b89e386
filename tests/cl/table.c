#include "cl/table.h"
#include "support/suite.h"
#include <string.h>

START_TEST(loads_once)
{
    const struct ncl_cl *first = NULL, *second = NULL;

    ck_assert_int_eq(ncl_cl_load(NULL, &first), NCL_OK);
    ck_assert_int_eq(ncl_cl_load(NULL, &second), NCL_OK);
    ck_assert_ptr_eq(first, second);
#define NCL_TEST_PRESENT(name) ck_assert(first->name != NULL);
    NCL_CL_FUNCTIONS(NCL_TEST_PRESENT)
}
END_TEST

START_TEST(errors_are_named_and_mapped)
{
    ck_assert_str_eq(ncl_cl_error_name(-5), "CL_OUT_OF_RESOURCES");
    ck_assert_str_eq(ncl_cl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    ck_assert_str_eq(ncl_cl_error_name(12345), "unknown OpenCL error");
    ck_assert_int_eq(ncl_cl_status(CL_MEM_OBJECT_ALLOCATION_FAILURE), NCL_ERROR_MEMORY);
    ck_assert_int_eq(ncl_cl_status(CL_OUT_OF_HOST_MEMORY), NCL_ERROR_MEMORY);
    ck_assert_int_eq(ncl_cl_status(CL_INVALID_BUFFER_SIZE), NCL_ERROR_MEMORY);
    ck_assert_int_eq(ncl_cl_status(CL_OUT_OF_RESOURCES), NCL_ERROR_DEVICE);
    ck_assert_int_eq(ncl_cl_fail(NULL, "reading", -5), NCL_ERROR_DEVICE);
    ck_assert_str_eq(ncl_error_text(), "reading failed: CL_OUT_OF_RESOURCES (-5)");
}
END_TEST

START_TEST(every_core_code_has_a_name)
{
    for (int code = -72; code <= 0; code++) {
        const int gap = code < -19 && code > -30;
        ck_assert_int_eq(strcmp(ncl_cl_error_name(code), "unknown OpenCL error") == 0, gap);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("table");

    tcase_add_test(tests, loads_once);
    tcase_add_test(tests, errors_are_named_and_mapped);
    tcase_add_test(tests, every_core_code_has_a_name);
    return ncl_run_suite(tests, "cl/table");
}

#include "cl/device.h"
#include "support/suite.h"
#include <stdio.h>
#include <string.h>

/* Platforms 0 and 2 of a machine; 1 has no device. */
static struct ncl_device_entry entries[] = {
    {.platform_index = 0,
     .device_index = 0,
     .caps = {.name = "pthread-haswell",
              .platform = "Portable Computing Language",
              .type = NCL_DEVICE_CPU,
              .native_floats = 8,
              .compute_units = 2}},
    {.platform_index = 2,
     .device_index = 0,
     .caps = {.name = "llvmpipe",
              .platform = "rusticl",
              .type = NCL_DEVICE_CPU,
              .native_floats = 1,
              .compute_units = 8}},
    {.platform_index = 2,
     .device_index = 1,
     .caps = {.name = "Small GPU",
              .platform = "rusticl",
              .type = NCL_DEVICE_GPU,
              .native_floats = 1,
              .compute_units = 4}},
    {.platform_index = 2,
     .device_index = 12,
     .caps = {.name = "Big GPU",
              .platform = "rusticl",
              .type = NCL_DEVICE_GPU,
              .native_floats = 1,
              .compute_units = 40}},
};
static const struct ncl_device_list machine = {entries, 4};

static int chosen(const struct ncl_device_list *list, const char *wanted)
{
    const struct ncl_device_entry *entry = NULL;
    const ncl_status status = ncl_device_choose(NULL, list, wanted, &entry);

    ck_assert_int_eq(status, entry != NULL ? NCL_OK : NCL_ERROR_DEVICE);
    return entry != NULL ? (int)(entry - list->entries) : -1;
}

START_TEST(choices)
{
    const struct ncl_device_list cpus = {entries, 2}, llvmpipe = {entries + 1, 1};

    ck_assert_int_eq(chosen(&machine, NULL), 3);
    ck_assert_int_eq(chosen(&machine, ""), 3);
    ck_assert_int_eq(chosen(&machine, "gpu"), 3);
    ck_assert_int_eq(chosen(&machine, "CPU"), 0);
    ck_assert_int_eq(chosen(&cpus, NULL), 0);
    ck_assert_int_eq(chosen(&cpus, "gpu"), -1);
    ck_assert_int_eq(chosen(&llvmpipe, "cpu"), 0);
    ck_assert_int_eq(chosen(&machine, "SMALL"), 2);
    ck_assert_int_eq(chosen(&machine, "rusti"), 1); /* the first of several */
    ck_assert_int_eq(chosen(&machine, "2:1"), 2);
    ck_assert_int_eq(chosen(&machine, "2:12"), 3);
}
END_TEST

START_TEST(wrong_choices_list_what_there_is)
{
    const char *const wrong[] = {
        "1:0",  "2:2",           "2:1x",           "2:", ":1", "-1:0", "+0:0",
        "0: 0", "99999999999:0", "nothing like it"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(chosen(&machine, wrong[i]), -1);
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), wrong[i]));
        ck_assert_ptr_nonnull(strstr(ncl_error_text(), "2:12 Big GPU (rusticl)"));
    }
}
END_TEST

START_TEST(no_device_at_all)
{
    const struct ncl_device_list none = {0};

    ck_assert_int_eq(chosen(&none, NULL), -1);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "no OpenCL device found"));
}
END_TEST

START_TEST(this_machine_is_listed_in_order)
{
    const struct ncl_cl *cl = NULL;
    struct ncl_device_list list;

    ck_assert_int_eq(ncl_cl_load(NULL, &cl), NCL_OK);
    ck_assert_int_eq(ncl_device_list(NULL, cl, &list), NCL_OK);
    ck_assert_uint_gt(list.count, 0);
    for (size_t i = 0; i < list.count; i++) {
        char index[32];
        snprintf(index, sizeof(index), "%d:%d", list.entries[i].platform_index,
                 list.entries[i].device_index);
        ck_assert_int_eq(chosen(&list, index), (int)i);
    }
    ncl_device_list_free(&list);
    ck_assert_ptr_null(list.entries);
}
END_TEST

static cl_int platforms_code;
static cl_int CL_API_CALL fake_platforms(cl_uint room, cl_platform_id *ids, cl_uint *count)
{
    static int objects[3];

    for (cl_uint i = 0; i < 3 && i < room; i++) {
        ids[i] = (cl_platform_id)(void *)&objects[i];
    }
    *count = 3;
    return platforms_code;
}

static cl_int CL_API_CALL fake_devices(cl_platform_id platform, cl_device_type type, cl_uint room,
                                       cl_device_id *ids, cl_uint *count)
{
    (void)platform, (void)type, (void)room, (void)ids;
    *count = 5; /* drivers exist that write it and fail */
    return CL_DEVICE_NOT_FOUND;
}

START_TEST(empty_platforms_are_no_error)
{
    const struct ncl_cl cl = {.GetPlatformIDs = fake_platforms, .GetDeviceIDs = fake_devices};
    struct ncl_device_list list;

    platforms_code = CL_SUCCESS;
    ck_assert_int_eq(ncl_device_list(NULL, &cl, &list), NCL_OK);
    ck_assert_uint_eq(list.count, 0);
    platforms_code = -1001;
    ck_assert_int_eq(ncl_device_list(NULL, &cl, &list), NCL_OK);
    platforms_code = CL_OUT_OF_HOST_MEMORY;
    ck_assert_int_eq(ncl_device_list(NULL, &cl, &list), NCL_ERROR_MEMORY);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("device_list");

    tcase_add_test(tests, choices);
    tcase_add_test(tests, wrong_choices_list_what_there_is);
    tcase_add_test(tests, no_device_at_all);
    tcase_add_test(tests, this_machine_is_listed_in_order);
    tcase_add_test(tests, empty_platforms_are_no_error);
    return ncl_run_suite(tests, "cl/device_list");
}

#include "support/devices.h"
#include "support/suite.h"
#include <string.h>

static void check_open(struct ncl_device *device)
{
    struct ncl_device again;
    const struct ncl_device_entry entry = {
        .platform = device->platform, .id = device->id, .caps = device->caps};

    ck_assert(device->in_order);
    ck_assert_int_eq(device->profiling, device->caps.profiling);
    ck_assert_int_eq(ncl_device_open(NULL, device->cl, &entry, false, &again), NCL_OK);
    ck_assert(!again.profiling);
    ncl_device_close(&again);
    ck_assert_ptr_null(again.queue);
    ncl_device_close(&again); /* twice does no harm */
}

START_TEST(opens_and_closes)
{
    ncl_on_every_device(check_open);
}
END_TEST

static void check_adopt(struct ncl_device *device)
{
    const struct ncl_cl *cl = device->cl;
    struct ncl_device adopted, other;
    cl_int code = CL_SUCCESS;
    const struct ncl_device_entry entry = {
        .platform = device->platform, .id = device->id, .caps = device->caps};
    cl_command_queue queue = cl->CreateCommandQueue(device->context, device->id,
                                                    CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    const bool out_of_order = code == CL_SUCCESS;

    if (!out_of_order) {
        queue = cl->CreateCommandQueue(device->context, device->id, 0, &code);
    }
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(ncl_device_adopt(NULL, cl, device->context, device->id, queue, &adopted),
                     NCL_OK);
    ck_assert_int_eq(adopted.in_order, !out_of_order);
    ck_assert(!adopted.profiling);
    ck_assert_str_eq(adopted.caps.name, device->caps.name);
    ck_assert_ptr_eq(adopted.platform, device->platform);
    ncl_device_close(&adopted);
    cl->Finish(queue); /* still the caller's */

    ck_assert_int_eq(ncl_device_open(NULL, cl, &entry, false, &other), NCL_OK);
    ck_assert_int_eq(ncl_device_adopt(NULL, cl, other.context, device->id, queue, &adopted),
                     NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "another context"));
    ck_assert_int_eq(ncl_device_adopt(NULL, cl, device->context, NULL, queue, &adopted),
                     NCL_ERROR_USAGE);
    ck_assert_ptr_null(adopted.context);
    ncl_device_close(&other);
    cl->ReleaseCommandQueue(queue);
}

START_TEST(adopts_what_belongs_together)
{
    ncl_on_every_device(check_adopt);
}
END_TEST

START_TEST(a_device_of_another_platform_is_refused)
{
    const struct ncl_cl *cl = NULL;
    struct ncl_device_list list;
    struct ncl_device device, adopted;

    ck_assert_int_eq(ncl_cl_load(NULL, &cl), NCL_OK);
    ck_assert_int_eq(ncl_device_list(NULL, cl, &list), NCL_OK);
    if (list.count > 1) {
        ck_assert_int_eq(ncl_device_open(NULL, cl, &list.entries[0], false, &device), NCL_OK);
        ck_assert_int_eq(
            ncl_device_adopt(NULL, cl, device.context, list.entries[1].id, device.queue, &adopted),
            NCL_ERROR_USAGE);
        ncl_device_close(&device);
    }
    ncl_device_list_free(&list);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("device");

    tcase_add_test(tests, opens_and_closes);
    tcase_add_test(tests, adopts_what_belongs_together);
    tcase_add_test(tests, a_device_of_another_platform_is_refused);
    return ncl_run_suite(tests, "cl/device");
}

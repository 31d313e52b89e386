#include "support/devices.h"
#include "support/suite.h"
#include <stdio.h>

/* No device copies less than 1 MB/s or more than 100 TB/s: either would be a broken clock. */
static void check_bandwidth(struct ncl_device *device)
{
    double gbytes = 0.0;

    ck_assert_int_eq(ncl_device_peak_gbytes(device, &gbytes), NCL_OK);
    printf("%s: %.1f GB/s\n", device->caps.name, gbytes);
    ck_assert(gbytes > 0.001 && gbytes < 1e5);
}

START_TEST(bandwidth_is_plausible_on_every_device)
{
    ncl_on_every_device(check_bandwidth);
}
END_TEST

/* A device whose largest buffer is small is measured with smaller ones. */
static void check_small(struct ncl_device *device)
{
    struct ncl_device small = *device;
    double gbytes = 0.0;

    small.caps.max_allocation = (uint64_t)1 << 20;
    ck_assert_int_eq(ncl_device_peak_gbytes(&small, &gbytes), NCL_OK);
    ck_assert(gbytes > 0.001 && gbytes < 1e5);
}

START_TEST(small_devices_are_measured_too)
{
    ncl_on_every_device(check_small);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("bandwidth");

    tcase_add_test(tests, bandwidth_is_plausible_on_every_device);
    tcase_add_test(tests, small_devices_are_measured_too);
    return ncl_run_suite(tests, "cl/bandwidth");
}

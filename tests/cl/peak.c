#include "support/devices.h"
#include "support/suite.h"
#include <stdio.h>

/* No device is slower than 10 MFLOP/s or faster than a PFLOP/s: either would be a broken clock. */
static void check_peak(struct ncl_device *device)
{
    double reproducible = 0.0, fast = 0.0;

    ck_assert_int_eq(ncl_device_peak_gflops(device, false, &reproducible), NCL_OK);
    ck_assert_int_eq(ncl_device_peak_gflops(device, true, &fast), NCL_OK);
    printf("%s: fma %.1f, mad %.1f GFLOP/s\n", device->caps.name, reproducible, fast);
    ck_assert(reproducible > 0.01 && reproducible < 1e6);
    ck_assert(fast > 0.01 && fast < 1e6);
}

START_TEST(peak_is_plausible_on_every_device)
{
    ncl_on_every_device(check_peak);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("peak");

    tcase_add_test(tests, peak_is_plausible_on_every_device);
    return ncl_run_suite(tests, "cl/peak");
}

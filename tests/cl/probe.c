#include "base/clock.h"
#include "support/devices.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the ratio, not the probe's program. */
static char kept[16];
static size_t kept_bytes;

static ncl_status get(void *self, const char *key, void **data, size_t *bytes)
{
    (void)self;
    if (kept_bytes == 0 || strncmp(key, "ratio ", 6) != 0) {
        return NCL_ERROR_INPUT;
    }
    *data = malloc(kept_bytes);
    ck_assert_ptr_nonnull(*data);
    memcpy(*data, kept, kept_bytes);
    *bytes = kept_bytes;
    return NCL_OK;
}

static void put(void *self, const char *key, const void *data, size_t bytes)
{
    (void)self;
    if (strncmp(key, "ratio ", 6) != 0) {
        return;
    }
    ck_assert_uint_le(bytes, sizeof(kept));
    memcpy(kept, data, bytes);
    kept_bytes = bytes;
}

static void check_ratio(struct ncl_device *device)
{
    double ratio = 0.0, again = 0.0;
    const uint64_t start = ncl_clock_ns();

    kept_bytes = 0;
    device->binaries = (struct ncl_binary_cache){.get = get, .put = put};
    ck_assert_int_eq(ncl_device_fma_ratio(device, &ratio), NCL_OK);
    printf("%s: mad/fma %.3f, %.0f ms\n", device->caps.name, ratio,
           (double)(ncl_clock_ns() - start) / 1e6);
    ck_assert(ratio > 0.0 && ratio < 20.0);
    ck_assert_uint_gt(kept_bytes, 0);
    memcpy(kept, "250", 3);
    kept_bytes = 3;
    ck_assert_int_eq(ncl_device_fma_ratio(device, &again), NCL_OK);
    ck_assert(again == 0.25);
    memcpy(kept, "2x0", 3); /* damaged: measured anew */
    ck_assert_int_eq(ncl_device_fma_ratio(device, &again), NCL_OK);
    ck_assert(again > 0.0 && again != 0.25);
    ck_assert_int_ne(kept[1], 'x');
}

START_TEST(measured_once_then_recalled)
{
    ncl_on_every_device(check_ratio);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("probe");

    tcase_add_test(tests, measured_once_then_recalled);
    return ncl_run_suite(tests, "cl/probe");
}

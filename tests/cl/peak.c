#include "base/clock.h"
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

/* A device that takes so long for any launch, and for each step. Beside launch number `interrupted`
 * and the next ones, `interruptions` in all, another program runs for a while. */
#define OVERHEAD_NS 100000u
#define STEP_NS 100u
#define INTERRUPTION_NS 10000000u
static cl_int steps;
static int launches, interrupted, interruptions;

static cl_int fake_argument(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    (void)kernel;
    if (index == 1 && size == sizeof steps)
        steps = *(const cl_int *)value;
    return CL_SUCCESS;
}

static cl_int fake_enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                           const size_t *offset, const size_t *global, const size_t *local,
                           cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    (void)queue;
    (void)kernel;
    (void)dimensions;
    (void)offset;
    (void)global;
    (void)local;
    (void)wait_count;
    (void)wait;
    (void)event;
    return CL_SUCCESS;
}

static cl_int fake_finish(cl_command_queue queue)
{
    const int number = launches++;
    const bool slow = number >= interrupted && number < interrupted + interruptions;
    const uint64_t start = ncl_clock_ns();
    const uint64_t takes =
        OVERHEAD_NS + STEP_NS * (uint64_t)steps + (slow ? (uint64_t)INTERRUPTION_NS : 0);

    (void)queue;
    while (ncl_clock_ns() - start < takes) {
    }
    return CL_SUCCESS;
}

static double interrupted_peak(const struct ncl_device *device, int at, int count)
{
    double gflops = 0;

    launches = 0;
    interrupted = at;
    interruptions = count;
    ck_assert_int_eq(ncl_device_peak_gflops(device, false, &gflops), NCL_OK);
    return gflops;
}

/* Whatever launch another program runs beside, in the midst of doubling or later. */
static void check_interrupted(struct ncl_device *device)
{
    struct ncl_cl cl = *device->cl;
    struct ncl_device fake = *device;
    double quiet;

    cl.SetKernelArg = fake_argument;
    cl.EnqueueNDRangeKernel = fake_enqueue;
    cl.Finish = fake_finish;
    fake.cl = &cl;
    quiet = interrupted_peak(&fake, -1, 0);
    for (int at = 1; at < 12; at += 2)
        for (int count = 1; count <= 2; count++)
            ck_assert_double_ge(interrupted_peak(&fake, at, count), 0.5 * quiet);
}

START_TEST(an_interrupted_launch_does_not_lower_it)
{
    ncl_on_every_device(check_interrupted);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("peak");

    tcase_add_test(tests, peak_is_plausible_on_every_device);
    tcase_add_test(tests, an_interrupted_launch_does_not_lower_it);
    return ncl_run_suite(tests, "cl/peak");
}

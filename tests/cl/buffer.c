#include "base/memory.h"
#include "support/devices.h"
#include "support/suite.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static void check_transfers(struct ncl_device *device)
{
    unsigned char out[100], in[100];
    cl_mem buffer = NULL;

    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = (unsigned char)(i * 7);
    }
    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, 200, &buffer), NCL_OK);
    ck_assert_int_eq(ncl_buffer_write(device, buffer, 100, out, sizeof(out)), NCL_OK);
    ck_assert_int_eq(ncl_buffer_write(device, buffer, 0, out, 0), NCL_OK);
    ck_assert_int_eq(ncl_buffer_read(device, buffer, 100, in, sizeof(in)), NCL_OK);
    ck_assert_mem_eq(in, out, sizeof(in));
    ck_assert_int_eq(ncl_buffer_read(device, buffer, 101, in, sizeof(in)), NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), device->caps.name));
    ncl_buffer_release(device, &buffer);
    ck_assert_ptr_null(buffer);
    ncl_buffer_release(device, &buffer);
}

START_TEST(bytes_come_back)
{
    ncl_on_every_device(check_transfers);
}
END_TEST

static void check_refusal(struct ncl_device *device)
{
    cl_mem buffer = NULL;

    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, 0, &buffer), NCL_ERROR_MEMORY);
    ck_assert_ptr_null(buffer);
    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, SIZE_MAX / 4, &buffer),
                     NCL_ERROR_MEMORY);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "the largest allowed is"));
}

START_TEST(impossible_sizes_are_memory_errors)
{
    ncl_on_every_device(check_refusal);
}
END_TEST

#define LARGE (2 * NCL_PAGES_ALIGN + 4096)

/* The memory of a large buffer is ours where the device uses the host's, until the last part of it
 * is released. */
static void check_large(struct ncl_device *device)
{
    const size_t offset = LARGE - 4096;
    const unsigned char out[3] = {7, 8, 9};
    unsigned char in[3] = {0}, *memory = NULL, resident;
    cl_mem whole = NULL, part = NULL;

    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, LARGE, &whole), NCL_OK);
    device->cl->GetMemObjectInfo(whole, CL_MEM_HOST_PTR, sizeof(memory), &memory, NULL);
    ck_assert_int_eq(memory != NULL, ncl_caps_uses_host_memory(&device->caps));
    ck_assert_uint_eq((uintptr_t)memory % NCL_PAGES_ALIGN, 0);
    ck_assert_int_eq(ncl_buffer_part(device, whole, offset, 4096, &part), NCL_OK);
    ck_assert_int_eq(ncl_buffer_write(device, whole, offset + 5, out, sizeof(out)), NCL_OK);
    ncl_buffer_release(device, &whole);
    ck_assert_int_eq(ncl_buffer_read(device, part, 5, in, sizeof(in)), NCL_OK);
    ck_assert_mem_eq(in, out, sizeof(in));
    ncl_buffer_release(device, &part);
    device->cl->Finish(device->queue);
    if (memory != NULL) {
        ck_assert_int_eq(mincore(memory, 1, &resident), -1);
        ck_assert_int_eq(errno, ENOMEM);
    }
}

START_TEST(large_buffers_give_their_pages_back)
{
    ncl_on_every_device(check_large);
}
END_TEST

/* A driver that refuses memory of ours, or to say when it is done with it. */
static struct {
    bool refuses_memory, refuses_callback;
    int made, in_pages, released;
    void *memory;
} driver;

static cl_mem CL_API_CALL fake_create(cl_context context, cl_mem_flags flags, size_t bytes,
                                      void *memory, cl_int *code)
{
    (void)context, (void)bytes;
    ck_assert_int_eq((flags & CL_MEM_USE_HOST_PTR) != 0, memory != NULL);
    *code = memory != NULL && driver.refuses_memory ? CL_INVALID_HOST_PTR : CL_SUCCESS;
    if (*code != CL_SUCCESS) {
        return NULL;
    }
    driver.made++;
    driver.in_pages += memory != NULL;
    driver.memory = memory != NULL ? memory : driver.memory;
    return (cl_mem)&driver;
}

static cl_int CL_API_CALL fake_callback(cl_mem buffer, void(CL_CALLBACK *call)(cl_mem, void *),
                                        void *user)
{
    ck_assert_ptr_eq(buffer, (cl_mem)&driver);
    if (driver.refuses_callback) {
        return CL_OUT_OF_HOST_MEMORY;
    }
    call(buffer, user);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL fake_release(cl_mem buffer)
{
    ck_assert_ptr_eq(buffer, (cl_mem)&driver);
    driver.released++;
    return CL_SUCCESS;
}

static void create_refused(size_t bytes, bool refuses_memory, bool refuses_callback)
{
    const struct ncl_cl cl = {.CreateBuffer = fake_create,
                              .SetMemObjectDestructorCallback = fake_callback,
                              .ReleaseMemObject = fake_release};
    struct ncl_device device = {.cl = &cl};
    unsigned char resident;
    cl_mem buffer = NULL;

    memset(&driver, 0, sizeof(driver));
    driver.refuses_memory = refuses_memory;
    driver.refuses_callback = refuses_callback;
    device.caps.type = NCL_DEVICE_CPU;
    device.caps.unified_memory = true;
    device.caps.max_allocation = LARGE;
    ck_assert_int_eq(ncl_buffer_create(&device, CL_MEM_READ_WRITE, bytes, &buffer), NCL_OK);
    ck_assert_ptr_eq(buffer, (cl_mem)&driver);
    if (driver.memory != NULL) {
        ck_assert_int_eq(mincore(driver.memory, 1, &resident), -1);
    }
}

START_TEST(a_driver_that_refuses_our_pages_uses_its_own)
{
    create_refused(LARGE, true, false);
    ck_assert_int_eq(driver.made, 1);
    ck_assert_int_eq(driver.in_pages, 0);
    create_refused(LARGE, false, true);
    ck_assert_int_eq(driver.made, 2);
    ck_assert_int_eq(driver.in_pages, 1);
    ck_assert_int_eq(driver.released, 1);
    create_refused(LARGE, false, false);
    ck_assert_int_eq(driver.made, 1);
    ck_assert_int_eq(driver.in_pages, 1);
    create_refused(NCL_PAGES_ALIGN - 1, false, false);
    ck_assert_int_eq(driver.in_pages, 0);
    create_refused(LARGE + 1, false, false); /* more than the device allows: its own error */
    ck_assert_int_eq(driver.in_pages, 0);
}
END_TEST

static cl_ulong times[2];
static cl_int CL_API_CALL fake_profile(cl_event event, cl_profiling_info what, size_t bytes,
                                       void *value, size_t *size)
{
    (void)event, (void)size;
    memcpy(value, &times[what == CL_PROFILING_COMMAND_END], bytes);
    return times[0] == 1 ? CL_PROFILING_INFO_NOT_AVAILABLE : CL_SUCCESS;
}

static bool event_time(cl_ulong start, cl_ulong end, uint64_t *ns)
{
    const struct ncl_cl cl = {.GetEventProfilingInfo = fake_profile};
    const struct ncl_device device = {.cl = &cl};

    times[0] = start;
    times[1] = end;
    return ncl_event_ns(&device, NULL, ns);
}

START_TEST(impossible_times_are_refused)
{
    const cl_ulong hour = (cl_ulong)3600 * 1000000000u;
    uint64_t ns = 0;

    ck_assert(event_time(1000, 3000, &ns));
    ck_assert_uint_eq(ns, 2000);
    ck_assert(!event_time(1, 5000, &ns));
    ck_assert(!event_time(0, 5000, &ns));
    ck_assert(!event_time(3000, 3000, &ns));
    ck_assert(!event_time(3000, 3001, &ns)); /* rusticl */
    ck_assert(!event_time(3000, 1000, &ns));
    ck_assert(!event_time(3000, 3001 + hour, &ns));
}
END_TEST

static cl_ulong stamps[NCL_EVENT_TIMES];
static cl_int CL_API_CALL fake_stamps(cl_event event, cl_profiling_info what, size_t bytes,
                                      void *value, size_t *size)
{
    (void)event, (void)size;
    memcpy(value, &stamps[what - CL_PROFILING_COMMAND_QUEUED], bytes);
    return stamps[0] == 7 ? CL_PROFILING_INFO_NOT_AVAILABLE : CL_SUCCESS;
}

static bool event_times(cl_ulong queued, cl_ulong submitted, cl_ulong started, cl_ulong ended)
{
    const struct ncl_cl cl = {.GetEventProfilingInfo = fake_stamps};
    const struct ncl_device device = {.cl = &cl};
    uint64_t times_read[NCL_EVENT_TIMES];
    const cl_ulong given[NCL_EVENT_TIMES] = {queued, submitted, started, ended};
    bool valid;

    memcpy(stamps, given, sizeof stamps);
    valid = ncl_event_times(&device, NULL, times_read);
    ck_assert(!valid || memcmp(times_read, given, sizeof given) == 0);
    return valid;
}

START_TEST(times_out_of_order_are_refused)
{
    ck_assert(event_times(10, 20, 30, 40));
    ck_assert(event_times(10, 10, 10, 10)); /* a coarse clock */
    ck_assert(!event_times(7, 20, 30, 40)); /* the driver has none */
    ck_assert(!event_times(0, 20, 30, 40));
    ck_assert(!event_times(0, 0, 0, 0));
    ck_assert(!event_times(30, 20, 30, 40));
    ck_assert(!event_times(10, 31, 30, 40));
    ck_assert(!event_times(10, 20, 30, 29));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("buffer");

    tcase_add_test(tests, bytes_come_back);
    tcase_add_test(tests, impossible_sizes_are_memory_errors);
    tcase_add_test(tests, large_buffers_give_their_pages_back);
    tcase_add_test(tests, a_driver_that_refuses_our_pages_uses_its_own);
    tcase_add_test(tests, impossible_times_are_refused);
    tcase_add_test(tests, times_out_of_order_are_refused);
    return ncl_run_suite(tests, "cl/buffer");
}

#include "support/devices.h"
#include "support/suite.h"
#include <string.h>

static void check_plausible(struct ncl_device *device)
{
    const struct ncl_caps *caps = &device->caps;

    ck_assert_str_ne(caps->platform, "");
    ck_assert_str_ne(caps->name, "");
    ck_assert_str_ne(caps->driver, "");
    ck_assert_ptr_eq(strstr(caps->version, "OpenCL "), caps->version);
    ck_assert_uint_ge(caps->compute_units, 1);
    ck_assert_uint_ge(caps->max_work_group, 1);
    ck_assert_uint_ge(caps->max_work_items[0], 1);
    ck_assert_uint_ge(caps->max_allocation, 1u << 20);
    ck_assert_uint_ge(caps->global_memory, caps->max_allocation);
    ck_assert_uint_ge(caps->base_align, 128);
    ck_assert(caps->channel_block == 4 || caps->channel_block == 8 || caps->channel_block == 16);
    ck_assert_int_ge(caps->registers, 16);
    ck_assert_int_ge(caps->programs, 1);
    ck_assert_uint_le((size_t)caps->preferred_work_group, caps->max_work_group);
    if (ncl_caps_is_cpu_like(caps)) {
        ck_assert_int_eq(caps->preferred_work_group, 1);
    } else {
        ck_assert_int_eq(caps->channel_block, 4);
        ck_assert_int_eq(caps->native_floats, 1);
    }
}

START_TEST(every_device_is_plausible)
{
    ncl_on_every_device(check_plausible);
}
END_TEST

/* A device as a driver of the given quality would describe it. */
static struct {
    cl_device_type type;
    cl_uint width, vendor_id, wavefront, warp; /* 0: not told */
    const char *version;
    bool refuses; /* everything but names */
} fake;

static cl_int CL_API_CALL fake_platform(cl_platform_id platform, cl_platform_info what,
                                        size_t bytes, void *value, size_t *size)
{
    (void)platform, (void)what, (void)bytes, (void)size;
    memcpy(value, "Fake", 5);
    return CL_SUCCESS;
}

static cl_int answer(const void *from, size_t bytes, void *value, size_t *size)
{
    memcpy(value, from, bytes);
    if (size != NULL) {
        *size = bytes;
    }
    return CL_SUCCESS;
}

static cl_int CL_API_CALL fake_device(cl_device_id device, cl_device_info what, size_t bytes,
                                      void *value, size_t *size)
{
    const cl_uint units = 3;

    (void)device, (void)bytes;
    if (what == CL_DEVICE_NAME) {
        return answer("  Padded name ", 15, value, size);
    }
    if (what == CL_DEVICE_VERSION) {
        return answer(fake.version, strlen(fake.version) + 1, value, size);
    }
    if (what == CL_DEVICE_TYPE) {
        return answer(&fake.type, sizeof(fake.type), value, size);
    }
    if (fake.refuses) {
        return CL_INVALID_VALUE;
    }
    if (what == CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT) {
        return answer(&fake.width, sizeof(fake.width), value, size);
    }
    if (what == CL_DEVICE_VENDOR_ID) {
        return answer(&fake.vendor_id, sizeof(fake.vendor_id), value, size);
    }
    if (what == 0x4043 && fake.wavefront > 0) {
        return answer(&fake.wavefront, sizeof(fake.wavefront), value, size);
    }
    if (what == 0x4003 && fake.warp > 0) {
        return answer(&fake.warp, sizeof(fake.warp), value, size);
    }
    if (what == CL_DEVICE_EXTENSIONS) {
        return answer("cl_khr_fp16_more cl_khr_fp64", 29, value, size);
    }
    return what == CL_DEVICE_MAX_COMPUTE_UNITS ? answer(&units, sizeof(units), value, size)
                                               : CL_INVALID_VALUE;
}

static struct ncl_caps query_fake(cl_device_type type, cl_uint width, bool refuses)
{
    const struct ncl_cl cl = {.GetPlatformInfo = fake_platform, .GetDeviceInfo = fake_device};
    struct ncl_caps caps;

    fake.type = type;
    fake.width = width;
    fake.version = "OpenCL 1.2 x";
    fake.refuses = refuses;
    ck_assert_int_eq(ncl_caps_query(NULL, &cl, NULL, NULL, &caps), NCL_OK);
    return caps;
}

START_TEST(refused_queries_leave_nothing)
{
    const struct ncl_caps caps = query_fake(CL_DEVICE_TYPE_GPU, 0, true);

    ck_assert_str_eq(caps.name, "Padded name");
    ck_assert_uint_eq(caps.compute_units, 0);
    ck_assert_uint_eq(caps.max_work_group, 1);
    ck_assert_uint_eq(caps.base_align, 128);
    ck_assert_int_eq(caps.preferred_work_group, 1);
    ck_assert(!caps.fp16 && !caps.fp64 && !caps.profiling && !caps.fma_reported);
}
END_TEST

START_TEST(derived_values_follow_the_facts)
{
    struct ncl_caps caps = query_fake(CL_DEVICE_TYPE_CPU, 16, false);

    ck_assert_int_eq(caps.channel_block, 16);
    ck_assert_int_eq(caps.registers, 32);
    ck_assert(!caps.fp16 && !caps.half_math); /* cl_khr_fp16_more is another extension */
    ck_assert_uint_eq(caps.compute_units, 3);
    caps = query_fake(CL_DEVICE_TYPE_CPU, 8, false);
    ck_assert_int_eq(caps.channel_block, 8);
    ck_assert_int_eq(caps.registers, 16);
    caps = query_fake(CL_DEVICE_TYPE_CPU, 1, false); /* as llvmpipe */
    ck_assert_int_eq(caps.channel_block, 4);
    ck_assert(!ncl_caps_is_cpu_like(&caps));
    caps = query_fake(CL_DEVICE_TYPE_GPU, 4, false); /* as Mali */
    ck_assert_int_eq(caps.native_floats, 1);
    ck_assert_int_eq(caps.registers, 64);
    caps = query_fake(CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_CPU, 4, false); /* as Oclgrind */
    ck_assert_int_eq(caps.type, NCL_DEVICE_OTHER);
}
END_TEST

START_TEST(gpus_say_how_their_compilers_want_to_be_fed)
{
    struct ncl_caps caps = query_fake(CL_DEVICE_TYPE_GPU, 1, false);

    ck_assert_int_eq(caps.lanes, 64); /* an unknown maker */
    ck_assert(!caps.scalar_registers && !caps.index_addressing);
    fake.vendor_id = 0x1002, fake.wavefront = 32;
    caps = query_fake(CL_DEVICE_TYPE_GPU, 1, false);
    ck_assert_int_eq(caps.lanes, 32);
    ck_assert(caps.scalar_registers && !caps.index_addressing);
    fake.wavefront = 0xffff; /* an answer that cannot be */
    ck_assert_int_eq(query_fake(CL_DEVICE_TYPE_GPU, 1, false).lanes, 64);
    fake.vendor_id = 0x10de, fake.warp = 32;
    caps = query_fake(CL_DEVICE_TYPE_GPU, 1, false);
    ck_assert_int_eq(caps.lanes, 32);
    ck_assert(!caps.scalar_registers && !caps.index_addressing);
    fake.vendor_id = 0x8086;
    caps = query_fake(CL_DEVICE_TYPE_GPU, 1, false);
    ck_assert(!caps.scalar_registers && caps.index_addressing);
    caps = query_fake(CL_DEVICE_TYPE_CPU, 16, false);
    ck_assert_int_eq(caps.lanes, 1);
    ck_assert(!caps.index_addressing);
    fake.vendor_id = fake.wavefront = fake.warp = 0;
}
END_TEST

START_TEST(old_devices_are_refused)
{
    const struct ncl_cl cl = {.GetPlatformInfo = fake_platform, .GetDeviceInfo = fake_device};
    const char *const versions[] = {"OpenCL 1.1 Mesa", "OpenCL", "", "3.0"};
    struct ncl_caps caps;

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        fake.version = versions[i];
        ck_assert_int_eq(ncl_caps_query(NULL, &cl, NULL, NULL, &caps), NCL_ERROR_DEVICE);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("caps");

    tcase_add_test(tests, every_device_is_plausible);
    tcase_add_test(tests, refused_queries_leave_nothing);
    tcase_add_test(tests, derived_values_follow_the_facts);
    tcase_add_test(tests, gpus_say_how_their_compilers_want_to_be_fed);
    tcase_add_test(tests, old_devices_are_refused);
    return ncl_run_suite(tests, "cl/caps");
}

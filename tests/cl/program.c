#include "cl/program.h"
#include "support/devices.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

static const char good[] = "__kernel void put(__global int *y) { y[0] = VALUE; }\n";

/* A cache of one block. */
struct one {
    char key[128];
    unsigned char *data;
    size_t bytes;
    int gets, hits, puts;
};

static ncl_status get(void *self, const char *key, void **data, size_t *bytes)
{
    struct one *one = self;

    one->gets++;
    if (one->data == NULL || strcmp(one->key, key) != 0) {
        return NCL_ERROR_INPUT;
    }
    one->hits++;
    *data = malloc(one->bytes + 1);
    ck_assert_ptr_nonnull(*data);
    memcpy(*data, one->data, one->bytes);
    *bytes = one->bytes;
    return NCL_OK;
}

static void put(void *self, const char *key, const void *data, size_t bytes)
{
    struct one *one = self;

    one->puts++;
    ck_assert_uint_lt(strlen(key), sizeof(one->key));
    strcpy(one->key, key);
    free(one->data);
    one->data = malloc(bytes);
    ck_assert_ptr_nonnull(one->data);
    memcpy(one->data, data, bytes);
    one->bytes = bytes;
}

static int run(const struct ncl_device *device, const char *options)
{
    const struct ncl_cl *cl = device->cl;
    const size_t size = 1;
    cl_program program = NULL;
    cl_int code = CL_SUCCESS;
    cl_mem y = NULL;
    int value = 0;

    ck_assert_int_eq(ncl_program_build(device, good, options, &program), NCL_OK);
    cl_kernel kernel = cl->CreateKernel(program, "put", &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, 64, &y), NCL_OK);
    ck_assert_int_eq(cl->SetKernelArg(kernel, 0, sizeof(y), &y), CL_SUCCESS);
    ck_assert_int_eq(
        cl->EnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &size, &size, 0, NULL, NULL),
        CL_SUCCESS);
    ck_assert_int_eq(ncl_buffer_read(device, y, 0, &value, sizeof(value)), NCL_OK);
    ncl_buffer_release(device, &y);
    cl->ReleaseKernel(kernel);
    ncl_program_release(device, &program);
    ck_assert_ptr_null(program);
    return value;
}

static void check_options(struct ncl_device *device)
{
    ck_assert_int_eq(run(device, "-DVALUE=41"), 41);
    ck_assert_int_eq(run(device, "-cl-std=CL1.2 -DVALUE=42"), 42);
}

START_TEST(builds_and_runs)
{
    ncl_on_every_device(check_options);
}
END_TEST

static void check_failure(struct ncl_device *device)
{
    cl_program program = NULL;

    ck_assert_int_eq(
        ncl_program_build(device, "__kernel void f() { undeclared = 1; }", NULL, &program),
        NCL_ERROR_DEVICE);
    ck_assert_ptr_null(program);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "CL_BUILD_PROGRAM_FAILURE (-11)"));
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "undeclared"));
}

START_TEST(a_failed_build_quotes_the_first_error)
{
    ncl_on_every_device(check_failure);
}
END_TEST

/* A second build must come from the cache. */
static void check_hit(struct ncl_device *device, struct one *one)
{
    ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
    ck_assert_int_eq(one->puts, 1);
    ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
    ck_assert_int_eq(one->hits, 1);
    ck_assert_int_eq(one->puts, 1);
}

/* Whatever is wrong with the block, it is replaced. */
static void check_damage(struct ncl_device *device, struct one *one)
{
    const size_t whole = one->bytes;
    int puts = one->puts;

    one->data[whole / 2] ^= 1;
    ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
    ck_assert_int_eq(one->puts, ++puts);
    const size_t cuts[] = {whole - 1, 41, 40, 7, 0};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        one->bytes = cuts[i];
        ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
        ck_assert_int_eq(one->puts, ++puts);
        ck_assert_uint_gt(one->bytes, 41);
    }
    one->data[0] ^= 1;
    ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
    ck_assert_int_eq(one->puts, ++puts);
}

static void check_cache(struct ncl_device *device)
{
    struct one one = {0};

    device->binaries = (struct ncl_binary_cache){.self = &one, .get = get, .put = put};
    if (device->caps.caches_programs) {
        ck_assert_int_eq(run(device, "-DVALUE=5"), 5);
        ck_assert_int_eq(one.gets, 0);
    }
    device->caps.caches_programs = false;
    check_hit(device, &one);
    check_damage(device, &one);
    ck_assert_int_eq(run(device, "-DVALUE=6"), 6); /* other options, other key */
    free(one.data);
    device->binaries = (struct ncl_binary_cache){0};
}

START_TEST(binaries_are_kept_and_damage_is_noticed)
{
    ncl_on_every_device(check_cache);
}
END_TEST

/* A sound block whose binary the driver refuses. */
static cl_int refusals;
static cl_program CL_API_CALL refuse(cl_context context, cl_uint count, const cl_device_id *ids,
                                     const size_t *sizes, const unsigned char **binaries,
                                     cl_int *codes, cl_int *code)
{
    (void)context, (void)count, (void)ids, (void)sizes, (void)binaries, (void)codes;
    refusals++;
    *code = CL_INVALID_BINARY;
    return NULL;
}

static void check_refused(struct ncl_device *device)
{
    struct one one = {0};
    struct ncl_cl cl = *device->cl;
    struct ncl_device stubborn = *device;

    refusals = 0;
    cl.CreateProgramWithBinary = refuse;
    stubborn.cl = &cl;
    stubborn.caps.caches_programs = false;
    stubborn.binaries = (struct ncl_binary_cache){.self = &one, .get = get, .put = put};
    ck_assert_int_eq(run(&stubborn, "-DVALUE=5"), 5);
    ck_assert_int_eq(run(&stubborn, "-DVALUE=5"), 5);
    ck_assert_int_eq(refusals, 1);
    ck_assert_int_eq(one.puts, 2);
    free(one.data);
}

/* Whose driver keeps what it compiles: a note says that it does, one per text and options. */
static void check_notes(struct ncl_device *device)
{
    struct one one = {.bytes = 0};

    device->caps.caches_programs = true;
    device->binaries = (struct ncl_binary_cache){0};
    ncl_program_note(device, good, "-DVALUE=1");
    ck_assert(!ncl_program_known(device, good, "-DVALUE=1"));
    device->binaries = (struct ncl_binary_cache){&one, get, put};
    ck_assert_int_eq(run(device, "-DVALUE=1"), 1);
    ck_assert_int_eq(one.puts + one.gets, 0);
    ck_assert(!ncl_program_known(device, good, "-DVALUE=1"));
    ncl_program_note(device, good, "-DVALUE=1");
    ck_assert_int_eq(one.puts, 1);
    ck_assert(ncl_program_known(device, good, "-DVALUE=1"));
    ck_assert(!ncl_program_known(device, good, "-DVALUE=2"));
    /* Elsewhere the binary says it. */
    device->caps.caches_programs = false;
    ncl_program_note(device, good, "-DVALUE=2");
    ck_assert_int_eq(one.puts, 1);
    ck_assert(!ncl_program_known(device, good, "-DVALUE=2"));
    ck_assert_int_eq(run(device, "-DVALUE=2"), 2);
    ck_assert(ncl_program_known(device, good, "-DVALUE=2"));
    free(one.data);
}

START_TEST(what_was_built_is_known)
{
    ncl_on_every_device(check_notes);
}
END_TEST

START_TEST(a_refused_binary_is_built_from_source)
{
    ncl_on_every_device(check_refused);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("program");

    tcase_add_test(tests, builds_and_runs);
    tcase_add_test(tests, a_failed_build_quotes_the_first_error);
    tcase_add_test(tests, binaries_are_kept_and_damage_is_noticed);
    tcase_add_test(tests, what_was_built_is_known);
    tcase_add_test(tests, a_refused_binary_is_built_from_source);
    return ncl_run_suite(tests, "cl/program");
}

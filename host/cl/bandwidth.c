#include "base/clock.h"
#include "cl/program.h"
#include <stdio.h>

/* Neighbouring work-items of a GPU read neighbouring vectors; a CPU's each walk a part of their
 * own, which its prefetchers follow. */
static const char body[] =
    "__kernel void ncl_copy(__global const VECTOR *from, __global VECTOR *to, int steps)\n"
    "{\n"
    "    const int id = (int)get_global_id(0), all = (int)get_global_size(0);\n"
    "    int at = WALK ? id * steps : id;\n"
    "    for (int i = 0; i < steps; i++, at += WALK ? 1 : all)\n"
    "        to[at] = from[at];\n"
    "}\n";

#define SMALLEST ((size_t)64 << 20)
#define LARGEST ((size_t)256 << 20)
#define CACHES 4 /* how many times the device's cache a buffer is */
#define STEPS 64 /* vectors a work-item copies; every buffer is a multiple */

struct bandwidth {
    const struct ncl_device *device;
    cl_program program;
    cl_kernel kernel;
    cl_mem from, to;
    size_t global, local;
    size_t bytes; /* of each buffer */
};

static size_t buffer_bytes(const struct ncl_device *device)
{
    const struct ncl_caps *caps = &device->caps;
    cl_ulong cache = 0;
    size_t bytes = SMALLEST;

    /* Unknown is as good as none: the smallest size exceeds most caches. */
    (void)device->cl->GetDeviceInfo(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache,
                                    &cache, NULL);
    while (bytes < LARGEST && bytes < CACHES * cache) {
        bytes *= 2;
    }
    while (bytes > caps->max_allocation || bytes > caps->global_memory / 8) {
        bytes /= 2;
    }
    return bytes;
}

static ncl_status prepare(struct bandwidth *b)
{
    const struct ncl_device *device = b->device;
    const struct ncl_caps *caps = &device->caps;
    const bool cpu = ncl_caps_is_cpu_like(caps);
    const int lanes = !cpu || caps->native_floats < 8 ? 4 : caps->native_floats < 16 ? 8 : 16;
    char source[sizeof body + 128];
    ncl_status status;
    cl_int code;

    b->local = (size_t)caps->preferred_work_group;
    b->global = buffer_bytes(device) / ((size_t)lanes * sizeof(float) * STEPS);
    b->global = b->global > b->local ? b->global - b->global % b->local : b->local;
    b->bytes = b->global * STEPS * (size_t)lanes * sizeof(float);
    snprintf(source, sizeof source, "#define VECTOR float%d\n#define WALK %d\n%s", lanes, cpu,
             body);
    status = ncl_program_build(device, source, NCL_BUILD_OPTIONS, &b->program);
    if (status == NCL_OK) {
        status = ncl_buffer_create(device, CL_MEM_READ_WRITE, b->bytes, &b->from);
    }
    if (status == NCL_OK) {
        status = ncl_buffer_create(device, CL_MEM_READ_WRITE, b->bytes, &b->to);
    }
    if (status != NCL_OK) {
        return status;
    }
    b->kernel = device->cl->CreateKernel(b->program, "ncl_copy", &code);
    return code == CL_SUCCESS ? NCL_OK : ncl_cl_fail(device->log, "creating a kernel", code);
}

static cl_int copy(const struct bandwidth *b, const cl_mem *from, const cl_mem *to, uint64_t *ns)
{
    const struct ncl_cl *cl = b->device->cl;
    const cl_int steps = STEPS;
    cl_command_queue queue = b->device->queue;
    cl_int code = cl->SetKernelArg(b->kernel, 0, sizeof *from, from);
    uint64_t start;

    code = code != CL_SUCCESS ? code : cl->SetKernelArg(b->kernel, 1, sizeof *to, to);
    code = code != CL_SUCCESS ? code : cl->SetKernelArg(b->kernel, 2, sizeof steps, &steps);
    start = ncl_clock_ns();
    code = code != CL_SUCCESS ? code
                              : cl->EnqueueNDRangeKernel(queue, b->kernel, 1, NULL, &b->global,
                                                         &b->local, 0, NULL, NULL);
    code = code != CL_SUCCESS ? code : cl->Finish(queue);
    *ns = ncl_clock_ns() - start;
    return code;
}

/* Best of five, after both buffers were written: pages that nothing has written yet are one page of
 * zeros, which stays in the cache. */
static ncl_status measure(const struct bandwidth *b, double *gbytes_per_s)
{
    uint64_t ns = 0, best = UINT64_MAX;
    cl_int code = copy(b, &b->to, &b->from, &ns);

    code = code != CL_SUCCESS ? code : copy(b, &b->from, &b->to, &ns);
    for (int i = 0; i < 5 && code == CL_SUCCESS; i++) {
        code = copy(b, &b->from, &b->to, &ns);
        best = ns < best ? ns : best;
    }
    if (code != CL_SUCCESS) {
        return ncl_cl_fail(b->device->log, "measuring the memory bandwidth", code);
    }
    *gbytes_per_s = 2.0 * (double)b->bytes / (double)(best + 1);
    return NCL_OK;
}

ncl_status ncl_device_peak_gbytes(const struct ncl_device *device, double *gbytes_per_s)
{
    struct bandwidth b = {.device = device};
    ncl_status status = prepare(&b);

    if (status == NCL_OK) {
        status = measure(&b, gbytes_per_s);
    }
    if (b.kernel != NULL) {
        device->cl->ReleaseKernel(b.kernel);
    }
    ncl_buffer_release(device, &b.to);
    ncl_buffer_release(device, &b.from);
    ncl_program_release(device, &b.program);
    return status;
}

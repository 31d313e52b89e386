#include "base/clock.h"
#include "cl/program.h"
#include <stdio.h>

/* Independent chains hide a pipeline's latency; operands are arguments, so nothing is computed at
 * build time. Twelve vectors fit the registers of every device that vectors suit at all. */
#define CHAINS 12
static const char body[] =
    "#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)\n"
    "#define START(i) VECTOR v##i = (VECTOR)(xs * (get_global_id(0) + i));\n"
    "#define STEP(i) v##i = OP(v##i, x, y);\n"
    "#define SUM(i) sum += v##i;\n"
    "__kernel void ncl_peak(__global VECTOR *out, int steps, float xs, float ys)\n"
    "{\n"
    "    const VECTOR x = (VECTOR)(xs), y = (VECTOR)(ys);\n"
    "    VECTOR sum = (VECTOR)(0.0f);\n"
    "    ALL(START)\n"
    "    for (int i = 0; i < steps; i++) { ALL(STEP) }\n"
    "    ALL(SUM)\n"
    "    out[get_global_id(0)] = sum;\n"
    "}\n";

/* A launch this long drowns its own overhead, and is far from a display driver's watchdog. */
#define LONG_ENOUGH_NS 4000000u
#define MAX_STEPS (1 << 22)
#define LAUNCHES 8

struct peak {
    const struct ncl_device *device;
    cl_program program;
    cl_kernel kernel;
    cl_mem out;
    int lanes;
    size_t global, local;
};

static ncl_status prepare(struct peak *peak, bool fast)
{
    const struct ncl_device *device = peak->device;
    const struct ncl_caps *caps = &device->caps;
    const bool cpu = ncl_caps_is_cpu_like(caps);
    char source[sizeof body + 128];
    ncl_status status;
    cl_int code;

    peak->lanes = !cpu || caps->native_floats < 8 ? 4 : caps->native_floats < 16 ? 8 : 16;
    peak->local = (size_t)caps->preferred_work_group;
    peak->global = peak->local * caps->compute_units * (cpu ? 4 : 16);
    snprintf(source, sizeof source, "#define VECTOR float%d\n#define OP %s\n%s", peak->lanes,
             fast ? "mad" : "fma", body);
    status = ncl_program_build(device, source, NCL_BUILD_OPTIONS, &peak->program);
    if (status == NCL_OK) {
        status = ncl_buffer_create(device, CL_MEM_WRITE_ONLY,
                                   peak->global * (size_t)peak->lanes * sizeof(float), &peak->out);
    }
    if (status != NCL_OK) {
        return status;
    }
    peak->kernel = device->cl->CreateKernel(peak->program, "ncl_peak", &code);
    return code == CL_SUCCESS ? NCL_OK : ncl_cl_fail(device->log, "creating a kernel", code);
}

static cl_int launch(const struct peak *peak, cl_int steps, uint64_t *ns)
{
    const struct ncl_cl *cl = peak->device->cl;
    const cl_float x = 0.999f, y = 0.001f;
    cl_command_queue queue = peak->device->queue;
    cl_int code = cl->SetKernelArg(peak->kernel, 0, sizeof(cl_mem), &peak->out);
    uint64_t start;

    code = code != CL_SUCCESS ? code : cl->SetKernelArg(peak->kernel, 1, sizeof steps, &steps);
    code = code != CL_SUCCESS ? code : cl->SetKernelArg(peak->kernel, 2, sizeof x, &x);
    code = code != CL_SUCCESS ? code : cl->SetKernelArg(peak->kernel, 3, sizeof y, &y);
    start = ncl_clock_ns();
    code = code != CL_SUCCESS
               ? code
               : cl->EnqueueNDRangeKernel(queue, peak->kernel, 1, NULL, &peak->global, &peak->local,
                                          0, NULL, NULL);
    code = code != CL_SUCCESS ? code : cl->Finish(queue);
    *ns = ncl_clock_ns() - start;
    return code;
}

/* Nanoseconds of a launch; a long one may have been interrupted, the next is not. */
static cl_int launch_twice(const struct peak *peak, cl_int steps, uint64_t *ns)
{
    uint64_t again;
    cl_int code = launch(peak, steps, ns);

    if (code != CL_SUCCESS || *ns < LONG_ENOUGH_NS) {
        return code;
    }
    code = launch(peak, steps, &again);
    *ns = again < *ns ? again : *ns;
    return code;
}

/* Doubles the work until a launch is long enough, then takes the best: other programs may run
 * beside one launch, hardly beside all. Where it shows that they ran beside those that seemed long,
 * it goes on doubling. */
static ncl_status measure(const struct peak *peak, double *gflops)
{
    uint64_t ns = 0, best;
    cl_int steps = 64;
    cl_int code = launch(peak, 1, &ns);

    do {
        do {
            steps *= 2;
            code = code != CL_SUCCESS ? code : launch_twice(peak, steps, &ns);
        } while (code == CL_SUCCESS && ns < LONG_ENOUGH_NS && steps < MAX_STEPS);
        best = UINT64_MAX;
        for (int i = 0; i < LAUNCHES && code == CL_SUCCESS; i++) {
            code = launch(peak, steps, &ns);
            best = ns < best ? ns : best;
        }
    } while (code == CL_SUCCESS && best < LONG_ENOUGH_NS / 2 && steps < MAX_STEPS);
    if (code != CL_SUCCESS) {
        return ncl_cl_fail(peak->device->log, "measuring the fma peak", code);
    }
    *gflops = 2.0 * CHAINS * peak->lanes * steps * (double)peak->global / (double)(best + 1);
    return NCL_OK;
}

ncl_status ncl_device_peak_gflops(const struct ncl_device *device, bool fast, double *gflops)
{
    struct peak peak = {.device = device};
    ncl_status status = prepare(&peak, fast);

    if (status == NCL_OK) {
        status = measure(&peak, gflops);
    }
    if (peak.kernel != NULL) {
        device->cl->ReleaseKernel(peak.kernel);
    }
    ncl_buffer_release(device, &peak.out);
    ncl_program_release(device, &peak.program);
    return status;
}

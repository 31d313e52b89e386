#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "cl/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chains of dependent steps that stay in registers; eight of them hide a pipeline's latency. Both
 * loops are in one kernel: a CPU driver's compiler is slower than the measurement. `steps` and the
 * operands are arguments, so nothing can be computed at build time. */
static const char source[] =
    "#define STEP(op)                                                      \\\n"
    "    a = op(a, x, y); b = op(b, x, y); c = op(c, x, y); d = op(d, x, y); \\\n"
    "    e = op(e, x, y); f = op(f, x, y); g = op(g, x, y); h = op(h, x, y);\n"
    "__kernel void ncl_probe(__global float4 *out, int steps, int use_fma, float xs, float ys)\n"
    "{\n"
    "    const float4 x = (float4)(xs), y = (float4)(ys);\n"
    "    float4 a = (float4)((float)get_global_id(0)), b = a + 1.0f, c = a + 2.0f, d = a + 3.0f;\n"
    "    float4 e = a + 4.0f, f = a + 5.0f, g = a + 6.0f, h = a + 7.0f;\n"
    "    if (use_fma) {\n"
    "        for (int i = 0; i < steps; i++) { STEP(fma) }\n"
    "    } else {\n"
    "        for (int i = 0; i < steps; i++) { STEP(mad) }\n"
    "    }\n"
    "    out[get_global_id(0)] = ((a + b) + (c + d)) + ((e + f) + (g + h));\n"
    "}\n";

struct probe {
    const struct ncl_device *device;
    cl_kernel kernel;
    cl_mem out;
    size_t global, local;
    cl_int steps;
};

struct duration {
    uint64_t wall_ns, event_ns;
    bool has_event;
};

static cl_int set_args(const struct probe *probe, cl_int steps, cl_int use_fma)
{
    const struct ncl_cl *cl = probe->device->cl;
    const cl_float x = 0.999f, y = 0.001f;
    cl_int code = cl->SetKernelArg(probe->kernel, 0, sizeof(cl_mem), &probe->out);

    code = code != CL_SUCCESS ? code : cl->SetKernelArg(probe->kernel, 1, sizeof(steps), &steps);
    code =
        code != CL_SUCCESS ? code : cl->SetKernelArg(probe->kernel, 2, sizeof(use_fma), &use_fma);
    code = code != CL_SUCCESS ? code : cl->SetKernelArg(probe->kernel, 3, sizeof(x), &x);
    return code != CL_SUCCESS ? code : cl->SetKernelArg(probe->kernel, 4, sizeof(y), &y);
}

static ncl_status launch(const struct probe *probe, cl_int steps, cl_int use_fma,
                         struct duration *duration)
{
    const struct ncl_device *device = probe->device;
    cl_event event = NULL;
    uint64_t start = 0;
    cl_int code = set_args(probe, steps, use_fma);

    if (code == CL_SUCCESS) {
        start = ncl_clock_ns();
        code = device->cl->EnqueueNDRangeKernel(device->queue, probe->kernel, 1, NULL,
                                                &probe->global, &probe->local, 0, NULL, &event);
    }
    if (code == CL_SUCCESS) {
        code = device->cl->WaitForEvents(1, &event);
        duration->wall_ns = ncl_clock_ns() - start;
        duration->has_event = ncl_event_ns(device, event, &duration->event_ns);
        device->cl->ReleaseEvent(event);
    }
    return code == CL_SUCCESS ? NCL_OK : ncl_cl_fail(device->log, "measuring fma", code);
}

static void keep_shorter(struct duration *best, const struct duration *now)
{
    const bool events = best->has_event && now->has_event;

    if (best->wall_ns == 0 ||
        (events ? now->event_ns < best->event_ns : now->wall_ns < best->wall_ns)) {
        *best = *now;
    }
}

static double ratio_of(const struct duration *mad, const struct duration *fma)
{
    const bool events = mad->has_event && fma->has_event;
    const uint64_t mad_ns = events ? mad->event_ns : mad->wall_ns;
    const uint64_t fma_ns = events ? fma->event_ns : fma->wall_ns;

    return (double)mad_ns / (double)(fma_ns > 0 ? fma_ns : 1);
}

/* On a busy machine any launch may be interrupted for longer than it takes, and the answer decides
 * the bits of --math auto: `native` is believed at once, anything less only when the shortest of
 * several launches say so. Where mad took clearly longer than fma, it was interrupted. */
#define CLEARLY_EMULATED 0.2
#define CLEARLY_NATIVE 0.7
#define INTERRUPTED 1.4
#define MIN_DOUBTS 2
#define MAX_DOUBTS 12

static ncl_status measure(const struct probe *probe, double *ratio)
{
    struct duration warm_up = {0}, mad = {0}, fma = {0};
    ncl_status status = launch(probe, 1, 1, &warm_up);
    bool decided = false;

    for (int i = 1; i <= MAX_DOUBTS && status == NCL_OK && !decided; i++) {
        struct duration now = {0};

        status = launch(probe, probe->steps, 0, &now);
        keep_shorter(&mad, &now);
        if (status == NCL_OK) {
            status = launch(probe, probe->steps, 1, &now);
        }
        keep_shorter(&fma, &now);
        *ratio = ratio_of(&mad, &fma);
        decided = (*ratio > CLEARLY_NATIVE && *ratio < INTERRUPTED) ||
                  (*ratio < CLEARLY_EMULATED && i >= MIN_DOUBTS);
    }
    return status;
}

/* A CPU with fma takes 1 to 3 ms; one that emulates it (1 GFLOP/s) a tenth of a second. */
static void size_probe(const struct ncl_caps *caps, struct probe *probe)
{
    const bool cpu = ncl_caps_is_cpu_like(caps);
    const size_t units = caps->compute_units == 0     ? 1
                         : caps->compute_units > 1024 ? 1024
                                                      : caps->compute_units;

    probe->local = (size_t)caps->preferred_work_group;
    probe->global = units * (cpu ? 768 : probe->local);
    probe->steps = cpu ? 1024 : 512;
}

static ncl_status probe_device(const struct ncl_device *device, double *ratio)
{
    struct probe probe = {.device = device};
    cl_program program = NULL;
    cl_int code = CL_SUCCESS;
    ncl_status status = ncl_program_build(device, source, "", &program);

    size_probe(&device->caps, &probe);
    if (status == NCL_OK) {
        probe.kernel = device->cl->CreateKernel(program, "ncl_probe", &code);
        status = code == CL_SUCCESS ? NCL_OK : ncl_cl_fail(device->log, "creating a kernel", code);
    }
    if (status == NCL_OK) {
        status = ncl_buffer_create(device, CL_MEM_WRITE_ONLY, probe.global * sizeof(cl_float4),
                                   &probe.out);
    }
    if (status == NCL_OK) {
        status = measure(&probe, ratio);
    }
    ncl_buffer_release(device, &probe.out);
    if (probe.kernel != NULL) {
        device->cl->ReleaseKernel(probe.kernel);
    }
    ncl_program_release(device, &program);
    return status;
}

#define KEY_BYTES 64
static bool make_key(const struct ncl_device *device, char key[KEY_BYTES])
{
    struct ncl_text text = {0};
    char digits[NCL_HASH_TEXT] = "";
    const bool cached = device->binaries.get != NULL;

    if (cached) {
        ncl_text_add(&text, "%s\n%s\n%s\n%s", device->caps.platform, device->caps.name,
                     device->caps.driver, device->caps.version);
    }
    if (cached && !text.failed) {
        ncl_hash_text(ncl_hash_bytes(text.data, text.length), digits);
        snprintf(key, KEY_BYTES, "ratio %s", digits);
    }
    ncl_text_free(&text);
    return digits[0] != '\0';
}

/* Kept in thousandths as decimal digits: no locale, no byte order. */
static bool recall(const struct ncl_device *device, const char *key, double *ratio)
{
    void *data = NULL;
    size_t bytes = 0;
    unsigned thousandths = 0;
    bool good = false;

    if (device->binaries.get(device->binaries.self, key, &data, &bytes) != NCL_OK) {
        return false;
    }
    good = bytes > 0 && bytes <= 6;
    for (size_t i = 0; i < bytes && good; i++) {
        const unsigned char digit = ((const unsigned char *)data)[i];
        good = digit >= '0' && digit <= '9';
        thousandths = thousandths * 10 + (digit - (unsigned)'0');
    }
    free(data);
    *ratio = thousandths / 1000.0;
    return good;
}

static void remember(const struct ncl_device *device, const char *key, double ratio)
{
    char digits[16];
    const unsigned thousandths = ratio > 900.0 ? 900000 : (unsigned)(ratio * 1000.0 + 0.5);
    const int length = snprintf(digits, sizeof(digits), "%u", thousandths);

    device->binaries.put(device->binaries.self, key, digits, (size_t)length);
}

bool ncl_device_fma_known(const struct ncl_device *device)
{
    char key[KEY_BYTES] = "";
    double ratio = 0;

    return make_key(device, key) && recall(device, key, &ratio);
}

ncl_status ncl_device_fma_ratio(const struct ncl_device *device, double *ratio)
{
    char key[KEY_BYTES] = "";
    const bool cached = make_key(device, key);
    ncl_status status = NCL_OK;

    if (cached && recall(device, key, ratio)) {
        return NCL_OK;
    }
    status = probe_device(device, ratio);
    if (status == NCL_OK) {
        ncl_note(device->log, NCL_LOG_INFO, "%s: fma runs at %d%% of mad's speed",
                 device->caps.name, (int)(*ratio * 100.0 + 0.5));
    }
    if (status == NCL_OK && cached) {
        remember(device, key, *ratio);
    }
    return status;
}

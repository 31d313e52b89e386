/* Dense and 1x1 convolutions by CLBlast's matrix products: a competitor for the tuner, and what a
 * user of CLBlast would have. It sums in its own order, so for math fast only. It reads dense
 * matrices, which tensors are in two cases, and nothing is converted for the others:
 *   one pixel in all   y = W x + bias; a BLOCKED vector is a dense one with a tail
 *   PLAIN x and y      Y[K][HW] = W[K][C] X[C][HW] of each image, without bias
 * SGEMV serves the bias only: with beta = 0 it still reads y, and NaN times 0 is NaN; SGEMM
 * doesn't. Weights are packed as [K][C]. */
#include "algo/algo.h"
#include "cl/device.h"
#ifdef NCL_HAVE_CLBLAST
#include <clblast_c.h>
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define LIBRARY                                                                                    \
    "CLBlast " TEXT(CLBLAST_VERSION_MAJOR) "." TEXT(CLBLAST_VERSION_MINOR) "." TEXT(               \
        CLBLAST_VERSION_PATCH)
#else
#define LIBRARY "no CLBlast"
#endif

static bool one_pixel(const struct ncl_problem *p)
{
    return p->x.n * p->x.h * p->x.w == 1;
}

static bool is_matrix_product(const struct ncl_problem *p)
{
    const struct ncl_window *w = &p->of.conv.window;
    const struct ncl_epilogue *e = &p->epilogue;

    return p->of.conv.groups == 1 && w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 &&
           w->stride_w == 1 && w->pad_top + w->pad_left + w->pad_bottom + w->pad_right == 0 &&
           !e->scale && !e->residual && e->act == NCL_ACT_NONE;
}

static bool applicable(const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)caps;
#ifndef NCL_HAVE_CLBLAST
    return false;
#endif
    if (!p->fast || !is_matrix_product(p))
        return false;
    return one_pixel(p) ||
           (p->x_order == NCL_PLAIN && p->y_order == NCL_PLAIN && !p->epilogue.bias);
}

static bool valid(const int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)v;
    return applicable(p, caps);
}

static void defaults(int *v, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    (void)v;
    (void)p;
    (void)caps;
}

static size_t packed_floats(const int *v, const struct ncl_problem *p)
{
    (void)v;
    return (size_t)p->y.c * (size_t)p->x.c;
}

static void pack(const int *v, const struct ncl_problem *p, const struct ncl_weights *weights,
                 float *packed)
{
    (void)v;
    for (int k = 0; k < p->y.c; ++k) {
        for (int c = 0; c < p->x.c; ++c)
            *packed++ = ncl_weight(weights, k, c, 0, 0);
    }
}

#ifdef NCL_HAVE_CLBLAST
static ncl_status check(const struct ncl_device *device, const char *what, int code)
{
    if (code == CLBlastSuccess)
        return NCL_OK;
    if (code > CLBlastInsufficientMemoryY) /* one of OpenCL's own */
        return ncl_cl_fail(device->log, what, code);
    return ncl_fail(device->log, NCL_ERROR_DEVICE, "%s: expected CLBlast's status 0, found %d",
                    what, code);
}

/* y starts as the bias, and its tail lanes, which no product writes, as +0. */
static ncl_status prefill(const struct ncl_device *device, const struct ncl_problem *p,
                          const cl_mem *buffers, cl_command_queue queue)
{
    static const float zeros[16] = {0};
    const size_t bytes = (size_t)p->y.c * sizeof(float);
    const int blocks = ncl_blocks(p->y.c, p->channel_block);
    const int tail = p->y_order == NCL_BLOCKED ? blocks * p->channel_block - p->y.c : 0;
    cl_int code = CL_SUCCESS;

    if (p->epilogue.bias)
        code = device->cl->EnqueueCopyBuffer(queue, buffers[NCL_ARG_BIAS], buffers[NCL_ARG_Y], 0, 0,
                                             bytes, 0, NULL, NULL);
    if (!code && tail)
        code = device->cl->EnqueueWriteBuffer(queue, buffers[NCL_ARG_Y], CL_FALSE, bytes,
                                              (size_t)tail * sizeof(float), zeros, 0, NULL, NULL);
    if (!code) /* the queue may be out of order */
        code = device->cl->EnqueueBarrierWithWaitList(queue, 0, NULL, NULL);
    return check(device, "clblast_gemm: preparing the output", code);
}

static ncl_status product(const struct ncl_device *device, const struct ncl_problem *p,
                          const cl_mem *buffers, cl_command_queue queue, cl_event *event)
{
    const size_t k = (size_t)p->y.c, c = (size_t)p->x.c, pixels = (size_t)p->y.h * (size_t)p->y.w;
    const cl_mem x = buffers[NCL_ARG_X], w = buffers[NCL_ARG_W], y = buffers[NCL_ARG_Y];

    if (p->epilogue.bias)
        return check(device, "CLBlastSgemv",
                     CLBlastSgemv(CLBlastLayoutRowMajor, CLBlastTransposeNo, k, c, 1.0f, w, 0, c, x,
                                  0, 1, 1.0f, y, 0, 1, &queue, event));
    return check(device, "CLBlastSgemmStridedBatched",
                 CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo,
                                            CLBlastTransposeNo, k, pixels, c, 1.0f, w, 0, c, 0, x,
                                            0, pixels, c * pixels, 0.0f, y, 0, pixels, k * pixels,
                                            (size_t)p->y.n, &queue, event));
}
#endif

static ncl_status host_run(const struct ncl_device *device, const int *v,
                           const struct ncl_problem *p, const cl_mem *buffers,
                           cl_command_queue queue, cl_event *event)
{
    (void)v;
#ifdef NCL_HAVE_CLBLAST
    const ncl_status status = prefill(device, p, buffers, queue);

    return status ? status : product(device, p, buffers, queue, event);
#else
    (void)p;
    (void)buffers;
    (void)queue;
    (void)event;
    return ncl_fail(device->log, NCL_ERROR_USAGE, "clblast_gemm: this NextCL has no CLBlast");
#endif
}

const struct ncl_algo ncl_algo_clblast_gemm = {
    .name = "clblast_gemm",
    .version = 1,
    .kind = NCL_PROBLEM_CONV,
    .rank = 5,
    .reorders = true,
    .applicable = applicable,
    .valid = valid,
    .defaults = defaults,
    .packed_floats = packed_floats,
    .pack = pack,
    .host_run = host_run,
    .library = LIBRARY,
};

/* The worker's end of compile.h: builds a session's programs and launches each kernel once, on
 * memory of its own, since drivers compile a kernel for a work-group when it is first launched. */
#include "session/compile.h"

#include "base/memory.h"
#include "base/process.h"
#include "cl/program.h"
#include "plan/launch.h"

#include <stdio.h>
#include <stdlib.h>

static bool reply(int out, ncl_status status)
{
    struct ncl_wire_reply message = {.kind = NCL_WIRE_DONE, .status = (int32_t)status};

    snprintf(message.text, sizeof message.text, "%s", status == NCL_OK ? "" : ncl_error_text());
    return ncl_fd_write(out, &message, sizeof message);
}

static size_t tensor_bytes(const struct ncl_problem *p, struct ncl_shape shape, int images,
                           enum ncl_order order)
{
    if (images)
        shape.n = images;
    return ncl_shape_elements(&shape, order, p->channel_block) * ncl_element_bytes(order, p->half);
}

static void count_bytes(const struct ncl_problem *p, const struct ncl_point *point,
                        size_t bytes[NCL_ROLE_COUNT])
{
    const size_t channels = ncl_round_up((size_t)p->y.c, (size_t)p->channel_block) * sizeof(float);
    struct ncl_shape y = p->y;

    if (p->kind == NCL_PROBLEM_COPY && p->of.copy.y_channels)
        y.c = p->of.copy.y_channels;
    bytes[NCL_ARG_X] = tensor_bytes(p, p->x, p->x_images, p->x_order);
    bytes[NCL_ARG_Y] = tensor_bytes(p, y, p->y_images, p->y_order);
    bytes[NCL_ARG_RESIDUAL] = p->epilogue.residual ? bytes[NCL_ARG_Y] : 0;
    if (p->kind == NCL_PROBLEM_BINARY)
        bytes[NCL_ARG_Z] = tensor_bytes(p, p->of.binary.z, 0, p->x_order);
    if (p->kind == NCL_PROBLEM_CONV)
        bytes[NCL_ARG_W] = ncl_algo_packed_bytes(point->algo, point->v, p);
    bytes[NCL_ARG_BIAS] = p->epilogue.bias ? channels : 0;
    bytes[NCL_ARG_SCALE] = bytes[NCL_ARG_SHIFT] = p->epilogue.scale ? channels : 0;
    bytes[NCL_ARG_WORKSPACE] = ncl_algo_workspace(point->algo, point->v, p) * sizeof(float);
}

static ncl_status need_memory(struct ncl_compiler *c, const struct ncl_problem *p,
                              const struct ncl_point *point)
{
    size_t bytes[NCL_ROLE_COUNT] = {0};
    ncl_status status = NCL_OK;

    count_bytes(p, point, bytes);
    for (int i = 0; status == NCL_OK && i < NCL_ROLE_COUNT; i++) {
        if (bytes[i] <= c->bytes[i])
            continue;
        ncl_buffer_release(c->device, &c->buffers[i]);
        status = ncl_buffer_create(c->device, CL_MEM_READ_WRITE, bytes[i], &c->buffers[i]);
        c->bytes[i] = status == NCL_OK ? bytes[i] : 0;
    }
    return status;
}

static ncl_status launch(struct ncl_compiler *c, int item)
{
    const struct ncl_problem *p = &c->items[item].problem;
    const struct ncl_point *point = &c->trials[item].point;
    const int variant = c->variants[item];
    struct ncl_launch launch = {0};
    ncl_status status = need_memory(c, p, point);
    cl_int code;

    if (status == NCL_OK)
        status = ncl_launch_bind(c->device, c->set.variants[variant].program, variant, point->algo,
                                 point->v, p, c->buffers, &launch);
    if (status == NCL_OK)
        status = ncl_launch_enqueue(c->device, &launch, c->device->queue, 0, NULL, NULL, NULL);
    code = c->device->cl->Finish(c->device->queue);
    ncl_launch_release(c->device, &launch);
    return status == NCL_OK && code ? ncl_cl_fail(c->device->log, "clFinish", code) : status;
}

/* ---- a session's kernels ---- */

static void forget_kernels(struct ncl_compiler *c)
{
    c->set.device = c->device;
    ncl_kernels_free(&c->set);
    free(c->items);
    free(c->trials);
    free(c->variants);
    c->items = NULL;
    c->trials = NULL;
    c->variants = NULL;
    c->count = 0;
}

static ncl_status read_items(struct ncl_compiler *c, size_t count)
{
    c->items = ncl_alloc(count, sizeof *c->items);
    c->trials = ncl_alloc(count, sizeof *c->trials);
    c->variants = ncl_alloc(count, sizeof *c->variants);
    if (!c->items || !c->trials || !c->variants)
        return ncl_fail_memory(NULL, "kernels to compile");
    if (!ncl_fd_read(c->in, c->items, count * sizeof *c->items))
        return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker's request ends early");
    for (size_t i = 0; i < count; i++)
        if (!ncl_wire_to_trial(&c->items[i].trial, &c->trials[i]))
            return ncl_fail(NULL, NCL_ERROR_INPUT, "a worker is sent an unknown algorithm");
    c->count = (int)count;
    return NCL_OK;
}

/* The session's set of kernels, divided alike. */
static ncl_status add_kernels(struct ncl_compiler *c)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < c->count; i++)
        status = ncl_kernels_add(&c->set, c->trials[i].point.algo, c->trials[i].point.v,
                                 &c->items[i].problem, &c->variants[i]);
    if (status == NCL_OK)
        ncl_kernels_divide(&c->set);
    return status;
}

static bool serve_kernels(struct ncl_compiler *c, int count)
{
    ncl_status status;

    forget_kernels(c);
    status = read_items(c, (size_t)count);
    return status == NCL_OK && reply(c->out, add_kernels(c));
}

static ncl_status compile(struct ncl_compiler *c, int index)
{
    struct ncl_variant *variant = &c->set.variants[index];
    ncl_status status = NCL_OK;

    if (ncl_variant_pending(variant))
        status = ncl_kernels_build_part(&c->set, variant->part);
    if (status == NCL_OK && !variant->program)
        status = ncl_fail(c->device->log, NCL_ERROR_DEVICE, "%s does not build: %s",
                          variant->algo->name, variant->why);
    for (int i = 0; status == NCL_OK && i < c->count; i++)
        if (c->variants[i] == index)
            status = launch(c, i);
    return status;
}

void ncl_compiler_close(struct ncl_compiler *c)
{
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        ncl_buffer_release(c->device, &c->buffers[i]);
    forget_kernels(c);
}

/* ---- before it is known which ---- */

static ncl_status probe(const struct ncl_device *device)
{
    double ratio = 0;

    return ncl_device_fma_ratio(device, &ratio);
}

/* Compilers read their libraries for the first program. */
static ncl_status warm(const struct ncl_device *device)
{
    struct ncl_device uncached = *device;
    cl_program program = NULL;
    ncl_status status;

    uncached.binaries = (struct ncl_binary_cache){0};
    status = ncl_program_build(&uncached, "__kernel void ncl_nothing(__global int *x) { *x = 0; }",
                               NCL_BUILD_OPTIONS, &program);
    ncl_program_release(device, &program);
    return status;
}

bool ncl_compile_serve(struct ncl_compiler *c, const struct ncl_wire_request *request)
{
    switch (request->kind) {
    case NCL_WIRE_PROBE:
        return reply(c->out, probe(c->device));
    case NCL_WIRE_WARM:
        return reply(c->out, warm(c->device));
    case NCL_WIRE_KERNELS:
        return serve_kernels(c, request->count);
    case NCL_WIRE_COMPILE:
        return (size_t)request->launches < c->set.count &&
               reply(c->out, compile(c, request->launches));
    default:
        return false;
    }
}

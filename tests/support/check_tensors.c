#include "support/check_tensors.h"

#include "base/memory.h"
#include "problem/half.h"
#include "problem/oracle.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

unsigned ncl_check_random(unsigned *state)
{
    /* Numerical Recipes' linear congruence; its high bits are the good ones. */
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

float ncl_check_float(unsigned *state)
{
    return ldexpf((float)(ncl_check_random(state) & 0xffff) - 32767.5f, -15);
}

static float *random_floats(size_t count, unsigned *state)
{
    float *data = ncl_alloc(count, sizeof *data);

    for (size_t i = 0; data && i < count; i++)
        data[i] = ncl_check_float(state);
    return data;
}

static size_t plain_elements(const struct ncl_shape *shape)
{
    return ncl_shape_elements(shape, NCL_PLAIN, 1);
}

/* Few of them, so that most outputs stay finite and show where the others leak to. */
static void sprinkle(float *x, size_t count, unsigned *state)
{
    static const float specials[] = {INFINITY, -INFINITY, NAN, -0.0f};

    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        x[ncl_check_random(state) % count] = specials[i];
}

static bool make_weights(const struct ncl_problem *p, struct ncl_check_tensors *t, unsigned *state)
{
    const struct ncl_window *w = &p->of.conv.window;
    const size_t taps = (size_t)w->kernel_h * (size_t)w->kernel_w;
    const size_t channels = (size_t)(p->x.c / p->of.conv.groups);
    const size_t outputs = (size_t)p->y.c;

    t->weights_data = random_floats(outputs * channels * taps, state);
    t->weights_scale = ncl_alloc(outputs, sizeof *t->weights_scale);
    if (!t->weights_data || !t->weights_scale)
        return false;
    for (size_t k = 0; k < outputs; k++)
        t->weights_scale[k] = 0.75 + 0.1 * (double)ncl_check_float(state);
    t->weights = (struct ncl_weights){
        .data = t->weights_data,
        .stride_k = channels * taps,
        .stride_c = taps,
        .stride_h = (size_t)w->kernel_w,
        .stride_w = 1,
        .scale = ncl_check_random(state) % 2 ? t->weights_scale : NULL,
    };
    return true;
}

/* A BLOCKED tensor of a half problem holds halves. */
static void round_stored(const struct ncl_problem *p, enum ncl_order order, float *data,
                         size_t count)
{
    for (size_t i = 0; i < count && ncl_order_is_half(order, p->half); i++)
        data[i] = ncl_half_round(data[i]);
}

static bool make_inputs(const struct ncl_check_job *job, struct ncl_check_tensors *t)
{
    const struct ncl_problem *p = &job->problem;
    const size_t channels = (size_t)p->y.c;
    unsigned state = job->seed;

    t->x = random_floats(plain_elements(&t->x_shape), &state);
    t->residual = random_floats(plain_elements(&p->y), &state);
    t->bias = random_floats(channels, &state);
    t->scale = random_floats(channels, &state);
    t->shift = random_floats(channels, &state);
    if (!t->x || !t->residual || !t->bias || !t->scale || !t->shift)
        return false;
    if (job->special)
        sprinkle(t->x, plain_elements(&t->x_shape), &state);
    round_stored(p, p->x_order, t->x, plain_elements(&t->x_shape));
    round_stored(p, p->y_order, t->residual, plain_elements(&p->y));
    if (p->kind == NCL_PROBLEM_BINARY) {
        t->z = random_floats(plain_elements(&p->of.binary.z), &state);
        if (t->z)
            round_stored(p, p->x_order, t->z, plain_elements(&p->of.binary.z));
    }
    return (p->kind != NCL_PROBLEM_BINARY || t->z) &&
           (p->kind != NCL_PROBLEM_CONV || make_weights(p, t, &state));
}

static bool make_expected(const struct ncl_problem *p, struct ncl_check_tensors *t)
{
    const struct ncl_epilogue *e = &p->epilogue;
    const size_t count = plain_elements(&t->y_shape);
    const size_t x_image = plain_elements(&p->x) / (size_t)p->x.n;
    const size_t y_image = plain_elements(&p->y) / (size_t)p->y.n;
    struct ncl_oracle_tensors oracle = {
        .x = t->x + (size_t)p->x_image * x_image,
        .z = t->z,
        .residual = e->residual ? t->residual : NULL,
        .weights = p->kind == NCL_PROBLEM_CONV ? &t->weights : NULL,
        .bias = e->bias ? t->bias : NULL,
        .scale = e->scale ? t->scale : NULL,
        .shift = e->scale ? t->shift : NULL,
        .y = t->expected = ncl_alloc(count, sizeof(float)),
    };

    if (!t->expected)
        return false;
    oracle.y += (size_t)p->y_image * y_image;
    if (t->before)
        memcpy(t->expected, t->before, count * sizeof(float));
    return ncl_oracle_run(NULL, p, &oracle) == NCL_OK;
}

static void make_positive(float *data, size_t count)
{
    for (size_t i = 0; i < count; i++)
        data[i] = fabsf(data[i]);
}

/* The same convolution of magnitudes, before the epilogue. */
static bool make_sizes(const struct ncl_problem *p, const struct ncl_check_tensors *t)
{
    struct ncl_problem plain = *p;
    const size_t x_count = plain_elements(&p->x);
    const size_t w_count = (size_t)p->y.c * t->weights.stride_k;
    float *x = ncl_alloc(x_count, sizeof *x), *w = ncl_alloc(w_count, sizeof *w);
    struct ncl_weights weights = t->weights;
    bool made = x && w;

    plain.epilogue = (struct ncl_epilogue){0};
    plain.half = false; /* in the result; weights grow by 2^-11 at most when they are rounded */
    if (made) {
        memcpy(x, t->x, x_count * sizeof *x);
        memcpy(w, t->weights_data, w_count * sizeof *w);
        make_positive(x, x_count);
        make_positive(w, w_count);
        weights.data = w;
        made = ncl_oracle_run(NULL, &plain,
                              &(struct ncl_oracle_tensors){
                                  .x = x, .weights = &weights, .y = t->sizes}) == NCL_OK;
    }
    free(x);
    free(w);
    return made;
}

bool ncl_check_tensors_make(const struct ncl_check_job *job, struct ncl_check_tensors *tensors)
{
    const struct ncl_problem *p = &job->problem;
    unsigned state = job->seed + 1;

    *tensors = (struct ncl_check_tensors){.x_shape = p->x, .y_shape = p->y};
    if (p->x_images)
        tensors->x_shape.n = p->x_images;
    if (p->y_images)
        tensors->y_shape.n = p->y_images;
    if (p->kind == NCL_PROBLEM_COPY && p->of.copy.y_channels)
        tensors->y_shape.c = p->of.copy.y_channels;
    if (tensors->y_shape.c != p->y.c || p->y_images) {
        tensors->before = random_floats(plain_elements(&tensors->y_shape), &state);
        if (!tensors->before)
            return false;
        round_stored(p, p->y_order, tensors->before, plain_elements(&tensors->y_shape));
    }
    if (!make_inputs(job, tensors) || !make_expected(p, tensors))
        return false;
    if (!p->half_math)
        return true;
    tensors->sizes = ncl_alloc(plain_elements(&p->y), sizeof *tensors->sizes);
    return tensors->sizes && make_sizes(p, tensors);
}

void ncl_check_tensors_free(struct ncl_check_tensors *tensors)
{
    float *const all[] = {
        tensors->x,     tensors->z,      tensors->residual, tensors->bias,         tensors->scale,
        tensors->shift, tensors->before, tensors->expected, tensors->weights_data, tensors->sizes};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(tensors->weights_scale);
    *tensors = (struct ncl_check_tensors){0};
}

/* A NaN that no arithmetic produces, and so is each half of it. */
#define GUARD_BITS 0x7fde7fddu

static void fill_guard(char *data, size_t bytes)
{
    const uint32_t bits = GUARD_BITS;

    for (size_t i = 0; i < bytes; i += sizeof bits)
        memcpy(data + i, &bits, sizeof bits);
}

static bool is_guard(const char *data, size_t bytes)
{
    const uint32_t bits = GUARD_BITS;

    for (size_t i = 0; i < bytes; i += sizeof bits)
        if (memcmp(data + i, &bits, sizeof bits) != 0)
            return false;
    return true;
}

ncl_status ncl_check_buffer_make(const struct ncl_device *device, const float *data, size_t count,
                                 bool half, struct ncl_check_buffer *buffer)
{
    const size_t guard = ncl_round_up(device->caps.base_align, sizeof(float));
    const size_t bytes = count * (half ? sizeof(uint16_t) : sizeof(float));
    const size_t all = ncl_round_up(bytes, sizeof(float)) + 2 * guard;
    const cl_buffer_region region = {guard, bytes};
    char *host = ncl_alloc(all, 1);
    cl_int code = CL_SUCCESS;
    ncl_status status;

    *buffer =
        (struct ncl_check_buffer){.count = count, .bytes = bytes, .guard = guard, .half = half};
    if (!host)
        return ncl_fail_memory(NULL, "check");
    fill_guard(host, all);
    if (data && half)
        ncl_halves_from_floats(data, count, (uint16_t *)(void *)(host + guard));
    else if (data)
        memcpy(host + guard, data, bytes);
    status = ncl_buffer_create(device, CL_MEM_READ_WRITE, all, &buffer->parent);
    if (status == NCL_OK)
        status = ncl_buffer_write(device, buffer->parent, 0, host, all);
    free(host);
    if (status != NCL_OK)
        return status;
    buffer->mem = device->cl->CreateSubBuffer(buffer->parent, CL_MEM_READ_WRITE,
                                              CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    return code ? ncl_cl_fail(NULL, "clCreateSubBuffer", code) : NCL_OK;
}

ncl_status ncl_check_buffer_read(const struct ncl_device *device,
                                 const struct ncl_check_buffer *buffer, float *data, bool *intact)
{
    const size_t all = ncl_round_up(buffer->bytes, sizeof(float)) + 2 * buffer->guard;
    char *host = ncl_alloc(all, 1);
    ncl_status status;

    if (!host)
        return ncl_fail_memory(NULL, "check");
    status = ncl_buffer_read(device, buffer->parent, 0, host, all);
    if (status == NCL_OK) {
        const char *contents = host + buffer->guard;

        if (buffer->half)
            ncl_halves_to_floats((const uint16_t *)(const void *)contents, buffer->count, data);
        else
            memcpy(data, contents, buffer->bytes);
        *intact =
            is_guard(host, buffer->guard) && is_guard(host + all - buffer->guard, buffer->guard);
    }
    free(host);
    return status;
}

void ncl_check_buffer_free(const struct ncl_device *device, struct ncl_check_buffer *buffer)
{
    if (buffer->mem)
        device->cl->ReleaseMemObject(buffer->mem);
    if (buffer->parent)
        device->cl->ReleaseMemObject(buffer->parent);
    *buffer = (struct ncl_check_buffer){0};
}

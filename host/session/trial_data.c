#include "session/trial_parts.h"

#include "base/memory.h"
#include "problem/half.h"
#include "problem/oracle.h"
#include "session/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Host tensors while a problem's data are made: plain NCHW. */
struct tensors {
    struct ncl_shape x_shape, y_shape; /* of the buffers: larger than the problem's for a part of a
                                          concat, or of a batch */
    float *x, *z, *residual, *bias, *scale, *shift, *y;
    uint64_t state;
};

/* Knuth's linear congruence; the high bits are the good ones. */
static float next_float(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return ldexpf((float)(*state >> 48) - 32767.5f, -15);
}

static size_t plain_count(const struct ncl_shape *shape)
{
    return ncl_shape_elements(shape, NCL_PLAIN, 1);
}

/* Rounded to halves where the device stores halves. */
static float *random_floats(struct tensors *t, size_t count, bool half)
{
    float *values = ncl_alloc(count, sizeof *values);

    for (size_t i = 0; values && i < count; i++) {
        values[i] = next_float(&t->state);
        if (half)
            values[i] = ncl_half_round(values[i]);
    }
    return values;
}

static bool make_weights(const struct ncl_problem *p, struct tensors *t,
                         struct ncl_trial_data *data)
{
    const struct ncl_window *w = &p->of.conv.window;
    const size_t taps = (size_t)w->kernel_h * (size_t)w->kernel_w;
    const size_t channels = (size_t)(p->x.c / p->of.conv.groups);

    data->weights_data = random_floats(t, (size_t)p->y.c * channels * taps, false);
    data->weights = (struct ncl_weights){
        .data = data->weights_data,
        .stride_k = channels * taps,
        .stride_c = taps,
        .stride_h = (size_t)w->kernel_w,
        .stride_w = 1,
    };
    data->bytes += (size_t)p->y.c * channels * taps * sizeof(float);
    return data->weights_data != NULL;
}

static bool make_tensors(const struct ncl_problem *p, struct tensors *t,
                         struct ncl_trial_data *data)
{
    const struct ncl_epilogue *e = &p->epilogue;
    const size_t channels = (size_t)p->y.c;
    const bool x_half = ncl_order_is_half(p->x_order, p->half);
    const bool y_half = ncl_order_is_half(p->y_order, p->half);
    bool made = (t->x = random_floats(t, plain_count(&t->x_shape), x_half)) != NULL &&
                (t->y = random_floats(t, plain_count(&t->y_shape), y_half)) != NULL;

    if (made && p->kind == NCL_PROBLEM_BINARY)
        made = (t->z = random_floats(t, plain_count(&p->of.binary.z), x_half)) != NULL;
    if (made && e->residual)
        made = (t->residual = random_floats(t, plain_count(&p->y), y_half)) != NULL;
    if (made && e->bias)
        made = (t->bias = random_floats(t, channels, false)) != NULL;
    if (made && e->scale)
        made = (t->scale = random_floats(t, channels, false)) != NULL &&
               (t->shift = random_floats(t, channels, false)) != NULL;
    return made && (p->kind != NCL_PROBLEM_CONV || make_weights(p, t, data));
}

static void free_tensors(struct tensors *t)
{
    float *const all[] = {t->x, t->z, t->residual, t->bias, t->scale, t->shift, t->y};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* A plain tensor as its buffer holds it, in halves or floats; *bytes of them. NULL: out of memory.
 */
static void *stored(const struct ncl_problem *p, const struct ncl_shape *shape,
                    enum ncl_order order, const float *plain, size_t *bytes)
{
    const size_t count = ncl_shape_elements(shape, order, p->channel_block);
    const bool half = ncl_order_is_half(order, p->half);
    float *floats = ncl_alloc(count, sizeof *floats);
    uint16_t *halves = half ? ncl_alloc(count, sizeof *halves) : NULL;

    *bytes = count * ncl_element_bytes(order, p->half);
    if (floats)
        ncl_order_from_plain(shape, order, p->channel_block, plain, floats);
    if (!half)
        return floats;
    if (floats && halves)
        ncl_halves_from_floats(floats, count, halves);
    free(floats);
    return halves;
}

static ncl_status put(const struct ncl_device *device, const void *bytes, size_t count,
                      enum ncl_role role, struct ncl_trial_data *data)
{
    data->bytes += count;
    if (!bytes)
        return ncl_fail_memory(device->log, "a trial's tensors");
    return ncl_guarded_make(device, bytes, count, data->zone, &data->buffers[role]);
}

static ncl_status put_tensor(const struct ncl_device *device, const struct ncl_problem *p,
                             const struct ncl_shape *shape, enum ncl_order order,
                             const float *plain, enum ncl_role role, struct ncl_trial_data *data)
{
    size_t count = 0;
    void *bytes = plain ? stored(p, shape, order, plain, &count) : NULL;
    const ncl_status status = plain ? put(device, bytes, count, role, data) : NCL_OK;

    free(bytes);
    return status;
}

/* Per channel, padded to whole blocks with NaN, which must not reach the output. */
static ncl_status put_channels(const struct ncl_device *device, const struct ncl_problem *p,
                               const float *values, enum ncl_role role, struct ncl_trial_data *data)
{
    const size_t channels = (size_t)p->y.c;
    const size_t padded = ncl_round_up(channels, (size_t)p->channel_block);
    float *block = values ? ncl_alloc(padded, sizeof *block) : NULL;
    ncl_status status = NCL_OK;

    for (size_t i = 0; block && i < padded; i++)
        block[i] = i < channels ? values[i] : NAN;
    if (values)
        status = put(device, block, padded * sizeof *block, role, data);
    free(block);
    return status;
}

/* y's buffer starts as NaN, or with what the problem leaves of it. */
static ncl_status put_output(const struct ncl_device *device, const struct ncl_problem *p,
                             const struct tensors *t, struct ncl_trial_data *data)
{
    const bool partly = p->y_images || t->y_shape.c != p->y.c;
    const size_t count = ncl_shape_elements(&t->y_shape, p->y_order, p->channel_block);
    size_t bytes = count * ncl_element_bytes(p->y_order, p->half);

    if (partly)
        data->before = stored(p, &t->y_shape, p->y_order, t->y, &bytes);
    else if (p->epilogue.residual)
        data->in_place = stored(p, &p->y, p->y_order, t->residual, &bytes);
    if ((partly && !data->before) || (!partly && p->epilogue.residual && !data->in_place))
        return ncl_fail_memory(device->log, "a trial's tensors");
    data->y_count = count;
    data->bytes += bytes;
    return ncl_guarded_make(device, data->before, bytes, data->zone, &data->buffers[NCL_ARG_Y]);
}

static ncl_status put_all(const struct ncl_device *device, const struct ncl_problem *p,
                          const struct tensors *t, struct ncl_trial_data *data)
{
    ncl_status status = put_tensor(device, p, &t->x_shape, p->x_order, t->x, NCL_ARG_X, data);

    if (status == NCL_OK)
        status = put_tensor(device, p, &p->of.binary.z, p->x_order, t->z, NCL_ARG_Z, data);
    if (status == NCL_OK)
        status = put_tensor(device, p, &p->y, p->y_order, t->residual, NCL_ARG_RESIDUAL, data);
    if (status == NCL_OK)
        status = put_channels(device, p, t->bias, NCL_ARG_BIAS, data);
    if (status == NCL_OK)
        status = put_channels(device, p, t->scale, NCL_ARG_SCALE, data);
    if (status == NCL_OK)
        status = put_channels(device, p, t->shift, NCL_ARG_SHIFT, data);
    if (status == NCL_OK)
        status = put_output(device, p, t, data);
    return status;
}

static ncl_status run_oracle(const struct ncl_device *device, const struct ncl_problem *p,
                             struct tensors *t, struct ncl_trial_data *data)
{
    const size_t x_image = plain_count(&p->x) / (size_t)p->x.n;
    const size_t y_image = plain_count(&p->y) / (size_t)p->y.n;
    const struct ncl_oracle_tensors oracle = {
        .x = t->x + (size_t)p->x_image * x_image,
        .z = t->z,
        .residual = t->residual,
        .weights = p->kind == NCL_PROBLEM_CONV ? &data->weights : NULL,
        .bias = t->bias,
        .scale = t->scale,
        .shift = t->shift,
        .y = t->y + (size_t)p->y_image * y_image,
    };
    const ncl_status status = ncl_oracle_run(device->log, p, &oracle);

    if (status != NCL_OK)
        return status;
    data->expected = ncl_alloc(data->y_count, sizeof *data->expected);
    if (!data->expected)
        return ncl_fail_memory(device->log, "the oracle's result");
    ncl_order_from_plain(&t->y_shape, p->y_order, p->channel_block, t->y, data->expected);
    data->bytes += data->y_count * sizeof *data->expected;
    data->bound = ncl_fast_bound(ncl_order_is_half(p->y_order, p->half), p->half_math,
                                 data->expected, data->y_count);
    return NCL_OK;
}

/* Kernels that err by a row or a tile of one must not step over a zone. */
#define SMALLEST_ZONE 4096

static size_t zone_bytes(const struct ncl_problem *p)
{
    const int wider = p->x.w > p->y.w ? p->x.w : p->y.w;
    const size_t row = (size_t)wider * (size_t)p->channel_block * sizeof(float);

    return row > SMALLEST_ZONE ? row : SMALLEST_ZONE;
}

ncl_status ncl_trial_data_make(const struct ncl_device *device, const struct ncl_problem *p,
                               struct ncl_trial_data *data)
{
    struct tensors t = {.x_shape = p->x, .y_shape = p->y, .state = 20240229};
    ncl_status status = NCL_OK;

    *data = (struct ncl_trial_data){.zone = zone_bytes(p)};
    if (p->x_images)
        t.x_shape.n = p->x_images;
    if (p->y_images)
        t.y_shape.n = p->y_images;
    if (p->kind == NCL_PROBLEM_COPY && p->of.copy.y_channels)
        t.y_shape.c = p->of.copy.y_channels;
    if (!make_tensors(p, &t, data))
        status = ncl_fail_memory(device->log, "a trial's tensors");
    if (status == NCL_OK)
        status = put_all(device, p, &t, data);
    if (status == NCL_OK)
        status = run_oracle(device, p, &t, data);
    free_tensors(&t);
    data->made = status == NCL_OK;
    return status;
}

void ncl_trial_data_free(const struct ncl_device *device, struct ncl_trial_data *data)
{
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        ncl_guarded_free(device, &data->buffers[i]);
    free(data->expected);
    free(data->before);
    free(data->in_place);
    free(data->weights_data);
    *data = (struct ncl_trial_data){0};
}

static bool passes(bool exact, float bound, float found, float expected)
{
    if (memcmp(&found, &expected, sizeof found) == 0) /* nearly always */
        return true;
    return exact ? ncl_same_bits(found, expected) : ncl_close_enough(found, expected, bound);
}

static void compare(const struct ncl_problem *p, const struct ncl_trial_data *data,
                    const float *found, char *why, size_t room)
{
    size_t wrong = 0, first = 0;

    for (size_t i = 0; i < data->y_count; i++) {
        if (passes(!p->fast, data->bound, found[i], data->expected[i]))
            continue;
        if (!wrong++)
            first = i;
    }
    if (wrong)
        snprintf(why, room, "%zu of %zu values differ, first at %zu: expected %.9g, found %.9g",
                 wrong, data->y_count, first, (double)data->expected[first], (double)found[first]);
}

ncl_status ncl_trial_data_check(const struct ncl_device *device, const struct ncl_problem *p,
                                const struct ncl_trial_data *data, char *why, size_t room)
{
    const bool half = ncl_order_is_half(p->y_order, p->half);
    float *found = ncl_alloc_aligned(data->y_count, sizeof *found);
    uint16_t *halves = half ? ncl_alloc_aligned(data->y_count, sizeof *halves) : NULL;
    ncl_status status;

    why[0] = '\0';
    if (found && (!half || halves))
        status = ncl_guarded_read(device, &data->buffers[NCL_ARG_Y],
                                  half ? (void *)halves : (void *)found);
    else
        status = ncl_fail_memory(device->log, "a trial's result");
    if (status == NCL_OK && halves)
        ncl_halves_to_floats(halves, data->y_count, found);
    if (status == NCL_OK)
        compare(p, data, found, why, room);
    free(found);
    free(halves);
    return status;
}

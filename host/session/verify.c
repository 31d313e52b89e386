#include "session/session.h"

#include "problem/half.h"
#include "problem/oracle.h"
#include "session/compare.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a step's parts came to. */
struct finding {
    size_t differing, first; /* values of the whole result, and the index of the first */
    float expected, found;   /* of the first */
};

/* One verification: host values of every live slot, and the findings. */
struct verify {
    struct ncl_session *session;
    float **host;   /* per slot: the oracle's NCHW values, NULL before they are computed */
    void *memory;   /* scratch of the largest slot: as it is on the device */
    float *ordered; /* as floats, in device order */
    float *plain;   /* the same, NCHW */
    size_t scratch_count;
    int *last_use;            /* per slot: the last part that reads it */
    struct finding *findings; /* per step */
    bool half_math;           /* some layer sums products in halves */
    int first_bad;            /* step, -1: none */
    char text[256];           /* of first_bad */
};

static const struct ncl_slot *slot_of(const struct verify *v, int slot)
{
    return &v->session->schedule->slots[slot];
}

static size_t plain_floats(const struct verify *v, int slot)
{
    return ncl_shape_elements(&slot_of(v, slot)->shape, NCL_PLAIN, 4);
}

/* In device order, tail lanes included. */
static size_t slot_elements(const struct verify *v, int slot)
{
    return ncl_shape_elements(&slot_of(v, slot)->shape, slot_of(v, slot)->order,
                              v->session->config.channel_block);
}

static bool slot_is_half(const struct verify *v, int slot)
{
    return ncl_order_is_half(slot_of(v, slot)->order, v->session->schedule->half);
}

/* A slot's values, in device order, to and from v->ordered. */
static ncl_status write_slot(struct verify *v, int slot)
{
    const bool half = slot_is_half(v, slot);

    if (half)
        ncl_halves_from_floats(v->ordered, slot_elements(v, slot), v->memory);
    return ncl_buffer_write(v->session->device, v->session->bound[slot], 0,
                            half ? v->memory : v->ordered,
                            ncl_session_slot_bytes(v->session, slot));
}

static ncl_status read_slot(struct verify *v, int slot)
{
    const bool half = slot_is_half(v, slot);
    const ncl_status status =
        ncl_buffer_read(v->session->device, v->session->bound[slot], 0,
                        half ? v->memory : v->ordered, ncl_session_slot_bytes(v->session, slot));

    if (status == NCL_OK && half)
        ncl_halves_to_floats(v->memory, slot_elements(v, slot), v->ordered);
    return status;
}

static void verify_free(struct verify *v)
{
    for (int i = 0; v->host && i < v->session->schedule->slot_count; i++)
        free(v->host[i]);
    free(v->host);
    free(v->memory);
    free(v->ordered);
    free(v->plain);
    free(v->findings);
    free(v->last_use);
}

static ncl_status verify_init(struct verify *v)
{
    const struct ncl_schedule *schedule = v->session->schedule;
    const size_t count = (size_t)schedule->slot_count + 1;

    for (int i = 0; i < schedule->slot_count; i++) {
        const size_t elements = slot_elements(v, i);

        v->scratch_count = elements > v->scratch_count ? elements : v->scratch_count;
    }
    v->host = ncl_alloc(count, sizeof *v->host);
    v->last_use = ncl_alloc(count, sizeof *v->last_use);
    v->findings = ncl_alloc((size_t)schedule->step_count + 1, sizeof *v->findings);
    v->memory = ncl_alloc(v->scratch_count, sizeof(float));
    v->ordered = ncl_alloc(v->scratch_count, sizeof(float));
    v->plain = ncl_alloc(v->scratch_count, sizeof(float));
    v->first_bad = -1;
    for (int i = 0; i < schedule->step_count; i++)
        v->half_math = v->half_math || ncl_algo_half_math(v->session->layers[i].choice.point.algo,
                                                          &schedule->steps[i].problem);
    if (!v->host || !v->last_use || !v->findings || !v->memory || !v->ordered || !v->plain)
        return ncl_fail_memory(v->session->device->log, "verification");
    for (int i = 0; i < schedule->part_count; i++) {
        const struct ncl_step *s = &schedule->steps[schedule->parts[i].step];
        const int read[3] = {s->x, s->z, s->residual};

        for (int j = 0; j < 3; j++)
            if (read[j] >= 0)
                v->last_use[read[j]] = i;
    }
    return NCL_OK;
}

static const struct ncl_part *part_of(const struct verify *v, int part)
{
    return &v->session->schedule->parts[part];
}

static const struct ncl_step *step_of(const struct verify *v, int part)
{
    return &v->session->schedule->steps[part_of(v, part)->step];
}

/* Is the part a chunk of its step? Then its slots hold what their readers take at once. */
static bool is_chunk(const struct verify *v, int part)
{
    const int step = part_of(v, part)->step;

    return ncl_step_images(v->session->schedule, step) != step_of(v, part)->problem.y.n;
}

/* What the part's output slot holds: of a chunk, as many images as it writes or is part of. */
static struct ncl_shape y_shape(const struct verify *v, int part)
{
    const struct ncl_problem *p = &part_of(v, part)->problem;
    struct ncl_shape shape = slot_of(v, step_of(v, part)->y)->shape;

    if (is_chunk(v, part))
        shape.n = p->y_images ? p->y_images : p->y.n;
    return shape;
}

static size_t image_floats(const struct ncl_shape *shape)
{
    return (size_t)shape->c * (size_t)shape->h * (size_t)shape->w;
}

/* No network's result: the bits of a launch that wrote nothing. Not NaN, which inputs may bring. */
#define POISON (-0x1.a5a5a4p+126f)
#define POISON_HALF (-0x1.a5cp+15f)

/* Fills the output first, so that a launch that writes nothing is noticed; a slot that another part
 * wrote some of, or that holds the residual in place, keeps its contents. */
static ncl_status poison_output(struct verify *v, int part)
{
    const struct ncl_problem *p = &part_of(v, part)->problem;
    const int y = step_of(v, part)->y;
    const float poison = slot_is_half(v, y) ? POISON_HALF : POISON;

    if (p->y_image > 0 || (p->kind == NCL_PROBLEM_COPY && p->of.copy.y_channel > 0) ||
        v->session->memory.slots[y].alias >= 0)
        return NCL_OK;
    for (size_t i = 0; i < slot_elements(v, y); i++)
        v->ordered[i] = poison;
    return write_slot(v, y);
}

static ncl_status run_device(struct verify *v, int part)
{
    const struct ncl_step *s = step_of(v, part);
    const struct ncl_shape shape = y_shape(v, part);
    const enum ncl_order order = slot_of(v, s->y)->order;
    const int block = v->session->config.channel_block;
    ncl_status status = poison_output(v, part);

    if (status == NCL_OK)
        status = ncl_session_enqueue_part(v->session, part, 0, NULL, NULL, NULL);
    v->session->device->cl->Finish(v->session->device->queue);
    if (status == NCL_OK)
        status = read_slot(v, s->y);
    if (status == NCL_OK)
        ncl_order_to_plain(&shape, order, block, v->ordered, v->plain);
    return status;
}

static ncl_status run_oracle(struct verify *v, int part)
{
    const struct ncl_step *s = step_of(v, part);
    const struct ncl_problem *p = &part_of(v, part)->problem;
    struct ncl_oracle_tensors tensors = {
        .x = v->host[s->x] + (size_t)p->x_image * image_floats(&p->x),
        .z = s->z >= 0 ? v->host[s->z] : NULL,
        .residual = s->residual >= 0 ? v->host[s->residual] : NULL,
        .weights = &s->weights,
        .bias = s->bias,
        .scale = s->scale,
        .shift = s->shift,
    };

    if (!v->host[s->y])
        v->host[s->y] = ncl_alloc(plain_floats(v, s->y), sizeof(float));
    if (!v->host[s->y])
        return ncl_fail_memory(v->session->device->log, "the oracle's result");
    tensors.y = v->host[s->y] + (size_t)p->y_image * image_floats(&p->y);
    return ncl_oracle_run(v->session->device->log, p, &tensors);
}

/* Which values of its slot a part writes: of the images begin to end, all, or for a part of a
 * concat some channels of the view (outer, channels, inner) that its problem takes of the slot. */
struct written {
    size_t begin, end;
    size_t inner, channels, first_channel, end_channel;
};

static struct written written_by(const struct verify *v, int part)
{
    const struct ncl_problem *p = &part_of(v, part)->problem;
    const struct ncl_shape shape = y_shape(v, part);
    const size_t image = image_floats(&shape);
    struct written w = {0, (size_t)shape.n * image, 1, 1, 0, 1};

    if (p->y_images) {
        w.begin = (size_t)p->y_image * image;
        w.end = w.begin + (size_t)p->y.n * image;
    }
    if (p->kind == NCL_PROBLEM_COPY && p->of.copy.y_channels) {
        w.inner = (size_t)p->y.h * (size_t)p->y.w;
        w.channels = (size_t)p->of.copy.y_channels;
        w.first_channel = (size_t)p->of.copy.y_channel;
        w.end_channel = w.first_channel + (size_t)p->y.c;
    }
    return w;
}

/* Compares the device's values in v->plain with the oracle's; returns how many differ. */
static size_t compare(const struct verify *v, int part, const struct written *w, size_t *first)
{
    const int y = step_of(v, part)->y;
    const float *expected = v->host[y];
    const bool fast = part_of(v, part)->problem.fast;
    const float bound = fast ? ncl_fast_bound(slot_is_half(v, y), v->half_math, expected + w->begin,
                                              w->end - w->begin)
                             : 0;
    size_t differing = 0;

    for (size_t i = w->begin; i < w->end; i++) {
        const size_t channel = i / w->inner % w->channels;
        const bool same = fast ? ncl_close_enough(v->plain[i], expected[i], bound)
                               : ncl_same_bits(v->plain[i], expected[i]);

        if (same || channel < w->first_channel || channel >= w->end_channel)
            continue;
        if (!differing++)
            *first = i;
    }
    return differing;
}

/* first: in the part's slot. */
static void record_difference(struct verify *v, int part, size_t differing, size_t first)
{
    const struct ncl_step *s = step_of(v, part);
    const struct ncl_problem *p = &part_of(v, part)->problem;
    const float found = v->plain[first], expected = v->host[s->y][first];
    struct finding *finding = &v->findings[part_of(v, part)->step];
    const size_t image = image_floats(&p->y);
    /* A chunk begins at another image of the batch than of its slot. */
    const size_t index =
        is_chunk(v, part) ? first + ((size_t)part_of(v, part)->first - (size_t)p->y_image) * image
                          : first;

    if (!finding->differing)
        *finding = (struct finding){0, index, expected, found};
    finding->differing += differing;
    if (v->first_bad >= 0)
        return;
    v->first_bad = part_of(v, part)->step;
    snprintf(v->text, sizeof v->text,
             "%zu of %zu values differ, first at %zu: expected %.9g (%a), found %.9g (%a)",
             differing, (size_t)p->y.n * image, index, (double)expected, (double)expected,
             (double)found, (double)found);
}

static ncl_status verify_part(struct verify *v, int part)
{
    size_t first = 0, differing;
    struct written written;
    ncl_status status = run_device(v, part);

    if (status == NCL_OK)
        status = run_oracle(v, part);
    if (status != NCL_OK)
        return status;
    written = written_by(v, part);
    differing = compare(v, part, &written, &first);
    if (differing)
        record_difference(v, part, differing, first);
    return NCL_OK;
}

static json_t *layers_json(const struct verify *v)
{
    json_t *layers = json_array();

    for (int i = 0; layers && i < v->session->schedule->step_count; i++) {
        const struct finding *f = &v->findings[i];
        json_t *entry = json_pack(
            "{s:s, s:s, s:s, s:I}", "name", v->session->schedule->steps[i].name, "op",
            v->session->schedule->steps[i].op, "algorithm",
            v->session->layers[i].choice.point.algo->name, "differing", (json_int_t)f->differing);

        if (f->differing) {
            json_object_set_new(entry, "first_index", json_integer((json_int_t)f->first));
            json_object_set_new(entry, "expected",
                                isfinite(f->expected) ? json_real((double)f->expected)
                                                      : json_null());
            json_object_set_new(entry, "found",
                                isfinite(f->found) ? json_real((double)f->found) : json_null());
        }
        json_array_append_new(layers, entry);
    }
    return layers;
}

/* A slot's oracle values are needed until its last reader has run. */
static void drop_dead_slots(struct verify *v, int part)
{
    const struct ncl_step *s = step_of(v, part);
    const int read[3] = {s->x, s->z, s->residual};

    for (int j = 0; j < 3; j++)
        if (read[j] >= 0 && v->last_use[read[j]] == part) {
            free(v->host[read[j]]);
            v->host[read[j]] = NULL;
        }
}

/* Callers' buffers of an earlier run may be gone. */
static ncl_status use_own_buffers(struct ncl_session *session)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < session->schedule->slot_count; i++)
        if (session->bound[i] != session->slots[i])
            status = ncl_session_rebind(session, i, session->slots[i]);
    return status;
}

static ncl_status give_inputs(struct verify *v, const ncl_tensor *inputs, size_t count)
{
    ncl_status status = NCL_OK;

    if (count != (size_t)v->session->graph->input_count)
        return ncl_fail(v->session->device->log, NCL_ERROR_USAGE,
                        "verify: %zu inputs given, the model has %d", count,
                        v->session->graph->input_count);
    for (size_t i = 0; status == NCL_OK && i < count; i++) {
        const int slot = ncl_session_input_slot(v->session, (int)i);
        const size_t bytes = ncl_session_slot_bytes(v->session, slot);

        if (!inputs[i].data)
            return ncl_fail(v->session->device->log, NCL_ERROR_USAGE,
                            "verify: input %zu: expected host data", i);
        status = ncl_session_check_tensor(v->session, &inputs[i], slot, "input", i);
        if (status != NCL_OK)
            return status;
        v->host[slot] = ncl_alloc(bytes, 1);
        if (!v->host[slot])
            return ncl_fail_memory(v->session->device->log, "verification");
        memcpy(v->host[slot], inputs[i].data, bytes);
        status =
            ncl_buffer_write(v->session->device, v->session->bound[slot], 0, inputs[i].data, bytes);
    }
    return status;
}

static ncl_status run_all(struct verify *v)
{
    const struct ncl_session_config *config = &v->session->config;
    const int count = v->session->schedule->part_count;
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < count; i++) {
        if (config->progress &&
            config->progress(config->user, "verifying layers", (size_t)i, (size_t)count))
            return ncl_fail(v->session->device->log, NCL_ERROR_CANCELLED, "cancelled at layer '%s'",
                            step_of(v, i)->name);
        status = verify_part(v, i);
        drop_dead_slots(v, i);
    }
    return status;
}

ncl_status ncl_session_verify(struct ncl_session *session, const ncl_tensor *inputs,
                              size_t input_count, char **json)
{
    struct verify v = {.session = session};
    ncl_status status = verify_init(&v);

    if (status == NCL_OK)
        status = use_own_buffers(session);
    if (status == NCL_OK)
        status = give_inputs(&v, inputs, input_count);
    if (status == NCL_OK)
        status = run_all(&v);
    if (status == NCL_OK && json) {
        json_t *root =
            json_pack("{s:b, s:s, s:s, s:o}", "identical", v.first_bad < 0, "math",
                      session->config.math == NCL_MATH_FAST ? "fast" : "reproducible", "precision",
                      ncl_precision_name(session->config.precision), "layers", layers_json(&v));

        *json = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
        json_decref(root);
        if (!*json)
            status = ncl_fail_memory(session->device->log, "the verification report");
    }
    if (status == NCL_OK && v.first_bad >= 0)
        status = ncl_fail(session->device->log, NCL_ERROR_MISMATCH, "layer '%s' (%s, %s): %s",
                          session->schedule->steps[v.first_bad].name,
                          session->schedule->steps[v.first_bad].op,
                          session->layers[v.first_bad].choice.point.algo->name, v.text);
    verify_free(&v);
    return status;
}

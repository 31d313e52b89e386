#include "session/session.h"

#include "base/memory.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct ncl_step *step_of(const struct ncl_session *session, int step)
{
    return &session->schedule->steps[step];
}

static bool pack(const struct ncl_session *session, int step, void *packed)
{
    const struct ncl_choice *choice = &session->layers[step].choice;
    const struct ncl_step *s = step_of(session, step);

    return ncl_algo_pack(choice->point.algo, choice->point.v, ncl_session_problem(session, step),
                         &s->weights, packed);
}

/* Weights are packed into mapped device memory: no second copy of all on the host. */
struct packing {
    const struct ncl_session *session;
    void **mapped;      /* per step; NULL: nothing to pack */
    atomic_bool failed; /* memory ran out */
};

static void pack_one(void *user, size_t step)
{
    struct packing *packing = user;

    if (!packing->mapped[step])
        return;
    if (!pack(packing->session, (int)step, packing->mapped[step]))
        atomic_store(&packing->failed, true);
    ncl_step_forget_weights(step_of(packing->session, (int)step));
}

static bool has_weights(const struct ncl_session *session, int step)
{
    return step_of(session, step)->problem.kind == NCL_PROBLEM_CONV;
}

static size_t packed_bytes(const struct ncl_session *session, int step)
{
    const struct ncl_point *choice = &session->layers[step].choice.point;

    return ncl_algo_packed_bytes(choice->algo, choice->v, &step_of(session, step)->problem);
}

/* One buffer for all weights, where large pages then hold them end to end: few layers' own fill
 * any. Elsewhere, and where the device allows none so large, each layer has its own. */
static ncl_status create_weights(struct ncl_session *session)
{
    const struct ncl_caps *caps = &session->device->caps;
    size_t bytes = 0;

    for (int i = 0; i < session->schedule->step_count; i++)
        if (has_weights(session, i))
            bytes += ncl_round_up(packed_bytes(session, i), caps->base_align);
    if (!bytes || bytes > caps->max_allocation || !ncl_caps_uses_host_memory(caps))
        return NCL_OK;
    session->device_bytes += bytes;
    return ncl_buffer_create(session->device, CL_MEM_READ_ONLY, bytes, &session->weights);
}

/* Places them one behind the other. */
static ncl_status place_weights(struct ncl_session *session)
{
    ncl_status status = create_weights(session);
    size_t offset = 0;

    for (int i = 0; status == NCL_OK && session->weights && i < session->schedule->step_count;
         i++) {
        if (!has_weights(session, i))
            continue;
        status = ncl_buffer_part(session->device, session->weights, offset,
                                 packed_bytes(session, i), &session->layers[i].weights);
        offset += ncl_round_up(packed_bytes(session, i), session->device->caps.base_align);
    }
    return status;
}

static ncl_status map_weights(struct ncl_session *session, int step, void **mapped)
{
    const struct ncl_device *device = session->device;
    struct ncl_session_layer_state *layer = &session->layers[step];
    const size_t bytes = packed_bytes(session, step);
    ncl_status status = NCL_OK;
    cl_int code;

    if (!layer->weights) {
        status = ncl_buffer_create(device, CL_MEM_READ_ONLY, bytes, &layer->weights);
        session->device_bytes += bytes;
    }
    if (status != NCL_OK)
        return status;
    *mapped = device->cl->EnqueueMapBuffer(device->queue, layer->weights, CL_TRUE,
                                           CL_MAP_WRITE_INVALIDATE_REGION, 0, bytes, 0, NULL, NULL,
                                           &code);
    if (code) {
        *mapped = NULL;
        return ncl_cl_fail(device->log, "clEnqueueMapBuffer", code);
    }
    return NCL_OK;
}

static ncl_status unmap_weights(struct ncl_session *session, int step, void *mapped)
{
    const struct ncl_device *device = session->device;
    const cl_int code = device->cl->EnqueueUnmapMemObject(
        device->queue, session->layers[step].weights, mapped, 0, NULL, NULL);

    return code ? ncl_cl_fail(device->log, "clEnqueueUnmapMemObject", code) : NCL_OK;
}

/* Packs steps first .. end-1 and waits until the device has their weights. */
static ncl_status pack_steps(struct ncl_session *session, int first, int end)
{
    struct packing packing = {session, ncl_alloc((size_t)end + 1, sizeof(void *)), false};
    ncl_status status = NCL_OK, unmapped = NCL_OK;

    if (!packing.mapped)
        return ncl_fail_memory(session->device->log, "packing weights");
    for (int i = first; status == NCL_OK && i < end; i++)
        if (has_weights(session, i))
            status = map_weights(session, i, &packing.mapped[i]);
    if (status == NCL_OK)
        ncl_parallel_for((size_t)end, pack_one, &packing);
    for (int i = first; i < end; i++)
        if (packing.mapped[i] && unmapped == NCL_OK)
            unmapped = unmap_weights(session, i, packing.mapped[i]);
    free(packing.mapped);
    session->device->cl->Finish(session->device->queue);
    if (status == NCL_OK && packing.failed)
        status = ncl_fail_memory(session->device->log, "packing weights");
    return status != NCL_OK ? status : unmapped;
}

/* Per-channel numbers, padded with zeros to whole blocks. */
static ncl_status upload_channels(struct ncl_session *session, int step, const float *values,
                                  cl_mem *buffer)
{
    const struct ncl_problem *problem = &step_of(session, step)->problem;
    const size_t count = (size_t)problem->y.c;
    const size_t padded = ncl_round_up(count, (size_t)problem->channel_block);
    float *block;
    ncl_status status;

    if (!values || *buffer)
        return NCL_OK;
    block = ncl_alloc(padded, sizeof(float));
    if (!block)
        return ncl_fail_memory(session->device->log, "per-channel parameters");
    memcpy(block, values, count * sizeof(float));
    status = ncl_buffer_create(session->device, CL_MEM_READ_ONLY, padded * sizeof(float), buffer);
    if (status == NCL_OK)
        status = ncl_buffer_write(session->device, *buffer, 0, block, padded * sizeof(float));
    session->device_bytes += padded * sizeof(float);
    free(block);
    return status;
}

static ncl_status upload_parameters(struct ncl_session *session, int step)
{
    const struct ncl_step *s = step_of(session, step);
    struct ncl_session_layer_state *layer = &session->layers[step];
    ncl_status status = upload_channels(session, step, s->bias, &layer->bias);

    if (status == NCL_OK)
        status = upload_channels(session, step, s->scale, &layer->scale);
    if (status == NCL_OK)
        status = upload_channels(session, step, s->shift, &layer->shift);
    return status;
}

ncl_status ncl_session_pack_weights(struct ncl_session *session)
{
    ncl_status status = place_weights(session);

    if (status == NCL_OK)
        status = pack_steps(session, 0, session->schedule->step_count);
    for (int i = 0; status == NCL_OK && i < session->schedule->step_count; i++)
        status = upload_parameters(session, i);
    return status;
}

ncl_status ncl_session_pack_step(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];

    for (int i = layer->part; i < session->schedule->part_count; i++)
        if (ncl_session_is_launch(session, i, step))
            ncl_launch_release(session->device, &session->parts[i].launch);
    ncl_buffer_release(session->device, &layer->weights);
    return pack_steps(session, step, step + 1);
}

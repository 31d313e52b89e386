#include "session/times.h"

#include <stdlib.h>

static ncl_status plan_memory(struct ncl_session *session)
{
    const struct ncl_schedule *schedule = session->schedule;
    const struct ncl_caps *caps = &session->device->caps;
    bool *may_alias = ncl_alloc((size_t)schedule->step_count + 1, sizeof *may_alias);
    ncl_status status;

    if (!may_alias)
        return ncl_fail_memory(session->device->log, "the memory plan");
    for (int i = 0; i < schedule->step_count; i++) {
        const struct ncl_choice *choice = &session->layers[i].choice;

        may_alias[i] = !choice->point.algo->residual_may_alias ||
                       choice->point.algo->residual_may_alias(choice->point.v,
                                                              ncl_session_problem(session, i));
    }
    status = ncl_memory_plan_create(session->device->log, schedule, session->config.channel_block,
                                    may_alias, caps->base_align, (size_t)caps->max_allocation,
                                    &session->memory);
    free(may_alias);
    return status;
}

static ncl_status create_slot(struct ncl_session *session, int slot)
{
    const struct ncl_slot *s = &session->schedule->slots[slot];
    const size_t bytes = ncl_session_slot_bytes(session, slot);
    const int chunk = session->memory.slots[slot].chunk;

    if (chunk >= 0)
        return ncl_buffer_part(session->device, session->chunks[chunk],
                               session->memory.slots[slot].offset,
                               session->memory.slots[slot].bytes, &session->slots[slot]);
    if (s->input < 0 && s->output < 0)
        return NCL_OK; /* nothing reads or writes it */
    session->device_bytes += bytes;
    return ncl_buffer_create(session->device, CL_MEM_READ_WRITE, bytes, &session->slots[slot]);
}

/* The most that any step's algorithm needs: steps run one after the other. Of a step's parts the
 * first is the largest. */
static ncl_status create_workspace(struct ncl_session *session)
{
    for (int i = 0; i < session->schedule->step_count; i++) {
        const struct ncl_choice *choice = &session->layers[i].choice;
        const size_t bytes = sizeof(float) * ncl_algo_workspace(choice->point.algo, choice->point.v,
                                                                ncl_session_problem(session, i));

        if (bytes > session->workspace_bytes)
            session->workspace_bytes = bytes;
    }
    if (!session->workspace_bytes)
        return NCL_OK;
    session->device_bytes += session->workspace_bytes;
    return ncl_buffer_create(session->device, CL_MEM_READ_WRITE, session->workspace_bytes,
                             &session->workspace);
}

ncl_status ncl_session_allocate(struct ncl_session *session)
{
    ncl_status status = plan_memory(session);

    if (status != NCL_OK)
        return status;
    session->slots = ncl_alloc((size_t)session->schedule->slot_count + 1, sizeof(cl_mem));
    session->bound = ncl_alloc((size_t)session->schedule->slot_count + 1, sizeof(cl_mem));
    session->times = ncl_alloc((size_t)ncl_times_count(session) + 1, sizeof *session->times);
    if (!session->slots || !session->bound || !session->times)
        return ncl_fail_memory(session->device->log, "buffer handles");
    for (int i = 0; status == NCL_OK && i < session->memory.chunk_count; i++) {
        session->device_bytes += session->memory.chunk_bytes[i];
        status = ncl_buffer_create(session->device, CL_MEM_READ_WRITE,
                                   session->memory.chunk_bytes[i], &session->chunks[i]);
    }
    for (int i = 0; status == NCL_OK && i < session->schedule->slot_count; i++)
        status = create_slot(session, i);
    if (status == NCL_OK)
        status = create_workspace(session);
    for (int i = 0; status == NCL_OK && i < session->schedule->slot_count; i++)
        session->bound[i] = session->slots[i];
    return status;
}

static void release_layer(struct ncl_session *session, struct ncl_session_layer_state *layer)
{
    ncl_buffer_release(session->device, &layer->weights);
    ncl_buffer_release(session->device, &layer->bias);
    ncl_buffer_release(session->device, &layer->scale);
    ncl_buffer_release(session->device, &layer->shift);
}

void ncl_session_release_buffers(struct ncl_session *session)
{
    const int steps = session->schedule ? session->schedule->step_count : 0;
    const int slots = session->schedule ? session->schedule->slot_count : 0;

    for (int i = 0; session->layers && i < steps; i++)
        release_layer(session, &session->layers[i]);
    for (int i = 0; session->slots && i < slots; i++)
        ncl_buffer_release(session->device, &session->slots[i]);
    for (size_t i = 0; i < sizeof session->chunks / sizeof session->chunks[0]; i++)
        ncl_buffer_release(session->device, &session->chunks[i]);
    ncl_buffer_release(session->device, &session->weights);
    ncl_buffer_release(session->device, &session->workspace);
    ncl_times_forget(session);
    free(session->slots);
    free(session->bound);
    free(session->times);
    session->slots = session->bound = NULL;
    session->times = NULL;
    session->workspace_bytes = session->device_bytes = 0;
    ncl_memory_plan_free(&session->memory);
}

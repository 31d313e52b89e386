#include "session/session.h"

#include "base/clock.h"
#include "session/advice.h"
#include "session/times.h"

#include <stdlib.h>

/* auto keeps the canonical order where that costs at most half of the device's speed. */
#define MIN_FMA_RATIO 0.5

ncl_status ncl_session_math(const struct ncl_device *device, ncl_math wanted, ncl_math *math)
{
    double ratio = 1;
    ncl_status status = NCL_OK;

    *math = wanted;
    if (wanted != NCL_MATH_AUTO)
        return NCL_OK;
    status = ncl_device_fma_ratio(device, &ratio);
    *math = ratio >= MIN_FMA_RATIO ? NCL_MATH_REPRODUCIBLE : NCL_MATH_FAST;
    if (status == NCL_OK)
        ncl_note(device->log, NCL_LOG_INFO, "math auto: fma runs at %.2f of mad: %s", ratio,
                 ratio >= MIN_FMA_RATIO ? "reproducible" : "fast");
    return status;
}

/* Steps of making a session, in order; each is also a line of progress. */
static const struct {
    const char *stage;
    ncl_status (*work)(struct ncl_session *session);
} stages[] = {
    {"choosing algorithms", ncl_session_choose},  {"building kernels", ncl_session_build_kernels},
    {"allocating buffers", ncl_session_allocate}, {"packing weights", ncl_session_pack_weights},
    {"binding launches", ncl_session_bind},
};
#define STAGE_COUNT (sizeof stages / sizeof stages[0])

static ncl_status report_progress(const struct ncl_session *session, size_t stage)
{
    const struct ncl_session_config *config = &session->config;
    const char *name = stage < STAGE_COUNT ? stages[stage].stage : "ready";

    if (config->progress && config->progress(config->user, name, stage, STAGE_COUNT))
        return ncl_fail(session->device->log, NCL_ERROR_CANCELLED, "cancelled while %s", name);
    return NCL_OK;
}

void ncl_session_set_schedule(const struct ncl_session_config *config, int channel_block,
                              struct ncl_schedule *schedule)
{
    const bool fast = config->math == NCL_MATH_FAST, half = config->precision == NCL_FP16;

    ncl_schedule_set(schedule, channel_block, fast, half);
    if (fast && half && config->device->caps.half_math)
        ncl_schedule_set_half_math(schedule);
}

static ncl_status make_schedule(struct ncl_session *session, const struct ncl_graph *model,
                                const struct ncl_dims *inputs, int input_count)
{
    struct ncl_pass_report reports[NCL_MAX_PASSES];
    int report_count = 0;
    ncl_status status = ncl_graph_specialise(model, inputs, input_count, &session->graph);

    if (status == NCL_OK)
        status = ncl_graph_optimise(session->graph, reports, &report_count);
    if (status == NCL_OK)
        status = ncl_schedule_create(session->graph, &session->schedule);
    if (status != NCL_OK)
        return status;
    session->config.channel_block =
        ncl_session_advised_block(session, session->schedule, session->config.channel_block);
    ncl_session_set_schedule(&session->config, session->config.channel_block, session->schedule);
    return ncl_schedule_chunk(session->device->log, session->schedule, &session->device->caps);
}

ncl_status ncl_session_make(const struct ncl_session_config *config, const struct ncl_graph *model,
                            const struct ncl_dims *inputs, int input_count,
                            struct ncl_session **session)
{
    const uint64_t start = ncl_clock_ns();
    struct ncl_session *made = ncl_alloc(1, sizeof *made);
    ncl_status status;

    *session = NULL;
    if (!made)
        return ncl_fail_memory(config->device->log, "a session");
    made->config = *config;
    made->device = config->device;
    made->kernels.device = config->device;
    status = ncl_session_math(made->device, config->math, &made->config.math);
    if (status == NCL_OK)
        status = make_schedule(made, model, inputs, input_count);
    for (size_t i = 0; status == NCL_OK && i < STAGE_COUNT; i++) {
        status = report_progress(made, i);
        if (status == NCL_OK)
            status = stages[i].work(made);
    }
    if (status == NCL_OK)
        status = report_progress(made, STAGE_COUNT);
    if (status != NCL_OK) {
        ncl_session_destroy(made);
        return status;
    }
    made->create_seconds = (double)(ncl_clock_ns() - start) * 1e-9;
    *session = made;
    return NCL_OK;
}

static void destroy_layers(struct ncl_session *session)
{
    const int count = session->schedule ? session->schedule->step_count : 0;
    const int parts = session->schedule ? session->schedule->part_count : 0;

    for (int i = 0; session->layers && i < count; i++) {
        struct ncl_session_layer_state *layer = &session->layers[i];

        ncl_buffer_release(session->device, &layer->weights);
        ncl_buffer_release(session->device, &layer->bias);
        ncl_buffer_release(session->device, &layer->scale);
        ncl_buffer_release(session->device, &layer->shift);
        free(layer->params);
        free(layer->failures);
    }
    for (int i = 0; session->parts && i < parts; i++)
        ncl_launch_release(session->device, &session->parts[i].launch);
    free(session->layers);
    free(session->parts);
}

static void destroy_buffers(struct ncl_session *session)
{
    const int count = session->schedule ? session->schedule->slot_count : 0;

    for (int i = 0; session->slots && i < count; i++)
        ncl_buffer_release(session->device, &session->slots[i]);
    for (size_t i = 0; i < sizeof session->chunks / sizeof session->chunks[0]; i++)
        ncl_buffer_release(session->device, &session->chunks[i]);
    ncl_buffer_release(session->device, &session->weights);
    ncl_buffer_release(session->device, &session->workspace);
    free(session->slots);
    free(session->bound);
    ncl_times_forget(session);
    free(session->times);
}

void ncl_session_destroy(struct ncl_session *session)
{
    if (!session)
        return;
    /* Releasing a buffer under a running kernel is legal, but a caller's event callback may not
     * expect its session to be gone. */
    session->device->cl->Finish(session->device->queue);
    destroy_layers(session);
    destroy_buffers(session);
    ncl_kernels_free(&session->kernels);
    ncl_memory_plan_free(&session->memory);
    ncl_schedule_free(session->schedule);
    ncl_graph_free(session->graph);
    free(session);
}

static int find_slot(const struct ncl_session *session, int input, int output)
{
    for (int i = 0; i < session->schedule->slot_count; i++) {
        const struct ncl_slot *slot = &session->schedule->slots[i];

        if ((input >= 0 && slot->input == input) || (output >= 0 && slot->output == output))
            return i;
    }
    return -1;
}

int ncl_session_input_slot(const struct ncl_session *session, int input)
{
    return find_slot(session, input, -1);
}

int ncl_session_output_slot(const struct ncl_session *session, int output)
{
    return find_slot(session, -1, output);
}

size_t ncl_session_slot_bytes(const struct ncl_session *session, int slot)
{
    return ncl_slot_bytes(session->schedule, slot, session->config.channel_block);
}

const struct ncl_problem *ncl_session_problem(const struct ncl_session *session, int step)
{
    return &session->schedule->parts[session->layers[step].part].problem;
}

bool ncl_session_is_launch(const struct ncl_session *session, int part, int step)
{
    const struct ncl_part *p = &session->schedule->parts[part];

    return p->step == step && p->same == part;
}

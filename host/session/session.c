#include "session/session.h"

#include "base/clock.h"
#include "session/advice.h"
#include "session/compile.h"

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

static ncl_status allocate(struct ncl_session *session)
{
    return session->packed ? NCL_OK : ncl_session_allocate(session);
}

static ncl_status pack(struct ncl_session *session)
{
    return session->packed ? NCL_OK : ncl_session_pack_weights(session);
}

/* Steps of making a session, in order; each is also a line of progress. */
static const struct {
    const char *stage;
    ncl_status (*work)(struct ncl_session *session);
} stages[] = {
    {"choosing algorithms", ncl_session_choose},
    {"building kernels", ncl_session_prepare},
    {"allocating buffers", allocate},
    {"packing weights", pack},
    {"binding launches", ncl_session_bind},
};
#define STAGE_COUNT (sizeof stages / sizeof stages[0])

ncl_status ncl_session_progress(const struct ncl_session *session)
{
    const struct ncl_session_config *config = &session->config;
    const char *name = session->stage < STAGE_COUNT ? stages[session->stage].stage : "ready";

    if (config->progress && config->progress(config->user, name, session->stage, STAGE_COUNT))
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
        ncl_session_advised_block(session, session->config.channel_block);
    ncl_session_set_schedule(&session->config, session->config.channel_block, session->schedule);
    return ncl_schedule_chunk(session->device->log, session->schedule, &session->device->caps);
}

ncl_status ncl_session_make(const struct ncl_session_config *config, const struct ncl_graph *model,
                            const struct ncl_dims *inputs, int input_count,
                            struct ncl_session **session)
{
    const uint64_t start = ncl_clock_ns();
    struct ncl_session *made = ncl_alloc(1, sizeof *made);
    ncl_status status = NCL_OK;

    *session = NULL;
    if (!made)
        return ncl_fail_memory(config->device->log, "a session");
    made->config = *config;
    made->device = config->device;
    made->kernels.device = config->device;
    if (config->math == NCL_MATH_AUTO)
        status = ncl_compile_probe(made);
    if (status == NCL_OK)
        status = ncl_session_math(made->device, config->math, &made->config.math);
    if (status == NCL_OK)
        status = make_schedule(made, model, inputs, input_count);
    for (; status == NCL_OK && made->stage < STAGE_COUNT; made->stage++) {
        status = ncl_session_progress(made);
        if (status == NCL_OK)
            status = stages[made->stage].work(made);
    }
    if (status == NCL_OK)
        status = ncl_session_progress(made);
    ncl_compile_end(made);
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
        free(session->layers[i].params);
        free(session->layers[i].failures);
    }
    for (int i = 0; session->parts && i < parts; i++)
        ncl_launch_release(session->device, &session->parts[i].launch);
    free(session->layers);
    free(session->parts);
}

void ncl_session_destroy(struct ncl_session *session)
{
    if (!session)
        return;
    /* Releasing a buffer under a running kernel is legal, but a caller's event callback may not
     * expect its session to be gone. */
    session->device->cl->Finish(session->device->queue);
    ncl_session_release_buffers(session);
    destroy_layers(session);
    ncl_kernels_free(&session->kernels);
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

#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ncl_status set_params_text(struct ncl_session_layer_state *layer, const struct ncl_log *log)
{
    struct ncl_text text = {0};

    ncl_choice_params(&layer->choice, &text);
    if (!text.data || text.failed) {
        ncl_text_free(&text);
        return ncl_fail_memory(log, "a layer's description");
    }
    free(layer->params);
    layer->params = text.data;
    return NCL_OK;
}

static ncl_status choose_step(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_step *s = &session->schedule->steps[step];
    ncl_status status = ncl_choose(session->device->log, &s->problem, &session->device->caps,
                                   layer->attempt, &layer->choice);

    if (status == NCL_OK)
        status = set_params_text(layer, session->device->log);
    if (status == NCL_OK)
        status = ncl_kernels_add(&session->kernels, layer->choice.algo, layer->choice.v,
                                 &s->problem, &layer->variant);
    return status == NCL_OK ? NCL_OK : ncl_fail_within(status, "layer '%s' (%s)", s->name, s->op);
}

ncl_status ncl_session_choose(struct ncl_session *session)
{
    const int count = session->schedule->step_count;
    ncl_status status = NCL_OK;

    session->layers = ncl_alloc((size_t)count + 1, sizeof *session->layers);
    if (!session->layers)
        return ncl_fail_memory(session->device->log, "layers");
    for (int i = 0; status == NCL_OK && i < count; i++)
        status = choose_step(session, i);
    return status;
}

static bool variant_failed(const struct ncl_session *session, int step)
{
    return session->kernels.variants[session->layers[step].variant].failed;
}

/* Repeats until every step has an algorithm that builds: each round drops at least one. */
ncl_status ncl_session_build_kernels(struct ncl_session *session)
{
    bool again = true;
    ncl_status status = NCL_OK;

    while (status == NCL_OK && again) {
        again = false;
        status = ncl_kernels_build(&session->kernels);
        for (int i = 0; status == NCL_OK && i < session->schedule->step_count; i++) {
            if (!variant_failed(session, i))
                continue;
            session->layers[i].attempt++;
            again = true;
            status = choose_step(session, i);
        }
    }
    return status;
}

static void collect_buffers(const struct ncl_session *session, int step,
                            cl_mem buffers[NCL_ROLE_COUNT])
{
    const struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_step *s = &session->schedule->steps[step];

    buffers[NCL_ARG_X] = session->bound[s->x];
    buffers[NCL_ARG_Z] = s->z >= 0 ? session->bound[s->z] : NULL;
    buffers[NCL_ARG_RESIDUAL] = s->residual >= 0 ? session->bound[s->residual] : NULL;
    buffers[NCL_ARG_Y] = session->bound[s->y];
    buffers[NCL_ARG_W] = layer->weights;
    buffers[NCL_ARG_BIAS] = layer->bias;
    buffers[NCL_ARG_SCALE] = layer->scale;
    buffers[NCL_ARG_SHIFT] = layer->shift;
    buffers[NCL_ARG_WORKSPACE] = session->workspace;
}

static ncl_status bind_step(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_variant *variant = &session->kernels.variants[layer->variant];
    cl_mem buffers[NCL_ROLE_COUNT];

    collect_buffers(session, step, buffers);
    ncl_launch_release(session->device, &layer->launch);
    return ncl_launch_bind(session->device, variant->program, layer->variant, layer->choice.algo,
                           layer->choice.v, &session->schedule->steps[step].problem, buffers,
                           &layer->launch);
}

/* The output already lives where the residual did, so a successor must cope with that too. */
static bool keeps_aliasing(const struct ncl_session *session, int step)
{
    const struct ncl_choice *choice = &session->layers[step].choice;
    const int y = session->schedule->steps[step].y;

    return session->memory.slots[y].alias < 0 || !choice->algo->residual_may_alias ||
           choice->algo->residual_may_alias(choice->v, &session->schedule->steps[step].problem);
}

/* Scratch memory was allocated for the first choices; a successor makes do with it. */
static bool workspace_suffices(const struct ncl_session *session, int step)
{
    const struct ncl_choice *choice = &session->layers[step].choice;

    return sizeof(float) * ncl_algo_workspace(choice->algo, choice->v,
                                              &session->schedule->steps[step].problem) <=
           session->workspace_bytes;
}

/* Builds, packs and binds the step's choice; NCL_ERROR_DEVICE: the next one may still do. */
static ncl_status try_choice(struct ncl_session *session, int step)
{
    ncl_status status = ncl_kernels_build(&session->kernels);

    if (status == NCL_OK && (variant_failed(session, step) || !keeps_aliasing(session, step) ||
                             !workspace_suffices(session, step)))
        return NCL_ERROR_DEVICE;
    if (status == NCL_OK)
        status = ncl_session_pack_step(session, step);
    if (status == NCL_OK)
        status = bind_step(session, step);
    return status;
}

ncl_status ncl_session_fall_back(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const char *name = session->schedule->steps[step].name;
    char reason[512];
    ncl_status status = NCL_ERROR_DEVICE;

    snprintf(reason, sizeof reason, "%s", ncl_error_text());
    while (status == NCL_ERROR_DEVICE) {
        ncl_note(session->device->log, NCL_LOG_WARNING, "layer '%s': %s failed, falling back: %s",
                 name, layer->choice.algo->name, ncl_error_text());
        layer->attempt++;
        if (choose_step(session, step) != NCL_OK)
            return ncl_fail(session->device->log, NCL_ERROR_DEVICE,
                            "layer '%s': every algorithm failed, the first with: %s", name, reason);
        status = try_choice(session, step);
    }
    return status;
}

ncl_status ncl_session_bind(struct ncl_session *session)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < session->schedule->step_count; i++) {
        status = bind_step(session, i);
        if (status == NCL_ERROR_DEVICE)
            status = ncl_session_fall_back(session, i);
    }
    return status;
}

#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ncl_status set_params_text(struct ncl_session_layer_state *layer, const struct ncl_log *log)
{
    struct ncl_text text = {0};

    ncl_point_params(&layer->choice.point, &text);
    if (!text.data || text.failed) {
        ncl_text_free(&text);
        return ncl_fail_memory(log, "a layer's description");
    }
    free(layer->params);
    layer->params = text.data;
    return NCL_OK;
}

/* All parts of a step read the same packed weights: one algorithm with one set of parameters must
 * do for chunks of every size. */
static bool suits_all(const struct ncl_session *session, int step, const struct ncl_choice *choice)
{
    for (int i = 0; i < session->schedule->part_count; i++) {
        const struct ncl_problem *problem = &session->schedule->parts[i].problem;

        if (ncl_session_is_launch(session, i, step) &&
            !(choice->point.algo->applicable(problem, &session->device->caps) &&
              ncl_algo_legal(choice->point.algo, choice->point.v, problem, &session->device->caps)))
            return false;
    }
    return true;
}

/* The defaults of the first part that suit all of them; the first is the largest. */
static ncl_status choose(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    ncl_status status = NCL_OK;

    for (; status == NCL_OK; layer->attempt++) {
        for (int i = layer->part; status == NCL_OK && i < session->schedule->part_count; i++) {
            if (!ncl_session_is_launch(session, i, step))
                continue;
            status = ncl_choose(session->device->log, &session->schedule->parts[i].problem,
                                &session->device->caps, layer->attempt, &layer->choice);
            if (status == NCL_OK && suits_all(session, step, &layer->choice))
                return NCL_OK;
        }
    }
    return status;
}

static ncl_status choose_step(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_step *s = &session->schedule->steps[step];
    ncl_status status = choose(session, step);

    if (status == NCL_OK)
        status = set_params_text(layer, session->device->log);
    for (int i = layer->part; status == NCL_OK && i < session->schedule->part_count; i++)
        if (ncl_session_is_launch(session, i, step))
            status =
                ncl_kernels_add(&session->kernels, layer->choice.point.algo, layer->choice.point.v,
                                &session->schedule->parts[i].problem, &session->parts[i].variant);
    return status == NCL_OK ? NCL_OK : ncl_fail_within(status, "layer '%s' (%s)", s->name, s->op);
}

ncl_status ncl_session_choose(struct ncl_session *session)
{
    const int count = session->schedule->step_count;
    ncl_status status = NCL_OK;

    session->layers = ncl_alloc((size_t)count + 1, sizeof *session->layers);
    session->parts = ncl_alloc((size_t)session->schedule->part_count + 1, sizeof *session->parts);
    if (!session->layers || !session->parts)
        return ncl_fail_memory(session->device->log, "layers");
    for (int i = session->schedule->part_count - 1; i >= 0; i--)
        session->layers[session->schedule->parts[i].step].part = i;
    for (int i = 0; status == NCL_OK && i < count; i++)
        status = choose_step(session, i);
    return status;
}

static bool variant_failed(const struct ncl_session *session, int step)
{
    bool failed = false;

    for (int i = session->layers[step].part; !failed && i < session->schedule->part_count; i++)
        failed = ncl_session_is_launch(session, i, step) &&
                 session->kernels.variants[session->parts[i].variant].failed;
    return failed;
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
    const struct ncl_choice *choice = &session->layers[step].choice;
    cl_mem buffers[NCL_ROLE_COUNT];
    ncl_status status = NCL_OK;

    collect_buffers(session, step, buffers);
    for (int i = session->layers[step].part; status == NCL_OK && i < session->schedule->part_count;
         i++) {
        struct ncl_session_part *part = &session->parts[i];

        if (!ncl_session_is_launch(session, i, step))
            continue;
        ncl_launch_release(session->device, &part->launch);
        status = ncl_launch_bind(session->device, session->kernels.variants[part->variant].program,
                                 part->variant, choice->point.algo, choice->point.v,
                                 &session->schedule->parts[i].problem, buffers, &part->launch);
    }
    return status;
}

/* The output already lives where the residual did, so a successor must cope with that too. */
static bool keeps_aliasing(const struct ncl_session *session, int step)
{
    const struct ncl_choice *choice = &session->layers[step].choice;
    const int y = session->schedule->steps[step].y;

    return session->memory.slots[y].alias < 0 || !choice->point.algo->residual_may_alias ||
           choice->point.algo->residual_may_alias(choice->point.v,
                                                  ncl_session_problem(session, step));
}

/* Scratch memory was allocated for the first choices; a successor makes do with it. */
static bool workspace_suffices(const struct ncl_session *session, int step)
{
    const struct ncl_choice *choice = &session->layers[step].choice;

    return sizeof(float) * ncl_algo_workspace(choice->point.algo, choice->point.v,
                                              ncl_session_problem(session, step)) <=
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
                 name, layer->choice.point.algo->name, ncl_error_text());
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

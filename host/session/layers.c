#include "session/advice.h"

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

/* The attempt-th choice of the planner that suits all parts, by the defaults of one of them; the
 * first part is the largest. */
static ncl_status choose_default(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    ncl_status status = NCL_OK;

    for (; status == NCL_OK; layer->attempt++) {
        for (int i = layer->part; status == NCL_OK && i < session->schedule->part_count; i++) {
            if (!ncl_session_is_launch(session, i, step))
                continue;
            status = ncl_choose(session->device->log, &session->schedule->parts[i].problem,
                                &session->device->caps, layer->attempt, &layer->choice);
            if (status == NCL_OK && ncl_session_suits(session, step, &layer->choice.point) &&
                !ncl_session_is_barred(session, step, &layer->choice.point))
                return NCL_OK;
        }
    }
    return status;
}

static const char *source_of(const struct ncl_session *session, const struct ncl_advice *advice)
{
    static const char *const sources[NCL_ORIGIN_COUNT] = {"tuned", "imported", "shipped",
                                                          "shipped"};

    if (session->config.pin)
        return "tuned";
    return advice->kept && advice->origin == NCL_ORIGIN_ANALYTIC ? "imported"
                                                                 : sources[advice->origin];
}

static ncl_status choose(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    ncl_status status;

    if (layer->advised && !ncl_session_is_barred(session, step, &layer->advice.point)) {
        layer->choice =
            (struct ncl_choice){layer->advice.point, source_of(session, &layer->advice)};
        return NCL_OK;
    }
    layer->advised = false;
    status = choose_default(session, step);
    while (status == NCL_ERROR_DEVICE && layer->failure_count && layer->resort < NCL_RESORT_ANY) {
        layer->resort++;
        layer->attempt = 0;
        status = choose_default(session, step);
    }
    if (layer->failure_count)
        layer->choice.source = "fallback";
    if (status == NCL_OK && layer->resort)
        ncl_session_put_on_trial(session, step);
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
    status = ncl_session_advise(session);
    for (int i = 0; status == NCL_OK && i < count; i++)
        status = choose_step(session, i);
    return status;
}

/* The first variant of the step that did not build; NULL: all did. */
static const struct ncl_variant *failed_variant(const struct ncl_session *session, int step)
{
    for (int i = session->layers[step].part; i < session->schedule->part_count; i++) {
        const struct ncl_variant *variant = &session->kernels.variants[session->parts[i].variant];

        if (ncl_session_is_launch(session, i, step) && variant->failed)
            return variant;
    }
    return NULL;
}

/* Notes why the step's choice fails and takes the next one. */
static ncl_status choose_next(struct ncl_session *session, int step, enum ncl_verdict verdict,
                              const char *why)
{
    struct ncl_session_layer_state *layer = &session->layers[step];

    if (!ncl_session_note_failure(session, step, &layer->choice.point, verdict, why))
        return ncl_fail_memory(session->device->log, "a failure");
    if (!layer->advised)
        layer->attempt++;
    layer->advised = false;
    return choose_step(session, step);
}

/* Nothing is left: the first failure of this session is the likeliest to be understood. */
static ncl_status fail_all(const struct ncl_session *session, int step)
{
    const struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_step *s = &session->schedule->steps[step];

    for (size_t i = 0; i < layer->failure_count; i++) {
        const struct ncl_session_failure *failure = &layer->failures[i];

        if (!failure->earlier)
            return ncl_fail(session->device->log, NCL_ERROR_DEVICE,
                            "layer '%s' (%s): every algorithm failed, the first, %s, with: %s",
                            s->name, s->op, failure->point.algo->name, failure->why);
    }
    return NCL_ERROR_DEVICE;
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
            const struct ncl_variant *failed = failed_variant(session, i);

            if (!failed)
                continue;
            again = true;
            status = choose_next(session, i, NCL_VERDICT_BUILD, failed->why);
            if (status == NCL_ERROR_DEVICE)
                status = fail_all(session, i);
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

/* Builds, packs and binds the step's choice. NCL_ERROR_DEVICE: the next one may still do; *verdict
 * says what is to blame. */
static ncl_status try_choice(struct ncl_session *session, int step, enum ncl_verdict *verdict)
{
    const struct ncl_log *log = session->device->log;
    const struct ncl_variant *failed;
    ncl_status status = ncl_kernels_build(&session->kernels);

    *verdict = NCL_VERDICT_BUILD;
    if (status != NCL_OK)
        return status;
    failed = failed_variant(session, step);
    if (failed)
        return ncl_fail(log, NCL_ERROR_DEVICE, "%s", failed->why);
    if (!keeps_aliasing(session, step) || !workspace_suffices(session, step)) {
        *verdict = NCL_VERDICT_GOOD;
        return ncl_fail(log, NCL_ERROR_DEVICE, "it does not fit the memory as it was planned");
    }
    status = ncl_session_pack_step(session, step);
    return status == NCL_OK ? bind_step(session, step) : status;
}

ncl_status ncl_session_fall_back(struct ncl_session *session, int step, enum ncl_verdict verdict)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const char *name = session->schedule->steps[step].name;
    char latest[512];
    ncl_status status = NCL_ERROR_DEVICE;

    while (status == NCL_ERROR_DEVICE) {
        snprintf(latest, sizeof latest, "%s", ncl_error_text());
        ncl_note(session->device->log, NCL_LOG_WARNING, "layer '%s': %s failed, falling back: %s",
                 name, layer->choice.point.algo->name, latest);
        status = choose_next(session, step, verdict, latest);
        if (status == NCL_ERROR_DEVICE)
            return fail_all(session, step);
        if (status == NCL_OK)
            status = try_choice(session, step, &verdict);
    }
    return status;
}

ncl_status ncl_session_bind(struct ncl_session *session)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < session->schedule->step_count; i++) {
        status = bind_step(session, i);
        if (status == NCL_ERROR_DEVICE)
            status = ncl_session_fall_back(session, i, NCL_VERDICT_BUILD);
    }
    for (int i = 0; status == NCL_OK && i < session->schedule->step_count; i++)
        ncl_session_remember(session, i);
    return status;
}

#include "session/advice.h"

#include "plan/choose.h"

#include <stdio.h>
#include <string.h>

ncl_status ncl_session_net_key(const struct ncl_schedule *schedule, const struct ncl_caps *caps,
                               char key[NCL_NET_KEY])
{
    struct ncl_text text = {0};
    char hash[NCL_HASH_TEXT];

    for (int i = 0; i < schedule->step_count; i++) {
        struct ncl_problem p = schedule->steps[i].problem;

        p.channel_block = caps->channel_block;
        p.fast = p.half = p.finite = false; /* whether weights are finite may depend on half */
        ncl_problem_signature(&p, &text);
        ncl_text_add(&text, "\n");
    }
    if (text.failed) {
        ncl_text_free(&text);
        return ncl_fail_memory(NULL, "the key of a network");
    }
    ncl_hash_text(ncl_hash_bytes(text.data, text.length), hash);
    snprintf(key, NCL_NET_KEY, "net %s", hash);
    ncl_text_free(&text);
    return NCL_OK;
}

/* Has this machine chosen winners for the network at its own block? Then they are worth more than
 * what others say of another block, with which all layers would begin anew. */
static bool has_winners(const struct ncl_session *session, int block)
{
    struct ncl_store *store = session->config.store;
    const struct ncl_caps *caps = &session->device->caps;
    struct ncl_schedule *schedule = NULL;
    ncl_status status = ncl_schedule_create(session->graph, &schedule);
    bool found = false;

    if (status == NCL_OK) {
        ncl_session_set_schedule(&session->config, block, schedule);
        status = ncl_schedule_chunk(session->device->log, schedule, caps);
    }
    for (int i = 0; status == NCL_OK && !found && i < schedule->part_count; i++)
        found = ncl_lookup_has_winner(store, &schedule->parts[i].problem, caps);
    ncl_schedule_free(schedule);
    return found;
}

int ncl_session_advised_block(struct ncl_session *session, int block)
{
    const struct ncl_session_config *config = &session->config;
    const struct ncl_caps *caps = &session->device->caps;
    const struct ncl_log *log = session->device->log;
    struct ncl_block_advice *advice = &session->block;
    char key[NCL_NET_KEY], kernels[NCL_HASH_TEXT];
    struct ncl_block_question question = {.net = key};

    if (!config->channel_block_free || !ncl_store_path(config->store) ||
        ncl_session_net_key(session->schedule, caps, key) != NCL_OK)
        return block;
    /* The hash takes as long as a tenth of a session: not where it decides nothing. */
    if (!ncl_lookup_block(log, config->store, caps, &question, advice) || advice->block == block)
        return block;
    ncl_kernels_hash(kernels);
    question.kernels = kernels;
    if (!ncl_lookup_block(log, config->store, caps, &question, advice))
        return block;
    if (advice->origin != NCL_ORIGIN_MEASURED && advice->block != block &&
        has_winners(session, block)) {
        ncl_note(log, NCL_LOG_INFO,
                 "a record of others advises %d channels per block for this network: passed over, "
                 "since it was tuned here with %d",
                 advice->block, block);
        question.measured_only = true;
        (void)ncl_lookup_block(log, config->store, caps, &question, advice);
    }
    if (advice->block && advice->block != block)
        ncl_note(log, NCL_LOG_INFO,
                 "a record (%s, %s) advises %d channels per block for this network, not %d",
                 ncl_origin_name(advice->origin), ncl_match_name(advice->match), advice->block,
                 block);
    return advice->block ? advice->block : block;
}

bool ncl_session_suits(const struct ncl_session *session, int step, const struct ncl_point *point)
{
    for (int i = session->layers[step].part; i < session->schedule->part_count; i++)
        if (ncl_session_is_launch(session, i, step) &&
            !ncl_point_legal(point, &session->schedule->parts[i].problem, &session->device->caps))
            return false;
    return true;
}

static bool hash_problems(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    struct ncl_text text = {0};
    bool done;

    for (int i = layer->part; i < session->schedule->part_count; i++)
        if (ncl_session_is_launch(session, i, step)) {
            ncl_problem_signature(&session->schedule->parts[i].problem, &text);
            ncl_text_add(&text, "\n");
        }
    done = !text.failed;
    if (done && text.data)
        layer->problems = ncl_hash_bytes(text.data, text.length);
    ncl_text_free(&text);
    return done;
}

int ncl_session_first_like(const struct ncl_session *session, int step)
{
    const struct ncl_hash wanted = session->layers[step].problems;
    int first = 0;

    while (first < step && (session->layers[first].problems.low != wanted.low ||
                            session->layers[first].problems.high != wanted.high))
        first++;
    return first;
}

/* Chunks of other sizes have records of their own, which may know better. */
static void check_other_parts(const struct ncl_session *session, int step,
                              struct ncl_advice *advice)
{
    const struct ncl_session_layer_state *layer = &session->layers[step];

    for (int i = layer->part + 1; advice->point.algo && i < session->schedule->part_count; i++) {
        struct ncl_standing standing;

        if (!ncl_session_is_launch(session, i, step))
            continue;
        ncl_lookup_standing(session->config.store, &session->schedule->parts[i].problem,
                            &session->device->caps, &advice->point, &standing);
        advice->verified = advice->verified && standing.verified;
        if (standing.bars)
            advice->point.algo = NULL;
    }
}

/* What was reasoned, or tuned elsewhere, often comes to the planner's own choice, which runs
 * without being verified. */
static bool is_planners_own(const struct ncl_session *session, const struct ncl_problem *p,
                            const struct ncl_advice *advice)
{
    const struct ncl_device *device = session->device;
    struct ncl_choice choice;

    return advice->point.algo && !advice->verified &&
           ncl_choose(device->log, p, &device->caps, 0, &choice) == NCL_OK &&
           ncl_point_equal(&choice.point, &advice->point);
}

void ncl_session_look_up(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_session_config *config = &session->config;
    const struct ncl_problem *p = ncl_session_problem(session, step);

    layer->advice = (struct ncl_advice){.match = NCL_MATCH_NONE};
    if (config->pin) {
        if (config->pin(config->pin_user, p, &layer->advice.point))
            layer->advice.match = NCL_MATCH_EXACT, layer->advice.verified = true;
        else
            layer->advice.point.algo = NULL;
    } else if (ncl_store_path(config->store) &&
               ncl_lookup(session->device->log, config->store, p, &session->device->caps,
                          &layer->advice)) {
        check_other_parts(session, step, &layer->advice);
    }
    if (layer->advice.point.algo && (is_planners_own(session, p, &layer->advice) ||
                                     !ncl_session_suits(session, step, &layer->advice.point)))
        layer->advice = (struct ncl_advice){.match = NCL_MATCH_NONE};
}

ncl_status ncl_session_advise(struct ncl_session *session)
{
    const int count = session->schedule->step_count;
    ncl_status status = NCL_OK;

    for (int i = 0; i < count; i++) {
        if (!hash_problems(session, i))
            return ncl_fail_memory(session->device->log, "the names of layers");
        if (ncl_session_first_like(session, i) == i)
            ncl_session_look_up(session, i);
    }
    status = ncl_session_verify_advice(session);
    for (int i = 0; status == NCL_OK && i < count; i++) {
        const struct ncl_session_layer_state *like =
            &session->layers[ncl_session_first_like(session, i)];
        struct ncl_session_layer_state *layer = &session->layers[i];

        layer->advice = like->advice;
        layer->waits = like->waits;
        layer->advised = layer->advice.point.algo != NULL;
    }
    return status;
}

#include "session/advice.h"

#include <stdio.h>

static struct ncl_session_failure *find_failure(const struct ncl_session_layer_state *layer,
                                                const struct ncl_point *point)
{
    for (size_t i = 0; i < layer->failure_count; i++)
        if (ncl_point_equal(&layer->failures[i].point, point))
            return &layer->failures[i];
    return NULL;
}

bool ncl_session_note_failure(struct ncl_session *session, int step, const struct ncl_point *point,
                              enum ncl_verdict verdict, const char *why)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    struct ncl_session_failure *failure = find_failure(layer, point);

    if (!failure) {
        if (!ncl_grow((void **)&layer->failures, &layer->failure_capacity, layer->failure_count,
                      sizeof *layer->failures))
            return false;
        failure = &layer->failures[layer->failure_count++];
    }
    *failure = (struct ncl_session_failure){.point = *point, .verdict = verdict};
    snprintf(failure->why, sizeof failure->why, "%s", why);
    return true;
}

bool ncl_session_forbids(enum ncl_verdict verdict, enum ncl_resort resort)
{
    switch (verdict) {
    case NCL_VERDICT_BUILD:
    case NCL_VERDICT_LAUNCH:
    case NCL_VERDICT_WRONG:
    case NCL_VERDICT_CRASHED:
        return resort < NCL_RESORT_ANY;
    case NCL_VERDICT_TIMEOUT:
        return resort < NCL_RESORT_SLOW;
    case NCL_VERDICT_GOOD:
    case NCL_VERDICT_TIME:
    case NCL_VERDICT_STARTED:
    case NCL_VERDICT_COUNT:
        break;
    }
    return false;
}

bool ncl_session_is_barred(struct ncl_session *session, int step, const struct ncl_point *point)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_session_failure *failure = find_failure(layer, point);

    if (failure)
        return !failure->earlier || ncl_session_forbids(failure->verdict, layer->resort);
    for (int i = layer->part; i < session->schedule->part_count; i++) {
        struct ncl_standing standing;

        if (!ncl_session_is_launch(session, i, step))
            continue;
        ncl_lookup_standing(session->config.store, &session->schedule->parts[i].problem,
                            &session->device->caps, point, &standing);
        if (!standing.bars || !ncl_session_forbids(standing.verdict, layer->resort))
            continue;
        if (ncl_session_note_failure(session, step, point, standing.verdict, standing.why)) {
            layer->failures[layer->failure_count - 1].earlier = true;
            layer->failures[layer->failure_count - 1].remembered = true;
        }
        ncl_note(session->device->log, NCL_LOG_INFO, "layer '%s': %s is passed over: %s: %s",
                 session->schedule->steps[step].name, point->algo->name,
                 ncl_verdict_name(standing.verdict), standing.why);
        return true;
    }
    return false;
}

static void bury(const struct ncl_session *session, int step,
                 const struct ncl_session_failure *failure)
{
    for (int i = session->layers[step].part; i < session->schedule->part_count; i++) {
        struct ncl_record_keys keys;
        struct ncl_record record;

        if (!ncl_session_is_launch(session, i, step))
            continue;
        if (ncl_record_about(&session->schedule->parts[i].problem, &session->device->caps,
                             &failure->point, &keys, &record)) {
            record.verdict = failure->verdict;
            record.why = failure->why;
            ncl_records_put(session->config.store, &record);
        }
        ncl_record_keys_free(&keys);
    }
}

void ncl_session_remember(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];

    for (size_t i = 0; i < layer->failure_count; i++) {
        struct ncl_session_failure *failure = &layer->failures[i];

        if (failure->verdict != NCL_VERDICT_GOOD && !failure->earlier && !failure->remembered)
            bury(session, step, failure);
        failure->remembered |= failure->verdict != NCL_VERDICT_GOOD && !failure->earlier;
    }
}

/* ---- running in spite of a tombstone ---- */

static struct ncl_session_failure *tombstone_of_choice(const struct ncl_session_layer_state *layer)
{
    struct ncl_session_failure *failure = find_failure(layer, &layer->choice.point);

    return failure && failure->earlier ? failure : NULL;
}

void ncl_session_put_on_trial(struct ncl_session *session, int step)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_session_failure *failure = tombstone_of_choice(layer);
    struct ncl_text params = {0};

    if (!failure)
        return;
    session->on_trial = true;
    ncl_point_params(&failure->point, &params);
    ncl_note(
        session->device->log, NCL_LOG_WARNING,
        "layer '%s': every algorithm has a tombstone; %s %s runs in spite of its own (%s: %s), "
        "which goes if it does; `nextcl db clear` forgets all",
        session->schedule->steps[step].name, failure->point.algo->name,
        params.data ? params.data : "", ncl_verdict_name(failure->verdict), failure->why);
    ncl_text_free(&params);
}

/* The rows of all of the step's parts that bar the point. */
static void exhume(const struct ncl_session *session, int step, const struct ncl_point *point)
{
    struct ncl_store *store = session->config.store;

    for (int i = session->layers[step].part; i < session->schedule->part_count; i++) {
        const struct ncl_problem *p = &session->schedule->parts[i].problem;
        const struct ncl_caps *caps = &session->device->caps;
        struct ncl_record_keys keys;
        struct ncl_record record;

        if (!ncl_session_is_launch(session, i, step) ||
            !ncl_lookup_is_dead(store, p, caps, point, NULL, 0))
            continue;
        if (ncl_record_about(p, caps, point, &keys, &record)) {
            const struct ncl_record_filter row = ncl_record_row(&record);

            ncl_records_delete(store, &row, NULL);
        }
        ncl_record_keys_free(&keys);
    }
}

void ncl_session_acquit(struct ncl_session *session)
{
    for (int i = 0; session->on_trial && i < session->schedule->step_count; i++) {
        struct ncl_session_failure *failure = tombstone_of_choice(&session->layers[i]);

        if (!failure || !failure->remembered)
            continue;
        exhume(session, i, &failure->point);
        failure->remembered = false;
    }
    session->on_trial = false;
}

#include "session/advice.h"

#include <stdio.h>

bool ncl_session_note_failure(struct ncl_session *session, int step, const struct ncl_point *point,
                              enum ncl_verdict verdict, const char *why)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    struct ncl_session_failure *failure;

    if (!ncl_grow((void **)&layer->failures, &layer->failure_capacity, layer->failure_count,
                  sizeof *layer->failures))
        return false;
    failure = &layer->failures[layer->failure_count++];
    *failure = (struct ncl_session_failure){.point = *point, .verdict = verdict};
    snprintf(failure->why, sizeof failure->why, "%s", why);
    return true;
}

/* What was started and never ended may have been killed for any reason, by the user too, and a
 * point without a clock still computes: neither keeps the planner's own choices from running. One
 * that took too long is better than none. */
static bool forbids(enum ncl_verdict verdict, bool last_resort)
{
    switch (verdict) {
    case NCL_VERDICT_BUILD:
    case NCL_VERDICT_LAUNCH:
    case NCL_VERDICT_WRONG:
    case NCL_VERDICT_CRASHED:
        return true;
    case NCL_VERDICT_TIMEOUT:
        return !last_resort;
    case NCL_VERDICT_GOOD:
    case NCL_VERDICT_TIME:
    case NCL_VERDICT_STARTED:
    case NCL_VERDICT_COUNT:
        break;
    }
    return false;
}

static const struct ncl_session_failure *find_failure(const struct ncl_session_layer_state *layer,
                                                      const struct ncl_point *point)
{
    for (size_t i = 0; i < layer->failure_count; i++)
        if (ncl_point_equal(&layer->failures[i].point, point))
            return &layer->failures[i];
    return NULL;
}

bool ncl_session_is_barred(struct ncl_session *session, int step, const struct ncl_point *point)
{
    struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_session_failure *failure = find_failure(layer, point);

    if (failure)
        return !failure->remembered || forbids(failure->verdict, layer->last_resort);
    for (int i = layer->part; i < session->schedule->part_count; i++) {
        struct ncl_standing standing;

        if (!ncl_session_is_launch(session, i, step))
            continue;
        ncl_lookup_standing(session->config.store, &session->schedule->parts[i].problem,
                            &session->device->caps, point, &standing);
        if (!forbids(standing.verdict, layer->last_resort))
            continue;
        if (ncl_session_note_failure(session, step, point, standing.verdict, standing.why))
            layer->failures[layer->failure_count - 1].remembered = true;
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

        if (failure->verdict != NCL_VERDICT_GOOD && !failure->remembered)
            bury(session, step, failure);
        failure->remembered = failure->verdict != NCL_VERDICT_GOOD;
    }
}

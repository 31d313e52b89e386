/* What tuning might bring a session, for who runs it untuned. */
#include "plan/lookup.h"
#include "session/advice.h"
#include "session/report.h"

#include <string.h>

/* Launches with parameters that tuning never looked at. */
static bool is_untuned(const struct ncl_session *session, int step,
                       const struct ncl_fingerprint *here)
{
    const struct ncl_problem *problem = ncl_session_problem(session, step);
    struct ncl_record_list list = {0};
    struct ncl_text signature = {0};
    bool tuned = strcmp(session->layers[step].choice.source, "default") != 0 ||
                 ncl_problem_macs(problem) == 0;

    if (tuned)
        return false;
    ncl_problem_signature(problem, &signature);
    if (!signature.failed) {
        const struct ncl_record_filter filter = {.platform = here->platform,
                                                 .device = here->device,
                                                 .driver = here->driver,
                                                 .problem = signature.data,
                                                 .good_only = true};

        (void)ncl_records_find(session->config.store, &filter, &list);
    }
    for (size_t i = 0; i < list.count; i++)
        tuned |= ncl_record_is_tuned(&list.records[i]);
    ncl_record_list_free(&list);
    ncl_text_free(&signature);
    return !tuned;
}

/* What was chosen here saves of its defaults' time; below 0: nothing was. Shipped records would
 * promise too much, since they are of winners alone, and what was imported is anybody's word. */
static double usual_gain(const struct ncl_record_list *list)
{
    double before = 0, after = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct ncl_record *record = &list->records[i];

        if (record->origin != NCL_ORIGIN_MEASURED || record->seconds <= 0 ||
            record->default_seconds <= 0 || strncmp(record->problem, "net ", 4) == 0)
            continue;
        before += record->default_seconds;
        after += record->seconds;
    }
    return before > 0 ? 1 - after / before : -1;
}

static double find_gain(const struct ncl_session *session, const struct ncl_fingerprint *here)
{
    const struct ncl_record_filter filter = {.platform = here->platform,
                                             .device = here->device,
                                             .driver = here->driver,
                                             .good_only = true,
                                             .chosen_only = true};
    struct ncl_record_list own = {0};
    double gain = -1;

    if (ncl_records_find(session->config.store, &filter, &own) == NCL_OK)
        gain = usual_gain(&own);
    ncl_record_list_free(&own);
    return gain;
}

/* The first time for this device and net? Remembered in the store when given; never without one. */
static bool take_turn(const struct ncl_session *session, const struct ncl_fingerprint *here,
                      bool give)
{
    struct ncl_store *store = session->config.store;
    struct ncl_text key = {0}, value = {0};
    char net[NCL_NET_KEY];
    bool first = false;

    if (!ncl_store_path(store) ||
        ncl_session_net_key(session->schedule, &session->device->caps, net) != NCL_OK)
        return false;
    ncl_text_add(&key, "hint %s | %s | %s | %s", here->platform, here->device, here->driver, net);
    if (!key.failed && !ncl_store_note_get(store, key.data, &value))
        first = !give || ncl_store_note_put(store, key.data, "given");
    ncl_text_free(&key);
    ncl_text_free(&value);
    return first;
}

ncl_status ncl_session_hint(const struct ncl_session *session, bool give, char **json)
{
    struct ncl_fingerprint here;
    char klass[64];
    int layers = 0, untuned = 0;
    double gain = -1;
    bool first = false;

    ncl_fingerprint_of(&session->device->caps, klass, &here);
    for (int i = 0; i < session->schedule->step_count; i++) {
        layers += ncl_problem_macs(&session->schedule->steps[i].problem) > 0;
        untuned += is_untuned(session, i, &here);
    }
    if (untuned > 0) {
        gain = find_gain(session, &here);
        first = take_turn(session, &here, give);
    }
    return ncl_report_dump(session->device->log,
                           json_pack("{s:i, s:i, s:o, s:b}", "layers", layers, "untuned", untuned,
                                     "gain", gain > 0 ? json_real(gain) : json_null(), "first",
                                     first),
                           json);
}

#include "session/advice.h"
#include "session/report.h"
#include "tunedb/record_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* What the store knows of a step's problem on this device and driver, of today's kernels. */
struct known {
    struct ncl_record_list list;
    const struct ncl_record *own;       /* of the point that runs, if it was timed */
    const struct ncl_record *runner_up; /* the fastest other one that was measured here */
    const struct ncl_record *lost;      /* a record of others that was slower here */
    int tried[NCL_VERDICT_COUNT];       /* here */
};

/* What others measured, or saw fail, is no fact about this machine; what begins a first use is. */
static bool is_of_here(const struct ncl_record *record)
{
    return record->origin == NCL_ORIGIN_MEASURED || ncl_record_bars(record);
}

static void sort_in(struct known *known, const struct ncl_record *record,
                    const struct ncl_point *runs)
{
    const bool timed = record->verdict == NCL_VERDICT_GOOD && record->samples > 0;
    struct ncl_point point;

    if (!ncl_record_point(record, &point))
        return;
    if (timed && ncl_point_equal(&point, runs))
        known->own = record;
    if (!is_of_here(record))
        return;
    if (ncl_record_lost(record))
        known->lost = record;
    if (timed || record->verdict != NCL_VERDICT_GOOD)
        known->tried[record->verdict]++;
    if (timed && known->own != record &&
        (!known->runner_up || record->seconds < known->runner_up->seconds))
        known->runner_up = record;
}

static bool find_known(const struct ncl_session *session, int step, struct known *known)
{
    struct ncl_text problem = {0};
    struct ncl_fingerprint on;
    char klass[64];
    bool done;

    *known = (struct known){0};
    ncl_fingerprint_of(&session->device->caps, klass, &on);
    ncl_problem_signature(ncl_session_problem(session, step), &problem);
    done = !problem.failed;
    if (done) {
        const struct ncl_record_filter filter = {.platform = on.platform,
                                                 .device = on.device,
                                                 .driver = on.driver,
                                                 .problem = problem.data};

        done = ncl_records_find(session->config.store, &filter, &known->list) == NCL_OK;
    }
    for (size_t i = 0; i < known->list.count; i++)
        sort_in(known, &known->list.records[i], &session->layers[step].choice.point);
    ncl_text_free(&problem);
    return done;
}

/* ---- why ---- */

static void say_advice(const struct ncl_session *session, const struct ncl_session_layer_state *l,
                       const struct known *known, char *text, size_t room)
{
    static const char *const where[] = {
        [NCL_MATCH_EXACT] = "this device and driver",
        [NCL_MATCH_DRIVER] = "this device with another driver",
        [NCL_MATCH_ARCHITECTURE] = "a device of the same vendor, class and compute units",
        [NCL_MATCH_VENDOR] = "a device of the same vendor and class",
        [NCL_MATCH_CLASS] = "a device of the same class",
        [NCL_MATCH_NONE] = "another device",
    };
    const char *const origins[NCL_ORIGIN_COUNT] = {
        [NCL_ORIGIN_MEASURED] = "measured",
        [NCL_ORIGIN_IMPORTED] = "an imported record",
        [NCL_ORIGIN_SHIPPED] = "a shipped record",
        [NCL_ORIGIN_ANALYTIC] = l->advice.kept ? "an imported record, reasoned and never timed,"
                                               : "a shipped record, reasoned and never timed,",
    };

    if (session->config.pin)
        snprintf(text, room, "the tuner asked for it");
    else if (l->advice.origin == NCL_ORIGIN_MEASURED && l->advice.match == NCL_MATCH_EXACT)
        snprintf(text, room, "the winner of %d points measured here",
                 known->tried[NCL_VERDICT_GOOD]);
    else
        snprintf(text, room, "%s%s %s, verified here before its first use",
                 origins[l->advice.origin], l->advice.origin == NCL_ORIGIN_MEASURED ? " on" : " of",
                 where[l->advice.match]);
}

static void say_fallback(const struct ncl_session_layer_state *layer, char *text, size_t room)
{
    static const char *const resorts[] = {
        [NCL_RESORT_NONE] = "",
        [NCL_RESORT_SLOW] = "; all have tombstones, this one ran, if slowly",
        [NCL_RESORT_ANY] = "; all have tombstones, it runs all the same (nextcl db clear forgets)",
    };

    if (layer->resort && ncl_point_equal(&layer->failures[0].point, &layer->choice.point))
        snprintf(text, room, "the planner's choice%s", resorts[layer->resort]);
    else
        snprintf(text, room, "the next that applies: %s comes before it and does not run%s",
                 layer->failures[0].point.algo->name, resorts[layer->resort]);
}

static void say_lost(const struct ncl_record *lost, char *text, size_t room)
{
    snprintf(text, room,
             "the planner's choice: a record advised %s %s, which took %.4g ms here, and this "
             "%.4g ms",
             lost->algorithm, lost->params, lost->seconds * 1e3, lost->default_seconds * 1e3);
}

static void say_why(const struct ncl_session *session, int step, const struct known *known,
                    char *text, size_t room)
{
    const struct ncl_session_layer_state *layer = &session->layers[step];
    const int good = known->tried[NCL_VERDICT_GOOD];

    if (layer->advised)
        say_advice(session, layer, known, text, room);
    else if (layer->failure_count)
        say_fallback(layer, text, room);
    else if (layer->waits)
        snprintf(text, room, "the planner's choice; a record's advice waits to be verified");
    else if (known->lost)
        say_lost(known->lost, text, room);
    else if (good)
        snprintf(text, room, "the planner's choice: of %d points measured here none is the winner",
                 good);
    else
        snprintf(text, room,
                 "the planner's choice: nothing is known of better ones for this "
                 "problem on this device");
}

/* ---- as JSON ---- */

static json_t *milliseconds(double seconds)
{
    return seconds > 0 ? json_real(seconds * 1e3) : json_null();
}

static json_t *utc_json(const struct ncl_record *record)
{
    const time_t at = record ? (time_t)record->utc : 0;
    struct tm parts;
    char text[32];

    if (!at || !gmtime_r(&at, &parts) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return json_null();
    return json_string(text);
}

static json_t *point_json(const struct ncl_record *record)
{
    return json_pack("{s:s, s:s}", "algorithm", record->algorithm, "params", record->params);
}

static json_t *runner_up_json(const struct known *known)
{
    json_t *object;

    if (!known->runner_up)
        return json_null();
    object = point_json(known->runner_up);
    json_object_set_new(object, "ms", milliseconds(known->runner_up->seconds));
    return object;
}

static json_t *tried_json(const struct known *known)
{
    json_t *object = json_object();

    for (int i = 0; i < NCL_VERDICT_COUNT; i++)
        if (known->tried[i])
            json_object_set_new(object, ncl_verdict_name((enum ncl_verdict)i),
                                json_integer(known->tried[i]));
    return object;
}

static json_t *tombstones_json(const struct known *known)
{
    json_t *array = json_array();

    for (size_t i = 0; i < known->list.count; i++) {
        const struct ncl_record *record = &known->list.records[i];
        struct ncl_point point;
        json_t *object;

        if (record->verdict == NCL_VERDICT_GOOD || !is_of_here(record) ||
            !ncl_record_point(record, &point))
            continue;
        object = point_json(record);
        json_object_set_new(object, "verdict", json_string(ncl_verdict_name(record->verdict)));
        json_object_set_new(object, "why", ncl_json_text(record->why));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *fallbacks_json(const struct ncl_session_layer_state *layer)
{
    json_t *array = json_array();

    for (size_t i = 0; i < layer->failure_count; i++) {
        const struct ncl_session_failure *failure = &layer->failures[i];
        const bool fits = failure->verdict != NCL_VERDICT_GOOD;
        struct ncl_text text = {0};

        ncl_text_add(&text, "%s ", failure->point.algo->name);
        ncl_point_params(&failure->point, &text);
        ncl_text_add(&text, ": %s: %s", fits ? ncl_verdict_name(failure->verdict) : "unfit",
                     failure->why);
        json_array_append_new(array, text.failed ? NULL : ncl_json_text(text.data));
        ncl_text_free(&text);
    }
    return array;
}

static json_t *match_json(const struct ncl_session_layer_state *layer)
{
    return layer->advised ? json_string(ncl_match_name(layer->advice.match)) : json_null();
}

static json_t *origin_json(const struct ncl_session_layer_state *layer, const struct known *known)
{
    if (layer->advised)
        return json_string(ncl_origin_name(layer->advice.origin));
    return known->own ? json_string(ncl_origin_name(known->own->origin)) : json_null();
}

static void add_times(json_t *object, const struct ncl_session_layer_state *layer,
                      const struct known *known)
{
    const struct ncl_record *own = known->own;
    const struct ncl_advice *advice = &layer->advice;
    double recorded = own ? own->seconds : 0, defaults = own ? own->default_seconds : 0;

    if (layer->advised && !own)
        recorded = advice->seconds, defaults = advice->default_seconds;
    json_object_set_new(object, "ms", milliseconds(layer->seconds));
    json_object_set_new(object, "record_ms", milliseconds(recorded));
    json_object_set_new(object, "spread_ms", milliseconds(own ? own->spread : 0));
    json_object_set_new(object, "default_ms", milliseconds(defaults));
    json_object_set_new(object, "origin", origin_json(layer, known));
    json_object_set_new(object, "utc", utc_json(own));
}

static json_t *layer_json(const struct ncl_session *session, int step)
{
    const struct ncl_session_layer_state *layer = &session->layers[step];
    const struct ncl_step *s = &session->schedule->steps[step];
    struct ncl_text problem = {0};
    struct known known;
    char why[256];
    json_t *object = NULL;

    ncl_problem_signature(ncl_session_problem(session, step), &problem);
    if (find_known(session, step, &known) && !problem.failed) {
        say_why(session, step, &known, why, sizeof why);
        object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "index", step,
                           "name", s->name, "op", s->op, "kind", ncl_problem_kind_name(&s->problem),
                           "problem", problem.data, "algorithm", layer->choice.point.algo->name,
                           "params", layer->params, "source", layer->choice.source, "match",
                           match_json(layer), "why", ncl_json_text(why));
        add_times(object, layer, &known);
        json_object_set_new(object, "runner_up", runner_up_json(&known));
        json_object_set_new(object, "tried", tried_json(&known));
        json_object_set_new(object, "tombstones", tombstones_json(&known));
        json_object_set_new(object, "fallbacks", fallbacks_json(layer));
    }
    ncl_record_list_free(&known.list);
    ncl_text_free(&problem);
    return object;
}

/* Whose record chose the channel block; null: none did. */
static json_t *block_json(const struct ncl_session *session)
{
    const struct ncl_block_advice *advice = &session->block;

    return advice->block
               ? json_pack("{s:i, s:s, s:s}", "channel_block", advice->block, "origin",
                           ncl_origin_name(advice->origin), "match", ncl_match_name(advice->match))
               : json_null();
}

ncl_status ncl_session_explain(const struct ncl_session *session, char **json)
{
    const struct ncl_caps *caps = &session->device->caps;
    json_t *layers = json_array();
    bool complete = layers != NULL;

    for (int i = 0; complete && i < session->schedule->step_count; i++)
        complete = json_array_append_new(layers, layer_json(session, i)) == 0;
    if (!complete) {
        json_decref(layers);
        *json = NULL;
        return ncl_fail_memory(session->device->log, "a report");
    }
    return ncl_report_dump(
        session->device->log,
        json_pack("{s:o, s:o, s:o, s:s, s:s, s:i, s:o, s:o}", "device", ncl_json_text(caps->name),
                  "platform", ncl_json_text(caps->platform), "driver", ncl_json_text(caps->driver),
                  "math", session->config.math == NCL_MATH_FAST ? "fast" : "reproducible",
                  "precision", ncl_precision_name(session->config.precision), "channel_block",
                  session->config.channel_block, "block_record", block_json(session), "layers",
                  layers),
        json);
}

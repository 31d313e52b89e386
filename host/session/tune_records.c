/* Records that the tuner writes: of points, of those that began, and of what was chosen. */
#include "session/tune_parts.h"

#include "base/version.h"
#include "plan/lookup.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* A record about a task's point, with nothing measured yet; keys hold its strings, to be freed in
 * any case. false: out of memory. */
static bool about(const struct ncl_tune_net *net, int task, const struct ncl_point *point,
                  struct ncl_record_keys *keys, struct ncl_record *record)
{
    const bool whole =
        ncl_record_about(&net->tasks[task].problem, &net->tuning->device.caps, point, keys, record);

    record->seed = net->tuning->options.seed;
    return whole;
}

static void put(struct ncl_tune_net *net, int task, const struct ncl_point *point,
                enum ncl_verdict verdict, const char *why)
{
    struct ncl_record_keys keys;
    struct ncl_record record;

    if (about(net, task, point, &keys, &record)) {
        record.verdict = verdict;
        record.why = why;
        ncl_tune_put(net, &record);
    }
    ncl_record_keys_free(&keys);
}

void ncl_tune_record(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    const struct ncl_tune_layer *layer = &net->layers[note->task];
    const bool standard = ncl_point_equal(&net->tasks[note->task].start, &layer->standard);
    struct ncl_record_keys keys;
    struct ncl_record record;

    if (about(net, note->task, &note->point, &keys, &record)) {
        record.verdict = note->verdict;
        record.seconds = note->seconds;
        record.spread = note->spread;
        record.default_seconds = standard ? note->start_seconds : layer->standard_seconds;
        record.samples = note->samples;
        record.verified = note->verdict == NCL_VERDICT_GOOD;
        record.why = note->why ? note->why : "";
        ncl_tune_put(net, &record);
    }
    ncl_record_keys_free(&keys);
}

/* As this run noted it last; NULL: it did not, or the point is not good. */
static const struct ncl_search_note *note_of(const struct ncl_tune_net *net, int task,
                                             const struct ncl_point *point)
{
    for (size_t i = net->event_count; i-- > 0;) {
        const struct ncl_search_note *note = &net->events[i].note;

        if (note->task == task && note->verdict == NCL_VERDICT_GOOD &&
            ncl_point_equal(&note->point, point))
            return note;
    }
    return NULL;
}

bool ncl_tune_is_measured(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    if (note_of(net, task, point))
        return true;
    for (size_t i = 0; i < net->known_count; i++)
        if (net->known[i].task == task && net->known[i].verdict == NCL_VERDICT_GOOD &&
            ncl_point_equal(&net->known[i].point, point))
            return true;
    return false;
}

/* In a worker a start under suspicion would do no good: sessions run it all the same. */
static bool is_start(const struct ncl_tune_net *net, const struct ncl_trial *trial)
{
    return ncl_point_equal(&trial->point, &net->tasks[trial->task].start);
}

/* What a STARTED record says: once, or for the second time after the machine went down meanwhile,
 * and in which boot of the system. */
#define BEGAN "began, and its process never said how it ended"
#define BEGAN_AGAIN "began twice, in two boots, and its process never said how it ended"
#define BOOT " (boot "

static bool is_of_other_boot(const struct ncl_tuning *t, const char *why)
{
    const char *boot = strstr(why, BOOT);

    return boot && t->boot[0] && strncmp(boot + strlen(BOOT), t->boot, strlen(t->boot)) != 0;
}

static bool is_second(const char *why)
{
    return strncmp(why, BEGAN_AGAIN, strlen(BEGAN_AGAIN)) == 0;
}

bool ncl_tune_is_deadly(const struct ncl_tuning *tuning, const char *why)
{
    return is_second(why) && is_of_other_boot(tuning, why);
}

static void write_why(const struct ncl_tuning *t, const struct ncl_standing *standing,
                      char why[160])
{
    const bool again = standing->verdict == NCL_VERDICT_STARTED &&
                       (is_second(standing->why) || is_of_other_boot(t, standing->why));

    snprintf(why, 160, "%s%s%s%s", again ? BEGAN_AGAIN : BEGAN, t->boot[0] ? BOOT : "", t->boot,
             t->boot[0] ? ")" : "");
}

/* What is there already of another machine, and good, stays, all but its verdict. With a worker
 * nobody needs to know: it is the worker that dies. */
static bool add_started(struct ncl_tune_net *net, const struct ncl_trial *trial,
                        struct ncl_record_list *list)
{
    struct ncl_store *store = net->tuning->store;
    struct ncl_standing standing;
    struct ncl_record_keys keys;
    struct ncl_record record;
    char why[160];
    bool whole, import;

    ncl_lookup_standing(store, &net->tasks[trial->task].problem, &net->tuning->device.caps,
                        &trial->point, &standing);
    write_why(net->tuning, &standing, why);
    import = standing.origin != NCL_ORIGIN_MEASURED && standing.verdict == NCL_VERDICT_GOOD;
    whole = about(net, trial->task, &trial->point, &keys, &record);
    record.verdict = NCL_VERDICT_STARTED;
    record.why = why;
    if (whole && import && !net->tuning->worker)
        ncl_records_mark(store, &record, record.verdict, why);
    else if (whole)
        whole = ncl_record_list_add(list, &record);
    ncl_record_keys_free(&keys);
    return whole;
}

/* On the disk before they run, since they may take the machine along. A store that is locked just
 * now does not get them: later they would be of no use. */
static void put_started(struct ncl_tune_net *net, const struct ncl_trial *trials, size_t count)
{
    struct ncl_record_list list = {0};
    bool whole = count > 0 && ncl_tune_write_late(net);

    for (size_t i = 0; whole && i < count; i++)
        whole = add_started(net, &trials[i], &list);
    if (whole)
        ncl_records_put_synced(net->tuning->store, list.records, list.count);
    ncl_record_list_free(&list);
}

void ncl_tune_record_started(struct ncl_tune_net *net, const struct ncl_trial *trials, int count)
{
    const size_t first = net->begun_count;

    for (int i = 0; i < count; i++) {
        if (ncl_tune_is_measured(net, trials[i].task, &trials[i].point) ||
            (net->tuning->worker && is_start(net, &trials[i])) ||
            !ncl_grow((void **)&net->begun, &net->begun_capacity, net->begun_count,
                      sizeof *net->begun))
            continue;
        net->begun[net->begun_count++] = trials[i];
    }
    put_started(net, net->begun + first, net->begun_count - first);
}

/* An import stays one, whether it is tried or not: only what this run put there goes. */
static void forget_started(const struct ncl_tune_net *net, const struct ncl_trial *trial)
{
    struct ncl_store *store = net->tuning->store;
    struct ncl_standing standing;
    struct ncl_record_keys keys;
    struct ncl_record record;

    ncl_lookup_standing(store, &net->tasks[trial->task].problem, &net->tuning->device.caps,
                        &trial->point, &standing);
    if (about(net, trial->task, &trial->point, &keys, &record) &&
        standing.verdict == NCL_VERDICT_STARTED) {
        const struct ncl_record_filter row = ncl_record_row(&record);

        if (standing.origin == NCL_ORIGIN_MEASURED)
            ncl_records_delete(store, &row, NULL);
        else
            ncl_records_mark(store, &record, NCL_VERDICT_GOOD, "");
    }
    ncl_record_keys_free(&keys);
}

void ncl_tune_forget_started(struct ncl_tune_net *net)
{
    const bool open = ncl_tune_settle(net);

    ncl_tune_drop_late(net);
    for (size_t i = 0; open && i < net->begun_count; i++)
        if (!ncl_tune_is_measured(net, net->begun[i].task, &net->begun[i].point))
            forget_started(net, &net->begun[i]);
    net->begun_count = 0;
}

void ncl_tune_tombstone(struct ncl_tune_net *net, int task, const char *why)
{
    put(net, task, &net->results[task].best, NCL_VERDICT_WRONG, why);
}

/* ---- what sessions get from now on ---- */

/* What is chosen for the problem on this device and driver, and is of these kernels; false: nothing
 * is. *ratio: of its time to the default's, as they were measured together; 0: unknown. */
static bool find_choice(const struct ncl_tune_net *net, int task, struct ncl_point *point,
                        double *ratio)
{
    const struct ncl_caps *caps = &net->tuning->device.caps;
    const struct ncl_record_filter filter = {.platform = caps->platform,
                                             .device = caps->name,
                                             .driver = caps->driver,
                                             .problem = net->layers[task].problem,
                                             .good_only = true,
                                             .chosen_only = true};
    struct ncl_record_list list = {0};
    bool found = ncl_records_find(net->tuning->store, &filter, &list) == NCL_OK && list.count > 0;

    if (found) {
        const struct ncl_record *record = &list.records[0];

        found = record->origin == NCL_ORIGIN_MEASURED && ncl_record_point(record, point) &&
                ncl_point_legal(point, &net->tasks[task].problem, caps);
        *ratio = record->default_seconds > 0 ? record->seconds / record->default_seconds : 0;
    }
    ncl_record_list_free(&list);
    return found;
}

/* false: the store does not have it, or cannot be written. */
static bool choose_point(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    struct ncl_record_keys keys;
    struct ncl_record record;
    const bool chosen =
        about(net, task, point, &keys, &record) && ncl_records_choose(net->tuning->store, &record);

    ncl_record_keys_free(&keys);
    return chosen;
}

/* A record that is gone, with a store that somebody cleared or took away meanwhile, is put again.
 */
static bool insist(struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    const struct ncl_search_note *note;

    if (choose_point(net, task, point))
        return true;
    note = note_of(net, task, point);
    if (note)
        ncl_tune_record(net, note);
    return note && choose_point(net, task, point);
}

/* From bad parameters on a winner need not be better than what sessions have. */
static bool is_wanted(const struct ncl_tune_net *net, int task)
{
    const struct ncl_search_task *r = &net->results[task];
    struct ncl_point chosen;
    double ratio;

    if (!net->tuning->options.from_worst)
        return true;
    return !find_choice(net, task, &chosen, &ratio) &&
           r->best_seconds < net->layers[task].standard_seconds;
}

/* As this run measured it last; 0: it did not. */
static double seconds_of(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    const struct ncl_search_note *note = note_of(net, task, point);

    return note ? note->seconds : 0;
}

/* An earlier run's choice stays until this one has measured it too. */
static bool beats_choice(const struct ncl_tune_net *net, int task, double seconds)
{
    struct ncl_point chosen;
    double ratio;

    return !find_choice(net, task, &chosen, &ratio) || seconds < seconds_of(net, task, &chosen);
}

void ncl_tune_stand_by_choices(struct ncl_tune_net *net)
{
    for (int i = 0; i < net->count; i++) {
        struct ncl_search_task *r = &net->results[i];
        const double own = r->start_seconds > 0 ? r->best_seconds / r->start_seconds : 1;
        struct ncl_point chosen;
        double ratio;

        if (!r->best.algo || net->tuning->options.from_worst ||
            !find_choice(net, i, &chosen, &ratio) || seconds_of(net, i, &chosen) > 0 ||
            ncl_point_equal(&chosen, &net->layers[i].standard) ||
            (ncl_tune_wins(net, i) && own < ratio))
            continue;
        r->best = chosen;
        r->best_seconds = ratio * r->start_seconds;
        r->decided = true;
    }
}

static bool is_seed(const struct ncl_tune_net *net, int task, const struct ncl_point *point)
{
    for (int i = 0; i < net->tasks[task].seed_count; i++)
        if (ncl_point_equal(&net->tasks[task].seeds[i], point))
            return true;
    return false;
}

void ncl_tune_choose_early(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    const int task = note->task;
    const double start = seconds_of(net, task, &net->tasks[task].start);

    if (start > 0 && !net->tuning->options.from_worst &&
        ncl_search_is_clear(note, start, is_seed(net, task, &note->point)) &&
        beats_choice(net, task, note->seconds) && ncl_tune_write_late(net))
        choose_point(net, task, &note->point);
}

void ncl_tune_choose(struct ncl_tune_net *net, bool complete)
{
    const bool open = ncl_tune_settle(net);

    for (int i = 0; i < net->count; i++) {
        const struct ncl_search_task *r = &net->results[i];
        const bool wins = ncl_tune_wins(net, i) && is_wanted(net, i);
        bool kept = true;

        net->layers[i].kept = wins;
        if (!r->best.algo)
            continue;
        if (complete && (wins || !net->tuning->options.from_worst))
            kept = open && insist(net, i, wins ? &r->best : &net->layers[i].standard);
        else if (wins && beats_choice(net, i, r->best_seconds))
            kept = open && insist(net, i, &r->best);
        if (wins && !kept)
            net->layers[i].kept = false;
        net->unkept += wins && !kept;
    }
}

void ncl_tune_record_session(struct ncl_tune_net *net, const struct ncl_tune_choice *choice)
{
    const struct ncl_tune_choice *own = &net->tuning->choices[0]; /* the device's own block */
    char klass[64], hash[NCL_HASH_TEXT], params[16];
    struct ncl_record record = {
        .library = NCL_VERSION_TEXT,
        .order_version = NCL_ORDER_VERSION,
        .kernel = hash,
        .problem = net->key,
        .algorithm = "session",
        .params = params,
        .verified = choice->verified,
        .seconds = choice->tuned ? choice->tuned_seconds : choice->standard_seconds,
        .default_seconds = own->tuned ? own->tuned_seconds : own->standard_seconds,
        .chosen = choice->chosen,
        .seed = net->tuning->options.seed,
        .utc = (int64_t)time(NULL),
        .why = "",
    };

    ncl_fingerprint_of(&net->tuning->device.caps, klass, &record.on);
    snprintf(params, sizeof params, "CB=%d", choice->channel_block);
    ncl_kernels_hash(hash);
    ncl_tune_put(net, &record);
    ncl_tune_settle(net);
    ncl_tune_drop_late(net);
}

#include "plan/lookup.h"

#include "base/version.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *ncl_match_name(enum ncl_match match)
{
    static const char *const names[] = {"exact",  "driver", "architecture",
                                        "vendor", "class",  "none"};

    return names[match];
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

enum ncl_match ncl_match_of(const struct ncl_fingerprint *record,
                            const struct ncl_fingerprint *here)
{
    const bool vendor = same(record->vendor, here->vendor) && same(record->klass, here->klass);

    if (same(record->platform, here->platform) && same(record->device, here->device))
        return same(record->driver, here->driver) ? NCL_MATCH_EXACT : NCL_MATCH_DRIVER;
    if (vendor && same(record->platform, here->platform) &&
        record->compute_units == here->compute_units)
        return NCL_MATCH_ARCHITECTURE;
    if (vendor)
        return NCL_MATCH_VENDOR;
    return same(record->klass, here->klass) ? NCL_MATCH_CLASS : NCL_MATCH_NONE;
}

void ncl_fingerprint_of(const struct ncl_caps *caps, char klass[64], struct ncl_fingerprint *on)
{
    ncl_caps_class(caps, klass);
    *on = (struct ncl_fingerprint){
        .platform = caps->platform,
        .device = caps->name,
        .vendor = caps->vendor,
        .driver = caps->driver,
        .klass = klass,
        .compute_units = (int)caps->compute_units,
    };
}

/* Reasoned records may speak of every version of a kernel: theirs is empty. */
bool ncl_record_point(const struct ncl_record *record, struct ncl_point *point)
{
    char kernel[NCL_HASH_TEXT];

    if (!ncl_point_parse(record->algorithm, record->params, point))
        return false;
    if (record->origin == NCL_ORIGIN_ANALYTIC && !record->kernel[0])
        return true;
    ncl_point_kernel_hash(point->algo, kernel);
    return kernel[0] && same(record->kernel, kernel);
}

bool ncl_record_about(const struct ncl_problem *p, const struct ncl_caps *caps,
                      const struct ncl_point *point, struct ncl_record_keys *keys,
                      struct ncl_record *record)
{
    *keys = (struct ncl_record_keys){0};
    ncl_problem_signature(p, &keys->problem);
    ncl_point_params(point, &keys->params);
    ncl_point_kernel_hash(point->algo, keys->kernel);
    *record = (struct ncl_record){
        .library = NCL_VERSION_TEXT,
        .order_version = NCL_ORDER_VERSION,
        .kernel = keys->kernel,
        .problem = keys->problem.data,
        .algorithm = point->algo->name,
        .params = keys->params.data,
        .utc = (int64_t)time(NULL),
        .why = "",
    };
    ncl_fingerprint_of(caps, keys->klass, &record->on);
    return !keys->problem.failed && !keys->params.failed && keys->kernel[0];
}

void ncl_record_keys_free(struct ncl_record_keys *keys)
{
    ncl_text_free(&keys->problem);
    ncl_text_free(&keys->params);
}

/* ---- what a record says against its point ---- */

static bool is_first_use(const struct ncl_record *record)
{
    return record->verdict == NCL_VERDICT_STARTED && same(record->why, NCL_FIRST_USE);
}

bool ncl_record_bars(const struct ncl_record *record)
{
    if (record->verdict == NCL_VERDICT_GOOD || is_first_use(record))
        return false;
    return record->origin == NCL_ORIGIN_MEASURED ||
           (record->verdict == NCL_VERDICT_STARTED && same(record->why, NCL_SECOND_USE));
}

bool ncl_record_lost(const struct ncl_record *record)
{
    return record->verdict == NCL_VERDICT_GOOD && same(record->why, NCL_FIRST_USE_LOST);
}

bool ncl_record_is_tuned(const struct ncl_record *record)
{
    return record->origin == NCL_ORIGIN_MEASURED && record->verdict == NCL_VERDICT_GOOD &&
           record->samples > 0 && !ncl_record_lost(record);
}

/* ---- one point ---- */

void ncl_lookup_standing(struct ncl_store *store, const struct ncl_problem *p,
                         const struct ncl_caps *caps, const struct ncl_point *point,
                         struct ncl_standing *standing)
{
    struct ncl_record_list list = {0};
    struct ncl_record_keys keys;
    struct ncl_record about;

    *standing = (struct ncl_standing){0};
    if (store && ncl_record_about(p, caps, point, &keys, &about)) {
        const struct ncl_record_filter filter = ncl_record_row(&about);

        (void)ncl_records_find(store, &filter, &list); /* what cannot be read is not known */
    }
    if (list.count) {
        const struct ncl_record *record = &list.records[0];

        standing->verdict = record->verdict;
        standing->origin = record->origin;
        standing->bars = ncl_record_bars(record);
        standing->verified = record->verdict == NCL_VERDICT_GOOD && record->verified;
        snprintf(standing->why, sizeof standing->why, "%s", record->why);
    }
    ncl_record_list_free(&list);
    if (store)
        ncl_record_keys_free(&keys);
}

bool ncl_lookup_is_dead(struct ncl_store *store, const struct ncl_problem *p,
                        const struct ncl_caps *caps, const struct ncl_point *point, char *why,
                        size_t bytes)
{
    struct ncl_standing standing;

    ncl_lookup_standing(store, p, caps, point, &standing);
    if (why && bytes)
        snprintf(why, bytes, "%s", standing.why);
    return standing.bars;
}

/* ---- the best point of a problem ---- */

struct question {
    const struct ncl_log *log;
    struct ncl_store *store;
    const struct ncl_problem *p;
    const struct ncl_caps *caps;
    struct ncl_fingerprint here;
    char klass[64];
    struct ncl_text problem;
    struct ncl_record_list list;
    size_t kept; /* of the list: the store's, before what is shipped */
};

static struct ncl_advice advice_of(const struct question *q, const struct ncl_record *record,
                                   const struct ncl_point *point)
{
    return (struct ncl_advice){
        .point = *point,
        .match = ncl_match_of(&record->on, &q->here),
        .origin = record->origin,
        .kept = (size_t)(record - q->list.records) < q->kept,
        .seconds = record->seconds,
        .default_seconds = record->default_seconds,
    };
}

/* The winner that was measured here: then nothing else has to be read. */
static bool find_winner(struct question *q, struct ncl_advice *advice)
{
    const struct ncl_record_filter filter = {
        .platform = q->here.platform,
        .device = q->here.device,
        .driver = q->here.driver,
        .problem = q->problem.data,
        .good_only = true,
        .chosen_only = true,
    };
    const size_t first = q->list.count;

    (void)ncl_records_find(q->store, &filter, &q->list);
    q->kept = q->list.count;
    for (size_t i = first; i < q->list.count; i++) {
        const struct ncl_record *record = &q->list.records[i];
        struct ncl_point point;

        if (record->origin != NCL_ORIGIN_MEASURED || !record->verified ||
            !ncl_record_point(record, &point) || !ncl_point_legal(&point, q->p, q->caps))
            continue;
        *advice = advice_of(q, record, &point);
        advice->verified = true;
        return true;
    }
    q->list.count = first;
    return false;
}

/* Other records of this device and driver: is the point dead, or known to be right? */
static bool is_dead(const struct question *q, const struct ncl_point *point, bool *verified)
{
    bool dead = false;

    *verified = false;
    for (size_t i = 0; i < q->list.count; i++) {
        const struct ncl_record *record = &q->list.records[i];
        struct ncl_point other;

        if (ncl_match_of(&record->on, &q->here) != NCL_MATCH_EXACT ||
            !ncl_record_point(record, &other) || !ncl_point_equal(&other, point))
            continue;
        dead |= ncl_record_bars(record) || ncl_record_lost(record);
        *verified |= record->verified;
    }
    return dead;
}

/* Was the problem tuned here, without a winner? Then its defaults are the best that is known. */
static bool is_settled(const struct question *q)
{
    for (size_t i = 0; i < q->list.count; i++) {
        const struct ncl_record *record = &q->list.records[i];
        struct ncl_point point;

        if (ncl_record_is_tuned(record) && ncl_match_of(&record->on, &q->here) == NCL_MATCH_EXACT &&
            ncl_record_point(record, &point))
            return true;
    }
    return false;
}

/* Does the record say that its point is worth more than the defaults? Winners do, unless others'
 * own times speak against them; so do records of others that beat defaults. Those measured here
 * that are no winners were found wanting. What was reasoned holds for as many compute units as it
 * names: descriptors know how to follow these. */
static bool is_recommended(const struct question *q, const struct ncl_record *record)
{
    const int units = record->on.compute_units;

    if (record->verdict != NCL_VERDICT_GOOD && !is_first_use(record))
        return false;
    if (record->origin == NCL_ORIGIN_ANALYTIC)
        return !units || units == q->here.compute_units;
    if (record->origin == NCL_ORIGIN_MEASURED)
        return record->chosen;
    return record->default_seconds > 0 ? record->seconds < record->default_seconds &&
                                             (record->chosen || record->seconds > 0)
                                       : record->chosen;
}

static double gain(const struct ncl_record *record)
{
    return record->seconds > 0 ? record->default_seconds / record->seconds : 0;
}

/* Nearer devices first, then the user's own before what is shipped, winners before others, and the
 * larger gain. */
static bool is_better(const struct question *q, const struct ncl_record *a,
                      const struct ncl_record *b)
{
    const enum ncl_match match[2] = {ncl_match_of(&a->on, &q->here),
                                     ncl_match_of(&b->on, &q->here)};

    if (match[0] != match[1])
        return match[0] < match[1];
    if (a->origin != b->origin)
        return a->origin < b->origin;
    return a->chosen != b->chosen ? a->chosen : gain(a) > gain(b);
}

static bool find_best(struct question *q, struct ncl_advice *advice)
{
    const struct ncl_record *best = NULL;

    for (size_t i = 0; i < q->list.count; i++) {
        const struct ncl_record *record = &q->list.records[i];
        struct ncl_point point;
        bool verified;

        if (!is_recommended(q, record) || ncl_match_of(&record->on, &q->here) == NCL_MATCH_NONE ||
            (best && !is_better(q, record, best)) || !ncl_record_point(record, &point) ||
            !ncl_point_legal(&point, q->p, q->caps) || is_dead(q, &point, &verified))
            continue;
        best = record;
        *advice = advice_of(q, record, &point);
        advice->verified = verified;
    }
    return best != NULL;
}

bool ncl_lookup(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                const struct ncl_caps *caps, struct ncl_advice *advice)
{
    struct question q = {.log = log, .store = store, .p = p, .caps = caps};
    bool found = false;

    *advice = (struct ncl_advice){.match = NCL_MATCH_NONE};
    ncl_fingerprint_of(caps, q.klass, &q.here);
    ncl_problem_signature(p, &q.problem);
    if (!q.problem.failed && !find_winner(&q, advice)) {
        const struct ncl_record_filter filter = {.problem = q.problem.data};

        (void)ncl_records_find(store, &filter, &q.list);
        q.kept = q.list.count;
        if (!is_settled(&q) && ncl_shipped_find(log, q.problem.data, &q.list) == NCL_OK)
            found = find_best(&q, advice);
    } else {
        found = !q.problem.failed;
    }
    ncl_record_list_free(&q.list);
    ncl_text_free(&q.problem);
    return found;
}

/* ---- a whole session ---- */

static int block_of(const struct ncl_record *record)
{
    static const int blocks[] = {4, 8, 16};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        char params[16];

        snprintf(params, sizeof params, "CB=%d", blocks[i]);
        if (same(record->algorithm, "session") && same(record->params, params))
            return blocks[i];
    }
    return 0;
}

/* Of this device, and of today's kernels: block of the record, else 0. */
static int decides_block(const struct question *q, const struct ncl_block_question *question,
                         const struct ncl_record *record)
{
    if (record->verdict != NCL_VERDICT_GOOD || !is_recommended(q, record) ||
        ncl_match_of(&record->on, &q->here) > NCL_MATCH_DRIVER ||
        (question->kernels && !same(record->kernel, question->kernels)) ||
        (question->measured_only && record->origin != NCL_ORIGIN_MEASURED))
        return 0;
    return block_of(record);
}

bool ncl_lookup_block(const struct ncl_log *log, struct ncl_store *store,
                      const struct ncl_caps *caps, const struct ncl_block_question *question,
                      struct ncl_block_advice *advice)
{
    const struct ncl_record_filter filter = {.problem = question->net, .good_only = true};
    struct question q = {.log = log, .store = store, .caps = caps};
    const struct ncl_record *best = NULL;

    ncl_fingerprint_of(caps, q.klass, &q.here);
    if (ncl_records_find(store, &filter, &q.list) == NCL_OK)
        (void)ncl_shipped_find(log, question->net, &q.list);
    for (size_t i = 0; i < q.list.count; i++) {
        const struct ncl_record *record = &q.list.records[i];

        if (decides_block(&q, question, record) && (!best || is_better(&q, record, best)))
            best = record;
    }
    *advice = (struct ncl_block_advice){.match = NCL_MATCH_NONE};
    if (best)
        *advice = (struct ncl_block_advice){block_of(best), ncl_match_of(&best->on, &q.here),
                                            best->origin};
    ncl_record_list_free(&q.list);
    return advice->block != 0;
}

bool ncl_lookup_has_winner(struct ncl_store *store, const struct ncl_problem *p,
                           const struct ncl_caps *caps)
{
    struct question q = {.store = store, .p = p, .caps = caps};
    struct ncl_advice advice;
    bool found;

    ncl_fingerprint_of(caps, q.klass, &q.here);
    ncl_problem_signature(p, &q.problem);
    found = !q.problem.failed && find_winner(&q, &advice);
    ncl_record_list_free(&q.list);
    ncl_text_free(&q.problem);
    return found;
}

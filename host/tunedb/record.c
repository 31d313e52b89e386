#include "tunedb/record.h"
#include "tunedb/fields.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_SECOND 253402300799LL /* of the year 9999: four digits */
#define FIELD(name, kind, member, most)                                                            \
    {                                                                                              \
        name, NCL_FIELD_##kind, offsetof(struct ncl_record, member), most                          \
    }

const struct ncl_field ncl_fields[NCL_FIELD_COUNT] = {
    FIELD("platform", TEXT, on.platform, 127),
    FIELD("device", TEXT, on.device, 255),
    FIELD("vendor", TEXT, on.vendor, 127),
    FIELD("driver", TEXT, on.driver, 127),
    FIELD("class", TEXT, on.klass, 63),
    FIELD("compute_units", INT, on.compute_units, 0),
    FIELD("library", TEXT, library, 31),
    FIELD("order_version", INT, order_version, 0),
    FIELD("kernel", TEXT, kernel, 63),
    FIELD("problem", TEXT, problem, 511),
    FIELD("algorithm", TEXT, algorithm, 63),
    FIELD("params", TEXT, params, 255),
    FIELD("verdict", VERDICT, verdict, 0),
    FIELD("origin", ORIGIN, origin, 0),
    FIELD("seconds", REAL, seconds, 0),
    FIELD("spread", REAL, spread, 0),
    FIELD("default_seconds", REAL, default_seconds, 0),
    FIELD("samples", INT, samples, 0),
    FIELD("chosen", FLAG, chosen, 0),
    FIELD("verified", FLAG, verified, 0),
    FIELD("seed", SEED, seed, 0),
    FIELD("utc", UTC, utc, 0),
    FIELD("why", TEXT, why, 255),
};

static const char *const verdicts[NCL_VERDICT_COUNT] = {
    "good", "build", "launch", "wrong", "crashed", "timeout", "time", "started",
};
static const char *const origins[NCL_ORIGIN_COUNT] = {"measured", "imported", "shipped",
                                                      "analytic"};

static int find_name(const char *const *names, int count, const char *name)
{
    int i = 0;

    while (i < count && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

const char *ncl_verdict_name(enum ncl_verdict verdict)
{
    return (unsigned)verdict < NCL_VERDICT_COUNT ? verdicts[verdict] : "unknown";
}

enum ncl_verdict ncl_verdict_parse(const char *name)
{
    return (enum ncl_verdict)find_name(verdicts, NCL_VERDICT_COUNT, name);
}

const char *ncl_origin_name(enum ncl_origin origin)
{
    return (unsigned)origin < NCL_ORIGIN_COUNT ? origins[origin] : "unknown";
}

enum ncl_origin ncl_origin_parse(const char *name)
{
    return (enum ncl_origin)find_name(origins, NCL_ORIGIN_COUNT, name);
}

void ncl_caps_class(const struct ncl_caps *caps, char text[64])
{
    if (ncl_caps_is_cpu_like(caps)) {
        snprintf(text, 64, "cpu floats%d", caps->native_floats);
    } else if (caps->type == NCL_DEVICE_GPU) {
        snprintf(text, 64, "gpu lanes%d%s%s", caps->lanes, caps->scalar_registers ? " scalar" : "",
                 caps->paired_fma ? " paired" : "");
    } else {
        snprintf(text, 64, "other lanes%d", caps->lanes);
    }
}

static const char *text_flaw(const struct ncl_record *record)
{
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        const struct ncl_field *field = &ncl_fields[i];
        const char *text = field->kind == NCL_FIELD_TEXT ? ncl_field_text(record, field) : "";
        if (text == NULL) {
            return "a text is missing";
        }
        if (field->kind == NCL_FIELD_TEXT && strlen(text) > field->most) {
            return "a text is too long";
        }
    }
    return NULL;
}

static bool is_time(double seconds)
{
    return seconds >= 0 && seconds <= NCL_LONGEST_LAUNCH; /* false for NaN */
}

static const char *number_flaw(const struct ncl_record *r)
{
    if (!is_time(r->seconds) || !is_time(r->spread) || !is_time(r->default_seconds)) {
        return "times are from 0 to 1e6 seconds";
    }
    if (r->on.compute_units < 0 || r->order_version < 0 || r->samples < 0) {
        return "a count is negative";
    }
    if (r->utc < 0 || r->utc > LAST_SECOND) {
        return "the time of day is out of range";
    }
    if ((unsigned)r->verdict >= NCL_VERDICT_COUNT || (unsigned)r->origin >= NCL_ORIGIN_COUNT) {
        return "verdict or origin is unknown";
    }
    return NULL;
}

const char *ncl_record_flaw(const struct ncl_record *r)
{
    const char *flaw = text_flaw(r);

    if (flaw == NULL) {
        flaw = number_flaw(r);
    }
    if (flaw != NULL) {
        return flaw;
    }
    if (r->on.klass[0] == '\0' || r->problem[0] == '\0' || r->algorithm[0] == '\0') {
        return "class, problem or algorithm is missing";
    }
    if (r->origin != NCL_ORIGIN_ANALYTIC && r->on.device[0] == '\0') {
        return "device is missing";
    }
    if (r->origin == NCL_ORIGIN_ANALYTIC && r->seconds > 0) {
        return "analytic, yet timed";
    }
    /* A choice that is tried for the first time stays one meanwhile. */
    if (r->verdict != NCL_VERDICT_GOOD &&
        (r->verified || (r->chosen && r->verdict != NCL_VERDICT_STARTED))) {
        return "chosen or verified, yet not good";
    }
    return NULL;
}

bool ncl_record_list_add(struct ncl_record_list *list, const struct ncl_record *record)
{
    struct ncl_record copy = *record;

    if (!ncl_grow((void **)&list->records, &list->capacity, list->count, sizeof(copy))) {
        return false;
    }
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        if (ncl_fields[i].kind != NCL_FIELD_TEXT) {
            continue;
        }
        const char **text = ncl_field_of(&copy, &ncl_fields[i]);
        const char *from = *text != NULL ? *text : "";
        *text = ncl_arena_text(&list->arena, from, strlen(from));
        if (*text == NULL) {
            return false;
        }
    }
    list->records[list->count++] = copy;
    return true;
}

void ncl_record_list_free(struct ncl_record_list *list)
{
    ncl_arena_free(&list->arena);
    free(list->records);
    *list = (struct ncl_record_list){0};
}

/* The first difference among texts; the list ends with NULL. */
static int compare_texts(const char *const *pairs)
{
    int order = 0;

    for (; order == 0 && *pairs != NULL; pairs += 2) {
        order = strcmp(pairs[0], pairs[1]);
    }
    return order;
}

int ncl_record_compare_problems(const struct ncl_record *a, const struct ncl_record *b)
{
    return compare_texts((const char *const[]){a->on.device, b->on.device, a->on.platform,
                                               b->on.platform, a->on.driver, b->on.driver,
                                               a->problem, b->problem, NULL});
}

static int compare_points(const struct ncl_record *a, const struct ncl_record *b)
{
    return compare_texts((const char *const[]){a->algorithm, b->algorithm, a->params, b->params,
                                               a->kernel, b->kernel, NULL});
}

int ncl_record_compare_points(const struct ncl_record *a, const struct ncl_record *b)
{
    const int order = ncl_record_compare_problems(a, b);

    return order != 0 ? order : compare_points(a, b);
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* What was not timed comes last. */
static double rank(const struct ncl_record *record)
{
    return record->seconds > 0 ? record->seconds : INFINITY;
}

/* For records that differ in nothing of interest: their bytes in a file are the same every time. */
static int compare_rest(const struct ncl_record *a, const struct ncl_record *b)
{
    const double pairs[][2] = {
        {(double)a->utc, (double)b->utc},
        {a->origin, b->origin},
        {a->verdict, b->verdict},
        {a->order_version, b->order_version},
        {a->on.compute_units, b->on.compute_units},
        {a->verified, b->verified},
        {a->spread, b->spread},
        {a->default_seconds, b->default_seconds},
        {a->samples, b->samples},
        {(double)(a->seed >> 32), (double)(b->seed >> 32)},
        {(double)(a->seed & UINT32_MAX), (double)(b->seed & UINT32_MAX)},
    };
    int order =
        compare_texts((const char *const[]){a->on.vendor, b->on.vendor, a->on.klass, b->on.klass,
                                            a->library, b->library, a->why, b->why, NULL});

    for (size_t i = 0; order == 0 && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        order = compare_numbers(pairs[i][0], pairs[i][1]);
    }
    return order;
}

static int compare(const void *left, const void *right)
{
    const struct ncl_record *a = left;
    const struct ncl_record *b = right;
    int order = ncl_record_compare_problems(a, b);

    if (order == 0) {
        order = (int)b->chosen - (int)a->chosen;
    }
    if (order == 0) {
        order = (a->verdict != NCL_VERDICT_GOOD) - (b->verdict != NCL_VERDICT_GOOD);
    }
    if (order == 0) {
        order = compare_numbers(rank(a), rank(b));
    }
    if (order == 0) {
        order = compare_points(a, b);
    }
    return order != 0 ? order : compare_rest(a, b);
}

void ncl_record_list_sort_from(struct ncl_record_list *list, size_t first)
{
    if (list->count > first) {
        qsort(list->records + first, list->count - first, sizeof(list->records[0]), compare);
    }
}

void ncl_record_list_sort(struct ncl_record_list *list)
{
    ncl_record_list_sort_from(list, 0);
}

static int distance(enum ncl_origin origin)
{
    return origin == NCL_ORIGIN_MEASURED ? 0 : origin == NCL_ORIGIN_ANALYTIC ? 2 : 1;
}

static int compare_for_uniting(const void *left, const void *right)
{
    const struct ncl_record *a = left;
    const struct ncl_record *b = right;
    int order = ncl_record_compare_points(a, b);

    if (order == 0) {
        order = distance(a->origin) - distance(b->origin);
    }
    if (order == 0) {
        order = compare_numbers((double)b->utc, (double)a->utc);
    }
    return order != 0 ? order : compare(left, right);
}

static bool is_better_choice(const struct ncl_record *a, const struct ncl_record *b)
{
    return strcmp(a->kernel, b->kernel) == 0 ? rank(a) < rank(b) : a->utc > b->utc;
}

/* Of records of one problem, at[0..count). */
static void keep_one_choice(struct ncl_record *at, size_t count)
{
    struct ncl_record *best = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!at[i].chosen) {
            continue;
        }
        if (best == NULL || is_better_choice(&at[i], best)) {
            best = &at[i];
        }
        at[i].chosen = false;
    }
    if (best != NULL) {
        best->chosen = true;
    }
}

void ncl_record_list_unite(struct ncl_record_list *list)
{
    struct ncl_record *records = list->records;
    size_t kept = 0, first = 0;

    if (list->count == 0) {
        return;
    }
    qsort(records, list->count, sizeof(records[0]), compare_for_uniting);
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || ncl_record_compare_points(&records[i], &records[kept - 1]) != 0) {
            records[kept++] = records[i];
        }
    }
    list->count = kept;
    for (size_t i = 1; i <= kept; i++) {
        if (i == kept || ncl_record_compare_problems(&records[i], &records[first]) != 0) {
            keep_one_choice(records + first, i - first);
            first = i;
        }
    }
    ncl_record_list_sort(list);
}

#include "tunedb/record_json.h"
#include "base/memory.h"
#include "tunedb/fields.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UTC_BYTES 32

/* ---- writing ---- */

/* Bytes of the character at text if it acts on a terminal or on the order of what is read: control
 * characters (ASCII and U+0080 to U+009F), separators of lines, marks and overrides of direction.
 * 0: harmless. */
static size_t acting(const char *text)
{
    static const char *const marks[] = {
        "\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
        "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
    };
    const unsigned char first = (unsigned char)text[0];

    if (first < ' ' || first == 0x7f) {
        return first != '\0' ? 1 : 0;
    }
    if (first == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0) {
        return 2;
    }
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strncmp(text, marks[i], strlen(marks[i])) == 0) {
            return strlen(marks[i]);
        }
    }
    return 0;
}

json_t *ncl_json_text(const char *text)
{
    json_t *value = NULL;
    char *clean = ncl_strdup(text);

    for (char *at = clean; at != NULL && *at != '\0'; at++) {
        const size_t bytes = acting(at);
        memset(at, '?', bytes);
    }
    if (clean != NULL) {
        value = json_string(clean);
    }
    for (char *at = clean; value == NULL && at != NULL && *at != '\0'; at++) {
        *at = (unsigned char)*at > 0x7e ? '?' : *at;
    }
    if (clean != NULL && value == NULL) {
        value = json_string(clean);
    }
    free(clean);
    return value;
}

static json_t *new_utc(int64_t utc)
{
    const time_t seconds = (time_t)utc;
    struct tm tm = {0};
    char text[UTC_BYTES] = "";

    if (utc != 0 && gmtime_r(&seconds, &tm) != NULL) { /* 0: not known */
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return json_string(text);
}

/* What was shipped to here is handed on as what it is to the next one, an import. */
static const char *origin_text(enum ncl_origin origin, bool report)
{
    return ncl_origin_name(!report && origin == NCL_ORIGIN_SHIPPED ? NCL_ORIGIN_IMPORTED : origin);
}

static json_t *new_value(struct ncl_record *record, const struct ncl_field *field, bool report)
{
    void *member = ncl_field_of(record, field);

    switch (field->kind) {
    case NCL_FIELD_TEXT:
        return ncl_json_text(*(const char **)member);
    case NCL_FIELD_VERDICT:
        return json_string(ncl_verdict_name(*(enum ncl_verdict *)member));
    case NCL_FIELD_ORIGIN:
        return json_string(origin_text(*(enum ncl_origin *)member, report));
    case NCL_FIELD_INT:
        return json_integer(*(int *)member);
    case NCL_FIELD_REAL:
        return json_real(*(double *)member);
    case NCL_FIELD_FLAG:
        return json_boolean(*(bool *)member);
    case NCL_FIELD_SEED:
        return json_integer((json_int_t) * (uint64_t *)member);
    case NCL_FIELD_UTC:
        return new_utc(*(int64_t *)member);
    }
    return NULL;
}

static bool is_default(struct ncl_record *record, const struct ncl_field *field)
{
    void *member = ncl_field_of(record, field);

    switch (field->kind) {
    case NCL_FIELD_TEXT:
        return (*(const char **)member)[0] == '\0';
    case NCL_FIELD_VERDICT:
        return *(enum ncl_verdict *)member == NCL_VERDICT_GOOD;
    case NCL_FIELD_ORIGIN:
        return *(enum ncl_origin *)member == NCL_ORIGIN_MEASURED;
    case NCL_FIELD_INT:
        return *(int *)member == 0;
    case NCL_FIELD_REAL:
        return !(*(double *)member > 0);
    case NCL_FIELD_FLAG:
        return !*(bool *)member;
    case NCL_FIELD_SEED:
        return *(uint64_t *)member == 0;
    case NCL_FIELD_UTC:
        return *(int64_t *)member == 0;
    }
    return true;
}

json_t *ncl_record_json(const struct ncl_record *record, bool report)
{
    struct ncl_record copy = *record;
    json_t *object = json_object();

    for (size_t i = 0; i < NCL_FIELD_COUNT && object != NULL; i++) {
        if (!report && is_default(&copy, &ncl_fields[i])) {
            continue;
        }
        if (json_object_set_new(object, ncl_fields[i].name,
                                new_value(&copy, &ncl_fields[i], report)) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* ---- reading ---- */

/* One line that does nothing to a terminal. */
static bool is_clean(const char *text)
{
    while (*text != '\0' && acting(text) == 0) {
        text++;
    }
    return *text == '\0';
}

static bool is_digits(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

/* "2026-11-28T13:45:00Z" and nothing else. */
static bool parse_utc(const char *text, int64_t *utc)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    struct tm tm = {0};
    char back[UTC_BYTES] = "";

    if (strlen(text) != sizeof(form) - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == 'd' ? !is_digits(text + i, 1) : text[i] != form[i]) {
            return false;
        }
    }
    tm.tm_year = (int)strtol(text, NULL, 10) - 1900;
    tm.tm_mon = (int)strtol(text + 5, NULL, 10) - 1;
    tm.tm_mday = (int)strtol(text + 8, NULL, 10);
    tm.tm_hour = (int)strtol(text + 11, NULL, 10);
    tm.tm_min = (int)strtol(text + 14, NULL, 10);
    tm.tm_sec = (int)strtol(text + 17, NULL, 10);
    *utc = (int64_t)timegm(&tm);
    /* timegm puts a 31st of February right: then the text comes back changed. */
    strftime(back, sizeof(back), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return strcmp(back, text) == 0;
}

/* false: the value is none of the field's. */
static bool read_text(const json_t *value, const struct ncl_field *field, void *member)
{
    const char *text = json_string_value(value);
    bool good = text != NULL && strlen(text) == json_string_length(value) && is_clean(text);

    if (good && field->kind == NCL_FIELD_TEXT) {
        *(const char **)member = text;
        good = strlen(text) <= field->most;
    } else if (good && field->kind == NCL_FIELD_VERDICT) {
        *(enum ncl_verdict *)member = ncl_verdict_parse(text);
        good = *(enum ncl_verdict *)member != NCL_VERDICT_COUNT;
    } else if (good && field->kind == NCL_FIELD_ORIGIN) {
        *(enum ncl_origin *)member = ncl_origin_parse(text);
        good = *(enum ncl_origin *)member < NCL_ORIGIN_COUNT &&
               *(enum ncl_origin *)member != NCL_ORIGIN_SHIPPED;
    } else if (good) {
        good = parse_utc(text, member);
    }
    return good;
}

static bool read_value(const json_t *value, const struct ncl_field *field, void *member)
{
    const json_int_t number = json_integer_value(value);

    switch (field->kind) {
    case NCL_FIELD_INT:
        *(int *)member = number < 0 || number > INT_MAX ? -1 : (int)number;
        return json_is_integer(value) && *(int *)member >= 0;
    case NCL_FIELD_REAL:
        *(double *)member = json_number_value(value);
        return json_is_number(value) && *(double *)member >= 0 &&
               *(double *)member <= NCL_LONGEST_LAUNCH;
    case NCL_FIELD_FLAG:
        *(bool *)member = json_is_true(value);
        return json_is_boolean(value);
    case NCL_FIELD_SEED:
        *(uint64_t *)member = (uint64_t)number;
        return json_is_integer(value);
    case NCL_FIELD_TEXT:
    case NCL_FIELD_VERDICT:
    case NCL_FIELD_ORIGIN:
    case NCL_FIELD_UTC:
        break;
    }
    return read_text(value, field, member);
}

/* Value: at most so many bytes, all ASCII. */
#define SHOWN 60

void ncl_json_flaw(char flaw[NCL_FLAW_BYTES], const char *key, const char *rule,
                   const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    const bool whole = text != NULL && strlen(text) <= SHOWN;

    snprintf(flaw, NCL_FLAW_BYTES, "\"%s\": expected %s, found %.*s%s", key, rule, SHOWN,
             text != NULL ? text : "?", whole ? "" : "...");
    free(text);
}

static void describe_flaw(const struct ncl_field *field, const json_t *value,
                          char flaw[NCL_FLAW_BYTES])
{
    static const char *const rules[] = {
        [NCL_FIELD_INT] = "an integer from 0 to 2147483647",
        [NCL_FIELD_REAL] = "a number of seconds from 0 to 1e6",
        [NCL_FIELD_FLAG] = "true or false",
        [NCL_FIELD_VERDICT] = "good, build, launch, wrong, crashed, timeout, time or started",
        [NCL_FIELD_ORIGIN] = "measured, imported or analytic",
        [NCL_FIELD_SEED] = "a signed 64-bit integer",
        [NCL_FIELD_UTC] = "a time like 2026-11-28T13:45:00Z",
    };
    char text[96];

    snprintf(text, sizeof(text), "a string of at most %zu bytes without control characters",
             field->most);
    ncl_json_flaw(flaw, field->name, field->kind == NCL_FIELD_TEXT ? text : rules[field->kind],
                  value);
}

void ncl_record_from_json(const json_t *object, struct ncl_record *record,
                          char flaw[NCL_FLAW_BYTES])
{
    const char *wrong = NULL;

    *record = (struct ncl_record){0};
    flaw[0] = '\0';
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        const struct ncl_field *field = &ncl_fields[i];
        const json_t *value = json_object_get(object, field->name);
        void *member = ncl_field_of(record, field);
        if (field->kind == NCL_FIELD_TEXT) {
            *(const char **)member = "";
        }
        if (value != NULL && !read_value(value, field, member)) {
            describe_flaw(field, value, flaw);
            return;
        }
    }
    wrong = ncl_record_flaw(record);
    if (wrong != NULL) {
        snprintf(flaw, NCL_FLAW_BYTES, "%s", wrong);
    }
}

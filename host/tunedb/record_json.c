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

/* Drivers put any bytes into names: what is no UTF-8, or would act on a terminal, becomes '?'. */
static json_t *new_text(const char *text)
{
    json_t *value = NULL;
    char *clean = ncl_strdup(text);

    for (char *at = clean; at != NULL && *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
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

    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return json_string(text);
}

/* Files know records that were timed and those that were not. */
static const char *origin_text(enum ncl_origin origin, bool report)
{
    return ncl_origin_name(report || origin == NCL_ORIGIN_ANALYTIC ? origin : NCL_ORIGIN_MEASURED);
}

static json_t *new_value(struct ncl_record *record, const struct ncl_field *field, bool report)
{
    void *member = ncl_field_of(record, field);

    switch (field->kind) {
    case NCL_FIELD_TEXT:
        return new_text(*(const char **)member);
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
        return *(enum ncl_origin *)member != NCL_ORIGIN_ANALYTIC;
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
    while ((unsigned char)*text >= ' ' && *text != 0x7f) {
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
    bool good = text != NULL && is_clean(text);

    if (good && field->kind == NCL_FIELD_TEXT) {
        *(const char **)member = text;
    } else if (good && field->kind == NCL_FIELD_VERDICT) {
        *(enum ncl_verdict *)member = ncl_verdict_parse(text);
        good = *(enum ncl_verdict *)member != NCL_VERDICT_COUNT;
    } else if (good && field->kind == NCL_FIELD_ORIGIN) {
        *(enum ncl_origin *)member = ncl_origin_parse(text);
        good = *(enum ncl_origin *)member == NCL_ORIGIN_MEASURED ||
               *(enum ncl_origin *)member == NCL_ORIGIN_ANALYTIC;
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
        return json_is_number(value);
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

void ncl_record_from_json(const json_t *object, struct ncl_record *record, char flaw[160])
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
            snprintf(flaw, 160, "\"%s\" has a value that tuning/README.md does not allow",
                     field->name);
            return;
        }
    }
    wrong = ncl_record_flaw(record);
    if (wrong != NULL) {
        snprintf(flaw, 160, "%s", wrong);
    }
}

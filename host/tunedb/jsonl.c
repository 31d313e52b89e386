#include "tunedb/jsonl.h"
#include "tunedb/fields.h"
#include "tunedb/record_json.h"
#include "tunedb/shipped.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define LONGEST_LINE 65536
/* A winner that ships must beat its default by so much. */
#define LEAST_GAIN 0.01

/* ---- reading ---- */

struct reader {
    const struct ncl_log *log;
    const char *name;
    int line;
    int later; /* lines of a later format */
    struct ncl_record_list *list;
};

static ncl_status fail_line(const struct reader *reader, const char *what)
{
    return ncl_fail(reader->log, NCL_ERROR_INPUT, "%s, line %d: %s", reader->name, reader->line,
                    what);
}

/* Of a later NextCL: passed over. */
static bool is_later(const json_t *object)
{
    const json_t *format = json_object_get(object, "format");

    return json_is_integer(format) && json_integer_value(format) > FORMAT;
}

static ncl_status add_object(struct reader *reader, const json_t *object)
{
    const json_t *format = json_object_get(object, "format");
    struct ncl_record record;
    char flaw[NCL_FLAW_BYTES];

    if (!json_is_object(object)) {
        return fail_line(reader, "expected a JSON object, found another value");
    }
    if (is_later(object)) {
        reader->later++;
        return NCL_OK;
    }
    if (format != NULL && json_integer_value(format) != FORMAT) {
        ncl_json_flaw(flaw, "format", "1, or more for later ones", format);
        return fail_line(reader, flaw);
    }
    ncl_record_from_json(object, &record, flaw);
    if (flaw[0] != '\0') {
        return fail_line(reader, flaw);
    }
    return ncl_record_list_add(reader->list, &record)
               ? NCL_OK
               : ncl_fail_memory(reader->log, "reading tuning records");
}

static bool is_blank(const char *line, size_t bytes)
{
    while (bytes > 0 && (*line == ' ' || *line == '\t' || *line == '\r')) {
        line++;
        bytes--;
    }
    return bytes == 0;
}

static ncl_status fail_json(const struct reader *reader, const char *line, size_t bytes,
                            const json_error_t *error)
{
    if (json_error_code(error) == json_error_out_of_memory) {
        return ncl_fail_memory(reader->log, "reading tuning records");
    }
    if (is_blank(line, bytes)) {
        return fail_line(reader, "expected a JSON object, found a blank line");
    }
    if (bytes >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        return fail_line(reader, "expected a JSON object, found a byte order mark");
    }
    return ncl_fail(reader->log, NCL_ERROR_INPUT,
                    "%s, line %d: not JSON that we read: column %d: %s", reader->name, reader->line,
                    error->column, error->text);
}

static ncl_status add_line(struct reader *reader, const char *line, size_t bytes)
{
    json_error_t error;
    json_t *object = NULL;
    ncl_status status = NCL_OK;

    if (bytes > LONGEST_LINE) {
        return fail_line(reader, "longer than 64 KiB");
    }
    object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        return fail_json(reader, line, bytes, &error);
    }
    status = add_object(reader, object);
    json_decref(object);
    return status;
}

ncl_status ncl_jsonl_read(const struct ncl_log *log, const char *name, const char *data,
                          size_t bytes, struct ncl_record_list *list)
{
    const size_t before = list->count;
    struct reader reader = {.log = log, .name = name, .list = list};
    ncl_status status = NCL_OK;

    while (bytes > 0 && status == NCL_OK) {
        const char *end = memchr(data, '\n', bytes);
        const size_t length = end != NULL ? (size_t)(end - data) : bytes;
        const size_t step = end != NULL ? length + 1 : length;
        reader.line++;
        status = add_line(&reader, data, length);
        data += step;
        bytes -= step;
    }
    if (status != NCL_OK) {
        list->count = before;
    } else if (reader.later > 0) {
        ncl_note(log, NCL_LOG_WARNING, "%s: %d line%s of a later format passed over", name,
                 reader.later, reader.later == 1 ? "" : "s");
    }
    return status;
}

/* ---- writing ---- */

/* To the digits that are written, so that what is read again has the same order. */
static double rounded(double seconds)
{
    char text[32];

    snprintf(text, sizeof(text), "%.6g", seconds);
    return strtod(text, NULL);
}

static bool write_line(const struct ncl_record *record, struct ncl_text *text)
{
    json_t *object = ncl_record_json(record, false);
    char *line = object != NULL ? json_dumps(object, NCL_JSON_DIGITS) : NULL;

    if (line != NULL) {
        ncl_text_add(text, "%s\n", line);
    }
    json_decref(object);
    const bool done = line != NULL && !text->failed;
    free(line);
    return done;
}

ncl_status ncl_jsonl_write(const struct ncl_log *log, struct ncl_record_list *list,
                           struct ncl_text *text)
{
    for (size_t i = 0; i < list->count; i++) {
        struct ncl_record *record = &list->records[i];
        record->seconds = rounded(record->seconds);
        record->spread = rounded(record->spread);
        record->default_seconds = rounded(record->default_seconds);
    }
    ncl_record_list_sort(list);
    for (size_t i = 0; i < list->count; i++) {
        if (!write_line(&list->records[i], text)) {
            return ncl_fail_memory(log, "writing tuning records");
        }
    }
    return NCL_OK;
}

/* ---- what a file of tuning/ keeps ---- */

static bool is_worth_shipping(const struct ncl_record *record)
{
    const double gain = record->default_seconds - record->seconds;

    if (!record->chosen || record->origin == NCL_ORIGIN_ANALYTIC) {
        return record->chosen;
    }
    return record->origin == NCL_ORIGIN_MEASURED && record->verdict == NCL_VERDICT_GOOD &&
           record->verified && record->seconds > 0 && gain > record->spread &&
           gain > LEAST_GAIN * record->default_seconds;
}

/* The list is sorted: the chosen record of a problem comes first. What was measured fastest need
 * not have won: it may have lost in the network, or in being timed again. */
ncl_status ncl_jsonl_minimal(const struct ncl_log *log, const struct ncl_record_list *from,
                             struct ncl_record_list *to)
{
    struct ncl_record_list sorted = {0};
    ncl_status status = NCL_OK;

    for (size_t i = 0; i < from->count && status == NCL_OK; i++) {
        status = ncl_record_list_add(&sorted, &from->records[i]) ? NCL_OK : NCL_ERROR_MEMORY;
    }
    ncl_record_list_sort(&sorted);
    for (size_t i = 0; i < sorted.count && status == NCL_OK; i++) {
        const struct ncl_record *record = &sorted.records[i];
        const bool first =
            i == 0 || ncl_record_compare_problems(record, &sorted.records[i - 1]) != 0;
        if (first && is_worth_shipping(record)) {
            status = ncl_record_list_add(to, record) ? NCL_OK : NCL_ERROR_MEMORY;
        }
    }
    ncl_record_list_free(&sorted);
    return status == NCL_OK ? NCL_OK : ncl_fail_memory(log, "choosing tuning records");
}

/* ---- shipped ---- */

/* Lines of the file that hold needle; NULL: all. Of the statuses only NCL_ERROR_MEMORY is passed
 * on. */
static ncl_status add_shipped(const struct ncl_log *log, const struct ncl_shipped_file *file,
                              const char *needle, struct ncl_record_list *list)
{
    struct reader reader = {.log = log, .name = file->name, .line = 1, .list = list};
    const char *at = file->data;
    ncl_status status = NCL_OK;

    while (*at != '\0' && status != NCL_ERROR_MEMORY) {
        const char *hit = needle != NULL ? strstr(at, needle) : at;
        if (hit == NULL) {
            return NCL_OK;
        }
        for (const char *end = strchr(at, '\n'); end != NULL && end < hit; end = strchr(at, '\n')) {
            at = end + 1;
            reader.line++;
        }
        const size_t length = strcspn(at, "\n");
        status = add_line(&reader, at, length);
        at += length + (at[length] == '\n');
        reader.line++;
    }
    return status == NCL_ERROR_MEMORY ? status : NCL_OK;
}

/* As ncl_jsonl_write writes the key and its value: other lines need not be parsed. false: memory
 * ran out. */
static bool make_needle(const char *problem, struct ncl_text *needle)
{
    json_t *value = json_string(problem);
    char *quoted = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

    if (quoted != NULL) {
        ncl_text_add(needle, "\"problem\": %s,", quoted);
    }
    const bool made = quoted != NULL && !needle->failed;
    free(quoted);
    json_decref(value);
    return made;
}

ncl_status ncl_shipped_search(const struct ncl_log *log, const struct ncl_shipped_file *files,
                              const char *problem, struct ncl_record_list *list)
{
    const size_t before = list->count;
    struct ncl_text needle = {0};
    ncl_status status = NCL_OK;

    if (problem != NULL && !make_needle(problem, &needle)) {
        ncl_text_free(&needle);
        return ncl_fail_memory(log, "searching shipped tuning records");
    }
    for (; files->name != NULL && status == NCL_OK; files++) {
        status = add_shipped(log, files, needle.data, list);
    }
    ncl_text_free(&needle);
    for (size_t i = before; i < list->count; i++) {
        struct ncl_record *record = &list->records[i];
        record->verified = false; /* here */
        if (record->origin != NCL_ORIGIN_ANALYTIC) {
            record->origin = NCL_ORIGIN_SHIPPED;
        }
    }
    if (status != NCL_OK) {
        list->count = before;
    }
    return status;
}

ncl_status ncl_shipped_find(const struct ncl_log *log, const char *problem,
                            struct ncl_record_list *list)
{
    return ncl_shipped_search(log, ncl_shipped_files, problem, list);
}

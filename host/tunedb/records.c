#include "tunedb/records.h"
#include "tunedb/fields.h"
#include "tunedb/handle.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Enough for every statement below: they are made of column names. */
#define SQL_BYTES 2048

static void bind_field(sqlite3_stmt *statement, int at, struct ncl_record *record,
                       const struct ncl_field *field)
{
    void *member = ncl_field_of(record, field);
    const char *text = NULL;

    switch (field->kind) {
    case NCL_FIELD_TEXT:
        text = *(const char **)member;
        break;
    case NCL_FIELD_VERDICT:
        text = ncl_verdict_name(*(enum ncl_verdict *)member);
        break;
    case NCL_FIELD_ORIGIN:
        text = ncl_origin_name(*(enum ncl_origin *)member);
        break;
    case NCL_FIELD_INT:
        sqlite3_bind_int64(statement, at, *(int *)member);
        break;
    case NCL_FIELD_REAL:
        sqlite3_bind_double(statement, at, *(double *)member);
        break;
    case NCL_FIELD_FLAG:
        sqlite3_bind_int64(statement, at, *(bool *)member);
        break;
    case NCL_FIELD_SEED:
        sqlite3_bind_int64(statement, at, (sqlite3_int64) * (uint64_t *)member);
        break;
    case NCL_FIELD_UTC:
        sqlite3_bind_int64(statement, at, *(int64_t *)member);
        break;
    }
    if (text != NULL) {
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    }
}

/* Whatever a column holds, the member becomes something: ncl_record_flaw judges it. */
static void read_field(sqlite3_stmt *statement, int at, struct ncl_record *record,
                       const struct ncl_field *field)
{
    void *member = ncl_field_of(record, field);
    const char *text = "";
    sqlite3_int64 number = 0;

    if (field->kind == NCL_FIELD_TEXT || field->kind == NCL_FIELD_VERDICT ||
        field->kind == NCL_FIELD_ORIGIN) {
        text = (const char *)sqlite3_column_text(statement, at);
        text = text != NULL ? text : "";
    } else {
        number = sqlite3_column_int64(statement, at);
    }
    switch (field->kind) {
    case NCL_FIELD_TEXT:
        *(const char **)member = text;
        break;
    case NCL_FIELD_VERDICT:
        *(enum ncl_verdict *)member = ncl_verdict_parse(text);
        break;
    case NCL_FIELD_ORIGIN:
        *(enum ncl_origin *)member = ncl_origin_parse(text);
        break;
    case NCL_FIELD_INT:
        *(int *)member = number < 0 || number > INT32_MAX ? -1 : (int)number;
        break;
    case NCL_FIELD_REAL:
        *(double *)member = sqlite3_column_double(statement, at);
        break;
    case NCL_FIELD_FLAG:
        *(bool *)member = number != 0;
        break;
    case NCL_FIELD_SEED:
        *(uint64_t *)member = (uint64_t)number;
        break;
    case NCL_FIELD_UTC:
        *(int64_t *)member = number;
        break;
    }
}

/* Onto the end; sql is long enough for what is made here. */
__attribute__((format(printf, 2, 3))) static void add(char *sql, const char *format, ...)
{
    const size_t used = strlen(sql);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sql + used, SQL_BYTES - used, format, arguments);
    va_end(arguments);
}

static void list_columns(char *sql)
{
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        add(sql, "%s%s", i > 0 ? ", " : "", ncl_fields[i].name);
    }
}

/* What is known well stays: a point that was good here is not doubted for being tried again, nor
 * does news from elsewhere replace what was measured here. Measured again, a winner stays one. */
static void write_upsert(char *sql)
{
    sql[0] = '\0';
    add(sql, "INSERT INTO records(");
    list_columns(sql);
    add(sql, ") VALUES(?");
    for (size_t i = 1; i < NCL_FIELD_COUNT; i++) {
        add(sql, ", ?");
    }
    add(sql, ") ON CONFLICT(problem, platform, device, driver, kernel, algorithm, params) DO "
             "UPDATE SET ");
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        const char *name = ncl_fields[i].name;
        if (strcmp(name, "chosen") != 0) {
            add(sql, "%s = excluded.%s, ", name, name);
        }
    }
    add(sql, "chosen = excluded.chosen OR (chosen AND excluded.verdict = 'good') WHERE CASE "
             "excluded.origin WHEN 'measured' THEN excluded.verdict <> 'started' OR verdict <> "
             "'good' OR origin <> 'measured' ELSE (origin <> 'measured' AND excluded.utc >= utc) "
             "OR (verdict = 'started' AND excluded.verified) END");
}

/* Steps once and finalizes. changes (may be NULL): rows that were. */
static int finish(sqlite3 *db, sqlite3_stmt *statement, int *changes)
{
    int code = sqlite3_step(statement);

    code = code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
    if (changes != NULL) {
        *changes = code == SQLITE_OK ? sqlite3_changes(db) : 0;
    }
    sqlite3_finalize(statement);
    return code;
}

/* "?1" to "?7": platform, device, driver, problem, kernel, algorithm, params. Unused ones are
 * harmless. */
static void bind_keys(sqlite3_stmt *statement, const struct ncl_record *keys)
{
    const char *const texts[] = {keys->on.platform, keys->on.device, keys->on.driver, keys->problem,
                                 keys->kernel,      keys->algorithm, keys->params};
    const int count = sqlite3_bind_parameter_count(statement);

    for (int i = 0; i < count && i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
        sqlite3_bind_text(statement, i + 1, texts[i] != NULL ? texts[i] : "", -1, SQLITE_STATIC);
    }
}

static int run_keyed(sqlite3 *db, const char *sql, const struct ncl_record *keys, int *changes)
{
    sqlite3_stmt *statement = NULL;
    const int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    bind_keys(statement, keys);
    return finish(db, statement, changes);
}

#define THIS_PROBLEM "platform = ?1 AND device = ?2 AND driver = ?3 AND problem = ?4"
#define THIS_POINT "kernel = ?5 AND algorithm = ?6 AND params = ?7"

static const char unchoose_others[] =
    "UPDATE records SET chosen = 0 WHERE chosen = 1 AND " THIS_PROBLEM " AND NOT (" THIS_POINT ")";
/* A winner from elsewhere is none beside one of this machine. */
static const char defer_to_measured[] =
    "UPDATE records SET chosen = 0 WHERE chosen = 1 AND " THIS_PROBLEM " AND " THIS_POINT
    " AND EXISTS (SELECT 1 FROM records WHERE chosen = 1 AND origin = 'measured' AND " THIS_PROBLEM
    " AND NOT (" THIS_POINT "))";

static int put_one(sqlite3 *db, sqlite3_stmt *statement, const struct ncl_record *record)
{
    struct ncl_record copy = *record;
    int changes = 0;
    int code = SQLITE_OK;

    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        bind_field(statement, (int)i + 1, &copy, &ncl_fields[i]);
    }
    code = sqlite3_step(statement);
    changes = code == SQLITE_DONE ? sqlite3_changes(db) : 0;
    sqlite3_reset(statement);
    if (code == SQLITE_DONE && changes > 0 && record->chosen) {
        code = SQLITE_OK;
        if (record->origin != NCL_ORIGIN_MEASURED) {
            code = run_keyed(db, defer_to_measured, record, &changes);
            changes = changes == 0; /* it stays chosen */
        }
        if (code == SQLITE_OK && changes > 0) {
            code = run_keyed(db, unchoose_others, record, NULL);
        }
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

struct batch {
    const struct ncl_record *records;
    size_t count;
};

static int put_batch(sqlite3 *db, void *user)
{
    const struct batch *batch = user;
    char sql[SQL_BYTES];
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    write_upsert(sql);
    code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    for (size_t i = 0; i < batch->count && code == SQLITE_OK; i++) {
        code = put_one(db, statement, &batch->records[i]);
    }
    sqlite3_finalize(statement);
    return code;
}

bool ncl_records_put_all(struct ncl_store *store, const struct ncl_record *records, size_t count)
{
    struct batch batch = {.records = records, .count = count};

    for (size_t i = 0; i < count; i++) {
        if (ncl_record_flaw(&records[i]) != NULL) {
            return false;
        }
    }
    return store != NULL && (count == 0 || ncl_store_transact(store, put_batch, &batch));
}

bool ncl_records_put(struct ncl_store *store, const struct ncl_record *record)
{
    return ncl_records_put_all(store, record, 1);
}

static int choose(sqlite3 *db, void *user)
{
    const struct ncl_record *keys = user;
    int changes = 0;
    int code = run_keyed(db, "UPDATE records SET chosen = 0 WHERE chosen = 1 AND " THIS_PROBLEM,
                         keys, NULL);

    if (code == SQLITE_OK && keys->algorithm != NULL) {
        code = run_keyed(db,
                         "UPDATE records SET chosen = 1 WHERE " THIS_PROBLEM " AND " THIS_POINT
                         " AND verdict = 'good'",
                         keys, &changes);
        /* Undone when there is no such record. */
        code = code == SQLITE_OK && changes == 0 ? SQLITE_CONSTRAINT : code;
    }
    return code;
}

bool ncl_records_choose(struct ncl_store *store, const struct ncl_record *keys)
{
    struct ncl_record copy = *keys;

    return store != NULL && ncl_store_transact(store, choose, &copy);
}

static int mark(sqlite3 *db, void *user)
{
    const struct ncl_record *keys = user;
    const char *verdict = ncl_verdict_name(keys->verdict);
    sqlite3_stmt *statement = NULL;
    int changes = 0;
    int code = sqlite3_prepare_v2(
        db,
        "UPDATE records SET verdict = ?8, why = ?9, verified = verified AND ?8 = 'good', chosen = "
        "chosen AND ?8 IN ('good', 'started') WHERE " THIS_PROBLEM " AND " THIS_POINT,
        -1, &statement, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    bind_keys(statement, keys);
    sqlite3_bind_text(statement, 8, verdict, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 9, keys->why, -1, SQLITE_STATIC);
    code = finish(db, statement, &changes);
    return code == SQLITE_OK && changes == 0 ? SQLITE_CONSTRAINT : code;
}

bool ncl_records_mark(struct ncl_store *store, const struct ncl_record *keys,
                      enum ncl_verdict verdict, const char *why)
{
    struct ncl_record marked = *keys;

    marked.verdict = verdict;
    marked.why = why != NULL ? why : "";
    marked.chosen = marked.verified = false;
    return store != NULL && ncl_record_flaw(&marked) == NULL &&
           ncl_store_transact(store, mark, &marked);
}

/* ---- what a filter lets through ---- */

struct condition {
    const char *column, *value;
};
#define CONDITIONS 8

static void list_conditions(const struct ncl_record_filter *filter,
                            struct condition conditions[CONDITIONS])
{
    const struct condition all[CONDITIONS] = {
        {"problem", filter->problem}, {"platform", filter->platform},
        {"device", filter->device},   {"driver", filter->driver},
        {"kernel", filter->kernel},   {"algorithm", filter->algorithm},
        {"params", filter->params},   {"class", filter->klass},
    };

    memcpy(conditions, all, sizeof(all));
}

/* sql: the statement up to its WHERE. */
static int prepare_filtered(sqlite3 *db, char *sql, const struct ncl_record_filter *filter,
                            sqlite3_stmt **statement)
{
    struct condition conditions[CONDITIONS];
    int code = SQLITE_OK;
    int at = 0;

    list_conditions(filter, conditions);
    add(sql, " WHERE %s%s", filter->chosen_only ? "chosen = 1" : "1",
        filter->good_only ? " AND verdict = 'good'" : "");
    for (size_t i = 0; i < CONDITIONS; i++) {
        if (conditions[i].value != NULL) {
            add(sql, " AND %s = ?", conditions[i].column);
        }
    }
    code = sqlite3_prepare_v2(db, sql, -1, statement, NULL);
    for (size_t i = 0; i < CONDITIONS && code == SQLITE_OK; i++) {
        if (conditions[i].value != NULL) {
            code = sqlite3_bind_text(*statement, ++at, conditions[i].value, -1, SQLITE_STATIC);
        }
    }
    return code;
}

struct search {
    const struct ncl_record_filter *filter;
    struct ncl_record_list *list;
    bool no_memory;
};

static void add_row(sqlite3_stmt *statement, struct search *search)
{
    struct ncl_record record = {0};

    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        read_field(statement, (int)i, &record, &ncl_fields[i]);
    }
    if (ncl_record_flaw(&record) == NULL) {
        search->no_memory = !ncl_record_list_add(search->list, &record);
    }
}

static int find(sqlite3 *db, void *user)
{
    struct search *search = user;
    char sql[SQL_BYTES] = "SELECT ";
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    list_columns(sql);
    add(sql, " FROM records");
    code = prepare_filtered(db, sql, search->filter, &statement);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            add_row(statement, search);
            code = search->no_memory ? SQLITE_DONE : code;
        }
    }
    sqlite3_finalize(statement);
    return code;
}

struct ncl_record_filter ncl_record_row(const struct ncl_record *keys)
{
    return (struct ncl_record_filter){.platform = keys->on.platform,
                                      .device = keys->on.device,
                                      .driver = keys->on.driver,
                                      .kernel = keys->kernel,
                                      .problem = keys->problem,
                                      .algorithm = keys->algorithm,
                                      .params = keys->params};
}

ncl_status ncl_records_find(struct ncl_store *store, const struct ncl_record_filter *filter,
                            struct ncl_record_list *list)
{
    const size_t first = list->count;
    struct search search = {.filter = filter, .list = list};

    if (store == NULL) {
        return NCL_OK;
    }
    if (!ncl_store_read(store, find, &search) || search.no_memory) {
        list->count = first;
    }
    if (search.no_memory) {
        return ncl_fail_memory(NULL, "reading tuning records");
    }
    ncl_record_list_sort_from(list, first);
    return NCL_OK;
}

struct removal {
    const struct ncl_record_filter *filter;
    int deleted;
};

static int remove_records(sqlite3 *db, void *user)
{
    struct removal *removal = user;
    char sql[SQL_BYTES] = "DELETE FROM records";
    sqlite3_stmt *statement = NULL;
    const int code = prepare_filtered(db, sql, removal->filter, &statement);

    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return code;
    }
    return finish(db, statement, &removal->deleted);
}

bool ncl_records_delete(struct ncl_store *store, const struct ncl_record_filter *filter,
                        size_t *deleted)
{
    struct removal removal = {.filter = filter};
    const bool done = store != NULL && ncl_store_transact(store, remove_records, &removal);

    if (deleted != NULL) {
        *deleted = done ? (size_t)removal.deleted : 0;
    }
    return done;
}

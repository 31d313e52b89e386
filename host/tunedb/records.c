#include "tunedb/records.h"
#include "tunedb/columns.h"
#include "tunedb/handle.h"
#include <string.h>

/* What was found on this machine replaces whatever there is, however wrong a clock was: only a
 * point that is merely tried stays good meanwhile. What comes from elsewhere replaces nothing that
 * was measured here, and only what is no newer; "verified" is of this machine too. A winner that is
 * measured again stays one. */
static void write_upsert(char *sql)
{
    sql[0] = '\0';
    ncl_sql_add(sql, "INSERT INTO records(");
    ncl_columns_list(sql);
    ncl_sql_add(sql, ") VALUES(?");
    for (size_t i = 1; i < NCL_FIELD_COUNT; i++) {
        ncl_sql_add(sql, ", ?");
    }
    ncl_sql_add(sql,
                ") ON CONFLICT(problem, platform, device, driver, kernel, algorithm, params) DO "
                "UPDATE SET ");
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        const char *name = ncl_fields[i].name;
        if (strcmp(name, "chosen") != 0) {
            ncl_sql_add(sql, "%s = excluded.%s, ", name, name);
        }
    }
    ncl_sql_add(
        sql,
        "chosen = excluded.chosen OR (chosen AND excluded.verdict = 'good') WHERE CASE "
        "WHEN excluded.origin = 'measured' THEN excluded.verdict <> 'started' OR verdict <> "
        "'good' WHEN origin = 'measured' THEN verdict = 'started' AND excluded.verified ELSE "
        "excluded.verified OR excluded.utc > utc OR (excluded.utc = utc AND NOT verified) END");
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
    return ncl_sql_finish(db, statement, changes);
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

static int put_one(sqlite3 *db, sqlite3_stmt *statement, const struct ncl_record *record,
                   size_t *changed)
{
    struct ncl_record copy = *record;
    int changes = 0;
    int code = SQLITE_OK;

    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        ncl_column_bind(statement, (int)i + 1, &copy, &ncl_fields[i]);
    }
    code = sqlite3_step(statement);
    changes = code == SQLITE_DONE ? sqlite3_changes(db) : 0;
    sqlite3_reset(statement);
    *changed += (size_t)changes;
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

int ncl_records_write(sqlite3 *db, const struct ncl_record *records, size_t count, size_t *changed)
{
    char sql[NCL_SQL_BYTES];
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    *changed = 0;
    write_upsert(sql);
    code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = put_one(db, statement, &records[i], changed);
    }
    sqlite3_finalize(statement);
    return code;
}

struct batch {
    const struct ncl_record *records;
    size_t count, changed;
};

static int put_batch(sqlite3 *db, void *user)
{
    struct batch *batch = user;

    return ncl_records_write(db, batch->records, batch->count, &batch->changed);
}

static bool can_put(const struct ncl_store *store, const struct ncl_record *records, size_t count)
{
    bool can = store != NULL;

    for (size_t i = 0; i < count; i++) {
        can = can && ncl_record_flaw(&records[i]) == NULL;
    }
    return can;
}

bool ncl_records_put_counted(struct ncl_store *store, const struct ncl_record *records,
                             size_t count, size_t *changed)
{
    struct batch batch = {.records = records, .count = count};
    const bool put = can_put(store, records, count) &&
                     (count == 0 || ncl_store_transact(store, put_batch, &batch));

    *changed = put ? batch.changed : 0;
    return put;
}

bool ncl_records_put_synced(struct ncl_store *store, const struct ncl_record *records, size_t count)
{
    struct batch batch = {.records = records, .count = count};

    return can_put(store, records, count) &&
           (count == 0 || ncl_store_transact_synced(store, put_batch, &batch));
}

bool ncl_records_put_all(struct ncl_store *store, const struct ncl_record *records, size_t count)
{
    size_t changed = 0;

    return ncl_records_put_counted(store, records, count, &changed);
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
    code = ncl_sql_finish(db, statement, &changes);
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
           ncl_store_transact_synced(store, mark, &marked);
}

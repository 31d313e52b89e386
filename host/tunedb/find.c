/* Records by what a filter lets through: found, deleted. */
#include "tunedb/columns.h"
#include "tunedb/handle.h"
#include "tunedb/records.h"
#include <limits.h>
#include <string.h>

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
    ncl_sql_add(sql, " WHERE %s%s", filter->chosen_only ? "chosen = 1" : "1",
                filter->good_only ? " AND verdict = 'good'" : "");
    for (size_t i = 0; i < CONDITIONS; i++) {
        if (conditions[i].value != NULL) {
            ncl_sql_add(sql, " AND %s = ?", conditions[i].column);
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

static bool add_row(sqlite3_stmt *statement, struct ncl_record_list *list)
{
    struct ncl_record record = {0};

    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        ncl_column_read(statement, (int)i, &record, &ncl_fields[i]);
    }
    return ncl_record_flaw(&record) != NULL || ncl_record_list_add(list, &record);
}

int ncl_rows_read(sqlite3_stmt *statement, struct ncl_record_list *list)
{
    int code = sqlite3_step(statement);

    while (code == SQLITE_ROW) {
        code = add_row(statement, list) ? sqlite3_step(statement) : SQLITE_NOMEM;
    }
    sqlite3_finalize(statement);
    return code;
}

struct search {
    const struct ncl_record_filter *filter;
    struct ncl_record_list *list;
    size_t first; /* of the list's records, which others put there */
    bool no_memory;
};

static int find_rows(sqlite3 *db, const struct search *search)
{
    char sql[NCL_SQL_BYTES] = "SELECT ";
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    search->list->count = search->first;
    ncl_columns_list(sql);
    ncl_sql_add(sql, " FROM records");
    code = prepare_filtered(db, sql, search->filter, &statement);
    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return code;
    }
    return ncl_rows_read(statement, search->list);
}

/* A row with a value that nobody of ours wrote must not hide the others: it is read whatever its
 * size, and passed over. */
static int find(sqlite3 *db, void *user)
{
    struct search *search = user;
    int code = find_rows(db, search);

    if (code == SQLITE_TOOBIG) {
        const int limit = sqlite3_limit(db, SQLITE_LIMIT_LENGTH, INT_MAX);
        code = find_rows(db, search);
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, limit);
    }
    search->no_memory = code == SQLITE_NOMEM;
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
    struct search search = {.filter = filter, .list = list, .first = list->count};

    if (store == NULL) {
        return NCL_OK;
    }
    if (!ncl_store_read(store, find, &search)) {
        const char *reason = ncl_store_reason(store);
        list->count = search.first;
        if (search.no_memory) {
            return ncl_fail_memory(NULL, "reading tuning records");
        }
        return ncl_fail(NULL, NCL_ERROR_INPUT, "tuning records cannot be read: %s",
                        reason != NULL ? reason : "the store failed");
    }
    ncl_record_list_sort_from(list, search.first);
    return NCL_OK;
}

static int count_rows(sqlite3 *db, void *user)
{
    long long *count = user;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM records", -1, &statement, NULL);

    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    *count = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_DONE : code;
}

size_t ncl_records_count(struct ncl_store *store)
{
    long long count = 0;

    return store != NULL && ncl_store_read(store, count_rows, &count) ? (size_t)count : 0;
}

struct removal {
    const struct ncl_record_filter *filter;
    int deleted;
};

static int remove_records(sqlite3 *db, void *user)
{
    struct removal *removal = user;
    char sql[NCL_SQL_BYTES] = "DELETE FROM records";
    sqlite3_stmt *statement = NULL;
    const int code = prepare_filtered(db, sql, removal->filter, &statement);

    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return code;
    }
    return ncl_sql_finish(db, statement, &removal->deleted);
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

/* Records by what a filter lets through: found, deleted. */
#include "tunedb/columns.h"
#include "tunedb/handle.h"
#include "tunedb/records.h"
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

struct search {
    const struct ncl_record_filter *filter;
    struct ncl_record_list *list;
    bool no_memory;
};

static void add_row(sqlite3_stmt *statement, struct search *search)
{
    struct ncl_record record = {0};

    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        ncl_column_read(statement, (int)i, &record, &ncl_fields[i]);
    }
    if (ncl_record_flaw(&record) == NULL) {
        search->no_memory = !ncl_record_list_add(search->list, &record);
    }
}

static int find(sqlite3 *db, void *user)
{
    struct search *search = user;
    char sql[NCL_SQL_BYTES] = "SELECT ";
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    ncl_columns_list(sql);
    ncl_sql_add(sql, " FROM records");
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

#include "tunedb/salvage.h"
#include "base/text.h"
#include "tunedb/columns.h"
#include "tunedb/database.h"
#include <unistd.h>

/* In the order of the key up to the first damaged page, then from the other end. */
static void read_from_both_ends(sqlite3 *db, struct ncl_record_list *list)
{
    static const char *const orders[] = {"ASC", "DESC"};
    int code = SQLITE_OK;

    for (int i = 0; i < 2 && code != SQLITE_DONE; i++) {
        char sql[NCL_SQL_BYTES] = "SELECT ";
        sqlite3_stmt *statement = NULL;
        ncl_columns_list(sql);
        ncl_sql_add(sql, " FROM records ORDER BY problem %s", orders[i]);
        code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
        if (code == SQLITE_OK) {
            code = ncl_rows_read(statement, list);
        }
    }
}

static bool write_all(sqlite3 *into, const struct ncl_record_list *list)
{
    size_t changed = 0;
    bool written = sqlite3_exec(into, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;

    written = written &&
              ncl_records_write(into, list->records, list->count, &changed) == SQLITE_OK &&
              sqlite3_exec(into, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!written) {
        sqlite3_exec(into, "ROLLBACK", NULL, NULL, NULL);
    }
    return written;
}

size_t ncl_salvage(const char *path, sqlite3 *into)
{
    sqlite3 *bad = ncl_db_open_bad(path);
    struct ncl_record_list list = {0};
    size_t count = 0;

    if (bad == NULL) {
        return 0;
    }
    read_from_both_ends(bad, &list);
    ncl_db_close_bad(bad, path);
    ncl_record_list_unite(&list); /* read from both ends, some come twice */
    for (size_t i = 0; i < list.count; i++) {
        list.records[i].verified = false; /* what is near damage is tried before it is trusted */
    }
    if (list.count > 0 && write_all(into, &list)) {
        count = list.count;
    }
    ncl_record_list_free(&list);
    return count;
}

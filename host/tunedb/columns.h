/* Records as rows: binding and reading their columns; internal to tunedb. */
#ifndef NCL_TUNEDB_COLUMNS_H
#define NCL_TUNEDB_COLUMNS_H

#include "tunedb/fields.h"
#include <sqlite3.h>

/* Enough for every statement: they are made of column names. */
#define NCL_SQL_BYTES 2048

/* Onto the end; sql has NCL_SQL_BYTES. */
__attribute__((format(printf, 2, 3))) void ncl_sql_add(char *sql, const char *format, ...);
/* "platform, device, ..." in the order of ncl_fields. */
void ncl_columns_list(char *sql);
/* at: from 1. Texts are borrowed. */
void ncl_column_bind(sqlite3_stmt *statement, int at, struct ncl_record *record,
                     const struct ncl_field *field);
/* at: from 0. Whatever the column holds, the member becomes something: ncl_record_flaw judges it.
 * Texts are the statement's. */
void ncl_column_read(sqlite3_stmt *statement, int at, struct ncl_record *record,
                     const struct ncl_field *field);
/* Steps once and finalizes. changes (may be NULL): rows that were changed. */
int ncl_sql_finish(sqlite3 *db, sqlite3_stmt *statement, int *changes);
/* Appends the rows of a statement that selects ncl_columns_list's columns, and finalizes it;
 * flawed rows are passed over. SQLITE_DONE, or an error after what could be read. */
int ncl_rows_read(sqlite3_stmt *statement, struct ncl_record_list *list);
/* ncl_records_put_counted on an open database, in the caller's transaction. */
int ncl_records_write(sqlite3 *db, const struct ncl_record *records, size_t count, size_t *changed);

#endif

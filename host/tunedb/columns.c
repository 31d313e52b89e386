#include "tunedb/columns.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ncl_column_bind(sqlite3_stmt *statement, int at, struct ncl_record *record,
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

void ncl_column_read(sqlite3_stmt *statement, int at, struct ncl_record *record,
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

void ncl_sql_add(char *sql, const char *format, ...)
{
    const size_t used = strlen(sql);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sql + used, NCL_SQL_BYTES - used, format, arguments);
    va_end(arguments);
}

void ncl_columns_list(char *sql)
{
    for (size_t i = 0; i < NCL_FIELD_COUNT; i++) {
        ncl_sql_add(sql, "%s%s", i > 0 ? ", " : "", ncl_fields[i].name);
    }
}

int ncl_sql_finish(sqlite3 *db, sqlite3_stmt *statement, int *changes)
{
    int code = sqlite3_step(statement);

    code = code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
    if (changes != NULL) {
        *changes = code == SQLITE_OK ? sqlite3_changes(db) : 0;
    }
    sqlite3_finalize(statement);
    return code;
}

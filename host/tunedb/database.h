/* Opening and checking the file of a store; internal to tunedb. */
#ifndef NCL_TUNEDB_DATABASE_H
#define NCL_TUNEDB_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define NCL_DB_LARGEST_BLOCK (64 << 20)

enum ncl_db_state {
    NCL_DB_GOOD,
    NCL_DB_BAD,        /* damaged or not ours: to be set aside */
    NCL_DB_NEWER,      /* of a later NextCL: to be left alone */
    NCL_DB_UNREACHABLE /* no permission, no space, locked for long, not a regular file */
};

/* Opens path, creates it if missing, checks that it is ours; thorough: reads all of it. Only for
 * NCL_DB_GOOD is *db set (sqlite3_close); else reason (of bytes) says why. */
enum ncl_db_state ncl_db_open(const char *path, bool thorough, sqlite3 **db, char *reason,
                              size_t bytes);
/* The state that an error code of a statement on an open database means; NCL_DB_GOOD: it will pass
 * (locked by another process). */
enum ncl_db_state ncl_db_judge(int code);
/* Renames path and its journals to path.bad-<time>-<process>. */
bool ncl_db_set_aside(const char *path);

#endif

/* Opening and checking the file of a store; internal to tunedb. */
#ifndef NCL_TUNEDB_DATABASE_H
#define NCL_TUNEDB_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define NCL_DB_LARGEST_BLOCK (64 << 20)

enum ncl_db_state {
    NCL_DB_GOOD,
    NCL_DB_READABLE,   /* ours, but cannot be written: no permission, no space */
    NCL_DB_BAD,        /* damaged or not ours: to be set aside */
    NCL_DB_NEWER,      /* of a later NextCL: to be left alone */
    NCL_DB_UNREACHABLE /* no permission, no space, locked for long, not a regular file */
};

/* Opens path, creates it if missing, checks that it is ours; thorough: reads all of it. *db is set
 * (sqlite3_close) for NCL_DB_GOOD and NCL_DB_READABLE only; unless NCL_DB_GOOD, reason (of bytes)
 * says why. */
enum ncl_db_state ncl_db_open(const char *path, bool thorough, sqlite3 **db, char *reason,
                              size_t bytes);
/* For reading what a file that was set aside still gives. NULL: not ours, or it gives nothing. */
sqlite3 *ncl_db_open_bad(const char *path);
void ncl_db_close_bad(sqlite3 *db, const char *path);
/* Its file was removed, renamed or replaced meanwhile. */
bool ncl_db_has_moved(sqlite3 *db);
/* Closes what has moved: the journals at the old path are another's by now. */
void ncl_db_abandon(sqlite3 *db);
/* What an error of a statement on an open database calls for: NCL_DB_BAD, to be mended;
 * NCL_DB_UNREACHABLE, nothing can be written for now; NCL_DB_GOOD, it concerns this call only. */
enum ncl_db_state ncl_db_judge(int code);
/* An error code in words. */
const char *ncl_db_words(int code);
/* Renames path and its journals to path + suffix, ".bad-<time>-<process>". */
bool ncl_db_set_aside(const char *path, char suffix[64]);

#endif

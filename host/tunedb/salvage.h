/* What a damaged store still gives; internal to tunedb. */
#ifndef NCL_TUNEDB_SALVAGE_H
#define NCL_TUNEDB_SALVAGE_H

#include <sqlite3.h>
#include <stddef.h>

/* Copies the tuning records that can be read of the file at path, which was set aside, into a
 * store. Their number: 0 too where the file is none of ours, or all is lost. */
size_t ncl_salvage(const char *path, sqlite3 *into);

#endif

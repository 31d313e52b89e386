/* The user's own store: a SQLite database "nextcl.db" in the cache directory, holding program
 * binaries, tuning records (records.h) and journals. A cache, so it never makes the library
 * unusable: what is damaged is set aside (nextcl.db.bad-...) and started afresh with the tuning
 * records that can still be read, what cannot be written is read, what is removed meanwhile is made
 * anew, what cannot be used is done without, each said once at level warning. Several processes at
 * once and kill -9 at any moment are safe. */
#ifndef NCL_TUNEDB_STORE_H
#define NCL_TUNEDB_STORE_H

#include "cl/device.h"

struct ncl_store; /* thread-safe; not to be used across fork */

/* directory is created if missing; NULL or "": no cache. A directory, file or disk that cannot be
 * used, or a store of a newer NextCL, gives NCL_OK and a store that keeps nothing. Fails only for
 * lack of memory. log must outlive the store. */
ncl_status ncl_store_open(const struct ncl_log *log, const char *directory,
                          struct ncl_store **store);
void ncl_store_close(struct ncl_store *store);
/* False: the store keeps nothing, or the last write failed. It may give what it kept before. */
bool ncl_store_is_active(struct ncl_store *store);
/* True also where the last write failed: the next one may not. store may be NULL. */
bool ncl_store_is_writable(struct ncl_store *store);
/* The database's path, valid until ncl_store_close; NULL: nothing can be read. */
const char *ncl_store_path(struct ncl_store *store);
/* Why nothing is kept, or why the last call failed, as one line that names the path; NULL: neither.
 * Valid until the thread's next call. store may be NULL. */
const char *ncl_store_reason(struct ncl_store *store);
/* The cache is valid until ncl_store_close. Blocks over 64 MiB are not kept. */
void ncl_store_binary_cache(struct ncl_store *store, struct ncl_binary_cache *cache);
/* Bound on the sum of all blocks, least recently used go first (256 MiB unless told). */
void ncl_store_set_limit(struct ncl_store *store, uint64_t bytes);

#endif

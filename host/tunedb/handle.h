/* The inside of a store, for the files of tunedb that keep something in it. */
#ifndef NCL_TUNEDB_HANDLE_H
#define NCL_TUNEDB_HANDLE_H

#include "tunedb/database.h"
#include "tunedb/store.h"
#include <pthread.h>

struct ncl_store {
    const struct ncl_log *log;
    pthread_mutex_t mutex; /* of everything below */
    char *path;
    sqlite3 *db;    /* NULL: the store keeps nothing and gives nothing */
    bool read_only; /* and keeps nothing */
    uint64_t limit;
    uint64_t synced; /* ncl_clock_ns of the last commit that waited for the disk */
    bool mended;     /* once per process: a disk that damages what is written would never end */
    bool failing;    /* the last write failed: disk full, say */
    bool said_failing, said_moved;
    char reason[256]; /* why nothing is kept, or why the last call failed; "": it did not */
    /* Said after the mutex is given back: callbacks never run under a lock. "" for nothing. */
    char warning[1024];
};

void ncl_store_lock(struct ncl_store *store);
void ncl_store_unlock(struct ncl_store *store);
/* After an SQLite error. true: what was damaged is mended, trying again makes sense. A lock held
 * for long by another process costs this one call only, a full disk each call until there is room.
 */
bool ncl_store_recover(struct ncl_store *store, int code);

/* Runs work in a transaction: SQLITE_OK or SQLITE_DONE from it commits, all else undoes. It may run
 * a second time, on a store that was mended or replaced meanwhile. true: committed, and kill -9 no
 * longer loses it. At most a second of commits waits for the disk, which is what a power cut may
 * lose. */
typedef int (*ncl_store_work)(sqlite3 *db, void *user);
bool ncl_store_transact(struct ncl_store *store, ncl_store_work work, void *user);
/* The same, and this one waits for the disk. */
bool ncl_store_transact_synced(struct ncl_store *store, ncl_store_work work, void *user);
/* The same with the mutex held, and not waiting for the disk. SQLITE_OK or an error. */
int ncl_store_write(struct ncl_store *store, ncl_store_work work, void *user);
/* Runs work without one, for reading; the mutex is held. It may run twice, too. false: the store
 * failed. */
bool ncl_store_read(struct ncl_store *store, ncl_store_work work, void *user);

#endif

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
    sqlite3 *db; /* NULL: the store keeps nothing */
    uint64_t limit;
    uint64_t synced; /* ncl_clock_ns of the last commit that waited for the disk */
    bool mended;     /* once per process: a disk that damages what is written would never end */
    /* Said after the mutex is given back: callbacks never run under a lock. "" for nothing. */
    char warning[768];
};

void ncl_store_lock(struct ncl_store *store);
void ncl_store_unlock(struct ncl_store *store);
/* After an SQLite error. A lock held for long by another process costs this one call only. */
void ncl_store_recover(struct ncl_store *store, int code);

/* Runs work in a transaction: SQLITE_OK or SQLITE_DONE from it commits, all else undoes. true:
 * committed, and kill -9 no longer loses it. At most a second of commits waits for the disk, which
 * is what a power cut may lose. */
typedef int (*ncl_store_work)(sqlite3 *db, void *user);
bool ncl_store_transact(struct ncl_store *store, ncl_store_work work, void *user);
/* Runs work without one, for reading; the mutex is held. false: the store failed. */
bool ncl_store_read(struct ncl_store *store, ncl_store_work work, void *user);

#endif

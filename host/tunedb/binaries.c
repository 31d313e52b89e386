/* Program binaries in the user's store, the least recently used ones dropped. */
#include "base/memory.h"
#include "tunedb/handle.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A block's time of use is written at most this often, in seconds: reading stays read-only. */
#define USE_GRAIN 3600
#define MAX_KEY 256

/* Closing the last connection cleans up the journals; a statement left open would keep it. */
static int prepare_keyed(struct ncl_store *store, const char *sql, const char *key,
                         sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v2(store->db, sql, -1, statement, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_text(*statement, 1, key, -1, SQLITE_STATIC);
    }
    return code;
}

/* SQLITE_ROW: found; SQLITE_DONE: not there; else an error. */
static int read_block(struct ncl_store *store, const char *key, void **data, size_t *bytes,
                      long long *used)
{
    sqlite3_stmt *statement = NULL;
    int code =
        prepare_keyed(store, "SELECT data, used FROM binaries WHERE key = ?", key, &statement);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(statement, 0);
        const int size = sqlite3_column_bytes(statement, 0);
        *used = sqlite3_column_int64(statement, 1);
        *data = blob != NULL && size > 0 ? ncl_alloc((size_t)size, 1) : NULL;
        if (*data != NULL) {
            memcpy(*data, blob, (size_t)size);
            *bytes = (size_t)size;
        }
    }
    sqlite3_finalize(statement);
    return code == SQLITE_ROW && *data == NULL ? SQLITE_DONE : code;
}

static void touch(struct ncl_store *store, const char *key, long long now)
{
    sqlite3_stmt *statement = NULL;

    if (prepare_keyed(store, "UPDATE binaries SET used = ?2 WHERE key = ?1", key, &statement) ==
        SQLITE_OK) {
        sqlite3_bind_int64(statement, 2, now);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
}

static ncl_status get(void *self, const char *key, void **data, size_t *bytes)
{
    struct ncl_store *store = self;
    const long long now = (long long)time(NULL);
    long long used = 0;
    int code = SQLITE_DONE;

    *data = NULL;
    *bytes = 0;
    ncl_store_lock(store);
    if (store->db != NULL) {
        code = read_block(store, key, data, bytes, &used);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        ncl_store_recover(store, code);
    } else if (code == SQLITE_ROW && !store->read_only && (used < now - USE_GRAIN || used > now)) {
        touch(store, key, now); /* what fails here fails elsewhere, and says so */
    }
    ncl_store_unlock(store);
    return *data != NULL ? NCL_OK : NCL_ERROR_INPUT;
}

static int insert(struct ncl_store *store, const char *key, const void *data, size_t bytes)
{
    sqlite3_stmt *statement = NULL;
    int code =
        prepare_keyed(store, "INSERT OR REPLACE INTO binaries(key, used, data) VALUES(?1, ?2, ?3)",
                      key, &statement);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 2, (long long)time(NULL));
        sqlite3_bind_blob(statement, 3, data, (int)bytes, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code;
}

/* Drops what no longer fits, counted from the most recently used. length() reads no blob. */
static int trim(struct ncl_store *store)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        store->db,
        "DELETE FROM binaries WHERE rowid IN (SELECT rowid FROM (SELECT rowid, sum(length(data)) "
        "OVER (ORDER BY used DESC, rowid DESC) AS running FROM binaries) WHERE running > ?)",
        -1, &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)store->limit);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code;
}

struct block {
    struct ncl_store *store;
    const char *key;
    const void *data;
    size_t bytes;
};

static int put_block(sqlite3 *db, void *user)
{
    const struct block *block = user;
    const int code = insert(block->store, block->key, block->data, block->bytes);

    (void)db;
    return code == SQLITE_DONE ? trim(block->store) : code;
}

static void put(void *self, const char *key, const void *data, size_t bytes)
{
    struct ncl_store *store = self;
    struct block block = {.store = store, .key = key, .data = data, .bytes = bytes};

    if (bytes == 0 || bytes > NCL_DB_LARGEST_BLOCK || strlen(key) > MAX_KEY) {
        return;
    }
    ncl_store_lock(store);
    if (store->db != NULL && bytes <= store->limit) {
        ncl_store_write(store, put_block, &block);
    }
    ncl_store_unlock(store);
}

void ncl_store_binary_cache(struct ncl_store *store, struct ncl_binary_cache *cache)
{
    *cache = (struct ncl_binary_cache){.self = store, .get = get, .put = put};
}

void ncl_store_set_limit(struct ncl_store *store, uint64_t bytes)
{
    ncl_store_lock(store);
    store->limit = bytes;
    ncl_store_unlock(store);
}

#include "tunedb/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "tunedb/handle.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_LIMIT ((uint64_t)256 << 20)
/* A block's time of use is written at most this often, in seconds: reading stays read-only. */
#define USE_GRAIN 3600
#define MAX_KEY 256
#define SYNC_NS UINT64_C(1000000000)

__attribute__((format(printf, 2, 3))) static void warn(struct ncl_store *store, const char *format,
                                                       ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(store->warning, sizeof(store->warning), format, arguments);
    va_end(arguments);
}

void ncl_store_lock(struct ncl_store *store)
{
    pthread_mutex_lock(&store->mutex);
}

void ncl_store_unlock(struct ncl_store *store)
{
    char warning[sizeof(store->warning)];

    memcpy(warning, store->warning, sizeof(warning));
    store->warning[0] = '\0';
    pthread_mutex_unlock(&store->mutex);
    if (warning[0] != '\0') {
        ncl_note(store->log, NCL_LOG_WARNING, "%s", warning);
    }
}

static void switch_off(struct ncl_store *store, const char *reason)
{
    sqlite3_close(store->db);
    store->db = NULL;
    warn(store, "%s: no cache on disk: %s", store->path, reason);
}

/* Opens, and sets aside what is bad, with other processes kept from doing the same. */
static void mend_locked(struct ncl_store *store, bool thorough)
{
    char reason[256] = "", ignored[256] = "";
    enum ncl_db_state state =
        ncl_db_open(store->path, thorough, &store->db, reason, sizeof(reason));

    if (state != NCL_DB_BAD) {
        if (state != NCL_DB_GOOD) {
            switch_off(store, reason);
        }
        return;
    }
    if (!ncl_db_set_aside(store->path)) {
        switch_off(store, reason);
        return;
    }
    state = ncl_db_open(store->path, false, &store->db, ignored, sizeof(ignored));
    if (state == NCL_DB_GOOD) {
        warn(store, "%s: set aside and started afresh: %s", store->path, reason);
    } else {
        switch_off(store, ignored);
    }
}

/* A second process that finds the same damage does without a cache while the first mends it. */
static void mend(struct ncl_store *store, bool thorough)
{
    struct ncl_text name = {0};
    int file = -1;

    store->mended = true;
    ncl_text_add(&name, "%s.lock", store->path);
    if (!name.failed) {
        file = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    }
    ncl_text_free(&name);
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) {
        mend_locked(store, thorough);
    } else {
        switch_off(store, "it is damaged, and cannot be set aside now");
    }
    if (file >= 0) {
        close(file); /* gives the lock back */
    }
}

static void open_database(struct ncl_store *store)
{
    char reason[256] = "";
    const enum ncl_db_state state =
        ncl_db_open(store->path, false, &store->db, reason, sizeof(reason));

    if (state == NCL_DB_BAD) {
        mend(store, false);
    } else if (state != NCL_DB_GOOD) {
        switch_off(store, reason);
    }
}

void ncl_store_recover(struct ncl_store *store, int code)
{
    const enum ncl_db_state state = ncl_db_judge(code);

    if (state == NCL_DB_UNREACHABLE || (state == NCL_DB_BAD && store->mended)) {
        switch_off(store, sqlite3_errstr(code));
    } else if (state == NCL_DB_BAD) {
        sqlite3_close(store->db);
        store->db = NULL;
        mend(store, true);
    }
}

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

static int touch(struct ncl_store *store, const char *key, long long now)
{
    sqlite3_stmt *statement = NULL;
    int code =
        prepare_keyed(store, "UPDATE binaries SET used = ?2 WHERE key = ?1", key, &statement);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 2, now);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code;
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
    if (code == SQLITE_ROW && (used < now - USE_GRAIN || used > now)) {
        code = touch(store, key, now);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        ncl_store_recover(store, code);
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

static int transact_locked(sqlite3 *db, ncl_store_work work, void *user)
{
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    code = work(db, user);
    if (code == SQLITE_OK || code == SQLITE_DONE) {
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

bool ncl_store_transact(struct ncl_store *store, ncl_store_work work, void *user)
{
    const uint64_t now = ncl_clock_ns();
    int code = SQLITE_MISUSE;

    ncl_store_lock(store);
    if (store->db != NULL) {
        const bool sync = store->synced == 0 || now - store->synced > SYNC_NS;
        /* In a write-ahead log this commit takes all before it to the disk. */
        sqlite3_exec(store->db, sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                     NULL, NULL, NULL);
        code = transact_locked(store->db, work, user);
        store->synced = sync && code == SQLITE_OK ? now : store->synced;
        if (code != SQLITE_OK) {
            ncl_store_recover(store, code);
        }
    }
    ncl_store_unlock(store);
    return code == SQLITE_OK;
}

bool ncl_store_read(struct ncl_store *store, ncl_store_work work, void *user)
{
    int code = SQLITE_OK;

    ncl_store_lock(store);
    if (store->db != NULL) {
        code = work(store->db, user);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
        if (code != SQLITE_OK) {
            ncl_store_recover(store, code);
        }
    }
    ncl_store_unlock(store);
    return code == SQLITE_OK;
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
    int code = SQLITE_OK;

    if (bytes == 0 || bytes > NCL_DB_LARGEST_BLOCK || strlen(key) > MAX_KEY) {
        return;
    }
    ncl_store_lock(store);
    if (store->db != NULL && bytes <= store->limit) {
        code = transact_locked(store->db, put_block, &block);
    }
    if (code != SQLITE_OK) {
        ncl_store_recover(store, code);
    }
    ncl_store_unlock(store);
}

/* NULL: memory ran out. */
static struct ncl_store *create(const struct ncl_log *log, const char *directory)
{
    struct ncl_store *store = ncl_alloc(1, sizeof(*store));
    struct ncl_text path = {0};

    ncl_text_add(&path, "%s/nextcl.db", directory);
    if (store == NULL || path.failed || pthread_mutex_init(&store->mutex, NULL) != 0) {
        ncl_text_free(&path);
        free(store);
        return NULL;
    }
    store->log = log;
    store->path = path.data;
    store->limit = DEFAULT_LIMIT;
    return store;
}

ncl_status ncl_store_open(const struct ncl_log *log, const char *directory,
                          struct ncl_store **store)
{
    const bool wanted = directory != NULL && directory[0] != '\0';

    *store = create(log, wanted ? directory : "");
    if (*store == NULL) {
        return ncl_fail_memory(log, "opening the cache");
    }
    if (!wanted) {
        return NCL_OK;
    }
    ncl_store_lock(*store);
    if (ncl_file_make_directories(NULL, directory) != NCL_OK) {
        switch_off(*store, ncl_error_text());
        ncl_error_set(""); /* doing without a cache is no failure */
    } else {
        open_database(*store);
    }
    ncl_store_unlock(*store);
    return NCL_OK;
}

void ncl_store_close(struct ncl_store *store)
{
    if (store == NULL) {
        return;
    }
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

bool ncl_store_is_active(struct ncl_store *store)
{
    ncl_store_lock(store);
    const bool active = store->db != NULL;
    ncl_store_unlock(store);
    return active;
}

const char *ncl_store_path(struct ncl_store *store)
{
    return store != NULL && ncl_store_is_active(store) ? store->path : NULL;
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

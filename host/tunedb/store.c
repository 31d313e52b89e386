#include "tunedb/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "tunedb/handle.h"
#include "tunedb/salvage.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_LIMIT ((uint64_t)256 << 20)
#define SYNC_NS UINT64_C(1000000000)

/* Two in one call are one line. */
__attribute__((format(printf, 2, 3))) static void warn(struct ncl_store *store, const char *format,
                                                       ...)
{
    const size_t used = strlen(store->warning);
    const size_t room = sizeof(store->warning) - used;
    va_list arguments;

    va_start(arguments, format);
    if (used > 0 && room > 2) {
        memcpy(store->warning + used, "; ", 3);
        vsnprintf(store->warning + used + 2, room - 2, format, arguments);
    } else {
        vsnprintf(store->warning + used, room, format, arguments);
    }
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

static void give_reason(struct ncl_store *store, const char *reason)
{
    snprintf(store->reason, sizeof(store->reason), "%s", reason);
}

static void close_database(struct ncl_store *store)
{
    if (store->db != NULL && ncl_db_has_moved(store->db)) {
        ncl_db_abandon(store->db);
    } else {
        sqlite3_close(store->db);
    }
    store->db = NULL;
}

static void switch_off(struct ncl_store *store, const char *reason)
{
    close_database(store);
    give_reason(store, reason);
    warn(store, "%s: no cache on disk: %s", store->path, reason);
}

/* What ncl_db_open found, but for damage. */
static void accept(struct ncl_store *store, enum ncl_db_state state, const char *reason)
{
    store->read_only = state == NCL_DB_READABLE;
    give_reason(store, store->read_only ? reason : "");
    if (store->read_only) {
        warn(store, "%s: read, but not written: %s", store->path, reason);
    } else if (state != NCL_DB_GOOD) {
        switch_off(store, reason);
    }
}

/* What the file that was set aside still gives: a damaged page costs what was on it. */
static void start_afresh(struct ncl_store *store, const char *suffix, const char *why)
{
    char reason[256] = "";
    const enum ncl_db_state state =
        ncl_db_open(store->path, false, &store->db, reason, sizeof(reason));
    struct ncl_text bad = {0};
    size_t saved = 0;

    if (state != NCL_DB_GOOD) {
        switch_off(store, reason);
        return;
    }
    accept(store, state, "");
    ncl_text_add(&bad, "%s%s", store->path, suffix);
    if (!bad.failed) {
        saved = ncl_salvage(bad.data, store->db);
    }
    ncl_text_free(&bad);
    warn(store, "%s: set aside as %s%s and started afresh, %zu tuning record%s saved: %s",
         store->path, store->path, suffix, saved, saved == 1 ? "" : "s", why);
}

/* Opens, and sets aside what is bad, with other processes kept from doing the same. */
static void mend_locked(struct ncl_store *store, bool thorough)
{
    char reason[256] = "", suffix[64] = "";
    const enum ncl_db_state state =
        ncl_db_open(store->path, thorough, &store->db, reason, sizeof(reason));

    if (state != NCL_DB_BAD) {
        accept(store, state, reason);
    } else if (ncl_db_set_aside(store->path, suffix)) {
        start_afresh(store, suffix, reason);
    } else {
        switch_off(store, reason);
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
    } else {
        accept(store, state, reason);
    }
}

bool ncl_store_recover(struct ncl_store *store, int code)
{
    const enum ncl_db_state state = ncl_db_judge(code);

    if (code == SQLITE_CONSTRAINT) {
        return false; /* the work's own */
    }
    give_reason(store, ncl_db_words(code));
    if (state == NCL_DB_BAD && !store->read_only) {
        if (store->mended) {
            switch_off(store, ncl_db_words(code));
            return false;
        }
        close_database(store);
        mend(store, true);
        return store->db != NULL;
    }
    return false;
}

/* A full disk, say: there may be room later. */
static void note_failure(struct ncl_store *store, int code)
{
    if (ncl_db_judge(code) != NCL_DB_UNREACHABLE) {
        return;
    }
    store->failing = true;
    if (!store->said_failing) {
        warn(store, "%s: cannot be written: %s; tried again each time", store->path,
             ncl_db_words(code));
    }
    store->said_failing = true;
}

/* What is kept must be in the file that others see. */
static void follow_path(struct ncl_store *store)
{
    char *slash = NULL;

    if (store->db == NULL || store->read_only || !ncl_db_has_moved(store->db)) {
        return;
    }
    close_database(store);
    if (!store->said_moved) {
        warn(store, "%s: was removed or replaced while in use: what is there now is used",
             store->path);
    }
    store->said_moved = true;
    slash = strrchr(store->path, '/');
    *slash = '\0';
    if (ncl_file_make_directories(NULL, store->path) != NCL_OK) {
        ncl_error_set(""); /* opening says it */
    }
    *slash = '/';
    open_database(store);
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

int ncl_store_write(struct ncl_store *store, ncl_store_work work, void *user)
{
    int code = SQLITE_MISUSE;
    bool again = true;

    for (int tries = 0; again && tries < 2; tries++) {
        follow_path(store);
        if (store->db == NULL || store->read_only) {
            return SQLITE_READONLY;
        }
        code = transact_locked(store->db, work, user);
        if (code != SQLITE_OK) {
            again = ncl_store_recover(store, code);
            note_failure(store, code);
        } else {
            again = ncl_db_has_moved(store->db); /* meanwhile */
            store->failing = false;
            give_reason(store, "");
        }
    }
    return code;
}

static bool transact(struct ncl_store *store, ncl_store_work work, void *user, bool synced)
{
    const uint64_t now = ncl_clock_ns();
    int code = SQLITE_MISUSE;

    ncl_store_lock(store);
    follow_path(store);
    if (store->db != NULL) {
        const bool sync = synced || store->synced == 0 || now - store->synced > SYNC_NS;
        /* In a write-ahead log this commit takes all before it to the disk. */
        sqlite3_exec(store->db, sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                     NULL, NULL, NULL);
        code = ncl_store_write(store, work, user);
        store->synced = sync && code == SQLITE_OK ? now : store->synced;
    }
    ncl_store_unlock(store);
    return code == SQLITE_OK;
}

bool ncl_store_transact(struct ncl_store *store, ncl_store_work work, void *user)
{
    return transact(store, work, user, false);
}

bool ncl_store_transact_synced(struct ncl_store *store, ncl_store_work work, void *user)
{
    return transact(store, work, user, true);
}

bool ncl_store_read(struct ncl_store *store, ncl_store_work work, void *user)
{
    int code = SQLITE_OK;
    bool again = true;

    ncl_store_lock(store);
    for (int tries = 0; again && tries < 2 && store->db != NULL; tries++) {
        code = work(store->db, user);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
        again = code != SQLITE_OK && ncl_store_recover(store, code);
        if (code == SQLITE_OK && !store->failing && !store->read_only) {
            give_reason(store, "");
        }
    }
    ncl_store_unlock(store);
    return code == SQLITE_OK;
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
    close_database(store);
    pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

bool ncl_store_is_active(struct ncl_store *store)
{
    ncl_store_lock(store);
    const bool active = store->db != NULL && !store->read_only && !store->failing;
    ncl_store_unlock(store);
    return active;
}

bool ncl_store_is_writable(struct ncl_store *store)
{
    bool writable = false;

    if (store != NULL) {
        ncl_store_lock(store);
        writable = store->db != NULL && !store->read_only;
        ncl_store_unlock(store);
    }
    return writable;
}

const char *ncl_store_path(struct ncl_store *store)
{
    bool readable = false;

    if (store != NULL) {
        ncl_store_lock(store);
        readable = store->db != NULL;
        ncl_store_unlock(store);
    }
    return readable ? store->path : NULL;
}

const char *ncl_store_reason(struct ncl_store *store)
{
    static _Thread_local char line[512];
    bool off = store == NULL;

    line[0] = '\0';
    if (store != NULL) {
        ncl_store_lock(store);
        off = store->db == NULL && store->reason[0] == '\0';
        if (store->reason[0] != '\0') {
            snprintf(line, sizeof(line), "%s: %s", store->path, store->reason);
        }
        ncl_store_unlock(store);
    }
    return off ? "the cache is off" : line[0] != '\0' ? line : NULL;
}

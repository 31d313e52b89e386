#include "tunedb/database.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x4e43444c /* "NCDL": file(1) and we tell our stores from others' by it */
#define SCHEMA_VERSION 2
/* On opening only a process that creates the store is in the way, and its disk may be slow. */
#define BUSY_OPENING_MS 10000
#define BUSY_MS 2000

/* Compared with what the file says, so that a crafted schema gets no further than that. */
static const struct {
    int since; /* schema version */
    const char *sql;
} schema[] = {
    /* used: Unix seconds. */
    {1, "CREATE TABLE binaries(key TEXT PRIMARY KEY NOT NULL, used INTEGER NOT NULL, data BLOB NOT "
        "NULL)"},
    /* In the order of its key, so that one problem's records lie side by side. */
    {2, "CREATE TABLE records(platform TEXT NOT NULL, device TEXT NOT NULL, vendor TEXT NOT NULL, "
        "driver TEXT NOT NULL, class TEXT NOT NULL, compute_units INTEGER NOT NULL, library TEXT "
        "NOT NULL, order_version INTEGER NOT NULL, kernel TEXT NOT NULL, problem TEXT NOT NULL, "
        "algorithm TEXT NOT NULL, params TEXT NOT NULL, verdict TEXT NOT NULL, origin TEXT NOT "
        "NULL, seconds REAL NOT NULL, spread REAL NOT NULL, default_seconds REAL NOT NULL, samples "
        "INTEGER NOT NULL, chosen INTEGER NOT NULL, verified INTEGER NOT NULL, seed INTEGER NOT "
        "NULL, utc INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY(problem, platform, device, "
        "driver, kernel, algorithm, params)) WITHOUT ROWID"},
    {2, "CREATE INDEX chosen ON records(chosen) WHERE chosen = 1"},
    {2, "CREATE TABLE notes(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"},
    {2, "CREATE TABLE journal(number INTEGER PRIMARY KEY, run TEXT NOT NULL, line TEXT NOT NULL)"},
    {2, "CREATE INDEX run ON journal(run)"},
};
#define STATEMENTS (sizeof(schema) / sizeof(schema[0]))

static void say(char *reason, size_t bytes, const char *text)
{
    snprintf(reason, bytes, "%s", text);
}

const char *ncl_db_words(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "locked by another process for too long";
    case SQLITE_FULL:
        return "the disk is full";
    case SQLITE_READONLY:
        return "it may not be written";
    case SQLITE_CANTOPEN:
        return "it, or a file beside it, may not be opened or written";
    case SQLITE_IOERR:
        return "it cannot be read or written: I/O error, or the disk is full";
    case SQLITE_TOOBIG:
        return "it holds a value that is too large";
    default:
        return sqlite3_errstr(code);
    }
}

/* A damaged file shows up as any of the first four, also as SQLITE_ERROR from a hostile schema. */
enum ncl_db_state ncl_db_judge(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:
        return NCL_DB_BAD;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_NOMEM:
        return NCL_DB_GOOD;
    default:
        return NCL_DB_UNREACHABLE;
    }
}

/* First column of the first row; 0 with SQLITE_OK if there is none. argument: of a "?" in sql. */
static int read_number(sqlite3 *db, const char *sql, const char *argument, long long *value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    *value = 0;
    if (code == SQLITE_OK && argument != NULL) {
        code = sqlite3_bind_text(statement, 1, argument, -1, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        code = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    }
    sqlite3_finalize(statement);
    return code;
}

struct identity {
    long long application, version, objects, ours;
};

static int read_identity(sqlite3 *db, struct identity *id)
{
    long long found = 0;
    int code = read_number(db, "PRAGMA application_id", NULL, &id->application);

    if (code == SQLITE_OK) {
        code = read_number(db, "PRAGMA user_version", NULL, &id->version);
    }
    if (code == SQLITE_OK) {
        code = read_number(db, "SELECT count(*) FROM sqlite_master", NULL, &id->objects);
    }
    id->ours = 0;
    for (size_t i = 0; i < STATEMENTS && code == SQLITE_OK; i++) {
        code = read_number(db, "SELECT count(*) FROM sqlite_master WHERE sql = ?", schema[i].sql,
                           &found);
        id->ours += found;
    }
    return code;
}

static bool is_empty(const struct identity *id)
{
    return id->application == 0 && id->version == 0 && id->objects == 0;
}

static long long statements_of(long long version)
{
    long long count = 0;

    for (size_t i = 0; i < STATEMENTS; i++) {
        count += schema[i].since <= version;
    }
    return count;
}

static enum ncl_db_state judge_identity(const struct identity *id, char *reason, size_t bytes)
{
    if (id->application != APPLICATION_ID) {
        say(reason, bytes, "it belongs to another program");
        return NCL_DB_BAD;
    }
    if (id->version > SCHEMA_VERSION) {
        snprintf(reason, bytes, "schema %lld is newer than this release's %d", id->version,
                 SCHEMA_VERSION);
        return NCL_DB_NEWER;
    }
    /* What was created, and the index that SQLite adds for the key of binaries. */
    const long long expected = statements_of(id->version);
    if (id->version < 1 || id->objects != expected + 1 || id->ours != expected) {
        say(reason, bytes, "its tables are not as expected");
        return NCL_DB_BAD;
    }
    return NCL_DB_GOOD;
}

static int add_tables(sqlite3 *db, long long version)
{
    char sql[128];
    int code = SQLITE_OK;

    for (size_t i = 0; i < STATEMENTS && code == SQLITE_OK; i++) {
        if (schema[i].since > version) {
            code = sqlite3_exec(db, schema[i].sql, NULL, NULL, NULL);
        }
    }
    if (code == SQLITE_OK) {
        snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                 APPLICATION_ID, SCHEMA_VERSION);
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    return code;
}

static bool is_older(const struct identity *id)
{
    char ignored[128];

    return id->version < SCHEMA_VERSION &&
           judge_identity(id, ignored, sizeof(ignored)) == NCL_DB_GOOD;
}

/* Makes a new file, or one of an older NextCL, one of ours. Another process may have done so
 * meanwhile: looked at again under the write lock. */
static int create_tables(sqlite3 *db)
{
    struct identity id;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    code = read_identity(db, &id);
    if (code == SQLITE_OK && (is_empty(&id) || is_older(&id))) {
        code = add_tables(db, id.version);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

/* The file is input: nothing in its schema may run, nothing in it may be larger than we wrote. */
static void harden(sqlite3 *db)
{
    sqlite3_busy_timeout(db, BUSY_OPENING_MS);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, NCL_DB_LARGEST_BLOCK + 65536);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)NULL);
}

/* Where WAL cannot be had (network file systems) the rollback journal does. */
static void tune(sqlite3 *db)
{
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA journal_size_limit = 16777216", NULL, NULL, NULL);
}

struct opening {
    sqlite3 *db;
    int code; /* of SQLite, where it failed */
    char *reason;
    size_t bytes;
};

static enum ncl_db_state fail(struct opening *o, int code)
{
    const enum ncl_db_state state = ncl_db_judge(code);

    o->code = code;
    say(o->reason, o->bytes, ncl_db_words(code));
    return state == NCL_DB_BAD ? NCL_DB_BAD : NCL_DB_UNREACHABLE;
}

static enum ncl_db_state check_all(struct opening *o)
{
    long long faults = 0;
    const int code =
        read_number(o->db, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check != 'ok'",
                    NULL, &faults);

    if (code != SQLITE_OK) {
        return fail(o, code);
    }
    say(o->reason, o->bytes, "it is damaged");
    return faults == 0 ? NCL_DB_GOOD : NCL_DB_BAD;
}

static enum ncl_db_state check(struct opening *o, bool thorough)
{
    struct identity id;
    enum ncl_db_state state = NCL_DB_GOOD;
    int code = read_identity(o->db, &id);

    if (code == SQLITE_OK && (is_empty(&id) || is_older(&id))) {
        code = create_tables(o->db);
        code = code == SQLITE_OK ? read_identity(o->db, &id) : code;
    }
    if (code != SQLITE_OK) {
        return fail(o, code);
    }
    state = judge_identity(&id, o->reason, o->bytes);
    return state == NCL_DB_GOOD && thorough ? check_all(o) : state;
}

static void close_opened(struct opening *o)
{
    sqlite3_close(o->db);
    o->db = NULL;
}

static enum ncl_db_state open_writable(struct opening *o, const char *path, bool thorough)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(path, &o->db, flags, NULL);
    enum ncl_db_state state = NCL_DB_UNREACHABLE;

    if (code != SQLITE_OK) {
        const int error = o->db != NULL ? sqlite3_system_errno(o->db) : ENOMEM;
        state = fail(o, code);
        if (error != 0) {
            say(o->reason, o->bytes, strerror(error));
        }
    } else {
        harden(o->db);
        state = check(o, thorough);
    }
    if (state == NCL_DB_GOOD && sqlite3_db_readonly(o->db, "main") == 1) {
        say(o->reason, o->bytes, ncl_db_words(SQLITE_READONLY));
        return NCL_DB_READABLE; /* SQLite opens such a file all the same */
    }
    if (state == NCL_DB_GOOD) {
        tune(o->db);
    } else {
        close_opened(o);
    }
    return state;
}

/* "file:/the/path?how", the path's own '?', '#' and '%' escaped. */
static bool make_uri(const char *path, const char *how, struct ncl_text *uri)
{
    ncl_text_add(uri, "file:");
    for (const char *at = path; *at != '\0'; at++) {
        ncl_text_add(uri, strchr("?#%", *at) != NULL ? "%%%02X" : "%c", (unsigned char)*at);
    }
    ncl_text_add(uri, "?%s", how);
    return !uri->failed;
}

/* false: memory ran out, or no such file. */
static bool open_for_reading(const char *path, const char *how, sqlite3 **db)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    struct ncl_text uri = {0};
    const bool opened =
        make_uri(path, how, &uri) && sqlite3_open_v2(uri.data, db, flags, NULL) == SQLITE_OK;

    ncl_text_free(&uri);
    if (opened) {
        harden(*db);
    }
    return opened;
}

/* In a folder that cannot be written, and on a full disk, not even reading works, since the
 * write-ahead log is to lie beside the file; without looking for one it does. */
static enum ncl_db_state open_readable(struct opening *o, const char *path)
{
    static const char *const ways[] = {"mode=ro", "immutable=1"};
    char ignored[128];
    struct identity id;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (open_for_reading(path, ways[i], &o->db) && read_identity(o->db, &id) == SQLITE_OK) {
            const enum ncl_db_state state = judge_identity(&id, ignored, sizeof(ignored));
            if (state == NCL_DB_NEWER) {
                say(o->reason, o->bytes, ignored);
                close_opened(o);
                return NCL_DB_NEWER;
            }
            if (state == NCL_DB_GOOD && id.version == SCHEMA_VERSION) {
                return NCL_DB_READABLE;
            }
        }
        close_opened(o);
    }
    return NCL_DB_UNREACHABLE;
}

enum ncl_db_state ncl_db_open(const char *path, bool thorough, sqlite3 **db, char *reason,
                              size_t bytes)
{
    struct opening o = {.reason = reason, .bytes = bytes};
    enum ncl_db_state state = NCL_DB_UNREACHABLE;
    struct stat facts;
    const bool there = stat(path, &facts) == 0;

    *db = NULL;
    if (!there && errno != ENOENT) {
        say(reason, bytes, strerror(errno));
        return NCL_DB_UNREACHABLE;
    }
    if (there && !S_ISREG(facts.st_mode)) {
        snprintf(reason, bytes, "expected a regular file, found %s",
                 S_ISDIR(facts.st_mode) ? "a directory" : "a special file");
        return NCL_DB_UNREACHABLE;
    }
    state = open_writable(&o, path, thorough);
    if (state == NCL_DB_UNREACHABLE && there && ncl_db_judge(o.code) == NCL_DB_UNREACHABLE) {
        state = open_readable(&o, path);
    }
    *db = o.db;
    return state;
}

sqlite3 *ncl_db_open_bad(const char *path)
{
    sqlite3 *db = NULL;
    struct ncl_text log = {0};
    struct stat facts;
    long long application = 0;

    /* Without a write-ahead log to read none is to be made. */
    ncl_text_add(&log, "%s-wal", path);
    const bool logged = !log.failed && stat(log.data, &facts) == 0 && facts.st_size > 0;
    ncl_text_free(&log);
    if (open_for_reading(path, logged ? "mode=ro" : "immutable=1", &db) &&
        read_number(db, "PRAGMA application_id", NULL, &application) == SQLITE_OK &&
        application == APPLICATION_ID) {
        return db;
    }
    sqlite3_close(db);
    return NULL;
}

void ncl_db_close_bad(sqlite3 *db, const char *path)
{
    struct ncl_text index = {0};

    ncl_db_abandon(db);
    ncl_text_add(&index, "%s-shm", path);
    if (!index.failed) {
        unlink(index.data); /* made for reading */
    }
    ncl_text_free(&index);
}

bool ncl_db_has_moved(sqlite3 *db)
{
    int moved = 0;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved != 0;
}

void ncl_db_abandon(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    sqlite3_close(db);
}

/* A missing file counts as moved. */
static bool move(const char *path, const char *journal, const char *suffix)
{
    struct ncl_text from = {0}, to = {0};
    bool moved = false;

    ncl_text_add(&from, "%s%s", path, journal);
    ncl_text_add(&to, "%s%s%s", path, suffix, journal);
    if (!from.failed && !to.failed) {
        moved = rename(from.data, to.data) == 0 || errno == ENOENT;
    }
    ncl_text_free(&from);
    ncl_text_free(&to);
    return moved;
}

bool ncl_db_set_aside(const char *path, char suffix[64])
{
    snprintf(suffix, 64, ".bad-%lld-%ld", (long long)time(NULL), (long)getpid());
    /* Journals first: without them the database is no worse, but they would spoil a new one. */
    return move(path, "-wal", suffix) && move(path, "-shm", suffix) &&
           move(path, "-journal", suffix) && move(path, "", suffix);
}

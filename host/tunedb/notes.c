/* What the store keeps besides records and binaries: small notes, and journals of tuning runs. */
#include "tunedb/handle.h"
#include "tunedb/records.h"
#include <string.h>

#define LONGEST_KEY 256
#define LONGEST_VALUE 65536

/* The first two "?" are texts, NULL ones left out. */
static int prepare(sqlite3 *db, const char *sql, const char *first, const char *second,
                   sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v2(db, sql, -1, statement, NULL);

    if (code == SQLITE_OK && first != NULL) {
        code = sqlite3_bind_text(*statement, 1, first, -1, SQLITE_STATIC);
    }
    if (code == SQLITE_OK && second != NULL) {
        code = sqlite3_bind_text(*statement, 2, second, -1, SQLITE_STATIC);
    }
    return code;
}

static int run(sqlite3 *db, const char *sql, const char *first, const char *second)
{
    sqlite3_stmt *statement = NULL;
    int code = prepare(db, sql, first, second, &statement);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code;
}

struct reading {
    const char *sql, *key;
    struct ncl_text *text;
    const char *end; /* of each row's text */
    bool found;
};

static int read_rows(sqlite3 *db, void *user)
{
    struct reading *reading = user;
    sqlite3_stmt *statement = NULL;
    int code = prepare(db, reading->sql, reading->key, NULL, &statement);

    ncl_text_free(reading->text); /* of a first try */
    reading->found = false;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        const char *text =
            code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        if (text != NULL) {
            ncl_text_add(reading->text, "%s%s", text, reading->end);
            reading->found = true;
        }
    }
    sqlite3_finalize(statement);
    return code;
}

bool ncl_store_note_get(struct ncl_store *store, const char *key, struct ncl_text *value)
{
    struct reading reading = {
        .sql = "SELECT value FROM notes WHERE key = ?", .key = key, .text = value, .end = ""};

    return store != NULL && ncl_store_read(store, read_rows, &reading) && reading.found &&
           !value->failed;
}

struct note {
    const char *key, *value;
};

static int put_note(sqlite3 *db, void *user)
{
    const struct note *note = user;

    return run(db, "INSERT OR REPLACE INTO notes(key, value) VALUES(?, ?)", note->key, note->value);
}

bool ncl_store_note_put(struct ncl_store *store, const char *key, const char *value)
{
    struct note note = {.key = key, .value = value};

    return store != NULL && strlen(key) <= LONGEST_KEY && strlen(value) <= LONGEST_VALUE &&
           ncl_store_transact(store, put_note, &note);
}

static int clear_notes(sqlite3 *db, void *user)
{
    (void)user;
    return run(db, "DELETE FROM notes", NULL, NULL);
}

bool ncl_store_notes_clear(struct ncl_store *store)
{
    return store != NULL && ncl_store_transact(store, clear_notes, NULL);
}

struct lines {
    const char *run;
    const char *const *lines;
    size_t count;
    bool afresh;
};

static int add_lines(sqlite3 *db, void *user)
{
    const struct lines *lines = user;
    int code = SQLITE_DONE;

    if (lines->afresh) {
        code = run(db, "DELETE FROM journal WHERE run = ?", lines->run, NULL);
    }
    for (size_t i = 0; i < lines->count && code == SQLITE_DONE; i++) {
        code = run(db, "INSERT INTO journal(run, line) VALUES(?, ?)", lines->run, lines->lines[i]);
    }
    return code;
}

static bool write_journal(struct ncl_store *store, struct lines *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strlen(all->lines[i]) > LONGEST_VALUE || strchr(all->lines[i], '\n') != NULL) {
            return false;
        }
    }
    return store != NULL && strlen(all->run) <= LONGEST_KEY &&
           ncl_store_transact(store, add_lines, all);
}

bool ncl_store_journal_add(struct ncl_store *store, const char *run_name, const char *const *lines,
                           size_t count)
{
    struct lines all = {.run = run_name, .lines = lines, .count = count};

    return write_journal(store, &all);
}

bool ncl_store_journal_begin(struct ncl_store *store, const char *run_name,
                             const char *const *lines, size_t count)
{
    struct lines all = {.run = run_name, .lines = lines, .count = count, .afresh = true};

    return write_journal(store, &all);
}

bool ncl_store_journal_read(struct ncl_store *store, const char *run_name, struct ncl_text *lines)
{
    struct reading reading = {.sql = "SELECT line FROM journal WHERE run = ? ORDER BY number",
                              .key = run_name,
                              .text = lines,
                              .end = "\n"};

    return store != NULL && ncl_store_read(store, read_rows, &reading) && reading.found &&
           !lines->failed;
}

static int clear_journal(sqlite3 *db, void *user)
{
    const char *const *run_name = user;

    return *run_name != NULL ? run(db, "DELETE FROM journal WHERE run = ?", *run_name, NULL)
                             : run(db, "DELETE FROM journal", NULL, NULL);
}

bool ncl_store_journal_clear(struct ncl_store *store, const char *run_name)
{
    return store != NULL && ncl_store_transact(store, clear_journal, &run_name);
}

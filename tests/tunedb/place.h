/* A store in a directory of its own, what was said of it, and records to put there. */
#ifndef NCL_TESTS_TUNEDB_PLACE_H
#define NCL_TESTS_TUNEDB_PLACE_H

#include "support/place.h"
#include "tunedb/records.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int warnings;
    char last[1024];
} seen;

static void see(void *user, ncl_log_level level, const char *message)
{
    (void)user;
    seen.warnings += level <= NCL_LOG_WARNING;
    snprintf(seen.last, sizeof(seen.last), "%s", message);
}
static const struct ncl_log watch = {.write = see, .level = NCL_LOG_WARNING};

static inline void set_up(void)
{
    place_make();
    memset(&seen, 0, sizeof(seen));
}

static inline const char *database(void)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/nextcl.db", place);
    return path;
}

static inline struct ncl_store *open_store(void)
{
    struct ncl_store *store = NULL;

    ck_assert_int_eq(ncl_store_open(&watch, place, &store), NCL_OK);
    return store;
}

static inline int set_aside(void)
{
    DIR *stream = opendir(place);
    int count = 0;

    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        count += strncmp(entry->d_name, "nextcl.db.bad-", 14) == 0;
    }
    closedir(stream);
    return count;
}

static inline void run_sql(const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(database(), &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* Every member differs from its default. */
static inline struct ncl_record sample_record(void)
{
    return (struct ncl_record){.on = {"Platform", "Device", "Vendor", "1.2", "cpu floats16", 2},
                               .library = "0.1.0",
                               .order_version = 1,
                               .kernel = "00112233445566778899aabbccddeeff",
                               .problem = "conv x1x64x56x56 y1x256x56x56 k1x1",
                               .algorithm = "pointwise",
                               .params = "P=6 KB=2",
                               .verdict = NCL_VERDICT_GOOD,
                               .origin = NCL_ORIGIN_MEASURED,
                               .seconds = 0.000412,
                               .spread = 3.5e-06,
                               .default_seconds = 0.00062,
                               .samples = 15,
                               .chosen = true,
                               .verified = true,
                               .seed = 7,
                               .utc = 1795873500,
                               .why = "a reason"};
}

static inline void expect_same(const struct ncl_record *a, const struct ncl_record *b)
{
    ck_assert_str_eq(a->on.platform, b->on.platform);
    ck_assert_str_eq(a->on.device, b->on.device);
    ck_assert_str_eq(a->on.vendor, b->on.vendor);
    ck_assert_str_eq(a->on.driver, b->on.driver);
    ck_assert_str_eq(a->on.klass, b->on.klass);
    ck_assert_int_eq(a->on.compute_units, b->on.compute_units);
    ck_assert_str_eq(a->library, b->library);
    ck_assert_int_eq(a->order_version, b->order_version);
    ck_assert_str_eq(a->kernel, b->kernel);
    ck_assert_str_eq(a->problem, b->problem);
    ck_assert_str_eq(a->algorithm, b->algorithm);
    ck_assert_str_eq(a->params, b->params);
    ck_assert_int_eq(a->verdict, b->verdict);
    ck_assert_int_eq(a->origin, b->origin);
    ck_assert(a->seconds == b->seconds);
    ck_assert(a->spread == b->spread);
    ck_assert(a->default_seconds == b->default_seconds);
    ck_assert_int_eq(a->samples, b->samples);
    ck_assert_int_eq(a->chosen, b->chosen);
    ck_assert_int_eq(a->verified, b->verified);
    ck_assert_uint_eq(a->seed, b->seed);
    ck_assert_int_eq(a->utc, b->utc);
    ck_assert_str_eq(a->why, b->why);
}

#endif

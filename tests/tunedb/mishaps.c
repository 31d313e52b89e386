/* Damage, removal and lack of permission: what can be kept or read is, and the rest is said. */
#include "support/suite.h"
#include "tunedb/records.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

#define MANY 300

static void put_numbered(struct ncl_store *store, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        struct ncl_record record = sample_record();
        char params[32], problem[64];
        snprintf(params, sizeof(params), "P=%d", i);
        snprintf(problem, sizeof(problem), "conv %d", i);
        record.params = params, record.problem = problem;
        ck_assert(ncl_records_put(store, &record));
    }
}

static size_t count_found(struct ncl_store *store)
{
    struct ncl_record_list list = {0};

    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list), NCL_OK);
    const size_t count = list.count;
    ncl_record_list_free(&list);
    return count;
}

static void put_blocks(struct ncl_store *store, int count)
{
    static const char block[3000] = {1};
    struct ncl_binary_cache cache;
    char key[32];

    ncl_store_binary_cache(store, &cache);
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        cache.put(cache.self, key, block, sizeof(block));
    }
}

static void get_block(struct ncl_store *store)
{
    struct ncl_binary_cache cache;
    void *data = NULL;
    size_t bytes = 0;

    ncl_store_binary_cache(store, &cache);
    (void)cache.get(cache.self, "key 7", &data, &bytes);
    free(data);
}

/* A store of MANY records and a few blocks, closed. */
static void make_store(void)
{
    struct ncl_store *store = open_store();

    put_numbered(store, 0, MANY);
    put_blocks(store, 20);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 0);
}

static int read_int(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    ck_assert_int_eq(sqlite3_open(database(), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void damage_page(int number)
{
    static const char zeros[4096];
    const int file = open(database(), O_RDWR);

    ck_assert_int_gt(number, 1);
    ck_assert_int_eq(pwrite(file, zeros, sizeof(zeros), (off_t)(number - 1) * 4096), 4096);
    close(file);
}

/* The first page that holds a text. */
static int page_with(const char *text)
{
    static char bytes[1 << 20];
    FILE *file = fopen(database(), "rb");

    ck_assert_ptr_nonnull(file);
    const size_t count = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    const char *at = memmem(bytes, count, text, strlen(text));
    ck_assert_ptr_nonnull(at);
    return (int)((at - bytes) / 4096) + 1;
}

START_TEST(damaged_binaries_cost_no_record)
{
    make_store();
    damage_page(read_int("SELECT rootpage FROM sqlite_master WHERE name LIKE '%autoindex%'"));
    struct ncl_store *store = open_store();
    get_block(store);
    ck_assert_uint_eq(count_found(store), MANY);
    put_numbered(store, MANY, 1);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "nextcl.db.bad-"));
    ck_assert_ptr_nonnull(strstr(seen.last, "300 tuning records saved"));
    ck_assert_int_eq(set_aside(), 1);
    store = open_store();
    ck_assert_uint_eq(count_found(store), MANY + 1);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
}
END_TEST

START_TEST(a_damaged_page_costs_what_was_on_it)
{
    struct ncl_record_list list = {0};

    make_store();
    damage_page(page_with("conv 150"));
    struct ncl_store *store = open_store();
    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list), NCL_OK);
    ck_assert_uint_gt(list.count, MANY - 60);
    ck_assert_uint_lt(list.count, MANY);
    for (size_t i = 0; i < list.count; i++) {
        ck_assert(!list.records[i].verified); /* tried before it is trusted */
        ck_assert(list.records[i].chosen);
    }
    ncl_record_list_free(&list);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "tuning records saved"));
}
END_TEST

START_TEST(a_reading_that_fails_says_so)
{
    struct ncl_record_list list = {0};
    struct ncl_store *store = open_store();

    put_numbered(store, 0, 1);
    run_sql("DROP TABLE records");
    ck_assert_uint_eq(count_found(store), 0); /* mended */
    put_numbered(store, 0, 1);
    run_sql("DROP TABLE records"); /* what goes on damaging is not mended for ever */
    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list),
                     NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), database()));
    ncl_store_close(store);
}
END_TEST

START_TEST(an_oversized_row_hides_no_other)
{
    struct ncl_store *store = open_store();

    put_numbered(store, 0, 3);
    run_sql("UPDATE records SET why = hex(zeroblob(40000000)) WHERE params = 'P=1'");
    ck_assert_uint_eq(count_found(store), 2);
    ck_assert_uint_eq(ncl_records_count(store), 3);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 0);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

static void expect_read_only(void)
{
    struct ncl_record record = sample_record();
    struct ncl_store *store = open_store();

    ck_assert_uint_eq(count_found(store), MANY);
    ck_assert(!ncl_store_is_active(store));
    ck_assert_str_eq(ncl_store_path(store), database());
    ck_assert_ptr_nonnull(strstr(ncl_store_reason(store), database()));
    ck_assert(!ncl_records_put(store, &record));
    put_blocks(store, 1);
    get_block(store);
    ck_assert_uint_eq(count_found(store), MANY);
    ck_assert_ptr_nonnull(ncl_store_reason(store));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "read, but not written"));
    ck_assert_int_eq(set_aside(), 0);
}

START_TEST(what_may_not_be_written_is_read)
{
    make_store();
    ck_assert_int_eq(chmod(database(), 0444), 0);
    ck_assert_int_eq(chmod(place, 0555), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(seteuid(65534), 0); /* root may write anywhere */
    }
    expect_read_only();
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_int_eq(chmod(place, 0700), 0);
}
END_TEST

START_TEST(on_a_full_disk_is_read)
{
    struct rlimit limit, before;

    make_store();
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_read_only();
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
}
END_TEST

/* As "rm nextcl.db*" does. */
static void remove_store(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[160];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", database(), ends[i]);
        ck_assert_int_eq(unlink(path), 0);
    }
}

START_TEST(a_removed_store_is_made_anew)
{
    struct ncl_store *store = open_store();

    put_numbered(store, 0, 3);
    remove_store();
    put_numbered(store, 3, 2);
    ck_assert_uint_eq(count_found(store), 2);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "removed or replaced"));
    remove_store();
    ck_assert_int_eq(rmdir(place), 0);
    put_numbered(store, 5, 4);
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1); /* once */
    store = open_store();
    ck_assert_uint_eq(count_found(store), 4);
    ncl_store_close(store);
}
END_TEST

/* Another process set it aside: what both keep lies in the new one, and giving up the old one does
 * the new one's journal no harm. */
START_TEST(a_replaced_store_is_followed)
{
    struct ncl_store *old = open_store();
    char aside[160];

    put_numbered(old, 0, 3);
    snprintf(aside, sizeof(aside), "%s.elsewhere", database());
    ck_assert_int_eq(rename(database(), aside), 0);
    snprintf(aside, sizeof(aside), "%s-wal", database());
    ck_assert_int_eq(unlink(aside), 0);
    struct ncl_store *new = open_store();
    put_numbered(new, 10, 5);
    put_numbered(old, 20, 2);
    ck_assert_uint_eq(count_found(new), 7);
    ck_assert_uint_eq(count_found(old), 7);
    ncl_store_close(old);
    put_numbered(new, 30, 1);
    ncl_store_close(new);
    new = open_store();
    ck_assert_uint_eq(count_found(new), 8);
    ncl_store_close(new);
    ck_assert_int_eq(seen.warnings, 1);
}
END_TEST

START_TEST(closing_what_was_replaced_leaves_the_new_one_whole)
{
    struct ncl_store *old = open_store();
    struct stat facts;
    char path[160];

    put_numbered(old, 0, 3);
    remove_store();
    struct ncl_store *new = open_store();
    put_numbered(new, 10, 5);
    ncl_store_close(old);
    snprintf(path, sizeof(path), "%s-wal", database());
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(count_found(new), 5);
    ncl_store_close(new);
}
END_TEST

static void expect_reason(const char *part)
{
    struct ncl_store *store = open_store();
    const char *reason = ncl_store_reason(store);

    ck_assert_ptr_nonnull(reason);
    ck_assert_msg(strstr(reason, part) != NULL, "%s", reason);
    ck_assert_ptr_eq(strstr(reason, database()), reason);
    ck_assert_ptr_null(ncl_store_path(store));
    ncl_store_close(store);
}

START_TEST(why_nothing_is_kept)
{
    struct ncl_store *off = NULL;
    struct ncl_store *store = open_store();

    ck_assert_ptr_null(ncl_store_reason(store));
    ncl_store_close(store);
    run_sql("PRAGMA user_version = 7");
    expect_reason("schema 7 is newer than this release's 2");
    ck_assert_int_eq(unlink(database()), 0);
    ck_assert_int_eq(mkdir(database(), 0700), 0);
    expect_reason("expected a regular file, found a directory");
    ck_assert_int_eq(rmdir(database()), 0);
    ck_assert_int_eq(mkfifo(database(), 0700), 0);
    expect_reason("expected a regular file, found a special file");
    ck_assert_int_eq(unlink(database()), 0);
    ck_assert_int_eq(symlink("nextcl.db", database()), 0);
    expect_reason("symbolic links");
    ck_assert_str_eq(ncl_store_reason(NULL), "the cache is off");
    ck_assert_int_eq(ncl_store_open(&watch, "", &off), NCL_OK);
    ck_assert_str_eq(ncl_store_reason(off), "the cache is off");
    ncl_store_close(off);
}
END_TEST

START_TEST(a_lock_held_for_long_is_named)
{
    const struct ncl_record record = sample_record();
    struct ncl_store *store = open_store();
    sqlite3 *other = NULL;

    ck_assert_int_eq(sqlite3_open(database(), &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert(!ncl_records_put(store, &record));
    ck_assert_ptr_nonnull(strstr(ncl_store_reason(store), "locked by another process"));
    ck_assert(ncl_store_is_active(store));
    sqlite3_close(other);
    ck_assert(ncl_records_put(store, &record));
    ck_assert_ptr_null(ncl_store_reason(store));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("mishaps");

    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, damaged_binaries_cost_no_record);
    tcase_add_test(tests, a_damaged_page_costs_what_was_on_it);
    tcase_add_test(tests, a_reading_that_fails_says_so);
    tcase_add_test(tests, an_oversized_row_hides_no_other);
    tcase_add_test(tests, what_may_not_be_written_is_read);
    tcase_add_test(tests, on_a_full_disk_is_read);
    tcase_add_test(tests, a_removed_store_is_made_anew);
    tcase_add_test(tests, a_replaced_store_is_followed);
    tcase_add_test(tests, closing_what_was_replaced_leaves_the_new_one_whole);
    tcase_add_test(tests, why_nothing_is_kept);
    tcase_add_test(tests, a_lock_held_for_long_is_named);
    return ncl_run_suite(tests, "tunedb/mishaps");
}

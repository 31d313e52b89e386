#include "place.h"
#include "support/suite.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char self_path[4096];

static struct ncl_store *open_cache(struct ncl_binary_cache *cache)
{
    struct ncl_store *store = open_store();

    ncl_store_binary_cache(store, cache);
    return store;
}

static bool has(const struct ncl_binary_cache *cache, const char *key, const void *data,
                size_t bytes)
{
    void *found = NULL;
    size_t size = 0;

    if (cache->get(cache->self, key, &found, &size) != NCL_OK) {
        ck_assert_ptr_null(found);
        return false;
    }
    ck_assert_uint_eq(size, bytes);
    ck_assert_mem_eq(found, data, bytes);
    free(found);
    return true;
}

static void write_file(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
}

/* A store with "key" -> "value", closed again. */
static void make_store(void)
{
    struct ncl_binary_cache cache;
    struct ncl_store *store = open_cache(&cache);

    cache.put(cache.self, "key", "value", 5);
    ck_assert(has(&cache, "key", "value", 5));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 0);
}

/* Opening works, finds nothing, keeps what is put; the old file was set aside and that was said. */
static void expect_afresh(void)
{
    struct ncl_binary_cache cache;
    struct ncl_store *store = open_cache(&cache);

    ck_assert(!has(&cache, "key", "value", 5));
    cache.put(cache.self, "key", "new", 3);
    ck_assert(has(&cache, "key", "new", 3));
    ck_assert(ncl_store_is_active(store));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "set aside"));
    ck_assert_int_ge(set_aside(), 1);
}

/* Opening works, but nothing is kept, which is said once. */
static void expect_without(void)
{
    struct ncl_binary_cache cache;
    struct ncl_store *store = open_cache(&cache);

    cache.put(cache.self, "key", "value", 5);
    ck_assert(!has(&cache, "key", "value", 5));
    ck_assert(!ncl_store_is_active(store));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "no cache on disk"));
}

START_TEST(blocks_survive_closing)
{
    struct ncl_binary_cache cache;

    make_store();
    struct ncl_store *store = open_cache(&cache);
    ck_assert(has(&cache, "key", "value", 5));
    ck_assert(!has(&cache, "other", "value", 5));
    cache.put(cache.self, "key", "replaced", 8);
    ck_assert(has(&cache, "key", "replaced", 8));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

START_TEST(no_directory_means_no_cache)
{
    const char *const none[] = {NULL, ""};
    struct ncl_binary_cache cache;

    for (size_t i = 0; i < 2; i++) {
        struct ncl_store *store = NULL;
        ck_assert_int_eq(ncl_store_open(&watch, none[i], &store), NCL_OK);
        ncl_store_binary_cache(store, &cache);
        cache.put(cache.self, "key", "value", 5);
        ck_assert(!has(&cache, "key", "value", 5));
        ncl_store_close(store);
    }
    ncl_store_close(NULL);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

START_TEST(a_missing_directory_is_made)
{
    strcat(place, "/a/b");
    make_store();
    strrchr(place, '/')[0] = '\0';
    strrchr(place, '/')[0] = '\0';
}
END_TEST

START_TEST(not_a_database_is_set_aside)
{
    write_file(database(), "this is not a database, but long enough to look like one: ....", 62);
    expect_afresh();
}
END_TEST

START_TEST(a_foreign_database_is_set_aside)
{
    run_sql("CREATE TABLE bookmarks(url); PRAGMA application_id = 99");
    expect_afresh();
}
END_TEST

START_TEST(hostile_schemas_are_set_aside)
{
    make_store();
    run_sql("CREATE TRIGGER t AFTER INSERT ON binaries BEGIN DELETE FROM binaries; END");
    expect_afresh();
    memset(&seen, 0, sizeof(seen));
    run_sql("ALTER TABLE binaries RENAME COLUMN data TO other");
    expect_afresh();
}
END_TEST

START_TEST(a_newer_schema_is_left_alone)
{
    struct stat before, after;

    make_store();
    run_sql("PRAGMA user_version = 1000");
    ck_assert_int_eq(stat(database(), &before), 0);
    expect_without();
    ck_assert_ptr_nonnull(strstr(seen.last, "newer"));
    ck_assert_int_eq(set_aside(), 0);
    ck_assert_int_eq(stat(database(), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(a_directory_or_a_device_in_its_place)
{
    ck_assert_int_eq(mkdir(database(), 0700), 0);
    expect_without();
    ck_assert_int_eq(rmdir(database()), 0);
    ck_assert_int_eq(symlink("/dev/zero", database()), 0);
    memset(&seen, 0, sizeof(seen));
    expect_without();
}
END_TEST

START_TEST(a_file_where_the_directory_should_be)
{
    write_file(database(), "x", 1);
    strcat(place, "/nextcl.db");
    expect_without();
    strrchr(place, '/')[0] = '\0';
}
END_TEST

START_TEST(an_unwritable_directory)
{
    place_drop();
    /* Root may write anywhere but here. */
    strcpy(place, geteuid() == 0 ? "/proc/self/nextcl" : "/nextcl");
    expect_without();
}
END_TEST

/* Damages every page but the first, which is read on opening. */
static void damage_pages(void)
{
    char noise[4096];
    struct stat facts;
    const int file = open(database(), O_RDWR);

    memset(noise, 0xa5, sizeof(noise));
    ck_assert_int_eq(fstat(file, &facts), 0);
    for (off_t at = 4096; at < facts.st_size; at += (off_t)sizeof(noise)) {
        ck_assert_int_eq(pwrite(file, noise, sizeof(noise), at), sizeof(noise));
    }
    close(file);
}

START_TEST(damage_found_on_use_is_mended)
{
    make_store();
    damage_pages();
    expect_afresh();
}
END_TEST

START_TEST(a_cut_file_is_mended)
{
    struct stat facts;

    make_store();
    ck_assert_int_eq(stat(database(), &facts), 0);
    ck_assert_int_eq(truncate(database(), facts.st_size - 4096), 0);
    expect_afresh();
}
END_TEST

/* Every byte of a small store, one at a time: no crash, and never a wrong value's length. */
START_TEST(no_damage_crashes)
{
    char original[16384];
    FILE *file = NULL;

    make_store();
    file = fopen(database(), "rb");
    ck_assert_ptr_nonnull(file);
    const size_t bytes = fread(original, 1, sizeof(original), file);
    fclose(file);
    ck_assert_uint_gt(bytes, 4096);
    for (size_t at = 0; at < bytes; at += at < 128 ? 3 : 211) {
        struct ncl_binary_cache cache;
        char damaged[sizeof(original)];
        memcpy(damaged, original, bytes);
        damaged[at] = (char)~damaged[at];
        write_file(database(), damaged, bytes);
        struct ncl_store *store = open_cache(&cache);
        void *data = NULL;
        size_t size = 0;
        if (cache.get(cache.self, "key", &data, &size) == NCL_OK) {
            ck_assert_ptr_nonnull(data);
            free(data);
        }
        cache.put(cache.self, "key2", "value", 5);
        ncl_store_close(store);
    }
}
END_TEST

START_TEST(the_least_recently_used_go_first)
{
    struct ncl_binary_cache cache;
    struct ncl_store *store = open_cache(&cache);
    char block[1000] = {1};

    cache.put(cache.self, "a", block, sizeof(block));
    cache.put(cache.self, "b", block, sizeof(block));
    cache.put(cache.self, "c", block, sizeof(block));
    run_sql("UPDATE binaries SET used = used - 100000");
    ck_assert(has(&cache, "a", block, sizeof(block))); /* used now */
    ncl_store_set_limit(store, 3500);
    cache.put(cache.self, "d", block, sizeof(block));
    ck_assert(has(&cache, "a", block, sizeof(block)));
    ck_assert(!has(&cache, "b", block, sizeof(block)));
    ck_assert(has(&cache, "c", block, sizeof(block)));
    ck_assert(has(&cache, "d", block, sizeof(block)));
    ncl_store_set_limit(store, 10);
    cache.put(cache.self, "e", block, sizeof(block)); /* larger than the whole */
    ck_assert(!has(&cache, "e", block, sizeof(block)));
    ck_assert(has(&cache, "a", block, sizeof(block)));
    ncl_store_close(store);
}
END_TEST

/* Each block holds its key's number throughout, so a torn write would show. */
static void fill_block(unsigned char block[5000], int number)
{
    memset(block, number & 255, 5000);
}

static void say(void *user, ncl_log_level level, const char *message)
{
    (void)user, (void)level;
    fprintf(stderr, "writer: %s\n", message);
}

/* A block is dropped when the other process holds the lock for too long: written again. */
static void write_block(const struct ncl_binary_cache *cache, int number)
{
    unsigned char block[5000];
    char key[32];
    bool there = false;

    snprintf(key, sizeof(key), "k%d", number);
    fill_block(block, number);
    for (int tries = 0; tries < 20 && !there; tries++) {
        void *found = NULL;
        size_t bytes = 0;
        cache->put(cache->self, key, block, sizeof(block));
        there = cache->get(cache->self, key, &found, &bytes) == NCL_OK;
        free(found);
    }
}

static int write_many(const char *where, int first, int count)
{
    const struct ncl_log log = {.write = say, .level = NCL_LOG_WARNING};
    struct ncl_binary_cache cache;
    struct ncl_store *store = NULL;

    if (ncl_store_open(&log, where, &store) != NCL_OK) {
        return 1;
    }
    ncl_store_binary_cache(store, &cache);
    for (int i = first; i < first + count; i++) {
        write_block(&cache, i);
    }
    const int kept_nothing = !ncl_store_is_active(store);
    ncl_store_close(store);
    return kept_nothing;
}

static pid_t start_writer(const char *first, const char *count)
{
    const pid_t child = fork();

    if (child == 0) {
        execl(self_path, self_path, "--write", place, first, count, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    return child;
}

static int count_sound(int first, int count)
{
    struct ncl_binary_cache cache;
    struct ncl_store *store = open_cache(&cache);
    unsigned char block[5000];
    char key[32];
    int sound = 0;

    for (int i = first; i < first + count; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        fill_block(block, i);
        sound += has(&cache, key, block, sizeof(block));
    }
    ncl_store_close(store);
    return sound;
}

START_TEST(two_processes_write_at_once)
{
    int first = 0, second = 0;
    const pid_t a = start_writer("0", "200");
    const pid_t b = start_writer("200", "200");

    ck_assert_int_eq(waitpid(a, &first, 0), a);
    ck_assert_int_eq(waitpid(b, &second, 0), b);
    ck_assert_int_eq(first, 0);
    ck_assert_int_eq(second, 0);
    ck_assert_int_eq(count_sound(0, 400), 400);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

START_TEST(a_killed_writer_does_no_harm)
{
    for (int round = 0; round < 5; round++) {
        int status = 0;
        const pid_t child = start_writer("0", "1000000");
        /* Killed in the midst of writing: once the first blocks of this round are there. */
        while (count_sound(0, 1 + 5 * round) < 1 + 5 * round) {
            ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
        }
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_ge(count_sound(0, 1 + 5 * round), 1 + 5 * round);
    }
    ck_assert_int_eq(seen.warnings, 0);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--write") == 0) {
        return write_many(argv[2], atoi(argv[3]), atoi(argv[4]));
    }
    if (readlink("/proc/self/exe", self_path, sizeof(self_path) - 1) <= 0) {
        return 1;
    }
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_add_test(tests, blocks_survive_closing);
    tcase_add_test(tests, no_directory_means_no_cache);
    tcase_add_test(tests, a_missing_directory_is_made);
    tcase_add_test(tests, not_a_database_is_set_aside);
    tcase_add_test(tests, a_foreign_database_is_set_aside);
    tcase_add_test(tests, hostile_schemas_are_set_aside);
    tcase_add_test(tests, a_newer_schema_is_left_alone);
    tcase_add_test(tests, a_directory_or_a_device_in_its_place);
    tcase_add_test(tests, a_file_where_the_directory_should_be);
    tcase_add_test(tests, an_unwritable_directory);
    tcase_add_test(tests, damage_found_on_use_is_mended);
    tcase_add_test(tests, a_cut_file_is_mended);
    tcase_add_test(tests, no_damage_crashes);
    tcase_add_test(tests, the_least_recently_used_go_first);
    tcase_add_test(tests, two_processes_write_at_once);
    tcase_add_test(tests, a_killed_writer_does_no_harm);
    return ncl_run_suite(tests, "tunedb/store");
}

/* Records that were reported survive: kill -9 at any moment, a full disk, two writers, damage. */
#include "base/clock.h"
#include "support/suite.h"
#include "tunedb/records.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

static char self_path[4096];

/* Everything in it follows from its number, so a torn one would show. */
static void make_numbered(int number, char params[32], struct ncl_record *record)
{
    snprintf(params, 32, "P=%d", number);
    *record = sample_record();
    record->params = params;
    record->chosen = false;
    record->samples = number + 1;
    record->seconds = 1.0 / (number + 1);
}

/* ---- the writer: another process ---- */

/* A put fails while another process holds the lock for too long: tried again. */
static bool put_numbered(struct ncl_store *store, int number)
{
    char params[32];
    struct ncl_record record;
    bool put = false;

    make_numbered(number, params, &record);
    for (int tries = 0; tries < 20 && !put; tries++) {
        put = ncl_records_put(store, &record);
    }
    return put;
}

/* Says the number of each record that was put, as an int on descriptor 1. */
static int write_numbered(const char *where, int first, int count)
{
    struct ncl_store *store = NULL;

    if (ncl_store_open(NULL, where, &store) != NCL_OK) {
        return 1;
    }
    for (int i = first; i < first + count; i++) {
        if (!put_numbered(store, i) || write(1, &i, sizeof(i)) != sizeof(i)) {
            return 2;
        }
    }
    ncl_store_close(store);
    return 0;
}

struct writer {
    pid_t process;
    int reports;
};

static struct writer start_writer(int first, int count)
{
    char from[16], many[16];
    int ends[2];

    snprintf(from, sizeof(from), "%d", first);
    snprintf(many, sizeof(many), "%d", count);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        execl(self_path, self_path, "--write", place, from, many, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    close(ends[1]);
    return (struct writer){child, ends[0]};
}

/* false: no more. */
static bool next_report(const struct writer *writer, int *number)
{
    return read(writer->reports, number, sizeof(*number)) == sizeof(*number);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

/* Anywhere: before it opened the store, between two records, in the midst of one. Returns the
 * number after the last one reported. */
static int kill_somewhere(struct writer writer, int first, unsigned *state)
{
    int next = first, number = 0, status = 0;

    for (unsigned wanted = next_random(state) % 8; wanted > 0 && next_report(&writer, &number);
         wanted--) {
        next = number + 1;
    }
    /* Up to 2 ms later, which is several records. */
    const uint64_t end = ncl_clock_ns() + next_random(state) % 2000 * 1000;
    while (ncl_clock_ns() < end) {
    }
    ck_assert_int_eq(kill(writer.process, SIGKILL), 0);
    ck_assert_int_eq(waitpid(writer.process, &status, 0), writer.process);
    ck_assert(WIFSIGNALED(status));
    while (next_report(&writer, &number)) {
        next = number + 1;
    }
    close(writer.reports);
    return next;
}

/* Records 0..count-1 are there and whole. One more may have been put and not reported. */
static void expect_all(int count)
{
    struct ncl_store *store = open_store();
    struct ncl_record_list list = {0};
    bool *there = calloc((size_t)count + 1, sizeof(*there));

    ck_assert_ptr_nonnull(there);
    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list), NCL_OK);
    for (size_t i = 0; i < list.count; i++) {
        char params[32];
        struct ncl_record expected;
        const int number = atoi(list.records[i].params + 2);
        ck_assert(number >= 0 && number <= count);
        make_numbered(number, params, &expected);
        expect_same(&list.records[i], &expected);
        there[number] = true;
    }
    for (int i = 0; i < count; i++) {
        ck_assert_msg(there[i], "record %d is lost", i);
    }
    ck_assert(put_numbered(store, count));
    free(there);
    ncl_record_list_free(&list);
    ncl_store_close(store);
}

START_TEST(killed_a_hundred_times_nothing_is_lost)
{
    unsigned state = 1;
    int count = 0, idle = 0;

    for (int round = 0; round < 100; round++) {
        const int before = count;
        count = kill_somewhere(start_writer(count, 1000000), count, &state);
        idle += count == before;
        expect_all(count);
    }
    ck_assert_int_eq(seen.warnings, 0);
    ck_assert_int_eq(set_aside(), 0);
    /* It was killed at different moments. */
    ck_assert_int_gt(count, 100);
    ck_assert_int_lt(idle, 90);
}
END_TEST

START_TEST(two_writers_at_once)
{
    const struct writer writers[2] = {start_writer(0, 150), start_writer(150, 150)};

    for (int i = 0; i < 2; i++) {
        int number = 0, reports = 0, status = 0;
        while (next_report(&writers[i], &number)) {
            reports++;
        }
        close(writers[i].reports);
        ck_assert_int_eq(reports, 150);
        ck_assert_int_eq(waitpid(writers[i].process, &status, 0), writers[i].process);
        ck_assert_int_eq(status, 0);
    }
    expect_all(300);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

/* Two that write the very same records. */
START_TEST(two_writers_of_the_same)
{
    const struct writer writers[2] = {start_writer(0, 100), start_writer(0, 100)};

    for (int i = 0; i < 2; i++) {
        int number = 0, status = 0;
        while (next_report(&writers[i], &number)) {
            ck_assert_int_lt(number, 100);
        }
        close(writers[i].reports);
        ck_assert_int_eq(waitpid(writers[i].process, &status, 0), writers[i].process);
        ck_assert_int_eq(status, 0);
    }
    expect_all(100);
}
END_TEST

START_TEST(a_full_disk_loses_nothing_reported)
{
    struct rlimit limit, before;
    struct ncl_store *store = open_store();
    int kept = 0;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 128 << 10; /* files may not grow past it */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    while (kept < 10000 && put_numbered(store, kept)) {
        kept++;
    }
    ck_assert_int_gt(kept, 5);
    ck_assert_int_lt(kept, 10000);
    ck_assert(!ncl_store_is_active(store));
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "cannot be written"));
    ck_assert_ptr_nonnull(strstr(ncl_store_reason(store), "full"));
    /* There is room again. */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(put_numbered(store, kept++));
    ck_assert(ncl_store_is_active(store));
    ck_assert_ptr_null(ncl_store_reason(store));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    expect_all(kept);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

/* A store with a few records, closed, as bytes. */
static size_t read_store(char *bytes, size_t room)
{
    struct ncl_store *store = open_store();
    FILE *file = NULL;

    for (int i = 0; i < 3; i++) {
        ck_assert(put_numbered(store, i));
    }
    ck_assert(ncl_store_journal_add(store, "run", (const char *const[]){"line"}, 1));
    ncl_store_close(store);
    file = fopen(database(), "rb");
    ck_assert_ptr_nonnull(file);
    const size_t count = fread(bytes, 1, room, file);
    fclose(file);
    return count;
}

static void write_store(const char *bytes, size_t count)
{
    FILE *file = fopen(database(), "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

START_TEST(no_damage_crashes)
{
    static char original[262144], damaged[262144];
    const size_t bytes = read_store(original, sizeof(original));

    ck_assert_uint_gt(bytes, 16384);
    for (size_t at = 0; at < bytes; at += at < 128 ? 3 : 397) {
        struct ncl_record_list list = {0};
        struct ncl_text text = {0};
        memcpy(damaged, original, bytes);
        damaged[at] = (char)~damaged[at];
        write_store(damaged, bytes);
        struct ncl_store *store = open_store();
        ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list), NCL_OK);
        ck_assert_uint_le(list.count, 3);
        ncl_store_journal_read(store, "run", &text);
        ncl_text_free(&text);
        if (ncl_store_is_active(store)) {
            put_numbered(store, 3);
        }
        ncl_record_list_free(&list);
        ncl_store_close(store);
    }
}
END_TEST

START_TEST(damaged_pages_are_set_aside)
{
    static char original[262144];
    const size_t bytes = read_store(original, sizeof(original));
    struct ncl_record_list list = {0};

    memset(original + 4096, 0xa5, bytes - 4096);
    write_store(original, bytes);
    struct ncl_store *store = open_store();
    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &list), NCL_OK);
    ck_assert_uint_eq(list.count, 0);
    ck_assert(put_numbered(store, 7));
    ncl_store_close(store);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_int_eq(set_aside(), 1);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--write") == 0) {
        return write_numbered(argv[2], atoi(argv[3]), atoi(argv[4]));
    }
    if (readlink("/proc/self/exe", self_path, sizeof(self_path) - 1) <= 0) {
        return 1;
    }
    TCase *tests = tcase_create("durable");
    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_add_test(tests, killed_a_hundred_times_nothing_is_lost);
    tcase_add_test(tests, two_writers_at_once);
    tcase_add_test(tests, two_writers_of_the_same);
    tcase_add_test(tests, a_full_disk_loses_nothing_reported);
    tcase_add_test(tests, no_damage_crashes);
    tcase_add_test(tests, damaged_pages_are_set_aside);
    return ncl_run_suite(tests, "tunedb/durable");
}

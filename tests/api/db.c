#include "api/api.h"
#include "support/suite.h"
#include "tunedb/place.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

static ncl_context *context; /* without a device */

static void open_context(const char *cache)
{
    ncl_options options;

    ncl_options_init(&options);
    options.device = "none";
    options.cache_dir = cache;
    MUST(ncl_open(&options, &context));
}

static void begin(void)
{
    set_up();
    open_context(place);
}

static void end(void)
{
    ncl_close(context);
    place_drop();
}

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Valid until the next call. */
static const char *text_of(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void put(const struct ncl_record *records, size_t count)
{
    struct ncl_store *store = open_store();

    ck_assert(ncl_records_put_all(store, records, count));
    ncl_store_close(store);
}

/* The report's records; json_decref. */
static json_t *report(void)
{
    char *text = NULL;
    json_t *root, *records;

    MUST(ncl_report(context, NCL_REPORT_DB, NULL, &text));
    root = json_loads(text, 0, NULL);
    ncl_free(text);
    ck_assert_ptr_nonnull(root);
    ck_assert_str_eq(json_string_value(json_object_get(root, "path")), database());
    records = json_incref(json_object_get(root, "records"));
    ck_assert(json_is_array(records));
    json_decref(root);
    return records;
}

static const char *member(const json_t *records, size_t index, const char *key)
{
    return json_string_value(json_object_get(json_array_get(records, index), key));
}

START_TEST(the_report_has_every_member)
{
    static const char *const keys[] = {"platform",
                                       "device",
                                       "vendor",
                                       "driver",
                                       "class",
                                       "compute_units",
                                       "library",
                                       "order_version",
                                       "kernel",
                                       "problem",
                                       "algorithm",
                                       "params",
                                       "verdict",
                                       "origin",
                                       "seconds",
                                       "spread",
                                       "default_seconds",
                                       "samples",
                                       "chosen",
                                       "verified",
                                       "seed",
                                       "utc",
                                       "why"};
    const struct ncl_record record = sample_record();
    json_t *records = report();
    size_t i = 0;
    const char *key;
    json_t *value;

    ck_assert_uint_eq(json_array_size(records), 0);
    json_decref(records);
    put(&record, 1);
    records = report();
    ck_assert_uint_eq(json_array_size(records), 1);
    json_object_foreach(json_array_get(records, 0), key, value) ck_assert_str_eq(key, keys[i++]);
    ck_assert_uint_eq(i, sizeof keys / sizeof keys[0]);
    ck_assert_str_eq(member(records, 0, "origin"), "measured");
    ck_assert_str_eq(member(records, 0, "utc"), "2026-11-28T13:45:00Z");
    json_decref(records);
}
END_TEST

START_TEST(exported_and_imported_elsewhere)
{
    struct ncl_record list[2] = {sample_record(), sample_record()};
    const char *file = path_of("all.jsonl");
    char cache[128];
    size_t count = 9;
    json_t *records;

    list[1].params = "P=1", list[1].chosen = list[1].verified = false;
    list[1].verdict = NCL_VERDICT_WRONG, list[1].seconds = 0;
    put(list, 2);
    MUST(ncl_db(context, NCL_DB_EXPORT, &file, 1, &count));
    ck_assert_uint_eq(count, 2);
    ncl_close(context);
    snprintf(cache, sizeof cache, "%s/other", place);
    open_context(cache);
    MUST(ncl_db(context, NCL_DB_IMPORT, &file, 1, &count));
    ck_assert_uint_eq(count, 2);
    MUST(ncl_db(context, NCL_DB_IMPORT, &file, 1, NULL));
    strcat(place, "/other");
    records = report();
    place[strlen(place) - 6] = 0;
    ck_assert_uint_eq(json_array_size(records), 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(member(records, i, "origin"), "imported");
        ck_assert(json_is_false(json_object_get(json_array_get(records, i), "verified")));
    }
    /* The winner is a hint. */
    ck_assert(json_is_true(json_object_get(json_array_get(records, 0), "chosen")));
    ck_assert_str_eq(member(records, 1, "verdict"), "wrong");
    json_decref(records);
}
END_TEST

START_TEST(what_was_measured_here_stays)
{
    struct ncl_record record = sample_record();
    const char *file = path_of("all.jsonl");
    json_t *records;

    record.seconds = 0.5, record.utc += 100;
    put(&record, 1);
    MUST(ncl_db(context, NCL_DB_EXPORT, &file, 1, NULL));
    MUST(ncl_db(context, NCL_DB_CLEAR, NULL, 0, NULL));
    record.seconds = 0.25, record.utc -= 100;
    put(&record, 1);
    MUST(ncl_db(context, NCL_DB_IMPORT, &file, 1, NULL));
    records = report();
    ck_assert_uint_eq(json_array_size(records), 1);
    ck_assert_str_eq(member(records, 0, "origin"), "measured");
    ck_assert(json_real_value(json_object_get(json_array_get(records, 0), "seconds")) == 0.25);
    json_decref(records);
}
END_TEST

#define LINE(params, more)                                                                         \
    "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"p\", \"algorithm\": \"a\", \"params\": " \
    "\"" params "\"" more "}\n"

START_TEST(nothing_of_a_broken_file_is_imported)
{
    const char *const paths[] = {path_of("good.jsonl"), path_of("bad.jsonl")};
    const char *const missing[] = {paths[0], path_of("missing.jsonl")};
    size_t count = 9;
    json_t *records;

    write_text(paths[0], LINE("P=1", ""));
    write_text(paths[1], LINE("P=2", "") "{\"device\": \"D\"");
    MUST_FAIL(ncl_db(context, NCL_DB_IMPORT, paths, 2, &count), NCL_ERROR_INPUT,
              "bad.jsonl, line 2");
    ck_assert_uint_eq(count, 0);
    MUST_FAIL(ncl_db(context, NCL_DB_IMPORT, missing, 2, &count), NCL_ERROR_INPUT, "missing.jsonl");
    records = report();
    ck_assert_uint_eq(json_array_size(records), 0);
    json_decref(records);
}
END_TEST

START_TEST(a_minimal_file)
{
    struct ncl_record list[2] = {sample_record(), sample_record()};
    const char *file = path_of("few.jsonl");
    size_t count = 9;

    list[1].params = "P=1", list[1].seconds = 0.0005, list[1].chosen = false;
    put(list, 2);
    MUST(ncl_db(context, NCL_DB_MINIMAL, &file, 1, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_nonnull(strstr(text_of(file), "P=6 KB=2"));
    ck_assert_ptr_null(strstr(text_of(file), "P=1"));
}
END_TEST

START_TEST(merging_files)
{
    const char *const paths[] = {path_of("into.jsonl"), path_of("a.jsonl"), path_of("b.jsonl")};
    struct stat facts;
    size_t count = 9;

    write_text(paths[1], LINE("P=1", ", \"seconds\": 2.0, \"utc\": \"2026-01-01T00:00:00Z\"")
                             LINE("P=3", ", \"seconds\": 9.0"));
    write_text(paths[2], LINE("P=1", ", \"seconds\": 3.0, \"utc\": \"2026-01-02T00:00:00Z\"")
                             LINE("P=2", ", \"seconds\": 1.0"));
    MUST(ncl_db(context, NCL_DB_MERGE, paths, 3, &count)); /* into a new file */
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(text_of(paths[0]),
                     LINE("P=2", ", \"seconds\": 1.0")
                         LINE("P=1", ", \"seconds\": 3.0, \"utc\": \"2026-01-02T00:00:00Z\"")
                             LINE("P=3", ", \"seconds\": 9.0"));
    write_text(paths[1], LINE("P=4", ", \"seconds\": 0.5"));
    MUST(ncl_db(context, NCL_DB_MERGE, paths, 2, &count)); /* into what is there */
    ck_assert_uint_eq(count, 4);
    write_text(paths[1], "broken");
    MUST_FAIL(ncl_db(context, NCL_DB_MERGE, paths, 2, &count), NCL_ERROR_INPUT, "a.jsonl, line 1");
    ck_assert_ptr_nonnull(strstr(text_of(paths[0]), "P=4"));
    ck_assert_int_ne(stat(database(), &facts), 0); /* the store was not touched */
}
END_TEST

START_TEST(clearing)
{
    const struct ncl_record record = sample_record();
    struct ncl_text text = {0};
    struct ncl_store *store;
    size_t count = 9;

    put(&record, 1);
    store = open_store();
    ck_assert(ncl_store_journal_add(store, "run", (const char *const[]){"line"}, 1));
    ck_assert(ncl_store_note_put(store, "hint", "given"));
    ncl_store_close(store);
    MUST(ncl_db(context, NCL_DB_CLEAR, NULL, 0, &count));
    ck_assert_uint_eq(count, 1);
    MUST(ncl_db(context, NCL_DB_CLEAR, NULL, 0, &count));
    ck_assert_uint_eq(count, 0);
    store = open_store();
    ck_assert(!ncl_store_journal_read(store, "run", &text)); /* nothing to resume */
    ck_assert(!ncl_store_note_get(store, "hint", &text));
    ncl_store_close(store);
}
END_TEST

START_TEST(rows_that_are_no_records_are_counted)
{
    struct ncl_record list[2] = {sample_record(), sample_record()};
    char *text = NULL;
    json_t *root;

    list[1].params = "P=1", list[1].chosen = false;
    put(list, 2);
    run_sql("UPDATE records SET verdict = 'fine' WHERE params = 'P=1'");
    MUST(ncl_report(context, NCL_REPORT_DB, NULL, &text));
    root = json_loads(text, 0, NULL);
    ncl_free(text);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "records")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "passed_over")), 1);
    json_decref(root);
}
END_TEST

START_TEST(only_what_an_import_changes_counts)
{
    struct ncl_record record = sample_record();
    const char *file = path_of("all.jsonl");
    size_t count = 9;

    put(&record, 1);
    MUST(ncl_db(context, NCL_DB_EXPORT, &file, 1, NULL));
    MUST(ncl_db(context, NCL_DB_IMPORT, &file, 1, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* Writing fails with what is in the way, and reading goes on. */
START_TEST(a_locked_store_is_named)
{
    const char *file = path_of("one.jsonl");
    sqlite3 *other = NULL;
    size_t count = 9;

    write_text(file, LINE("P=1", ""));
    MUST(ncl_db(context, NCL_DB_CLEAR, NULL, 0, NULL));
    ck_assert_int_eq(sqlite3_open(database(), &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    MUST_FAIL(ncl_db(context, NCL_DB_IMPORT, &file, 1, &count), NCL_ERROR_INPUT,
              "locked by another process");
    ck_assert_uint_eq(count, 0);
    MUST_FAIL(ncl_db(context, NCL_DB_CLEAR, NULL, 0, NULL), NCL_ERROR_INPUT,
              "locked by another process");
    MUST(ncl_db(context, NCL_DB_EXPORT, &file, 1, &count));
    sqlite3_close(other);
}
END_TEST

START_TEST(a_newer_store_is_named_and_no_file_written)
{
    const struct ncl_record record = sample_record();
    const char *file = path_of("all.jsonl");

    put(&record, 1);
    run_sql("PRAGMA user_version = 7");
    write_text(file, "before");
    MUST_FAIL(ncl_db(context, NCL_DB_EXPORT, &file, 1, NULL), NCL_ERROR_INPUT,
              "schema 7 is newer than this release's 2");
    ck_assert_str_eq(text_of(file), "before");
}
END_TEST

START_TEST(arguments_are_checked)
{
    const char *const paths[] = {path_of("x.jsonl"), NULL};
    char *json = NULL;

    MUST_FAIL(ncl_db(NULL, NCL_DB_CLEAR, NULL, 0, NULL), NCL_ERROR_USAGE, "ncl_db");
    MUST_FAIL(ncl_db(context, (ncl_db_action)9, NULL, 0, NULL), NCL_ERROR_USAGE, "action 9");
    MUST_FAIL(ncl_db(context, NCL_DB_EXPORT, NULL, 0, NULL), NCL_ERROR_USAGE, "expected 1");
    MUST_FAIL(ncl_db(context, NCL_DB_EXPORT, NULL, 1, NULL), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_db(context, NCL_DB_EXPORT, paths, 2, NULL), NCL_ERROR_USAGE, "expected 1");
    MUST_FAIL(ncl_db(context, NCL_DB_IMPORT, NULL, 0, NULL), NCL_ERROR_USAGE, "at least 1");
    MUST_FAIL(ncl_db(context, NCL_DB_MERGE, paths, 1, NULL), NCL_ERROR_USAGE, "at least 2");
    MUST_FAIL(ncl_db(context, NCL_DB_MERGE, paths, 2, NULL), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_db(context, NCL_DB_CLEAR, paths, 1, NULL), NCL_ERROR_USAGE, "expected none");
    MUST_FAIL(ncl_report(context, NCL_REPORT_DB, NULL, NULL), NCL_ERROR_USAGE, "ncl_report");
    MUST_FAIL(ncl_report(NULL, NCL_REPORT_DB, NULL, &json), NCL_ERROR_USAGE, "ncl_report");
}
END_TEST

START_TEST(without_a_cache)
{
    const char *const paths[] = {path_of("x.jsonl"), path_of("y.jsonl")};
    char *json = NULL;
    struct stat facts;

    ncl_close(context);
    open_context("");
    write_text(paths[1], LINE("P=1", ""));
    MUST_FAIL(ncl_db(context, NCL_DB_EXPORT, paths, 1, NULL), NCL_ERROR_USAGE, "the cache is off");
    MUST_FAIL(ncl_db(context, NCL_DB_IMPORT, paths + 1, 1, NULL), NCL_ERROR_USAGE,
              "the cache is off");
    MUST_FAIL(ncl_db(context, NCL_DB_CLEAR, NULL, 0, NULL), NCL_ERROR_USAGE, "the cache is off");
    MUST_FAIL(ncl_report(context, NCL_REPORT_DB, NULL, &json), NCL_ERROR_USAGE, "the cache is off");
    ck_assert_int_ne(stat(paths[0], &facts), 0);
    MUST(ncl_db(context, NCL_DB_MERGE, paths, 2, NULL));
    ncl_close(context);
    open_context(paths[1]); /* a file */
    MUST_FAIL(ncl_db(context, NCL_DB_CLEAR, NULL, 0, NULL), NCL_ERROR_INPUT, "y.jsonl/nextcl.db");
    MUST_FAIL(ncl_report(context, NCL_REPORT_DB, NULL, &json), NCL_ERROR_INPUT, "nextcl.db");
    ck_assert_ptr_null(json);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("db");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, the_report_has_every_member);
    tcase_add_test(tests, exported_and_imported_elsewhere);
    tcase_add_test(tests, what_was_measured_here_stays);
    tcase_add_test(tests, nothing_of_a_broken_file_is_imported);
    tcase_add_test(tests, a_minimal_file);
    tcase_add_test(tests, merging_files);
    tcase_add_test(tests, clearing);
    tcase_add_test(tests, rows_that_are_no_records_are_counted);
    tcase_add_test(tests, only_what_an_import_changes_counts);
    tcase_add_test(tests, a_locked_store_is_named);
    tcase_add_test(tests, a_newer_store_is_named_and_no_file_written);
    tcase_add_test(tests, arguments_are_checked);
    tcase_add_test(tests, without_a_cache);
    return ncl_run_suite(tests, "api/db");
}

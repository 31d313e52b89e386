#include "tunedb/records.h"
#include "base/clock.h"
#include "support/suite.h"
#include "tunedb/handle.h"
#include <pthread.h>

#include "found.h"

static const char *chosen_params(struct ncl_store *store)
{
    search(store, &(struct ncl_record_filter){.chosen_only = true});
    ck_assert_uint_le(found.count, 1);
    return found.count == 1 ? found.records[0].params : "none";
}

START_TEST(every_member_survives_closing)
{
    struct ncl_store *store = open_store();
    struct ncl_record record = sample_record();

    record.seed = UINT64_MAX - 5;
    ck_assert(ncl_records_put(store, &record));
    ncl_store_close(store);
    store = open_store();
    expect_same(only(store), &record);
    end(store);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

START_TEST(without_a_store_nothing_is_kept)
{
    struct ncl_record record = sample_record();
    struct ncl_text text = {0};
    struct ncl_store *off = NULL;

    ck_assert_int_eq(ncl_store_open(&watch, NULL, &off), NCL_OK);
    for (int i = 0; i < 2; i++) {
        struct ncl_store *store = i == 0 ? NULL : off;
        ck_assert(!ncl_records_put(store, &record));
        ck_assert(!ncl_records_choose(store, &record));
        ck_assert(!ncl_records_delete(store, &(struct ncl_record_filter){0}, NULL));
        ck_assert(!ncl_store_note_put(store, "key", "value"));
        ck_assert(!ncl_store_note_get(store, "key", &text));
        ck_assert(!ncl_store_journal_add(store, "run", NULL, 0));
        ck_assert(!ncl_store_journal_read(store, "run", &text));
        ck_assert_ptr_null(ncl_store_path(store));
        search_all(store);
        ck_assert_uint_eq(found.count, 0);
    }
    end(off);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

static struct ncl_record with_params(const char *params, double seconds)
{
    struct ncl_record record = sample_record();

    record.params = params;
    record.seconds = seconds;
    record.chosen = false;
    return record;
}

START_TEST(one_is_chosen)
{
    struct ncl_store *store = open_store();
    struct ncl_record a = with_params("P=1", 2), b = with_params("P=2", 1);
    struct ncl_record dead = with_params("P=3", 0), missing = with_params("P=4", 1);

    dead.verdict = NCL_VERDICT_BUILD, dead.verified = false;
    ck_assert(ncl_records_put_all(store, (struct ncl_record[]){a, b, dead}, 3));
    ck_assert_str_eq(chosen_params(store), "none");
    ck_assert(ncl_records_choose(store, &a));
    ck_assert_str_eq(chosen_params(store), "P=1");
    ck_assert(!ncl_records_choose(store, &missing));
    ck_assert(!ncl_records_choose(store, &dead));
    ck_assert_str_eq(chosen_params(store), "P=1");
    ck_assert(ncl_records_choose(store, &b));
    ck_assert_str_eq(chosen_params(store), "P=2");
    ck_assert(ncl_records_put(store, &b)); /* measured again */
    ck_assert_str_eq(chosen_params(store), "P=2");
    a.chosen = true;
    ck_assert(ncl_records_put(store, &a));
    ck_assert_str_eq(chosen_params(store), "P=1");
    a.chosen = a.verified = false, a.verdict = NCL_VERDICT_WRONG;
    ck_assert(ncl_records_put(store, &a));
    ck_assert_str_eq(chosen_params(store), "none");
    ck_assert(ncl_records_choose(store, &b));
    b.algorithm = NULL;
    ck_assert(ncl_records_choose(store, &b));
    ck_assert_str_eq(chosen_params(store), "none");
    end(store);
}
END_TEST

START_TEST(choices_of_others_stay)
{
    struct ncl_store *store = open_store();
    struct ncl_record r = sample_record();

    ck_assert(ncl_records_put(store, &r));
    r.on.driver = "another";
    ck_assert(ncl_records_put(store, &r));
    r.on.device = "another";
    ck_assert(ncl_records_put(store, &r));
    r.on.platform = "another";
    ck_assert(ncl_records_put(store, &r));
    r.problem = "another";
    ck_assert(ncl_records_put(store, &r));
    search(store, &(struct ncl_record_filter){.chosen_only = true});
    ck_assert_uint_eq(found.count, 5);
    r.kernel = "another"; /* the same problem all the same */
    ck_assert(ncl_records_put(store, &r));
    search(store, &(struct ncl_record_filter){.chosen_only = true});
    ck_assert_uint_eq(found.count, 5);
    end(store);
}
END_TEST

START_TEST(imported_choices_defer_to_measured_ones)
{
    struct ncl_store *store = open_store();
    struct ncl_record own = with_params("P=1", 2), hint = with_params("P=2", 1);

    hint.origin = NCL_ORIGIN_IMPORTED, hint.verified = false, hint.chosen = true;
    ck_assert(ncl_records_put(store, &own));
    ck_assert(ncl_records_put(store, &hint));
    ck_assert_str_eq(chosen_params(store), "P=2");
    ck_assert(ncl_records_choose(store, &own));
    ck_assert(ncl_records_put(store, &hint));
    ck_assert_str_eq(chosen_params(store), "P=1");
    end(store);
}
END_TEST

START_TEST(filters_let_through_what_they_say)
{
    struct ncl_store *store = open_store();
    const struct ncl_record a = sample_record();
    struct ncl_record b = {.on = {"p", "d", "v", "dr", "gpu lanes32", 3},
                           .library = "l",
                           .kernel = "k",
                           .problem = "pr",
                           .algorithm = "al",
                           .params = "pa",
                           .verdict = NCL_VERDICT_TIMEOUT,
                           .why = ""};
    const struct ncl_record_filter filters[] = {
        {.platform = "p"},
        {.device = "d"},
        {.driver = "dr"},
        {.klass = "gpu lanes32"},
        {.kernel = "k"},
        {.problem = "pr"},
        {.algorithm = "al"},
        {.params = "pa"},
        {.platform = "p", .device = "d", .driver = "dr", .problem = "pr"},
    };

    ck_assert(ncl_records_put_all(store, (struct ncl_record[]){a, b}, 2));
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        search(store, &filters[i]);
        ck_assert_uint_eq(found.count, 1);
        expect_same(&found.records[0], &b);
    }
    search(store, &(struct ncl_record_filter){.good_only = true});
    ck_assert_uint_eq(found.count, 1);
    expect_same(&found.records[0], &a);
    search(store, &(struct ncl_record_filter){.good_only = true, .platform = "p"});
    ck_assert_uint_eq(found.count, 0);
    search(store, &(struct ncl_record_filter){.problem = "pr' OR 1 --"});
    ck_assert_uint_eq(found.count, 0);
    /* Appended, each search sorted in itself. */
    search_all(store);
    ck_assert_int_eq(ncl_records_find(store, &(struct ncl_record_filter){0}, &found), NCL_OK);
    ck_assert_uint_eq(found.count, 4);
    expect_same(&found.records[0], &found.records[2]);
    end(store);
}
END_TEST

START_TEST(deleting_what_matches)
{
    struct ncl_store *store = open_store();
    struct ncl_record list[3] = {with_params("P=1", 1), with_params("P=2", 1),
                                 with_params("P=3", 1)};
    size_t deleted = 9;

    list[2].problem = "another";
    ck_assert(ncl_records_put_all(store, list, 3));
    ck_assert(ncl_records_delete(store, &(struct ncl_record_filter){.params = "none"}, &deleted));
    ck_assert_uint_eq(deleted, 0);
    ck_assert(
        ncl_records_delete(store, &(struct ncl_record_filter){.problem = "another"}, &deleted));
    ck_assert_uint_eq(deleted, 1);
    ck_assert(ncl_records_delete(store, &(struct ncl_record_filter){0}, &deleted));
    ck_assert_uint_eq(deleted, 2);
    search_all(store);
    ck_assert_uint_eq(found.count, 0);
    end(store);
}
END_TEST

START_TEST(a_flawed_batch_is_refused_whole)
{
    struct ncl_store *store = open_store();
    struct ncl_record list[2] = {with_params("P=1", 1), with_params("P=2", -1)};

    ck_assert(!ncl_records_put_all(store, list, 2));
    search_all(store);
    ck_assert_uint_eq(found.count, 0);
    ck_assert(ncl_records_put_all(store, list, 0));
    end(store);
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

START_TEST(crooked_rows_are_passed_over)
{
    static const char *const crooked[] = {
        "verdict = 'fine'", "origin = 7",
        "seconds = -1",     "seconds = 'soon'",
        "problem = ''",     "samples = 1e300",
        "utc = -9",         "chosen = 1, verdict = 'wrong'",
        "class = ''",       "why = hex(zeroblob(300))",
        "device = ''",      "params = replace(hex(zeroblob(300)), '00', 'x')",
    };

    for (size_t i = 0; i < sizeof(crooked) / sizeof(crooked[0]); i++) {
        struct ncl_store *store = open_store();
        const struct ncl_record a = with_params("P=1", 1), b = with_params("P=2", 1);
        char sql[256];
        ck_assert(ncl_records_delete(store, &(struct ncl_record_filter){0}, NULL));
        ck_assert(ncl_records_put_all(store, (struct ncl_record[]){a, b}, 2));
        snprintf(sql, sizeof(sql), "UPDATE records SET %s WHERE params = 'P=1'", crooked[i]);
        run_sql(sql);
        search_all(store);
        /* Text in a number's column reads as 0, which is allowed: not timed. */
        ck_assert_uint_eq(found.count, strstr(crooked[i], "soon") != NULL ? 2 : 1);
        ck_assert_str_eq(found.records[0].params, "P=2");
        end(store);
    }
    ck_assert_int_eq(seen.warnings, 0);
}
END_TEST

START_TEST(notes_and_journals)
{
    static const char *const lines[] = {"one", "", "three"};
    struct ncl_store *store = open_store();
    struct ncl_text text = {0};

    ck_assert(!ncl_store_note_get(store, "hint", &text));
    ck_assert(ncl_store_note_put(store, "hint", "given"));
    ck_assert(ncl_store_note_put(store, "hint", "given twice"));
    ck_assert(ncl_store_note_get(store, "hint", &text));
    ck_assert_str_eq(text.data, "given twice");
    ncl_text_free(&text);
    ck_assert(!ncl_store_journal_read(store, "run", &text));
    ck_assert(ncl_store_journal_add(store, "run", lines, 3));
    ck_assert(ncl_store_journal_add(store, "other", lines, 1));
    ck_assert(ncl_store_journal_add(store, "run", lines, 1));
    ck_assert(!ncl_store_journal_add(store, "run", (const char *const[]){"two\nlines"}, 1));
    ncl_store_close(store);
    store = open_store();
    ck_assert(ncl_store_journal_read(store, "run", &text));
    ck_assert_str_eq(text.data, "one\n\nthree\none\n");
    ncl_text_free(&text);
    ck_assert(ncl_store_journal_begin(store, "run", lines, 1));
    ck_assert(ncl_store_journal_read(store, "run", &text));
    ck_assert_str_eq(text.data, "one\n");
    ncl_text_free(&text);
    ck_assert(ncl_store_journal_clear(store, "run"));
    ck_assert(!ncl_store_journal_read(store, "run", &text));
    ck_assert(ncl_store_journal_read(store, "other", &text));
    ncl_text_free(&text);
    ck_assert(ncl_store_journal_clear(store, NULL));
    ck_assert(!ncl_store_journal_read(store, "other", &text));
    ck_assert_str_eq(ncl_store_path(store), database());
    end(store);
}
END_TEST

static const char version_1[] =
    "CREATE TABLE binaries(key TEXT PRIMARY KEY NOT NULL, used INTEGER NOT NULL, data BLOB NOT "
    "NULL); PRAGMA application_id = 1313031244; PRAGMA user_version = 1; PRAGMA journal_mode = "
    "WAL; INSERT INTO binaries VALUES('key', 1, 'value');";

static void *upgrade(void *user)
{
    struct ncl_store *store = NULL;

    *(bool *)user = ncl_store_open(NULL, place, &store) == NCL_OK && ncl_store_is_active(store);
    ncl_store_close(store);
    return NULL;
}

/* By several connections at once, none of which must set it aside. */
/* The first commit waits for the disk, others of its second do not, unless they are to. */
START_TEST(synced_at_once)
{
    struct ncl_store *store = open_store();
    struct ncl_record record = sample_record();
    uint64_t synced = 0;

    ck_assert(ncl_store_is_writable(store));
    ck_assert(ncl_records_put(store, &record));
    store->synced = synced = ncl_clock_ns();
    ck_assert(ncl_records_put(store, &record));
    ck_assert_uint_eq(store->synced, synced);
    record.params = "P=7 KB=2";
    ck_assert(ncl_records_put_synced(store, &record, 1));
    ck_assert_uint_gt(store->synced, synced);
    record.on.device = "";
    ck_assert(!ncl_records_put_synced(store, &record, 1));
    ck_assert(!ncl_records_put_synced(NULL, &record, 1));
    search_all(store);
    ck_assert_uint_eq(found.count, 2);
    end(store);
}
END_TEST

START_TEST(a_store_of_version_1_keeps_its_binaries)
{
    pthread_t threads[4];
    bool active[4] = {false};
    struct ncl_binary_cache cache;
    struct ncl_record record = sample_record();
    void *data = NULL;
    size_t bytes = 0;

    run_sql(version_1);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, upgrade, &active[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert(active[i]);
    }
    struct ncl_store *store = open_store();
    ncl_store_binary_cache(store, &cache);
    ck_assert_int_eq(cache.get(cache.self, "key", &data, &bytes), NCL_OK);
    ck_assert_uint_eq(bytes, 5);
    free(data);
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    end(store);
    ck_assert_int_eq(seen.warnings, 0);
    ck_assert_int_eq(set_aside(), 0);
}
END_TEST

START_TEST(what_is_not_quite_ours_is_set_aside)
{
    static const char *const odd[] = {
        "CREATE TABLE records(problem TEXT)",
        "CREATE VIEW records AS SELECT 1",
        "PRAGMA user_version = 2",
        "PRAGMA user_version = -1",
        "DROP TABLE binaries",
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct ncl_record record = sample_record();
        place_drop();
        set_up();
        run_sql(version_1);
        run_sql(odd[i]);
        struct ncl_store *store = open_store();
        ck_assert(ncl_records_put(store, &record));
        end(store);
        ck_assert_int_eq(seen.warnings, 1);
        ck_assert_ptr_nonnull(strstr(seen.last, "set aside"));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("records");

    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_add_test(tests, every_member_survives_closing);
    tcase_add_test(tests, without_a_store_nothing_is_kept);
    tcase_add_test(tests, one_is_chosen);
    tcase_add_test(tests, choices_of_others_stay);
    tcase_add_test(tests, imported_choices_defer_to_measured_ones);
    tcase_add_test(tests, filters_let_through_what_they_say);
    tcase_add_test(tests, deleting_what_matches);
    tcase_add_test(tests, a_flawed_batch_is_refused_whole);
    tcase_add_test(tests, crooked_rows_are_passed_over);
    tcase_add_test(tests, notes_and_journals);
    tcase_add_test(tests, synced_at_once);
    tcase_add_test(tests, a_store_of_version_1_keeps_its_binaries);
    tcase_add_test(tests, what_is_not_quite_ours_is_set_aside);
    return ncl_run_suite(tests, "tunedb/records");
}

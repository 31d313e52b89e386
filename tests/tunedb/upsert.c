/* Which record replaces which. */
#include "support/suite.h"
#include "tunedb/records.h"

#include "found.h"

START_TEST(newer_replaces_older)
{
    struct ncl_store *store = open_store();
    struct ncl_record record = sample_record();

    record.verdict = NCL_VERDICT_STARTED, record.chosen = record.verified = false;
    ck_assert(ncl_records_put(store, &record));
    ck_assert_int_eq(only(store)->verdict, NCL_VERDICT_STARTED);
    record = sample_record();
    record.seconds = 2;
    ck_assert(ncl_records_put(store, &record));
    record.seconds = 3, record.on.compute_units = 9, record.on.vendor = "renamed";
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    record.verdict = NCL_VERDICT_CRASHED, record.chosen = record.verified = false;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    end(store);
}
END_TEST

START_TEST(what_is_known_well_stays)
{
    struct ncl_store *store = open_store();
    const struct ncl_record good = sample_record();
    struct ncl_record record = good;

    ck_assert(ncl_records_put(store, &good));
    record.verdict = NCL_VERDICT_STARTED, record.chosen = record.verified = false;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &good);
    record = good;
    record.origin = NCL_ORIGIN_IMPORTED, record.verified = false, record.utc += 1000;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &good);
    record.origin = NCL_ORIGIN_ANALYTIC, record.seconds = 0;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &good);
    end(store);
}
END_TEST

START_TEST(imported_gives_way)
{
    struct ncl_store *store = open_store();
    struct ncl_record imported = sample_record(), record;

    imported.origin = NCL_ORIGIN_IMPORTED, imported.verified = false;
    ck_assert(ncl_records_put(store, &imported));
    record = imported;
    record.utc -= 1, record.seconds = 5;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &imported);
    record.utc += 2;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    /* Merely trying it does not make it doubtful, failing does. */
    imported = record;
    record.origin = NCL_ORIGIN_MEASURED, record.verdict = NCL_VERDICT_STARTED;
    record.chosen = false;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &imported);
    record.verdict = NCL_VERDICT_CRASHED;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    /* Importing it once more does not help. */
    imported.utc += 9;
    ck_assert(ncl_records_put(store, &imported));
    expect_same(only(store), &record);
    end(store);
}
END_TEST

/* Clocks are wrong at times, another machine's or this one's. */
START_TEST(a_later_time_protects_nothing_from_what_is_found_here)
{
    struct ncl_store *store = open_store();
    struct ncl_record imported = sample_record(), record;

    imported.origin = NCL_ORIGIN_IMPORTED, imported.verified = false;
    imported.utc = INT64_C(4000000000);
    ck_assert(ncl_records_put(store, &imported));
    record = imported; /* had the oracle's bits */
    record.verified = true, record.utc = sample_record().utc;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    /* The same file again brings nothing new. */
    imported.utc = record.utc;
    ck_assert(ncl_records_put(store, &imported));
    expect_same(only(store), &record);
    imported.utc = INT64_C(4000000000);
    ck_assert(ncl_records_put(store, &imported));
    expect_same(only(store), &imported);
    record.origin = NCL_ORIGIN_MEASURED, record.seconds = 1;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    record.utc = INT64_C(4000000000);
    ck_assert(ncl_records_put(store, &record));
    record.utc = sample_record().utc, record.verdict = NCL_VERDICT_CRASHED;
    record.chosen = record.verified = false;
    ck_assert(ncl_records_put(store, &record));
    expect_same(only(store), &record);
    /* An attempt that never ended gives way to any that had the right bits. */
    record.verdict = NCL_VERDICT_STARTED;
    ck_assert(ncl_records_put(store, &record));
    imported.verified = true, imported.utc = 5;
    ck_assert(ncl_records_put(store, &imported));
    expect_same(only(store), &imported);
    end(store);
}
END_TEST

START_TEST(a_first_use_changes_the_verdict_alone)
{
    struct ncl_store *store = open_store();
    struct ncl_record record = sample_record();
    char text[300];

    record.origin = NCL_ORIGIN_IMPORTED, record.utc = INT64_C(4000000000);
    ck_assert(!ncl_records_mark(store, &record, NCL_VERDICT_STARTED, "not there"));
    ck_assert(ncl_records_put(store, &record));
    ck_assert(ncl_records_mark(store, &record, NCL_VERDICT_STARTED, "first use"));
    record.verdict = NCL_VERDICT_STARTED, record.why = "first use", record.verified = false;
    expect_same(only(store), &record); /* chosen all the while */
    ck_assert(ncl_records_mark(store, &record, NCL_VERDICT_GOOD, NULL));
    record.verdict = NCL_VERDICT_GOOD, record.why = "";
    expect_same(only(store), &record);
    memset(text, 'x', sizeof(text) - 1), text[sizeof(text) - 1] = '\0';
    ck_assert(!ncl_records_mark(store, &record, NCL_VERDICT_WRONG, text));
    expect_same(only(store), &record);
    ck_assert(ncl_records_mark(store, &record, NCL_VERDICT_WRONG, "bits differ"));
    record.verdict = NCL_VERDICT_WRONG, record.why = "bits differ", record.chosen = false;
    expect_same(only(store), &record);
    ck_assert(!ncl_records_mark(NULL, &record, NCL_VERDICT_GOOD, ""));
    record.params = "P=1"; /* another one */
    ck_assert(!ncl_records_mark(store, &record, NCL_VERDICT_GOOD, ""));
    end(store);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("upsert");

    tcase_add_checked_fixture(tests, set_up, place_drop);
    tcase_add_test(tests, newer_replaces_older);
    tcase_add_test(tests, what_is_known_well_stays);
    tcase_add_test(tests, imported_gives_way);
    tcase_add_test(tests, a_later_time_protects_nothing_from_what_is_found_here);
    tcase_add_test(tests, a_first_use_changes_the_verdict_alone);
    return ncl_run_suite(tests, "tunedb/upsert");
}

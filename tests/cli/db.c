#include "cli/cli.h"

#define SMALL "tests/data/residuals.onnx"

static size_t count_records(const char *filter)
{
    json_t *root, *records;
    size_t count;

    MUST_WORK("db show --json %s", filter);
    root = said_json();
    records = json_object_get(root, "records");
    ck_assert(json_is_array(records));
    count = json_array_size(records);
    json_decref(root);
    return count;
}

/* Records to carry around, measured by the tuner itself; how many. */
static size_t make_records(void)
{
    size_t count;

    MUST_WORK("tune " SMALL " --budget 2s --quiet");
    count = count_records("");
    ck_assert_uint_gt(count, 0);
    return count;
}

START_TEST(wrong_usage)
{
    MUST_FAIL(2, "show, export", "db dance");
    MUST_FAIL(2, "show|export", "db");
    MUST_FAIL(2, "FILE", "db export");
    MUST_FAIL(2, "found 2", "db export a b");
    MUST_FAIL(2, "FILE", "db import");
    MUST_FAIL(2, "OUT IN", "db merge one");
    MUST_FAIL(2, "no file", "db clear this");
    MUST_FAIL(2, "no file", "db show this");
    MUST_FAIL(2, "export", "db show --minimal");
    MUST_FAIL(2, "show", "db clear --problem conv");
    MUST_FAIL(2, "--batch", "db show --batch 1");
    MUST_FAIL(2, "--problem", "db show --problem");
    MUST_FAIL(2, "found 'nonsense'", "db show --verdict nonsense");
    MUST_FAIL(2, "found '0:0'", "db show --device 0:0");
}
END_TEST

/* Nothing is there before the first tune, and no device is needed to say so. */
START_TEST(an_empty_store)
{
    use_store("empty");
    shell("NEXTCL_OPENCL_LIBRARY=/none.so $NEXTCL_CLI db show");
    ck_assert_msg(said.status == 0, "%d %s", said.status, said.err);
    ck_assert_ptr_nonnull(strstr(said.out, "0 records"));
    shell("NEXTCL_OPENCL_LIBRARY=/none.so $NEXTCL_CLI db clear");
    ck_assert_msg(said.status == 0, "%d %s", said.status, said.err);
    ck_assert_str_eq(said.out, "0 records forgotten\n");
}
END_TEST

START_TEST(records_have_every_key)
{
    json_t *root, *records;

    use_store("keys");
    make_records();
    MUST_WORK("db show --json");
    root = said_json();
    records = json_object_get(root, "records");
    for (size_t i = 0; i < json_array_size(records); i++)
        must_have(json_array_get(records, i),
                  "platform device vendor driver class compute_units library order_version kernel "
                  "problem algorithm params verdict origin seconds spread default_seconds samples "
                  "chosen verified seed utc why");
    json_decref(root);
    MUST_WORK("db show");
    ck_assert_ptr_nonnull(strstr(said.out, "device "));
    ck_assert_ptr_nonnull(strstr(said.out, " ms"));
}
END_TEST

START_TEST(filters_leave_what_was_asked_for)
{
    size_t all, good;

    use_store("filters");
    all = make_records();
    good = count_records("--verdict good");
    ck_assert_uint_gt(good, 0);
    ck_assert_uint_le(good, all);
    ck_assert_uint_le(count_records("--chosen"), good);
    ck_assert_uint_eq(count_records("--problem 'no such problem'"), 0);
    ck_assert_uint_eq(count_records("--device 'no such device'"), 0);
    ck_assert_uint_eq(count_records("--algorithm none"), 0);
}
END_TEST

START_TEST(there_and_back)
{
    size_t all;
    char wanted[64];

    use_store("from");
    all = make_records();
    MUST_WORK("db export \"$T/all.jsonl\" && wc -l <\"$T/all.jsonl\"");
    snprintf(wanted, sizeof wanted, "%zu record%s written\n%zu\n", all, all == 1 ? "" : "s", all);
    ck_assert_str_eq(said.out, wanted);
    use_store("to");
    MUST_WORK("db import \"$T/all.jsonl\" --json");
    snprintf(wanted, sizeof wanted, "{\n  \"count\": %zu\n}\n", all);
    ck_assert_str_eq(said.out, wanted);
    ck_assert_uint_eq(count_records(""), all);
    /* What is merged with itself stays what it is. */
    MUST_WORK("db merge \"$T/both.jsonl\" \"$T/all.jsonl\" \"$T/all.jsonl\" && "
              "cmp \"$T/all.jsonl\" \"$T/both.jsonl\"");
    MUST_WORK("db clear");
    snprintf(wanted, sizeof wanted, "%zu record%s forgotten\n", all, all == 1 ? "" : "s");
    ck_assert_str_eq(said.out, wanted);
    ck_assert_uint_eq(count_records(""), 0);
    use_store("from");
    ck_assert_uint_eq(count_records(""), all);
}
END_TEST

START_TEST(files_that_are_none)
{
    size_t all;

    use_store("kept");
    all = make_records();
    shell("echo before >\"$T/before.jsonl\"; head -c 3000 /dev/urandom >\"$T/random.jsonl\"; "
          "mkdir -p \"$T/folder\"");
    MUST_FAIL(3, "none.jsonl", "db import \"$T/none.jsonl\"");
    MUST_FAIL(3, "random.jsonl", "db import \"$T/random.jsonl\"");
    MUST_FAIL(3, "before.jsonl", "db import \"$T/before.jsonl\"");
    ck_assert_uint_eq(count_records(""), all);
    MUST_FAIL(3, "folder", "db export \"$T/folder\"");
    MUST_FAIL(3, "none/x.jsonl", "db export \"$T/none/x.jsonl\"");
    shell("echo >\"$T/target.jsonl\"; ln -sf target.jsonl \"$T/link.jsonl\"");
    MUST_WORK("db export \"$T/link.jsonl\" && test -L \"$T/link.jsonl\" && "
              "grep -q device \"$T/target.jsonl\"");
    MUST_FAIL(3, "not JSON", "db merge \"$T/before.jsonl\" \"$T/random.jsonl\"");
    shell("cat \"$T/before.jsonl\"");
    ck_assert_str_eq(said.out, "before\n");
}
END_TEST

/* Whoever runs any command is told what became of the records. */
START_TEST(what_happens_to_the_store_is_said)
{
    use_store("mishaps");
    shell("mkdir -p $NEXTCL_CACHE_DIR && echo 'no database at all, but some text' "
          ">$NEXTCL_CACHE_DIR/nextcl.db && $NEXTCL_CLI db show");
    ck_assert_int_eq(said.status, 0);
    ck_assert_ptr_nonnull(strstr(said.out, "0 records"));
    ck_assert_ptr_nonnull(strstr(said.err, "nextcl.db.bad-"));
    ck_assert_ptr_nonnull(strstr(said.err, "0 tuning records saved"));
    MUST_WORK("db show");
    ck_assert_str_eq(said.err, "");
    shell("rm -r $NEXTCL_CACHE_DIR; mkdir -p $NEXTCL_CACHE_DIR/nextcl.db");
    MUST_FAIL(3, "found a directory", "db show");
    MUST_FAIL(3, "found a directory", "db export \"$T/lost.jsonl\"");
    shell("test -e \"$T/lost.jsonl\"");
    ck_assert_int_ne(said.status, 0);
}
END_TEST

/* For printf(1). */
#define LINE(params, more)                                                                         \
    "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"p\", \"algorithm\": \"a\", \"params\": " \
    "\"" params "\"" more "}\\n"

START_TEST(imports_are_counted_by_what_they_change)
{
    use_store("counts");
    shell("printf '" LINE("P=1", "") "' >\"$T/new.jsonl\"");
    shell("printf '" LINE("P=2", ", \"utc\": \"2026-01-02T00:00:00Z\"") "' >>\"$T/new.jsonl\"");
    shell("printf '" LINE("P=3", ", \"format\": 2") "' >>\"$T/new.jsonl\"");
    shell("printf '" LINE("P=2", ", \"utc\": \"2026-01-01T00:00:00Z\"") "' >\"$T/old.jsonl\"");
    MUST_WORK("db import \"$T/new.jsonl\"");
    ck_assert_ptr_eq(strstr(said.out, "2 records imported"), said.out);
    ck_assert_ptr_nonnull(strstr(said.err, "1 line of a later format passed over"));
    MUST_WORK("db import \"$T/old.jsonl\"");
    ck_assert_ptr_eq(strstr(said.out, "0 records imported"), said.out);
    ck_assert_ptr_nonnull(strstr(said.err, "1 of 1 records were not imported"));
    MUST_WORK("db show");
    ck_assert_ptr_null(strstr(said.out, "1970"));
    MUST_WORK("db export \"$T/again.jsonl\" && grep -c imported \"$T/again.jsonl\"");
    ck_assert_ptr_nonnull(strstr(said.out, "\n2\n"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("db");

    tcase_add_test(tests, wrong_usage);
    tcase_add_test(tests, an_empty_store);
    tcase_add_test(tests, records_have_every_key);
    tcase_add_test(tests, filters_leave_what_was_asked_for);
    tcase_add_test(tests, there_and_back);
    tcase_add_test(tests, files_that_are_none);
    tcase_add_test(tests, what_happens_to_the_store_is_said);
    tcase_add_test(tests, imports_are_counted_by_what_they_change);
    return cli_suite(tests, "db");
}

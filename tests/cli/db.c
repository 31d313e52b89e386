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
    MUST_FAIL(2, "folder", "db export \"$T/folder\"");
    MUST_FAIL(3, "not JSON", "db merge \"$T/before.jsonl\" \"$T/random.jsonl\"");
    shell("cat \"$T/before.jsonl\"");
    ck_assert_str_eq(said.out, "before\n");
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
    return cli_suite(tests, "db");
}

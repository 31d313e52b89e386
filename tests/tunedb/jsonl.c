#include "tunedb/jsonl.h"
#include "support/suite.h"
#include "tunedb/shipped.h"

#include "place.h"

static struct ncl_record_list list;
static struct ncl_text text;

static void clear(void)
{
    ncl_record_list_free(&list);
    ncl_text_free(&text);
    text = (struct ncl_text){0};
    memset(&seen, 0, sizeof(seen));
}

static ncl_status read_text(const char *lines)
{
    return ncl_jsonl_read(&watch, "some.jsonl", lines, strlen(lines), &list);
}

static const char whole[] =
    "{\"platform\": \"Platform\", \"device\": \"Device\", \"vendor\": \"Vendor\", \"driver\": "
    "\"1.2\", \"class\": \"cpu floats16\", \"compute_units\": 2, \"library\": \"0.1.0\", "
    "\"order_version\": 1, \"kernel\": \"00112233445566778899aabbccddeeff\", \"problem\": \"conv "
    "x1x64x56x56 y1x256x56x56 k1x1\", \"algorithm\": \"pointwise\", \"params\": \"P=6 KB=2\", "
    "\"seconds\": 0.000412, \"spread\": 3.5e-6, \"default_seconds\": 0.00062, \"samples\": 15, "
    "\"chosen\": true, \"verified\": true, \"seed\": 7, \"utc\": \"2026-11-28T13:45:00Z\", "
    "\"why\": \"a reason\"}\n";
/* The least a line may hold. */
static const char least[] = "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"p\", "
                            "\"algorithm\": \"a\"}\n";

START_TEST(every_member_there_and_back)
{
    struct ncl_record record = sample_record();

    ck_assert(ncl_record_list_add(&list, &record));
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ck_assert_str_eq(text.data, whole);
    ncl_record_list_free(&list);
    ck_assert_int_eq(read_text(whole), NCL_OK);
    ck_assert_uint_eq(list.count, 1);
    expect_same(&list.records[0], &record);
}
END_TEST

START_TEST(defaults_are_left_out)
{
    ck_assert_int_eq(read_text(least), NCL_OK);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.records[0].verdict, NCL_VERDICT_GOOD);
    ck_assert_int_eq(list.records[0].origin, NCL_ORIGIN_MEASURED);
    ck_assert_str_eq(list.records[0].why, "");
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ck_assert_str_eq(text.data, least);
}
END_TEST

START_TEST(tombstones_and_analytic_ones)
{
    static const char lines[] =
        "{\"class\": \"gpu lanes32\", \"problem\": \"p\", \"algorithm\": \"a\", \"params\": "
        "\"P=1\", \"origin\": \"analytic\", \"chosen\": true}\n"
        "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"p\", \"algorithm\": \"a\", "
        "\"verdict\": \"crashed\", \"why\": \"signal 11\"}\n";

    ck_assert_int_eq(read_text(lines), NCL_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.records[0].origin, NCL_ORIGIN_ANALYTIC);
    ck_assert_int_eq(list.records[1].verdict, NCL_VERDICT_CRASHED);
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ck_assert_str_eq(text.data, lines);
}
END_TEST

/* The same bytes whatever the order before; and again after reading them. */
START_TEST(one_text_for_the_same_records)
{
    char params[32];
    struct ncl_text again = {0};

    for (int i = 0; i < 50; i++) {
        struct ncl_record record = sample_record();
        snprintf(params, sizeof(params), "P=%d", i * 37 % 50);
        record.params = params;
        /* Alike in the digits that are written: the order of what is read must be the same. */
        record.seconds = 1 + i * 7 % 50 * 1e-9;
        record.chosen = false;
        ck_assert(ncl_record_list_add(&list, &record));
    }
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ncl_record_list_free(&list);
    ck_assert_int_eq(read_text(text.data), NCL_OK);
    ck_assert_uint_eq(list.count, 50);
    for (size_t i = 0; i < 25; i++) {
        const struct ncl_record record = list.records[i];
        list.records[i] = list.records[49 - i];
        list.records[49 - i] = record;
    }
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &again), NCL_OK);
    ck_assert_str_eq(text.data, again.data);
    ncl_text_free(&again);
}
END_TEST

START_TEST(any_bytes_of_a_driver_become_text)
{
    struct ncl_record record = sample_record();

    record.on.device = "De\x1b[2Jvice\xff";
    record.on.vendor = "Gr\xc3\xbc\xc3\x9f\"e\\";
    ck_assert(ncl_record_list_add(&list, &record));
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ncl_record_list_free(&list);
    ck_assert_int_eq(read_text(text.data), NCL_OK);
    ck_assert_str_eq(list.records[0].on.device, "De?[2Jvice?");
    ck_assert_str_eq(list.records[0].on.vendor, record.on.vendor);
}
END_TEST

START_TEST(what_later_releases_add_is_passed_over)
{
    char lines[2048];

    snprintf(lines, sizeof(lines), "%s%s%s", "{\"format\": 2, \"entirely\": [\"different\"]}\n",
             "{\"format\": 1, \"device\": \"D\", \"class\": \"c\", \"problem\": \"p\", "
             "\"algorithm\": \"a\", \"watts\": {\"idle\": 3}}\n",
             "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"q\", \"algorithm\": \"a\"}");
    ck_assert_int_eq(read_text(lines), NCL_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(seen.warnings, 1);
    ck_assert_ptr_nonnull(strstr(seen.last, "some.jsonl: 1 line of a later format"));
}
END_TEST

static void expect_refused(const char *line, size_t bytes)
{
    char lines[2048];
    const size_t first = sizeof(least) - 1;

    memcpy(lines, least, first);
    memcpy(lines + first, line, bytes);
    memcpy(lines + first + bytes, "\n", 1);
    ck_assert_msg(ncl_jsonl_read(NULL, "some.jsonl", lines, first + bytes + 1, &list) ==
                      NCL_ERROR_INPUT,
                  "%s", line);
    ck_assert_uint_eq(list.count, 1); /* as it was */
    ck_assert_msg(strstr(ncl_error_text(), "some.jsonl, line 2: ") != NULL, "%s: %s", line,
                  ncl_error_text());
}

static const char *const bad_lines[] = {
    "",
    "{",
    "[]",
    "null",
    "7",
    "\"text\"",
    "{} {}",
    "{\"a\": 1e999}",
    "{\"a\": \xff}",
    "\xef\xbb\xbf{}",
    "{\"class\": \"c\", \"problem\": \"p\", \"algorithm\": \"a\"}",  /* no device */
    "{\"device\": \"D\", \"problem\": \"p\", \"algorithm\": \"a\"}", /* no class */
    "{\"device\": \"D\", \"class\": \"c\", \"algorithm\": \"a\"}",   /* no problem */
    "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"p\"}",     /* no algorithm */
};
/* In an otherwise good line. */
static const char *const bad_members[] = {
    "\"device\": \"E\"", /* twice */
    "\"format\": 0",
    "\"format\": \"1\"",
    "\"format\": 1.0",
    "\"platform\": 1",
    "\"platform\": null",
    "\"platform\": \"a\\nb\"",
    "\"platform\": \"\\u001b[2J\"",
    "\"platform\": \"\\u0000\"",
    "\"platform\": \"a\\u009b2J\"",
    "\"platform\": \"a\\u202eb\"",
    "\"platform\": \"a\\u2066b\"",
    "\"why\": \"a\\u2028b\"",
    "\"compute_units\": -1",
    "\"compute_units\": 1.5",
    "\"compute_units\": 9999999999",
    "\"order_version\": true",
    "\"samples\": 99999999999999999999",
    "\"verdict\": \"fine\"",
    "\"verdict\": 0",
    "\"origin\": \"shipped\"",
    "\"origin\": \"\"",
    "\"seconds\": -1e-9",
    "\"seconds\": \"1\"",
    "\"seconds\": 1e7",
    "\"spread\": [1]",
    "\"default_seconds\": true",
    "\"chosen\": 1",
    "\"verified\": \"true\"",
    "\"seed\": 1.5",
    "\"utc\": 1795873500",
    "\"utc\": \"2026-11-28\"",
    "\"utc\": \"2026-02-30T00:00:00Z\"",
    "\"utc\": \"2026-11-28T24:00:00Z\"",
    "\"utc\": \"2026-11-28T13:45:00+\"",
    "\"utc\": \"1969-12-31T23:59:59Z\"",
    "\"utc\": \" 026-11-28T13:45:00Z\"",
    "\"origin\": \"analytic\", \"seconds\": 1",
    "\"verdict\": \"wrong\", \"chosen\": true",
    "\"verdict\": \"build\", \"verified\": true",
};

/* What was expected and what was found. */
static const char *const explained[][2] = {
    {"", "blank line"},
    {" \r", "blank line"},
    {"\xef\xbb\xbf{}", "byte order mark"},
    {"[]", "object"},
    {"{\"a\": 1e999}", "column 11: real number overflow"},
    {"{\"a\": NaN}", "NaN"},
    {"{\"a\": 1000000000000000000000000000000}", "too big integer"},
    {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
    {"{\"a\": \"\xff\"}", "0xff"},
    {"{\"samples\": -1}", "\"samples\": expected an integer from 0 to 2147483647, found -1"},
    {"{\"seconds\": 2e6}",
     "\"seconds\": expected a number of seconds from 0 to 1e6, found 2000000"},
    {"{\"chosen\": \"yes\"}", "\"chosen\": expected true or false, found \"yes\""},
    {"{\"why\": \"a\\u009bb\"}", "without control characters, found \"a\\u009Bb\""},
    {"{\"origin\": \"shipped\"}", "expected measured, imported or analytic, found \"shipped\""},
    {"{\"format\": 0}", "\"format\": expected 1, or more for later ones, found 0"},
};

START_TEST(what_is_wrong_is_said)
{
    for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++) {
        list.count = 0;
        ck_assert_int_eq(read_text(least), NCL_OK);
        expect_refused(explained[i][0], strlen(explained[i][0]));
        ck_assert_msg(strstr(ncl_error_text(), explained[i][1]) != NULL, "%s", ncl_error_text());
    }
}
END_TEST

/* What was imported where a file was written is no measurement to the next one either. */
START_TEST(origins_in_a_file)
{
    static const enum ncl_origin origins[] = {NCL_ORIGIN_MEASURED, NCL_ORIGIN_IMPORTED,
                                              NCL_ORIGIN_SHIPPED};
    static const char *const params[] = {"P=1", "P=2", "P=3"};

    for (int i = 0; i < 3; i++) {
        struct ncl_record record = sample_record();
        record.origin = origins[i], record.params = params[i], record.utc = 0;
        ck_assert(ncl_record_list_add(&list, &record));
    }
    ck_assert_int_eq(ncl_jsonl_write(&watch, &list, &text), NCL_OK);
    ck_assert_ptr_null(strstr(text.data, "utc"));
    ncl_record_list_free(&list);
    ck_assert_int_eq(read_text(text.data), NCL_OK);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_int_eq(list.records[0].origin, NCL_ORIGIN_MEASURED);
    ck_assert_int_eq(list.records[1].origin, NCL_ORIGIN_IMPORTED);
    ck_assert_int_eq(list.records[2].origin, NCL_ORIGIN_IMPORTED);
}
END_TEST

/* To the least line, without its "}" and newline. */
static void add_member(char line[512], const char *member)
{
    snprintf(line, 512, "%.*s, %s}", (int)sizeof(least) - 3, least, member);
}

START_TEST(what_is_not_as_documented_is_refused)
{
    char line[512];

    ck_assert_int_eq(read_text(least), NCL_OK);
    for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
        expect_refused(bad_lines[i], strlen(bad_lines[i]));
    }
    for (size_t i = 0; i < sizeof(bad_members) / sizeof(bad_members[0]); i++) {
        add_member(line, bad_members[i]);
        expect_refused(line, strlen(line));
    }
    expect_refused("{\"a\": \"\0\"}", 10);
    /* The same with good ones. */
    add_member(line, "\"seed\": -5, \"utc\": \"2024-02-29T23:59:59Z\"");
    ck_assert_int_eq(read_text(line), NCL_OK);
    ck_assert_uint_eq(list.count, 2);
}
END_TEST

START_TEST(large_and_deep_lines)
{
    const size_t bytes = 200000;
    char *line = malloc(bytes);

    ck_assert_ptr_nonnull(line);
    memset(line, '[', bytes);
    ck_assert_int_eq(ncl_jsonl_read(NULL, "x", line, 60000, &list), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_jsonl_read(NULL, "x", line, bytes, &list), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "longer than 64 KiB"));
    free(line);
    ck_assert_int_eq(ncl_jsonl_read(NULL, "x", NULL, 0, &list), NCL_OK);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

/* What a damaged text still says is a list like any other: written and read it is the same. */
START_TEST(no_damage_crashes)
{
    char damaged[2 * sizeof(whole)];
    int read_well = 0;

    srand(3);
    for (int round = 0; round < 20000; round++) {
        snprintf(damaged, sizeof(damaged), "%s%s", whole, least);
        const size_t bytes = strlen(damaged);
        for (int i = 0; i <= round % 3; i++) {
            damaged[(size_t)rand() % bytes] = (char)(rand() % 4 == 0 ? rand() : ' ' + rand() % 95);
        }
        clear();
        if (ncl_jsonl_read(NULL, "x", damaged, bytes, &list) != NCL_OK) {
            ck_assert_uint_eq(list.count, 0);
            continue;
        }
        struct ncl_text again = {0};
        read_well++;
        ck_assert_int_eq(ncl_jsonl_write(NULL, &list, &text), NCL_OK);
        ncl_record_list_free(&list);
        ck_assert_int_eq(ncl_jsonl_read(NULL, "x", text.data, text.length, &list), NCL_OK);
        ck_assert_int_eq(ncl_jsonl_write(NULL, &list, &again), NCL_OK);
        ck_assert_str_eq(text.data, again.data);
        ncl_text_free(&again);
    }
    ck_assert_int_gt(read_well, 100);
    ck_assert_int_lt(read_well, 19000);
}
END_TEST

static void add(const char *problem, const char *params, double seconds, double spread, bool chosen)
{
    struct ncl_record record = sample_record();

    record.problem = problem, record.params = params, record.chosen = chosen;
    record.seconds = seconds, record.spread = spread, record.default_seconds = 1;
    ck_assert(ncl_record_list_add(&list, &record));
}

START_TEST(a_minimal_file_has_winners_only)
{
    struct ncl_record_list few = {0};
    struct ncl_record r = sample_record();

    add("chosen before faster", "P=1", 0.6, 0, true);
    add("chosen before faster", "P=2", 0.5, 0, false);
    add("none chosen", "P=1", 0.9, 0, false);
    add("none chosen", "P=2", 0.8, 0.01, false);
    add("within the noise", "P=1", 0.8, 0.21, true);
    add("within a percent", "P=1", 0.991, 0, true);
    add("the default won", "P=1", 1, 0, true);
    add("the default won", "P=2", 0.5, 0, false);
    r.problem = "tombstone", r.chosen = r.verified = false, r.verdict = NCL_VERDICT_WRONG;
    ck_assert(ncl_record_list_add(&list, &r));
    r = sample_record(), r.problem = "imported", r.origin = NCL_ORIGIN_IMPORTED;
    ck_assert(ncl_record_list_add(&list, &r));
    r = sample_record(), r.problem = "not verified", r.verified = false;
    ck_assert(ncl_record_list_add(&list, &r));
    r = sample_record(), r.problem = "without a default", r.default_seconds = 0;
    ck_assert(ncl_record_list_add(&list, &r));
    r = sample_record(), r.problem = "analytic", r.origin = NCL_ORIGIN_ANALYTIC;
    r.verified = false, r.seconds = 0;
    ck_assert(ncl_record_list_add(&list, &r));
    ck_assert_int_eq(ncl_jsonl_minimal(NULL, &list, &few), NCL_OK);
    ck_assert_uint_eq(few.count, 2);
    ck_assert_str_eq(few.records[0].problem, "analytic");
    ck_assert_str_eq(few.records[1].problem, "chosen before faster");
    ck_assert_str_eq(few.records[1].params, "P=1");
    ncl_record_list_free(&few);
}
END_TEST

#define LINE(problem, more)                                                                        \
    "{\"device\": \"D\", \"class\": \"c\", \"problem\": \"" problem                                \
    "\", \"algorithm\": \"a\"" more "}\n"
static const char first_file[] = LINE("p", ", \"verified\": true") LINE("p q", "") LINE("q", "");
static const char second_file[] =
    LINE("p", ", \"params\": \"P=1\"") "{torn\n" LINE("p\\\"q", "") LINE("p", ", \"origin\": "
                                                                              "\"analytic\"");
static const struct ncl_shipped_file files[] = {{"a.jsonl", first_file, sizeof(first_file) - 1},
                                                {"empty.jsonl", "", 0},
                                                {"b.jsonl", second_file, sizeof(second_file) - 1},
                                                {0}};

START_TEST(shipped_ones_are_found_by_problem)
{
    static const struct {
        const char *problem;
        size_t count;
    } cases[] = {{"p", 3}, {"p q", 1}, {"q", 1}, {"p\"q", 1}, {"none", 0}, {"", 0}, {NULL, 6}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        clear();
        ck_assert_int_eq(ncl_shipped_search(NULL, files, cases[i].problem, &list), NCL_OK);
        ck_assert_uint_eq(list.count, cases[i].count);
        for (size_t j = 0; j < list.count; j++) {
            ck_assert(!list.records[j].verified);
            ck_assert(cases[i].problem == NULL ||
                      strcmp(list.records[j].problem, cases[i].problem) == 0);
        }
    }
    clear();
    ck_assert_int_eq(ncl_shipped_search(NULL, files, "p", &list), NCL_OK);
    ck_assert_int_eq(list.records[0].origin, NCL_ORIGIN_SHIPPED);
    ck_assert_int_eq(list.records[1].origin, NCL_ORIGIN_SHIPPED);
    ck_assert_int_eq(list.records[2].origin, NCL_ORIGIN_ANALYTIC);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("jsonl");

    tcase_add_checked_fixture(tests, clear, clear);
    tcase_add_test(tests, every_member_there_and_back);
    tcase_add_test(tests, defaults_are_left_out);
    tcase_add_test(tests, tombstones_and_analytic_ones);
    tcase_add_test(tests, one_text_for_the_same_records);
    tcase_add_test(tests, any_bytes_of_a_driver_become_text);
    tcase_add_test(tests, what_is_wrong_is_said);
    tcase_add_test(tests, origins_in_a_file);
    tcase_add_test(tests, what_later_releases_add_is_passed_over);
    tcase_add_test(tests, what_is_not_as_documented_is_refused);
    tcase_add_test(tests, large_and_deep_lines);
    tcase_add_test(tests, no_damage_crashes);
    tcase_add_test(tests, a_minimal_file_has_winners_only);
    tcase_add_test(tests, shipped_ones_are_found_by_problem);
    return ncl_run_suite(tests, "tunedb/jsonl");
}

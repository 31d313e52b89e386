/* Every file of tuning/ is as tuning/README.md says, and is the one that was compiled in. */
#include "tunedb/shipped.h"
#include "algo/algo.h"
#include "base/file.h"
#include "support/suite.h"
#include "tunedb/jsonl.h"
#include <ctype.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_error_text())

START_TEST(what_is_compiled_in_is_what_is_there)
{
    glob_t found = {0};
    size_t count = 0;
    const int result = glob("tuning/*.jsonl", 0, NULL, &found);

    ck_assert(result == 0 || result == GLOB_NOMATCH);
    for (; ncl_shipped_files[count].name != NULL; count++) {
        const struct ncl_shipped_file *file = &ncl_shipped_files[count];
        struct ncl_file_map map;
        ck_assert_uint_lt(count, found.gl_pathc);
        ck_assert_str_eq(strrchr(found.gl_pathv[count], '/') + 1, file->name);
        MUST(ncl_file_map(NULL, found.gl_pathv[count], &map));
        ck_assert_uint_eq(map.size, file->bytes);
        ck_assert_mem_eq(map.data, file->data, map.size);
        ncl_file_unmap(&map);
    }
    ck_assert_uint_eq(count, found.gl_pathc);
    globfree(&found);
}
END_TEST

static void check_name(const char *name)
{
    const size_t length = strlen(name);

    ck_assert_uint_gt(length, 6);
    ck_assert_str_eq(name + length - 6, ".jsonl");
    for (size_t i = 0; i < length; i++) {
        ck_assert_msg(islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) ||
                          strchr("-.", name[i]) != NULL,
                      "%s: lower-case letters, digits and - only", name);
    }
}

static const struct ncl_algo *find_algo(const char *name)
{
    for (size_t i = 0; i < ncl_algo_count; i++) {
        if (strcmp(ncl_algos[i]->name, name) == 0) {
            return ncl_algos[i];
        }
    }
    return NULL;
}

static bool is_value(const struct ncl_algo *algo, const char *name, int value)
{
    for (int i = 0; i < algo->tunable_count; i++) {
        const struct ncl_tunable *tunable = &algo->tunables[i];
        for (int j = 0; strcmp(tunable->name, name) == 0 && j < tunable->count; j++) {
            if (tunable->values[j] == value) {
                return true;
            }
        }
    }
    return false;
}

/* Each tunable with one of its values. */
static void check_params(const struct ncl_algo *algo, const char *params)
{
    int count = 0;

    for (const char *at = params; *at != '\0';) {
        char name[64];
        int value = 0, length = 0;
        ck_assert_msg(sscanf(at, "%63[^=]=%d%n", name, &value, &length) == 2, "%s", params);
        ck_assert_msg(is_value(algo, name, value), "%s: %s has no %s=%d", params, algo->name, name,
                      value);
        at += length + (at[length] == ' ');
        count++;
    }
    ck_assert_msg(count == algo->tunable_count, "%s: %s", algo->name, params);
}

static void check_record(const char *name, const struct ncl_record *record)
{
    const struct ncl_algo *algo = find_algo(record->algorithm);

    ck_assert_msg(algo != NULL || strcmp(record->algorithm, "session") == 0,
                  "%s: no algorithm is called %s", name, record->algorithm);
    if (algo != NULL) {
        check_params(algo, record->params);
    }
    ck_assert_int_eq(record->verdict, NCL_VERDICT_GOOD);
    if (record->origin == NCL_ORIGIN_ANALYTIC) {
        ck_assert(record->chosen);
        return;
    }
    ck_assert_msg(record->verified && record->samples > 0 && record->utc > 0 &&
                      record->library[0] != '\0' && record->order_version > 0,
                  "%s: measured, but not verified, or without how it was measured", name);
    ck_assert_msg(record->seconds > 0 && record->seconds < record->default_seconds,
                  "%s: %s %s beats no default", name, record->problem, record->params);
}

START_TEST(every_line_is_legal_and_minimal)
{
    for (const struct ncl_shipped_file *file = ncl_shipped_files; file->name != NULL; file++) {
        struct ncl_record_list list = {0}, few = {0};
        check_name(file->name);
        MUST(ncl_jsonl_read(NULL, file->name, file->data, file->bytes, &list));
        ck_assert_uint_gt(list.count, 0);
        for (size_t i = 0; i < list.count; i++) {
            check_record(file->name, &list.records[i]);
        }
        MUST(ncl_jsonl_minimal(NULL, &list, &few));
        ck_assert_msg(few.count == list.count, "%s: %zu of its %zu lines would do", file->name,
                      few.count, list.count);
        ncl_record_list_free(&list);
        ncl_record_list_free(&few);
    }
}
END_TEST

START_TEST(every_file_is_written_as_we_write)
{
    for (const struct ncl_shipped_file *file = ncl_shipped_files; file->name != NULL; file++) {
        struct ncl_record_list list = {0};
        struct ncl_text text = {0};
        MUST(ncl_jsonl_read(NULL, file->name, file->data, file->bytes, &list));
        MUST(ncl_jsonl_write(NULL, &list, &text));
        ck_assert_msg(text.length == file->bytes && memcmp(text.data, file->data, file->bytes) == 0,
                      "%s: `nextcl db merge FILE FILE` sorts and writes it", file->name);
        ncl_record_list_free(&list);
        ncl_text_free(&text);
    }
}
END_TEST

START_TEST(every_record_is_found_by_its_problem)
{
    struct ncl_record_list all = {0};
    size_t lines = 0;

    for (const struct ncl_shipped_file *file = ncl_shipped_files; file->name != NULL; file++) {
        for (size_t i = 0; i < file->bytes; i++) {
            lines += file->data[i] == '\n';
        }
    }
    MUST(ncl_shipped_find(NULL, NULL, &all));
    ck_assert_uint_eq(all.count, lines);
    for (size_t i = 0; i < all.count; i++) {
        struct ncl_record_list some = {0};
        size_t same = 0;
        MUST(ncl_shipped_find(NULL, all.records[i].problem, &some));
        for (size_t j = 0; j < all.count; j++) {
            same += strcmp(all.records[j].problem, all.records[i].problem) == 0;
        }
        ck_assert_uint_eq(some.count, same);
        ncl_record_list_free(&some);
    }
    ncl_record_list_free(&all);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("shipped");

    tcase_add_test(tests, what_is_compiled_in_is_what_is_there);
    tcase_add_test(tests, every_line_is_legal_and_minimal);
    tcase_add_test(tests, every_file_is_written_as_we_write);
    tcase_add_test(tests, every_record_is_found_by_its_problem);
    return ncl_run_suite(tests, "tunedb/shipped");
}

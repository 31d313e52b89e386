#include "base/file.h"
#include "support/suite.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "ncl-file-XXXXXX";
static char path[256];

static const char *in_directory(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int entries(void)
{
    DIR *stream = opendir(directory);
    int count = 0;

    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        count += entry->d_name[0] != '.';
    }
    closedir(stream);
    return count;
}

START_TEST(what_is_written_is_mapped)
{
    const struct ncl_file_part parts[] = {{"abc", 3}, {"", 0}, {"defg", 4}};
    struct ncl_file_map map;

    ck_assert_int_eq(ncl_file_write(NULL, in_directory("f"), parts, 3), NCL_OK);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_OK);
    ck_assert_uint_eq(map.size, 7);
    ck_assert_mem_eq(map.data, "abcdefg", 7);
    ncl_file_unmap(&map);
    ck_assert_ptr_null(map.data);
    ck_assert_int_eq(ncl_file_write(NULL, path, parts, 1), NCL_OK);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_OK);
    ck_assert_uint_eq(map.size, 3);
    ncl_file_unmap(&map);
    ck_assert_int_eq(entries(), 1); /* no temporary is left */
    unlink(path);
}
END_TEST

/* Kilobytes of this process in memory that lie in files. */
static long resident_file_pages(void)
{
    FILE *stream = fopen("/proc/self/status", "r");
    char line[128];
    long size = 0;

    ck_assert_ptr_nonnull(stream);
    while (fgets(line, sizeof(line), stream) != NULL) {
        sscanf(line, "RssFile: %ld", &size);
    }
    fclose(stream);
    return size;
}

START_TEST(what_is_forgotten_takes_no_memory_and_is_read_again)
{
    enum { BYTES = 16 << 20 };
    unsigned char *data = malloc(BYTES);
    struct ncl_file_part part = {data, BYTES};
    struct ncl_file_map map;
    long before = 0;

    ck_assert_ptr_nonnull(data);
    memset(data, 7, BYTES);
    ck_assert_int_eq(ncl_file_write(NULL, in_directory("large"), &part, 1), NCL_OK);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_OK);
    ck_assert_mem_eq(map.data, data, BYTES);
    before = resident_file_pages();
    ncl_file_forget(map.data + 1, BYTES - 1);
    ck_assert_int_le(resident_file_pages(), before - (BYTES >> 10) * 9 / 10);
    ck_assert_mem_eq(map.data, data, BYTES);
    ncl_file_forget(map.data + 5, 3); /* no whole page */
    ncl_file_unmap(&map);
    unlink(path);
    free(data);
}
END_TEST

START_TEST(an_empty_file_is_no_error)
{
    struct ncl_file_map map;

    ck_assert_int_eq(ncl_file_write(NULL, in_directory("empty"), NULL, 0), NCL_OK);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_OK);
    ck_assert_ptr_null(map.data);
    ck_assert_uint_eq(map.size, 0);
    unlink(path);
}
END_TEST

START_TEST(errors_name_the_path)
{
    struct ncl_file_map map;
    const struct ncl_file_part part = {"x", 1};

    ck_assert_int_eq(ncl_file_map(NULL, in_directory("missing"), &map), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), path));
    ck_assert_int_eq(ncl_file_map(NULL, directory, &map), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "a directory"));
    ck_assert_int_eq(ncl_file_write(NULL, in_directory("no/such"), &part, 1), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), path));
    ck_assert_int_eq(ncl_file_write(NULL, directory, &part, 1), NCL_ERROR_INPUT);
    ck_assert_int_eq(mkfifo(in_directory("fifo"), 0600), 0);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_ERROR_INPUT);
    ck_assert_int_eq(ncl_file_write(NULL, path, &part, 1), NCL_ERROR_INPUT);
    unlink(path);
    ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
    struct stat facts;
    const struct ncl_file_part part = {"x", 1};

    ck_assert_int_eq(ncl_file_make_directories(NULL, in_directory("a//b/c/")), NCL_OK);
    ck_assert_int_eq(ncl_file_make_directories(NULL, path), NCL_OK);
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0700);
    ck_assert_int_eq(ncl_file_make_directories(NULL, "/"), NCL_OK);
    ck_assert_int_eq(ncl_file_make_directories(NULL, ""), NCL_ERROR_USAGE);
    ck_assert_int_eq(ncl_file_write(NULL, in_directory("a/file"), &part, 1), NCL_OK);
    ck_assert_int_eq(ncl_file_make_directories(NULL, in_directory("a/file/d")), NCL_ERROR_USAGE);
    ck_assert_int_eq(unlink(in_directory("a/file")), 0);
    ck_assert_int_eq(rmdir(in_directory("a/b/c")), 0);
    ck_assert_int_eq(rmdir(in_directory("a/b")), 0);
    ck_assert_int_eq(rmdir(in_directory("a")), 0);
}
END_TEST

static void expect_cache(const char *wanted, const char *expected)
{
    char *found = ncl_file_cache_directory(wanted);

    if (expected == NULL) {
        ck_assert_ptr_null(found);
    } else {
        ck_assert_str_eq(found, expected);
    }
    free(found);
}

START_TEST(cache_directory_rules)
{
    setenv("NEXTCL_CACHE_DIR", "/ours", 1);
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    setenv("HOME", "/users/u", 1);
    expect_cache("/wanted", "/wanted");
    expect_cache(NULL, "/ours");
    setenv("NEXTCL_CACHE_DIR", "", 1);
    expect_cache("/wanted", "/wanted");
    expect_cache(NULL, NULL);
    unsetenv("NEXTCL_CACHE_DIR");
    expect_cache(NULL, "/xdg/nextcl");
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_cache(NULL, "/users/u/.cache/nextcl");
    unsetenv("HOME");
    expect_cache(NULL, NULL);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("file");
    int failed = 1;

    if (chdir(P_tmpdir) == 0 && mkdtemp(directory) != NULL) {
        tcase_add_test(tests, what_is_written_is_mapped);
        tcase_add_test(tests, what_is_forgotten_takes_no_memory_and_is_read_again);
        tcase_add_test(tests, an_empty_file_is_no_error);
        tcase_add_test(tests, errors_name_the_path);
        tcase_add_test(tests, directories_are_made_with_their_parents);
        tcase_add_test(tests, cache_directory_rules);
        failed = ncl_run_suite(tests, "base/file");
        rmdir(directory);
    }
    return failed;
}

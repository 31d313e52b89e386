#include "import/npy.h"
#include "base/file.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

static char path[] = "ncl-npy-XXXXXX";

static void set_up(void)
{
    const int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    close(file);
}

static void tear_down(void)
{
    unlink(path);
}

START_TEST(what_is_saved_is_loaded)
{
    float numbers[6] = {1, -2, 3, 4.5F, 5, 6};
    const int ranks[] = {0, 1, 2, 8};

    for (int i = 0; i < COUNT(ranks); i++) {
        ncl_tensor saved = {.data = numbers, .bytes = sizeof(numbers), .rank = ranks[i]};
        ncl_tensor loaded;
        for (int k = 0; k < saved.rank; k++) {
            saved.dims[k] = k == 0 ? 3 : k == 1 ? 2 : 1;
        }
        ck_assert_int_eq(ncl_npy_save(NULL, path, &saved), NCL_OK);
        ck_assert_msg(ncl_npy_load(NULL, path, &loaded) == NCL_OK, "%s", ncl_error_text());
        ck_assert_int_eq(loaded.rank, saved.rank);
        ck_assert_mem_eq(loaded.dims, saved.dims, sizeof(saved.dims));
        ck_assert_uint_eq(loaded.bytes, saved.rank == 0 ? 4 : saved.rank == 1 ? 12 : 24);
        ck_assert_mem_eq(loaded.data, numbers, loaded.bytes);
        free(loaded.data);
    }
}
END_TEST

START_TEST(the_data_starts_aligned)
{
    float numbers[2] = {1, 2};
    const ncl_tensor saved = {.data = numbers, .bytes = 8, .rank = 1, .dims = {2}};
    struct ncl_file_map map;

    ck_assert_int_eq(ncl_npy_save(NULL, path, &saved), NCL_OK);
    ck_assert_int_eq(ncl_file_map(NULL, path, &map), NCL_OK);
    ck_assert_uint_eq((map.size - 8) % 64, 0);
    ck_assert_int_eq(map.data[map.size - 9], '\n');
    ncl_file_unmap(&map);
}
END_TEST

/* A file of that version and header, its length written as it is, and `bytes` of data. */
static size_t make_file(char *file, int version, const char *header, size_t bytes)
{
    const size_t length = strlen(header);
    const size_t prefix = version == 1 ? 10 : 12;

    memset(file, 0, prefix + length + bytes);
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (char)version;
    file[8] = (char)(length & 0xff);
    file[9] = (char)(length >> 8);
    memcpy(file + prefix, header, length);
    return prefix + length + bytes;
}

#define HEADER(SHAPE) "{'descr': '<f4', 'fortran_order': False, 'shape': " SHAPE ", }"

static const struct {
    int version;
    const char *header;
    size_t bytes;
    int rank;
} accepted[] = {
    {1, HEADER("(2, 3)"), 24, 2},
    {2, HEADER("(2, 3)"), 24, 2},
    {3, HEADER("(6,)"), 24, 1},
    {1, HEADER("()"), 4, 0},
    {1, "{\"shape\":(2,1,),\"descr\":\"<f4\",\"fortran_order\":False}  \n", 8, 2},
};

START_TEST(other_writers_are_understood)
{
    char file[256];
    const size_t bytes =
        make_file(file, accepted[_i].version, accepted[_i].header, accepted[_i].bytes);
    ncl_tensor tensor;

    ck_assert_msg(ncl_npy_parse(NULL, "f", file, bytes, &tensor) == NCL_OK, "%s", ncl_error_text());
    ck_assert_int_eq(tensor.rank, accepted[_i].rank);
    free(tensor.data);
}
END_TEST

static const struct {
    int version;
    const char *header;
    size_t bytes;
    const char *expected;
} refused[] = {
    {1, HEADER("(2, 3)"), 20, "f: expected 24 bytes of data for its shape, found 20"},
    {1, HEADER("(2, 3)"), 28, "found 28"},
    {1, HEADER("(2, 0)"), 0, "expected a dim of at least 1, found '0)"},
    {1, HEADER("(-2, 3)"), 24, "expected a dim of at least 1, found '-2"},
    {1, HEADER("(2.5,)"), 8, "expected ')', found '.5"},
    {1, HEADER("(9223372036854775808,)"), 8, "expected a dim below 2^63"},
    {1, HEADER("(9223372036854775807, 9223372036854775807)"), 8, "more bytes than can be"},
    {1, HEADER("(1,1,1,1,1,1,1,1,1)"), 4, "expected at most 8 dims"},
    {1, HEADER("[2]"), 8, "expected a tuple, found '[2]"},
    {1, HEADER("(2, 3"), 24, "expected"},
    {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 8,
     "expected element type '<f4', found ''<f8'"},
    {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, "found ''>f4'"},
    {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "found '[('a'"},
    {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4, "fortran_order False"},
    {1, "{'descr': '<f4', 'shape': (1,)}", 4, "expected descr, fortran_order and shape"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "expected its end"},
    {1, "{'colour': 1}", 4, "expected descr, fortran_order or shape, found ''colour'"},
    {1, "", 4, "expected '{'"},
    {4, HEADER("(1,)"), 4, "expected an npy header of version 1 to 3"},
    {0, HEADER("(1,)"), 4, "expected an npy header of version 1 to 3"},
};

START_TEST(broken_files_are_refused)
{
    char file[256];
    const size_t bytes =
        make_file(file, refused[_i].version, refused[_i].header, refused[_i].bytes);
    ncl_tensor tensor;

    ck_assert_msg(ncl_npy_parse(NULL, "f", file, bytes, &tensor) == NCL_ERROR_INPUT, "%s",
                  refused[_i].expected);
    ck_assert_msg(strstr(ncl_error_text(), refused[_i].expected) != NULL, "expected '%s' in '%s'",
                  refused[_i].expected, ncl_error_text());
    ck_assert_ptr_null(tensor.data);
    ck_assert_int_eq(tensor.rank, 0);
}
END_TEST

START_TEST(every_cut_is_an_error)
{
    char file[256];
    const size_t whole = make_file(file, 1, HEADER("(2,)"), 8);

    for (size_t bytes = 0; bytes < whole; bytes++) {
        char *cut = malloc(bytes + 1); /* its end is where a sanitizer sees a step too far */
        ncl_tensor tensor;
        ck_assert_ptr_nonnull(cut);
        memcpy(cut + 1, file, bytes);
        ck_assert_int_eq(ncl_npy_parse(NULL, "f", cut + 1, bytes, &tensor), NCL_ERROR_INPUT);
        free(cut);
    }
}
END_TEST

static const struct {
    const char *header;
    const char *data;
    size_t bytes;
    int64_t second;
} lists[] = {
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
     "\1\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff", 16, -2},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
     "\1\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01", 16, 0x0102030405060708},
    {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", "\1\0\0\0\xfd\xff\xff\xff", 8,
     -3},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "\1\xff", 2, 255},
};

START_TEST(class_indices_are_read)
{
    char file[256];
    const size_t bytes = make_file(file, 1, lists[_i].header, lists[_i].bytes);
    int64_t *indices = NULL;
    size_t count = 0;

    memcpy(file + bytes - lists[_i].bytes, lists[_i].data, lists[_i].bytes);
    ck_assert_msg(ncl_npy_parse_indices(NULL, "f", file, bytes, &indices, &count) == NCL_OK, "%s",
                  ncl_error_text());
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(indices[0], 1);
    ck_assert_int_eq(indices[1], lists[_i].second);
    free(indices);
}
END_TEST

static const struct {
    const char *header;
    size_t bytes;
    const char *expected;
} refused_lists[] = {
    {HEADER("(2,)"), 8, "f: npy header: expected element type '<i8', '<i4' or '|u1', found ''<f4'"},
    {"{'descr': '>i8', 'fortran_order': False, 'shape': (1,)}", 8, "found ''>i8'"},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1)}", 8,
     "a list of indices, found rank 2"},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': ()}", 8, "a list of indices, found rank 0"},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", 8, "expected 16 bytes of data"},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (0,)}", 0, "a dim of at least 1"},
};

START_TEST(other_lists_are_refused)
{
    char file[256];
    const size_t bytes = make_file(file, 1, refused_lists[_i].header, refused_lists[_i].bytes);
    int64_t *indices = NULL;
    size_t count = 0;

    ck_assert_int_eq(ncl_npy_parse_indices(NULL, "f", file, bytes, &indices, &count),
                     NCL_ERROR_INPUT);
    ck_assert_msg(strstr(ncl_error_text(), refused_lists[_i].expected) != NULL,
                  "expected '%s' in '%s'", refused_lists[_i].expected, ncl_error_text());
    ck_assert_ptr_null(indices);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(files_are_named)
{
    static const char text[] = "hello";
    const struct ncl_file_part part = {text, sizeof(text)};
    int64_t *indices = NULL;
    size_t count = 0;
    ncl_tensor tensor;

    ck_assert_int_eq(ncl_file_write(NULL, path, &part, 1), NCL_OK);
    ck_assert_int_eq(ncl_npy_load(NULL, path, &tensor), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), path));
    ck_assert_int_eq(ncl_npy_load(NULL, "/nowhere/x.npy", &tensor), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "/nowhere/x.npy"));
    ck_assert_ptr_null(tensor.data);
    ck_assert_int_eq(ncl_npy_load_indices(NULL, path, &indices, &count), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), path));
    ck_assert_int_eq(ncl_npy_load_indices(NULL, "/nowhere/y.npy", &indices, &count),
                     NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "/nowhere/y.npy"));
    ck_assert_ptr_null(indices);
}
END_TEST

START_TEST(only_whole_host_tensors_are_saved)
{
    float number = 1;
    const ncl_tensor wrong[] = {{.data = NULL, .bytes = 4, .rank = 1, .dims = {1}},
                                {.data = &number, .bytes = 4, .rank = 1, .dims = {2}},
                                {.data = &number, .bytes = 4, .rank = 1, .dims = {0}},
                                {.data = &number, .bytes = 4, .rank = 1, .dims = {-1}},
                                {.data = &number, .bytes = 4, .rank = 9},
                                {.data = &number, .bytes = 4, .rank = -1}};

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_int_eq(ncl_npy_save(NULL, path, &wrong[i]), NCL_ERROR_USAGE);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("npy");

    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_saved_is_loaded);
    tcase_add_test(tests, the_data_starts_aligned);
    tcase_add_loop_test(tests, other_writers_are_understood, 0, COUNT(accepted));
    tcase_add_loop_test(tests, broken_files_are_refused, 0, COUNT(refused));
    tcase_add_test(tests, every_cut_is_an_error);
    tcase_add_loop_test(tests, class_indices_are_read, 0, COUNT(lists));
    tcase_add_loop_test(tests, other_lists_are_refused, 0, COUNT(refused_lists));
    tcase_add_test(tests, files_are_named);
    tcase_add_test(tests, only_whole_host_tensors_are_saved);
    return ncl_run_suite(tests, "import/npy");
}

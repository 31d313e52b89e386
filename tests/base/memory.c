#include "base/memory.h"
#include "support/suite.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

START_TEST(products_that_overflow_are_refused)
{
    size_t product = 7;

    ck_assert(!ncl_multiply(SIZE_MAX, 2, &product));
    ck_assert_uint_eq(product, 7);
    ck_assert(ncl_multiply(SIZE_MAX, 1, &product));
    ck_assert_uint_eq(product, SIZE_MAX);
    ck_assert(ncl_multiply(SIZE_MAX, 0, &product));
    ck_assert_uint_eq(product, 0);
    /* volatile: the compilers would warn of a size they can see. */
    volatile size_t huge = SIZE_MAX / 2;
    ck_assert_ptr_null(ncl_alloc(huge, 3));
    ck_assert_ptr_null(ncl_alloc(huge, 1));
    ck_assert_ptr_null(ncl_alloc_aligned(huge, 3));
    ck_assert_ptr_null(ncl_alloc_aligned(huge * 2 + 1, 1));
}
END_TEST

START_TEST(memory_is_zeroed_and_aligned)
{
    char *none = ncl_alloc(0, 8);
    unsigned char *aligned = ncl_alloc_aligned(33, 3);

    ck_assert_ptr_nonnull(none);
    ck_assert_uint_eq((uintptr_t)aligned % 64, 0);
    for (size_t i = 0; i < 99; i++) {
        ck_assert_uint_eq(aligned[i], 0);
    }
    free(none);
    free(aligned);
}
END_TEST

START_TEST(pages_are_zero_aligned_and_given_back)
{
    const size_t bytes = 2 * NCL_PAGES_ALIGN + 5;
    unsigned char *pages = ncl_pages_alloc(bytes), resident;

    ck_assert_ptr_nonnull(pages);
    ck_assert_uint_eq((uintptr_t)pages % NCL_PAGES_ALIGN, 0);
    for (size_t i = 0; i < bytes; i++) {
        ck_assert_uint_eq(pages[i], 0);
        pages[i] = 1;
    }
    ncl_pages_free(pages, bytes);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(mincore(pages + i * NCL_PAGES_ALIGN, 1, &resident), -1);
        ck_assert_int_eq(errno, ENOMEM); /* nothing is mapped there */
    }
    ck_assert_ptr_null(ncl_pages_alloc(0));
    ck_assert_ptr_null(ncl_pages_alloc(SIZE_MAX));
    ck_assert_ptr_null(ncl_pages_alloc(SIZE_MAX / 2));
    ncl_pages_free(NULL, 0);
}
END_TEST

START_TEST(arrays_grow_and_keep_their_elements)
{
    int *array = NULL;
    size_t capacity = 0;

    for (int i = 0; i < 1000; i++) {
        ck_assert(ncl_grow((void **)&array, &capacity, (size_t)i, sizeof(*array)));
        ck_assert_int_eq(array[i], 0);
        array[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(array[i], i);
    }
    size_t full = SIZE_MAX / 2 + 1;
    ck_assert(!ncl_grow((void **)&array, &full, full, sizeof(*array)));
    ck_assert_uint_eq(full, SIZE_MAX / 2 + 1);
    free(array);
}
END_TEST

START_TEST(arena_objects_are_aligned_zero_and_apart)
{
    struct ncl_arena arena = {0};
    unsigned char *objects[500];

    for (size_t i = 0; i < 500; i++) {
        objects[i] = ncl_arena_alloc(&arena, i, 3);
        ck_assert_ptr_nonnull(objects[i]);
        ck_assert_uint_eq((uintptr_t)objects[i] % 16, 0);
        for (size_t j = 0; j < i * 3; j++) {
            ck_assert_uint_eq(objects[i][j], 0);
        }
        memset(objects[i], (int)i, i * 3);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < i * 3; j++) {
            ck_assert_uint_eq(objects[i][j], i & 255);
        }
    }
    ck_assert_str_eq(ncl_arena_text(&arena, "abcdef", 3), "abc");
    ck_assert_ptr_nonnull(ncl_arena_alloc(&arena, 5u << 20, 1));
    ck_assert_ptr_null(ncl_arena_alloc(&arena, SIZE_MAX, 1));
    ck_assert_ptr_null(ncl_arena_alloc(&arena, SIZE_MAX / 2, 4));
    ncl_arena_free(&arena);
    ck_assert_ptr_null(arena.blocks);
}
END_TEST

START_TEST(small_helpers)
{
    char *copy = ncl_strdup("copy");

    ck_assert_str_eq(copy, "copy");
    free(copy);
    ck_assert_uint_eq(ncl_ceil_div(9, 4), 3);
    ck_assert_uint_eq(ncl_round_up(9, 4), 12);
    ck_assert_uint_eq(ncl_round_up(8, 4), 8);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("memory");

    tcase_add_test(tests, products_that_overflow_are_refused);
    tcase_add_test(tests, memory_is_zeroed_and_aligned);
    tcase_add_test(tests, pages_are_zero_aligned_and_given_back);
    tcase_add_test(tests, arrays_grow_and_keep_their_elements);
    tcase_add_test(tests, arena_objects_are_aligned_zero_and_apart);
    tcase_add_test(tests, small_helpers);
    return ncl_run_suite(tests, "base/memory");
}

#include "image/images.h"
#include "support/suite.h"

/* Without libjpeg, stb decodes to other levels where colour is subsampled. */
#ifdef NCL_HAVE_LIBJPEG
#define SLACK 1
#else
#define SLACK 80
#endif

static void check_golden(const char *name)
{
    char path[64], golden_path[64];
    struct ncl_image image;
    ncl_tensor golden;

    snprintf(path, sizeof path, "tests/data/%s.jpg", name);
    snprintf(golden_path, sizeof golden_path, "tests/data/%s.expected.npy", name);
    image = decode_file(path);
    golden = load_golden(golden_path);
    ck_assert_int_eq(image.height, (int)golden.dims[0]);
    ck_assert_int_eq(image.width, (int)golden.dims[1]);
    check_levels(name, &image, golden.data, SLACK);
    ncl_image_free(&image);
    free(golden.data);
}

START_TEST(hard_edges_however_colour_is_stored)
{
    check_golden("edges_444");
    check_golden("edges_422");
    check_golden("edges_420");
    check_golden("edges_cmyk");
}
END_TEST

static void check_smooth(const char *path, bool grey)
{
    struct ncl_image image = decode_file(path);

    ck_assert_int_eq(image.width, 61);
    ck_assert_int_eq(image.height, 47);
    for (int i = 0; i < 61 * 47 * 3; i++) {
        const int x = i / 3 % 61, y = i / 3 / 61;
        const int values[3] = {x * 4, y * 5, 255 - x * 2 - y * 2};

        ck_assert_int_le(abs(image.pixels[i] - values[grey ? 0 : i % 3]), 4);
    }
    ncl_image_free(&image);
}

START_TEST(baseline_progressive_and_grey)
{
    check_smooth("tests/data/smooth.jpg", false);
    check_smooth("tests/data/progressive.jpg", false);
    check_smooth("tests/data/grey.jpg", true);
}
END_TEST

/* The byte of the orientation in the file's only EXIF tag 0x0112. */
static size_t find_orientation(const struct ncl_file_map *map, bool big_endian)
{
    const char *tag = big_endian ? "\x01\x12\0\x03" : "\x12\x01\x03\0";
    const unsigned char *found = memmem(map->data, map->size, tag, 4);

    ck_assert_ptr_nonnull(found);
    return (size_t)(found - map->data) + (big_endian ? 9 : 8);
}

static void check_turned(const char *path, bool big_endian, const ncl_tensor *golden)
{
    struct ncl_file_map map = map_file(path);
    unsigned char *copy = malloc(map.size);
    const size_t at = find_orientation(&map, big_endian);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, map.data, map.size);
    for (int orientation = 1; orientation <= 8; orientation++) {
        struct ncl_image image;

        copy[at] = (unsigned char)orientation;
        MUST(ncl_image_decode_memory(NULL, path, copy, map.size, &image));
        ck_assert_int_eq(image.width, orientation < 5 ? COLUMNS : ROWS);
        ck_assert_int_eq(image.height, orientation < 5 ? ROWS : COLUMNS);
        check_levels(path, &image, (float *)golden->data + (orientation - 1) * COLUMNS * ROWS * 3,
                     SLACK);
        ncl_image_free(&image);
    }
    free(copy);
    ncl_file_unmap(&map);
}

START_TEST(turned_as_exif_says)
{
    ncl_tensor golden = load_golden("tests/data/exif.expected.npy");

    check_turned("tests/data/exif_little.jpg", false, &golden);
    check_turned("tests/data/exif_big.jpg", true, &golden);
    free(golden.data);
}
END_TEST

START_TEST(turned_as_xmp_says)
{
    struct ncl_image image = decode_file("tests/data/xmp6.jpg");

    ck_assert_int_eq(image.width, ROWS);
    ck_assert_int_eq(image.height, COLUMNS);
    ncl_image_free(&image);
}
END_TEST

START_TEST(cut_at_any_byte)
{
    must_refuse_prefixes("tests/data/smooth.jpg", 1, 0);
    must_refuse_prefixes("tests/data/progressive.jpg", 1, 0);
    must_refuse_prefixes("tests/data/exif_big.jpg", 1, 0);
    must_refuse_prefixes("tests/data/cat.jpg", 997, 0);
}
END_TEST

/* A file cut in its pixels and ended properly: half of it would be grey. */
#ifdef NCL_HAVE_LIBJPEG
static void must_refuse_ended(const char *path, size_t size)
{
    struct ncl_file_map map = map_file(path);
    unsigned char *copy = malloc(size + 2);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, map.data, size);
    memcpy(copy + size, "\xff\xd9", 2);
    must_refuse_bytes(copy, size + 2, "premature end");
    free(copy);
    ncl_file_unmap(&map);
}

START_TEST(pixels_that_are_missing)
{
    must_refuse_ended("tests/data/cat.jpg", 9000);
    must_refuse_ended("tests/data/progressive.jpg", 300);
}
END_TEST
#endif

START_TEST(nothing_to_decode)
{
    must_refuse_bytes("\xff\xd8\xff\xd9", 4, "expected a sound JPEG");
    must_refuse_bytes("\xff\xd8\xff\xe0\0\1\xff\xd9", 8, "expected the marker");
    must_refuse_bytes("\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xd9", 17,
                      "expected");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("jpeg");

    tcase_add_test(tests, hard_edges_however_colour_is_stored);
    tcase_add_test(tests, baseline_progressive_and_grey);
    tcase_add_test(tests, turned_as_exif_says);
    tcase_add_test(tests, turned_as_xmp_says);
    tcase_add_test(tests, cut_at_any_byte);
#ifdef NCL_HAVE_LIBJPEG
    tcase_add_test(tests, pixels_that_are_missing);
#endif
    tcase_add_test(tests, nothing_to_decode);
    return ncl_run_suite(tests, "jpeg");
}

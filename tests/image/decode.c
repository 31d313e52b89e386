#include "image/images.h"
#include "support/suite.h"

#define WIDTH 61
#define HEIGHT 47

static struct ncl_image decode(const char *path)
{
    struct ncl_image image;

    MUST(ncl_image_decode(NULL, path, &image));
    ck_assert_int_eq(image.width, WIDTH);
    ck_assert_int_eq(image.height, HEIGHT);
    return image;
}

/* The patterns of tests/data/make_images.py. */
static int pattern(int x, int y, int channel)
{
    const int values[3] = {x * 7 + y * 13, x * 31 + y, x + y * 5};

    return values[channel] % 256;
}

static int smooth(int x, int y, int channel)
{
    const int values[3] = {x * 4, y * 5, 255 - x * 2 - y * 2};

    return values[channel];
}

static void check_pixels(const char *path, int (*expected)(int, int, int), bool grey, int slack)
{
    struct ncl_image image = decode(path);

    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        const int x = i / 3 % WIDTH, y = i / 3 / WIDTH;
        const int wanted = expected(x, y, grey ? 0 : i % 3);

        ck_assert_msg(abs(image.pixels[i] - wanted) <= slack, "%s: %d, %d: %d, expected %d", path,
                      x, y, image.pixels[i], wanted);
    }
    ncl_image_free(&image);
    ck_assert_ptr_null(image.pixels);
}

START_TEST(png_of_every_kind_becomes_rgb)
{
    check_pixels("tests/data/rgb.png", pattern, false, 0);
    check_pixels("tests/data/rgba.png", pattern, false, 0);
    check_pixels("tests/data/grey.png", pattern, true, 0);
    check_pixels("tests/data/grey_alpha.png", pattern, true, 0);
    check_pixels("tests/data/grey16.png", pattern, true, 0);
}
END_TEST

START_TEST(palettes_are_looked_up)
{
    struct ncl_image image = decode("tests/data/palette.png");
    ncl_tensor golden = load_golden("tests/data/palette.expected.npy");

    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        ck_assert((float)image.pixels[i] == ((float *)golden.data)[i]);
    ncl_image_free(&image);
    free(golden.data);
}
END_TEST

START_TEST(jpeg_baseline_progressive_and_grey)
{
    check_pixels("tests/data/smooth.jpg", smooth, false, 4);
    check_pixels("tests/data/progressive.jpg", smooth, false, 4);
    check_pixels("tests/data/grey.jpg", smooth, true, 4);
}
END_TEST

static void must_fail(const char *path, const char *what)
{
    struct ncl_image image = {.width = 1};

    ck_assert_msg(ncl_image_decode(NULL, path, &image) == NCL_ERROR_INPUT, "%s", what);
    ck_assert_ptr_null(image.pixels);
    ck_assert_msg(strstr(ncl_error_text(), path) != NULL, "%s", ncl_error_text());
    ck_assert_ptr_null(strchr(ncl_error_text(), '\n'));
}

/* All but the last 4 bytes, which in a PNG are a checksum after everything that counts. */
static void check_prefixes(const char *path, size_t step)
{
    struct ncl_file_map map = map_file(path);

    for (size_t bytes = 0; bytes < map.size - 4; bytes += step) {
        char temporary[64], what[128];

        write_temporary(temporary, map.data, bytes);
        snprintf(what, sizeof what, "the first %zu of %zu bytes of %s", bytes, map.size, path);
        must_fail(temporary, what);
        unlink(temporary);
    }
    ncl_file_unmap(&map);
}

START_TEST(truncated_at_any_byte)
{
    check_prefixes("tests/data/rgb.png", 1);
    check_prefixes("tests/data/palette.png", 7);
    check_prefixes("tests/data/smooth.jpg", 5);
    check_prefixes("tests/data/progressive.jpg", 5);
    check_prefixes("tests/data/cat.jpg", 997);
}
END_TEST

/* Whatever a damaged file gives, it is pixels or one line, and nothing is read past its end. */
START_TEST(damaged_bytes_do_no_harm)
{
    static const char *const paths[] = {"tests/data/rgba.png", "tests/data/smooth.jpg",
                                        "tests/data/progressive.jpg"};
    unsigned random = 1;

    for (int round = 0; round < 600; round++) {
        struct ncl_file_map map = map_file(paths[round % 3]);
        unsigned char *copy = malloc(map.size);
        struct ncl_image image;
        char temporary[64];

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, map.data, map.size);
        for (int i = 0; i < 4; i++) {
            random = random * 1664525u + 1013904223u;
            copy[(random >> 8) % map.size] = (unsigned char)random >> 3;
        }
        write_temporary(temporary, copy, map.size);
        if (ncl_image_decode(NULL, temporary, &image) == NCL_OK)
            ck_assert(image.pixels && image.width > 0 && image.height > 0);
        else
            ck_assert(!image.pixels && ncl_error_text()[0]);
        ncl_image_free(&image);
        unlink(temporary);
        free(copy);
        ncl_file_unmap(&map);
    }
}
END_TEST

/* rgb.png with other numbers in its header; its checksum is then wrong, which decoders differ on,
 * but the size is judged first. */
static void check_size(unsigned width, unsigned height, const char *said)
{
    struct ncl_file_map map = map_file("tests/data/rgb.png");
    unsigned char *copy = malloc(map.size);
    char temporary[64];

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, map.data, map.size);
    for (int i = 0; i < 4; i++) {
        copy[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        copy[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    write_temporary(temporary, copy, map.size);
    must_fail(temporary, "huge dimensions");
    ck_assert_msg(strstr(ncl_error_text(), said) != NULL, "%s", ncl_error_text());
    unlink(temporary);
    free(copy);
    ncl_file_unmap(&map);
}

START_TEST(huge_dimensions_are_refused_before_memory_is)
{
    check_size(0x7fffffff, 0x7fffffff, "expected");
    check_size(0xffffffff, 1, "expected");
    check_size(32768, 32768, "expected");
    check_size(32768, 4097, "32768 x 4097 pixels, expected at most");
    check_size(0, 47, "expected");
}
END_TEST

START_TEST(other_files_are_no_images)
{
    char temporary[64];

    must_fail("tests/data/README.md", "text");
    must_fail("tests/data/rgb_61x9.expected.npy", "a tensor");
    must_fail("tests/data", "a directory");
    must_fail("tests/data/no-such.png", "nothing");
    write_temporary(temporary, "\xff\xd8\xff\xd9", 4);
    must_fail(temporary, "an empty JPEG");
    unlink(temporary);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("decode");

    tcase_add_test(tests, png_of_every_kind_becomes_rgb);
    tcase_add_test(tests, palettes_are_looked_up);
    tcase_add_test(tests, jpeg_baseline_progressive_and_grey);
    tcase_add_test(tests, truncated_at_any_byte);
    tcase_add_test(tests, damaged_bytes_do_no_harm);
    tcase_add_test(tests, huge_dimensions_are_refused_before_memory_is);
    tcase_add_test(tests, other_files_are_no_images);
    return ncl_run_suite(tests, "decode");
}

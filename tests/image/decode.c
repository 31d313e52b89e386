#include "image/images.h"
#include "support/suite.h"

#define WIDTH 61
#define HEIGHT 47

/* rgb.png of tests/data/make_images.py. */
static int pattern(int x, int y, int channel)
{
    const int values[3] = {x * 7 + y * 13, x * 31 + y, x + y * 5};

    return values[channel] % 256;
}

static void check_pattern(const char *path, bool grey)
{
    struct ncl_image image = decode_file(path);

    ck_assert_int_eq(image.width, WIDTH);
    ck_assert_int_eq(image.height, HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        const int x = i / 3 % WIDTH, y = i / 3 / WIDTH;
        const int wanted = pattern(x, y, grey ? 0 : i % 3);

        ck_assert_msg(image.pixels[i] == wanted, "%s: %d, %d: %d, expected %d", path, x, y,
                      image.pixels[i], wanted);
    }
    ncl_image_free(&image);
}

START_TEST(every_format_by_what_it_begins_with)
{
    check_pattern("tests/data/rgb.png", false);
    check_pattern("tests/data/rgba.png", false);
    check_pattern("tests/data/grey.png", true);
    check_pattern("tests/data/grey_alpha.png", true);
    check_pattern("tests/data/rgb.ppm", false);
    check_pattern("tests/data/grey.pgm", true);
    check_colours("tests/data/colours_top_down.bmp", 0, 0, 0);
    check_colours("tests/data/colours.gif", 2, 3, 0);
}
END_TEST

START_TEST(grey_is_pillows)
{
    struct ncl_image image = decode_file("tests/data/rgb.png");
    ncl_tensor golden = load_golden("tests/data/rgb_grey.expected.npy");

    ncl_image_to_grey(&image);
    ck_assert_int_eq(image.channels, 1);
    check_levels("rgb.png", &image, golden.data, 0);
    ncl_image_to_grey(&image);
    check_levels("again", &image, golden.data, 0);
    ncl_image_free(&image);
    free(golden.data);
}
END_TEST

/* Whatever a damaged file gives, it is pixels or one line, and nothing is read past its end. */
static void damage(const char *path, unsigned *random)
{
    struct ncl_file_map map = map_file(path);
    unsigned char *copy = malloc(map.size);
    struct ncl_image image;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, map.data, map.size);
    for (int i = 0; i < 4; i++) {
        *random = *random * 1664525u + 1013904223u;
        copy[(*random >> 8) % map.size] = (unsigned char)(*random >> 24);
    }
    if (ncl_image_decode_memory(NULL, path, copy, map.size, &image) == NCL_OK)
        ck_assert(image.pixels && image.width > 0 && image.height > 0);
    else
        ck_assert(!image.pixels && ncl_error_text()[0]);
    ncl_image_free(&image);
    free(copy);
    ncl_file_unmap(&map);
}

START_TEST(damaged_bytes_do_no_harm)
{
    static const char *const paths[] = {
        "tests/data/rgba.png",          "tests/data/smooth.jpg",
        "tests/data/progressive.jpg",   "tests/data/colours_local.gif",
        "tests/data/colours_runs4.bmp", "tests/data/colours_4bit.bmp",
        "tests/data/colours_plain.ppm", "tests/data/colours_lacking.png"};
    unsigned random = 1;

    for (int round = 0; round < 1600; round++)
        damage(paths[round % 8], &random);
}
END_TEST

START_TEST(other_files_are_no_images)
{
    struct ncl_image image;

    must_refuse_bytes("text", 4, "expected a JPEG, PNG, BMP, GIF or PPM");
    must_refuse_bytes("", 0, "found 0 bytes");
    must_refuse_bytes("P7\n", 3, "none of these");
    must_refuse_bytes("RIFF\0\0\0\0WEBPVP8 ", 16, "none of these");
    ck_assert_int_eq(ncl_image_decode(NULL, "tests/data", &image), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "tests/data: "));
    ck_assert_int_eq(ncl_image_decode(NULL, "tests/data/no-such.png", &image), NCL_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "tests/data/no-such.png: "));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("decode");

    tcase_add_test(tests, every_format_by_what_it_begins_with);
    tcase_add_test(tests, grey_is_pillows);
    tcase_add_test(tests, damaged_bytes_do_no_harm);
    tcase_add_test(tests, other_files_are_no_images);
    return ncl_run_suite(tests, "decode");
}

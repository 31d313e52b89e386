#include "image/formats.h"
#include "image/images.h"
#include "support/suite.h"

static int exif(const char *data, size_t size)
{
    return ncl_exif_orientation((const unsigned char *)data, size);
}

/* One entry at byte 8: tag, type, count, value. */
#define LITTLE "II*\0\x08\0\0\0\1\0\x12\1"
#define BIG "MM\0*\0\0\0\x08\0\1\1\x12"

START_TEST(exif_of_every_type)
{
    ck_assert_int_eq(exif(LITTLE "\3\0\1\0\0\0\6\0\0\0", 22), 6); /* SHORT */
    ck_assert_int_eq(exif(LITTLE "\4\0\1\0\0\0\5\0\0\0", 22), 5); /* LONG */
    ck_assert_int_eq(exif(LITTLE "\1\0\1\0\0\0\2\0\0\0", 22), 2); /* BYTE */
    ck_assert_int_eq(exif(BIG "\0\3\0\0\0\1\0\x08\0\0", 22), 8);
    ck_assert_int_eq(exif(BIG "\0\4\0\0\0\1\0\0\0\3", 22), 3);
}
END_TEST

START_TEST(exif_that_says_nothing)
{
    static const char whole[] = LITTLE "\3\0\1\0\0\0\6\0\0\0";

    for (size_t size = 0; size < 22; size++) {
        char *copy = malloc(size + 1); /* its end is where a sanitizer looks */

        memcpy(copy, whole, size);
        ck_assert_int_eq(exif(copy, size), 0);
        free(copy);
    }
    ck_assert_int_eq(exif(LITTLE "\3\0\1\0\0\0\0\0\0\0", 22), 0); /* 0 and 9: no orientations */
    ck_assert_int_eq(exif(LITTLE "\3\0\1\0\0\0\x09\0\0\0", 22), 0);
    ck_assert_int_eq(exif(LITTLE "\3\0\2\0\0\0\6\0\6\0", 22), 0); /* two of them */
    ck_assert_int_eq(exif(LITTLE "\5\0\1\0\0\0\6\0\0\0", 22), 0); /* RATIONAL */
    ck_assert_int_eq(exif("IM*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 22), 0);
    ck_assert_int_eq(exif("II*\0\xff\xff\xff\xff\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 22), 0);
    ck_assert_int_eq(exif("II*\0\x08\0\0\0\xff\xff\x11\1\3\0\1\0\0\0\6\0\0\0", 22), 0);
}
END_TEST

static int xmp(const char *text)
{
    return ncl_xmp_orientation((const unsigned char *)text, strlen(text));
}

START_TEST(xmp_as_attribute_or_element)
{
    ck_assert_int_eq(xmp("<a tiff:Orientation=\"6\"/>"), 6);
    ck_assert_int_eq(xmp("<tiff:Orientation>3</tiff:Orientation>"), 3);
    ck_assert_int_eq(xmp("tiff:Orientation tiff:Orientation>4"), 4);
    ck_assert_int_eq(xmp("tiff:Orientation=\"9\""), 0);
    ck_assert_int_eq(xmp("tiff:Orientation=\""), 0);
    ck_assert_int_eq(xmp("tiff:Orientation>"), 0);
    ck_assert_int_eq(xmp("tiff:Orientation"), 0);
    ck_assert_int_eq(xmp(""), 0);
}
END_TEST

/* A 3 x 2 picture of levels 0 to 5, and where they go. */
START_TEST(turns)
{
    static const int turned[9][6] = {{0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3},
                                     {5, 4, 3, 2, 1, 0}, {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5},
                                     {3, 0, 4, 1, 5, 2}, {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
    const struct ncl_image_file file = {.path = "x"};

    for (int orientation = 0; orientation < 9; orientation++) {
        struct ncl_image image;

        MUST(ncl_image_make(&file, 3, 2, &image));
        for (int i = 0; i < 18; i++)
            image.pixels[i] = (unsigned char)(i / 3 * 10 + i % 3);
        MUST(ncl_image_turn(&file, orientation, &image));
        ck_assert_int_eq(image.width, orientation < 5 ? 3 : 2);
        ck_assert_int_eq(image.height, orientation < 5 ? 2 : 3);
        for (int i = 0; i < 18; i++)
            ck_assert_int_eq(image.pixels[i], turned[orientation][i / 3] * 10 + i % 3);
        ncl_image_free(&image);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("orientation");

    tcase_add_test(tests, exif_of_every_type);
    tcase_add_test(tests, exif_that_says_nothing);
    tcase_add_test(tests, xmp_as_attribute_or_element);
    tcase_add_test(tests, turns);
    return ncl_run_suite(tests, "orientation");
}

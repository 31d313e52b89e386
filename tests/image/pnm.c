#include "image/images.h"
#include "support/suite.h"

START_TEST(plain_and_raw)
{
    check_colours("tests/data/colours_plain.ppm", 0, 0, 0);
    check_colours("tests/data/colours_16bit.ppm", 0, 0, 0);
    check_shades("tests/data/bits_plain.pbm", 2);
    check_shades("tests/data/bits.pbm", 2);
}
END_TEST

/* The first pixel's red of a file. */
static int level_of(const char *text, size_t size)
{
    struct ncl_image image;
    int level;

    MUST(ncl_image_decode_memory(NULL, "bytes", (const unsigned char *)text, size, &image));
    level = image.pixels[0];
    ncl_image_free(&image);
    return level;
}

/* Halves go to even; grey above 8 bits is first spread over 16, and then clipped. */
START_TEST(levels_are_pillows)
{
    ck_assert_int_eq(level_of("P6 1 1 100\n\x32\0\0", 14), 128);   /* 127.5 */
    ck_assert_int_eq(level_of("P6 1 1 510\n\0\1\0\0\0\0", 17), 0); /* 0.5 */
    ck_assert_int_eq(level_of("P5 1 1 100\n\xff", 12), 255);
    ck_assert_int_eq(level_of("P5 1 1 65535\n\0\xfe", 15), 254);
    ck_assert_int_eq(level_of("P5 1 1 65535\n\1\1", 15), 255);
    ck_assert_int_eq(level_of("P2 1 1 1000 1", 13), 66);
    ck_assert_int_eq(level_of("P2 #x\n1 #y\r1 2 1", 16), 128);
}
END_TEST

START_TEST(cut_at_any_byte)
{
    must_refuse_prefixes("tests/data/colours_16bit.ppm", 1, 0);
    must_refuse_prefixes("tests/data/colours_plain.ppm", 1, 1);
    must_refuse_prefixes("tests/data/bits_plain.pbm", 1, 0);
    must_refuse_prefixes("tests/data/bits.pbm", 1, 0);
}
END_TEST

#define REFUSE(text, said) must_refuse_bytes(text, sizeof text - 1, said)

START_TEST(headers_and_levels_that_cannot_be)
{
    REFUSE("P6x1 1 255\nabc", "white space after P6");
    REFUSE("P6 a 1 255\nabc", "a width");
    REFUSE("P6 1 -1 255\nabc", "a height");
    REFUSE("P6 1 1x255\nabc", "a height");
    REFUSE("P6 1 1 0\nabc", "largest level 0");
    REFUSE("P6 1 1 65536\nabcdef", "largest level 65536");
    REFUSE("P6 1 1 255#\nabc", "one white space");
    REFUSE("P6 0 1 255\nabc", "expected sides");
    REFUSE("P6 99999999999999999999 1 255\nabc", "a width");
    REFUSE("P6 1000000 1000000 255\nabc", "expected at most");
    REFUSE("P3 1 1 9 1 10 1", "a level of 0 to 9");
    REFUSE("P3 1 1 9 1 x 1", "a level");
    REFUSE("P1 2 1 1 2", "a level of 0 to 1");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pnm");

    tcase_add_test(tests, plain_and_raw);
    tcase_add_test(tests, levels_are_pillows);
    tcase_add_test(tests, cut_at_any_byte);
    tcase_add_test(tests, headers_and_levels_that_cannot_be);
    return ncl_run_suite(tests, "pnm");
}

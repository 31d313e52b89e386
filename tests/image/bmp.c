#include "image/images.h"
#include "support/suite.h"

START_TEST(every_depth_and_header)
{
    check_shades("tests/data/bits.bmp", 2);
    check_colours("tests/data/colours_4bit.bmp", 0, 0, 0);
    check_colours("tests/data/colours_os2.bmp", 0, 0, 0);
    check_colours("tests/data/colours_15bit.bmp", 0, 0, 0);
    check_colours("tests/data/colours_16bit.bmp", 0, 0, 0);
    check_colours("tests/data/colours_32bit.bmp", 0, 0, 0);
    check_colours("tests/data/colours_top_down.bmp", 0, 0, 0);
}
END_TEST

START_TEST(run_lengths)
{
    check_colours("tests/data/colours_runs4.bmp", 0, 0, 0);
    check_colours("tests/data/colours_runs8.bmp", 0, 0, 0);
}
END_TEST

/* 4 x 2 pixels: a move over 2 and up 1, then runs of the second colour; the rest has the first. */
#define RUNS(data)                                                                                 \
    "BM\0\0\0\0\0\0\0\0\x3e\0\0\0\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0\1\0\0\0\0\0\0\0\0\0\0\0\0"   \
    "\0\0\0\2\0\0\0\0\0\0\0\x09\x09\x09\0\x50\x60\x70\0" data

START_TEST(moves_leave_out)
{
    static const unsigned char moved[] = RUNS("\0\2\2\1\1\1\1\0\0\1");
    static const char few[] = RUNS("\0\2\2\1\1\1\0\1");
    struct ncl_image image;

    MUST(ncl_image_decode_memory(NULL, "runs", moved, sizeof moved - 1, &image));
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(image.pixels[i * 3], i == 2 ? 0x70 : 9);
    ncl_image_free(&image);
    must_refuse_bytes(few, sizeof few - 1, "up to pixel 4 of line 2, found the last at 3 of 2");
}
END_TEST

/* The last line's padding may be missing: the slack. */
START_TEST(cut_at_any_byte)
{
    must_refuse_prefixes("tests/data/colours_4bit.bmp", 1, 1);
    must_refuse_prefixes("tests/data/colours_16bit.bmp", 1, 2);
    must_refuse_prefixes("tests/data/colours_32bit.bmp", 1, 0);
    must_refuse_prefixes("tests/data/colours_os2.bmp", 1, 3);
    must_refuse_prefixes("tests/data/colours_runs8.bmp", 1, 4);
}
END_TEST

static void refuse(size_t at, const char *bytes, size_t count, const char *said)
{
    must_refuse_patched("tests/data/colours_4bit.bmp", at, bytes, count, said);
}

START_TEST(headers_that_cannot_be)
{
    refuse(10, "\xff\xff\xff\xff", 4, "expected pixels");
    refuse(14, "\x29\0\0\0", 4, "expected a header of");
    refuse(14, "\xff\xff\xff\xff", 4, "expected a header of");
    refuse(18, "\0\0\0\0", 4, "expected sides");
    refuse(18, "\xff\xff\xff\xff", 4, "expected sides");
    refuse(18, "\xff\xff\xff\x7f", 4, "expected sides");
    refuse(22, "\0\0\0\x80", 4, "expected sides");
    refuse(18, "\0\0\x10\0\0\0\x10\0", 8, "expected at most");
    refuse(28, "\5\0", 2, "expected 1, 4, 8");
    refuse(28, "\x18\0\1\0\1\0\0\0", 8, "expected a compression");
    refuse(30, "\1\0\0\0", 4, "expected a compression");
    refuse(30, "\3\0\0\0", 4, "expected a compression");
    refuse(30, "\4\0\0\0", 4, "expected a compression");
    refuse(46, "\1\0\1\0", 4, "at most 65536");
    refuse(46, "\0\x80\0\0", 4, "a palette");
    must_refuse_patched("tests/data/colours_16bit.bmp", 54, "\0\0\0\0", 4, "an empty one");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("bmp");

    tcase_add_test(tests, every_depth_and_header);
    tcase_add_test(tests, run_lengths);
    tcase_add_test(tests, moves_leave_out);
    tcase_add_test(tests, cut_at_any_byte);
    tcase_add_test(tests, headers_that_cannot_be);
    return ncl_run_suite(tests, "bmp");
}

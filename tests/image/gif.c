#include "image/images.h"
#include "support/suite.h"

/* Of colours.gif: where its parts begin. */
enum { TABLE = 13, EXTENSION = 37, FRAME = 45, DATA = 55 };

START_TEST(a_frame_on_its_canvas)
{
    check_colours("tests/data/colours.gif", 2, 3, 0);
    check_colours("tests/data/colours_local.gif", 2, 3, 6);
}
END_TEST

START_TEST(interlaced)
{
    struct ncl_image image = decode_file("tests/data/palette.gif");
    ncl_tensor golden = load_golden("tests/data/palette.expected.npy");

    check_levels("palette.gif", &image, golden.data, 0);
    ncl_image_free(&image);
    free(golden.data);
}
END_TEST

/* 2 x 2 pixels 1, 2, 3, 0 without a table: grey levels. Then a second frame, which is not read. */
START_TEST(without_a_table_indices_are_grey)
{
    static const unsigned char file[] =
        "GIF87a\2\0\2\0\0\0\0,\0\0\0\0\2\0\2\0\0\2\3\x8c\x06\x05\0,\0\0\0\0\1\0\1\0\0\2\1\x44\0;";
    struct ncl_image image;

    MUST(ncl_image_decode_memory(NULL, "grey", file, sizeof file - 1, &image));
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(image.pixels[i], (i / 3 + 1) % 4);
    ncl_image_free(&image);
}
END_TEST

START_TEST(cut_at_any_byte)
{
    must_refuse_prefixes("tests/data/colours.gif", 1, 0);
    must_refuse_prefixes("tests/data/colours_local.gif", 1, 0);
    must_refuse_prefixes("tests/data/palette.gif", 1, 0);
}
END_TEST

static void refuse(size_t at, const char *bytes, size_t count, const char *said)
{
    must_refuse_patched("tests/data/colours.gif", at, bytes, count, said);
}

START_TEST(frames_that_cannot_be)
{
    refuse(FRAME + 5, "\0\0", 2, "at least one");
    refuse(FRAME + 7, "\0\0", 2, "at least one");
    refuse(FRAME + 5, "\xff\xff\xff\xff", 4, "expected at most");
    refuse(FRAME + 5, "\x16", 1, "expected a frame of 308 pixels, found 294");
    refuse(FRAME, ";", 1, "without one");
    refuse(DATA, "\0", 1, "codes of 0 bits");
    refuse(DATA, "\x09", 1, "codes of 9 bits");
    refuse(DATA + 2, "\xf8", 1, "LZW code 15, expected at most 8");
    refuse(DATA + 2, "\x18\xf0", 2, "LZW code 15, expected at most 11");
    refuse(EXTENSION + 2, "\xff", 1, "expected");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("gif");

    tcase_add_test(tests, a_frame_on_its_canvas);
    tcase_add_test(tests, interlaced);
    tcase_add_test(tests, without_a_table_indices_are_grey);
    tcase_add_test(tests, cut_at_any_byte);
    tcase_add_test(tests, frames_that_cannot_be);
    return ncl_run_suite(tests, "gif");
}

#include "image/images.h"
#include "support/suite.h"

static struct ncl_image_scale whole(int width, int height, bool nearest)
{
    return (struct ncl_image_scale){width, height, 0, 0, width, height, nearest};
}

static void check_golden(const char *golden_path, int width, int height, bool nearest)
{
    const struct ncl_image_scale scale = whole(width, height, nearest);
    struct ncl_image image = decode_file("tests/data/rgb.png"), resized;
    ncl_tensor golden = load_golden(golden_path);

    MUST(ncl_image_resize(NULL, &image, &scale, &resized));
    ck_assert_int_eq(resized.width, width);
    ck_assert_int_eq(resized.height, height);
    check_levels(golden_path, &resized, golden.data, 0);
    free(golden.data);
    ncl_image_free(&image);
    ncl_image_free(&resized);
}

START_TEST(every_byte_is_pillows)
{
    check_golden("tests/data/rgb_20x33.expected.npy", 20, 33, false); /* both smaller */
    check_golden("tests/data/rgb_20x50.expected.npy", 20, 50, false); /* one larger */
    check_golden("tests/data/rgb_64x47.expected.npy", 64, 47, false); /* the other larger */
    check_golden("tests/data/rgb_61x9.expected.npy", 61, 9, false);   /* one as it is */
    check_golden("tests/data/rgb_58x9.expected.npy", 58, 9, false);   /* rows go first */
    check_golden("tests/data/rgb_nearest_33x70.expected.npy", 33, 70, true);
}
END_TEST

START_TEST(the_same_size_is_the_same_image)
{
    struct ncl_image image = decode_file("tests/data/rgb.png"), resized;

    for (int nearest = 0; nearest < 2; nearest++) {
        const struct ncl_image_scale same = whole(image.width, image.height, nearest);
        const struct ncl_image_scale dot = whole(1, 1, nearest);

        MUST(ncl_image_resize(NULL, &image, &same, &resized));
        ck_assert_mem_eq(image.pixels, resized.pixels,
                         (size_t)image.width * (size_t)image.height * 3);
        ncl_image_free(&resized);
        MUST(ncl_image_resize(NULL, &image, &dot, &resized));
        ck_assert_int_eq(resized.width * resized.height, 1);
        ncl_image_free(&resized);
    }
    ncl_image_free(&image);
}
END_TEST

/* Cut from the whole, and resized as a part: the same, with three channels and with one. */
static void check_part(struct ncl_image *image, int width, int height, bool nearest)
{
    const struct ncl_image_scale all = whole(width, height, nearest);
    const struct ncl_image_scale some = {width, height, 2, 3, width - 5, height - 4, nearest};
    struct ncl_image resized, part;
    const size_t channels = (size_t)image->channels;

    MUST(ncl_image_resize(NULL, image, &all, &resized));
    MUST(ncl_image_resize(NULL, image, &some, &part));
    ck_assert_int_eq(part.width, width - 5);
    ck_assert_int_eq(part.height, height - 4);
    for (int y = 0; y < part.height; y++)
        ck_assert_mem_eq(part.pixels + (size_t)(y * part.width) * channels,
                         resized.pixels + (size_t)((y + 3) * width + 2) * channels,
                         (size_t)part.width * channels);
    ncl_image_free(&part);
    ncl_image_free(&resized);
}

START_TEST(a_part_is_cut_from_the_whole)
{
    struct ncl_image image = decode_file("tests/data/rgb.png");

    for (int channels = 3; channels > 0; channels -= 2) {
        if (channels == 1)
            ncl_image_to_grey(&image);
        for (int nearest = 0; nearest < 2; nearest++) {
            check_part(&image, 20, 33, nearest);
            check_part(&image, 58, 9, nearest);
            check_part(&image, 100, 90, nearest);
        }
    }
    ncl_image_free(&image);
}
END_TEST

/* Three equal channels and one are resized alike. */
START_TEST(grey_as_colour)
{
    struct ncl_image colour = decode_file("tests/data/grey.png");
    struct ncl_image grey = decode_file("tests/data/grey.png"), three, one;
    const struct ncl_image_scale scale = whole(44, 13, false);

    ncl_image_to_grey(&grey);
    MUST(ncl_image_resize(NULL, &colour, &scale, &three));
    MUST(ncl_image_resize(NULL, &grey, &scale, &one));
    for (int i = 0; i < 44 * 13 * 3; i++)
        ck_assert_int_eq(three.pixels[i], one.pixels[i / 3]);
    ncl_image_free(&colour);
    ncl_image_free(&grey);
    ncl_image_free(&three);
    ncl_image_free(&one);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("resize");

    tcase_add_test(tests, every_byte_is_pillows);
    tcase_add_test(tests, the_same_size_is_the_same_image);
    tcase_add_test(tests, a_part_is_cut_from_the_whole);
    tcase_add_test(tests, grey_as_colour);
    return ncl_run_suite(tests, "resize");
}

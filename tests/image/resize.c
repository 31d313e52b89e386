#include "image/images.h"
#include "support/suite.h"

static void check_golden(int width, int height)
{
    struct ncl_image image, resized;
    ncl_tensor golden;
    char path[80];

    snprintf(path, sizeof path, "tests/data/rgb_%dx%d.expected.npy", width, height);
    golden = load_golden(path);
    MUST(ncl_image_decode(NULL, "tests/data/rgb.png", &image));
    MUST(ncl_image_resize(NULL, &image, width, height, &resized));
    ck_assert_int_eq(resized.width, width);
    ck_assert_int_eq(resized.height, height);
    for (int i = 0; i < width * height * 3; i++)
        ck_assert_msg((float)resized.pixels[i] == ((float *)golden.data)[i],
                      "%d x %d: byte %d is %d, Pillow has %g", width, height, i, resized.pixels[i],
                      (double)((float *)golden.data)[i]);
    free(golden.data);
    ncl_image_free(&image);
    ncl_image_free(&resized);
}

START_TEST(every_byte_is_pillows)
{
    check_golden(20, 33); /* both smaller */
    check_golden(20, 50); /* one larger */
    check_golden(64, 47); /* the other larger */
    check_golden(61, 9);  /* one as it is */
}
END_TEST

START_TEST(the_same_size_is_the_same_image)
{
    struct ncl_image image, resized;

    MUST(ncl_image_decode(NULL, "tests/data/rgb.png", &image));
    MUST(ncl_image_resize(NULL, &image, image.width, image.height, &resized));
    ck_assert_mem_eq(image.pixels, resized.pixels, (size_t)image.width * (size_t)image.height * 3);
    ncl_image_free(&resized);
    MUST(ncl_image_resize(NULL, &image, 1, 1, &resized));
    ck_assert_int_eq(resized.width * resized.height, 1);
    ncl_image_free(&resized);
    ncl_image_free(&image);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("resize");

    tcase_add_test(tests, every_byte_is_pillows);
    tcase_add_test(tests, the_same_size_is_the_same_image);
    return ncl_run_suite(tests, "resize");
}

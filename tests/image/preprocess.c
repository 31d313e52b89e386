#include "image/images.h"
#include "support/suite.h"

#include <math.h>

static ncl_image_options options_of(int resize, int crop)
{
    return (ncl_image_options){
        .struct_size = sizeof(ncl_image_options), .resize = resize, .crop = crop};
}

static float largest_error(const float *a, const float *b, size_t count)
{
    float worst = 0;

    for (size_t i = 0; i < count; i++)
        worst = fabsf(a[i] - b[i]) > worst ? fabsf(a[i] - b[i]) : worst;
    return worst;
}

START_TEST(as_torchvision_does)
{
    const ncl_image_options options = options_of(27, 24);
    ncl_tensor golden = load_golden("tests/data/rgb_torchvision.expected.npy");
    float pixels[3 * 24 * 24];

    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    ck_assert(largest_error(pixels, golden.data, 3 * 24 * 24) < 1e-6f);
    free(golden.data);
}
END_TEST

/* Decoders of JPEG differ by a level or two. */
START_TEST(a_photograph_nearly_so)
{
    const ncl_image_options options = options_of(36, 31);
    ncl_tensor golden = load_golden("tests/data/cat_torchvision.expected.npy");
    float pixels[3 * 31 * 31];

    MUST(ncl_image_read(NULL, "tests/data/cat.jpg", &options, pixels));
    ck_assert(largest_error(pixels, golden.data, 3 * 31 * 31) < 2.5f / 255 / 0.224f);
    free(golden.data);
}
END_TEST

START_TEST(channels_last_holds_the_same_numbers)
{
    ncl_image_options options = options_of(0, 14); /* resized to 16 */
    float first[3 * 14 * 14], last[3 * 14 * 14];

    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, first));
    options.layout = NCL_NHWC;
    options.resize = 16;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, last));
    for (int pixel = 0; pixel < 14 * 14; pixel++)
        for (int channel = 0; channel < 3; channel++)
            ck_assert(first[channel * 14 * 14 + pixel] == last[pixel * 3 + channel]);
}
END_TEST

START_TEST(none_keeps_the_levels)
{
    ncl_image_options options = options_of(0, 47);
    float *pixels = malloc(3 * 47 * 47 * sizeof(float));
    struct ncl_image image, resized;

    ck_assert_ptr_nonnull(pixels);
    options.preprocess = NCL_PREPROCESS_NONE;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    MUST(ncl_image_decode(NULL, "tests/data/rgb.png", &image));
    MUST(ncl_image_resize(NULL, &image, 47, 47, &resized));
    for (int i = 0; i < 47 * 47; i++)
        ck_assert(pixels[i] == (float)resized.pixels[i * 3]);
    options.has_mean = options.has_std = 1;
    options.mean[0] = 0.5f;
    options.std[0] = options.std[1] = options.std[2] = 0.25f;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    ck_assert(fabsf(pixels[0] - ((float)resized.pixels[0] / 255 - 0.5f) * 4) < 1e-6f);
    ck_assert(fabsf(pixels[47 * 47] - (float)resized.pixels[1] / 255 * 4) < 1e-6f);
    ncl_image_free(&image);
    ncl_image_free(&resized);
    free(pixels);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    static const int sizes[][2] = {{10, 20}, {0, -1}, {-5, 3}, {20000, 20000}, {0, 1 << 30}};
    float pixels[4];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const ncl_image_options options = options_of(sizes[i][0], sizes[i][1]);

        ck_assert_int_eq(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels),
                         NCL_ERROR_USAGE);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("preprocess");

    tcase_add_test(tests, as_torchvision_does);
    tcase_add_test(tests, a_photograph_nearly_so);
    tcase_add_test(tests, channels_last_holds_the_same_numbers);
    tcase_add_test(tests, none_keeps_the_levels);
    tcase_add_test(tests, impossible_sizes_are_refused);
    return ncl_run_suite(tests, "preprocess");
}

#include "image/images.h"
#include "support/suite.h"

#include <math.h>

/* Levels that JPEG decoders may differ by. */
#ifdef NCL_HAVE_LIBJPEG
#define LEVELS 1.0f
#else
#define LEVELS 80.0f
#endif

static ncl_image_options options_of(ncl_preprocess mode, int resize, int crop)
{
    return (ncl_image_options){.struct_size = sizeof(ncl_image_options),
                               .preprocess = mode,
                               .resize = resize,
                               .crop = crop};
}

static float largest_error(const float *a, const float *b, size_t count)
{
    float worst = 0;

    for (size_t i = 0; i < count; i++)
        worst = fabsf(a[i] - b[i]) > worst ? fabsf(a[i] - b[i]) : worst;
    return worst;
}

/* level: what one level of the image is in the result. */
static void check_golden(const char *path, const char *golden_path,
                         const ncl_image_options *options, float level)
{
    const size_t count = 3 * (size_t)options->crop * (size_t)options->crop;
    ncl_tensor golden = load_golden(golden_path);
    float *pixels = malloc(count * sizeof *pixels), error;

    ck_assert_ptr_nonnull(pixels);
    ck_assert_uint_eq(golden.bytes, count * sizeof *pixels);
    MUST(ncl_image_read(NULL, path, options, pixels));
    error = largest_error(pixels, golden.data, count);
    ck_assert_msg(error <= level + 1e-5f, "%s: %g levels off", golden_path,
                  (double)(error / level));
    free(golden.data);
    free(pixels);
}

START_TEST(as_torchvision_does)
{
    const ncl_image_options rgb = options_of(NCL_PREPROCESS_TORCHVISION, 27, 24);
    const ncl_image_options cat = options_of(NCL_PREPROCESS_TORCHVISION, 36, 31);
    const ncl_image_options edges = options_of(NCL_PREPROCESS_TORCHVISION, 40, 35);

    check_golden("tests/data/rgb.png", "tests/data/rgb_torchvision.expected.npy", &rgb, 0);
    check_golden("tests/data/cat.jpg", "tests/data/cat_torchvision.expected.npy", &cat,
                 LEVELS / 255 / 0.224f);
    check_golden("tests/data/edges_420.jpg", "tests/data/edges_torchvision.expected.npy", &edges,
                 LEVELS / 255 / 0.224f);
}
END_TEST

START_TEST(as_keras_does)
{
    ncl_image_options tf = options_of(NCL_PREPROCESS_KERAS_TF, 0, 31);
    ncl_image_options caffe = options_of(NCL_PREPROCESS_KERAS_CAFFE, 0, 31);
    ncl_image_options torch = options_of(NCL_PREPROCESS_KERAS_TORCH, 37, 31);
    ncl_image_options larger = options_of(NCL_PREPROCESS_KERAS_TF, 0, 50);

    tf.layout = caffe.layout = torch.layout = larger.layout = NCL_NHWC;
    check_golden("tests/data/cat.jpg", "tests/data/cat_keras_tf.expected.npy", &tf,
                 LEVELS / 127.5f);
    check_golden("tests/data/cat.jpg", "tests/data/cat_keras_caffe.expected.npy", &caffe, LEVELS);
    check_golden("tests/data/cat.jpg", "tests/data/cat_keras_torch.expected.npy", &torch,
                 LEVELS / 255 / 0.224f);
    check_golden("tests/data/edges_422.jpg", "tests/data/edges_keras_tf.expected.npy", &larger,
                 LEVELS / 127.5f);
}
END_TEST

START_TEST(channels_last_holds_the_same_numbers)
{
    ncl_image_options options = options_of(NCL_PREPROCESS_TORCHVISION, 0, 14); /* resized to 16 */
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
    const struct ncl_image_scale scale = {47, 47, 0, 0, 47, 47, false};
    ncl_image_options options = options_of(NCL_PREPROCESS_NONE, 0, 47);
    struct ncl_image image = decode_file("tests/data/rgb.png"), resized;
    static float pixels[3 * 47 * 47];

    MUST(ncl_image_resize(NULL, &image, &scale, &resized));
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    for (int i = 0; i < 47 * 47; i++)
        ck_assert(pixels[i] == (float)resized.pixels[i * 3]);
    options.has_mean = options.has_std = 1;
    options.mean[0] = 100;
    options.std[0] = options.std[1] = options.std[2] = 4;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    ck_assert(pixels[0] == ((float)resized.pixels[0] - 100) / 4);
    ck_assert(pixels[47 * 47] == (float)resized.pixels[1] / 4);
    ncl_image_free(&image);
    ncl_image_free(&resized);
}
END_TEST

/* In the order of the net's channels, which with "caffe" begin with blue. */
START_TEST(own_statistics)
{
    static const ncl_preprocess modes[] = {NCL_PREPROCESS_TORCHVISION, NCL_PREPROCESS_KERAS_TF,
                                           NCL_PREPROCESS_KERAS_TORCH, NCL_PREPROCESS_KERAS_CAFFE};
    static float plain[3 * 47 * 47], own[3 * 47 * 47];

    for (int m = 0; m < 4; m++) {
        const float scale = m < 3 ? 255 : 1;
        ncl_image_options options = options_of(modes[m], 47, 47);

        options.has_mean = options.has_std = 1;
        for (int c = 0; c < 3; c++)
            options.std[c] = 1;
        MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, plain));
        for (int c = 0; c < 3; c++)
            options.mean[c] = 0.25f * (float)(c + 1), options.std[c] = 0.5f;
        MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, own));
        for (int i = 0; i < 3 * 47 * 47; i++)
            ck_assert(own[i] == (plain[i] - 0.25f * (float)(i / (47 * 47) + 1)) / 0.5f);
        /* The same picture whatever the scale: torchvision cuts its middle, the others squeeze. */
        ck_assert(fabsf(plain[23 * 47] * scale - roundf(plain[23 * 47] * scale)) < 1e-3f);
    }
}
END_TEST

START_TEST(one_channel)
{
    ncl_image_options options = options_of(NCL_PREPROCESS_TORCHVISION, 47, 47);
    const struct ncl_image_scale middle = {61, 47, 7, 0, 47, 47, false};
    struct ncl_image image = decode_file("tests/data/rgb.png"), resized;
    static float pixels[47 * 47];

    ncl_image_to_grey(&image);
    MUST(ncl_image_resize(NULL, &image, &middle, &resized));
    options.channels = 1;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    for (int i = 0; i < 47 * 47; i++)
        ck_assert(fabsf(pixels[i] - ((float)resized.pixels[i] / 255 - 0.449f) / 0.226f) < 1e-5f);
    options.has_mean = options.has_std = 1;
    options.mean[0] = options.mean[1] = options.mean[2] = 0.1f;
    options.std[0] = 1, options.std[1] = 2, options.std[2] = 6;
    MUST(ncl_image_read(NULL, "tests/data/rgb.png", &options, pixels));
    for (int i = 0; i < 47 * 47; i++)
        ck_assert(pixels[i] == ((float)resized.pixels[i] / 255 - 0.1f) / 3);
    ncl_image_free(&image);
    ncl_image_free(&resized);
}
END_TEST

static void refuse(const ncl_image_options *options, const char *said)
{
    float pixels[4];

    ck_assert_int_eq(ncl_image_read(NULL, "tests/data/rgb.png", options, pixels), NCL_ERROR_USAGE);
    ck_assert_msg(strstr(ncl_error_text(), said) != NULL, "%s", ncl_error_text());
}

START_TEST(impossible_options_are_refused)
{
    static const int sizes[][2] = {{10, 20}, {0, -1}, {-5, 3}, {20000, 20000}, {0, 1 << 30}};
    ncl_image_options options;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int mode = 0; mode < 5; mode++) {
            options = options_of((ncl_preprocess)mode, sizes[i][0], sizes[i][1]);
            refuse(&options, "expected 1 <= crop <= resize");
        }
    options = options_of((ncl_preprocess)5, 1, 1);
    refuse(&options, "preprocess 5");
    options = options_of(NCL_PREPROCESS_NONE, 1, 1);
    options.channels = 2;
    refuse(&options, "2 channels");
    options.channels = 0;
    options.layout = (ncl_layout)2;
    refuse(&options, "layout 2");
    options.layout = NCL_NCHW;
    options.has_std = 1;
    refuse(&options, "a std above 0");
    options.has_std = 0;
    options.has_mean = 1;
    options.mean[2] = NAN;
    refuse(&options, "channel 2: expected finite");
}
END_TEST

/* 1 x 20000 pixels become 224 x 4480000, of which only the middle is made. */
START_TEST(needles)
{
    static char text[20000 + 32];
    ncl_image_options options = options_of(NCL_PREPROCESS_TORCHVISION, 0, 224);
    static float pixels[3 * 224 * 224];
    char path[64];
    int length;

    length = snprintf(text, sizeof text, "P5 1 20000 255\n");
    memset(text + length, 51, 20000);
    write_temporary(path, text, (size_t)length + 20000);
    options.has_mean = options.has_std = 1;
    options.std[0] = options.std[1] = options.std[2] = 1;
    MUST(ncl_image_read(NULL, path, &options, pixels));
    for (int i = 0; i < 3 * 224 * 224; i++)
        ck_assert(pixels[i] == 0.2f);
    unlink(path);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("preprocess");

    tcase_add_test(tests, as_torchvision_does);
    tcase_add_test(tests, as_keras_does);
    tcase_add_test(tests, channels_last_holds_the_same_numbers);
    tcase_add_test(tests, none_keeps_the_levels);
    tcase_add_test(tests, own_statistics);
    tcase_add_test(tests, one_channel);
    tcase_add_test(tests, impossible_options_are_refused);
    tcase_add_test(tests, needles);
    return ncl_run_suite(tests, "preprocess");
}

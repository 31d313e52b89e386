#include "image/image.h"

#include <limits.h>
#include <math.h>

#define DEFAULT_CROP 224
#define MAX_SIDE 16384

/* ImageNet statistics of RGB in 0..1, of torchvision's weights and Keras's "torch" mode. */
#define IMAGENET_MEAN                                                                              \
    {                                                                                              \
        0.485f, 0.456f, 0.406f                                                                     \
    }
#define IMAGENET_STD                                                                               \
    {                                                                                              \
        0.229f, 0.224f, 0.225f                                                                     \
    }

/* A value becomes (value / scale - mean) / std. */
static const struct mode {
    float scale, mean[3], std[3]; /* in the order of the net's channels */
    bool shorter_side; /* resize keeps the aspect ratio: the shorter side is given; else both are */
    bool nearest, bgr;
} modes[] = {
    [NCL_PREPROCESS_TORCHVISION] = {255, IMAGENET_MEAN, IMAGENET_STD, true, false, false},
    [NCL_PREPROCESS_NONE] = {1, {0}, {1, 1, 1}, false, false, false},
    [NCL_PREPROCESS_KERAS_TF] = {255, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}, false, true, false},
    [NCL_PREPROCESS_KERAS_CAFFE] = {1, {103.939f, 116.779f, 123.68f}, {1, 1, 1}, false, true, true},
    [NCL_PREPROCESS_KERAS_TORCH] = {255, IMAGENET_MEAN, IMAGENET_STD, false, true, false},
};

/* Half to even, as Python's round() in torchvision's center_crop. */
static int centre(int size, int crop)
{
    return (int)nearbyint((size - crop) / 2.0);
}

/* torchvision: the shorter side becomes `side`, the longer one is truncated to whole pixels. */
static int scale_side(int side, int length, int shorter)
{
    const double scaled = floor((double)side * length / shorter);

    return length == shorter ? side : scaled > INT_MAX ? 0 : (int)scaled;
}

static ncl_status check_options(const struct ncl_log *log, const ncl_image_options *o)
{
    const unsigned count = sizeof modes / sizeof modes[0];

    if ((unsigned)o->preprocess >= count || (unsigned)o->layout > NCL_NHWC)
        return ncl_fail(log, NCL_ERROR_USAGE,
                        "image options: preprocess %d, layout %d: expected 0 to %u, 0 or 1",
                        (int)o->preprocess, (int)o->layout, count - 1);
    if (o->channels != 0 && o->channels != 1 && o->channels != 3)
        return ncl_fail(log, NCL_ERROR_USAGE, "image options: %d channels, expected 1 or 3",
                        o->channels);
    for (int c = 0; c < 3; c++)
        if ((o->has_mean && !isfinite(o->mean[c])) ||
            (o->has_std && (!isfinite(o->std[c]) || !(o->std[c] > 0))))
            return ncl_fail(log, NCL_ERROR_USAGE,
                            "image options: mean or std of channel %d: expected finite numbers "
                            "and a std above 0",
                            c);
    return NCL_OK;
}

static ncl_status plan(const struct ncl_log *log, const char *path, const ncl_image_options *o,
                       const struct ncl_image *image, struct ncl_image_scale *scale)
{
    const struct mode *mode = &modes[o->preprocess];
    const int crop = o->crop ? o->crop : DEFAULT_CROP;
    const int side = o->resize            ? o->resize
                     : mode->shorter_side ? (int)((double)crop * 256 / 224)
                                          : crop;
    const int shorter = image->width < image->height ? image->width : image->height;

    if (crop < 1 || crop > MAX_SIDE || side < crop || side > MAX_SIDE)
        return ncl_fail(log, NCL_ERROR_USAGE,
                        "resize %d, crop %d: expected 1 <= crop <= resize <= %d", side, crop,
                        MAX_SIDE);
    *scale = (struct ncl_image_scale){
        .width = side, .height = side, .columns = crop, .rows = crop, .nearest = mode->nearest};
    if (mode->shorter_side) {
        scale->width = scale_side(side, image->width, shorter);
        scale->height = scale_side(side, image->height, shorter);
    }
    if (!scale->width || !scale->height)
        return ncl_fail(log, NCL_ERROR_INPUT,
                        "%s: %d x %d pixels cannot be resized to a shorter side of %d", path,
                        image->width, image->height, side);
    scale->left = centre(scale->width, crop);
    scale->top = centre(scale->height, crop);
    return NCL_OK;
}

/* A net of one channel takes the average of the three that are given or usual. */
static void choose_statistics(const ncl_image_options *o, float mean[3], float std[3])
{
    const struct mode *mode = &modes[o->preprocess];
    const float *given_mean = o->has_mean ? o->mean : mode->mean;
    const float *given_std = o->has_std ? o->std : mode->std;

    for (int c = 0; c < 3; c++) {
        mean[c] = given_mean[c];
        std[c] = given_std[c];
    }
    if (o->channels != 1)
        return;
    mean[0] = (float)(((double)mean[0] + (double)mean[1] + (double)mean[2]) / 3);
    std[0] = (float)(((double)std[0] + (double)std[1] + (double)std[2]) / 3);
}

static void normalise(const ncl_image_options *o, const struct ncl_image *image, float *pixels)
{
    const struct mode *mode = &modes[o->preprocess];
    const size_t channels = (size_t)image->channels;
    const size_t plane = (size_t)image->width * (size_t)image->height;
    float mean[3], std[3];

    choose_statistics(o, mean, std);
    for (size_t i = 0; i < plane * channels; i++) {
        const size_t channel = o->layout == NCL_NCHW ? i / plane : i % channels;
        const size_t pixel = o->layout == NCL_NCHW ? i % plane : i / channels;
        const size_t source = mode->bgr ? channels - 1 - channel : channel;
        const float value = (float)image->pixels[pixel * channels + source];

        pixels[i] = (value / mode->scale - mean[channel]) / std[channel];
    }
}

ncl_status ncl_image_read(const struct ncl_log *log, const char *path,
                          const ncl_image_options *options, float *pixels)
{
    struct ncl_image image = {0}, resized = {0};
    struct ncl_image_scale scale = {0};
    ncl_status status = check_options(log, options);

    if (status == NCL_OK)
        status = ncl_image_decode(log, path, &image);
    if (status == NCL_OK && options->channels == 1)
        ncl_image_to_grey(&image);
    if (status == NCL_OK)
        status = plan(log, path, options, &image, &scale);
    if (status == NCL_OK)
        status = ncl_image_resize(log, &image, &scale, &resized);
    if (status == NCL_OK)
        normalise(options, &resized, pixels);
    ncl_image_free(&image);
    ncl_image_free(&resized);
    return status;
}

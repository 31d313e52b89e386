#include "image/image.h"

#include <math.h>
#include <stdbool.h>

/* ImageNet statistics that torchvision's weights were trained with, of RGB in 0..1. */
static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
static const float imagenet_std[3] = {0.229f, 0.224f, 0.225f};

#define DEFAULT_CROP 224
#define MAX_SIDE 16384

struct geometry {
    int width, height; /* after resizing */
    int crop;
};

/* torchvision: the shorter side becomes `resize`, the longer one is truncated to whole pixels. */
static ncl_status plan(const struct ncl_log *log, const char *path,
                       const ncl_image_options *options, const struct ncl_image *image,
                       struct geometry *g)
{
    const int crop = options->crop ? options->crop : DEFAULT_CROP;
    const int side = options->resize ? options->resize : (int)((double)crop * 256 / 224);
    const int shorter = image->width < image->height ? image->width : image->height;
    double scaled_width, scaled_height;

    if (crop < 1 || crop > MAX_SIDE || side < crop || side > MAX_SIDE)
        return ncl_fail(log, NCL_ERROR_USAGE,
                        "resize %d, crop %d: expected 1 <= crop <= resize <= %d", side, crop,
                        MAX_SIDE);
    *g = (struct geometry){crop, crop, crop};
    if (options->preprocess == NCL_PREPROCESS_NONE)
        return NCL_OK;
    scaled_width = floor((double)side * image->width / shorter);
    scaled_height = floor((double)side * image->height / shorter);
    if (scaled_width > 65536 || scaled_height > 65536)
        return ncl_fail(log, NCL_ERROR_INPUT,
                        "%s: %d x %d pixels cannot be resized to a shorter side of %d", path,
                        image->width, image->height, side);
    g->width = image->width == shorter ? side : (int)scaled_width;
    g->height = image->height == shorter ? side : (int)scaled_height;
    return NCL_OK;
}

/* Half to even, as Python's round() in torchvision's center_crop. */
static int centre(int size, int crop)
{
    return (int)nearbyint((size - crop) / 2.0);
}

static void normalise(const ncl_image_options *options, const struct ncl_image *image,
                      const struct geometry *g, float *pixels)
{
    const bool none = options->preprocess == NCL_PREPROCESS_NONE;
    const float *mean = options->has_mean ? options->mean : imagenet_mean;
    const float *deviation = options->has_std ? options->std : imagenet_std;
    const int left = centre(g->width, g->crop), top = centre(g->height, g->crop);
    const size_t plane = (size_t)g->crop * (size_t)g->crop;

    for (size_t i = 0; i < plane * 3; i++) {
        const size_t channel = options->layout == NCL_NCHW ? i / plane : i % 3;
        const size_t pixel = options->layout == NCL_NCHW ? i % plane : i / 3;
        const size_t y = (size_t)top + pixel / (size_t)g->crop;
        const size_t x = (size_t)left + pixel % (size_t)g->crop;
        const float value = (float)image->pixels[(y * (size_t)g->width + x) * 3 + channel];
        const bool scaled = !none || options->has_mean || options->has_std;

        if (!scaled)
            pixels[i] = value;
        else
            pixels[i] = (value / 255.0f - (none && !options->has_mean ? 0.0f : mean[channel])) /
                        (none && !options->has_std ? 1.0f : deviation[channel]);
    }
}

ncl_status ncl_image_read(const struct ncl_log *log, const char *path,
                          const ncl_image_options *options, float *pixels)
{
    struct ncl_image image = {0}, resized = {0};
    struct geometry g = {0};
    ncl_status status = ncl_image_decode(log, path, &image);

    if (status == NCL_OK)
        status = plan(log, path, options, &image, &g);
    if (status == NCL_OK)
        status = ncl_image_resize(log, &image, g.width, g.height, &resized);
    if (status == NCL_OK)
        normalise(options, &resized, &g, pixels);
    ncl_image_free(&image);
    ncl_image_free(&resized);
    return status;
}

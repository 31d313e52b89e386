/* Photographs to network inputs. */
#ifndef NCL_IMAGE_IMAGE_H
#define NCL_IMAGE_IMAGE_H

#include "base/log.h"
#include <stddef.h>

/* Eight-bit RGB, rows top to bottom, no padding. */
struct ncl_image {
    unsigned char *pixels; /* width * height * 3, free() */
    int width, height;
};

/* JPEG or PNG; grey and alpha become RGB. NCL_ERROR_INPUT names the path. */
ncl_status ncl_image_decode(const struct ncl_log *log, const char *path, struct ncl_image *image);
/* Antialiased bilinear, byte for byte as Pillow does it and torchvision with it: a triangle filter
 * as wide as the scale, rows first, rounded to eight bits after each direction. (Pillow 13 takes
 * columns first where width grows and height shrinks, which torchvision never asks for.) */
ncl_status ncl_image_resize(const struct ncl_log *log, const struct ncl_image *from, int width,
                            int height, struct ncl_image *to);
void ncl_image_free(struct ncl_image *image);

/* Decode, resize, crop, normalise: ncl_image_load of nextcl.h. */
ncl_status ncl_image_read(const struct ncl_log *log, const char *path,
                          const ncl_image_options *options, float *pixels);
/* ImageNet's class names in the order of its thousand indices; NULL outside. */
const char *ncl_image_label(int index);

#endif

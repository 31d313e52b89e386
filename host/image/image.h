/* Photographs to network inputs. */
#ifndef NCL_IMAGE_IMAGE_H
#define NCL_IMAGE_IMAGE_H

#include "base/log.h"
#include <stdbool.h>
#include <stddef.h>

/* Eight bits a channel, rows top to bottom, no padding. */
struct ncl_image {
    unsigned char *pixels; /* width * height * channels, free() */
    int width, height;
    int channels; /* 3: RGB, 1: grey */
};

/* JPEG, PNG, BMP, GIF (the first frame) or PBM/PGM/PPM as upright RGB: what Pillow's
 * ImageOps.exif_transpose and convert("RGB") give. Alpha is dropped, not blended. Grey of 16 bits
 * is clipped at 255, which Pillow does too, while 16-bit colour keeps its high bytes. Damaged and
 * cut files are refused, even where a part could be shown. NCL_ERROR_INPUT names the path. */
ncl_status ncl_image_decode(const struct ncl_log *log, const char *path, struct ncl_image *image);
/* The same from memory; `path` is for messages. */
ncl_status ncl_image_decode_memory(const struct ncl_log *log, const char *path,
                                   const unsigned char *data, size_t size, struct ncl_image *image);
/* RGB to grey in place, as Pillow's convert("L"). */
void ncl_image_to_grey(struct ncl_image *image);
void ncl_image_free(struct ncl_image *image);

/* The part (left, top, columns, rows) of an image resized to width x height. */
struct ncl_image_scale {
    int width, height;
    int left, top, columns, rows;
    bool nearest; /* else bilinear: a triangle filter as wide as the scale, so antialiased */
};
/* Byte for byte as Pillow resizes, so torchvision and Keras too. */
ncl_status ncl_image_resize(const struct ncl_log *log, const struct ncl_image *from,
                            const struct ncl_image_scale *scale, struct ncl_image *to);

/* Decode, resize, crop, normalise: ncl_image_load of nextcl.h. */
ncl_status ncl_image_read(const struct ncl_log *log, const char *path,
                          const ncl_image_options *options, float *pixels);
/* ImageNet's class names in the order of its thousand indices; NULL outside. */
const char *ncl_image_label(int index);

#endif

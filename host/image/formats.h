/* Decoders, one per file format. Each takes any bytes and gives upright RGB or one line of error.
 */
#ifndef NCL_IMAGE_FORMATS_H
#define NCL_IMAGE_FORMATS_H

#include "image/image.h"

#include <stdint.h>

struct ncl_image_file {
    const struct ncl_log *log;
    const char *path; /* for messages */
    const unsigned char *data;
    size_t size;
};

ncl_status ncl_jpeg_decode(const struct ncl_image_file *file, struct ncl_image *image);
ncl_status ncl_png_decode(const struct ncl_image_file *file, struct ncl_image *image);
ncl_status ncl_bmp_decode(const struct ncl_image_file *file, struct ncl_image *image);
ncl_status ncl_gif_decode(const struct ncl_image_file *file, struct ncl_image *image);
ncl_status ncl_pnm_decode(const struct ncl_image_file *file, struct ncl_image *image);

/* NCL_ERROR_INPUT where a file's header says no sensible size: a decompression bomb's, mostly. */
ncl_status ncl_image_check_size(const struct ncl_image_file *file, int64_t width, int64_t height);
/* The same, then black RGB of that size. */
ncl_status ncl_image_make(const struct ncl_image_file *file, int64_t width, int64_t height,
                          struct ncl_image *image);
/* NCL_ERROR_INPUT: the file ends before `what`. */
ncl_status ncl_image_fail_cut(const struct ncl_image_file *file, const char *what);
/* A 16-bit grey level as Pillow makes it 8-bit; such images are nearly white. */
unsigned char ncl_image_clip16(unsigned value);
void ncl_image_note_clip(const struct ncl_image_file *file);

/* ---- orientation.c ---- */

/* What EXIF's orientation tag says, 1 to 8; 0 where there is none. data: from the TIFF header on.
 */
int ncl_exif_orientation(const unsigned char *data, size_t size);
/* The same of an XMP packet. */
int ncl_xmp_orientation(const unsigned char *data, size_t size);
/* Turns the image upright; 0 and 1 leave it as it is. */
ncl_status ncl_image_turn(const struct ncl_image_file *file, int orientation,
                          struct ncl_image *image);

/* ---- integers of files ---- */

static inline unsigned ncl_le16(const unsigned char *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static inline uint32_t ncl_le32(const unsigned char *p)
{
    return (uint32_t)ncl_le16(p) | (uint32_t)ncl_le16(p + 2) << 16;
}

static inline unsigned ncl_be16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | (unsigned)p[1];
}

static inline uint32_t ncl_be32(const unsigned char *p)
{
    return (uint32_t)ncl_be16(p) << 16 | (uint32_t)ncl_be16(p + 2);
}

#endif

#include "image/formats.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A picture of more pixels than any camera's is a decompression bomb; a side longer than this has
 * weights too small for the fixed point of resizing. */
#define MAX_PIXELS ((int64_t)128 << 20)
#define MAX_SIDE (1 << 20)

ncl_status ncl_image_check_size(const struct ncl_image_file *file, int64_t width, int64_t height)
{
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return ncl_fail(file->log, NCL_ERROR_INPUT,
                        "%s: %lld x %lld pixels, expected sides of 1 to %d", file->path,
                        (long long)width, (long long)height, MAX_SIDE);
    if (width * height > MAX_PIXELS)
        return ncl_fail(file->log, NCL_ERROR_INPUT,
                        "%s: %lld x %lld pixels, expected at most %lld in all", file->path,
                        (long long)width, (long long)height, (long long)MAX_PIXELS);
    return NCL_OK;
}

ncl_status ncl_image_make(const struct ncl_image_file *file, int64_t width, int64_t height,
                          struct ncl_image *image)
{
    const ncl_status status = ncl_image_check_size(file, width, height);

    if (status != NCL_OK)
        return status;
    *image = (struct ncl_image){.width = (int)width, .height = (int)height, .channels = 3};
    image->pixels = ncl_alloc((size_t)width * (size_t)height, 3);
    return image->pixels ? NCL_OK : ncl_fail_memory(file->log, file->path);
}

ncl_status ncl_image_fail_cut(const struct ncl_image_file *file, const char *what)
{
    return ncl_fail(file->log, NCL_ERROR_INPUT,
                    "%s: cut off: expected %s, found the end at byte %zu", file->path, what,
                    file->size);
}

unsigned char ncl_image_clip16(unsigned value)
{
    return (unsigned char)(value > 255 ? 255 : value);
}

void ncl_image_note_clip(const struct ncl_image_file *file)
{
    ncl_note(file->log, NCL_LOG_WARNING,
             "%s: 16-bit grey: levels above 255 become white, as Pillow makes them", file->path);
}

static const struct format {
    const char *magic;
    size_t length;
    ncl_status (*decode)(const struct ncl_image_file *file, struct ncl_image *image);
} formats[] = {
    {"\xff\xd8\xff", 3, ncl_jpeg_decode},
    {"\x89PNG\r\n\x1a\n", 8, ncl_png_decode},
    {"GIF87a", 6, ncl_gif_decode},
    {"GIF89a", 6, ncl_gif_decode},
    {"BM", 2, ncl_bmp_decode},
    {"P1", 2, ncl_pnm_decode},
    {"P2", 2, ncl_pnm_decode},
    {"P3", 2, ncl_pnm_decode},
    {"P4", 2, ncl_pnm_decode},
    {"P5", 2, ncl_pnm_decode},
    {"P6", 2, ncl_pnm_decode},
};

ncl_status ncl_image_decode_memory(const struct ncl_log *log, const char *path,
                                   const unsigned char *data, size_t size, struct ncl_image *image)
{
    const struct ncl_image_file file = {log, path, data, size};

    *image = (struct ncl_image){0};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        ncl_status status;

        if (size < formats[i].length || memcmp(data, formats[i].magic, formats[i].length) != 0)
            continue;
        status = formats[i].decode(&file, image);
        if (status != NCL_OK)
            ncl_image_free(image);
        return status;
    }
    return ncl_fail(log, NCL_ERROR_INPUT,
                    "%s: expected a JPEG, PNG, BMP, GIF or PPM image, found %zu bytes of none of "
                    "these",
                    path, size);
}

ncl_status ncl_image_decode(const struct ncl_log *log, const char *path, struct ncl_image *image)
{
    struct ncl_file_map map;
    ncl_status status = ncl_file_map(log, path, &map);

    *image = (struct ncl_image){0};
    if (status != NCL_OK)
        return status;
    status = ncl_image_decode_memory(log, path, map.data, map.size, image);
    ncl_file_unmap(&map);
    return status;
}

void ncl_image_to_grey(struct ncl_image *image)
{
    const size_t count = (size_t)image->width * (size_t)image->height;

    if (image->channels == 1)
        return;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *rgb = image->pixels + i * 3;

        /* Rec. 601 luma in 16 fraction bits. */
        image->pixels[i] =
            (unsigned char)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
    }
    image->channels = 1;
}

void ncl_image_free(struct ncl_image *image)
{
    free(image->pixels);
    *image = (struct ncl_image){0};
}

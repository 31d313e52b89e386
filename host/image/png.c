/* PNG: the frame of chunks is checked here, checksums included; stb decodes what is in it. */
#include "image/formats.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* stb takes its memory through these, which stop a small file that unpacks to gigabytes. */
static _Thread_local struct {
    size_t most; /* bytes at once */
    bool exceeded;
} bound;

static bool within_bound(size_t bytes)
{
    bound.exceeded = bound.exceeded || bytes > bound.most;
    return bytes <= bound.most;
}

static void *bounded_malloc(size_t bytes)
{
    return within_bound(bytes) ? malloc(bytes) : NULL;
}

static void *bounded_realloc(void *old, size_t bytes)
{
    return within_bound(bytes) ? realloc(old, bytes) : NULL;
}

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function" /* judged at the end of the file */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_NO_LINEAR
#define STBI_MALLOC bounded_malloc
#define STBI_REALLOC bounded_realloc
#define STBI_FREE free
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#define SIGNATURE 8
/* Length and type before a chunk's data, a checksum after. */
#define BEFORE 8
#define AROUND 12
#define IHDR_BYTES 13
#define MAX_PALETTE 768 /* 256 entries of 3 bytes */

enum colour { GREY = 0, RGB = 2, INDEXED = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };

struct png {
    const struct ncl_image_file *file;
    uint32_t width, height;
    int depth, colour;
    size_t palette; /* where its chunk begins; 0: none */
    bool pixels;
    int exif, xmp; /* orientations */
};

/* CRC-32 of zlib and PNG, four bits at a time. */
static uint32_t crc32(const unsigned char *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static ncl_status read_header(struct png *png, const unsigned char *data, size_t length)
{
    const struct ncl_image_file *f = png->file;

    if (length != IHDR_BYTES)
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: PNG header of %zu bytes, expected %d",
                        f->path, length, IHDR_BYTES);
    png->width = ncl_be32(data);
    png->height = ncl_be32(data + 4);
    png->depth = data[8];
    png->colour = data[9];
    return ncl_image_check_size(f, png->width, png->height);
}

/* An uncompressed XML packet: keyword, two zeros, then language and translated keyword. */
static int read_xmp(const unsigned char *data, size_t length)
{
    static const char keyword[] = "XML:com.adobe.xmp\0"; /* with both zeros */

    if (length < sizeof keyword || memcmp(data, keyword, sizeof keyword) != 0)
        return 0;
    return ncl_xmp_orientation(data, length);
}

static ncl_status read_palette(struct png *png, size_t at, size_t length)
{
    const struct ncl_image_file *f = png->file;

    if (png->palette || length % 3 || length > MAX_PALETTE)
        return ncl_fail(f->log, NCL_ERROR_INPUT,
                        "%s: PNG palette at byte %zu of %zu bytes, expected one of 3 to %d",
                        f->path, at, length, MAX_PALETTE);
    png->palette = at;
    return NCL_OK;
}

static ncl_status read_chunk(struct png *png, size_t at, size_t length)
{
    const struct ncl_image_file *f = png->file;
    const unsigned char *type = f->data + at + 4, *data = type + 4;
    const bool is_header = memcmp(type, "IHDR", 4) == 0;

    if (is_header != (at == SIGNATURE))
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: byte %zu: expected %s", f->path, at,
                        is_header ? "one PNG header" : "a PNG header");
    if (is_header)
        return read_header(png, data, length);
    if (memcmp(type, "PLTE", 4) == 0)
        return read_palette(png, at, length);
    if (memcmp(type, "IDAT", 4) == 0)
        png->pixels = true;
    else if (memcmp(type, "eXIf", 4) == 0)
        png->exif = ncl_exif_orientation(data, length);
    else if (memcmp(type, "iTXt", 4) == 0)
        png->xmp = read_xmp(data, length);
    else if (!(type[0] & 0x20) && memcmp(type, "IEND", 4) != 0)
        return ncl_fail(f->log, NCL_ERROR_INPUT,
                        "%s: byte %zu: expected a known PNG chunk, found the critical 0x%08x",
                        f->path, at, (unsigned)ncl_be32(type));
    return NCL_OK;
}

/* All chunks to the end. */
static ncl_status read_chunks(struct png *png)
{
    const struct ncl_image_file *f = png->file;
    size_t at = SIGNATURE, length;

    for (bool last = false; !last; at += AROUND + length) {
        const unsigned char *chunk = f->data + at;
        uint32_t crc;
        ncl_status status;

        if (f->size - at < AROUND)
            return ncl_image_fail_cut(f, "a PNG chunk");
        length = ncl_be32(chunk);
        if (f->size - at - AROUND < length)
            return ncl_image_fail_cut(f, "the rest of a PNG chunk");
        crc = ncl_be32(chunk + BEFORE + length);
        if (crc32(chunk + 4, length + 4) != crc)
            return ncl_fail(f->log, NCL_ERROR_INPUT,
                            "%s: damaged PNG chunk at byte %zu: checksum %08x, expected %08x",
                            f->path, at, (unsigned)crc32(chunk + 4, length + 4), (unsigned)crc);
        status = read_chunk(png, at, length);
        if (status != NCL_OK)
            return status;
        last = memcmp(chunk + 4, "IEND", 4) == 0;
    }
    if (!png->pixels)
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: expected pixels, found a PNG without IDAT",
                        f->path);
    return NCL_OK;
}

/* The file with its palette filled up by black: pixels may name entries that it lacks, which stb
 * would read from uninitialised memory. size: in and out. free() */
static unsigned char *fill_palette(const struct png *png, size_t *size)
{
    const struct ncl_image_file *f = png->file;
    const size_t entries = (size_t)1 << png->depth;
    const size_t found = ncl_be32(f->data + png->palette);
    const size_t end = png->palette + BEFORE + found; /* of what it has */
    const size_t missing = entries * 3 - found;
    unsigned char *copy = malloc(f->size + missing);

    if (!copy)
        return NULL;
    memcpy(copy, f->data, end);
    memset(copy + end, 0, missing);
    memcpy(copy + end + missing, f->data + end, f->size - end);
    for (int i = 0; i < 4; i++)
        copy[png->palette + (size_t)i] = (unsigned char)(entries * 3 >> (24 - 8 * i));
    *size = f->size + missing;
    return copy;
}

static ncl_status fail_stb(const struct ncl_image_file *f)
{
    if (bound.exceeded)
        return ncl_fail(f->log, NCL_ERROR_INPUT,
                        "%s: broken PNG: expected pixels, found much more packed data", f->path);
    if (strcmp(stbi_failure_reason(), "outofmem") == 0)
        return ncl_fail_memory(f->log, f->path);
    return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: expected a sound PNG, found: %s", f->path,
                    stbi_failure_reason());
}

static ncl_status decode_grey16(const struct png *png, struct ncl_image *image)
{
    const struct ncl_image_file *f = png->file;
    int width = 0, height = 0, channels = 0;
    stbi_us *levels =
        stbi_load_16_from_memory(f->data, (int)f->size, &width, &height, &channels, 1);
    const ncl_status status = levels ? ncl_image_make(f, width, height, image) : fail_stb(f);

    for (size_t i = 0; status == NCL_OK && i < (size_t)width * (size_t)height * 3; i++)
        image->pixels[i] = ncl_image_clip16(levels[i / 3]);
    free(levels);
    ncl_image_note_clip(f);
    return status;
}

static ncl_status decode_pixels(const struct png *png, struct ncl_image *image)
{
    const struct ncl_image_file *f = png->file;
    unsigned char *copy = NULL;
    size_t size = f->size;
    int channels = 0;

    if (png->depth == 16 && png->colour == GREY)
        return decode_grey16(png, image);
    if (png->colour == INDEXED && png->palette && png->depth <= 8 &&
        ncl_be32(f->data + png->palette) < (size_t)3 << png->depth) {
        copy = fill_palette(png, &size);
        if (!copy)
            return ncl_fail_memory(f->log, f->path);
    }
    image->channels = 3;
    image->pixels = stbi_load_from_memory(copy ? copy : f->data, (int)size, &image->width,
                                          &image->height, &channels, 3);
    free(copy);
    return image->pixels ? NCL_OK : fail_stb(f);
}

ncl_status ncl_png_decode(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct png png = {.file = file};
    ncl_status status = read_chunks(&png);

    if (status != NCL_OK)
        return status;
    if (file->size > INT_MAX - 1024)
        return ncl_fail(file->log, NCL_ERROR_INPUT, "%s: %zu bytes, expected less than 2 GiB",
                        file->path, file->size);
    /* 4 channels of 16 bits with a filter byte for each row of 7 passes; packed data in a buffer
     * that grows by doubling. */
    bound.most =
        (size_t)png.width * png.height * 8 + (size_t)png.height * 8 + file->size * 2 + 8192;
    bound.exceeded = false;
    status = decode_pixels(&png, image);
    if (status == NCL_OK)
        status = ncl_image_turn(file, png.exif ? png.exif : png.xmp, image);
    return status;
}

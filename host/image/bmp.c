/* BMP: Windows's and OS/2's bitmaps of 1, 4, 8, 16, 24 and 32 bits, run lengths included. */
#include "image/formats.h"

#include <stdlib.h>
#include <string.h>

#define FILE_HEADER 14

enum compression { PLAIN = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3 };

struct bmp {
    const struct ncl_image_file *file;
    size_t pixels; /* where they begin */
    int64_t width, height;
    bool top_down;
    unsigned bits;
    uint32_t compression;
    uint32_t masks[3];
    unsigned char palette[256][3]; /* entries that the file lacks are black */
};

static ncl_status fail(const struct bmp *b, const char *what, unsigned long found)
{
    return ncl_fail(b->file->log, NCL_ERROR_INPUT, "%s: BMP: %s, found %lu", b->file->path, what,
                    found);
}

/* size: of the header, without the file's own. */
static ncl_status read_header(struct bmp *b, uint32_t size, uint32_t *colours)
{
    const unsigned char *header = b->file->data + FILE_HEADER;

    *colours = 0;
    if (size == 12) { /* OS/2 1.x */
        b->width = ncl_le16(header + 4);
        b->height = ncl_le16(header + 6);
        b->bits = ncl_le16(header + 10);
    } else {
        b->width = (int32_t)ncl_le32(header + 4);
        b->height = (int32_t)ncl_le32(header + 8);
        b->bits = ncl_le16(header + 14);
        b->compression = ncl_le32(header + 16);
        *colours = ncl_le32(header + 32);
    }
    b->top_down = b->height < 0;
    if (b->top_down)
        b->height = -b->height;
    if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 16 && b->bits != 24 &&
        b->bits != 32)
        return fail(b, "expected 1, 4, 8, 16, 24 or 32 bits a pixel", b->bits);
    if (b->compression > BITFIELDS || (b->compression == RLE8 && b->bits != 8) ||
        (b->compression == RLE4 && b->bits != 4) || (b->compression == BITFIELDS && b->bits < 16))
        return fail(b, "expected a compression of 0 to 3 that fits the bits", b->compression);
    return ncl_image_check_size(b->file, b->width, b->height);
}

/* Bits of red, green and blue in a pixel. */
static ncl_status read_masks(struct bmp *b, size_t *at)
{
    static const uint32_t usual16[3] = {0x7c00, 0x3e0, 0x1f};
    static const uint32_t usual[3] = {0xff0000, 0xff00, 0xff};
    uint32_t all = 0;

    memcpy(b->masks, b->bits == 16 ? usual16 : usual, sizeof b->masks);
    if (b->compression != BITFIELDS)
        return NCL_OK;
    /* In the header, or right after one of 40 bytes: at the same place. */
    if (b->file->size < FILE_HEADER + 40 + 12)
        return ncl_image_fail_cut(b->file, "masks of colours");
    if (*at == FILE_HEADER + 40)
        *at += 12;
    for (size_t i = 0; i < 3; i++) {
        const uint32_t mask = ncl_le32(b->file->data + FILE_HEADER + 40 + i * 4);

        if (mask)
            b->masks[i] = mask;
        all |= mask;
    }
    for (size_t i = 0; all && i < 3; i++)
        if (!ncl_le32(b->file->data + FILE_HEADER + 40 + i * 4))
            return ncl_fail(b->file->log, NCL_ERROR_INPUT,
                            "%s: BMP: expected masks of red, green and blue, found an empty one",
                            b->file->path);
    return NCL_OK;
}

/* at: where the palette begins; on return, where it ends. */
static ncl_status read_palette(struct bmp *b, size_t *at, size_t entry, uint32_t colours)
{
    const size_t count = colours ? colours : (size_t)1 << b->bits;

    if (count > 65536)
        return fail(b, "expected a palette of at most 65536 colours", colours);
    if (b->file->size - *at < count * entry)
        return ncl_image_fail_cut(b->file, "a palette");
    for (size_t i = 0; i < count && i < 256; i++)
        for (size_t k = 0; k < 3; k++)
            b->palette[i][k] = b->file->data[*at + i * entry + 2 - k];
    *at += count * entry;
    return NCL_OK;
}

static ncl_status read_headers(struct bmp *b)
{
    const struct ncl_image_file *f = b->file;
    uint32_t size, colours = 0;
    size_t at;
    ncl_status status;

    if (f->size < FILE_HEADER + 4)
        return ncl_image_fail_cut(f, "a BMP header");
    b->pixels = ncl_le32(f->data + 10);
    size = ncl_le32(f->data + FILE_HEADER);
    if (size != 12 && size != 40 && size != 52 && size != 56 && size != 64 && size != 108 &&
        size != 124)
        return fail(b, "expected a header of 12, 40, 52, 56, 64, 108 or 124 bytes", size);
    at = FILE_HEADER + size;
    if (f->size < at)
        return ncl_image_fail_cut(f, "the rest of a BMP header");
    status = read_header(b, size, &colours);
    if (status == NCL_OK)
        status = read_masks(b, &at);
    if (status == NCL_OK && b->bits <= 8)
        status = read_palette(b, &at, size == 12 ? 3 : 4, colours);
    /* Some writers give no offset, or that of the palette. */
    if (!b->pixels || (b->bits <= 8 && b->pixels == FILE_HEADER + size))
        b->pixels = at;
    return status;
}

/* The masked bits, spread over 8. */
static unsigned char extract(uint32_t pixel, uint32_t mask)
{
    const uint32_t lowest = mask & (~mask + 1);

    return (unsigned char)((uint64_t)(pixel & mask) / lowest * 255 / (mask / lowest));
}

static void decode_line(const struct bmp *b, const unsigned char *line, unsigned char *rgb)
{
    for (size_t x = 0; x < (size_t)b->width; x++, rgb += 3) {
        const unsigned char *at = line + x * b->bits / 8;
        unsigned index;
        uint32_t pixel;

        if (b->bits <= 8) {
            index = *at >> (8 - b->bits - x * b->bits % 8) & ((1u << b->bits) - 1);
            memcpy(rgb, b->palette[index], 3);
            continue;
        }
        pixel = b->bits == 16 ? ncl_le16(at) : ncl_le16(at) | (uint32_t)at[2] << 16;
        if (b->bits == 32)
            pixel |= (uint32_t)at[3] << 24;
        for (size_t k = 0; k < 3; k++)
            rgb[k] = extract(pixel, b->masks[k]);
    }
}

static unsigned char *row_of(const struct bmp *b, int64_t order, struct ncl_image *image)
{
    const int64_t y = b->top_down ? order : b->height - 1 - order;

    return image->pixels + (size_t)y * (size_t)b->width * 3;
}

static ncl_status decode_lines(const struct bmp *b, struct ncl_image *image)
{
    const size_t row = ((size_t)b->width * b->bits + 7) / 8;
    const size_t stride = (row + 3) / 4 * 4, height = (size_t)b->height;
    const struct ncl_image_file *f = b->file;

    if (b->pixels > f->size || f->size - b->pixels < stride * (height - 1) + row)
        return ncl_image_fail_cut(f, "pixels");
    for (size_t y = 0; y < height; y++)
        decode_line(b, f->data + b->pixels + y * stride, row_of(b, (int64_t)y, image));
    return NCL_OK;
}

/* ---- run lengths ---- */

struct run {
    const struct bmp *b;
    struct ncl_image *image;
    size_t at;
    int64_t x, y; /* y in the file's order */
};

static void put(struct run *run, unsigned index)
{
    if (run->x < run->b->width && run->y < run->b->height)
        memcpy(row_of(run->b, run->y, run->image) + run->x * 3, run->b->palette[index], 3);
    run->x++;
}

/* `count` pixels of the bytes from data on, which repeat after `period` pixels. */
static void put_all(struct run *run, const unsigned char *data, unsigned count, unsigned period)
{
    const bool half = run->b->bits == 4;

    for (unsigned i = 0; i < count; i++) {
        const unsigned k = i % period;

        put(run, !half ? data[k] : k % 2 ? data[k / 2] & 15 : data[k / 2] >> 4);
    }
}

/* After a zero: 0 ends a line, 1 the image, 2 moves right and on, more are literal pixels. */
static ncl_status decode_escape(struct run *run, unsigned code, bool *end)
{
    const struct ncl_image_file *f = run->b->file;
    const size_t literal = run->b->bits == 4 ? (code + 1) / 2 : code;
    const size_t needed = code == 2 ? 2 : code > 2 ? literal : 0;
    const unsigned char *data = f->data + run->at;

    if (f->size - run->at < needed)
        return ncl_image_fail_cut(f, "pixels");
    run->at += needed;
    *end = code == 1;
    if (code == 0) {
        run->x = 0;
        run->y++;
    } else if (code == 2) {
        run->x += data[0];
        run->y += data[1];
    } else if (code > 2) {
        put_all(run, data, code, code);
        run->at += literal % 2; /* a pad to 16 bits */
    }
    return NCL_OK;
}

static ncl_status decode_runs(const struct bmp *b, struct ncl_image *image)
{
    const struct ncl_image_file *f = b->file;
    struct run run = {.b = b, .image = image, .at = b->pixels};
    ncl_status status = NCL_OK;

    /* What moves leave out has colour 0. */
    for (size_t i = 0; i < (size_t)b->width * (size_t)b->height; i++)
        memcpy(image->pixels + i * 3, b->palette[0], 3);
    for (bool end = false; !end && run.y < b->height && status == NCL_OK;) {
        unsigned count, value;

        if (run.at > f->size || f->size - run.at < 2)
            break;
        count = f->data[run.at];
        value = f->data[run.at + 1];
        run.at += 2;
        if (count)
            put_all(&run, f->data + run.at - 1, count, b->bits == 4 ? 2 : 1);
        else
            status = decode_escape(&run, value, &end);
    }
    if (status == NCL_OK && run.y < b->height && (run.y < b->height - 1 || run.x < b->width))
        return ncl_fail(f->log, NCL_ERROR_INPUT,
                        "%s: BMP: expected runs up to pixel %lld of line %lld, found the last at "
                        "%lld of %lld",
                        f->path, (long long)b->width, (long long)b->height, (long long)run.x,
                        (long long)run.y + 1);
    return status;
}

ncl_status ncl_bmp_decode(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct bmp b = {.file = file};
    ncl_status status = read_headers(&b);

    if (status == NCL_OK)
        status = ncl_image_make(file, b.width, b.height, image);
    if (status != NCL_OK)
        return status;
    return b.compression == RLE8 || b.compression == RLE4 ? decode_runs(&b, image)
                                                          : decode_lines(&b, image);
}

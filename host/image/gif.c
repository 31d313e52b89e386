/* GIF: the first frame, on its canvas. */
#include "image/formats.h"

#include <stdlib.h>
#include <string.h>

#define TABLE 4096 /* strings of the decompressor; codes have at most 12 bits */
#define MAX_CODE_BITS 12

struct gif {
    const struct ncl_image_file *file;
    size_t at;
    int64_t width, height;
    unsigned char palette[256][3];
    int transparent; /* index, or -1 */
};

struct frame {
    int left, top, width, height;
    bool interlaced;
};

/* LZW: codes of growing width in blocks of up to 255 bytes. */
struct lzw {
    struct gif *gif;
    size_t block; /* bytes left of the current one */
    uint32_t bits;
    int bit_count, code_bits, first_bits;
    int next;           /* first free string */
    int previous;       /* code; -1 after a clear */
    unsigned char last; /* first byte of the previous string */
    uint16_t prefix[TABLE];
    unsigned char suffix[TABLE], stack[TABLE + 1];
};

static bool has(const struct gif *gif, size_t bytes)
{
    return gif->file->size - gif->at >= bytes;
}

/* A table that is no more than a grey wedge, or none, leaves indices as grey levels; entries that a
 * table lacks are black. */
static ncl_status read_palette(struct gif *gif, unsigned flags)
{
    const size_t count = flags & 0x80 ? (size_t)2 << (flags & 7) : 0;
    const unsigned char *table = gif->file->data + gif->at;
    bool wedge = true;

    if (!has(gif, count * 3))
        return ncl_image_fail_cut(gif->file, "a colour table");
    gif->at += count * 3;
    for (size_t i = 0; i < count * 3; i++)
        wedge = wedge && table[i] == i / 3;
    for (size_t i = 0; i < 256; i++)
        for (size_t k = 0; k < 3; k++)
            gif->palette[i][k] = wedge ? (unsigned char)i : i < count ? table[i * 3 + k] : 0;
    return NCL_OK;
}

static ncl_status read_screen(struct gif *gif)
{
    const unsigned char *data = gif->file->data;

    gif->at = 13;
    if (gif->file->size < 13)
        return ncl_image_fail_cut(gif->file, "a GIF header");
    gif->width = ncl_le16(data + 6);
    gif->height = ncl_le16(data + 8);
    gif->transparent = -1;
    return read_palette(gif, data[10]);
}

/* Blocks up to the empty one. */
static ncl_status skip_blocks(struct gif *gif)
{
    while (has(gif, 1)) {
        const size_t length = gif->file->data[gif->at++];

        if (!length)
            return NCL_OK;
        if (!has(gif, length))
            break;
        gif->at += length;
    }
    return ncl_image_fail_cut(gif->file, "a block of a GIF");
}

static ncl_status read_extension(struct gif *gif)
{
    const unsigned char *data = gif->file->data + gif->at;

    /* Graphic control: 4 bytes, of which the first tells whether the last is the transparent index.
     */
    if (has(gif, 6) && data[0] == 0xf9 && data[1] >= 4 && data[2] & 1)
        gif->transparent = data[5];
    gif->at += has(gif, 1) ? 1 : 0;
    return skip_blocks(gif);
}

/* Up to the next image (NCL_OK, *found) or the end. Bytes between blocks are skipped. */
static ncl_status find_image(struct gif *gif, bool *found)
{
    *found = false;
    while (has(gif, 1)) {
        const unsigned char kind = gif->file->data[gif->at++];
        ncl_status status = NCL_OK;

        if (kind == ';')
            return NCL_OK;
        *found = kind == ',';
        if (*found)
            return NCL_OK;
        if (kind == '!')
            status = read_extension(gif);
        if (status != NCL_OK)
            return status;
    }
    return ncl_image_fail_cut(gif->file, "the trailer of a GIF");
}

static ncl_status read_frame(struct gif *gif, struct frame *frame)
{
    const unsigned char *data = gif->file->data + gif->at;

    if (!has(gif, 10))
        return ncl_image_fail_cut(gif->file, "a frame of a GIF");
    gif->at += 9;
    *frame = (struct frame){(int)ncl_le16(data), (int)ncl_le16(data + 2), (int)ncl_le16(data + 4),
                            (int)ncl_le16(data + 6), data[8] & 0x40};
    if (!frame->width || !frame->height)
        return ncl_fail(gif->file->log, NCL_ERROR_INPUT,
                        "%s: a frame of %d x %d pixels, expected at least one", gif->file->path,
                        frame->width, frame->height);
    if (gif->width < frame->left + frame->width)
        gif->width = frame->left + frame->width;
    if (gif->height < frame->top + frame->height)
        gif->height = frame->top + frame->height;
    return data[8] & 0x80 ? read_palette(gif, data[8]) : NCL_OK;
}

static void clear(struct lzw *lzw)
{
    lzw->code_bits = lzw->first_bits + 1;
    lzw->next = (1 << lzw->first_bits) + 2;
    lzw->previous = -1;
}

/* The next code; -1: the data end. */
static int read_code(struct lzw *lzw)
{
    struct gif *gif = lzw->gif;
    int code;

    while (lzw->bit_count < lzw->code_bits) {
        if (!has(gif, 1))
            return -1;
        if (!lzw->block) {
            lzw->block = gif->file->data[gif->at++];
            if (!lzw->block)
                gif->at--; /* skip_blocks ends at it */
            if (!lzw->block || !has(gif, lzw->block))
                return -1;
        }
        lzw->bits |= (uint32_t)gif->file->data[gif->at++] << lzw->bit_count;
        lzw->bit_count += 8;
        lzw->block--;
    }
    code = (int)(lzw->bits & ((1u << lzw->code_bits) - 1));
    lzw->bits >>= lzw->code_bits;
    lzw->bit_count -= lzw->code_bits;
    return code;
}

/* Pushes the string of `code` on the stack, its last byte first, and makes the next string: the
 * previous one and this one's first byte. Returns its length, 0 for a code that cannot be. */
static int expand(struct lzw *lzw, int code)
{
    const int clear_code = 1 << lzw->first_bits;
    int length = 0, at = code;

    if (code > lzw->next || (lzw->previous < 0 && code >= clear_code))
        return 0;
    if (code == lzw->next) { /* the string about to be made */
        lzw->stack[length++] = lzw->last;
        at = lzw->previous;
    }
    for (; at >= clear_code; at = lzw->prefix[at]) {
        if (at >= TABLE || length == TABLE)
            return 0;
        lzw->stack[length++] = lzw->suffix[at];
    }
    lzw->last = (unsigned char)at;
    lzw->stack[length++] = lzw->last;
    if (lzw->previous >= 0 && lzw->next < TABLE) {
        lzw->suffix[lzw->next] = lzw->last;
        lzw->prefix[lzw->next] = (uint16_t)lzw->previous;
        if (lzw->next == (1 << lzw->code_bits) - 1 && lzw->code_bits < MAX_CODE_BITS)
            lzw->code_bits++;
        lzw->next++;
    }
    lzw->previous = code;
    return length;
}

/* The row of the frame that comes `order`-th in the file: interlaced ones in four passes. */
static int row_of(const struct frame *frame, int order)
{
    static const int start[4] = {0, 4, 2, 1}, step[4] = {8, 8, 4, 2};

    for (int pass = 0; frame->interlaced && pass < 4; pass++) {
        const int rows = (frame->height - start[pass] + step[pass] - 1) / step[pass];

        if (order < rows)
            return start[pass] + order * step[pass];
        order -= rows > 0 ? rows : 0;
    }
    return order;
}

static ncl_status decode_frame(struct lzw *lzw, const struct frame *frame, struct ncl_image *image)
{
    struct gif *gif = lzw->gif;
    const int clear_code = 1 << lzw->first_bits;
    const int64_t count = (int64_t)frame->width * frame->height;
    int64_t done = 0;

    for (clear(lzw); done < count;) {
        const int code = read_code(lzw);
        int length;

        if (code == clear_code) {
            clear(lzw);
            continue;
        }
        if (code < 0 || code == clear_code + 1)
            break;
        length = expand(lzw, code);
        if (!length)
            return ncl_fail(gif->file->log, NCL_ERROR_INPUT,
                            "%s: byte %zu: LZW code %d, expected at most %d", gif->file->path,
                            gif->at, code, lzw->previous < 0 ? clear_code : lzw->next);
        for (; length && done < count; done++) {
            const int x = frame->left + (int)(done % frame->width);
            const int y = frame->top + row_of(frame, (int)(done / frame->width));

            memcpy(image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3,
                   gif->palette[lzw->stack[--length]], 3);
        }
    }
    return done == count ? NCL_OK
                         : ncl_fail(gif->file->log, NCL_ERROR_INPUT,
                                    "%s: expected a frame of %lld pixels, found %lld",
                                    gif->file->path, (long long)count, (long long)done);
}

/* The rest of the file is walked only to know that it is there. */
static ncl_status skip_rest(struct gif *gif, size_t block)
{
    ncl_status status;
    bool more = false;

    if (!has(gif, block))
        return ncl_image_fail_cut(gif->file, "a block of a GIF");
    gif->at += block;
    status = skip_blocks(gif);
    for (;;) {
        if (status == NCL_OK)
            status = find_image(gif, &more);
        if (status != NCL_OK || !more)
            return status;
        if (!has(gif, 10))
            return ncl_image_fail_cut(gif->file, "a frame of a GIF");
        gif->at += 9;
        status = read_palette(gif, gif->file->data[gif->at - 1]);
        gif->at += has(gif, 1) ? 1 : 0; /* width of codes */
        if (status == NCL_OK)
            status = skip_blocks(gif);
    }
}

ncl_status ncl_gif_decode(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct gif gif = {.file = file};
    struct lzw lzw = {.gif = &gif};
    struct frame frame = {0};
    bool found = false;
    ncl_status status = read_screen(&gif);

    if (status == NCL_OK)
        status = find_image(&gif, &found);
    if (status == NCL_OK && !found)
        return ncl_fail(file->log, NCL_ERROR_INPUT, "%s: expected a frame, found a GIF without one",
                        file->path);
    if (status == NCL_OK)
        status = read_frame(&gif, &frame);
    if (status == NCL_OK)
        status = ncl_image_make(file, gif.width, gif.height, image);
    if (status != NCL_OK)
        return status;
    if (!has(&gif, 1))
        return ncl_image_fail_cut(file, "pixels");
    lzw.first_bits = file->data[gif.at++];
    if (lzw.first_bits < 1 || lzw.first_bits > 8)
        return ncl_fail(file->log, NCL_ERROR_INPUT, "%s: codes of %d bits, expected 1 to 8",
                        file->path, lzw.first_bits);
    /* What the frame leaves free is transparent, so has that index's colour, or else index 0's. */
    for (size_t i = 0; i < (size_t)gif.width * (size_t)gif.height; i++)
        memcpy(image->pixels + i * 3, gif.palette[gif.transparent < 0 ? 0 : gif.transparent], 3);
    status = decode_frame(&lzw, &frame, image);
    return status == NCL_OK ? skip_rest(&gif, lzw.block) : status;
}

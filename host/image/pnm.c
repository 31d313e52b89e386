/* Netpbm: P1 to P6, plain and raw bitmaps, grey and colour maps. */
#include "image/formats.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct pnm {
    const struct ncl_image_file *file;
    size_t at;
    char kind; /* '1' to '6' */
    int maximum;
};

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A comment runs from # to the end of its line. */
static void skip_space(struct pnm *p)
{
    const struct ncl_image_file *f = p->file;
    bool comment = false;

    for (; p->at < f->size; p->at++) {
        const unsigned char c = f->data[p->at];

        if (comment)
            comment = c != '\n' && c != '\r';
        else if (c == '#')
            comment = true;
        else if (!is_space(c))
            break;
    }
}

static ncl_status read_number(struct pnm *p, const char *what, int *value)
{
    const struct ncl_image_file *f = p->file;
    size_t start;
    int64_t number = 0;

    skip_space(p);
    for (start = p->at; p->at < f->size && f->data[p->at] >= '0' && f->data[p->at] <= '9'; p->at++)
        number = number > INT_MAX ? number : number * 10 + (f->data[p->at] - '0');
    if (p->at == f->size && p->at == start)
        return ncl_image_fail_cut(f, what);
    if (p->at == start || number > INT_MAX ||
        (p->at < f->size && !is_space(f->data[p->at]) && f->data[p->at] != '#'))
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: byte %zu: expected %s, a number up to %d",
                        f->path, start, what, INT_MAX);
    *value = (int)number;
    return NCL_OK;
}

static ncl_status read_header(struct pnm *p, int *width, int *height)
{
    const struct ncl_image_file *f = p->file;
    ncl_status status;

    p->kind = (char)f->data[1];
    p->at = 2;
    if (f->size > 2 && !is_space(f->data[2]))
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: expected white space after P%c", f->path,
                        p->kind);
    status = read_number(p, "a width", width);
    if (status == NCL_OK)
        status = read_number(p, "a height", height);
    p->maximum = 1;
    if (status == NCL_OK && p->kind != '1' && p->kind != '4')
        status = read_number(p, "a largest level", &p->maximum);
    if (status == NCL_OK && (p->maximum < 1 || p->maximum > 65535))
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: largest level %d, expected 1 to 65535",
                        f->path, p->maximum);
    if (status != NCL_OK || p->kind < '4')
        return status;
    if (p->at < f->size && !is_space(f->data[p->at]))
        return ncl_fail(f->log, NCL_ERROR_INPUT,
                        "%s: byte %zu: expected one white space, then pixels", f->path, p->at);
    p->at += p->at < f->size;
    return NCL_OK;
}

/* Rounded half to even. Grey of more than 8 bits is spread over 16 and then clipped, as in Pillow.
 */
static unsigned char to_level(const struct pnm *p, int value)
{
    const bool grey16 = (p->kind == '2' || p->kind == '5') && p->maximum > 255;
    const double most = grey16 ? 65535.0 : 255.0;
    const double level = nearbyint((double)value / p->maximum * most);

    if (p->maximum == 255)
        return (unsigned char)value;
    return ncl_image_clip16((unsigned)level);
}

/* Plain bitmaps need no space between their digits. */
static ncl_status read_plain(struct pnm *p, int *value)
{
    const struct ncl_image_file *f = p->file;
    const size_t start = p->at;
    ncl_status status = NCL_OK;

    if (p->kind == '1') {
        skip_space(p);
        if (p->at == f->size)
            return ncl_image_fail_cut(f, "pixels");
        *value = f->data[p->at] == '1' ? 0 : f->data[p->at] == '0' ? 1 : INT_MAX; /* 1: black */
        p->at++;
    } else {
        status = read_number(p, "a level", value);
    }
    if (status == NCL_OK && *value > p->maximum)
        return ncl_fail(f->log, NCL_ERROR_INPUT, "%s: byte %zu: expected a level of 0 to %d",
                        f->path, start, p->maximum);
    return status;
}

static ncl_status decode_plain(struct pnm *p, int channels, struct ncl_image *image)
{
    const size_t count = (size_t)image->width * (size_t)image->height;

    for (size_t i = 0; i < count * 3; i++) {
        int value = 0;
        ncl_status status;

        if (channels == 1 && i % 3) {
            image->pixels[i] = image->pixels[i - 1];
            continue;
        }
        status = read_plain(p, &value);
        if (status != NCL_OK)
            return status;
        image->pixels[i] = to_level(p, value);
    }
    return NCL_OK;
}

/* One line of a raw file to RGB. */
static void decode_line(const struct pnm *p, int channels, const unsigned char *line, int width,
                        unsigned char *rgb)
{
    for (int i = 0; i < width * 3; i++) {
        const int sample = channels == 3 ? i : i / 3;
        int value;

        if (p->kind == '4')
            value = !(line[sample / 8] >> (7 - sample % 8) & 1);
        else
            value = p->maximum > 255 ? (int)ncl_be16(line + 2 * (size_t)sample) : line[sample];
        rgb[i] = to_level(p, value);
    }
}

static ncl_status decode_raw(const struct pnm *p, int channels, struct ncl_image *image)
{
    const struct ncl_image_file *f = p->file;
    const size_t width = (size_t)image->width, height = (size_t)image->height;
    const size_t sample = p->maximum > 255 ? 2 : 1;
    const size_t row = p->kind == '4' ? (width + 7) / 8 : width * (size_t)channels * sample;

    if (f->size - p->at < row * height)
        return ncl_image_fail_cut(f, "pixels");
    for (size_t y = 0; y < height; y++)
        decode_line(p, channels, f->data + p->at + y * row, image->width,
                    image->pixels + y * width * 3);
    return NCL_OK;
}

ncl_status ncl_pnm_decode(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct pnm p = {.file = file};
    int width = 0, height = 0, channels;
    ncl_status status = read_header(&p, &width, &height);

    if (status == NCL_OK)
        status = ncl_image_make(file, width, height, image);
    if (status != NCL_OK)
        return status;
    channels = p.kind == '3' || p.kind == '6' ? 3 : 1;
    if (channels == 1 && p.maximum > 255)
        ncl_image_note_clip(file);
    return p.kind < '4' ? decode_plain(&p, channels, image) : decode_raw(&p, channels, image);
}

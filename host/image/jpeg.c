/* JPEG: libjpeg(-turbo) decodes, as it does for Pillow, torchvision and Keras, so that pixels are
 * the same. Without it stb does, whose colour-subsampled pixels differ by some levels. */
#include "image/formats.h"

#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum marker { RST0 = 0xd0, SOI = 0xd8, EOI = 0xd9, APP1 = 0xe1 };

struct scan {
    const struct ncl_image_file *file;
    int exif, xmp; /* orientations */
};

static void read_app1(struct scan *scan, const unsigned char *data, size_t length)
{
    static const char exif[] = "Exif\0"; /* with both zeros */
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";

    if (length >= sizeof exif && memcmp(data, exif, sizeof exif) == 0)
        scan->exif = ncl_exif_orientation(data + sizeof exif, length - sizeof exif);
    else if (length >= sizeof xmp && memcmp(data, xmp, sizeof xmp) == 0)
        scan->xmp = ncl_xmp_orientation(data, length);
}

/* Walks the markers to the end of the image, which decoders do not miss when it is cut off. */
static ncl_status read_markers(struct scan *scan)
{
    const struct ncl_image_file *f = scan->file;
    size_t at = 2;

    while (at < f->size) {
        const unsigned char *next = memchr(f->data + at, 0xff, f->size - at);
        size_t length;

        at = next ? (size_t)(next - f->data) + 1 : f->size;
        if (at == f->size)
            break;
        if (f->data[at] == EOI)
            return NCL_OK;
        if (f->data[at] < 0xc0 || f->data[at] == 0xff ||
            (f->data[at] >= RST0 && f->data[at] <= SOI))
            continue; /* no marker but pixels, or one without length */
        length = f->size - at > 2 ? ncl_be16(f->data + at + 1) : 0;
        if (length < 2 || f->size - at - 1 < length)
            break;
        if (f->data[at] == APP1)
            read_app1(scan, f->data + at + 3, length - 2);
        at += 1 + length;
    }
    return ncl_image_fail_cut(f, "the marker that ends a JPEG");
}

#ifdef NCL_HAVE_LIBJPEG

#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which needs FILE */

#include <jpeglib.h>

#include <jerror.h>

#define DECODER "libjpeg"

/* More scans than any encoder makes only burn time. */
#define MAX_SCANS 500

struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    const struct ncl_image_file *file;
    struct ncl_image *image;
    unsigned char *row; /* of CMYK */
    ncl_status status;
};

static void leave(j_common_ptr jpeg)
{
    struct decoder *d = jpeg->client_data;

    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->jump, 1);
}

/* Warnings that mean lost pixels, which libjpeg would replace by grey, end decoding. */
static void judge_message(j_common_ptr jpeg, int level)
{
    static const int lost[] = {JWRN_ARITH_BAD_CODE, JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE,
                               JWRN_JPEG_EOF, JWRN_MUST_RESYNC};

    for (size_t i = 0; level < 0 && i < sizeof lost / sizeof lost[0]; i++)
        if (jpeg->err->msg_code == lost[i])
            leave(jpeg);
}

static void count_scans(j_common_ptr jpeg)
{
    struct decoder *d = jpeg->client_data;

    if (d->jpeg.input_scan_number > MAX_SCANS)
        ERREXIT(jpeg, JERR_BAD_PROGRESSION);
}

/* libjpeg has CMYK as Adobe writes it, inverted; Pillow takes all of it so. */
static void from_cmyk(const unsigned char *cmyk, int width, unsigned char *rgb)
{
    for (int i = 0; i < width * 3; i++) {
        const int ink = 255 - cmyk[i / 3 * 4 + i % 3], light = cmyk[i / 3 * 4 + 3];
        const int product = ink * light + 128;
        const int value = light - (((product >> 8) + product) >> 8);

        rgb[i] = (unsigned char)(value < 0 ? 0 : value);
    }
}

static void read_rows(struct decoder *d)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;

    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned char *rgb =
            d->image->pixels + (size_t)jpeg->output_scanline * jpeg->output_width * 3;

        jpeg_read_scanlines(jpeg, d->row ? &d->row : &rgb, 1);
        if (d->row)
            from_cmyk(d->row, d->image->width, rgb);
    }
    jpeg_finish_decompress(jpeg);
}

/* Errors of libjpeg leave this by longjmp. */
static void decode(struct decoder *d)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;

    jpeg_create_decompress(jpeg);
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, d->file->data, d->file->size);
    jpeg_read_header(jpeg, TRUE);
    d->status = ncl_image_make(d->file, jpeg->image_width, jpeg->image_height, d->image);
    if (d->status != NCL_OK)
        return;
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (jpeg->num_components == 4) {
        d->row = ncl_alloc((size_t)d->image->width, 4);
        if (!d->row) {
            d->status = ncl_fail_memory(d->file->log, d->file->path);
            return;
        }
    }
    jpeg_start_decompress(jpeg);
    read_rows(d);
}

/* What changes after setjmp belongs to the caller: locals here would be lost. */
static bool decode_guarded(struct decoder *d)
{
    if (setjmp(d->jump) != 0)
        return false;
    decode(d);
    return true;
}

static ncl_status decode_pixels(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct decoder d = {
        .file = file, .image = image, .progress = {.progress_monitor = count_scans}};

    d.jpeg.err = jpeg_std_error(&d.errors);
    d.jpeg.client_data = &d;
    d.errors.error_exit = leave;
    d.errors.emit_message = judge_message;
    if (!decode_guarded(&d))
        d.status = d.errors.msg_code == JERR_OUT_OF_MEMORY
                       ? ncl_fail_memory(file->log, file->path)
                       : ncl_fail(file->log, NCL_ERROR_INPUT,
                                  "%s: expected a sound JPEG, found: %s", file->path, d.message);
    jpeg_destroy_decompress(&d.jpeg);
    free(d.row);
    return d.status;
}

#else

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
#define STBI_ONLY_JPEG
#define STBI_NO_LINEAR
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#define DECODER "stb"

static ncl_status decode_pixels(const struct ncl_image_file *file, struct ncl_image *image)
{
    int channels = 0;
    ncl_status status = NCL_OK;

    if (file->size > INT_MAX || !stbi_info_from_memory(file->data, (int)file->size, &image->width,
                                                       &image->height, &channels))
        return ncl_fail(file->log, NCL_ERROR_INPUT,
                        "%s: expected a sound JPEG of less than 2 GiB, found %zu bytes: %s",
                        file->path, file->size, stbi_failure_reason());
    status = ncl_image_check_size(file, image->width, image->height);
    if (status != NCL_OK)
        return status;
    image->channels = 3;
    image->pixels = stbi_load_from_memory(file->data, (int)file->size, &image->width,
                                          &image->height, &channels, 3);
    return image->pixels
               ? NCL_OK
               : ncl_fail(file->log, NCL_ERROR_INPUT, "%s: expected a sound JPEG, found: %s",
                          file->path, stbi_failure_reason());
}

#endif

ncl_status ncl_jpeg_decode(const struct ncl_image_file *file, struct ncl_image *image)
{
    struct scan scan = {.file = file};
    ncl_status status = read_markers(&scan);

    ncl_note(file->log, NCL_LOG_DEBUG, "%s: a JPEG for " DECODER, file->path);
    if (status == NCL_OK)
        status = decode_pixels(file, image);
    if (status == NCL_OK)
        status = ncl_image_turn(file, scan.exif ? scan.exif : scan.xmp, image);
    return status;
}

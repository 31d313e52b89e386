/* Which way up a camera was held: EXIF and XMP, and turning the picture. */
#include "image/formats.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
/* A tag of the directory: number, type, count, value; 12 bytes. */
#define ENTRY 12

struct tiff {
    const unsigned char *data;
    size_t size;
    bool little_endian;
};

static unsigned read16(const struct tiff *tiff, size_t at)
{
    return tiff->little_endian ? ncl_le16(tiff->data + at) : ncl_be16(tiff->data + at);
}

static uint32_t read32(const struct tiff *tiff, size_t at)
{
    return tiff->little_endian ? ncl_le32(tiff->data + at) : ncl_be32(tiff->data + at);
}

/* One whole number; -1: something else. */
static long read_value(const struct tiff *tiff, size_t entry)
{
    if (read32(tiff, entry + 4) != 1)
        return -1;
    switch (read16(tiff, entry + 2)) {
    case 1: /* BYTE */
        return tiff->data[entry + 8];
    case 3: /* SHORT */
        return (long)read16(tiff, entry + 8);
    case 4: /* LONG */
        return (long)(read32(tiff, entry + 8) & 0xffff);
    default:
        return -1;
    }
}

int ncl_exif_orientation(const unsigned char *data, size_t size)
{
    struct tiff tiff = {data, size, false};
    size_t directory, entries;
    long orientation = 0;

    if (size < 8)
        return 0;
    tiff.little_endian = memcmp(data, "II*\0", 4) == 0;
    if (!tiff.little_endian && memcmp(data, "MM\0*", 4) != 0)
        return 0;
    directory = read32(&tiff, 4);
    if (directory > size - 2)
        return 0;
    entries = read16(&tiff, directory);
    for (size_t i = 0; i < entries; i++) {
        const size_t entry = directory + 2 + i * ENTRY;

        if (entry + ENTRY > size)
            break;
        if (read16(&tiff, entry) == TAG_ORIENTATION)
            orientation = read_value(&tiff, entry);
    }
    return orientation >= 1 && orientation <= 8 ? (int)orientation : 0;
}

int ncl_xmp_orientation(const unsigned char *data, size_t size)
{
    static const char name[] = "tiff:Orientation";
    const size_t length = sizeof name - 1;
    const unsigned char *end = data + size, *at = data;

    /* An attribute, ="6", or an element, >6. */
    while ((at = memmem(at, (size_t)(end - at), name, length)) != NULL) {
        at += length;
        if (end - at >= 3 && at[0] == '=' && at[1] == '"')
            at += 2;
        else if (end - at >= 2 && at[0] == '>')
            at += 1;
        else
            continue;
        if (*at >= '0' && *at <= '9')
            return *at >= '1' && *at <= '8' ? *at - '0' : 0;
    }
    return 0;
}

ncl_status ncl_image_turn(const struct ncl_image_file *file, int orientation,
                          struct ncl_image *image)
{
    /* Mirrored left to right, top to bottom, then columns and rows exchanged. */
    const bool across =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool exchange = orientation >= 5;
    const int width = image->width, height = image->height;
    const size_t row = (size_t)width * 3;
    unsigned char *turned, *to;

    if (orientation < 2)
        return NCL_OK;
    turned = to = ncl_alloc((size_t)width * (size_t)height, 3);
    if (!turned)
        return ncl_fail_memory(file->log, file->path);
    image->width = exchange ? height : width;
    image->height = exchange ? width : height;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++, to += 3) {
            const int u = exchange ? y : x, v = exchange ? x : y;
            const size_t column = (size_t)(across ? width - 1 - u : u);
            const size_t line = (size_t)(down ? height - 1 - v : v);

            memcpy(to, image->pixels + line * row + column * 3, 3);
        }
    free(image->pixels);
    image->pixels = turned;
    return NCL_OK;
}

/* libFuzzer harness of the image decoders: any bytes give a picture that can be resized, or one
 * line of error. Build with clang -fsanitize=fuzzer,address,undefined; the images in tests/data are
 * good seeds. */
#include "image/image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL (1 << 20) /* pixels */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static uint32_t checksum(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1 ? 0xedb88320u : 0u) ^ crc >> 1;
        }
    }
    return ~crc;
}

/* Mutations would end at the checksums of PNG's chunks, so these are put right. */
static void mend(uint8_t *data, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        const size_t length = big_endian(data + at);

        if (length > size - at - 12) {
            return;
        }
        for (int i = 0; i < 4; i++) {
            data[at + 8 + length + (size_t)i] =
                (uint8_t)(checksum(data + at + 4, length + 4) >> (24 - 8 * i));
        }
        at += 12 + length;
    }
}

static void decode(const uint8_t *data, size_t size)
{
    const struct ncl_image_scale small = {.width = 9, .height = 7, .columns = 9, .rows = 7};
    struct ncl_image image, resized;

    if (ncl_image_decode_memory(NULL, "bytes", data, size, &image) != NCL_OK) {
        if (image.pixels || !ncl_error_text()[0] || strchr(ncl_error_text(), '\n')) {
            __builtin_trap();
        }
        return;
    }
    /* A few bytes may name a picture of 128 million pixels: right, but slow under sanitizers. */
    if ((size_t)image.width * (size_t)image.height < SMALL &&
        ncl_image_resize(NULL, &image, &small, &resized) == NCL_OK) {
        ncl_image_to_grey(&resized);
        ncl_image_free(&resized);
    }
    ncl_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    decode(data, size);
    if (size < 8 || memcmp(data, "\x89PNG", 4) != 0) {
        return 0;
    }
    copy = malloc(size);
    if (copy) {
        memcpy(copy, data, size);
        mend(copy, size);
        decode(copy, size);
    }
    free(copy);
    return 0;
}

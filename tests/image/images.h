/* Temporary files and goldens of the image tests. */
#ifndef NCL_TESTS_IMAGE_IMAGES_H
#define NCL_TESTS_IMAGE_IMAGES_H

#include "base/file.h"
#include "image/image.h"
#include "import/npy.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_error_text())

static inline struct ncl_file_map map_file(const char *path)
{
    struct ncl_file_map map;

    MUST(ncl_file_map(NULL, path, &map));
    return map;
}

static inline ncl_tensor load_golden(const char *path)
{
    ncl_tensor tensor;

    MUST(ncl_npy_load(NULL, path, &tensor));
    return tensor;
}

static inline struct ncl_image decode_file(const char *path)
{
    struct ncl_image image;

    MUST(ncl_image_decode(NULL, path, &image));
    ck_assert_int_eq(image.channels, 3);
    return image;
}

/* Every level within `slack` of a golden of the same size. */
static inline void check_levels(const char *what, const struct ncl_image *image,
                                const float *golden, int slack)
{
    for (int i = 0; i < image->width * image->height * image->channels; i++)
        ck_assert_msg(abs(image->pixels[i] - (int)golden[i]) <= slack,
                      "%s: level %d of pixel %d, %d is %d, expected %d", what, i % image->channels,
                      i / image->channels % image->width, i / image->channels / image->width,
                      image->pixels[i], (int)golden[i]);
}

/* The pictures of 21 x 14 in tests/data/make_images.py: eight colours, or what else their index
 * chooses. */
#define COLUMNS 21
#define ROWS 14

static inline int colour_index(int x, int y)
{
    return (x * 3 + y * 5 + x * y / 7) % 8;
}

static inline int colour(int index, int channel)
{
    return (index >> channel & 1) * 255;
}

/* The picture at (left, top), on a canvas of the colour `around`. */
static inline void check_colours(const char *path, int left, int top, int around)
{
    struct ncl_image image = decode_file(path);

    for (int i = 0; i < image.width * image.height * 3; i++) {
        const int x = i / 3 % image.width - left, y = i / 3 / image.width - top;
        const bool inside = x >= 0 && x < COLUMNS && y >= 0 && y < ROWS;
        const int wanted = colour(inside ? colour_index(x, y) : around, i % 3);

        ck_assert_msg(image.pixels[i] == wanted, "%s: %d, %d: %d, expected %d", path, x, y,
                      image.pixels[i], wanted);
    }
    ck_assert_int_ge(image.width, left + COLUMNS);
    ck_assert_int_ge(image.height, top + ROWS);
    ncl_image_free(&image);
}

/* Grey of `count` shades by the index. */
static inline void check_shades(const char *path, int count)
{
    struct ncl_image image = decode_file(path);

    ck_assert_int_eq(image.width, COLUMNS);
    ck_assert_int_eq(image.height, ROWS);
    for (int i = 0; i < COLUMNS * ROWS * 3; i++) {
        const int index = colour_index(i / 3 % COLUMNS, i / 3 / COLUMNS);

        ck_assert_int_eq(image.pixels[i], index % count * 255 / (count - 1));
    }
    ncl_image_free(&image);
}

static inline void must_refuse_bytes(const void *data, size_t size, const char *said)
{
    struct ncl_image image = {.width = 1};

    ck_assert_int_eq(ncl_image_decode_memory(NULL, "bytes", data, size, &image), NCL_ERROR_INPUT);
    ck_assert_ptr_null(image.pixels);
    ck_assert_msg(strstr(ncl_error_text(), said) != NULL, "'%s' without '%s'", ncl_error_text(),
                  said);
    ck_assert_msg(strncmp(ncl_error_text(), "bytes: ", 7) == 0, "%s", ncl_error_text());
    ck_assert_ptr_null(strchr(ncl_error_text(), '\n'));
}

/* `path` with `count` bytes at `at` replaced is refused. */
static inline void must_refuse_patched(const char *path, size_t at, const void *bytes, size_t count,
                                       const char *said)
{
    struct ncl_file_map map = map_file(path);
    unsigned char *copy = malloc(map.size);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, map.data, map.size);
    memcpy(copy + at, bytes, count);
    must_refuse_bytes(copy, map.size, said);
    free(copy);
    ncl_file_unmap(&map);
}

/* Every `step`-th prefix is refused, but for the last `slack` bytes. */
static inline void must_refuse_prefixes(const char *path, size_t step, size_t slack)
{
    struct ncl_file_map map = map_file(path);

    for (size_t bytes = 0; bytes + slack < map.size; bytes += step) {
        unsigned char *copy = malloc(bytes + 1); /* its end is where a sanitizer looks */

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, map.data, bytes);
        must_refuse_bytes(copy, bytes, "expected");
        free(copy);
    }
    ncl_file_unmap(&map);
}

/* A file of these bytes; the caller unlinks it. */
static inline void write_temporary(char path[64], const void *data, size_t bytes)
{
    FILE *file;
    int descriptor;

    snprintf(path, 64, "/tmp/ncl-image-XXXXXX");
    descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    file = fdopen(descriptor, "wb");
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

#endif

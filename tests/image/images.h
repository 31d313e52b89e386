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

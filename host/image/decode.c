#include "image/image.h"

#include "base/file.h"

#include <limits.h>
#include <stdlib.h>

/* The decoders of stb, without its file access: files are mapped. */
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
#define STBI_ONLY_PNG
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS 32768
#include <stb/stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* A picture of more pixels than any camera's is a decompression bomb. */
#define MAX_PIXELS (128.0 * 1024 * 1024)

static ncl_status decode(const struct ncl_log *log, const struct ncl_file_map *map,
                         const char *path, struct ncl_image *image)
{
    int channels = 0;

    if (!map->size || map->size > INT_MAX)
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: expected a JPEG or PNG image, found %zu bytes",
                        path, map->size);
    if (!stbi_info_from_memory(map->data, (int)map->size, &image->width, &image->height, &channels))
        return ncl_fail(log, NCL_ERROR_INPUT,
                        "%s: expected a JPEG or PNG image of a sensible size, found %zu bytes: %s",
                        path, map->size, stbi_failure_reason());
    if ((double)image->width * image->height > MAX_PIXELS)
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: %d x %d pixels, expected at most %.0f in all",
                        path, image->width, image->height, MAX_PIXELS);
    image->pixels = stbi_load_from_memory(map->data, (int)map->size, &image->width, &image->height,
                                          &channels, 3);
    if (!image->pixels)
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: broken image: %s", path, stbi_failure_reason());
    return NCL_OK;
}

ncl_status ncl_image_decode(const struct ncl_log *log, const char *path, struct ncl_image *image)
{
    struct ncl_file_map map;
    ncl_status status = ncl_file_map(log, path, &map);

    *image = (struct ncl_image){0};
    if (status != NCL_OK)
        return status;
    status = decode(log, &map, path, image);
    ncl_file_unmap(&map);
    return status;
}

void ncl_image_free(struct ncl_image *image)
{
    free(image->pixels);
    *image = (struct ncl_image){0};
}

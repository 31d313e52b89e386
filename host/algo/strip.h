/* Strips: a work-item takes L tiles, one after another, of P pixels each, in one row of the output.
 * What convolution kernels over rows share. */
#ifndef NCL_ALGO_STRIP_H
#define NCL_ALGO_STRIP_H

#include "algo/values.h"
#include "base/memory.h"

#define NCL_STRIP_PIXELS {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14}, 11
#define NCL_STRIP_TILES {1, 2, 4, 8, 16}, 5
#define NCL_STRIP_GROUPS {1, 8, 16, 32, 64, 128, 256}, 7

static inline int ncl_strip_tiles(int pixels, const struct ncl_problem *p)
{
    return (int)ncl_ceil_div((size_t)p->y.w, (size_t)pixels);
}

/* Strips of one image and block of channels. */
static inline size_t ncl_strips(int pixels, int tiles, const struct ncl_problem *p)
{
    return ncl_ceil_div((size_t)ncl_strip_tiles(pixels, p), (size_t)tiles) * (size_t)p->y.h;
}

/* Tiles per strip for a device where each work-item is a work-group of its own: a whole row, unless
 * too few work-items are left. `parallel`: work-items of one strip, over blocks and images. */
static inline int ncl_strip_default(const struct ncl_tunable *tunable, int pixels, size_t parallel,
                                    const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const size_t wanted = (size_t)ncl_items_wanted(caps);
    int tiles = ncl_value_at_least(tunable, ncl_strip_tiles(pixels, p));

    while (tiles > 1 && ncl_strips(pixels, tiles, p) * parallel < wanted)
        tiles /= 2;
    return tiles;
}

/* Does a tile of so many channel blocks suit the device? Where many work-items run at once, more
 * than 64 accumulators leave too few of them, and programs that drivers compile for minutes. */
static inline bool ncl_strip_suits(int blocks, const struct ncl_problem *p,
                                   const struct ncl_caps *caps)
{
    return ncl_caps_is_cpu_like(caps) || blocks * p->channel_block <= 64;
}

/* Pixels of a tile for a device with many work-items at once: 4, fewer where there would be too few
 * work-items. `parallel`: as above. */
static inline int ncl_strip_pixels_gpu(size_t parallel, const struct ncl_problem *p,
                                       const struct ncl_caps *caps)
{
    const size_t wanted = 2 * (size_t)caps->compute_units * (size_t)caps->preferred_work_group;
    int pixels = p->y.w < 4 ? 1 : 4;

    while (pixels > 1 && ncl_strips(pixels, 1, p) * parallel < wanted)
        pixels /= 2;
    return pixels;
}

#endif

#include "image/image.h"

#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Weights have this many fraction bits, as Pillow's have: 8 bits of pixel and 2 of headroom are
 * left of 32. */
#define FRACTION_BITS 22

/* For every output position along one axis: the first input position and the weights of its taps.
 */
struct filter {
    int taps; /* room per output */
    int *first, *count;
    int32_t *weights; /* taps per output, sum about 1 */
};

static void filter_free(struct filter *filter)
{
    free(filter->first);
    free(filter->count);
    free(filter->weights);
}

/* The triangle around `centre`, widened by the scale when shrinking; pixel centres lie at
 * half-integers. scratch: one per tap. */
static void weigh(double centre, double width, int first, int count, double *scratch,
                  int32_t *weights)
{
    double sum = 0;

    for (int k = 0; k < count; k++) {
        const double distance = fabs((k + first - centre + 0.5) * (1 / width));

        scratch[k] = distance < 1 ? 1 - distance : 0;
        sum += scratch[k];
    }
    for (int k = 0; k < count && sum > 0; k++)
        weights[k] = (int32_t)(0.5 + scratch[k] / sum * (1 << FRACTION_BITS));
}

/* Support, centre and rounding are Pillow's: results have the same bits. */
static ncl_status filter_make(const struct ncl_log *log, int in, int out, struct filter *filter)
{
    const double scale = (double)in / out;
    const double width = scale > 1 ? scale : 1;
    double *scratch;

    filter->taps = (int)ceil(width) * 2 + 1;
    filter->first = ncl_alloc((size_t)out, sizeof(int));
    filter->count = ncl_alloc((size_t)out, sizeof(int));
    filter->weights = ncl_alloc((size_t)out * (size_t)filter->taps, sizeof *filter->weights);
    scratch = ncl_alloc((size_t)filter->taps, sizeof *scratch);
    if (!filter->first || !filter->count || !filter->weights || !scratch) {
        free(scratch);
        return ncl_fail_memory(log, "resizing an image");
    }
    for (int i = 0; i < out; i++) {
        const double centre = (i + 0.5) * scale;
        const int low = (int)(centre - width + 0.5), high = (int)(centre + width + 0.5);

        filter->first[i] = low < 0 ? 0 : low;
        filter->count[i] = (high > in ? in : high) - filter->first[i];
        weigh(centre, width, filter->first[i], filter->count[i], scratch,
              filter->weights + (size_t)i * (size_t)filter->taps);
    }
    free(scratch);
    return NCL_OK;
}

static unsigned char to_pixel_value(int32_t sum)
{
    const int32_t value = sum >> FRACTION_BITS;

    return (unsigned char)(value > 255 ? 255 : value);
}

/* Resizes along one axis: `lines` lines of `out` pixels; strides in bytes. */
static void apply(const struct filter *filter, const unsigned char *from, size_t from_line,
                  size_t from_pixel, unsigned char *to, size_t to_line, size_t to_pixel, int lines,
                  int out)
{
    for (int line = 0; line < lines; line++)
        for (int i = 0; i < out * 3; i++) {
            const int pixel = i / 3, channel = i % 3;
            const int32_t *weights = filter->weights + (size_t)pixel * (size_t)filter->taps;
            const unsigned char *tap = from + (size_t)line * from_line +
                                       (size_t)filter->first[pixel] * from_pixel + channel;
            int32_t sum = 1 << (FRACTION_BITS - 1); /* rounds */

            for (int k = 0; k < filter->count[pixel]; k++)
                sum += weights[k] * tap[(size_t)k * from_pixel];
            to[(size_t)line * to_line + (size_t)pixel * to_pixel + (size_t)channel] =
                to_pixel_value(sum);
        }
}

static ncl_status resize_both(const struct ncl_log *log, const struct ncl_image *from,
                              const struct filter *across, const struct filter *down,
                              struct ncl_image *to)
{
    const size_t row = (size_t)to->width * 3;
    unsigned char *middle = ncl_alloc((size_t)from->height, row);

    to->pixels = ncl_alloc((size_t)to->height, row);
    if (!middle || !to->pixels) {
        free(middle);
        ncl_image_free(to);
        return ncl_fail_memory(log, "resizing an image");
    }
    apply(across, from->pixels, (size_t)from->width * 3, 3, middle, row, 3, from->height,
          to->width);
    apply(down, middle, 3, row, to->pixels, 3, row, to->width, to->height);
    free(middle);
    return NCL_OK;
}

ncl_status ncl_image_resize(const struct ncl_log *log, const struct ncl_image *from, int width,
                            int height, struct ncl_image *to)
{
    struct filter across = {0}, down = {0};
    ncl_status status = filter_make(log, from->width, width, &across);

    *to = (struct ncl_image){.width = width, .height = height};
    if (status == NCL_OK)
        status = filter_make(log, from->height, height, &down);
    if (status == NCL_OK)
        status = resize_both(log, from, &across, &down, to);
    filter_free(&across);
    filter_free(&down);
    return status;
}

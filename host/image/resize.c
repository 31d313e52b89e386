#include "image/image.h"

#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* For outputs start to start + count - 1 of `out`. Support, centre and rounding are Pillow's:
 * results have the same bits. */
static ncl_status filter_make(const struct ncl_log *log, int in, int out, int start, int count,
                              struct filter *filter)
{
    const double scale = (double)in / out;
    const double width = scale > 1 ? scale : 1;
    double *scratch;

    filter->taps = (int)ceil(width) * 2 + 1;
    filter->first = ncl_alloc((size_t)count, sizeof(int));
    filter->count = ncl_alloc((size_t)count, sizeof(int));
    filter->weights = ncl_alloc((size_t)count * (size_t)filter->taps, sizeof *filter->weights);
    scratch = ncl_alloc((size_t)filter->taps, sizeof *scratch);
    if (!filter->first || !filter->count || !filter->weights || !scratch) {
        free(scratch);
        return ncl_fail_memory(log, "resizing an image");
    }
    for (int i = 0; i < count; i++) {
        const double centre = (start + i + 0.5) * scale;
        const int low = (int)(centre - width + 0.5), high = (int)(centre + width + 0.5);

        filter->first[i] = low < 0 ? 0 : low;
        filter->count[i] = (high > in ? in : high) - filter->first[i];
        weigh(centre, width, filter->first[i], filter->count[i], scratch,
              filter->weights + (size_t)i * (size_t)filter->taps);
    }
    free(scratch);
    return NCL_OK;
}

/* Inputs that any of the outputs reads: from *first on, the return value many. */
static int filter_reach(const struct filter *filter, int outputs, int *first)
{
    *first = filter->first[0];
    return filter->first[outputs - 1] + filter->count[outputs - 1] - *first;
}

static unsigned char to_pixel_value(int32_t sum)
{
    const int32_t value = sum >> FRACTION_BITS;

    return (unsigned char)(value > 255 ? 255 : value);
}

/* A part of an image. */
struct view {
    unsigned char *pixels;
    size_t row; /* bytes from one to the next */
    int left, top, columns, rows;
    int channels;
};

static void across_rgb(const int32_t *weights, int count, const unsigned char *tap,
                       unsigned char *to)
{
    int32_t red = 1 << (FRACTION_BITS - 1), green = red, blue = red; /* rounds */

    for (int k = 0; k < count; k++, tap += 3) {
        red += weights[k] * tap[0];
        green += weights[k] * tap[1];
        blue += weights[k] * tap[2];
    }
    to[0] = to_pixel_value(red);
    to[1] = to_pixel_value(green);
    to[2] = to_pixel_value(blue);
}

static void across_grey(const int32_t *weights, int count, const unsigned char *tap,
                        unsigned char *to)
{
    int32_t sum = 1 << (FRACTION_BITS - 1);

    for (int k = 0; k < count; k++)
        sum += weights[k] * tap[k];
    *to = to_pixel_value(sum);
}

/* Resizes the rows that `to` has. */
static void resize_across(const struct filter *filter, const struct view *from,
                          const struct view *to)
{
    for (int y = 0; y < to->rows; y++)
        for (int x = 0; x < to->columns; x++) {
            const int32_t *weights = filter->weights + (size_t)x * (size_t)filter->taps;
            const unsigned char *tap =
                from->pixels + (size_t)(to->top + y - from->top) * from->row +
                (size_t)(filter->first[x] - from->left) * (size_t)from->channels;
            unsigned char *out =
                to->pixels + (size_t)y * to->row + (size_t)x * (size_t)to->channels;

            if (to->channels == 3)
                across_rgb(weights, filter->count[x], tap, out);
            else
                across_grey(weights, filter->count[x], tap, out);
        }
}

/* Resizes the columns that `to` has. sums: one per byte of a row. */
static void resize_down(const struct filter *filter, const struct view *from, const struct view *to,
                        int32_t *sums)
{
    const size_t bytes = (size_t)to->columns * (size_t)to->channels;

    for (int y = 0; y < to->rows; y++) {
        const int32_t *weights = filter->weights + (size_t)y * (size_t)filter->taps;
        const unsigned char *taps = from->pixels +
                                    (size_t)(filter->first[y] - from->top) * from->row +
                                    (size_t)(to->left - from->left) * (size_t)to->channels;

        for (size_t i = 0; i < bytes; i++)
            sums[i] = 1 << (FRACTION_BITS - 1);
        for (int k = 0; k < filter->count[y]; k++, taps += from->row)
            for (size_t i = 0; i < bytes; i++)
                sums[i] += weights[k] * taps[i];
        for (size_t i = 0; i < bytes; i++)
            to->pixels[(size_t)y * to->row + i] = to_pixel_value(sums[i]);
    }
}

static ncl_status resize_both(const struct ncl_log *log, const struct ncl_image *from,
                              const struct ncl_image_scale *scale, const struct filter *across,
                              const struct filter *down, struct ncl_image *to)
{
    const size_t channels = (size_t)from->channels;
    /* Pillow's rule, which tells because each direction rounds to eight bits. */
    const int64_t fewer_rows = (int64_t)from->height - scale->height;
    const int64_t fewer_columns = (int64_t)from->width - scale->width;
    const bool down_first = fewer_rows > 0 && fewer_rows > fewer_columns * 2;
    struct view source = {
        from->pixels,  (size_t)from->width * channels, 0, 0, from->width, from->height,
        from->channels};
    struct view target = {to->pixels,    (size_t)to->width * channels, 0, 0, to->width, to->height,
                          from->channels};
    struct view middle = target;
    int32_t *sums;

    if (down_first)
        middle.columns = filter_reach(across, to->width, &middle.left);
    else
        middle.rows = filter_reach(down, to->height, &middle.top);
    middle.row = (size_t)middle.columns * channels;
    middle.pixels = ncl_alloc((size_t)middle.rows, middle.row);
    sums = ncl_alloc(middle.row, sizeof *sums);
    if (!middle.pixels || !sums) {
        free(middle.pixels);
        free(sums);
        return ncl_fail_memory(log, "resizing an image");
    }
    if (down_first) {
        resize_down(down, &source, &middle, sums);
        resize_across(across, &middle, &target);
    } else {
        resize_across(across, &source, &middle);
        resize_down(down, &middle, &target, sums);
    }
    free(middle.pixels);
    free(sums);
    return NCL_OK;
}

static ncl_status resize_bilinear(const struct ncl_log *log, const struct ncl_image *from,
                                  const struct ncl_image_scale *scale, struct ncl_image *to)
{
    struct filter across = {0}, down = {0};
    ncl_status status =
        filter_make(log, from->width, scale->width, scale->left, scale->columns, &across);

    if (status == NCL_OK)
        status = filter_make(log, from->height, scale->height, scale->top, scale->rows, &down);
    if (status == NCL_OK)
        status = resize_both(log, from, scale, &across, &down, to);
    filter_free(&across);
    filter_free(&down);
    return status;
}

/* The input position of each output, which Pillow finds by adding up steps: so rounding errors are
 * its own. */
static void find_nearest(int in, int out, int start, int count, int *positions)
{
    const double step = (double)in / out;
    double position = step * 0.5;

    for (int i = 0; i < start + count; i++, position += step)
        if (i >= start)
            positions[i - start] = position < in ? (int)position : in - 1;
}

static ncl_status resize_nearest(const struct ncl_log *log, const struct ncl_image *from,
                                 const struct ncl_image_scale *scale, struct ncl_image *to)
{
    const size_t channels = (size_t)from->channels;
    int *columns = ncl_alloc((size_t)to->width, sizeof(int));
    int *rows = ncl_alloc((size_t)to->height, sizeof(int));
    const bool ready = columns && rows;
    unsigned char *out = to->pixels;

    if (ready) {
        find_nearest(from->width, scale->width, scale->left, to->width, columns);
        find_nearest(from->height, scale->height, scale->top, to->height, rows);
    }
    for (int y = 0; ready && y < to->height; y++)
        for (int x = 0; x < to->width; x++, out += channels) {
            const size_t pixel = (size_t)rows[y] * (size_t)from->width + (size_t)columns[x];

            memcpy(out, from->pixels + pixel * channels, channels);
        }
    free(columns);
    free(rows);
    return ready ? NCL_OK : ncl_fail_memory(log, "resizing an image");
}

ncl_status ncl_image_resize(const struct ncl_log *log, const struct ncl_image *from,
                            const struct ncl_image_scale *scale, struct ncl_image *to)
{
    ncl_status status;

    *to = (struct ncl_image){
        .width = scale->columns, .height = scale->rows, .channels = from->channels};
    to->pixels = ncl_alloc((size_t)to->width * (size_t)to->height, (size_t)to->channels);
    if (!to->pixels)
        return ncl_fail_memory(log, "resizing an image");
    status = scale->nearest ? resize_nearest(log, from, scale, to)
                            : resize_bilinear(log, from, scale, to);
    if (status != NCL_OK)
        ncl_image_free(to);
    return status;
}

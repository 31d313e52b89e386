#include "samples.h"

#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void note_broken(struct cli_samples *samples, ncl_status status, const char *text)
{
    if (samples->broken_count++)
        return;
    samples->broken_status = status;
    snprintf(samples->broken, sizeof samples->broken, "%s", text);
}

static bool is_npy(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && strcasecmp(dot, ".npy") == 0;
}

static size_t row_count(const struct cli_source *source)
{
    return source->is_image ? 1 : source->rows.data ? (size_t)source->rows.dims[0] : 0;
}

static void open_rows(ncl_context *context, struct cli_samples *samples, struct cli_source *source)
{
    const ncl_status status = ncl_tensor_load(context, source->path, &source->rows);
    char text[1024];

    if (status != NCL_OK) {
        note_broken(samples, status, ncl_last_error());
    } else if (source->rows.rank != 4) {
        snprintf(text, sizeof text, "%s: rank %d, expected 4: a batch of images", source->path,
                 source->rows.rank);
        note_broken(samples, NCL_ERROR_INPUT, text);
        ncl_tensor_free(&source->rows);
    }
}

int cli_samples_find(struct cli_samples *samples, const char *const *arguments, int count)
{
    const int failed = cli_images_find(&samples->images, arguments, count);

    if (failed)
        return failed;
    samples->sources = calloc(samples->images.count, sizeof *samples->sources);
    if (!samples->sources)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a list of images");
    samples->source_count = samples->images.count;
    for (size_t i = 0; i < samples->source_count; i++) {
        samples->sources[i].path = samples->images.paths[i];
        samples->sources[i].is_image = !is_npy(samples->images.paths[i]);
    }
    return 0;
}

void cli_samples_open(struct cli_samples *samples, ncl_context *context)
{
    for (size_t i = 0; i < samples->source_count; i++) {
        struct cli_source *source = &samples->sources[i];

        if (!source->is_image)
            open_rows(context, samples, source);
        samples->count += row_count(source);
    }
}

void cli_samples_size(const struct cli_samples *samples, ncl_layout layout, int size[2])
{
    const int axis = layout == NCL_NHWC ? 1 : 2;

    for (size_t i = 0; i < samples->source_count; i++) {
        const ncl_tensor *rows = &samples->sources[i].rows;

        if (!rows->data)
            continue;
        for (int k = 0; k < 2; k++)
            size[k] = rows->dims[axis + k] <= INT_MAX ? (int)rows->dims[axis + k] : 0;
        return;
    }
}

bool cli_samples_hold_images(const struct cli_samples *samples)
{
    for (size_t i = 0; i < samples->source_count; i++)
        if (samples->sources[i].is_image)
            return true;
    return false;
}

void cli_samples_check(struct cli_samples *samples, const ncl_tensor *input)
{
    for (size_t i = 0; i < samples->source_count; i++) {
        struct cli_source *source = &samples->sources[i];
        const int64_t *found = source->rows.dims, *expected = input->dims;
        char text[1024];

        if (!source->rows.data || memcmp(found + 1, expected + 1, 3 * sizeof *found) == 0)
            continue;
        snprintf(text, sizeof text,
                 "%s: rows of %lld x %lld x %lld, expected %lld x %lld x %lld for the net",
                 source->path, (long long)found[1], (long long)found[2], (long long)found[3],
                 (long long)expected[1], (long long)expected[2], (long long)expected[3]);
        note_broken(samples, NCL_ERROR_INPUT, text);
        samples->count -= row_count(source);
        ncl_tensor_free(&source->rows);
    }
}

bool cli_samples_next(struct cli_samples *samples, ncl_context *context,
                      const ncl_image_options *preprocess, size_t per_sample, float *values,
                      struct cli_sample *sample)
{
    while (samples->source < samples->source_count && !cli_interrupted()) {
        const struct cli_source *source = &samples->sources[samples->source];
        ncl_status status = NCL_OK;

        if (samples->row == row_count(source)) {
            samples->source++;
            samples->row = 0;
            continue;
        }
        *sample =
            (struct cli_sample){source->path, source->is_image, samples->row++, samples->passed++};
        if (source->is_image)
            status = ncl_image_load(context, source->path, preprocess, values);
        else
            memcpy(values, (const float *)source->rows.data + sample->row * per_sample,
                   per_sample * sizeof *values);
        if (status == NCL_OK)
            return true;
        note_broken(samples, status, ncl_last_error());
    }
    return false;
}

void cli_samples_free(struct cli_samples *samples)
{
    for (size_t i = 0; i < samples->source_count; i++)
        ncl_tensor_free(&samples->sources[i].rows);
    free(samples->sources);
    cli_images_free(&samples->images);
    *samples = (struct cli_samples){0};
}

/* What classify is given: image files, and .npy files whose rows are images already preprocessed.
 */
#ifndef NCL_CLI_SAMPLES_H
#define NCL_CLI_SAMPLES_H

#include "images.h"

#include <nextcl.h>
#include <stdbool.h>

struct cli_source {
    const char *path;
    bool is_image;
    ncl_tensor rows; /* of a .npy file; data NULL: broken */
};

struct cli_samples {
    struct cli_images images;
    struct cli_source *sources;
    size_t source_count;
    size_t count;               /* samples in all; a broken image is one, a broken .npy file none */
    size_t source, row, passed; /* of the next sample */
    /* The files that could not be read, and what is wrong with the first of them. */
    size_t broken_count;
    ncl_status broken_status;
    char broken[1024];
};

struct cli_sample {
    const char *path;
    bool is_image;
    size_t row;   /* of path, a .npy file */
    size_t index; /* among all samples */
};

/* Names the files. */
int cli_samples_find(struct cli_samples *samples, const char *const *arguments, int count);
/* Reads the .npy files. */
void cli_samples_open(struct cli_samples *samples, ncl_context *context);
/* Height and width of the first rows; size stays as it is without any. */
void cli_samples_size(const struct cli_samples *samples, ncl_layout layout, int size[2]);
bool cli_samples_hold_images(const struct cli_samples *samples);
/* Rows of another shape than the net's input, whose first dim is the batch, are broken. */
void cli_samples_check(struct cli_samples *samples, const ncl_tensor *input);
/* The next sample that can be read, per_sample floats; false: there is none, or Ctrl-C. */
bool cli_samples_next(struct cli_samples *samples, ncl_context *context,
                      const ncl_image_options *preprocess, size_t per_sample, float *values,
                      struct cli_sample *sample);
void cli_samples_free(struct cli_samples *samples);

#endif

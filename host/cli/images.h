/* Lists of image files, and class names. */
#ifndef NCL_CLI_IMAGES_H
#define NCL_CLI_IMAGES_H

#include <stddef.h>

struct cli_images {
    char **paths;
    size_t count, capacity;
};
/* Files as given, the images in directories (sorted), and what patterns match. */
int cli_images_find(struct cli_images *images, const char *const *arguments, int count);
void cli_images_free(struct cli_images *images);

struct cli_labels {
    char **names; /* NULL: ImageNet's, or none */
    size_t count;
    int imagenet;
};
/* From a file, or if path is NULL from the model's own text, both one a line; both NULL: ImageNet's
 * for 1000 classes, else no names. */
int cli_labels_load(struct cli_labels *labels, const char *path, const char *own, size_t classes);
const char *cli_label(const struct cli_labels *labels, size_t index); /* NULL: none */
void cli_labels_free(struct cli_labels *labels);

#endif

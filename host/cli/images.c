#include "images.h"

#include "cli.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static int add(struct cli_images *images, const char *path)
{
    if (images->count == images->capacity) {
        const size_t capacity = images->capacity ? images->capacity * 2 : 64;
        char **paths = realloc(images->paths, capacity * sizeof *paths);

        if (!paths)
            return cli_fail(NCL_ERROR_MEMORY, "out of memory: a list of images");
        images->paths = paths;
        images->capacity = capacity;
    }
    images->paths[images->count] = strdup(path);
    if (!images->paths[images->count])
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a list of images");
    images->count++;
    return 0;
}

static int is_image(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                   strcasecmp(dot, ".png") == 0);
}

static int add_directory(struct cli_images *images, const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, is_image, alphasort);
    int failed = 0;

    if (count <= 0) {
        free(entries);
        return cli_fail(NCL_ERROR_INPUT, "%s: no .jpg, .jpeg or .png in this directory", directory);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];

        if (!failed &&
            snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name) < (int)sizeof path)
            failed = add(images, path);
        free(entries[i]);
    }
    free(entries);
    return failed;
}

static int add_pattern(struct cli_images *images, const char *pattern)
{
    glob_t found;
    int failed = 0;

    if (glob(pattern, 0, NULL, &found) != 0)
        return cli_fail(NCL_ERROR_INPUT, "%s: no such file", pattern);
    for (size_t i = 0; !failed && i < found.gl_pathc; i++)
        failed = add(images, found.gl_pathv[i]);
    globfree(&found);
    return failed;
}

int cli_images_find(struct cli_images *images, const char *const *arguments, int count)
{
    int failed = 0;

    for (int i = 0; !failed && i < count; i++) {
        struct stat info;

        if (stat(arguments[i], &info) != 0)
            failed = add_pattern(images, arguments[i]);
        else if (S_ISDIR(info.st_mode))
            failed = add_directory(images, arguments[i]);
        else
            failed = add(images, arguments[i]);
    }
    return failed;
}

void cli_images_free(struct cli_images *images)
{
    for (size_t i = 0; i < images->count; i++)
        free(images->paths[i]);
    free(images->paths);
    *images = (struct cli_images){0};
}

/* ---- labels ---- */

static int read_labels(struct cli_labels *labels, const char *path, FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int failed = 0;

    while (!failed && (length = getline(&line, &size, file)) >= 0) {
        char **names = realloc(labels->names, (labels->count + 1) * sizeof *names);

        if (!names) {
            failed = cli_fail(NCL_ERROR_MEMORY, "out of memory: %s", path);
            break;
        }
        labels->names = names;
        while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = 0;
        names[labels->count] = strdup(line);
        if (names[labels->count])
            labels->count++;
        else
            failed = cli_fail(NCL_ERROR_MEMORY, "out of memory: %s", path);
    }
    free(line);
    return failed;
}

int cli_labels_load(struct cli_labels *labels, const char *path, size_t classes)
{
    FILE *file;
    int failed;

    *labels = (struct cli_labels){.imagenet = !path && classes == 1000};
    if (!path)
        return 0;
    file = fopen(path, "r");
    if (!file)
        return cli_fail(NCL_ERROR_INPUT, "--labels %s: cannot be read", path);
    failed = read_labels(labels, path, file);
    fclose(file);
    if (!failed && labels->count != classes)
        failed = cli_fail(NCL_ERROR_INPUT, "--labels %s: %zu names, expected %zu, one a class",
                          path, labels->count, classes);
    return failed;
}

const char *cli_label(const struct cli_labels *labels, size_t index)
{
    if (labels->imagenet)
        return ncl_imagenet_label((int)index);
    return index < labels->count ? labels->names[index] : NULL;
}

void cli_labels_free(struct cli_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        free(labels->names[i]);
    free(labels->names);
    *labels = (struct cli_labels){0};
}

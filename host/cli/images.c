#include "images.h"

#include "cli.h"

#include <dirent.h>
#include <errno.h>
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
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp",
                                          ".gif", ".ppm",  ".pgm", ".pbm"};
    const char *dot = strrchr(entry->d_name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

static int add_entry(struct cli_images *images, const char *directory, const char *name)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return cli_fail(NCL_ERROR_INPUT, "%.60s...: the path of an image in it is too long",
                        directory);
    return add(images, path);
}

static int add_directory(struct cli_images *images, const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, is_image, alphasort);
    int failed = 0;

    if (count < 0)
        return cli_fail(NCL_ERROR_INPUT, "%s: cannot be read: %s", directory, strerror(errno));
    if (count == 0) {
        free(entries);
        return cli_fail(NCL_ERROR_INPUT,
                        "%s: no .jpg, .png, .bmp, .gif, .ppm, .pgm or .pbm in this directory",
                        directory);
    }
    for (int i = 0; i < count; i++) {
        if (!failed)
            failed = add_entry(images, directory, entries[i]->d_name);
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
        return add(images, pattern); /* reported with the broken ones, after the others */
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

#define MAX_LABELS_BYTES (1 << 24)

/* A line without its end. */
static int add_label(struct cli_labels *labels, const char *line, size_t length)
{
    char **names = realloc(labels->names, (labels->count + 1) * sizeof *names);

    if (!names)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: class names");
    labels->names = names;
    while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    names[labels->count] = strndup(line, length);
    if (!names[labels->count])
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: class names");
    labels->count++;
    return 0;
}

/* A pipe would be waited for, a device never ends. */
static int check_labels_file(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return cli_fail(NCL_ERROR_INPUT, "--labels %s: cannot be read", path);
    if (!S_ISREG(info.st_mode) || info.st_size > MAX_LABELS_BYTES)
        return cli_fail(NCL_ERROR_INPUT,
                        "--labels %s: expected a text file of at most %d bytes, found %s", path,
                        MAX_LABELS_BYTES, S_ISREG(info.st_mode) ? "a larger one" : "another kind");
    return 0;
}

static int read_labels(struct cli_labels *labels, const char *path)
{
    int failed = check_labels_file(path);
    FILE *file = failed ? NULL : fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    if (failed)
        return failed;
    if (!file)
        return cli_fail(NCL_ERROR_INPUT, "--labels %s: cannot be read", path);
    while (!failed && (length = getline(&line, &size, file)) >= 0) {
        if (memchr(line, 0, (size_t)length))
            failed =
                cli_fail(NCL_ERROR_INPUT, "--labels %s: expected text, found a NUL byte", path);
        else
            failed = add_label(labels, line, (size_t)length);
    }
    free(line);
    fclose(file);
    return failed;
}

static int split_labels(struct cli_labels *labels, const char *text)
{
    int failed = 0;

    while (!failed && *text) {
        const size_t length = strcspn(text, "\n");

        failed = add_label(labels, text, length);
        text += length + (text[length] == '\n');
    }
    return failed;
}

int cli_labels_load(struct cli_labels *labels, const char *path, const char *own, size_t classes)
{
    int failed = 0;

    *labels = (struct cli_labels){.imagenet = !path && !own && classes == 1000};
    if (path)
        failed = read_labels(labels, path);
    else if (own)
        failed = split_labels(labels, own);
    if (failed || (!path && !own) || labels->count == classes)
        return failed;
    return path ? cli_fail(NCL_ERROR_INPUT, "--labels %s: %zu names, expected %zu, one a class",
                           path, labels->count, classes)
                : cli_fail(NCL_ERROR_INPUT,
                           "metadata 'nextcl.labels': %zu names, expected %zu, one a class "
                           "(--labels gives others)",
                           labels->count, classes);
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

/* Files that are whole or untouched: written beside their place, then renamed. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that holds path, in a new string. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !slash          ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t)(slash - path));
}

int cli_check_writable(const char *path)
{
    char *folder = folder_of(path);
    struct stat found;
    int failed = 0;

    if (!folder)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: a path");
    if (stat(path, &found) == 0 && !S_ISREG(found.st_mode))
        failed = cli_fail(NCL_ERROR_INPUT, "%s: expected a regular file to write", path);
    else if (access(folder, W_OK | X_OK) != 0)
        failed = cli_fail(NCL_ERROR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    free(folder);
    return failed;
}

/* 0 or an errno. */
static int write_file(const char *path, const char *text)
{
    const size_t length = strlen(text);
    FILE *file = fopen(path, "wx");
    int error = file ? 0 : errno;

    if (!file)
        return error;
    errno = EIO;
    if (fwrite(text, 1, length, file) != length || fflush(file) ||
        (fsync(fileno(file)) && errno != EINVAL && errno != ENOSYS))
        error = errno;
    if (fclose(file) && !error)
        error = errno;
    return error;
}

int cli_write_text(const char *path, const char *text)
{
    const size_t size = strlen(path) + 32;
    char *beside = malloc(size);
    int error = beside ? 0 : ENOMEM;

    if (!error) {
        snprintf(beside, size, "%s.%ld.tmp", path, (long)getpid());
        unlink(beside); /* left by a killed process that had our number */
        error = write_file(beside, text);
        if (!error && rename(beside, path))
            error = errno;
        if (error)
            unlink(beside);
    }
    free(beside);
    if (!error)
        return 0;
    return cli_fail(error == ENOMEM ? NCL_ERROR_MEMORY : NCL_ERROR_INPUT,
                    "%s: could not be written: %s", path, strerror(error));
}

int cli_write_json(const char *path, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    const int failed =
        text ? cli_write_text(path, text) : cli_fail(NCL_ERROR_MEMORY, "out of memory: %s", path);

    free(text);
    json_decref(root);
    return failed;
}

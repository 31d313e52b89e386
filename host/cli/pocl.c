#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* PoCL finds no device when its cache cannot be written, and ends the process when the disk fills
 * while it compiles. One network's kernels take some 10 MiB. */
#define CACHE_BYTES_NEEDED (64.0 * 1024 * 1024)

static char temporary[] = "/tmp/nextcl-pocl-XXXXXX";

/* Where PoCL keeps its cache unless told otherwise. */
static bool default_cache(char *path, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;

    if (cache && *cache)
        length = snprintf(path, size, "%s/pocl", cache);
    else if (home && *home)
        length = snprintf(path, size, "%s/.cache/pocl", home);
    return length > 0 && (size_t)length < size;
}

/* Can a folder be made at path, or something be written into the one that is there? */
static bool is_writable(char *path)
{
    struct statvfs disk;
    char *slash;

    while (access(path, F_OK) != 0) {
        slash = strrchr(path, '/');
        if (errno != ENOENT || !slash || slash == path)
            return false;
        *slash = 0;
    }
    return access(path, W_OK | X_OK) == 0 && statvfs(path, &disk) == 0 &&
           (double)disk.f_bavail * (double)disk.f_frsize >= CACHE_BYTES_NEEDED;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

static void remove_temporary(void)
{
    nftw(temporary, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void cli_prepare_pocl(const struct cli_options *options)
{
    char path[4096];

    /* Its workers else may share one core, at half the speed. */
    setenv("POCL_AFFINITY", "1", 0);
    if (getenv("POCL_CACHE_DIR") || (default_cache(path, sizeof path) && is_writable(path)))
        return;
    if (!mkdtemp(temporary) || atexit(remove_temporary) != 0)
        return;
    setenv("POCL_CACHE_DIR", temporary, 1);
    if (options->verbose)
        fprintf(stderr,
                "nextcl: warning: PoCL's cache cannot be written, so this run compiles "
                "afresh in %s\n",
                temporary);
}

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static ncl_status fail_read(const struct ncl_log *log, const char *path, int error)
{
    const ncl_status status = error == ENOMEM ? NCL_ERROR_MEMORY : NCL_ERROR_INPUT;

    return ncl_fail(log, status, "%s: cannot be read: %s", path, strerror(error));
}

static ncl_status fail_write(const struct ncl_log *log, const char *path, int error)
{
    const ncl_status status = error == ENOMEM ? NCL_ERROR_MEMORY : NCL_ERROR_INPUT;

    return ncl_fail(log, status, "%s: cannot be written: %s", path, strerror(error));
}

static ncl_status map_descriptor(const struct ncl_log *log, const char *path, int file,
                                 struct ncl_file_map *map)
{
    struct stat facts;
    void *data = NULL;

    if (fstat(file, &facts) != 0) {
        return fail_read(log, path, errno);
    }
    if (!S_ISREG(facts.st_mode)) {
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: expected a regular file, found %s", path,
                        S_ISDIR(facts.st_mode) ? "a directory" : "a special file");
    }
    if ((uintmax_t)facts.st_size > SIZE_MAX) {
        return fail_read(log, path, EFBIG);
    }
    if (facts.st_size == 0) {
        return NCL_OK; /* mmap refuses 0 bytes */
    }
    data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
        return fail_read(log, path, errno);
    }
    map->data = data;
    map->size = (size_t)facts.st_size;
    return NCL_OK;
}

ncl_status ncl_file_map(const struct ncl_log *log, const char *path, struct ncl_file_map *map)
{
    ncl_status status = NCL_OK;
    /* Without O_NONBLOCK opening a FIFO waits for a writer. */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *map = (struct ncl_file_map){0};
    if (file < 0) {
        return fail_read(log, path, errno);
    }
    status = map_descriptor(log, path, file, map);
    close(file);
    return status;
}

void ncl_file_unmap(struct ncl_file_map *map)
{
    if (map->data != NULL) {
        munmap((void *)(uintptr_t)map->data, map->size);
    }
    *map = (struct ncl_file_map){0};
}

void ncl_file_forget(const void *data, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)data + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)data + bytes) / page * page;

    if (end > first)
        madvise((void *)first, end - first, MADV_DONTNEED); /* a hint: failing costs memory only */
}

/* Opens a new file beside path; *name is the caller's to free. -1 with errno. */
static int open_beside(const char *path, char **name)
{
    static atomic_uint counter;
    struct ncl_text text = {0};
    int file = -1;

    ncl_text_add(&text, "%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&counter, 1));
    if (text.failed) {
        ncl_text_free(&text);
        errno = ENOMEM;
        return -1;
    }
    file = open(text.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST && unlink(text.data) == 0) {
        /* Left by a killed process that had our number. */
        file = open(text.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    *name = text.data;
    return file;
}

/* 0 or an errno. Renames only what has reached the disk, or a power cut leaves an empty file. */
static int write_parts(int file, const struct ncl_file_part *parts, size_t part_count)
{
    int error = 0;

    for (size_t i = 0; i < part_count && error == 0; i++) {
        error = ncl_fd_write(file, parts[i].data, parts[i].bytes) ? 0 : errno;
    }
    if (error == 0 && fsync(file) != 0 && errno != EINVAL && errno != ENOSYS) {
        error = errno;
    }
    if (close(file) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

/* Beside what a symbolic link leads to, and in its place: the link stays one. */
static int write_beside(const char *path, const struct ncl_file_part *parts, size_t part_count)
{
    char *target = realpath(path, NULL);
    const char *place = target != NULL ? target : path;
    char *name = NULL;
    const int file = open_beside(place, &name);
    int error = file < 0 ? errno : write_parts(file, parts, part_count);

    if (error == 0 && rename(name, place) != 0) {
        error = errno;
    }
    if (error != 0 && file >= 0) {
        unlink(name);
    }
    free(name);
    free(target);
    return error;
}

ncl_status ncl_file_write(const struct ncl_log *log, const char *path,
                          const struct ncl_file_part *parts, size_t part_count)
{
    struct stat facts;
    int error = 0;

    /* A rename over /dev/null would replace the device. */
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        return ncl_fail(log, NCL_ERROR_INPUT, "%s: expected a regular file or none, found %s", path,
                        S_ISDIR(facts.st_mode) ? "a directory" : "a special file");
    }
    error = write_beside(path, parts, part_count);
    return error == 0 ? NCL_OK : fail_write(log, path, error);
}

static bool is_directory(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

ncl_status ncl_file_make_directories(const struct ncl_log *log, const char *path)
{
    struct ncl_text text = {0};
    int error = 0;

    ncl_text_append(&text, path, strlen(path));
    if (text.failed) {
        ncl_text_free(&text);
        return ncl_fail_memory(log, path);
    }
    for (size_t i = 1; i <= text.length && error == 0; i++) {
        const char separator = text.data[i];
        if (separator != '/' && separator != '\0') {
            continue;
        }
        text.data[i] = '\0';
        /* mkdir may say EROFS or EACCES of a directory that is there. */
        if (mkdir(text.data, 0700) != 0 && !is_directory(text.data)) {
            error = errno == EEXIST ? ENOTDIR : errno;
        }
        text.data[i] = separator;
    }
    ncl_text_free(&text);
    if (error != 0 || path[0] == '\0') {
        return ncl_fail(log, NCL_ERROR_USAGE, "%s: cannot create the directory: %s", path,
                        strerror(error == 0 ? ENOENT : error));
    }
    return NCL_OK;
}

char *ncl_file_cache_directory(const char *wanted)
{
    const char *ours = wanted != NULL ? wanted : getenv("NEXTCL_CACHE_DIR");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    struct ncl_text text = {0};

    if (wanted == NULL && ours != NULL && ours[0] == '\0') {
        return NULL;
    }
    if (ours != NULL) {
        ncl_text_add(&text, "%s", ours);
    } else if (xdg != NULL && xdg[0] == '/') { /* the XDG rules: ignore relative paths */
        ncl_text_add(&text, "%s/nextcl", xdg);
    } else if (home != NULL && home[0] != '\0') {
        ncl_text_add(&text, "%s/.cache/nextcl", home);
    }
    if (text.failed) {
        ncl_text_free(&text);
    }
    return text.data;
}

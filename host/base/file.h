/* Files. All functions name the path in their error. */
#ifndef NCL_BASE_FILE_H
#define NCL_BASE_FILE_H

#include "base/log.h"

/* A read-only mapping of a regular file; data is NULL and size 0 for an empty file. */
struct ncl_file_map {
    const unsigned char *data;
    size_t size;
};
ncl_status ncl_file_map(const struct ncl_log *log, const char *path, struct ncl_file_map *map);
void ncl_file_unmap(struct ncl_file_map *map);
/* Memory for these bytes of a mapping is not needed for now: reading them again reads the file. */
void ncl_file_forget(const void *data, size_t bytes);
/* Writes parts one after the other into a temporary file beside path and renames it: path is whole
 * or untouched, and a link that leads to a file stays one. */
struct ncl_file_part {
    const void *data;
    size_t bytes;
};
ncl_status ncl_file_write(const struct ncl_log *log, const char *path,
                          const struct ncl_file_part *parts, size_t part_count);
/* mkdir -p, mode 0700 for what it creates. */
ncl_status ncl_file_make_directories(const struct ncl_log *log, const char *path);
/* wanted if not NULL, else $NEXTCL_CACHE_DIR, else $XDG_CACHE_HOME/nextcl, else ~/.cache/nextcl. A
 * new string (free), or NULL: none wanted ($NEXTCL_CACHE_DIR is set and empty), none to be had, or
 * memory ran out. */
char *ncl_file_cache_directory(const char *wanted);

#endif

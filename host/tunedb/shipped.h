/* The files of tuning/ as the build embeds them (shipped.cmake); internal to tunedb. */
#ifndef NCL_TUNEDB_SHIPPED_H
#define NCL_TUNEDB_SHIPPED_H

#include "tunedb/record.h"

struct ncl_shipped_file {
    const char *name, *data; /* "pocl-cpu.jsonl"; data ends with a NUL that bytes does not count */
    size_t bytes;
};
/* Sorted by name; ends with name NULL. */
extern const struct ncl_shipped_file ncl_shipped_files[];

/* ncl_shipped_find in any such table. */
ncl_status ncl_shipped_search(const struct ncl_log *log, const struct ncl_shipped_file *files,
                              const char *problem, struct ncl_record_list *list);

#endif

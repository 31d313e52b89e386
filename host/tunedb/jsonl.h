/* Records as JSON Lines, the format of tuning/: tuning/README.md documents every key. Input is
 * hostile: lengths, numbers and enumerations are checked, the error names file and line. */
#ifndef NCL_TUNEDB_JSONL_H
#define NCL_TUNEDB_JSONL_H

#include "base/text.h"
#include "tunedb/record.h"

/* Appends the lines of a text. name: of the file, for errors. Unknown keys are ignored, lines of a
 * later "format" skipped with a note; anything else that is not as documented gives NCL_ERROR_INPUT
 * and leaves `list` as it was. */
ncl_status ncl_jsonl_read(const struct ncl_log *log, const char *name, const char *data,
                          size_t bytes, struct ncl_record_list *list);
/* One line per record, keys in documented order, sorted as ncl_record_list_sort does: the same
 * records give the same bytes. NCL_ERROR_MEMORY. */
ncl_status ncl_jsonl_write(const struct ncl_log *log, struct ncl_record_list *list,
                           struct ncl_text *text);
/* What a file for tuning/ keeps of the list: per device, driver and problem the chosen record, if
 * it beats its default by more than its noise, and 1 %. */
ncl_status ncl_jsonl_minimal(const struct ncl_log *log, const struct ncl_record_list *from,
                             struct ncl_record_list *to);

/* The .jsonl files of tuning/, compiled in; origin SHIPPED or ANALYTIC. Appends those whose problem
 * is `problem` (NULL: all). A shipped line that does not parse is a bug of the build, whose test
 * finds it. */
ncl_status ncl_shipped_find(const struct ncl_log *log, const char *problem,
                            struct ncl_record_list *list);

#endif

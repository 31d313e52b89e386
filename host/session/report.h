/* What reports share. */
#ifndef NCL_SESSION_REPORT_H
#define NCL_SESSION_REPORT_H

#include "base/log.h"

#include <jansson.h>

/* Takes root, which is NULL where memory ran out, as text: free with free(). */
ncl_status ncl_report_dump(const struct ncl_log *log, json_t *root, char **json);

#endif

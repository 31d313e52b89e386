/* What grouped convolutions and residual additions ask of a block, in one wording for builders and
 * importers. Each check returns NCL_OK, or NCL_ERROR_INPUT with a line that names the place, the
 * numbers that disagree and the likely fix. `where` is the place as the line begins: "block
 * 'conv3_block1'", "node 'layer2.0.add' (Add)". Any thread. */
#ifndef NCL_GRAPH_CHECK_H
#define NCL_GRAPH_CHECK_H

#include "base/log.h"

#include <stdint.h>

/* channels, which are `what` ("input channels"), are a multiple of groups, and groups at least 1.
 */
ncl_status ncl_check_groups(const struct ncl_log *log, const char *where, const char *what,
                            int64_t channels, int64_t groups);

struct ncl_extent {
    int64_t channels, height, width; /* -1: unknown, agrees with anything */
};
/* What a block adds up has the same channels, height and width. */
ncl_status ncl_check_residual(const struct ncl_log *log, const char *where, struct ncl_extent path,
                              struct ncl_extent shortcut);

#endif

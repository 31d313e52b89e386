/* Tuning a network: its distinct problems, through the search, into the store; then the winners end
 * to end. */
#ifndef NCL_SESSION_TUNE_H
#define NCL_SESSION_TUNE_H

#include "session/session.h"

struct ncl_tune_config {
    struct ncl_session_config session; /* device, math, precision, channel block, store */
    const char *device_index;          /* "P:D", for workers; NULL: adopted, no worker possible */
    const char *cache_dir;
    bool channel_block_asked; /* by the caller: no other is tried */
    const ncl_tune_options *options;
};
/* *json: the report, also of a dry run and of a cancelled one. */
ncl_status ncl_tune_network(const struct ncl_tune_config *config, const struct ncl_graph *model,
                            const struct ncl_dims *inputs, int input_count, char **json);

#endif

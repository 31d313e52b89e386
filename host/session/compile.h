/* Building programs in other processes. Some drivers compile one kernel at a time in a process,
 * whatever its threads do, and their compilers leave memory behind; but what one process compiled
 * all find, in the driver's cache or in ours. So where much is missing, a session has it compiled
 * by workers (ncl_tune_worker of nextcl.h), one per CPU, and then builds as if it had been there
 * before. That is only tried where a cache on disk says what is missing.
 *
 * Whatever goes wrong with them is a warning, and this process builds by itself. */
#ifndef NCL_SESSION_COMPILE_H
#define NCL_SESSION_COMPILE_H

#include "session/session.h"
#include "session/worker_wire.h"

/* Do such workers compile for sessions on the device? Processes are faster there, there are CPUs
 * for several, and the cache says what is missing. */
bool ncl_compile_applies(const struct ncl_session_workers *workers, const struct ncl_caps *caps);
/* The device's fma ratio measured by a worker, so that ncl_session_math finds it in the cache.
 * NCL_OK also where there was nothing to do; NCL_ERROR_CANCELLED. */
ncl_status ncl_compile_probe(struct ncl_session *session);
/* What ncl_kernels_build would find missing, compiled by workers. As above. */
ncl_status ncl_compile_kernels(struct ncl_session *session);
/* Ends the session's workers, if there are any. */
void ncl_compile_end(struct ncl_session *session);

/* ---- the worker's end, compile_serve.c ---- */
struct ncl_compiler {
    int in, out;
    const struct ncl_device *device;
    struct ncl_kernels set; /* the session's */
    struct ncl_wire_item *items;
    struct ncl_trial *trials; /* the items' points */
    int *variants;            /* the items' kernels */
    int count;
    /* Buffers that all launches share, each as large as the largest needs. What is in them does not
     * matter: no kernel takes an address from its data. */
    cl_mem buffers[NCL_ROLE_COUNT];
    size_t bytes[NCL_ROLE_COUNT];
};
/* Answers a session's request. false: it is gone, or talks nonsense. */
bool ncl_compile_serve(struct ncl_compiler *compiler, const struct ncl_wire_request *request);
void ncl_compiler_close(struct ncl_compiler *compiler);

#endif

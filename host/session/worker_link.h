/* A worker as its tuner holds it: its process, and messages that may never be answered. Internal to
 * worker.c. */
#ifndef NCL_SESSION_WORKER_LINK_H
#define NCL_SESSION_WORKER_LINK_H

#include "base/process.h"
#include "session/worker.h"
#include "session/worker_wire.h"

/* A trial that passed. The worker that prepared it may be dead: then it is prepared again before it
 * is timed. */
struct ncl_passed {
    struct ncl_wire_trial trial;
    int worker; /* its number */
};

struct ncl_worker {
    struct ncl_worker_config config;
    struct ncl_wire_open open;
    struct ncl_process process; /* pid 0: none, to be started when it is needed */
    int number;                 /* of workers started */
    int lost;                   /* of them, those that crashed, hung or grew too large */
    bool killed; /* the last one ended by a SIGKILL that was not ours: a crash of nobody's making */
    uint64_t resident, first_resident;
    bool shared_cache, builds_at_once;
    struct ncl_passed *passed;
    size_t passed_count, passed_capacity;
    /* Compiles ahead what this one then finds in the driver's cache; NULL: none yet. */
    struct ncl_worker *ahead;
    bool alone; /* it would not start */
};

/* What came of a request: the worker's answer, or its end. */
enum ncl_link_end { NCL_LINK_ANSWERED, NCL_LINK_DIED, NCL_LINK_SILENT, NCL_LINK_CANCELLED };

enum ncl_link_end ncl_link_receive(const struct ncl_worker *w, void *data, size_t bytes,
                                   double seconds);
enum ncl_link_end ncl_link_send(const struct ncl_worker *w, const void *data, size_t bytes);
/* A status that a worker may answer with. */
bool ncl_link_is_status(int32_t status);
/* A worker that answers, unless there is one. */
ncl_status ncl_link_need(struct ncl_worker *w);

#endif

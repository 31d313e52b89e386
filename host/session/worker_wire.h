/* What a tuner, or a session, and its worker say to each other. Both are one build, which the
 * greeting checks, so structs travel as they are; algorithms, which are addresses, travel by name.
 */
#ifndef NCL_SESSION_WORKER_WIRE_H
#define NCL_SESSION_WORKER_WIRE_H

#include "base/hash.h"
#include "search/evaluator.h"

/* First thing the worker says. */
struct ncl_wire_hello {
    char magic[8];         /* "NCLWORK" */
    struct ncl_hash build; /* ncl_wire_build */
};
/* Hash of everything both ends must agree on: version, order of arithmetic, algorithms and their
 * kernels, sizes of what travels. */
struct ncl_hash ncl_wire_build(void);
void ncl_wire_greet(struct ncl_wire_hello *hello);

/* The tuner's answer; the problems' bytes follow. */
struct ncl_wire_open {
    char device[64], cache_dir[4096]; /* "": none */
    double launch_limit;
    uint64_t cold_bytes;
    int32_t problem_count;
};

enum ncl_wire_kind {
    NCL_WIRE_BUILD,   /* trials[count]: build only, at once; BUILT for each, then one reply */
    NCL_WIRE_PREPARE, /* one: BEAT when the problem's tensors are there, then the reply */
    NCL_WIRE_TIME,    /* one: BEAT likewise, then the reply with its timings */
    NCL_WIRE_FORGET,  /* one: no reply */
    /* Of a session, see compile.h; each gets one reply. */
    NCL_WIRE_PROBE,   /* measure what fma takes, and keep it in the cache */
    NCL_WIRE_WARM,    /* build anything */
    NCL_WIRE_KERNELS, /* ncl_wire_item[count]: all that the session launches, in its order */
    NCL_WIRE_COMPILE  /* of these all launches of kernel number `launches` */
};
struct ncl_wire_request {
    int32_t kind, count, launches;
};
struct ncl_wire_trial {
    int32_t task;
    char algo[60];
    int32_t v[NCL_MAX_TUNABLES];
};

struct ncl_wire_item {
    struct ncl_problem problem;
    struct ncl_wire_trial trial; /* its point */
};

enum ncl_wire_reply_kind { NCL_WIRE_OPENED, NCL_WIRE_BEAT, NCL_WIRE_BUILT, NCL_WIRE_DONE };
struct ncl_wire_reply {
    int32_t kind, status, verdict;
    int32_t timings;        /* struct ncl_timing that follow */
    int32_t index;          /* BUILT: of the trial in its request */
    int32_t shared_cache;   /* OPENED: its driver keeps compiled kernels for other processes, and
                               compiles one at a time in each */
    int32_t builds_at_once; /* OPENED: several kernels in one process */
    uint64_t resident;      /* bytes of its memory */
    char text[512];         /* the trial's why; of a status, the error */
};

void ncl_wire_from_trial(const struct ncl_trial *trial, struct ncl_wire_trial *wire);
/* false: no such algorithm. */
bool ncl_wire_to_trial(const struct ncl_wire_trial *wire, struct ncl_trial *trial);

#endif

/* The kernels of a session: variants collected first, then built together in few programs. */
#ifndef NCL_PLAN_KERNELS_H
#define NCL_PLAN_KERNELS_H

#include "algo/algo.h"
#include "cl/device.h"

struct ncl_variant {
    const struct ncl_algo *algo;
    struct ncl_defines defines;
    cl_program program; /* NULL: not built; owned by the set */
    bool failed;        /* its source does not build on this device */
    char why[256];      /* then */
};

/* A zeroed struct with `device` set is an empty set. One thread at a time. */
struct ncl_kernels {
    const struct ncl_device *device;
    struct ncl_variant *variants; /* the index is the suffix of the kernel's name */
    size_t count, capacity;
    cl_program *programs;
    size_t program_count, program_capacity;
};

/* Adds a variant, or finds the equal one that is there. *index names it. */
ncl_status ncl_kernels_add(struct ncl_kernels *set, const struct ncl_algo *algo, const int *v,
                           const struct ncl_problem *p, int *index);
/* Builds what was added since the last call, in caps.programs_parallel programs at once. When a
 * program fails its variants are built one by one, and those that fail are marked: the caller falls
 * back. Only running out of memory fails the call. */
ncl_status ncl_kernels_build(struct ncl_kernels *set);
void ncl_kernels_free(struct ncl_kernels *set);

#endif

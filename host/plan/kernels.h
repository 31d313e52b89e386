/* The kernels of a session: variants collected first, then built together in few programs. */
#ifndef NCL_PLAN_KERNELS_H
#define NCL_PLAN_KERNELS_H

#include "algo/algo.h"
#include "cl/device.h"

struct ncl_variant {
    const struct ncl_algo *algo;
    struct ncl_defines defines;
    cl_program program; /* NULL: not built; owned by the set */
    int part;           /* which program it belongs to, among those that are built together */
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
/* Neither built nor found not to build. */
bool ncl_variant_pending(const struct ncl_variant *variant);
/* Divides what is pending into caps.programs parts, the same for the same variants added in the
 * same order: who builds in another process finds the driver's cache by a program's text. */
void ncl_kernels_divide(struct ncl_kernels *set);
/* After that: the text of one part's program; data NULL: the part is empty. */
void ncl_kernels_compose(const struct ncl_kernels *set, int part, struct ncl_text *source);
/* Builds it. When the program fails its variants are built one by one, and those that fail are
 * marked: the caller falls back. Only running out of memory fails the call. */
ncl_status ncl_kernels_build_part(struct ncl_kernels *set, int part);
/* Divides, and builds all parts, at once where that pays. */
ncl_status ncl_kernels_build(struct ncl_kernels *set);
void ncl_kernels_free(struct ncl_kernels *set);

#endif

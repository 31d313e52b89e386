/* Inside of the oracle: what its files share. */
#ifndef NCL_PROBLEM_ORACLE_PARTS_H
#define NCL_PROBLEM_ORACLE_PARTS_H

#include "problem/half.h"
#include "problem/oracle.h"

/* Accumulators kept at once: a few cache lines, so that every tap finds them in the first level. */
#define NCL_ORACLE_CHUNK 512

/* Pixels [first, first + count) of channel c of image n of y; count <= NCL_ORACLE_CHUNK. */
struct ncl_oracle_span {
    int n, c, first, count;
};

struct ncl_oracle_job {
    const struct ncl_problem *problem;
    const struct ncl_oracle_tensors *tensors;
    const void *extra; /* of fill */
    /* Values before the epilogue, one per pixel of the span. Runs on any thread. */
    void (*fill)(const struct ncl_oracle_job *job, const struct ncl_oracle_span *span, float *acc);
};

/* Fills every span of y and applies the epilogue. */
void ncl_oracle_planes(const struct ncl_oracle_job *job);

ncl_status ncl_oracle_conv(const struct ncl_log *log, const struct ncl_oracle_job *job);
void ncl_oracle_pool(struct ncl_oracle_job *job);
void ncl_oracle_scale(struct ncl_oracle_job *job);
void ncl_oracle_binary(struct ncl_oracle_job *job);
void ncl_oracle_copy(struct ncl_oracle_job *job);
void ncl_oracle_softmax(struct ncl_oracle_job *job);

/* A result as y's memory holds it. */
static inline float ncl_oracle_stored(const struct ncl_problem *problem, float value)
{
    return ncl_order_is_half(problem->y_order, problem->half) ? ncl_half_round(value) : value;
}

static inline size_t ncl_plane_pixels(const struct ncl_shape *shape)
{
    return (size_t)shape->h * (size_t)shape->w;
}

/* First element of channel c of image n in NCHW. */
static inline size_t ncl_plane(const struct ncl_shape *shape, int n, int c)
{
    return ((size_t)n * (size_t)shape->c + (size_t)c) * ncl_plane_pixels(shape);
}

#endif

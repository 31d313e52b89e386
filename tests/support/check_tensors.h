/* Inside of the check: seeded tensors of a problem, on the host and in guarded buffers. */
#ifndef NCL_TESTS_CHECK_TENSORS_H
#define NCL_TESTS_CHECK_TENSORS_H

#include "support/algo_check.h"

/* Everything a problem reads, and what it must write. Plain NCHW; unused members NULL. */
struct ncl_check_tensors {
    struct ncl_shape x_shape, y_shape; /* of the buffers: larger than the problem's for a part of a
                                          concat, or of a batch */
    float *x, *z, *residual, *bias, *scale, *shift;
    float *before, *expected; /* y: contents before the run (NULL: NaN), and after it */
    float *sizes; /* with half_math: sums of the products' magnitudes, of y's shape; else NULL */
    float *weights_data;
    double *weights_scale;
    struct ncl_weights weights;
};
/* false: out of memory, or the oracle refused (ncl_error_text). Free in either case. */
bool ncl_check_tensors_make(const struct ncl_check_job *job, struct ncl_check_tensors *tensors);
void ncl_check_tensors_free(struct ncl_check_tensors *tensors);

/* A buffer with guard zones of NaN before and behind it. */
struct ncl_check_buffer {
    cl_mem parent, mem;
    size_t count, bytes, guard; /* numbers; their bytes, and those of each guard */
    bool half;
};
/* Numbers are floats here and in data; half: halves in the buffer. data NULL: NaN. */
ncl_status ncl_check_buffer_make(const struct ncl_device *device, const float *data, size_t count,
                                 bool half, struct ncl_check_buffer *buffer);
/* Contents (count of them) into data. *intact: no guard was written. */
ncl_status ncl_check_buffer_read(const struct ncl_device *device,
                                 const struct ncl_check_buffer *buffer, float *data, bool *intact);
void ncl_check_buffer_free(const struct ncl_device *device, struct ncl_check_buffer *buffer);

#endif

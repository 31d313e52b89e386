/* NumPy's .npy files, versions 1 to 3, little-endian and in C order: tensors of float32, and lists
 * of class indices. */
#ifndef NCL_IMPORT_NPY_H
#define NCL_IMPORT_NPY_H

#include "base/log.h"

/* out->data is new, aligned and the caller's to free(); dims outermost first, none of them 0.
 * NCL_ERROR_INPUT names the path, expected and found; *out is zeroed on failure. */
ncl_status ncl_npy_load(const struct ncl_log *log, const char *path, ncl_tensor *out);
/* The same from memory; name: for errors. */
ncl_status ncl_npy_parse(const struct ncl_log *log, const char *name, const void *data,
                         size_t bytes, ncl_tensor *out);
/* A list of int64, int32 or uint8; *indices is the caller's to free(). NCL_ERROR_INPUT names the
 * path, expected and found. */
ncl_status ncl_npy_load_indices(const struct ncl_log *log, const char *path, int64_t **indices,
                                size_t *count);
ncl_status ncl_npy_parse_indices(const struct ncl_log *log, const char *name, const void *data,
                                 size_t bytes, int64_t **indices, size_t *count);
/* Writes version 1 from tensor->data; path is whole or untouched. */
ncl_status ncl_npy_save(const struct ncl_log *log, const char *path, const ncl_tensor *tensor);

#endif

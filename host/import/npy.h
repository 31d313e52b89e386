/* NumPy's .npy files, versions 1 to 3: little-endian float32 in C order. */
#ifndef NCL_IMPORT_NPY_H
#define NCL_IMPORT_NPY_H

#include "base/log.h"

/* out->data is new, aligned and the caller's to free(); dims outermost first, none of them 0.
 * NCL_ERROR_INPUT names the path, expected and found; *out is zeroed on failure. */
ncl_status ncl_npy_load(const struct ncl_log *log, const char *path, ncl_tensor *out);
/* The same from memory; name: for errors. */
ncl_status ncl_npy_parse(const struct ncl_log *log, const char *name, const void *data,
                         size_t bytes, ncl_tensor *out);
/* Writes version 1 from tensor->data; path is whole or untouched. */
ncl_status ncl_npy_save(const struct ncl_log *log, const char *path, const ncl_tensor *tensor);

#endif

/* Programs: built from source or from a cached binary. */
#ifndef NCL_CL_PROGRAM_H
#define NCL_CL_PROGRAM_H

#include "cl/device.h"

/* What kernels are written in. No warnings: some drivers print their number on stderr, and a vector
 * wider than the processor's is a thousand of them. No math option: it could change bits. */
#define NCL_BUILD_OPTIONS "-cl-std=CL1.2 -w"

/* Builds for the device. A cached binary is keyed by platform, device, driver, OpenCL versions,
 * hash of source and options, and NextCL's version; checksummed; one that does not load is replaced
 * by a build from source. On failure the last error holds the first lines of the build log (its
 * whole text goes to the log at level debug). Thread-safe. */
ncl_status ncl_program_build(const struct ncl_device *device, const char *source,
                             const char *options, cl_program *program);
/* Has it been built here before, so that building takes no time? What the driver keeps itself was
 * noted by whoever built it; false also where there is no cache. */
bool ncl_program_known(const struct ncl_device *device, const char *source, const char *options);
/* Notes that the driver's own cache has the program and its kernels. */
void ncl_program_note(const struct ncl_device *device, const char *source, const char *options);
void ncl_program_release(const struct ncl_device *device, cl_program *program);

#endif

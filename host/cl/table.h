/* The only way to OpenCL: functions of the ICD loader, or of a vendor's libOpenCL, found at run
 * time by dlopen. So the library starts on machines without OpenCL, and tests can put a fake in
 * place. $NEXTCL_OPENCL_LIBRARY names another library. */
#ifndef NCL_CL_TABLE_H
#define NCL_CL_TABLE_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include "base/log.h"
#include <CL/cl.h>

/* OpenCL 1.2 functions, without their "cl" prefix. */
#define NCL_CL_FUNCTIONS(X)                                                                        \
    X(GetPlatformIDs)                                                                              \
    X(GetPlatformInfo)                                                                             \
    X(GetDeviceIDs)                                                                                \
    X(GetDeviceInfo)                                                                               \
    X(CreateContext)                                                                               \
    X(RetainContext)                                                                               \
    X(ReleaseContext)                                                                              \
    X(GetContextInfo)                                                                              \
    X(RetainDevice)                                                                                \
    X(ReleaseDevice)                                                                               \
    X(CreateCommandQueue)                                                                          \
    X(RetainCommandQueue)                                                                          \
    X(ReleaseCommandQueue)                                                                         \
    X(GetCommandQueueInfo)                                                                         \
    X(CreateBuffer)                                                                                \
    X(CreateSubBuffer)                                                                             \
    X(RetainMemObject)                                                                             \
    X(ReleaseMemObject)                                                                            \
    X(GetMemObjectInfo)                                                                            \
    X(SetMemObjectDestructorCallback)                                                              \
    X(CreateProgramWithSource)                                                                     \
    X(CreateProgramWithBinary)                                                                     \
    X(BuildProgram)                                                                                \
    X(GetProgramInfo)                                                                              \
    X(GetProgramBuildInfo)                                                                         \
    X(ReleaseProgram)                                                                              \
    X(CreateKernel)                                                                                \
    X(ReleaseKernel)                                                                               \
    X(SetKernelArg)                                                                                \
    X(GetKernelWorkGroupInfo)                                                                      \
    X(EnqueueNDRangeKernel)                                                                        \
    X(EnqueueReadBuffer)                                                                           \
    X(EnqueueWriteBuffer)                                                                          \
    X(EnqueueCopyBuffer)                                                                           \
    X(EnqueueMapBuffer)                                                                            \
    X(EnqueueUnmapMemObject)                                                                       \
    X(EnqueueMarkerWithWaitList)                                                                   \
    X(EnqueueBarrierWithWaitList)                                                                  \
    X(WaitForEvents)                                                                               \
    X(GetEventInfo)                                                                                \
    X(GetEventProfilingInfo)                                                                       \
    X(RetainEvent)                                                                                 \
    X(ReleaseEvent)                                                                                \
    X(Flush)                                                                                       \
    X(Finish)

struct ncl_cl {
#define NCL_CL_MEMBER(name) __typeof__(cl##name) *name;
    NCL_CL_FUNCTIONS(NCL_CL_MEMBER)
#undef NCL_CL_MEMBER
};

/* Loads once per process. NCL_ERROR_DEVICE with advice when there is no OpenCL. */
ncl_status ncl_cl_load(const struct ncl_log *log, const struct ncl_cl **cl);
/* Symbolic name of an OpenCL error code, "CL_OUT_OF_RESOURCES"; "unknown OpenCL error" otherwise.
 */
const char *ncl_cl_error_name(cl_int code);
/* NCL_ERROR_MEMORY for the codes of exhausted or refused memory, else NCL_ERROR_DEVICE. */
ncl_status ncl_cl_status(cl_int code);
/* NCL_ERROR_MEMORY or NCL_ERROR_DEVICE with "what failed: NAME (code)". */
ncl_status ncl_cl_fail(const struct ncl_log *log, const char *what, cl_int code);

#endif

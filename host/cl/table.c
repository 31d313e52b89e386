#include "cl/table.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const libraries[] = {
    "libOpenCL.so.1",
    "libOpenCL.so",
    /* Android: apps may open a vendor's library only by these paths. */
    "/vendor/lib64/libOpenCL.so",
    "/system/vendor/lib64/libOpenCL.so",
    "/vendor/lib/libOpenCL.so",
    "/system/vendor/lib/libOpenCL.so",
    "/vendor/lib64/egl/libGLES_mali.so",
    "/system/vendor/lib64/egl/libGLES_mali.so",
    "/vendor/lib/egl/libGLES_mali.so",
    "/vendor/lib64/libPVROCL.so",
    "/system/vendor/lib64/libPVROCL.so",
    "/vendor/lib/libPVROCL.so",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ncl_cl table;
static bool loaded;
static char failure[512];

static bool find(void *library, const char *library_name, const char *symbol, void *member)
{
    void *address = dlsym(library, symbol);

    if (address == NULL) {
        snprintf(failure, sizeof(failure), "%s lacks %s of OpenCL 1.2: install a newer driver",
                 library_name, symbol);
        return false;
    }
    /* C has no conversion from object to function pointers; POSIX gives them one size. */
    memcpy(member, &address, sizeof(address));
    return true;
}

static bool load_library(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL) {
        return false;
    }
    /* Never dlclose: drivers leave threads and exit handlers behind. */
#define NCL_CL_FIND(function) find(library, name, "cl" #function, &table.function) &&
    return NCL_CL_FUNCTIONS(NCL_CL_FIND) true;
#undef NCL_CL_FIND
}

static void load(void)
{
    const char *named = getenv("NEXTCL_OPENCL_LIBRARY");

    if (named != NULL && named[0] != '\0') {
        loaded = load_library(named);
        if (!loaded && failure[0] == '\0') {
            const char *reason = dlerror();
            snprintf(failure, sizeof(failure), "NEXTCL_OPENCL_LIBRARY: cannot load it: %s",
                     reason != NULL ? reason : named);
        }
        return;
    }
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]) && !loaded; i++) {
        loaded = load_library(libraries[i]);
    }
    if (!loaded && failure[0] == '\0') {
        snprintf(failure, sizeof(failure),
                 "no OpenCL library found (libOpenCL.so.1): install an ICD loader and a driver, on "
                 "Debian ocl-icd-libopencl1 and pocl-opencl-icd, or set NEXTCL_OPENCL_LIBRARY");
    }
}

ncl_status ncl_cl_load(const struct ncl_log *log, const struct ncl_cl **cl)
{
    pthread_once(&once, load);
    if (!loaded) {
        return ncl_fail(log, NCL_ERROR_DEVICE, "%s", failure);
    }
    *cl = &table;
    return NCL_OK;
}

struct name {
    cl_int code;
    const char *text;
};

#define NAME(code)                                                                                 \
    {                                                                                              \
        code, #code                                                                                \
    }
static const struct name names[] = {
    NAME(CL_SUCCESS),
    NAME(CL_DEVICE_NOT_FOUND),
    NAME(CL_DEVICE_NOT_AVAILABLE),
    NAME(CL_COMPILER_NOT_AVAILABLE),
    NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE),
    NAME(CL_OUT_OF_RESOURCES),
    NAME(CL_OUT_OF_HOST_MEMORY),
    NAME(CL_PROFILING_INFO_NOT_AVAILABLE),
    NAME(CL_MEM_COPY_OVERLAP),
    NAME(CL_IMAGE_FORMAT_MISMATCH),
    NAME(CL_IMAGE_FORMAT_NOT_SUPPORTED),
    NAME(CL_BUILD_PROGRAM_FAILURE),
    NAME(CL_MAP_FAILURE),
    NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET),
    NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
    NAME(CL_COMPILE_PROGRAM_FAILURE),
    NAME(CL_LINKER_NOT_AVAILABLE),
    NAME(CL_LINK_PROGRAM_FAILURE),
    NAME(CL_DEVICE_PARTITION_FAILED),
    NAME(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
    NAME(CL_INVALID_VALUE),
    NAME(CL_INVALID_DEVICE_TYPE),
    NAME(CL_INVALID_PLATFORM),
    NAME(CL_INVALID_DEVICE),
    NAME(CL_INVALID_CONTEXT),
    NAME(CL_INVALID_QUEUE_PROPERTIES),
    NAME(CL_INVALID_COMMAND_QUEUE),
    NAME(CL_INVALID_HOST_PTR),
    NAME(CL_INVALID_MEM_OBJECT),
    NAME(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR),
    NAME(CL_INVALID_IMAGE_SIZE),
    NAME(CL_INVALID_SAMPLER),
    NAME(CL_INVALID_BINARY),
    NAME(CL_INVALID_BUILD_OPTIONS),
    NAME(CL_INVALID_PROGRAM),
    NAME(CL_INVALID_PROGRAM_EXECUTABLE),
    NAME(CL_INVALID_KERNEL_NAME),
    NAME(CL_INVALID_KERNEL_DEFINITION),
    NAME(CL_INVALID_KERNEL),
    NAME(CL_INVALID_ARG_INDEX),
    NAME(CL_INVALID_ARG_VALUE),
    NAME(CL_INVALID_ARG_SIZE),
    NAME(CL_INVALID_KERNEL_ARGS),
    NAME(CL_INVALID_WORK_DIMENSION),
    NAME(CL_INVALID_WORK_GROUP_SIZE),
    NAME(CL_INVALID_WORK_ITEM_SIZE),
    NAME(CL_INVALID_GLOBAL_OFFSET),
    NAME(CL_INVALID_EVENT_WAIT_LIST),
    NAME(CL_INVALID_EVENT),
    NAME(CL_INVALID_OPERATION),
    NAME(CL_INVALID_GL_OBJECT),
    NAME(CL_INVALID_BUFFER_SIZE),
    NAME(CL_INVALID_MIP_LEVEL),
    NAME(CL_INVALID_GLOBAL_WORK_SIZE),
    NAME(CL_INVALID_PROPERTY),
    NAME(CL_INVALID_IMAGE_DESCRIPTOR),
    NAME(CL_INVALID_COMPILER_OPTIONS),
    NAME(CL_INVALID_LINKER_OPTIONS),
    NAME(CL_INVALID_DEVICE_PARTITION_COUNT),
    /* Of later versions and extensions, so that headers of any age do. */
    {-69, "CL_INVALID_PIPE_SIZE"},
    {-70, "CL_INVALID_DEVICE_QUEUE"},
    {-71, "CL_INVALID_SPEC_ID"},
    {-72, "CL_MAX_SIZE_RESTRICTION_EXCEEDED"},
    {-1000, "CL_INVALID_GL_SHAREGROUP_REFERENCE_KHR"},
    {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
    {-1057, "CL_DEVICE_PARTITION_FAILED_EXT"},
    {-9999, "NVIDIA_ILLEGAL_BUFFER_ACCESS"},
};
#undef NAME

const char *ncl_cl_error_name(cl_int code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code) {
            return names[i].text;
        }
    }
    return "unknown OpenCL error";
}

ncl_status ncl_cl_status(cl_int code)
{
    const bool memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY ||
                        code == CL_INVALID_BUFFER_SIZE;

    return memory ? NCL_ERROR_MEMORY : NCL_ERROR_DEVICE;
}

ncl_status ncl_cl_fail(const struct ncl_log *log, const char *what, cl_int code)
{
    return ncl_fail(log, ncl_cl_status(code), "%s failed: %s (%d)", what, ncl_cl_error_name(code),
                    (int)code);
}

/* What a device says of itself and what was measured. Queries are hints: a launch decides. */
#ifndef NCL_CL_CAPS_H
#define NCL_CL_CAPS_H

#include "cl/table.h"
#include <stdbool.h>

enum ncl_device_type { NCL_DEVICE_CPU, NCL_DEVICE_GPU, NCL_DEVICE_OTHER };

struct ncl_caps {
    char platform[128], name[256], vendor[128], driver[128], version[128], c_version[128];
    enum ncl_device_type type;
    unsigned vendor_id, compute_units, clock_mhz;
    size_t max_work_group, max_work_items[3];
    uint64_t global_memory, max_allocation, local_memory; /* bytes */
    uint64_t cache_bytes; /* of global memory; the driver does not say which level, nor for how many
                             compute units */
    bool local_memory_is_local; /* false: it lives in global memory, staging through it gains
                                   nothing */
    size_t base_align;          /* bytes; of sub-buffer origins, at least 128 */
    bool unified_memory;        /* host and device share it: map instead of copying */
    bool fma_reported;          /* CL_FP_FMA; absent on some devices that have it */
    bool fp16, fp64, profiling;
    bool half_math;    /* fp16, where two halves may take no longer than a float */
    int native_floats; /* lanes of the native vector, 1 where the device vectorises itself */
    /* Derived, the same for one device every time. */
    int channel_block; /* preferred CB */
    int registers;     /* vectors of max(native, 4) floats a work-item may keep without spilling */
    int preferred_work_group; /* work-items */
    int lanes; /* work-items that a GPU executes as one; the largest usual number, 64, where the
                  driver does not tell */
    bool scalar_registers; /* what all lanes share has registers of its own: tiles may be wide */
    bool paired_fma;       /* the compiler joins two fmas into one instruction where it can */
    bool index_addressing; /* 32-bit indices into kernel arguments are cheap, moving pointers are
                              not */
    int programs;          /* to split a build into, >= 1 */
    bool serial_builds;    /* of them one at a time: threads only wait for each other. With several
                              programs then, processes compile faster than one */
    bool caches_programs;  /* the driver keeps its own compiler cache: ours would only slow it */
    /* Workarounds in force, for `devices`: "" or "; "-separated sentences. */
    char workarounds[256];
};

/* Vector registers that one block of `channel_block` floats takes. */
static inline int ncl_registers_per_block(const struct ncl_caps *caps, int channel_block)
{
    const int lanes = caps->native_floats > 4 ? caps->native_floats : 4;

    return channel_block > lanes ? channel_block / lanes : 1;
}

/* A work-item is a core's thread with vector registers of its own (CPUs), not a lane of a wider
 * machine (GPUs; also llvmpipe, which says CPU but vectorises across work-items). Ask this, not
 * `type`, when choosing work-group and tile sizes. */
static inline bool ncl_caps_is_cpu_like(const struct ncl_caps *caps)
{
    return caps->type == NCL_DEVICE_CPU && caps->native_floats > 1;
}

/* Buffers of a CPU device are host memory: it can use ours where it is. */
static inline bool ncl_caps_uses_host_memory(const struct ncl_caps *caps)
{
    return caps->type == NCL_DEVICE_CPU && caps->unified_memory;
}

/* Optional facts that the driver refuses stay 0, false or ""; an error only if the device has no
 * name or speaks less than OpenCL 1.2. */
ncl_status ncl_caps_query(const struct ncl_log *log, const struct ncl_cl *cl,
                          cl_platform_id platform, cl_device_id device, struct ncl_caps *caps);

#endif

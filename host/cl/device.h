/* Devices: listing, choosing, opening; buffers and programs on an open one. */
#ifndef NCL_CL_DEVICE_H
#define NCL_CL_DEVICE_H

#include "cl/caps.h"

/* One usable device; platforms without devices are left out of the list but keep their index. */
struct ncl_device_entry {
    int platform_index, device_index; /* the "P:D" of the command line */
    cl_platform_id platform;
    cl_device_id id;
    struct ncl_caps caps;
};

struct ncl_device_list {
    struct ncl_device_entry *entries;
    size_t count;
};

/* NCL_OK with count 0 when there is OpenCL but no device. Free with ncl_device_list_free. */
ncl_status ncl_device_list(const struct ncl_log *log, const struct ncl_cl *cl,
                           struct ncl_device_list *list);
void ncl_device_list_free(struct ncl_device_list *list);
/* wanted: "P:D", "cpu", "gpu", part of a device's or platform's name (case-insensitive; the first
 * that fits); NULL or "": best GPU (most compute units), else the best CPU (widest vectors, then
 * most compute units), else the first. Deterministic. NCL_ERROR_DEVICE lists what there is. */
ncl_status ncl_device_choose(const struct ncl_log *log, const struct ncl_device_list *list,
                             const char *wanted, const struct ncl_device_entry **chosen);

/* Where program binaries are kept. get: NCL_OK and a new block (free), or any other status: none.
 * Both are thread-safe and never fail the caller. */
struct ncl_binary_cache {
    void *self;
    ncl_status (*get)(void *self, const char *key, void **data, size_t *bytes);
    void (*put)(void *self, const char *key, const void *data, size_t bytes);
};

/* An open device. Const after opening; thread-safe but for the queue's order. */
struct ncl_device {
    const struct ncl_log *log;
    const struct ncl_cl *cl;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue; /* own queue: in-order */
    bool profiling;         /* events of `queue` carry times */
    bool in_order;
    struct ncl_caps caps;
    struct ncl_binary_cache binaries; /* get == NULL: no cache */
};

ncl_status ncl_device_open(const struct ncl_log *log, const struct ncl_cl *cl,
                           const struct ncl_device_entry *entry, bool profile,
                           struct ncl_device *device);
/* Retains the caller's objects. Checks that they belong together. */
ncl_status ncl_device_adopt(const struct ncl_log *log, const struct ncl_cl *cl, cl_context context,
                            cl_device_id id, cl_command_queue queue, struct ncl_device *device);
void ncl_device_close(struct ncl_device *device);

ncl_status ncl_buffer_create(const struct ncl_device *device, cl_mem_flags flags, size_t bytes,
                             cl_mem *buffer);
/* A part of a buffer that was created whole; offset: a multiple of caps.base_align. The whole lives
 * on until its parts are gone. */
ncl_status ncl_buffer_part(const struct ncl_device *device, cl_mem whole, size_t offset,
                           size_t bytes, cl_mem *part);
void ncl_buffer_release(const struct ncl_device *device, cl_mem *buffer); /* sets it to NULL */
/* Blocking. */
ncl_status ncl_buffer_write(const struct ncl_device *device, cl_mem buffer, size_t offset,
                            const void *data, size_t bytes);
ncl_status ncl_buffer_read(const struct ncl_device *device, cl_mem buffer, size_t offset,
                           void *data, size_t bytes);

/* Nanoseconds between start and end of a finished event; false where the driver's answer is missing
 * or impossible (under 100 ns, negative, over an hour): time it by the wall clock then. */
bool ncl_event_ns(const struct ncl_device *device, cl_event event, uint64_t *ns);
/* The same from the start of one finished event to the end of a later one. */
bool ncl_event_span_ns(const struct ncl_device *device, cl_event first, cl_event last,
                       uint64_t *ns);

/* When a finished command was queued, submitted, started and ended, in nanoseconds of the device's
 * clock; false where a time is missing, zero or before the one that precedes it. */
enum { NCL_QUEUED, NCL_SUBMITTED, NCL_STARTED, NCL_ENDED, NCL_EVENT_TIMES };
bool ncl_event_times(const struct ncl_device *device, cl_event event,
                     uint64_t times[NCL_EVENT_TIMES]);

/* Time of mad divided by time of fma in a register-bound loop: about 1 where fma is native, far
 * below where it is emulated. Measured with 3 launches, more while the answer is not "native"; kept
 * in the binary cache. */
ncl_status ncl_device_fma_ratio(const struct ncl_device *device, double *ratio);
/* Is it in the binary cache? */
bool ncl_device_fma_known(const struct ncl_device *device);

/* Largest rate of fma (fast: of mad) that a register-bound kernel reached, in 1e9 operations a
 * second, two per fma. Takes some 50 ms; measured anew at each call. */
ncl_status ncl_device_peak_gflops(const struct ncl_device *device, bool fast, double *gflops);

/* Largest rate at which a kernel copied from buffer to buffer, in 1e9 bytes a second: bytes read
 * and bytes written, as STREAM counts. The buffers exceed the device's cache where it lets them.
 * Takes some 100 ms and up to 512 MiB of device memory; measured anew at each call. */
ncl_status ncl_device_peak_gbytes(const struct ncl_device *device, double *gbytes_per_s);

#endif

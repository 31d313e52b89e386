/* Times that layer_fault.c gives to launches instead of the device's own (NCL_LAYER_CLOCK,
 * NCL_LAYER_SLOW). */
#ifndef NCL_TESTS_LAYER_TIMES_H
#define NCL_TESTS_LAYER_TIMES_H

#include <CL/cl_icd.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_source(cl_uint count, const char **strings, const size_t *lengths)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (cl_uint i = 0; i < count; ++i)
        hash =
            hash_bytes(hash, strings[i], lengths && lengths[i] ? lengths[i] : strlen(strings[i]));
    return hash;
}

/* Of launches' events: which one lies in a row is its address's hash; older ones are overwritten.
 */
static pthread_mutex_t durations_lock = PTHREAD_MUTEX_INITIALIZER;
static struct duration {
    cl_event event;
    cl_ulong ns;
} durations[65536];

static struct duration *duration_of(cl_event event)
{
    const uint64_t hash = hash_bytes(0xcbf29ce484222325u, &event, sizeof event);

    return &durations[(hash ^ hash >> 20) % (sizeof durations / sizeof *durations)];
}

#define SOURCE_FAST 1u /* instead of a source's hash */

/* source: its hash. */
static cl_ulong hashed_duration(uint64_t source, cl_uint dimensions, const size_t *global)
{
    const uint64_t hash = hash_bytes(source, global, dimensions * sizeof *global);

    return source == SOURCE_FAST ? 1000 : 2000 + (hash ^ hash >> 32) % 3000;
}

/* ns 0: its own. An event's address may have been an older one's. */
static void set_duration(cl_event event, cl_ulong ns)
{
    pthread_mutex_lock(&durations_lock);
    *duration_of(event) = (struct duration){event, ns};
    pthread_mutex_unlock(&durations_lock);
}

/* 0: its own, or too long ago. */
static cl_ulong known_duration(cl_event event)
{
    cl_ulong ns;

    pthread_mutex_lock(&durations_lock);
    ns = duration_of(event)->event == event ? duration_of(event)->ns : 0;
    pthread_mutex_unlock(&durations_lock);
    return ns;
}

static cl_int end_as_set(const struct _cl_icd_dispatch *next, cl_event event, cl_ulong *time)
{
    const cl_ulong ns = known_duration(event);
    cl_int status = CL_SUCCESS;

    if (ns)
        status = next->clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof *time,
                                               time, NULL);
    *time += ns;
    return status;
}

/* A command's own times stay in order; one queued a microsecond later is a millisecond earlier. */
static cl_int backwards(const struct _cl_icd_dispatch *next, cl_event event, cl_ulong *time)
{
    const cl_ulong far = (cl_ulong)1 << 60, wrap = 1000000000000u;
    cl_ulong queued = 0;
    const cl_int status = next->clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_QUEUED,
                                                        sizeof queued, &queued, NULL);

    *time = far - queued % wrap * 1000 + (*time - queued);
    return status;
}

#endif

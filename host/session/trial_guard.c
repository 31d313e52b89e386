#include "session/trial_parts.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A NaN that no arithmetic produces, and so is each half of it. */
#define GUARD_BITS 0x7fde7fddu

static void fill(char *data, size_t bytes)
{
    const uint32_t bits = GUARD_BITS;

    for (size_t i = 0; i < bytes; i += sizeof bits)
        memcpy(data + i, &bits, sizeof bits);
}

static bool is_filled(const char *data, size_t bytes)
{
    const uint32_t bits = GUARD_BITS;

    for (size_t i = 0; i < bytes; i += sizeof bits)
        if (memcmp(data + i, &bits, sizeof bits) != 0)
            return false;
    return true;
}

static size_t whole_bytes(const struct ncl_guarded *buffer)
{
    return ncl_round_up(buffer->bytes, sizeof(uint32_t)) + 2 * buffer->guard;
}

ncl_status ncl_guarded_write(const struct ncl_device *device, const struct ncl_guarded *buffer,
                             const void *data)
{
    const size_t all = whole_bytes(buffer);
    char *host = ncl_alloc_aligned(all, 1);
    ncl_status status;

    if (!host)
        return ncl_fail_memory(device->log, "a guarded buffer");
    fill(host, data ? buffer->guard : all);
    if (data) {
        memcpy(host + buffer->guard, data, buffer->bytes);
        fill(host + all - buffer->guard, buffer->guard);
    }
    status = ncl_buffer_write(device, buffer->parent, 0, host, all);
    free(host);
    return status;
}

/* Sub-buffers begin at multiples of the device's alignment, and so does what follows a zone. */
ncl_status ncl_guarded_make(const struct ncl_device *device, const void *data, size_t bytes,
                            size_t zone, struct ncl_guarded *buffer)
{
    const size_t guard =
        ncl_round_up(zone, ncl_round_up(device->caps.base_align, sizeof(uint32_t)));
    const cl_buffer_region region = {guard, bytes};
    cl_int code = CL_SUCCESS;
    ncl_status status;

    *buffer = (struct ncl_guarded){.bytes = bytes, .guard = guard};
    status = ncl_buffer_create(device, CL_MEM_READ_WRITE, whole_bytes(buffer), &buffer->parent);
    if (status == NCL_OK)
        status = ncl_guarded_write(device, buffer, data);
    if (status != NCL_OK)
        return status;
    buffer->mem = device->cl->CreateSubBuffer(buffer->parent, CL_MEM_READ_WRITE,
                                              CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    return code ? ncl_cl_fail(device->log, "clCreateSubBuffer", code) : NCL_OK;
}

/* Both zones into host, one after the other; not waited for. */
static cl_int read_zones(const struct ncl_device *device, const struct ncl_guarded *buffer,
                         char *host)
{
    const size_t guard = buffer->guard, ends[2] = {0, whole_bytes(buffer) - guard};
    cl_int code = CL_SUCCESS;

    for (int i = 0; !code && i < 2; i++)
        code = device->cl->EnqueueReadBuffer(device->queue, buffer->parent, CL_FALSE, ends[i],
                                             guard, host + (size_t)i * guard, 0, NULL, NULL);
    return code;
}

ncl_status ncl_guarded_check(const struct ncl_device *device,
                             const struct ncl_guarded *const *buffers, int count, bool *intact)
{
    cl_int code = CL_SUCCESS, finished;
    size_t all = 0, at = 0;
    char *host;

    for (int i = 0; i < count; i++)
        all += 2 * buffers[i]->guard;
    host = ncl_alloc_aligned(all, 1);
    if (!host)
        return ncl_fail_memory(device->log, "guard zones");
    for (int i = 0; !code && i < count; at += 2 * buffers[i++]->guard)
        code = read_zones(device, buffers[i], host + at);
    finished = device->cl->Finish(device->queue);
    code = code ? code : finished;
    at = 0;
    for (int i = 0; !code && i < count; at += 2 * buffers[i++]->guard)
        intact[i] = is_filled(host + at, 2 * buffers[i]->guard);
    free(host);
    return code ? ncl_cl_fail(device->log, "reading guard zones", code) : NCL_OK;
}

ncl_status ncl_guarded_read(const struct ncl_device *device, const struct ncl_guarded *buffer,
                            void *data)
{
    return ncl_buffer_read(device, buffer->parent, buffer->guard, data, buffer->bytes);
}

void ncl_guarded_free(const struct ncl_device *device, struct ncl_guarded *buffer)
{
    ncl_buffer_release(device, &buffer->mem);
    ncl_buffer_release(device, &buffer->parent);
    *buffer = (struct ncl_guarded){0};
}

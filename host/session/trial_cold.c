#include "session/trial_parts.h"

#include "base/memory.h"

#include <stdlib.h>

/* More copies than this of small weights would only cost time: launches of such layers read little
 * else than pixels. */
#define MOST_COPIES 256

static void release_copies(const struct ncl_device *device, struct ncl_cold *cold)
{
    for (size_t i = 0; i < cold->count; i++)
        ncl_buffer_release(device, &cold->copies[i]);
    free(cold->copies);
    cold->copies = NULL;
    cold->count = cold->next = 0;
    cold->owner = 0;
}

void ncl_cold_free(const struct ncl_device *device, struct ncl_cold *cold)
{
    release_copies(device, cold);
    ncl_buffer_release(device, &cold->pool);
    *cold = (struct ncl_cold){0};
}

struct ncl_cold *ncl_cold_find(struct ncl_cold *pools, uint64_t owner)
{
    for (int i = 0; i < NCL_COLD_POOLS; i++)
        if (pools[i].owner == owner)
            return &pools[i];
    return NULL;
}

struct ncl_cold *ncl_cold_oldest(struct ncl_cold *pools)
{
    struct ncl_cold *found = pools;

    for (int i = 1; i < NCL_COLD_POOLS; i++)
        if (pools[i].used < found->used)
            found = &pools[i];
    return found;
}

/* Of at least so many bytes. */
static ncl_status make_pool(const struct ncl_device *device, struct ncl_cold *cold, size_t bytes)
{
    ncl_status status;

    if (cold->pool && cold->pool_bytes >= bytes)
        return NCL_OK;
    ncl_buffer_release(device, &cold->pool);
    status = ncl_buffer_create(device, CL_MEM_READ_WRITE, bytes, &cold->pool);
    cold->pool_bytes = status == NCL_OK ? bytes : 0;
    return status;
}

static ncl_status make_copies(const struct ncl_device *device, struct ncl_cold *cold, size_t stride,
                              size_t bytes, size_t count)
{
    cold->copies = ncl_alloc(count, sizeof *cold->copies);
    if (!cold->copies)
        return ncl_fail_memory(device->log, "copies of weights");
    for (cold->count = 0; cold->count < count; cold->count++) {
        const cl_buffer_region region = {cold->count * stride, bytes};
        cl_int code = CL_SUCCESS;

        cold->copies[cold->count] = device->cl->CreateSubBuffer(
            cold->pool, CL_MEM_READ_ONLY, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
        if (code) {
            cold->copies[cold->count] = NULL;
            return ncl_cl_fail(device->log, "clCreateSubBuffer", code);
        }
    }
    return NCL_OK;
}

/* The first copy comes from the host, the others from the first. */
static ncl_status spread(const struct ncl_device *device, const struct ncl_cold *cold,
                         size_t stride, const void *data, size_t bytes)
{
    ncl_status status = ncl_buffer_write(device, cold->pool, 0, data, bytes);
    cl_int code = CL_SUCCESS;

    for (size_t i = 1; status == NCL_OK && !code && i < cold->count; i++)
        code = device->cl->EnqueueCopyBuffer(device->queue, cold->pool, cold->pool, 0, i * stride,
                                             bytes, 0, NULL, NULL);
    if (status == NCL_OK && !code)
        code = device->cl->Finish(device->queue);
    return code ? ncl_cl_fail(device->log, "copying weights", code) : status;
}

ncl_status ncl_cold_fill(const struct ncl_device *device, struct ncl_cold *cold, size_t pool_bytes,
                         uint64_t owner, const void *data, size_t bytes)
{
    /* Pages, as buffers of their own would begin at. */
    const size_t stride = ncl_round_up(bytes, ncl_round_up(4096, device->caps.base_align));
    size_t count = pool_bytes / stride;
    ncl_status status;

    count = count < 1 ? 1 : count > MOST_COPIES ? MOST_COPIES : count;
    release_copies(device, cold);
    status = make_pool(device, cold, stride * count > pool_bytes ? stride * count : pool_bytes);
    if (status == NCL_OK)
        status = make_copies(device, cold, stride, bytes, count);
    if (status == NCL_OK)
        status = spread(device, cold, stride, data, bytes);
    if (status == NCL_OK)
        cold->owner = owner;
    return status;
}

cl_mem ncl_cold_next(struct ncl_cold *cold)
{
    cl_mem next = cold->copies[cold->next];

    cold->next = (cold->next + 1) % cold->count;
    return next;
}

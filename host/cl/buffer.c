#include "base/memory.h"
#include "cl/device.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Memory that a buffer uses, until its last user lets go of it. */
struct pages {
    void *start;
    size_t bytes;
};

static void free_pages(struct pages *pages)
{
    ncl_pages_free(pages->start, pages->bytes);
    free(pages);
}

static void CL_CALLBACK forget_pages(cl_mem buffer, void *user)
{
    (void)buffer;
    free_pages(user);
}

static struct pages *make_pages(size_t bytes)
{
    struct pages *pages = ncl_alloc(1, sizeof(*pages));

    if (pages == NULL) {
        return NULL;
    }
    pages->bytes = bytes;
    pages->start = ncl_pages_alloc(bytes);
    if (pages->start == NULL) {
        free(pages);
        return NULL;
    }
    return pages;
}

/* A buffer in large pages of ours: drivers take pages of 4 KiB, and a core that streams weights or
 * a batch of activations then waits for their addresses (2 to 5 % of ResNet-50's layers on PoCL).
 * NULL: the driver may do as it likes. */
static cl_mem create_in_pages(const struct ncl_device *device, cl_mem_flags flags, size_t bytes)
{
    struct pages *pages = make_pages(bytes);
    cl_int code = CL_OUT_OF_HOST_MEMORY;
    cl_mem buffer = NULL;

    if (pages != NULL) {
        buffer = device->cl->CreateBuffer(device->context, flags | CL_MEM_USE_HOST_PTR, bytes,
                                          pages->start, &code);
        if (code == CL_SUCCESS) {
            code = device->cl->SetMemObjectDestructorCallback(buffer, forget_pages, pages);
        }
        if (code == CL_SUCCESS) {
            return buffer;
        }
    }
    ncl_note(device->log, NCL_LOG_INFO,
             "%s: a buffer of %zu bytes is not in large pages of our own: %s (%d)",
             device->caps.name, bytes, ncl_cl_error_name(code), (int)code);
    if (buffer != NULL) {
        device->cl->ReleaseMemObject(buffer);
    }
    if (pages != NULL) {
        free_pages(pages);
    }
    return NULL;
}

ncl_status ncl_buffer_create(const struct ncl_device *device, cl_mem_flags flags, size_t bytes,
                             cl_mem *buffer)
{
    cl_int code = CL_SUCCESS;

    if (bytes >= NCL_PAGES_ALIGN && bytes <= device->caps.max_allocation &&
        ncl_caps_uses_host_memory(&device->caps)) {
        *buffer = create_in_pages(device, flags, bytes);
        if (*buffer != NULL) {
            return NCL_OK;
        }
    }
    *buffer = device->cl->CreateBuffer(device->context, flags, bytes, NULL, &code);
    if (code == CL_SUCCESS && *buffer != NULL) {
        return NCL_OK;
    }
    *buffer = NULL;
    return ncl_fail(device->log, ncl_cl_status(code),
                    "%s: allocating a buffer of %zu bytes failed: %s (%d); the largest allowed is "
                    "%" PRIu64,
                    device->caps.name, bytes, ncl_cl_error_name(code), (int)code,
                    device->caps.max_allocation);
}

ncl_status ncl_buffer_part(const struct ncl_device *device, cl_mem whole, size_t offset,
                           size_t bytes, cl_mem *part)
{
    const cl_buffer_region region = {offset, bytes};
    cl_int code = CL_SUCCESS;

    *part = device->cl->CreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    if (code == CL_SUCCESS) {
        return NCL_OK;
    }
    *part = NULL;
    return ncl_cl_fail(device->log, "clCreateSubBuffer", code);
}

void ncl_buffer_release(const struct ncl_device *device, cl_mem *buffer)
{
    if (*buffer != NULL) {
        device->cl->ReleaseMemObject(*buffer);
        *buffer = NULL;
    }
}

static ncl_status fail_transfer(const struct ncl_device *device, const char *what, size_t offset,
                                size_t bytes, cl_int code)
{
    return ncl_fail(device->log, ncl_cl_status(code),
                    "%s: %s %zu bytes at %zu of a buffer failed: %s (%d)", device->caps.name, what,
                    bytes, offset, ncl_cl_error_name(code), (int)code);
}

ncl_status ncl_buffer_write(const struct ncl_device *device, cl_mem buffer, size_t offset,
                            const void *data, size_t bytes)
{
    cl_int code = CL_SUCCESS;

    if (bytes > 0) { /* OpenCL refuses 0 */
        code = device->cl->EnqueueWriteBuffer(device->queue, buffer, CL_TRUE, offset, bytes, data,
                                              0, NULL, NULL);
    }
    return code == CL_SUCCESS ? NCL_OK : fail_transfer(device, "writing", offset, bytes, code);
}

ncl_status ncl_buffer_read(const struct ncl_device *device, cl_mem buffer, size_t offset,
                           void *data, size_t bytes)
{
    cl_int code = CL_SUCCESS;

    if (bytes > 0) {
        code = device->cl->EnqueueReadBuffer(device->queue, buffer, CL_TRUE, offset, bytes, data, 0,
                                             NULL, NULL);
    }
    return code == CL_SUCCESS ? NCL_OK : fail_transfer(device, "reading", offset, bytes, code);
}

bool ncl_event_ns(const struct ncl_device *device, cl_event event, uint64_t *ns)
{
    return ncl_event_span_ns(device, event, event, ns);
}

bool ncl_event_span_ns(const struct ncl_device *device, cl_event first, cl_event last, uint64_t *ns)
{
    /* rusticl answers 1 ns for every event; no launch takes less than the shortest here. */
    const cl_ulong shortest = 100;
    const cl_ulong longest = (cl_ulong)3600 * 1000000000u;
    const struct ncl_cl *cl = device->cl;
    cl_ulong start = 0, end = 0;

    if (cl->GetEventProfilingInfo(first, CL_PROFILING_COMMAND_START, sizeof(start), &start, NULL) !=
            CL_SUCCESS ||
        cl->GetEventProfilingInfo(last, CL_PROFILING_COMMAND_END, sizeof(end), &end, NULL) !=
            CL_SUCCESS) {
        return false;
    }
    if (start == 0 || end <= start || end - start < shortest || end - start > longest) {
        return false;
    }
    *ns = end - start;
    return true;
}

bool ncl_event_times(const struct ncl_device *device, cl_event event,
                     uint64_t times[NCL_EVENT_TIMES])
{
    static const cl_profiling_info which[NCL_EVENT_TIMES] = {
        CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_SUBMIT, CL_PROFILING_COMMAND_START,
        CL_PROFILING_COMMAND_END};
    cl_ulong before = 1;

    for (int i = 0; i < NCL_EVENT_TIMES; i++) {
        cl_ulong time = 0;

        if (device->cl->GetEventProfilingInfo(event, which[i], sizeof(time), &time, NULL) !=
                CL_SUCCESS ||
            time < before) {
            return false;
        }
        times[i] = before = time;
    }
    return true;
}

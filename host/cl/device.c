#include "cl/device.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* May come on a driver's own thread. Errors arrive as return codes as well: this only adds detail.
 */
static void CL_CALLBACK note_context_error(const char *message, const void *private_data,
                                           size_t bytes, void *user)
{
    (void)private_data;
    (void)bytes;
    ncl_note(user, NCL_LOG_DEBUG, "driver: %s", message != NULL ? message : "");
}

static ncl_status create_queue(struct ncl_device *device, bool profile)
{
    cl_int code = CL_SUCCESS;
    const cl_command_queue_properties properties = profile ? CL_QUEUE_PROFILING_ENABLE : 0;

    device->queue = device->cl->CreateCommandQueue(device->context, device->id, properties, &code);
    device->profiling = profile && code == CL_SUCCESS;
    if (code == CL_INVALID_QUEUE_PROPERTIES && profile) {
        ncl_note(device->log, NCL_LOG_WARNING, "%s: no profiling: times are the wall clock's",
                 device->caps.name);
        device->queue = device->cl->CreateCommandQueue(device->context, device->id, 0, &code);
    }
    return code == CL_SUCCESS ? NCL_OK : ncl_cl_fail(device->log, "creating a queue", code);
}

ncl_status ncl_device_open(const struct ncl_log *log, const struct ncl_cl *cl,
                           const struct ncl_device_entry *entry, bool profile,
                           struct ncl_device *device)
{
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)entry->platform, 0};
    ncl_status status = NCL_OK;
    cl_int code = CL_SUCCESS;

    *device = (struct ncl_device){.log = log,
                                  .cl = cl,
                                  .platform = entry->platform,
                                  .id = entry->id,
                                  .in_order = true,
                                  .caps = entry->caps};
    /* The log outlives the device, and with it the context. */
    device->context = cl->CreateContext(properties, 1, &entry->id, note_context_error,
                                        (void *)(uintptr_t)log, &code);
    if (code != CL_SUCCESS) {
        *device = (struct ncl_device){0};
        return ncl_fail(log, ncl_cl_status(code), "%s: creating a context failed: %s (%d)",
                        entry->caps.name, ncl_cl_error_name(code), (int)code);
    }
    cl->RetainDevice(device->id);
    status = create_queue(device, profile);
    if (status != NCL_OK) {
        ncl_device_close(device);
    }
    return status;
}

static ncl_status check_context(const struct ncl_log *log, const struct ncl_cl *cl,
                                cl_context context, cl_device_id id)
{
    cl_device_id *ids = NULL;
    size_t bytes = 0;
    bool found = false;
    cl_int code = cl->GetContextInfo(context, CL_CONTEXT_DEVICES, 0, NULL, &bytes);

    if (code != CL_SUCCESS) {
        return ncl_cl_fail(log, "adopting a context: reading its devices", code);
    }
    ids = ncl_alloc(bytes, 1);
    if (ids == NULL) {
        return ncl_fail_memory(log, "adopting a context");
    }
    code = cl->GetContextInfo(context, CL_CONTEXT_DEVICES, bytes, ids, NULL);
    for (size_t i = 0; i < bytes / sizeof(*ids) && code == CL_SUCCESS; i++) {
        found = found || ids[i] == id;
    }
    free(ids);
    if (!found) {
        return ncl_fail(log, NCL_ERROR_USAGE,
                        "adopting a context: the device is not one of its devices");
    }
    return NCL_OK;
}

static ncl_status check_queue(const struct ncl_log *log, const struct ncl_cl *cl,
                              const struct ncl_device *device)
{
    cl_context context = NULL;
    cl_device_id id = NULL;
    cl_int code = cl->GetCommandQueueInfo(device->queue, CL_QUEUE_CONTEXT, sizeof(cl_context),
                                          &context, NULL);

    if (code == CL_SUCCESS) {
        code = cl->GetCommandQueueInfo(device->queue, CL_QUEUE_DEVICE, sizeof(cl_device_id), &id,
                                       NULL);
    }
    if (code != CL_SUCCESS) {
        return ncl_cl_fail(log, "adopting a queue: reading its context and device", code);
    }
    if (context != device->context || id != device->id) {
        return ncl_fail(log, NCL_ERROR_USAGE, "adopting a queue: it belongs to another %s",
                        context != device->context ? "context" : "device");
    }
    return NCL_OK;
}

/* Everything about the caller's objects that may refuse, before anything is retained. */
static ncl_status inspect_adopted(struct ncl_device *device)
{
    const struct ncl_cl *cl = device->cl;
    cl_command_queue_properties properties = 0;
    ncl_status status = check_context(device->log, cl, device->context, device->id);
    cl_int code = CL_SUCCESS;

    if (status == NCL_OK) {
        status = check_queue(device->log, cl, device);
    }
    if (status != NCL_OK) {
        return status;
    }
    code = cl->GetDeviceInfo(device->id, CL_DEVICE_PLATFORM, sizeof(device->platform),
                             &device->platform, NULL);
    if (code == CL_SUCCESS) {
        code = cl->GetCommandQueueInfo(device->queue, CL_QUEUE_PROPERTIES, sizeof(properties),
                                       &properties, NULL);
    }
    if (code != CL_SUCCESS) {
        return ncl_cl_fail(device->log, "adopting a queue: reading its properties", code);
    }
    device->profiling = (properties & CL_QUEUE_PROFILING_ENABLE) != 0;
    device->in_order = (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0;
    return ncl_caps_query(device->log, cl, device->platform, device->id, &device->caps);
}

ncl_status ncl_device_adopt(const struct ncl_log *log, const struct ncl_cl *cl, cl_context context,
                            cl_device_id id, cl_command_queue queue, struct ncl_device *device)
{
    ncl_status status = NCL_OK;

    *device =
        (struct ncl_device){.log = log, .cl = cl, .id = id, .context = context, .queue = queue};
    if (context == NULL || id == NULL || queue == NULL) {
        status = ncl_fail(log, NCL_ERROR_USAGE,
                          "adopting OpenCL objects: expected context, device and queue, found a "
                          "NULL among them");
    } else {
        status = inspect_adopted(device);
    }
    if (status != NCL_OK) {
        *device = (struct ncl_device){0};
        return status;
    }
    cl->RetainContext(context);
    cl->RetainDevice(id);
    cl->RetainCommandQueue(queue);
    return NCL_OK;
}

void ncl_device_close(struct ncl_device *device)
{
    if (device->queue != NULL) {
        device->cl->Finish(device->queue);
        device->cl->ReleaseCommandQueue(device->queue);
    }
    if (device->context != NULL) {
        device->cl->ReleaseDevice(device->id);
        device->cl->ReleaseContext(device->context);
    }
    *device = (struct ncl_device){0};
}

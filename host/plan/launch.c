#include "plan/launch.h"

#include <stdio.h>
#include <string.h>

static const char *role_name(enum ncl_role role)
{
    static const char *const names[NCL_ROLE_COUNT] = {
        [NCL_ARG_X] = "x",
        [NCL_ARG_Z] = "z",
        [NCL_ARG_W] = "weights",
        [NCL_ARG_BIAS] = "bias",
        [NCL_ARG_SCALE] = "scale",
        [NCL_ARG_SHIFT] = "shift",
        [NCL_ARG_RESIDUAL] = "residual",
        [NCL_ARG_Y] = "y",
    };

    return names[role];
}

static ncl_status set_arg(const struct ncl_device *device, const struct ncl_launch *launch,
                          int index)
{
    const struct ncl_args *args = &launch->args;
    const void *value = &args->items[index].value;
    size_t size = sizeof(cl_int);
    cl_int code;

    if (args->items[index].kind == NCL_ARG_KIND_FLOAT)
        size = sizeof(cl_float);
    if (args->items[index].kind == NCL_ARG_KIND_BUFFER) {
        const enum ncl_role role = args->items[index].value.role;

        if (!launch->buffers[role])
            return ncl_fail(device->log, NCL_ERROR_DEVICE, "%s: no buffer for argument %s",
                            launch->algo->name, role_name(role));
        value = &launch->buffers[role];
        size = sizeof(cl_mem);
    }
    code = device->cl->SetKernelArg(launch->kernel, (cl_uint)index, size, value);
    return code ? ncl_cl_fail(device->log, "clSetKernelArg", code) : NCL_OK;
}

/* Drivers may grant a kernel less than the device's limit. Some answer nonsense (less than a
 * required size that they then run), so a kernel with its own required size is left to the launch.
 */
static ncl_status check_work_group(const struct ncl_device *device, const struct ncl_launch *launch)
{
    const size_t *local = launch->range.local;
    const size_t wanted = local[0] * local[1] * local[2];
    size_t granted = 0, required[3] = {0};

    device->cl->GetKernelWorkGroupInfo(launch->kernel, device->id,
                                       CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof required, required,
                                       NULL);
    if (required[0])
        return NCL_OK;
    if (device->cl->GetKernelWorkGroupInfo(launch->kernel, device->id, CL_KERNEL_WORK_GROUP_SIZE,
                                           sizeof granted, &granted, NULL) == CL_SUCCESS &&
        granted && wanted > granted)
        return ncl_fail(device->log, NCL_ERROR_DEVICE,
                        "%s: work-group of %zu work-items, the driver grants this kernel %zu",
                        launch->algo->name, wanted, granted);
    return NCL_OK;
}

static ncl_status create_kernel(const struct ncl_device *device, cl_program program, int suffix,
                                struct ncl_launch *launch)
{
    char name[96];
    cl_int code;

    snprintf(name, sizeof name, "%s_%d", launch->algo->kernel, suffix);
    launch->kernel = device->cl->CreateKernel(program, name, &code);
    if (code) {
        launch->kernel = NULL;
        return ncl_fail_within(ncl_cl_fail(device->log, "clCreateKernel", code), "kernel %s", name);
    }
    return check_work_group(device, launch);
}

ncl_status ncl_launch_bind(const struct ncl_device *device, cl_program program, int suffix,
                           const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                           const cl_mem buffers[NCL_ROLE_COUNT], struct ncl_launch *launch)
{
    ncl_status status;

    *launch = (struct ncl_launch){.algo = algo, .problem = *p};
    memcpy(launch->v, v, (size_t)algo->tunable_count * sizeof *v);
    memcpy(launch->buffers, buffers, sizeof launch->buffers);
    if (algo->host_run)
        return NCL_OK;
    launch->range = (struct ncl_range){{1, 1, 1}, {1, 1, 1}};
    algo->geometry(v, p, &launch->range);
    algo->set_args(&launch->args, v, p);
    if (launch->args.overflow)
        return ncl_fail(device->log, NCL_ERROR_DEVICE, "%s: more than %d kernel arguments",
                        algo->name, NCL_MAX_ARGS);
    status = create_kernel(device, program, suffix, launch);
    for (int i = 0; status == NCL_OK && i < launch->args.count; i++)
        status = set_arg(device, launch, i);
    return status;
}

ncl_status ncl_launch_rebind(const struct ncl_device *device, struct ncl_launch *launch,
                             enum ncl_role role, cl_mem buffer)
{
    ncl_status status = NCL_OK;

    if (launch->buffers[role] == buffer)
        return NCL_OK;
    launch->buffers[role] = buffer;
    for (int i = 0; status == NCL_OK && i < launch->args.count; i++)
        if (launch->args.items[i].kind == NCL_ARG_KIND_BUFFER &&
            launch->args.items[i].value.role == role)
            status = set_arg(device, launch, i);
    return status;
}

ncl_status ncl_launch_enqueue(const struct ncl_device *device, const struct ncl_launch *launch,
                              cl_command_queue queue, cl_uint wait_count, const cl_event *waits,
                              cl_event *event)
{
    cl_int code;

    if (launch->algo->host_run) {
        if (wait_count) {
            code = device->cl->EnqueueBarrierWithWaitList(queue, wait_count, waits, NULL);
            if (code)
                return ncl_cl_fail(device->log, "clEnqueueBarrierWithWaitList", code);
        }
        return launch->algo->host_run(device, launch->v, &launch->problem, launch->buffers, queue,
                                      event);
    }
    code = device->cl->EnqueueNDRangeKernel(queue, launch->kernel, 3, NULL, launch->range.global,
                                            launch->range.local, wait_count, waits, event);
    if (code)
        return ncl_fail_within(ncl_cl_fail(device->log, "clEnqueueNDRangeKernel", code), "%s",
                               launch->algo->name);
    return NCL_OK;
}

void ncl_launch_release(const struct ncl_device *device, struct ncl_launch *launch)
{
    if (launch->kernel)
        device->cl->ReleaseKernel(launch->kernel);
    *launch = (struct ncl_launch){0};
}

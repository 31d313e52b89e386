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
        [NCL_ARG_WORKSPACE] = "workspace",
    };

    return names[role];
}

static ncl_status set_arg(const struct ncl_device *device, const struct ncl_launch *launch,
                          int stage, int index)
{
    const struct ncl_args *args = &launch->stages[stage].args;
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
    code = device->cl->SetKernelArg(launch->stages[stage].kernel, (cl_uint)index, size, value);
    return code ? ncl_cl_fail(device->log, "clSetKernelArg", code) : NCL_OK;
}

/* Drivers may grant a kernel less than the device's limit. Some answer nonsense (less than a
 * required size that they then run), so a kernel with its own required size is left to the launch.
 */
static ncl_status check_work_group(const struct ncl_device *device, const struct ncl_launch *launch,
                                   int stage)
{
    const cl_kernel kernel = launch->stages[stage].kernel;
    const size_t *local = launch->stages[stage].range.local;
    const size_t wanted = local[0] * local[1] * local[2];
    size_t granted = 0, required[3] = {0};

    device->cl->GetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                                       sizeof required, required, NULL);
    if (required[0])
        return NCL_OK;
    if (device->cl->GetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_WORK_GROUP_SIZE,
                                           sizeof granted, &granted, NULL) == CL_SUCCESS &&
        granted && wanted > granted)
        return ncl_fail(device->log, NCL_ERROR_DEVICE,
                        "%s: work-group of %zu work-items, the driver grants this kernel %zu",
                        launch->algo->name, wanted, granted);
    return NCL_OK;
}

static ncl_status create_kernel(const struct ncl_device *device, cl_program program,
                                const char *kernel, int suffix, struct ncl_launch *launch,
                                int stage)
{
    char name[96];
    cl_int code;

    snprintf(name, sizeof name, "%s_%d", kernel, suffix);
    launch->stages[stage].kernel = device->cl->CreateKernel(program, name, &code);
    if (code) {
        launch->stages[stage].kernel = NULL;
        return ncl_fail_within(ncl_cl_fail(device->log, "clCreateKernel", code), "kernel %s", name);
    }
    return check_work_group(device, launch, stage);
}

static ncl_status bind_stage(const struct ncl_device *device, cl_program program, int suffix,
                             struct ncl_launch *launch, int stage)
{
    const struct ncl_stage described = ncl_algo_stage(launch->algo, stage);
    struct ncl_range *range = &launch->stages[stage].range;
    struct ncl_args *args = &launch->stages[stage].args;
    ncl_status status;

    *range = (struct ncl_range){{1, 1, 1}, {1, 1, 1}};
    described.geometry(launch->v, &launch->problem, range);
    described.set_args(args, launch->v, &launch->problem);
    if (args->overflow)
        return ncl_fail(device->log, NCL_ERROR_DEVICE, "%s: more than %d kernel arguments",
                        launch->algo->name, NCL_MAX_ARGS);
    status = create_kernel(device, program, described.kernel, suffix, launch, stage);
    for (int i = 0; status == NCL_OK && i < args->count; i++)
        status = set_arg(device, launch, stage, i);
    return status;
}

ncl_status ncl_launch_bind(const struct ncl_device *device, cl_program program, int suffix,
                           const struct ncl_algo *algo, const int *v, const struct ncl_problem *p,
                           const cl_mem buffers[NCL_ROLE_COUNT], struct ncl_launch *launch)
{
    ncl_status status = NCL_OK;

    *launch =
        (struct ncl_launch){.algo = algo, .problem = *p, .stage_count = ncl_algo_stage_count(algo)};
    memcpy(launch->v, v, (size_t)algo->tunable_count * sizeof *v);
    memcpy(launch->buffers, buffers, sizeof launch->buffers);
    for (int i = 0; status == NCL_OK && i < launch->stage_count; i++)
        status = bind_stage(device, program, suffix, launch, i);
    return status;
}

static bool names(const struct ncl_args *args, int index, enum ncl_role role)
{
    return args->items[index].kind == NCL_ARG_KIND_BUFFER && args->items[index].value.role == role;
}

ncl_status ncl_launch_rebind(const struct ncl_device *device, struct ncl_launch *launch,
                             enum ncl_role role, cl_mem buffer)
{
    ncl_status status = NCL_OK;

    if (launch->buffers[role] == buffer)
        return NCL_OK;
    launch->buffers[role] = buffer;
    for (int s = 0; s < launch->stage_count; s++)
        for (int i = 0; status == NCL_OK && i < launch->stages[s].args.count; i++)
            if (names(&launch->stages[s].args, i, role))
                status = set_arg(device, launch, s, i);
    return status;
}

static ncl_status call_library(const struct ncl_device *device, const struct ncl_launch *launch,
                               cl_command_queue queue, cl_uint wait_count, const cl_event *waits,
                               cl_event *event)
{
    cl_int code = CL_SUCCESS;

    if (wait_count)
        code = device->cl->EnqueueBarrierWithWaitList(queue, wait_count, waits, NULL);
    if (code)
        return ncl_cl_fail(device->log, "clEnqueueBarrierWithWaitList", code);
    return launch->algo->host_run(device, launch->v, &launch->problem, launch->buffers, queue,
                                  event);
}

static ncl_status enqueue_stage(const struct ncl_device *device, const struct ncl_launch *launch,
                                int stage, cl_command_queue queue, cl_uint wait_count,
                                const cl_event *waits, cl_event *event)
{
    const struct ncl_range *range = &launch->stages[stage].range;
    const cl_int code =
        device->cl->EnqueueNDRangeKernel(queue, launch->stages[stage].kernel, 3, NULL,
                                         range->global, range->local, wait_count, waits, event);

    if (code)
        return ncl_fail_within(ncl_cl_fail(device->log, "clEnqueueNDRangeKernel", code), "%s",
                               launch->algo->name);
    return NCL_OK;
}

ncl_status ncl_launch_enqueue(const struct ncl_device *device, const struct ncl_launch *launch,
                              cl_command_queue queue, cl_uint wait_count, const cl_event *waits,
                              cl_event *first, cl_event *event)
{
    const int last = launch->stage_count - 1;
    cl_event events[NCL_MAX_STAGES] = {NULL};
    ncl_status status = NCL_OK;

    if (first)
        *first = NULL;
    if (launch->algo->host_run)
        return call_library(device, launch, queue, wait_count, waits, event);
    for (int i = 0; status == NCL_OK && i <= last; i++) {
        const bool chained = i > 0 && !device->in_order;
        const bool wanted = i < last ? !device->in_order || (first && i == 0) : event != NULL;

        status = enqueue_stage(device, launch, i, queue, i ? chained : wait_count,
                               i ? (chained ? &events[i - 1] : NULL) : waits,
                               wanted ? &events[i] : NULL);
    }
    if (status == NCL_OK && event)
        *event = events[last], events[last] = NULL;
    if (status == NCL_OK && first && last > 0)
        *first = events[0], events[0] = NULL;
    for (int i = 0; i <= last; i++)
        if (events[i])
            device->cl->ReleaseEvent(events[i]);
    return status;
}

void ncl_launch_release(const struct ncl_device *device, struct ncl_launch *launch)
{
    for (int i = 0; i < launch->stage_count; i++)
        if (launch->stages[i].kernel)
            device->cl->ReleaseKernel(launch->stages[i].kernel);
    *launch = (struct ncl_launch){0};
}

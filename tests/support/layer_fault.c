/* An OpenCL layer (OPENCL_LAYERS=.../layer_fault.so) between the ICD loader and any implementation:
 * it counts, makes the device look smaller, and fails or loses calls. Environment variables, read
 * at each call; N counts calls of the process from 1:
 *
 *   NCL_LAYER_SKIP=N            the N-th kernel launch reports success but does not run
 *   NCL_LAYER_WRONG=N           the N-th kernel launch leaves out one work-group
 *   NCL_LAYER_CRASH=N           the N-th kernel launch ends the process by SIGSEGV
 *   NCL_LAYER_HANG=N            the N-th kernel launch never returns
 *   NCL_LAYER_SLOW=N            the N-th kernel launch took 100 seconds, its event says
 *   NCL_LAYER_FAIL_ENQUEUE=N    the N-th kernel launch fails
 *   NCL_LAYER_FAIL_BUILD=N      the N-th program build fails
 *   NCL_LAYER_CRASH_BUILD=N     the N-th program build ends the process by SIGSEGV
 *   NCL_LAYER_HANG_BUILD=N      the N-th program build never returns
 *   NCL_LAYER_FAIL_BUFFER=N     the N-th buffer is refused
 *   NCL_LAYER_FAIL_READ=N       the N-th read or mapping for reading fails
 *   NCL_LAYER_HANG_CLOSE=FD     releasing a queue closes descriptor FD, and never returns
 *   NCL_LAYER_SIGNAL            the number of the signal of crashes (default: SIGSEGV's)
 *   NCL_LAYER_PRINT             each kernel launch writes a line to standard output
 *   NCL_LAYER_CODE              failures' code, negative (default: what fits the call)
 *   NCL_LAYER_KERNEL=TEXT       of launches, only those of kernels whose name holds the text are
 *                               counted and hit; N = 0: every one of them
 *   NCL_LAYER_SOURCE=TEXT       likewise of launches and builds: the program's source holds it,
 *                               such as "#define P 6" (suffixes of kernels' names may change)
 *   NCL_LAYER_MAX_WORK_GROUP    work-items per group, of the device
 *   NCL_LAYER_KERNEL_WORK_GROUP work-items per group, of every kernel
 *   NCL_LAYER_MOST_GROUPS       work-groups of the largest launch: larger ones fail
 *   NCL_LAYER_MAX_ALLOC         bytes of the largest buffer
 *   NCL_LAYER_ALIGN             bytes that a sub-buffer's origin must divide by
 *   NCL_LAYER_NAME              the device's name
 *   NCL_LAYER_TYPE=gpu          the device says that it is a GPU
 *   NCL_LAYER_PLATFORM          its platform's name
 *   NCL_LAYER_CLOCK             zero: events' times are 0; none: there are none; backwards: each
 *                               command ends before the one before it began; source: a launch takes
 *                               2 to 5 microseconds, always the same for a source and a range;
 *                               groups: a launch takes a millisecond for each work-group
 *   NCL_LAYER_FAST=TEXT         with the clock "source": 1 microsecond where it holds the text
 *   NCL_LAYER_COUNT=FILE        at exit, FILE holds the counts as JSON
 *
 * Limits are enforced as a driver does, not only reported. */
#include "layer_marks.h"
#include "layer_times.h"

#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct _cl_icd_dispatch *next;
static struct _cl_icd_dispatch layer;

static atomic_long launches, builds, buffers, reads, skipped, failed;
static atomic_long marked_launches, marked_builds;
static atomic_llong live_bytes, peak_bytes;

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text ? strtol(text, NULL, 10) : otherwise;
}

/* Is this the call that the variable names? */
static bool is_due(const char *name, long call)
{
    return call == setting(name, -1);
}

static cl_int fault(cl_int otherwise)
{
    ++failed;
    return (cl_int)setting("NCL_LAYER_CODE", otherwise);
}

static cl_int answer(const void *value, size_t bytes, size_t room, void *param, size_t *needed)
{
    if (needed)
        *needed = bytes;
    if (param && room < bytes)
        return CL_INVALID_VALUE;
    if (param)
        memcpy(param, value, bytes);
    return CL_SUCCESS;
}

static cl_int fake_work_items(size_t room, void *param, size_t *needed)
{
    const size_t limit = (size_t)setting("NCL_LAYER_MAX_WORK_GROUP", 0);
    const size_t sizes[3] = {limit, limit, limit};

    return answer(sizes, sizeof sizes, room, param, needed);
}

static cl_int CL_API_CALL get_device_info(cl_device_id device, cl_device_info what, size_t room,
                                          void *param, size_t *needed)
{
    const size_t work_group = (size_t)setting("NCL_LAYER_MAX_WORK_GROUP", 0);
    const cl_ulong alloc = (cl_ulong)setting("NCL_LAYER_MAX_ALLOC", 0);
    const cl_uint align_bits = (cl_uint)setting("NCL_LAYER_ALIGN", 0) * 8;
    const char *name = getenv("NCL_LAYER_NAME");
    const cl_device_type gpu = CL_DEVICE_TYPE_GPU;

    if (what == CL_DEVICE_TYPE && getenv("NCL_LAYER_TYPE"))
        return answer(&gpu, sizeof gpu, room, param, needed);
    if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE && work_group)
        return answer(&work_group, sizeof work_group, room, param, needed);
    if (what == CL_DEVICE_MAX_WORK_ITEM_SIZES && work_group)
        return fake_work_items(room, param, needed);
    if (what == CL_DEVICE_MAX_MEM_ALLOC_SIZE && alloc)
        return answer(&alloc, sizeof alloc, room, param, needed);
    if (what == CL_DEVICE_MEM_BASE_ADDR_ALIGN && align_bits)
        return answer(&align_bits, sizeof align_bits, room, param, needed);
    if (what == CL_DEVICE_NAME && name)
        return answer(name, strlen(name) + 1, room, param, needed);
    return next->clGetDeviceInfo(device, what, room, param, needed);
}

static cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info what,
                                            size_t room, void *param, size_t *needed)
{
    const char *name = getenv("NCL_LAYER_PLATFORM");

    if (what == CL_PLATFORM_NAME && name)
        return answer(name, strlen(name) + 1, room, param, needed);
    return next->clGetPlatformInfo(platform, what, room, param, needed);
}

static cl_int CL_API_CALL get_kernel_work_group_info(cl_kernel kernel, cl_device_id device,
                                                     cl_kernel_work_group_info what, size_t room,
                                                     void *param, size_t *needed)
{
    const size_t limit = (size_t)setting("NCL_LAYER_KERNEL_WORK_GROUP", 0);

    if (what == CL_KERNEL_WORK_GROUP_SIZE && limit)
        return answer(&limit, sizeof limit, room, param, needed);
    return next->clGetKernelWorkGroupInfo(kernel, device, what, room, param, needed);
}

static bool exceeds_work_group(cl_uint dimensions, const size_t *local)
{
    const long device = setting("NCL_LAYER_MAX_WORK_GROUP", 0);
    const long kernel = setting("NCL_LAYER_KERNEL_WORK_GROUP", 0);
    long items = 1;

    for (cl_uint i = 0; local && i < dimensions; ++i)
        items *= (long)local[i];
    return (device && items > device) || (kernel && items > kernel);
}

/* ---- marked kernels and programs ---- */

static bool is_marked_program(cl_program program)
{
    return !getenv("NCL_LAYER_SOURCE") || mark_of(program).marked;
}

static bool clock_is(const char *name)
{
    const char *clock = getenv("NCL_LAYER_CLOCK");

    return clock && strcmp(clock, name) == 0;
}

static bool is_marked_kernel(cl_kernel kernel)
{
    const char *text = getenv("NCL_LAYER_KERNEL");
    cl_program program = NULL;
    char name[256] = "";

    next->clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof program, &program, NULL);
    next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name - 1, name, NULL);
    return is_marked_program(program) && (!text || strstr(name, text));
}

static uint64_t source_of(cl_kernel kernel)
{
    cl_program program = NULL;

    next->clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof program, &program, NULL);
    return mark_of(program).hash;
}

/* What a launch's time comes from. */
static uint64_t pace_of(cl_uint count, const char **strings, const size_t *lengths)
{
    const char *fast = getenv("NCL_LAYER_FAST");

    if (fast && source_holds(count, strings, lengths, fast))
        return SOURCE_FAST;
    return hash_source(count, strings, lengths);
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count,
                                             const char **strings, const size_t *lengths,
                                             cl_int *status)
{
    const char *text = getenv("NCL_LAYER_SOURCE");
    const cl_program program =
        next->clCreateProgramWithSource(context, count, strings, lengths, status);

    if (program && (text || clock_is("source")))
        set_mark(program, text && source_holds(count, strings, lengths, text),
                 pace_of(count, strings, lengths));
    return program;
}

/* With 0 every call is the one. */
static bool is_due_or_all(const char *name, long call)
{
    return is_due(name, call) || setting(name, -1) == 0;
}

static void hang(void)
{
    for (;;)
        pause();
}

/* The driver's own code failing, as far as anybody can tell. */
static void crash(void)
{
    const int number = (int)setting("NCL_LAYER_SIGNAL", SIGSEGV);

    signal(number, SIG_DFL);
    raise(number);
}

/* One work-group less along the longest axis; false: there is but one. */
static bool leave_one_out(cl_uint dimensions, const size_t *global, const size_t *local,
                          size_t smaller[3])
{
    cl_uint longest = 0;

    memcpy(smaller, global, dimensions * sizeof *global);
    for (cl_uint i = 0; i < dimensions; ++i)
        if (local && global[i] / local[i] > global[longest] / local[longest])
            longest = i;
    if (!local || global[longest] <= local[longest])
        return false;
    smaller[longest] -= local[longest];
    return true;
}

static cl_int lose(cl_command_queue queue, cl_uint wait_count, const cl_event *waits,
                   cl_event *event)
{
    ++skipped;
    return next->clEnqueueMarkerWithWaitList(queue, wait_count, waits, event);
}

static size_t count_groups(cl_uint dimensions, const size_t *global, const size_t *local)
{
    size_t count = 1;

    for (cl_uint i = 0; i < dimensions; ++i)
        count *= local ? global[i] / local[i] : 1;
    return count;
}

/* 0: as long as it did. */
static cl_ulong duration_for(cl_kernel kernel, bool slow, cl_uint dimensions, const size_t *global,
                             const size_t *local)
{
    if (slow)
        return 100000000000u;
    if (clock_is("groups"))
        return 1000000u * count_groups(dimensions, global, local);
    return clock_is("source") ? hashed_duration(source_of(kernel), dimensions, global) : 0;
}

static cl_int CL_API_CALL enqueue_kernel(cl_command_queue queue, cl_kernel kernel,
                                         cl_uint dimensions, const size_t *offset,
                                         const size_t *global, const size_t *local,
                                         cl_uint wait_count, const cl_event *waits, cl_event *event)
{
    const long call = ++launches;
    const bool marking = getenv("NCL_LAYER_KERNEL") || getenv("NCL_LAYER_SOURCE");
    const bool marked = !marking || is_marked_kernel(kernel);
    const long due = marking && marked ? ++marked_launches : call;
    size_t smaller[3];
    cl_int status;

    if (marked && is_due_or_all("NCL_LAYER_FAIL_ENQUEUE", due))
        return fault(CL_OUT_OF_RESOURCES);
    if (exceeds_work_group(dimensions, local))
        return CL_INVALID_WORK_GROUP_SIZE;
    if (getenv("NCL_LAYER_MOST_GROUPS") &&
        (long)count_groups(dimensions, global, local) > setting("NCL_LAYER_MOST_GROUPS", 0))
        return fault(CL_OUT_OF_RESOURCES);
    if (getenv("NCL_LAYER_PRINT"))
        dprintf(STDOUT_FILENO, "launch %ld\n", call);
    if (marked && is_due_or_all("NCL_LAYER_HANG", due))
        hang();
    if (marked && is_due_or_all("NCL_LAYER_CRASH", due))
        crash();
    if (marked && is_due_or_all("NCL_LAYER_SKIP", due))
        return lose(queue, wait_count, waits, event);
    if (marked && is_due_or_all("NCL_LAYER_WRONG", due)) {
        if (!leave_one_out(dimensions, global, local, smaller))
            return lose(queue, wait_count, waits, event);
        global = smaller;
    }
    status = next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local,
                                          wait_count, waits, event);
    if (status == CL_SUCCESS && event)
        set_duration(*event, duration_for(kernel, marked && is_due("NCL_LAYER_SLOW", due),
                                          dimensions, global, local));
    return status;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint device_count,
                                        const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user)
{
    const long call = ++builds;
    const bool marking = getenv("NCL_LAYER_SOURCE") != NULL;
    const bool marked = !marking || is_marked_program(program);
    const long due = marking && marked ? ++marked_builds : call;

    if (marked && is_due_or_all("NCL_LAYER_FAIL_BUILD", due))
        return fault(CL_BUILD_PROGRAM_FAILURE);
    if (marked && is_due_or_all("NCL_LAYER_HANG_BUILD", due))
        hang();
    if (marked && is_due_or_all("NCL_LAYER_CRASH_BUILD", due))
        crash();
    return next->clBuildProgram(program, device_count, devices, options, notify, user);
}

static cl_int CL_API_CALL release_queue(cl_command_queue queue)
{
    if (getenv("NCL_LAYER_HANG_CLOSE")) {
        close((int)setting("NCL_LAYER_HANG_CLOSE", -1));
        hang();
    }
    return next->clReleaseCommandQueue(queue);
}

static cl_mem refuse(cl_int code, cl_int *status)
{
    if (status)
        *status = code;
    return NULL;
}

static void CL_CALLBACK forget_bytes(cl_mem memory, void *bytes)
{
    (void)memory;
    live_bytes -= (long long)(intptr_t)bytes;
}

static void remember_bytes(cl_mem memory, size_t bytes)
{
    const long long now = atomic_fetch_add(&live_bytes, (long long)bytes) + (long long)bytes;
    long long peak = peak_bytes;

    while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now))
        continue;
    next->clSetMemObjectDestructorCallback(memory, forget_bytes, (void *)(intptr_t)bytes);
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t bytes,
                                        void *host, cl_int *status)
{
    const long limit = setting("NCL_LAYER_MAX_ALLOC", 0);
    cl_mem memory;

    if (is_due("NCL_LAYER_FAIL_BUFFER", ++buffers))
        return refuse(fault(CL_MEM_OBJECT_ALLOCATION_FAILURE), status);
    if (limit && bytes > (size_t)limit)
        return refuse(CL_INVALID_BUFFER_SIZE, status);
    memory = next->clCreateBuffer(context, flags, bytes, host, status);
    if (memory && !(flags & CL_MEM_USE_HOST_PTR))
        remember_bytes(memory, bytes);
    return memory;
}

static cl_mem CL_API_CALL create_sub_buffer(cl_mem memory, cl_mem_flags flags,
                                            cl_buffer_create_type type, const void *info,
                                            cl_int *status)
{
    const cl_buffer_region *region = info;
    const size_t align = (size_t)setting("NCL_LAYER_ALIGN", 1);

    if (region && region->origin % align != 0)
        return refuse(CL_MISALIGNED_SUB_BUFFER_OFFSET, status);
    return next->clCreateSubBuffer(memory, flags, type, info, status);
}

static cl_int CL_API_CALL enqueue_read(cl_command_queue queue, cl_mem memory, cl_bool blocking,
                                       size_t offset, size_t bytes, void *data, cl_uint wait_count,
                                       const cl_event *waits, cl_event *event)
{
    if (is_due("NCL_LAYER_FAIL_READ", ++reads))
        return fault(CL_OUT_OF_RESOURCES);
    return next->clEnqueueReadBuffer(queue, memory, blocking, offset, bytes, data, wait_count,
                                     waits, event);
}

static void *CL_API_CALL enqueue_map(cl_command_queue queue, cl_mem memory, cl_bool blocking,
                                     cl_map_flags flags, size_t offset, size_t bytes,
                                     cl_uint wait_count, const cl_event *waits, cl_event *event,
                                     cl_int *status)
{
    if ((flags & CL_MAP_READ) && is_due("NCL_LAYER_FAIL_READ", ++reads))
        return refuse(fault(CL_MAP_FAILURE), status);
    return next->clEnqueueMapBuffer(queue, memory, blocking, flags, offset, bytes, wait_count,
                                    waits, event, status);
}

static cl_int CL_API_CALL get_event_profiling_info(cl_event event, cl_profiling_info what,
                                                   size_t room, void *param, size_t *needed)
{
    const char *clock = getenv("NCL_LAYER_CLOCK");
    cl_ulong time = 0;
    cl_int status = next->clGetEventProfilingInfo(event, what, sizeof time, &time, NULL);

    if (status != CL_SUCCESS)
        return status;
    if (what == CL_PROFILING_COMMAND_END)
        status = end_as_set(next, event, &time);
    if (clock && strcmp(clock, "none") == 0)
        return CL_PROFILING_INFO_NOT_AVAILABLE;
    if (clock && strcmp(clock, "backwards") == 0)
        status = backwards(next, event, &time);
    if (clock && strcmp(clock, "zero") == 0)
        time = 0;
    return status == CL_SUCCESS ? answer(&time, sizeof time, room, param, needed) : status;
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("NCL_LAYER_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;

    if (!file)
        return;
    fprintf(file,
            "{\"launches\": %ld, \"builds\": %ld, \"buffers\": %ld, \"reads\": %ld, "
            "\"skipped\": %ld, \"failed\": %ld, \"live_bytes\": %lld, \"peak_bytes\": %lld}\n",
            launches, builds, buffers, reads, skipped, failed, live_bytes, peak_bytes);
    fclose(file);
}

/* For tests, which find it by its name: launches of this process so far. */
__attribute__((visibility("default"))) long ncl_layer_launches(void);

long ncl_layer_launches(void)
{
    return launches;
}

CL_API_ENTRY __attribute__((visibility("default"))) cl_int CL_API_CALL
clGetLayerInfo(cl_layer_info what, size_t room, void *param, size_t *needed)
{
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;

    if (what == CL_LAYER_API_VERSION)
        return answer(&version, sizeof version, room, param, needed);
    if (what == CL_LAYER_NAME)
        return answer("nextcl fault", sizeof "nextcl fault", room, param, needed);
    return CL_INVALID_VALUE;
}

CL_API_ENTRY __attribute__((visibility("default"))) cl_int CL_API_CALL
clInitLayer(cl_uint entry_count, const cl_icd_dispatch *target, cl_uint *layer_entry_count,
            const cl_icd_dispatch **dispatch)
{
    const cl_uint own_count = sizeof layer / sizeof(void *);

    if (!target || !layer_entry_count || !dispatch || entry_count < own_count)
        return CL_INVALID_VALUE;
    next = target;
    layer.clGetPlatformInfo = get_platform_info;
    layer.clGetDeviceInfo = get_device_info;
    layer.clGetKernelWorkGroupInfo = get_kernel_work_group_info;
    layer.clEnqueueNDRangeKernel = enqueue_kernel;
    layer.clCreateProgramWithSource = create_program;
    layer.clBuildProgram = build_program;
    layer.clReleaseCommandQueue = release_queue;
    layer.clCreateBuffer = create_buffer;
    layer.clCreateSubBuffer = create_sub_buffer;
    layer.clEnqueueReadBuffer = enqueue_read;
    layer.clEnqueueMapBuffer = enqueue_map;
    layer.clGetEventProfilingInfo = get_event_profiling_info;
    *layer_entry_count = own_count;
    *dispatch = &layer;
    return CL_SUCCESS;
}

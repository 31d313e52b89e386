#include "cl/caps.h"
#include <stdio.h>
#include <string.h>

struct query {
    const struct ncl_cl *cl;
    cl_device_id device;
};

/* Leaves *value as it was where the driver refuses or answers in another size. */
static void get(const struct query *q, cl_device_info what, size_t bytes, void *value)
{
    unsigned char answer[32];
    size_t size = 0;

    if (bytes <= sizeof(answer) &&
        q->cl->GetDeviceInfo(q->device, what, sizeof(answer), answer, &size) == CL_SUCCESS &&
        size == bytes) {
        memcpy(value, answer, bytes);
    }
}

static unsigned get_uint(const struct query *q, cl_device_info what)
{
    cl_uint value = 0;

    get(q, what, sizeof(value), &value);
    return value;
}

static uint64_t get_ulong(const struct query *q, cl_device_info what)
{
    cl_ulong value = 0;

    get(q, what, sizeof(value), &value);
    return value;
}

/* Without surrounding blanks: some names are padded. Cut where it is too long. */
static void copy_trimmed(char *to, size_t bytes, const char *from)
{
    size_t length = 0;

    from += strspn(from, " \t");
    length = strlen(from);
    while (length > 0 && (from[length - 1] == ' ' || from[length - 1] == '\t')) {
        length--;
    }
    length = length < bytes ? length : bytes - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

static void get_text(const struct query *q, cl_device_info what, char *text, size_t bytes)
{
    char answer[1024] = "";

    if (q->cl->GetDeviceInfo(q->device, what, sizeof(answer) - 1, answer, NULL) == CL_SUCCESS) {
        answer[sizeof(answer) - 1] = '\0';
        copy_trimmed(text, bytes, answer);
    }
}

static bool has_extension(const struct query *q, const char *name)
{
    static const size_t most = 16384;
    char answer[16384 + 1] = "";
    const size_t length = strlen(name);
    const char *at = answer;

    if (q->cl->GetDeviceInfo(q->device, CL_DEVICE_EXTENSIONS, most, answer, NULL) != CL_SUCCESS) {
        return false;
    }
    while ((at = strstr(at, name)) != NULL) {
        const bool starts = at == answer || at[-1] == ' ';
        if (starts && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
        at += length;
    }
    return false;
}

/* A simulator that claims to be everything is none of them. */
static enum ncl_device_type device_type(cl_device_type bits)
{
    const cl_device_type kind = bits & (CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU);

    if (kind == CL_DEVICE_TYPE_CPU) {
        return NCL_DEVICE_CPU;
    }
    return kind == CL_DEVICE_TYPE_GPU ? NCL_DEVICE_GPU : NCL_DEVICE_OTHER;
}

static void query_identity(const struct query *q, cl_platform_id platform, struct ncl_caps *caps)
{
    char answer[512] = "";
    cl_device_type type = 0;

    if (q->cl->GetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof(answer) - 1, answer, NULL) ==
        CL_SUCCESS) {
        copy_trimmed(caps->platform, sizeof(caps->platform), answer);
    }
    get_text(q, CL_DEVICE_NAME, caps->name, sizeof(caps->name));
    get_text(q, CL_DEVICE_VENDOR, caps->vendor, sizeof(caps->vendor));
    get_text(q, CL_DRIVER_VERSION, caps->driver, sizeof(caps->driver));
    get_text(q, CL_DEVICE_VERSION, caps->version, sizeof(caps->version));
    get_text(q, CL_DEVICE_OPENCL_C_VERSION, caps->c_version, sizeof(caps->c_version));
    get(q, CL_DEVICE_TYPE, sizeof(type), &type);
    caps->type = device_type(type);
    caps->vendor_id = get_uint(q, CL_DEVICE_VENDOR_ID);
}

static void query_limits(const struct query *q, struct ncl_caps *caps)
{
    caps->compute_units = get_uint(q, CL_DEVICE_MAX_COMPUTE_UNITS);
    caps->clock_mhz = get_uint(q, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    caps->max_work_group = 1;
    get(q, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t), &caps->max_work_group);
    for (size_t i = 0; i < 3; i++) {
        caps->max_work_items[i] = caps->max_work_group;
    }
    get(q, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof(caps->max_work_items), caps->max_work_items);
    caps->global_memory = get_ulong(q, CL_DEVICE_GLOBAL_MEM_SIZE);
    caps->max_allocation = get_ulong(q, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    caps->local_memory = get_ulong(q, CL_DEVICE_LOCAL_MEM_SIZE);
    caps->cache_bytes = get_ulong(q, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE);
    /* Reported in bits. rusticl and Oclgrind accept sub-buffers that others refuse. */
    caps->base_align = get_uint(q, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    caps->base_align = caps->base_align < 128 ? 128 : caps->base_align;
}

static void query_features(const struct query *q, struct ncl_caps *caps)
{
    cl_device_local_mem_type local = CL_GLOBAL;
    cl_device_fp_config config = 0;
    cl_command_queue_properties queue = 0;

    get(q, CL_DEVICE_LOCAL_MEM_TYPE, sizeof(local), &local);
    caps->local_memory_is_local = local == CL_LOCAL;
    caps->unified_memory = get_uint(q, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    get(q, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(config), &config);
    caps->fma_reported = (config & CL_FP_FMA) != 0;
    caps->fp16 = has_extension(q, "cl_khr_fp16");
    config = 0;
    get(q, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(config), &config);
    caps->fp64 = config != 0;
    get(q, CL_DEVICE_QUEUE_PROPERTIES, sizeof(queue), &queue);
    caps->profiling = (queue & CL_QUEUE_PROFILING_ENABLE) != 0;
}

/* Only CPUs' answers mean anything: Mali reports 4 and older AMD drivers 4 on scalar hardware. A
 * CPU device whose native width is 1 (llvmpipe) vectorises across work-items. */
static int native_floats(const struct query *q, const struct ncl_caps *caps)
{
    const unsigned width = get_uint(q, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);

    if (caps->type != NCL_DEVICE_CPU) {
        return 1;
    }
    return width >= 16 ? 16 : width >= 8 ? 8 : width >= 4 ? 4 : 1;
}

/* How compilers for GPUs want to be fed, from their machine code (tests/portability/static). */
struct compiler {
    unsigned vendor_id;
    cl_device_info lanes_query; /* of a vendor's extension, 0: none */
    bool scalar_registers, index_addressing;
    int lanes;                       /* where the query is refused or missing */
    cl_device_info generation_query; /* of the architecture, 0: none */
    unsigned paired_since;           /* generations that pair fmas, from this one on */
};

static const struct compiler compilers[] = {
    {0x1002, 0x4043 /* CL_DEVICE_WAVEFRONT_WIDTH_AMD */, true, false, 64,
     0x404a /* CL_DEVICE_GFXIP_MAJOR_AMD */, 11},
    {0x10de, 0x4003 /* CL_DEVICE_WARP_SIZE_NV */, false, false, 32, 0, 0},
    {0x8086, 0, false, true, 32, 0, 0},
};

static void query_compiler(const struct query *q, struct ncl_caps *caps)
{
    caps->lanes = ncl_caps_is_cpu_like(caps) ? 1 : 64;
    for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
        const struct compiler *c = &compilers[i];

        if (c->vendor_id != caps->vendor_id || caps->type != NCL_DEVICE_GPU) {
            continue;
        }
        const unsigned told = c->lanes_query ? get_uint(q, c->lanes_query) : 0;
        caps->lanes = told >= 8 && told <= 128 ? (int)told : c->lanes;
        caps->scalar_registers = c->scalar_registers;
        caps->index_addressing = c->index_addressing;
        caps->paired_fma =
            c->generation_query && get_uint(q, c->generation_query) >= c->paired_since;
    }
}

static void derive(struct ncl_caps *caps)
{
    const bool cpu = ncl_caps_is_cpu_like(caps);
    const size_t group = caps->max_work_group < 64 ? caps->max_work_group : 64;

    caps->channel_block = !cpu ? 4 : caps->native_floats >= 16 ? 16 : 8;
    /* AVX-512 has 32 vector registers, AVX2 and SSE 16; a GPU lane keeps about 256 floats. */
    caps->registers = !cpu ? 64 : caps->native_floats >= 16 ? 32 : 16;
    caps->preferred_work_group = cpu ? 1 : (int)group;
    /* A CPU's compiler shares the cores with nothing: several builds only contend. */
    caps->serial_builds = caps->type == NCL_DEVICE_CPU;
    caps->programs = caps->serial_builds ? 1 : 4;
}

/* What nothing but a platform's name tells. caches_programs: asked for CL_PROGRAM_BINARIES,
 * PoCL 3.1 compiles every kernel there and then, one after the other: 12 small kernels took 7.7 s
 * instead of 5.3 s from cold, to save 0.15 s later. Mesa's own cache is as good. Intel's runtime
 * has none (2.5 s from source, 0.04 s from our binary).
 * programs: two of PoCL's take 0.02 s longer to load than one, but two processes compile each its
 * own; the number is fixed, since what is in PoCL's cache is found by a program's whole text.
 * ResNeXt-50 from cold took 4.0 s that way instead of 6.7 s. On rusticl it took 8.2 s instead of
 * 7.5 s, on Intel's runtime 7.7 s instead of 9.1 s, but twice the work. */
struct quirk {
    const char *platform; /* whole name */
    bool caches_programs;
    bool serial_builds;
    int programs;
    const char *sentence;
};

static const struct quirk quirks[] = {
    {"Portable Computing Language", true, true, 2,
     "PoCL keeps compiled programs itself: NextCL's cache is off"},
    {"rusticl", true, true, 1, "Mesa keeps compiled programs itself: NextCL's cache is off"},
    {"Clover", true, true, 1, "Mesa keeps compiled programs itself: NextCL's cache is off"},
    /* Its contexts share a compiler without a lock: two builds at once end the process. */
    {"Oclgrind", false, true, 1, "Oclgrind builds one program at a time"},
};

static void apply_quirks(struct ncl_caps *caps)
{
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
        if (strcmp(quirks[i].platform, caps->platform) != 0) {
            continue;
        }
        caps->caches_programs = quirks[i].caches_programs;
        caps->serial_builds = quirks[i].serial_builds;
        caps->programs = quirks[i].programs;
        snprintf(caps->workarounds, sizeof(caps->workarounds), "%s", quirks[i].sentence);
    }
    if (caps->type == NCL_DEVICE_CPU && caps->native_floats == 1) {
        const size_t used = strlen(caps->workarounds);
        snprintf(caps->workarounds + used, sizeof(caps->workarounds) - used,
                 "%svectorises across work-items: tuned like a GPU", used > 0 ? "; " : "");
    }
}

ncl_status ncl_caps_query(const struct ncl_log *log, const struct ncl_cl *cl,
                          cl_platform_id platform, cl_device_id device, struct ncl_caps *caps)
{
    const struct query q = {.cl = cl, .device = device};
    int major = 0, minor = 0;

    *caps = (struct ncl_caps){0};
    query_identity(&q, platform, caps);
    if (caps->name[0] == '\0') {
        return ncl_fail(log, NCL_ERROR_DEVICE,
                        "%s: a device does not tell its name: its driver "
                        "is unusable",
                        caps->platform);
    }
    if (sscanf(caps->version, "OpenCL %d.%d", &major, &minor) != 2 || major < 1 ||
        (major == 1 && minor < 2)) {
        return ncl_fail(log, NCL_ERROR_DEVICE, "%s: expected OpenCL 1.2 or newer, found \"%s\"",
                        caps->name, caps->version);
    }
    query_limits(&q, caps);
    query_features(&q, caps);
    caps->native_floats = native_floats(&q, caps);
    derive(caps);
    query_compiler(&q, caps);
    /* A CPU's vector is one instruction whatever is in it, and a block of channels one vector. */
    caps->half_math = caps->fp16 && caps->type != NCL_DEVICE_CPU;
    apply_quirks(caps);
    return NCL_OK;
}

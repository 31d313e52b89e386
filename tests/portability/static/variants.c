/* Writes the kernels NextCL would build on GPUs that are not there: variants FOLDER
 * or what it reasons about them, as records for tuning/: variants --analytic FOLDER
 *
 * For each device class, network and batch every layer goes the way of a session (choice, default
 * parameters, composition), but for the compiler. FOLDER gets one <class>-<number>.cl per distinct
 * source; stdout one JSON object per launch. The classes answer OpenCL's queries as such devices
 * do, so that what the library derives from the answers is its own doing. */
#include "graph/passes.h"
#include "graph/schedule.h"
#include "plan/choose.h"
#include "plan/compose.h"
#include "plan/lookup.h"
#include "problem/problem.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a class of devices answers. Limits are those of the drivers named; compute units are the
 * driver's: work-group processors on RDNA, execution units on Intel. */
struct device_class {
    const char *target, *platform, *name, *vendor;
    cl_uint vendor_id, compute_units;
    cl_uint lanes; /* of a hardware thread, as extensions of AMD and NVIDIA tell; 0: untold */
    size_t max_work_group;
    cl_ulong local_memory; /* bytes */
    cl_uint generation;    /* of the architecture, as AMD's extension tells; 0: untold */
    const char *extensions;
};

static const struct device_class classes[] = {
    {"gfx906", "AMD Accelerated Parallel Processing", "gfx906:sramecc+:xnack-",
     "Advanced Micro Devices, Inc.", 0x1002, 60, 64, 256, 65536, 9, "cl_khr_fp16"},
    {"gfx1030", "AMD Accelerated Parallel Processing", "gfx1030", "Advanced Micro Devices, Inc.",
     0x1002, 36, 32, 256, 65536, 10, "cl_khr_fp16"},
    {"gfx1100", "AMD Accelerated Parallel Processing", "gfx1100", "Advanced Micro Devices, Inc.",
     0x1002, 48, 32, 256, 65536, 11, "cl_khr_fp16"},
    {"tgllp", "Intel(R) OpenCL HD Graphics", "Intel(R) Iris(R) Xe Graphics", "Intel(R) Corporation",
     0x8086, 96, 0, 512, 65536, 0, "cl_khr_fp16"},
    {"dg2", "Intel(R) OpenCL HD Graphics", "Intel(R) Arc(TM) A380 Graphics", "Intel(R) Corporation",
     0x8086, 128, 0, 1024, 65536, 0, "cl_khr_fp16"},
    {"sm_86", "NVIDIA CUDA", "NVIDIA GeForce RTX 3060", "NVIDIA Corporation", 0x10de, 28, 32, 1024,
     49152, 0, ""},
};

#define CLASS_COUNT (sizeof classes / sizeof *classes)

#define WAVEFRONT_WIDTH_AMD 0x4043
#define WARP_SIZE_NV 0x4003
#define GFXIP_MAJOR_AMD 0x404a

/* The class whose answers are given. */
static const struct device_class *current;

static cl_int answer(const void *value, size_t bytes, size_t room, void *to, size_t *size)
{
    if (size)
        *size = bytes;
    if (to && room < bytes)
        return CL_INVALID_VALUE;
    if (to)
        memcpy(to, value, bytes);
    return CL_SUCCESS;
}

static cl_int CL_API_CALL platform_info(cl_platform_id platform, cl_platform_info what, size_t room,
                                        void *to, size_t *size)
{
    (void)platform;
    if (what != CL_PLATFORM_NAME)
        return CL_INVALID_VALUE;
    return answer(current->platform, strlen(current->platform) + 1, room, to, size);
}

static cl_int text_info(cl_device_info what, size_t room, void *to, size_t *size)
{
    const char *text = what == CL_DEVICE_NAME         ? current->name
                       : what == CL_DEVICE_VENDOR     ? current->vendor
                       : what == CL_DEVICE_EXTENSIONS ? current->extensions
                                                      : "OpenCL 2.0 (none)";

    return answer(text, strlen(text) + 1, room, to, size);
}

static cl_int CL_API_CALL device_info(cl_device_id device, cl_device_info what, size_t room,
                                      void *to, size_t *size)
{
    const cl_device_type type = CL_DEVICE_TYPE_GPU;
    const cl_device_local_mem_type local = CL_LOCAL;
    const cl_device_fp_config config = CL_FP_FMA;
    const size_t group = current->max_work_group, items[3] = {group, group, group};
    const cl_ulong memory = (cl_ulong)4 << 30;

    (void)device;
    switch (what) {
    case CL_DEVICE_TYPE:
        return answer(&type, sizeof type, room, to, size);
    case CL_DEVICE_VENDOR_ID:
        return answer(&current->vendor_id, sizeof(cl_uint), room, to, size);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return answer(&current->compute_units, sizeof(cl_uint), room, to, size);
    case WAVEFRONT_WIDTH_AMD:
    case WARP_SIZE_NV:
        return current->lanes ? answer(&current->lanes, sizeof(cl_uint), room, to, size)
                              : CL_INVALID_VALUE;
    case GFXIP_MAJOR_AMD:
        return current->generation ? answer(&current->generation, sizeof(cl_uint), room, to, size)
                                   : CL_INVALID_VALUE;
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return answer(&group, sizeof group, room, to, size);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        return answer(items, sizeof items, room, to, size);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return answer(&memory, sizeof memory, room, to, size);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return answer(&current->local_memory, sizeof(cl_ulong), room, to, size);
    case CL_DEVICE_LOCAL_MEM_TYPE:
        return answer(&local, sizeof local, room, to, size);
    case CL_DEVICE_SINGLE_FP_CONFIG:
        return answer(&config, sizeof config, room, to, size);
    case CL_DEVICE_NAME:
    case CL_DEVICE_VENDOR:
    case CL_DEVICE_VERSION:
    case CL_DEVICE_EXTENSIONS:
        return text_info(what, room, to, size);
    default:
        return CL_INVALID_VALUE;
    }
}

static void must(ncl_status status)
{
    if (status == NCL_OK)
        return;
    fprintf(stderr, "variants: %s\n", ncl_error_text());
    exit(1);
}

/* Sources of the current class, in the order of their numbers. */
struct sources {
    struct ncl_text *texts;
    size_t count, capacity;
};

static size_t find_or_add(struct sources *sources, struct ncl_text *text, const char *folder)
{
    char path[1024];
    FILE *file;

    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->texts[i].data, text->data) == 0) {
            ncl_text_free(text);
            return i;
        }
    }
    if (!ncl_grow((void **)&sources->texts, &sources->capacity, sources->count, sizeof *text))
        must(ncl_fail_memory(NULL, "sources"));
    sources->texts[sources->count] = *text;
    snprintf(path, sizeof path, "%s/%s-%zu.cl", folder, current->target, sources->count);
    file = fopen(path, "w");
    if (!file || fputs(text->data, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    return sources->count++;
}

/* What is computed, and what sets its inner loop apart: "pointwise", "grouped-4", "grouped-4-s2"; a
 * kernel's own name where it is one of several. Of precision fp16 "half-pointwise", or where
 * products are summed as halves "halfmath-pointwise". */
static void print_family(const struct ncl_choice *choice, const struct ncl_stage *stage,
                         const struct ncl_problem *p)
{
    const struct ncl_conv *conv = &p->of.conv;

    if (ncl_algo_stage_count(choice->point.algo) > 1) {
        printf("\"family\": \"%s\", ", stage->kernel + strlen("ncl_"));
        return;
    }
    printf("\"family\": \"%s%s",
           ncl_algo_half_math(choice->point.algo, p) ? "halfmath-"
           : p->half                                 ? "half-"
                                                     : "",
           conv->groups > 1 ? "grouped" : ncl_problem_kind_name(p));
    if (p->kind == NCL_PROBLEM_CONV && conv->groups > 1)
        printf("-%d", p->x.c / conv->groups);
    if (p->kind == NCL_PROBLEM_CONV && conv->window.stride_w > 1)
        printf("-s%d", conv->window.stride_w);
    printf("\", ");
}

static void print_stage(const struct ncl_choice *choice, const struct ncl_problem *p, int index,
                        size_t source)
{
    const struct ncl_stage stage = ncl_algo_stage(choice->point.algo, index);
    struct ncl_range range = {{1, 1, 1}, {1, 1, 1}};
    struct ncl_text signature = {0};

    stage.geometry(choice->point.v, p, &range);
    ncl_problem_signature(p, &signature);
    print_family(choice, &stage, p);
    printf("\"algorithm\": \"%s\", \"kernel\": \"%s\", \"source\": \"%s-%zu.cl\", \"params\": {",
           choice->point.algo->name, stage.kernel, current->target, source);
    for (int i = 0; i < choice->point.algo->tunable_count; i++)
        printf("%s\"%s\": %d", i ? ", " : "", choice->point.algo->tunables[i].name,
               choice->point.v[i]);
    printf("}, \"macs\": %.0f, \"outputs\": %zu, ", ncl_problem_macs(p),
           ncl_shape_elements(&p->y, NCL_PLAIN, 1));
    printf("\"global\": [%zu, %zu, %zu], \"local\": [%zu, %zu, %zu], \"problem\": \"%s\"}\n",
           range.global[0], range.global[1], range.global[2], range.local[0], range.local[1],
           range.local[2], signature.data);
    ncl_text_free(&signature);
}

/* Where a layer comes from. */
struct origin {
    const char *net, *layer;
    int batch;
};

static void write_step(const struct origin *origin, const struct ncl_problem *problem,
                       const struct ncl_caps *caps, struct sources *sources, const char *folder)
{
    struct ncl_problem p = *problem;
    struct ncl_choice choice = {0};
    struct ncl_defines defines = {0};
    struct ncl_text text = {0};
    size_t source;

    p.channel_block = caps->channel_block;
    must(ncl_choose(NULL, &p, caps, 0, &choice));
    ncl_compose_defines(&defines, choice.point.algo, choice.point.v, &p);
    ncl_compose_variant(&text, choice.point.algo, &defines, 0);
    ncl_text_free(&defines.text);
    if (text.failed || !text.data)
        must(ncl_fail_memory(NULL, "a kernel's source"));
    source = find_or_add(sources, &text, folder);
    for (int i = 0; i < ncl_algo_stage_count(choice.point.algo); i++) {
        printf("{\"target\": \"%s\", \"net\": \"%s\", \"batch\": %d, \"layer\": \"%s\", ",
               current->target, origin->net, origin->batch, origin->layer);
        print_stage(&choice, &p, i, source);
    }
}

/* Makes device class c the one that answers. */
static void query(size_t c, struct ncl_caps *caps)
{
    const struct ncl_cl cl = {.GetPlatformInfo = platform_info, .GetDeviceInfo = device_info};

    current = &classes[c];
    must(ncl_caps_query(NULL, &cl, NULL, NULL, caps));
}

static void write_net(const char *net, int batch, struct ncl_schedule *schedule,
                      struct sources sources[], const char *folder)
{
    for (size_t c = 0; c < CLASS_COUNT; c++) {
        struct ncl_caps caps;

        query(c, &caps);
        if (schedule->half && schedule->steps[0].problem.fast && !caps.half_math)
            continue;
        for (int i = 0; i < schedule->step_count; i++) {
            const struct origin origin = {net, schedule->steps[i].name, batch};

            write_step(&origin, &schedule->steps[i].problem, &caps, &sources[c], folder);
        }
    }
}

/* A 3x3 convolution of 256 channels that leaves 28 x 28 pixels. */
static struct ncl_problem window_problem(int batch, int stride, int groups, bool fast)
{
    const int side = 28 * stride;

    return (struct ncl_problem){
        .kind = NCL_PROBLEM_CONV,
        .fast = fast,
        .finite = true,
        .x = {batch, 256, side, side},
        .y = {batch, 256, 28, 28},
        .x_order = NCL_BLOCKED,
        .y_order = NCL_BLOCKED,
        .epilogue = {.bias = true, .act = NCL_ACT_RELU},
        .of.conv = {.window = {3, 3, stride, stride, 1, 1, 1, 1, 1, 1}, .groups = groups},
    };
}

/* What the networks lack: groups of every width at both strides, and with math fast, where
 * Winograd's kernels come in, the dense one. */
static void write_windows(int batch, struct sources sources[], const char *folder)
{
    static const int widths[] = {1, 2, 4, 8, 16, 32};
    const struct origin origin = {"windows", "3x3", batch};

    for (size_t c = 0; c < CLASS_COUNT; c++) {
        struct ncl_problem p = window_problem(batch, 1, 1, true);
        struct ncl_caps caps;

        query(c, &caps);
        write_step(&origin, &p, &caps, &sources[c], folder);
        for (size_t i = 0; i < 2 * sizeof widths / sizeof *widths; i++) {
            p = window_problem(batch, 1 + (int)i % 2, 256 / widths[i / 2], false);
            write_step(&origin, &p, &caps, &sources[c], folder);
        }
    }
}

struct model {
    struct ncl_graph *model, *graph;
    struct ncl_schedule *schedule;
};

static void open_model(struct model *m, const char *net, int batch)
{
    const struct ncl_dims dims = {4, {batch, 3, 224, 224}};
    struct ncl_pass_report reports[NCL_MAX_PASSES];
    int report_count = 0;

    *m = (struct model){0};
    must(ncl_zoo_build(NULL, net, 1, 1000, &m->model));
    must(ncl_graph_specialise(m->model, &dims, 1, &m->graph));
    must(ncl_graph_optimise(m->graph, reports, &report_count));
    must(ncl_schedule_create(m->graph, &m->schedule));
}

static void close_model(struct model *m)
{
    ncl_schedule_free(m->schedule);
    ncl_graph_free(m->graph);
    ncl_graph_free(m->model);
}

/* A network in single precision, and of a batch of 1 in fp16 with either math. */
static void write_modes(const char *net, int batch, struct sources sources[], const char *folder)
{
    struct model m;
    char name[64];

    open_model(&m, net, batch);
    write_net(net, batch, m.schedule, sources, folder);
    for (int fast = 0; batch == 1 && fast < 2; fast++) {
        snprintf(name, sizeof name, "%s fp16%s", net, fast ? " fast" : "");
        ncl_schedule_set(m.schedule, 4, fast, true);
        if (fast)
            ncl_schedule_set_half_math(m.schedule);
        write_net(name, batch, m.schedule, sources, folder);
    }
    close_model(&m);
}

/* ---- records ---- */

/* Of the network's problems those with the most multiplications. */
#define COSTLIEST 10

/* Layers that share a problem. */
struct cost {
    struct ncl_problem problem;
    struct ncl_text signature;
    double macs;
};

static size_t add_costs(const struct ncl_schedule *schedule, const struct ncl_caps *caps,
                        struct cost costs[])
{
    size_t count = 0;

    for (int i = 0; i < schedule->step_count; i++) {
        struct ncl_problem p = schedule->steps[i].problem;
        struct ncl_text signature = {0};
        size_t at = 0;

        p.channel_block = caps->channel_block;
        ncl_problem_signature(&p, &signature);
        if (signature.failed)
            must(ncl_fail_memory(NULL, "a signature"));
        while (at < count && strcmp(costs[at].signature.data, signature.data) != 0)
            at++;
        if (at == count)
            costs[count++] = (struct cost){.problem = p, .signature = signature};
        else
            ncl_text_free(&signature);
        costs[at].macs += ncl_problem_macs(&p);
    }
    return count;
}

static int compare_costs(const void *left, const void *right)
{
    const struct cost *a = left, *b = right;

    if (a->macs != b->macs)
        return a->macs > b->macs ? -1 : 1;
    return strcmp(a->signature.data, b->signature.data);
}

/* Reasoned for whatever kernel and driver there is: the point follows from the problem, the class
 * and the number of compute units. */
static void add_record(const struct ncl_problem *p, const struct ncl_caps *caps,
                       struct ncl_record_list *list)
{
    struct ncl_choice choice = {0};
    struct ncl_record_keys keys;
    struct ncl_record record;

    must(ncl_choose(NULL, p, caps, 0, &choice));
    if (!ncl_record_about(p, caps, &choice.point, &keys, &record))
        must(ncl_fail_memory(NULL, "a record"));
    record.on.driver = record.kernel = record.library = "";
    record.order_version = 0;
    record.utc = 0;
    record.origin = NCL_ORIGIN_ANALYTIC;
    record.chosen = true;
    if (!ncl_record_list_add(list, &record))
        must(ncl_fail_memory(NULL, "records"));
    ncl_record_keys_free(&keys);
}

static void write_records(const struct ncl_schedule *schedule, size_t c, const char *folder)
{
    struct cost *costs = ncl_alloc((size_t)schedule->step_count, sizeof *costs);
    struct ncl_record_list list = {0};
    struct ncl_text text = {0};
    struct ncl_caps caps;
    char path[1024];
    size_t count;
    FILE *file;

    query(c, &caps);
    if (!costs)
        must(ncl_fail_memory(NULL, "layers"));
    count = add_costs(schedule, &caps, costs);
    qsort(costs, count, sizeof *costs, compare_costs);
    for (size_t i = 0; i < count; i++) {
        if (i < COSTLIEST)
            add_record(&costs[i].problem, &caps, &list);
        ncl_text_free(&costs[i].signature);
    }
    must(ncl_jsonl_write(NULL, &list, &text));
    snprintf(path, sizeof path, "%s/gpu-%s.jsonl", folder, current->target);
    if (strchr(path + strlen(folder), '_')) /* sm_86; names of files have none */
        *strchr(path + strlen(folder), '_') = '-';
    file = fopen(path, "w");
    if (!file || fputs(text.data, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    ncl_text_free(&text);
    ncl_record_list_free(&list);
    free(costs);
}

/* A file for each class: records know devices by name, not by target. */
static int write_analytic(const char *folder)
{
    struct model m;

    open_model(&m, "resnext50_32x4d", 1);
    for (size_t c = 0; c < CLASS_COUNT; c++)
        write_records(m.schedule, c, folder);
    close_model(&m);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const nets[] = {"resnext50_32x4d", "resnet50"};
    static const int batches[] = {1, 16};
    struct sources sources[CLASS_COUNT] = {0};

    if (argc == 3 && strcmp(argv[1], "--analytic") == 0)
        return write_analytic(argv[2]);
    if (argc != 2) {
        fprintf(stderr, "usage: variants [--analytic] FOLDER\n");
        return 2;
    }
    for (int i = 0; i < 4; i++)
        write_modes(nets[i / 2], batches[i % 2], sources, argv[1]);
    for (int i = 0; i < 2; i++)
        write_windows(batches[i], sources, argv[1]);
    for (size_t c = 0; c < CLASS_COUNT; c++) {
        for (size_t i = 0; i < sources[c].count; i++)
            ncl_text_free(&sources[c].texts[i]);
        free(sources[c].texts);
    }
    return 0;
}

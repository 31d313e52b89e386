/* Devices of the environment, and devices that exist only as capabilities. */
#include "support/algo_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 8

static struct ncl_device devices[DEVICES_MAX];
static size_t device_count;
static bool present_gpus;
static bool long_fma[DEVICES_MAX]; /* see ncl_check_fma_is_long */

void ncl_check_present_gpus(void)
{
    present_gpus = true;
}

bool ncl_check_fma_is_long(const struct ncl_device *device)
{
    return long_fma[device - devices];
}

static void present(struct ncl_caps *caps)
{
    long_fma[device_count] = caps->type == NCL_DEVICE_CPU && !ncl_caps_is_cpu_like(caps);
    if (!present_gpus)
        return;
    caps->type = NCL_DEVICE_GPU;
    caps->native_floats = 1;
    caps->channel_block = 4;
    caps->registers = 64;
    caps->lanes = 32;
    caps->local_memory_is_local = true;
    caps->preferred_work_group = caps->max_work_group < 64 ? (int)caps->max_work_group : 64;
}

void ncl_check_devices_close(void)
{
    for (size_t i = 0; i < device_count; i++)
        ncl_device_close(&devices[i]);
    device_count = 0;
}

static void open_devices(const struct ncl_cl *cl, const struct ncl_device_list *list,
                         const struct ncl_device_entry *only)
{
    for (size_t i = 0; i < list->count && device_count < DEVICES_MAX; i++) {
        const struct ncl_device_entry *entry = &list->entries[i];

        if (only && entry != only)
            continue;
        if (ncl_device_open(NULL, cl, entry, false, &devices[device_count]) != NCL_OK) {
            printf("skipped: %s: %s\n", entry->caps.name, ncl_error_text());
            continue;
        }
        present(&devices[device_count].caps);
        device_count++;
    }
}

static void find_devices(void)
{
    const char *wanted = getenv("NCL_CHECK_DEVICE");
    const struct ncl_device_entry *only = NULL;
    struct ncl_device_list list = {0};
    const struct ncl_cl *cl = NULL;

    if (ncl_cl_load(NULL, &cl) != NCL_OK || ncl_device_list(NULL, cl, &list) != NCL_OK ||
        (wanted && ncl_device_choose(NULL, &list, wanted, &only) != NCL_OK))
        printf("skipped: %s\n", ncl_error_text());
    else if (!list.count)
        printf("skipped: no OpenCL device\n");
    else
        open_devices(cl, &list, only);
    ncl_device_list_free(&list);
}

const struct ncl_device *ncl_check_devices(size_t *count)
{
    static bool looked;

    if (!looked) {
        looked = true;
        find_devices();
    }
    *count = device_count;
    return devices;
}

const int *ncl_check_channel_blocks(const struct ncl_caps *caps)
{
    static const int all[] = {4, 8, 16, 0}, four[] = {4, 0};

    return ncl_caps_is_cpu_like(caps) ? all : four;
}

#define SYNTHETIC(title, kind, units, group, floats, block, vectors, preferred)                    \
    {                                                                                              \
        .name = title, .type = kind, .compute_units = units, .max_work_group = group,              \
        .max_work_items = {group, group, group}, .global_memory = 1ULL << 32,                      \
        .max_allocation = 1ULL << 30, .local_memory = 32768,                                       \
        .local_memory_is_local = (kind) == NCL_DEVICE_GPU, .base_align = 128,                      \
        .native_floats = floats, .channel_block = block, .registers = vectors,                     \
        .preferred_work_group = preferred, .lanes = preferred, .programs = 1                       \
    }

const struct ncl_caps ncl_check_synthetic[] = {
    SYNTHETIC("AVX2, 2 cores", NCL_DEVICE_CPU, 2, 4096, 8, 8, 16, 1),
    SYNTHETIC("AVX-512, 64 cores", NCL_DEVICE_CPU, 64, 8192, 16, 16, 32, 1),
    SYNTHETIC("SSE, 1 core", NCL_DEVICE_CPU, 1, 1, 4, 8, 16, 1),
    SYNTHETIC("vectorises across work-items", NCL_DEVICE_CPU, 2, 1024, 1, 4, 64, 64),
    SYNTHETIC("phone GPU", NCL_DEVICE_GPU, 2, 64, 1, 4, 64, 64),
    SYNTHETIC("odd limit", NCL_DEVICE_GPU, 4, 288, 1, 4, 64, 64),
    SYNTHETIC("large GPU", NCL_DEVICE_GPU, 132, 1024, 1, 4, 64, 64),
    SYNTHETIC("work-groups of one", NCL_DEVICE_OTHER, 1, 1, 1, 4, 64, 1),
};
const size_t ncl_check_synthetic_count = sizeof ncl_check_synthetic / sizeof ncl_check_synthetic[0];

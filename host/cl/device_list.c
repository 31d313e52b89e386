#include "base/memory.h"
#include "base/text.h"
#include "cl/device.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_PLATFORMS 64
#define MAX_DEVICES 64 /* of one platform */

/* The list under construction. */
struct listing {
    const struct ncl_log *log;
    const struct ncl_cl *cl;
    struct ncl_device_list *list;
    size_t capacity;
};

static bool usable(const struct ncl_cl *cl, cl_device_id id)
{
    cl_bool available = CL_FALSE;
    cl_bool compiler = CL_FALSE;

    return cl->GetDeviceInfo(id, CL_DEVICE_AVAILABLE, sizeof(available), &available, NULL) ==
               CL_SUCCESS &&
           cl->GetDeviceInfo(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(compiler), &compiler, NULL) ==
               CL_SUCCESS &&
           available && compiler;
}

/* A device that cannot be used is left out; running out of memory is the only failure. */
static ncl_status add_device(struct listing *l, struct ncl_device_entry entry)
{
    char before[1024];
    struct ncl_device_list *list = l->list;

    if (!usable(l->cl, entry.id)) {
        ncl_note(l->log, NCL_LOG_INFO, "device %d:%d left out: not available or without compiler",
                 entry.platform_index, entry.device_index);
        return NCL_OK;
    }
    strncpy(before, ncl_error_text(), sizeof(before) - 1);
    before[sizeof(before) - 1] = '\0';
    if (ncl_caps_query(NULL, l->cl, entry.platform, entry.id, &entry.caps) != NCL_OK) {
        ncl_note(l->log, NCL_LOG_WARNING, "device %d:%d left out: %s", entry.platform_index,
                 entry.device_index, ncl_error_text());
        ncl_error_set(before); /* listing succeeds */
        return NCL_OK;
    }
    if (!ncl_grow((void **)&list->entries, &l->capacity, list->count, sizeof(entry))) {
        return ncl_fail_memory(l->log, "listing devices");
    }
    list->entries[list->count++] = entry;
    return NCL_OK;
}

static ncl_status add_platform(struct listing *l, cl_platform_id platform, int platform_index)
{
    cl_device_id ids[MAX_DEVICES];
    cl_uint count = 0;
    ncl_status status = NCL_OK;
    /* Some drivers write *count even when they fail, or count more than they were given room. */
    const cl_int code = l->cl->GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &count);

    if (code != CL_SUCCESS) {
        if (code != CL_DEVICE_NOT_FOUND) {
            ncl_note(l->log, NCL_LOG_WARNING, "platform %d left out: %s (%d)", platform_index,
                     ncl_cl_error_name(code), (int)code);
        }
        return NCL_OK;
    }
    for (cl_uint i = 0; i < count && i < MAX_DEVICES && status == NCL_OK; i++) {
        status = add_device(l, (struct ncl_device_entry){.platform_index = platform_index,
                                                         .device_index = (int)i,
                                                         .platform = platform,
                                                         .id = ids[i]});
    }
    return status;
}

ncl_status ncl_device_list(const struct ncl_log *log, const struct ncl_cl *cl,
                           struct ncl_device_list *list)
{
    const cl_int no_platform = -1001; /* CL_PLATFORM_NOT_FOUND_KHR */
    struct listing listing = {.log = log, .cl = cl, .list = list};
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint count = 0;
    ncl_status status = NCL_OK;
    const cl_int code = cl->GetPlatformIDs(MAX_PLATFORMS, platforms, &count);

    *list = (struct ncl_device_list){0};
    if (code == no_platform) {
        return NCL_OK;
    }
    if (code != CL_SUCCESS) {
        return ncl_cl_fail(log, "listing OpenCL platforms", code);
    }
    for (cl_uint i = 0; i < count && i < MAX_PLATFORMS && status == NCL_OK; i++) {
        status = add_platform(&listing, platforms[i], (int)i);
    }
    if (status != NCL_OK) {
        ncl_device_list_free(list);
    }
    return status;
}

void ncl_device_list_free(struct ncl_device_list *list)
{
    free(list->entries);
    *list = (struct ncl_device_list){0};
}

/* CPUs are ranked by vector width first: llvmpipe reports more compute units than there are. */
static bool better(const struct ncl_caps *a, const struct ncl_caps *b)
{
    if (a->native_floats != b->native_floats) {
        return a->native_floats > b->native_floats;
    }
    return a->compute_units > b->compute_units;
}

static const struct ncl_device_entry *best(const struct ncl_device_list *list,
                                           enum ncl_device_type type)
{
    const struct ncl_device_entry *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct ncl_device_entry *entry = &list->entries[i];
        if (entry->caps.type == type && (found == NULL || better(&entry->caps, &found->caps))) {
            found = entry;
        }
    }
    return found;
}

/* Up to six digits; -1: not a number. Moves *text past them. */
static int parse_index(const char **text)
{
    int value = 0;
    const char *at = *text;

    while (*at >= '0' && *at <= '9' && at - *text < 6) {
        value = value * 10 + (*at++ - '0');
    }
    if (at == *text) {
        return -1;
    }
    *text = at;
    return value;
}

/* Is it "P:D"? Then *found is that device or NULL. */
static bool find_by_index(const struct ncl_device_list *list, const char *wanted,
                          const struct ncl_device_entry **found)
{
    const int platform = parse_index(&wanted);
    const bool colon = platform >= 0 && *wanted++ == ':';
    const int device = colon ? parse_index(&wanted) : -1;

    if (device < 0 || *wanted != '\0') {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct ncl_device_entry *entry = &list->entries[i];
        if (entry->platform_index == platform && entry->device_index == device) {
            *found = entry;
        }
    }
    return true;
}

static bool contains(const char *text, const char *part)
{
    const size_t length = strlen(part);

    for (; *text != '\0'; text++) {
        if (strncasecmp(text, part, length) == 0) {
            return true;
        }
    }
    return false;
}

static const struct ncl_device_entry *find_by_name(const struct ncl_device_list *list,
                                                   const char *wanted)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ncl_caps *caps = &list->entries[i].caps;
        if (contains(caps->name, wanted) || contains(caps->platform, wanted)) {
            return &list->entries[i];
        }
    }
    return NULL;
}

static const struct ncl_device_entry *find(const struct ncl_device_list *list, const char *wanted)
{
    const struct ncl_device_entry *found = NULL;

    if (wanted == NULL || wanted[0] == '\0') {
        found = best(list, NCL_DEVICE_GPU);
        found = found != NULL ? found : best(list, NCL_DEVICE_CPU);
        return found != NULL || list->count == 0 ? found : &list->entries[0];
    }
    if (strcasecmp(wanted, "cpu") == 0) {
        return best(list, NCL_DEVICE_CPU);
    }
    if (strcasecmp(wanted, "gpu") == 0) {
        return best(list, NCL_DEVICE_GPU);
    }
    return find_by_index(list, wanted, &found) ? found : find_by_name(list, wanted);
}

static ncl_status fail_choice(const struct ncl_log *log, const struct ncl_device_list *list,
                              const char *wanted)
{
    struct ncl_text text = {0};
    ncl_status status = NCL_ERROR_DEVICE;

    for (size_t i = 0; i < list->count && list->entries != NULL; i++) {
        const struct ncl_device_entry *entry = &list->entries[i];
        ncl_text_add(&text, "%s%d:%d %s (%s)", i > 0 ? ", " : "", entry->platform_index,
                     entry->device_index, entry->caps.name, entry->caps.platform);
    }
    if (list->count == 0 || text.failed) {
        status = ncl_fail(log, NCL_ERROR_DEVICE,
                          "no OpenCL device found: install a driver, on Debian pocl-opencl-icd for "
                          "CPUs");
    } else {
        status = ncl_fail(log, NCL_ERROR_DEVICE,
                          "device \"%s\": expected P:D, cpu, gpu or part of a name; there is %s",
                          wanted, text.data);
    }
    ncl_text_free(&text);
    return status;
}

ncl_status ncl_device_choose(const struct ncl_log *log, const struct ncl_device_list *list,
                             const char *wanted, const struct ncl_device_entry **chosen)
{
    *chosen = find(list, wanted);
    return *chosen != NULL ? NCL_OK : fail_choice(log, list, wanted == NULL ? "" : wanted);
}

#include "api/context.h"

#include "base/file.h"
#include "base/version.h"
#include "tunedb/store.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHANNEL_BLOCK 8 /* for reports that need no device */

const char *ncl_version(void)
{
    return NCL_VERSION_TEXT;
}

const char *ncl_status_string(ncl_status status)
{
    switch (status) {
    case NCL_OK:
        return "done";
    case NCL_ERROR_MISMATCH:
        return "a comparison failed";
    case NCL_ERROR_USAGE:
        return "wrong usage";
    case NCL_ERROR_INPUT:
        return "bad input";
    case NCL_ERROR_DEVICE:
        return "device or driver";
    case NCL_ERROR_MEMORY:
        return "out of memory";
    case NCL_ERROR_CANCELLED:
        return "cancelled";
    }
    return "unknown status";
}

const char *ncl_last_error(void)
{
    return ncl_error_text();
}

void ncl_free(void *memory)
{
    free(memory);
}

ncl_status ncl_fail_null(const char *function)
{
    return ncl_fail(NULL, NCL_ERROR_USAGE, "%s: an argument is NULL", function);
}

ncl_status ncl_check_size(const struct ncl_log *log, const char *what, size_t given, size_t first,
                          size_t now)
{
    if (given == now || given == first)
        return NCL_OK;
    return ncl_fail(log, NCL_ERROR_USAGE,
                    "%s: struct_size is %zu, expected %zu, or %zu of an earlier release", what,
                    given, now, first);
}

void ncl_options_init(ncl_options *options)
{
    if (!options)
        return;
    *options = (ncl_options){.struct_size = sizeof *options, .log_level = NCL_LOG_WARNING};
}

static bool is_listed(struct ncl_context *context)
{
    bool listed;

    pthread_mutex_lock(&context->lock);
    listed = context->listed;
    pthread_mutex_unlock(&context->lock);
    return listed;
}

/* Takes the list: of threads that listed at once, the first one's stays. */
static void publish(struct ncl_context *context, struct ncl_device_list *list)
{
    pthread_mutex_lock(&context->lock);
    if (!context->listed) {
        context->list = *list;
        context->listed = true;
        *list = (struct ncl_device_list){0};
    }
    pthread_mutex_unlock(&context->lock);
    ncl_device_list_free(list);
}

/* Listing logs, and so holds no lock. */
ncl_status ncl_context_list(struct ncl_context *context)
{
    const struct ncl_cl *cl = context->cl;
    struct ncl_device_list list = {0};
    ncl_status status = NCL_OK;

    if (is_listed(context))
        return NCL_OK;
    if (!cl)
        status = ncl_cl_load(&context->log, &cl);
    if (status == NCL_OK)
        status = ncl_device_list(&context->log, cl, &list);
    if (status == NCL_OK)
        publish(context, &list);
    return status;
}

static ncl_status open_listed(struct ncl_context *context, const char *wanted)
{
    const struct ncl_device_entry *entry = NULL;
    ncl_status status = ncl_cl_load(&context->log, &context->cl);

    if (status == NCL_OK)
        status = ncl_context_list(context);
    if (status == NCL_OK)
        status = ncl_device_choose(&context->log, &context->list, wanted, &entry);
    if (status == NCL_OK)
        status = ncl_device_open(&context->log, context->cl, entry, context->options.profile != 0,
                                 &context->device);
    if (status != NCL_OK)
        return status;
    context->device_index = (int)(entry - context->list.entries);
    snprintf(context->device_text, sizeof context->device_text, "%d:%d", entry->platform_index,
             entry->device_index);
    return status;
}

static ncl_status adopt(struct ncl_context *context)
{
    const ncl_options *o = &context->options;
    ncl_status status;

    if (!o->cl_context || !o->cl_device || !o->cl_queue)
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "options: cl_context, cl_device and cl_queue go together");
    status = ncl_cl_load(&context->log, &context->cl);
    if (status == NCL_OK)
        status = ncl_device_adopt(&context->log, context->cl, o->cl_context, o->cl_device,
                                  o->cl_queue, &context->device);
    return status;
}

/* The cache is a convenience: whatever is wrong with it is logged and costs only time. */
static void open_store(struct ncl_context *context)
{
    if (context->cache_dir &&
        ncl_store_open(&context->log, context->cache_dir, &context->store) == NCL_OK)
        ncl_store_binary_cache(context->store, &context->device.binaries);
}

static ncl_status fail_channel_block(const struct ncl_context *context, const char *text)
{
    if (context->options.channel_block)
        return ncl_fail(&context->log, NCL_ERROR_USAGE,
                        "channel block: expected 4, 8 or 16, found %d",
                        context->options.channel_block);
    return ncl_fail(&context->log, NCL_ERROR_USAGE,
                    "$NEXTCL_CHANNEL_BLOCK: expected 4, 8 or 16, found '%s'", text);
}

static ncl_status choose_channel_block(struct ncl_context *context)
{
    const char *text = getenv("NEXTCL_CHANNEL_BLOCK");
    int block = context->options.channel_block;

    if (!block && text && text[0]) {
        char *end;
        const long value = strtol(text, &end, 10);

        block = *end || value < 0 || value > 16 ? -1 : (int)value;
    }
    context->channel_block_free = !block;
    if (!block)
        block = context->has_device ? context->device.caps.channel_block : DEFAULT_CHANNEL_BLOCK;
    if (block != 4 && block != 8 && block != 16)
        return fail_channel_block(context, text);
    context->channel_block = block;
    return NCL_OK;
}

static ncl_status check_options(const struct ncl_context *context)
{
    const ncl_options *o = &context->options;

    if ((int)o->math < NCL_MATH_AUTO || o->math > NCL_MATH_FAST)
        return ncl_fail(&context->log, NCL_ERROR_USAGE, "options: unknown math mode %d",
                        (int)o->math);
    if ((int)o->precision < NCL_FP32 || o->precision > NCL_FP16)
        return ncl_fail(&context->log, NCL_ERROR_USAGE, "options: unknown precision %d",
                        (int)o->precision);
    return NCL_OK;
}

static ncl_status open_device(struct ncl_context *context)
{
    const ncl_options *o = &context->options;
    const char *wanted = o->device && o->device[0] ? o->device : getenv("NEXTCL_DEVICE");
    ncl_status status;

    if (o->cl_context || o->cl_device || o->cl_queue)
        status = adopt(context);
    else if (wanted && strcmp(wanted, "none") == 0)
        return NCL_OK;
    else
        status = open_listed(context, wanted);
    context->has_device = status == NCL_OK;
    if (status == NCL_OK)
        open_store(context);
    return status;
}

static void free_worker(struct ncl_context *context)
{
    for (size_t i = 0; context->worker && context->worker[i]; i++)
        free(context->worker[i]);
    free(context->worker);
}

static ncl_status copy_worker(struct ncl_context *context, const char *const *argv)
{
    size_t count = 0;

    while (argv && argv[count])
        count++;
    if (!count)
        return NCL_OK;
    context->worker = ncl_alloc(count + 1, sizeof *context->worker);
    for (size_t i = 0; context->worker && i < count; i++) {
        context->worker[i] = ncl_strdup(argv[i]);
        if (!context->worker[i])
            return ncl_fail_memory(&context->log, "a context");
    }
    return context->worker ? NCL_OK : ncl_fail_memory(&context->log, "a context");
}

struct ncl_session_workers ncl_context_workers(const struct ncl_context *context)
{
    return (struct ncl_session_workers){.command = (const char *const *)context->worker,
                                        .device =
                                            context->device_text[0] ? context->device_text : NULL,
                                        .cache_dir = context->cache_dir,
                                        .store = context->store};
}

ncl_status ncl_open(const ncl_options *options, ncl_context **out)
{
    struct ncl_context *context;
    ncl_options defaults;
    ncl_status status = NCL_OK;

    if (!out)
        return ncl_fail_null("ncl_open");
    *out = NULL;
    ncl_options_init(&defaults);
    if (options)
        status = ncl_check_size(NULL, "options (ncl_options_init sets it)", options->struct_size,
                                offsetof(ncl_options, worker), sizeof *options);
    if (status != NCL_OK)
        return status;
    if (options)
        memcpy(&defaults, options, options->struct_size);
    context = ncl_alloc(1, sizeof *context);
    if (!context || pthread_mutex_init(&context->lock, NULL) != 0) {
        free(context);
        return ncl_fail_memory(NULL, "a context");
    }
    context->options = defaults;
    context->device_index = -1;
    if (!defaults.cache_dir || defaults.cache_dir[0])
        context->cache_dir = ncl_file_cache_directory(defaults.cache_dir);
    context->log = (struct ncl_log){defaults.log, defaults.user, defaults.log_level};
    status = check_options(context);
    if (status == NCL_OK)
        status = copy_worker(context, defaults.worker);
    if (status == NCL_OK)
        status = open_device(context);
    if (status == NCL_OK)
        status = choose_channel_block(context);
    if (status != NCL_OK) {
        ncl_close(context);
        return status;
    }
    *out = context;
    return NCL_OK;
}

void ncl_close(ncl_context *context)
{
    if (!context)
        return;
    if (context->has_device)
        ncl_device_close(&context->device);
    ncl_device_list_free(&context->list);
    ncl_store_close(context->store);
    pthread_mutex_destroy(&context->lock);
    free(context->cache_dir);
    free_worker(context);
    free(context);
}

static void copy_text(char *to, size_t size, const char *from)
{
    const size_t length = strnlen(from, size - 1);

    memcpy(to, from, length);
    to[length] = 0;
}

static void fill_info(const struct ncl_caps *caps, ncl_device_info *info)
{
    copy_text(info->platform, sizeof info->platform, caps->platform);
    copy_text(info->name, sizeof info->name, caps->name);
    copy_text(info->vendor, sizeof info->vendor, caps->vendor);
    copy_text(info->driver, sizeof info->driver, caps->driver);
    copy_text(info->version, sizeof info->version, caps->version);
    info->is_gpu = caps->type == NCL_DEVICE_GPU;
    info->is_cpu = caps->type == NCL_DEVICE_CPU;
    info->compute_units = caps->compute_units;
    info->global_memory_bytes = caps->global_memory;
    info->max_allocation_bytes = caps->max_allocation;
    info->local_memory_bytes = caps->local_memory;
    info->max_work_group = caps->max_work_group;
}

ncl_status ncl_device_count(ncl_context *context, size_t *count)
{
    ncl_status status;

    if (!context || !count)
        return ncl_fail_null("ncl_device_count");
    status = ncl_context_list(context);
    *count = status == NCL_OK ? context->list.count : 0;
    return status;
}

ncl_status ncl_device_get(ncl_context *context, size_t index, ncl_device_info *info)
{
    const struct ncl_device_entry *entry;
    ncl_status status;

    if (!context || !info)
        return ncl_fail_null("ncl_device_get");
    status = ncl_context_list(context);
    if (status != NCL_OK)
        return status;
    if (index >= context->list.count)
        return ncl_fail(&context->log, NCL_ERROR_USAGE, "device %zu: there are %zu", index,
                        context->list.count);
    entry = &context->list.entries[index];
    *info = (ncl_device_info){.platform_index = entry->platform_index,
                              .device_index = entry->device_index};
    fill_info(&entry->caps, info);
    return NCL_OK;
}

ncl_status ncl_context_device(ncl_context *context, ncl_device_info *info)
{
    if (!context || !info)
        return ncl_fail_null("ncl_context_device");
    *info = (ncl_device_info){.platform_index = -1, .device_index = -1};
    if (!context->has_device)
        return ncl_fail(&context->log, NCL_ERROR_DEVICE, "the context was opened without a device");
    if (context->device_index >= 0)
        return ncl_device_get(context, (size_t)context->device_index, info);
    fill_info(&context->device.caps, info);
    return NCL_OK;
}

static ncl_status report_inspection(const struct ncl_context *context, const ncl_model *model,
                                    const ncl_inspection *at, char **json)
{
    const struct ncl_caps *caps = context->has_device ? &context->device.caps : NULL;
    struct ncl_dims *dims = NULL;
    ncl_status status = NCL_OK;

    if (!model || (at && !at->inputs && at->input_count))
        return ncl_fail_null("ncl_report");
    if (at)
        status = ncl_input_dims(context, model, at->inputs, at->input_count, &dims);
    if (status == NCL_OK)
        status = ncl_graph_report(model->graph, dims, at ? (int)at->input_count : 0, caps,
                                  context->channel_block, context->options.precision, json);
    free(dims);
    return status;
}

ncl_status ncl_report(ncl_context *context, ncl_report_kind kind, const void *object, char **json)
{
    ncl_status status;

    if (!context || !json || (!object && kind != NCL_REPORT_DEVICES && kind != NCL_REPORT_DB))
        return ncl_fail_null("ncl_report");
    *json = NULL;
    switch (kind) {
    case NCL_REPORT_DEVICES:
        status = ncl_context_list(context);
        return status == NCL_OK ? ncl_devices_report(&context->log, &context->list, json) : status;
    case NCL_REPORT_INSPECT:
        return report_inspection(context, object, NULL, json);
    case NCL_REPORT_INSPECT_AT:
        return report_inspection(context, ((const ncl_inspection *)object)->model, object, json);
    case NCL_REPORT_SESSION:
        return ncl_session_report(object, json);
    case NCL_REPORT_TUNING:
        return ncl_session_hint(object, false, json);
    case NCL_REPORT_HINT:
        return ncl_session_hint(object, true, json);
    case NCL_REPORT_DB:
        return ncl_db_report(context, json);
    case NCL_REPORT_EXPLAIN:
        return ncl_session_explain(object, json);
    }
    return ncl_fail(&context->log, NCL_ERROR_USAGE, "unknown report %d", (int)kind);
}

#include "session/report.h"
#include "plan/lookup.h"
#include "session/times.h"
#include "tunedb/record_json.h"

#include <string.h>

ncl_status ncl_report_dump(const struct ncl_log *log, json_t *root, char **json)
{
    *json = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    return *json ? NCL_OK : ncl_fail_memory(log, "a report");
}

/* How many shipped records speak of the device: "none shipped", or "11 shipped (1 measured on
 * such a device, 10 reasoned for its class)". */
static void count_shipped(const struct ncl_record_list *shipped, const struct ncl_caps *caps,
                          char *text, size_t room)
{
    int here = 0, alike = 0, reasoned = 0;
    struct ncl_fingerprint on;
    char klass[64];
    size_t length;

    ncl_fingerprint_of(caps, klass, &on);
    for (size_t i = 0; i < shipped->count; i++) {
        const struct ncl_record *record = &shipped->records[i];
        const enum ncl_match match = ncl_match_of(&record->on, &on);
        struct ncl_point point;

        if (match == NCL_MATCH_NONE ||
            (!ncl_record_point(record, &point) && strcmp(record->algorithm, "session") != 0))
            continue;
        reasoned += record->origin == NCL_ORIGIN_ANALYTIC;
        here += record->origin == NCL_ORIGIN_SHIPPED && match <= NCL_MATCH_DRIVER;
        alike += record->origin == NCL_ORIGIN_SHIPPED && match > NCL_MATCH_DRIVER;
    }
    snprintf(text, room, "none shipped");
    if (!(here + alike + reasoned))
        return;
    length = (size_t)snprintf(text, room, "%d shipped (", here + alike + reasoned);
    if (here)
        length +=
            (size_t)snprintf(text + length, room - length, "%d measured on such a device, ", here);
    if (alike)
        length +=
            (size_t)snprintf(text + length, room - length, "%d measured on its class, ", alike);
    if (reasoned)
        length +=
            (size_t)snprintf(text + length, room - length, "%d reasoned for its class, ", reasoned);
    snprintf(text + length - 2, room - length + 2, ")");
}

static json_t *caps_json(const struct ncl_device_entry *entry,
                         const struct ncl_record_list *shipped)
{
    static const char *const types[] = {"cpu", "gpu", "other"};
    const struct ncl_caps *c = &entry->caps;
    char index[32], tuning[160];
    json_t *object;

    snprintf(index, sizeof index, "%d:%d", entry->platform_index, entry->device_index);
    count_shipped(shipped, c, tuning, sizeof tuning);
    object = json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "index", index, "platform",
                       ncl_json_text(c->platform), "name", ncl_json_text(c->name), "type",
                       types[c->type], "vendor", ncl_json_text(c->vendor), "driver",
                       ncl_json_text(c->driver), "version", ncl_json_text(c->version), "opencl_c",
                       ncl_json_text(c->c_version));
    if (!object)
        return NULL;
    json_object_update_new(
        object, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "compute_units",
                          (json_int_t)c->compute_units, "clock_mhz", (json_int_t)c->clock_mhz,
                          "max_work_group", (json_int_t)c->max_work_group, "global_memory",
                          (json_int_t)c->global_memory, "max_allocation",
                          (json_int_t)c->max_allocation, "local_memory",
                          (json_int_t)c->local_memory, "base_align", (json_int_t)c->base_align));
    json_object_update_new(
        object, json_pack("{s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:s, s:s}", "local_memory_is_local",
                          c->local_memory_is_local, "unified_memory", c->unified_memory,
                          "fma_reported", c->fma_reported, "fp16", c->fp16, "fp64", c->fp64,
                          "native_floats", c->native_floats, "channel_block", c->channel_block,
                          "workarounds", c->workarounds, "tuning", tuning));
    return object;
}

ncl_status ncl_devices_report(const struct ncl_log *log, const struct ncl_device_list *list,
                              char **json)
{
    struct ncl_record_list shipped = {0};
    json_t *devices;
    bool complete;
    ncl_status status = ncl_shipped_find(log, NULL, &shipped);

    if (status != NCL_OK)
        return status;
    devices = json_array();
    complete = devices != NULL;
    for (size_t i = 0; complete && i < list->count; i++)
        complete = json_array_append_new(devices, caps_json(&list->entries[i], &shipped)) == 0;
    ncl_record_list_free(&shipped);
    if (!complete) {
        json_decref(devices);
        devices = NULL;
    }
    return ncl_report_dump(log, devices ? json_pack("{s:o}", "devices", devices) : NULL, json);
}

const char *ncl_precision_name(ncl_precision precision)
{
    return precision == NCL_FP16 ? "fp16" : "fp32";
}

ncl_status ncl_session_report(const struct ncl_session *session, char **json)
{
    json_t *layers = json_array();

    for (int i = 0; layers && i < session->schedule->step_count; i++) {
        const struct ncl_session_layer_state *layer = &session->layers[i];
        const struct ncl_step *step = &session->schedule->steps[i];

        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f}", "name", step->name,
                                   "op", step->op, "kind", ncl_problem_kind_name(&step->problem),
                                   "algorithm", layer->choice.point.algo->name, "params",
                                   layer->params, "source", layer->choice.source, "macs",
                                   ncl_problem_macs(&step->problem), "ms", layer->seconds * 1e3);

        json_object_update_new(object, ncl_times_json(session, i));
        json_array_append_new(layers, object);
    }
    return ncl_report_dump(session->device->log,
                           layers ? json_pack("{s:o, s:o, s:s, s:s}", "layers", layers, "transfers",
                                              ncl_transfers_json(session), "clock",
                                              ncl_times_clock(session), "precision",
                                              ncl_precision_name(session->config.precision))
                                  : NULL,
                           json);
}

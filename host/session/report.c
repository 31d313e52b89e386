#include "session/times.h"

#include <stdlib.h>
#include <string.h>

static ncl_status dump(const struct ncl_log *log, json_t *root, char **json)
{
    *json = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    return *json ? NCL_OK : ncl_fail_memory(log, "a report");
}

static json_t *caps_json(const struct ncl_device_entry *entry)
{
    static const char *const types[] = {"cpu", "gpu", "other"};
    const struct ncl_caps *c = &entry->caps;
    char index[32];
    json_t *object;

    snprintf(index, sizeof index, "%d:%d", entry->platform_index, entry->device_index);
    object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "index", index, "platform",
                       c->platform, "name", c->name, "type", types[c->type], "vendor", c->vendor,
                       "driver", c->driver, "version", c->version, "opencl_c", c->c_version);
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
                          "workarounds", c->workarounds, "tuning", "none shipped"));
    return object;
}

ncl_status ncl_devices_report(const struct ncl_log *log, const struct ncl_device_list *list,
                              char **json)
{
    json_t *devices = json_array();

    for (size_t i = 0; devices && i < list->count; i++)
        json_array_append_new(devices, caps_json(&list->entries[i]));
    return dump(log, devices ? json_pack("{s:o}", "devices", devices) : NULL, json);
}

ncl_status ncl_session_report(const struct ncl_session *session, char **json)
{
    json_t *layers = json_array();

    for (int i = 0; layers && i < session->schedule->step_count; i++) {
        const struct ncl_session_layer_state *layer = &session->layers[i];
        const struct ncl_step *step = &session->schedule->steps[i];

        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f}", "name", step->name,
                                   "op", step->op, "kind", ncl_problem_kind_name(&step->problem),
                                   "algorithm", layer->choice.algo->name, "params", layer->params,
                                   "source", layer->choice.source, "macs",
                                   ncl_problem_macs(&step->problem), "ms", layer->seconds * 1e3);

        json_object_update_new(object, ncl_times_json(session, i));
        json_array_append_new(layers, object);
    }
    return dump(session->device->log,
                layers ? json_pack("{s:o, s:o, s:s}", "layers", layers, "transfers",
                                   ncl_transfers_json(session), "clock", ncl_times_clock(session))
                       : NULL,
                json);
}

/* ---- inspect ---- */

struct inspection {
    struct ncl_graph *special;
    struct ncl_schedule *schedule;
    struct ncl_memory_plan memory;
    struct ncl_pass_report passes[NCL_MAX_PASSES];
    int pass_count, nodes_before;
};

static void inspection_free(struct inspection *i)
{
    ncl_memory_plan_free(&i->memory);
    ncl_schedule_free(i->schedule);
    ncl_graph_free(i->special);
}

/* The sizes of networks' usual inputs stand in for free dimensions. */
static void default_dims(const struct ncl_value *value, struct ncl_dims *dims)
{
    dims->rank = value->rank;
    for (int i = 0; i < value->rank; i++) {
        const int64_t usual = i == 0 ? 1 : i == 1 && value->rank == 4 ? 3 : 224;

        dims->dims[i] = value->dims[i] > 0 ? value->dims[i] : usual;
    }
}

static ncl_status specialise(const struct ncl_graph *model, struct inspection *i)
{
    struct ncl_dims *dims = ncl_alloc((size_t)model->input_count + 1, sizeof *dims);
    ncl_status status;

    if (!dims)
        return ncl_fail_memory(model->log, "inspection");
    for (int k = 0; k < model->input_count; k++)
        default_dims(&model->values[model->inputs[k]], &dims[k]);
    status = ncl_graph_specialise(model, dims, model->input_count, &i->special);
    free(dims);
    return status;
}

static ncl_status plan_memory(const struct ncl_graph *model, const struct ncl_caps *caps,
                              int channel_block, struct inspection *i)
{
    bool *may_alias = ncl_alloc((size_t)i->schedule->step_count + 1, sizeof *may_alias);
    ncl_status status;

    if (!may_alias)
        return ncl_fail_memory(model->log, "inspection");
    memset(may_alias, 1, (size_t)i->schedule->step_count);
    status = ncl_memory_plan_create(model->log, i->schedule, channel_block, may_alias,
                                    caps ? caps->base_align : 128,
                                    caps ? (size_t)caps->max_allocation : SIZE_MAX, &i->memory);
    free(may_alias);
    return status;
}

static ncl_status inspect(const struct ncl_graph *model, const struct ncl_caps *caps,
                          int channel_block, struct inspection *i)
{
    ncl_status status = specialise(model, i);

    if (status != NCL_OK)
        return status;
    i->nodes_before = i->special->node_count;
    status = ncl_graph_optimise(i->special, i->passes, &i->pass_count);
    if (status == NCL_OK)
        status = ncl_schedule_create(i->special, &i->schedule);
    for (int k = 0; status == NCL_OK && k < i->schedule->step_count; k++)
        i->schedule->steps[k].problem.channel_block = channel_block;
    if (status == NCL_OK)
        status = plan_memory(model, caps, channel_block, i);
    return status;
}

static json_t *shape_json(const struct ncl_shape *shape)
{
    return json_pack("[i, i, i, i]", shape->n, shape->c, shape->h, shape->w);
}

static json_t *reads_json(const struct ncl_step *step)
{
    const int slots[3] = {step->x, step->z, step->residual};
    json_t *reads = json_array();

    for (int k = 0; reads && k < 3; k++)
        if (slots[k] >= 0)
            json_array_append_new(reads, json_integer(slots[k]));
    return reads;
}

static json_t *steps_json(const struct ncl_schedule *schedule, double *macs)
{
    json_t *layers = json_array();

    *macs = 0;
    for (int k = 0; layers && k < schedule->step_count; k++) {
        const struct ncl_step *step = &schedule->steps[k];
        struct ncl_text signature = {0};

        ncl_problem_signature(&step->problem, &signature);
        json_array_append_new(
            layers, json_pack("{s:s, s:s, s:s, s:f, s:o, s:o, s:s, s:o, s:i}", "name", step->name,
                              "op", step->op, "kind", ncl_problem_kind_name(&step->problem), "macs",
                              ncl_problem_macs(&step->problem), "input",
                              shape_json(&step->problem.x), "output", shape_json(&step->problem.y),
                              "problem", signature.data ? signature.data : "", "reads",
                              reads_json(step), "writes", step->y));
        *macs += ncl_problem_macs(&step->problem);
        ncl_text_free(&signature);
    }
    return layers;
}

static json_t *passes_json(const struct inspection *i)
{
    json_t *passes = json_array();

    for (int k = 0; passes && k < i->pass_count; k++)
        json_array_append_new(passes, json_pack("{s:s, s:i, s:i, s:i}", "pass", i->passes[k].pass,
                                                "changes", i->passes[k].changes, "nodes_before",
                                                i->passes[k].nodes_before, "nodes_after",
                                                i->passes[k].nodes_after));
    return passes;
}

/* Elements of the model's floating-point constants that some node reads. */
static double parameters(const struct ncl_graph *model)
{
    double count = 0;

    for (int k = 0; k < model->value_count; k++) {
        const struct ncl_value *value = &model->values[k];

        if (ncl_value_is_constant(value) && value->dtype == NCL_DTYPE_F32)
            count += (double)ncl_value_elements(value);
    }
    return count;
}

static json_t *io_json(const struct ncl_graph *graph, const int *values, int count)
{
    json_t *list = json_array();

    for (int k = 0; list && k < count; k++) {
        const struct ncl_value *value = &graph->values[values[k]];
        json_t *dims = json_array();

        for (int d = 0; dims && d < value->rank; d++)
            json_array_append_new(dims,
                                  value->dims[d] < 0 ? json_null() : json_integer(value->dims[d]));
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", value->name, "shape", dims));
    }
    return list;
}

ncl_status ncl_graph_report(const struct ncl_graph *model, const struct ncl_caps *caps,
                            int channel_block, char **json)
{
    struct inspection i = {0};
    double macs = 0;
    json_t *layers, *root = NULL;
    ncl_status status = inspect(model, caps, channel_block, &i);

    if (status == NCL_OK) {
        layers = steps_json(i.schedule, &macs);
        root =
            json_pack("{s:o, s:o, s:i, s:f, s:f, s:I, s:i, s:i, s:i, s:o, s:o}", "inputs",
                      io_json(model, model->inputs, model->input_count), "outputs",
                      io_json(i.special, i.special->outputs, i.special->output_count), "launches",
                      i.schedule->step_count, "macs", macs, "parameters", parameters(model),
                      "arena_bytes", (json_int_t)i.memory.total_bytes, "channel_block",
                      channel_block, "nodes", model->node_count, "nodes_optimised",
                      i.special->node_count, "passes", passes_json(&i), "layers", layers);
        status = dump(model->log, root, json);
    }
    inspection_free(&i);
    return status;
}

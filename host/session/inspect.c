/* What would run of a model, without a device: its graph before and after the passes, what each
 * pass did, the schedule and the memory plan. */
#include "graph/node.h"
#include "session/report.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_CHANNELS 3
#define USUAL_SIDE 224

struct inspection {
    const struct ncl_graph *model;
    struct ncl_graph *special;
    struct ncl_schedule *schedule;
    struct ncl_memory_plan memory;
    struct ncl_pass_report passes[NCL_MAX_PASSES];
    json_t *before; /* nodes, as the passes found them */
    int pass_count, nodes_before, convolutions_before;
};

static void inspection_free(struct inspection *i)
{
    ncl_memory_plan_free(&i->memory);
    ncl_schedule_free(i->schedule);
    ncl_graph_free(i->special);
    json_decref(i->before);
}

/* ---- the graph ---- */

static json_t *dims_json(const struct ncl_value *value)
{
    json_t *dims = json_array();

    for (int d = 0; dims && d < value->rank; d++)
        json_array_append_new(dims,
                              value->dims[d] < 0 ? json_null() : json_integer(value->dims[d]));
    return dims;
}

static json_t *names_json(const struct ncl_graph *graph, const int *values, int count)
{
    json_t *names = json_array();

    for (int k = 0; names && k < count; k++)
        json_array_append_new(names, values[k] == NCL_NO_VALUE
                                         ? json_null()
                                         : json_string(graph->values[values[k]].name));
    return names;
}

/* Nodes of `graph`, with the shapes of `special`, whose values begin with the graph's own. */
static json_t *nodes_json(const struct ncl_graph *graph, const struct ncl_graph *special)
{
    json_t *nodes = json_array();

    for (int k = 0; nodes && k < graph->node_count; k++) {
        const struct ncl_node *node = &graph->nodes[k];

        json_array_append_new(
            nodes,
            json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", node->name, "op", ncl_op_name(node->op),
                      "inputs", names_json(special, node->inputs, node->input_count), "outputs",
                      names_json(special, node->outputs, node->output_count), "shape",
                      node->output_count > 0 && node->outputs[0] != NCL_NO_VALUE
                          ? dims_json(&special->values[node->outputs[0]])
                          : json_array()));
    }
    return nodes;
}

/* `used`: the shapes of `special`, where every dimension is known. */
static json_t *io_json(const struct ncl_graph *graph, const struct ncl_graph *special,
                       const int *values, int count)
{
    json_t *list = json_array();

    for (int k = 0; list && k < count; k++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o}", "name", special->values[values[k]].name,
                                        "shape", dims_json(&graph->values[values[k]]), "used",
                                        dims_json(&special->values[values[k]])));
    return list;
}

/* ---- the passes ---- */

/* The folding of constants comes before them: it is told like a pass. */
static json_t *folding_json(const struct inspection *i)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:{}}", "pass", "constants", "changes",
                     i->model->node_count - i->nodes_before, "nodes_before", i->model->node_count,
                     "nodes_after", i->nodes_before, "removed");
}

static json_t *pass_json(const struct ncl_pass_report *pass)
{
    json_t *removed = json_object();

    for (int op = 0; removed && op < NCL_OP_COUNT; op++)
        if (pass->removed[op] != 0)
            json_object_set_new(removed, ncl_op_name((enum ncl_op)op),
                                json_integer(pass->removed[op]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o}", "pass", pass->pass, "changes", pass->changes,
                     "nodes_before", pass->nodes_before, "nodes_after", pass->nodes_after,
                     "removed", removed);
}

static json_t *passes_json(const struct inspection *i)
{
    json_t *passes = json_array();

    if (passes)
        json_array_append_new(passes, folding_json(i));
    for (int k = 0; passes && k < i->pass_count; k++)
        json_array_append_new(passes, pass_json(&i->passes[k]));
    return passes;
}

/* ---- the schedule ---- */

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

static void add_window(json_t *layer, const struct ncl_window *w)
{
    json_object_set_new(layer, "kernel", json_pack("[i, i]", w->kernel_h, w->kernel_w));
    json_object_set_new(layer, "stride", json_pack("[i, i]", w->stride_h, w->stride_w));
    json_object_set_new(layer, "dilation", json_pack("[i, i]", w->dilation_h, w->dilation_w));
    json_object_set_new(
        layer, "pads",
        json_pack("[i, i, i, i]", w->pad_top, w->pad_left, w->pad_bottom, w->pad_right));
}

static const char *activation_name(enum ncl_act act)
{
    static const char *const names[NCL_ACT_COUNT] = {
        [NCL_ACT_NONE] = "",
        [NCL_ACT_RELU] = "relu",
        [NCL_ACT_CLIP] = "clip",
        [NCL_ACT_LEAKY] = "leaky relu",
        [NCL_ACT_HARD_SWISH] = "hard swish",
        [NCL_ACT_SIGMOID] = "sigmoid",
        [NCL_ACT_SILU] = "silu",
    };

    return names[act];
}

static json_t *layer_json(const struct ncl_step *step)
{
    const struct ncl_problem *p = &step->problem;
    struct ncl_text signature = {0};
    size_t length = 0;
    const char *block = ncl_block_name(step->name, &length);
    json_t *layer;

    ncl_problem_signature(p, &signature);
    layer = json_pack(
        "{s:s, s:s, s:s, s:f, s:o, s:o, s:s, s:s, s:o, s:i}", "name", step->name, "op", step->op,
        "kind", ncl_problem_kind_name(p), "macs", ncl_problem_macs(p), "input", shape_json(&p->x),
        "output", shape_json(&p->y), "problem", signature.data ? signature.data : "", "activation",
        activation_name(p->epilogue.act), "reads", reads_json(step), "writes", step->y);
    ncl_text_free(&signature);
    if (layer && block)
        json_object_set_new(layer, "block", json_stringn(block, length));
    if (layer && step->residual >= 0)
        json_object_set_new(layer, "residual", json_integer(step->residual));
    if (layer && p->kind == NCL_PROBLEM_CONV) {
        add_window(layer, &p->of.conv.window);
        json_object_set_new(layer, "groups", json_integer(p->of.conv.groups));
    } else if (layer && p->kind == NCL_PROBLEM_POOL) {
        add_window(layer, &p->of.pool.window);
    }
    return layer;
}

static json_t *layers_json(const struct ncl_schedule *schedule, double *macs)
{
    json_t *layers = json_array();

    *macs = 0;
    for (int k = 0; layers && k < schedule->step_count; k++) {
        json_t *layer = layer_json(&schedule->steps[k]);

        if (layer && ncl_step_images(schedule, k) != schedule->steps[k].problem.y.n)
            json_object_set_new(layer, "chunk_images", json_integer(ncl_step_images(schedule, k)));
        json_array_append_new(layers, layer);
        *macs += ncl_problem_macs(&schedule->steps[k].problem);
    }
    return layers;
}

/* ---- memory ---- */

static json_t *tensor_json(const struct inspection *i, int slot, int first, int last)
{
    const struct ncl_slot *s = &i->schedule->slots[slot];
    json_t *tensor =
        json_pack("{s:s, s:o, s:I, s:i, s:i}", "name", s->name, "shape", shape_json(&s->shape),
                  "bytes", (json_int_t)i->memory.slots[slot].bytes, "first", first, "last", last);

    if (tensor && s->input >= 0)
        json_object_set_new(tensor, "input", json_integer(s->input));
    if (tensor && s->output >= 0)
        json_object_set_new(tensor, "output", json_integer(s->output));
    if (tensor && i->memory.slots[slot].chunk >= 0) {
        json_object_set_new(tensor, "chunk", json_integer(i->memory.slots[slot].chunk));
        json_object_set_new(tensor, "offset",
                            json_integer((json_int_t)i->memory.slots[slot].offset));
    }
    if (tensor && i->memory.slots[slot].alias >= 0)
        json_object_set_new(tensor, "replaces", json_integer(i->memory.slots[slot].alias));
    return tensor;
}

static json_t *tensors_json(const struct inspection *i)
{
    const size_t count = (size_t)i->schedule->slot_count + 1;
    int *first = ncl_alloc(count, sizeof *first), *last = ncl_alloc(count, sizeof *last);
    json_t *tensors = first && last ? json_array() : NULL;

    if (tensors)
        ncl_schedule_lives(i->schedule, first, last);
    for (int k = 0; tensors && k < i->schedule->slot_count; k++)
        json_array_append_new(tensors, tensor_json(i, k, first[k], last[k]));
    free(first);
    free(last);
    return tensors;
}

static json_t *chunks_json(const struct ncl_memory_plan *memory)
{
    json_t *chunks = json_array();

    for (int k = 0; chunks && k < memory->chunk_count; k++)
        json_array_append_new(chunks, json_integer((json_int_t)memory->chunk_bytes[k]));
    return chunks;
}

/* Elements of the model's floating-point constants that some node reads. */
static ncl_status count_parameters(const struct ncl_graph *model, double *count)
{
    bool *read = ncl_alloc((size_t)model->value_count + 1, sizeof *read);

    *count = 0;
    if (!read)
        return ncl_fail_memory(model->log, "inspection");
    for (int k = 0; k < model->node_count; k++)
        for (int n = 0; n < model->nodes[k].input_count; n++)
            if (model->nodes[k].inputs[n] != NCL_NO_VALUE)
                read[model->nodes[k].inputs[n]] = true;
    for (int k = 0; k < model->value_count; k++)
        if (read[k] && ncl_value_is_constant(&model->values[k]) &&
            model->values[k].dtype == NCL_DTYPE_F32)
            *count += (double)ncl_value_elements(&model->values[k]);
    free(read);
    return NCL_OK;
}

static int count_convolutions(const struct ncl_graph *graph)
{
    int count = 0;

    for (int k = 0; k < graph->node_count; k++)
        count += graph->nodes[k].op == NCL_OP_CONV;
    return count;
}

/* ---- doing it ---- */

/* The sizes of networks' usual inputs stand in for free dimensions. */
static void usual_dims(const struct ncl_graph *model, const struct ncl_value *value,
                       struct ncl_dims *dims)
{
    const int channel_axis = model->layout == NCL_NHWC ? 3 : 1;

    dims->rank = value->rank;
    for (int k = 0; k < value->rank; k++) {
        const int64_t usual = k == 0                                  ? 1
                              : k == channel_axis && value->rank == 4 ? USUAL_CHANNELS
                                                                      : USUAL_SIDE;

        dims->dims[k] = value->dims[k] >= 0 ? value->dims[k] : usual;
    }
}

static ncl_status specialise(const struct ncl_dims *given, int count, struct inspection *i)
{
    const struct ncl_graph *model = i->model;
    struct ncl_dims *dims = ncl_alloc((size_t)model->input_count + 1, sizeof *dims);
    ncl_status status;

    if (!dims)
        return ncl_fail_memory(model->log, "inspection");
    for (int k = 0; k < model->input_count; k++)
        usual_dims(model, &model->values[model->inputs[k]], &dims[k]);
    status = ncl_graph_specialise(model, given ? given : dims, given ? count : model->input_count,
                                  &i->special);
    free(dims);
    return status;
}

static ncl_status plan_memory(const struct ncl_caps *caps, int channel_block, struct inspection *i)
{
    bool *may_alias = ncl_alloc((size_t)i->schedule->step_count + 1, sizeof *may_alias);
    ncl_status status;

    if (!may_alias)
        return ncl_fail_memory(i->model->log, "inspection");
    memset(may_alias, 1, (size_t)i->schedule->step_count);
    status = ncl_memory_plan_create(i->model->log, i->schedule, channel_block, may_alias,
                                    caps ? caps->base_align : 128,
                                    caps ? (size_t)caps->max_allocation : SIZE_MAX, &i->memory);
    free(may_alias);
    return status;
}

static ncl_status inspect(const struct ncl_caps *caps, int channel_block, ncl_precision precision,
                          struct inspection *i)
{
    ncl_status status;

    i->nodes_before = i->special->node_count;
    i->convolutions_before = count_convolutions(i->special);
    i->before = nodes_json(i->model, i->special);
    status = ncl_graph_optimise(i->special, i->passes, &i->pass_count);
    if (status == NCL_OK)
        status = ncl_schedule_create(i->special, &i->schedule);
    if (status != NCL_OK)
        return status;
    ncl_schedule_set(i->schedule, channel_block, false, precision == NCL_FP16);
    status = ncl_schedule_chunk(i->model->log, i->schedule, caps);
    return status == NCL_OK ? plan_memory(caps, channel_block, i) : status;
}

static json_t *inspection_json(struct inspection *i, int channel_block, double parameters)
{
    const struct ncl_graph *model = i->model;
    json_t *before = i->before;
    double macs;
    json_t *layers = layers_json(i->schedule, &macs);

    i->before = NULL;
    return json_pack(
        "{s:o, s:o, s:i, s:f, s:f, s:I, s:i, s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:{s:o, s:o}, s:o, "
        "s:o}",
        "inputs", io_json(model, i->special, model->inputs, model->input_count), "outputs",
        io_json(i->special, i->special, model->outputs, model->output_count), "launches",
        i->schedule->part_count, "macs", macs, "parameters", parameters, "arena_bytes",
        (json_int_t)i->memory.total_bytes, "channel_block", channel_block, "precision",
        ncl_precision_name(i->schedule->half ? NCL_FP16 : NCL_FP32), "nodes", model->node_count,
        "nodes_optimised", i->special->node_count, "convolutions", i->convolutions_before,
        "convolutions_optimised", count_convolutions(i->special), "passes", passes_json(i),
        "layers", layers, "memory", "chunks", chunks_json(&i->memory), "tensors", tensors_json(i),
        "graph_before", before, "graph_after", nodes_json(i->special, i->special));
}

ncl_status ncl_graph_report(const struct ncl_graph *model, const struct ncl_dims *inputs,
                            int input_count, const struct ncl_caps *caps, int channel_block,
                            ncl_precision precision, char **json)
{
    struct inspection i = {.model = model};
    double parameters = 0;
    ncl_status status = specialise(inputs, input_count, &i);

    if (status == NCL_OK)
        status = inspect(caps, channel_block, precision, &i);
    if (status == NCL_OK)
        status = count_parameters(model, &parameters);
    if (status == NCL_OK)
        status = ncl_report_dump(model->log, inspection_json(&i, channel_block, parameters), json);
    inspection_free(&i);
    return status;
}

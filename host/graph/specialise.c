/* A copy of the graph for concrete input shapes: inferred, folded, swept. */
#include "graph/fold.h"
#include "graph/infer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *copy_name(struct ncl_graph *to, const char *name)
{
    return ncl_arena_text(&to->arena, name, strlen(name));
}

static ncl_status copy_values(const struct ncl_graph *from, struct ncl_graph *to)
{
    const size_t count = (size_t)from->value_count + 1;

    to->values = ncl_alloc(count, sizeof *to->values);
    if (to->values == NULL)
        return ncl_fail_memory(from->log, "a copy of the graph");
    to->value_capacity = count;
    to->value_count = from->value_count;
    for (int i = 0; i < from->value_count; i++) {
        to->values[i] = from->values[i];
        to->values[i].name = copy_name(to, from->values[i].name);
        if (to->values[i].name == NULL)
            return ncl_fail_memory(from->log, "a copy of the graph");
        if (!ncl_value_is_constant(&from->values[i]))
            to->values[i].rank = -1;
    }
    return NCL_OK;
}

static ncl_status copy_nodes(const struct ncl_graph *from, struct ncl_graph *to)
{
    const size_t count = (size_t)from->node_count + 1;

    to->nodes = ncl_alloc(count, sizeof *to->nodes);
    if (to->nodes == NULL)
        return ncl_fail_memory(from->log, "a copy of the graph");
    to->node_capacity = count;
    for (; to->node_count < from->node_count; to->node_count++) {
        const struct ncl_node *old = &from->nodes[to->node_count];
        struct ncl_node *copy = &to->nodes[to->node_count];
        const size_t inputs = (size_t)old->input_count, outputs = (size_t)old->output_count;

        *copy = *old;
        copy->inputs = ncl_arena_alloc(&to->arena, inputs + 1, sizeof *copy->inputs);
        copy->outputs = ncl_arena_alloc(&to->arena, outputs + 1, sizeof *copy->outputs);
        copy->name = copy_name(to, old->name);
        if (copy->inputs == NULL || copy->outputs == NULL || copy->name == NULL)
            return ncl_fail_memory(from->log, "a copy of the graph");
        memcpy(copy->inputs, old->inputs, inputs * sizeof *copy->inputs);
        memcpy(copy->outputs, old->outputs, outputs * sizeof *copy->outputs);
    }
    return NCL_OK;
}

static ncl_status copy_graph(const struct ncl_graph *from, struct ncl_graph *to)
{
    ncl_status status = copy_values(from, to);

    to->layout = from->layout;
    if (status == NCL_OK)
        status = copy_nodes(from, to);
    for (int i = 0; status == NCL_OK && i < from->input_count; i++)
        status = ncl_graph_add_input(to, from->inputs[i]);
    for (int i = 0; status == NCL_OK && i < from->output_count; i++)
        status = ncl_graph_add_output(to, from->outputs[i]);
    return status;
}

static ncl_status set_input(const struct ncl_graph *from, struct ncl_graph *to, int index,
                            const struct ncl_dims *given)
{
    const struct ncl_value *declared = &from->values[from->inputs[index]];
    struct ncl_value *value = &to->values[to->inputs[index]];

    if (declared->dtype != NCL_DTYPE_F32)
        return ncl_fail(from->log, NCL_ERROR_INPUT, "input '%s' is %s, expected float32",
                        declared->name, ncl_dtype_name(declared->dtype));
    if (given->rank < 0 || given->rank > NCL_MAX_RANK ||
        (declared->rank >= 0 && given->rank != declared->rank))
        return ncl_fail(from->log, NCL_ERROR_INPUT, "input '%s' of rank %d, expected %d",
                        declared->name, given->rank, declared->rank);
    value->rank = given->rank;
    for (int i = 0; i < given->rank; i++) {
        const int64_t dim = given->dims[i];
        const bool fixed = declared->rank >= 0 && declared->dims[i] >= 0;

        if (fixed && dim != declared->dims[i])
            return ncl_fail(from->log, NCL_ERROR_INPUT,
                            "input '%s': dimension %d is %lld, expected %lld", declared->name, i,
                            (long long)dim, (long long)declared->dims[i]);
        if (dim < 1 || dim > INT_MAX)
            return ncl_fail(from->log, NCL_ERROR_INPUT,
                            "input '%s': dimension %d is %lld, expected 1..%d", declared->name, i,
                            (long long)dim, INT_MAX);
        value->dims[i] = dim;
    }
    if (ncl_value_elements(value) < 0)
        return ncl_fail(from->log, NCL_ERROR_INPUT, "input '%s' has too many elements",
                        declared->name);
    return NCL_OK;
}

static ncl_status set_inputs(const struct ncl_graph *from, struct ncl_graph *to,
                             const struct ncl_dims *inputs, int input_count)
{
    ncl_status status = NCL_OK;

    if (input_count != from->input_count)
        return ncl_fail(from->log, NCL_ERROR_INPUT, "%d input tensors, expected the model's %d",
                        input_count, from->input_count);
    for (int i = 0; status == NCL_OK && i < input_count; i++)
        status = set_input(from, to, i, &inputs[i]);
    return status;
}

/* What is computed while the net runs is computed in float32. */
static ncl_status check_run_time(const struct ncl_graph *graph, const struct ncl_node *node)
{
    const struct ncl_value *y = &graph->values[node->outputs[0]];

    for (int i = 0; i < node->input_count; i++) {
        const struct ncl_value *x;

        if (node->inputs[i] == NCL_NO_VALUE)
            continue;
        x = &graph->values[node->inputs[i]];
        if (!ncl_value_is_constant(x) && x->dtype != NCL_DTYPE_F32)
            return ncl_node_fail(graph, node, "input '%s' is %s at run time, expected float32",
                                 x->name, ncl_dtype_name(x->dtype));
    }
    if (y->dtype != NCL_DTYPE_F32)
        return ncl_node_fail(graph, node, "output '%s' is %s at run time, expected float32",
                             y->name, ncl_dtype_name(y->dtype));
    return NCL_OK;
}

static ncl_status infer_or_fold(struct ncl_graph *graph, struct ncl_node *node, bool is_read)
{
    ncl_status status = ncl_infer_node(graph, node);

    if (status != NCL_OK)
        return status;
    if (!ncl_fold_possible(graph, node))
        return is_read ? check_run_time(graph, node) : NCL_OK;
    status = ncl_fold_node(graph, node);
    ncl_node_kill(node);
    return status;
}

/* A node whose result nobody reads need not run, but must be right: a file that contradicts itself
 * is refused wherever it does. */
static ncl_status infer_and_fold(struct ncl_graph *graph)
{
    char *read = ncl_graph_find_read(graph);
    ncl_status status = NCL_OK;

    if (read == NULL)
        return ncl_fail_memory(graph->log, "a copy of the graph");
    for (int i = 0; status == NCL_OK && i < graph->node_count; i++) {
        struct ncl_node *node = &graph->nodes[i];

        status = infer_or_fold(graph, node, ncl_node_is_read(node, read));
    }
    free(read);
    return status;
}

static ncl_status check_outputs(const struct ncl_graph *graph)
{
    for (int i = 0; i < graph->output_count; i++) {
        const struct ncl_value *value = &graph->values[graph->outputs[i]];

        if (value->rank < 0)
            return ncl_fail(graph->log, NCL_ERROR_INPUT,
                            "output '%s' is a second result of its node, which is not supported",
                            value->name);
    }
    return NCL_OK;
}

ncl_status ncl_graph_specialise(const struct ncl_graph *graph, const struct ncl_dims *inputs,
                                int input_count, struct ncl_graph **special)
{
    ncl_status status = ncl_graph_create(graph->log, special);

    if (status != NCL_OK)
        return status;
    status = copy_graph(graph, *special);
    if (status == NCL_OK)
        status = set_inputs(graph, *special, inputs, input_count);
    if (status == NCL_OK)
        status = infer_and_fold(*special);
    if (status == NCL_OK)
        status = check_outputs(*special);
    if (status == NCL_OK)
        status = ncl_graph_sweep(*special);
    if (status == NCL_OK)
        return NCL_OK;
    ncl_graph_free(*special);
    *special = NULL;
    return status;
}

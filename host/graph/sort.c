/* Finishing a graph: references, single assignment, topological order. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

enum { UNSEEN, OPEN, DONE };

struct sorter {
    struct ncl_graph *graph;
    int *producer; /* per value: node, -1 */
    int *stack;    /* nodes whose inputs are being visited */
    int *next;     /* per node: next input to look at */
    int *order;
    char *state;
    int depth, done;
};

static bool value_exists(const struct ncl_graph *graph, int value)
{
    return value == NCL_NO_VALUE || (value >= 0 && value < graph->value_count);
}

static ncl_status claim_output(struct sorter *s, int node, int value)
{
    const struct ncl_graph *graph = s->graph;
    const char *name = graph->nodes[node].name;

    if (value == NCL_NO_VALUE)
        return NCL_OK;
    if (!value_exists(graph, value))
        return ncl_fail(graph->log, NCL_ERROR_INPUT, "node '%s': writes value %d of %d", name,
                        value, graph->value_count);
    if (s->producer[value] >= 0)
        return ncl_fail(graph->log, NCL_ERROR_INPUT,
                        "node '%s': output '%s' is already written by node '%s'", name,
                        graph->values[value].name, graph->nodes[s->producer[value]].name);
    if (ncl_value_is_constant(&graph->values[value]))
        return ncl_fail(graph->log, NCL_ERROR_INPUT, "node '%s': output '%s' is a constant", name,
                        graph->values[value].name);
    s->producer[value] = node;
    return NCL_OK;
}

static ncl_status claim_outputs(struct sorter *s)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < s->graph->node_count; i++)
        for (int k = 0; status == NCL_OK && k < s->graph->nodes[i].output_count; k++)
            status = claim_output(s, i, s->graph->nodes[i].outputs[k]);
    return status;
}

/* Every value somebody reads must come from a node, an input or a constant. */
static ncl_status check_sources(struct sorter *s, const char *is_input)
{
    const struct ncl_graph *graph = s->graph;

    for (int i = 0; i < graph->node_count; i++) {
        const struct ncl_node *node = &graph->nodes[i];

        for (int k = 0; k < node->input_count; k++) {
            const int value = node->inputs[k];

            if (!value_exists(graph, value))
                return ncl_fail(graph->log, NCL_ERROR_INPUT, "node '%s': reads value %d of %d",
                                node->name, value, graph->value_count);
            if (value != NCL_NO_VALUE && s->producer[value] < 0 && !is_input[value] &&
                !ncl_value_is_constant(&graph->values[value]))
                return ncl_fail(graph->log, NCL_ERROR_INPUT,
                                "node '%s': input '%s' is written by no node, and is neither a "
                                "constant nor an input of the model",
                                node->name, graph->values[value].name);
        }
    }
    for (int i = 0; i < graph->output_count; i++) {
        const int value = graph->outputs[i];

        if (s->producer[value] < 0 && !is_input[value] &&
            !ncl_value_is_constant(&graph->values[value]))
            return ncl_fail(graph->log, NCL_ERROR_INPUT, "output '%s' is written by no node",
                            graph->values[value].name);
    }
    return NCL_OK;
}

static ncl_status check_inputs(struct sorter *s, char *is_input)
{
    const struct ncl_graph *graph = s->graph;

    for (int i = 0; i < graph->input_count; i++) {
        const int value = graph->inputs[i];

        if (is_input[value])
            return ncl_fail(graph->log, NCL_ERROR_INPUT, "input '%s' is listed twice",
                            graph->values[value].name);
        if (s->producer[value] >= 0)
            return ncl_fail(graph->log, NCL_ERROR_INPUT,
                            "node '%s': output '%s' is an input of the model",
                            graph->nodes[s->producer[value]].name, graph->values[value].name);
        is_input[value] = 1;
    }
    return NCL_OK;
}

/* One step of a depth-first walk without recursion: a hostile chain may be millions long. */
static ncl_status advance(struct sorter *s)
{
    const struct ncl_graph *graph = s->graph;
    const int current = s->stack[s->depth - 1];
    const struct ncl_node *node = &graph->nodes[current];
    int source;

    if (s->next[current] == node->input_count) {
        s->state[current] = DONE;
        s->order[s->done++] = current;
        s->depth--;
        return NCL_OK;
    }
    source = node->inputs[s->next[current]++];
    source = source == NCL_NO_VALUE ? -1 : s->producer[source];
    if (source < 0 || s->state[source] == DONE)
        return NCL_OK;
    if (s->state[source] == OPEN)
        return ncl_fail(graph->log, NCL_ERROR_INPUT,
                        "node '%s' (%s): depends on its own output, expected a graph without "
                        "cycles",
                        node->name, ncl_op_name(node->op));
    s->state[source] = OPEN;
    s->stack[s->depth++] = source;
    return NCL_OK;
}

static ncl_status sort(struct sorter *s)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < s->graph->node_count; i++) {
        if (s->state[i] != UNSEEN)
            continue;
        s->state[i] = OPEN;
        s->stack[s->depth++] = i;
        while (status == NCL_OK && s->depth > 0)
            status = advance(s);
    }
    return status;
}

static ncl_status apply_order(struct sorter *s)
{
    struct ncl_graph *graph = s->graph;
    const size_t count = (size_t)graph->node_count;
    struct ncl_node *sorted = ncl_alloc(count + 1, sizeof *sorted);

    if (sorted == NULL)
        return ncl_fail_memory(graph->log, "the order of a graph");
    for (size_t i = 0; i < count; i++)
        sorted[i] = graph->nodes[s->order[i]];
    free(graph->nodes);
    graph->nodes = sorted;
    graph->node_capacity = count + 1;
    return NCL_OK;
}

static ncl_status run_checks(struct sorter *s, char *is_input)
{
    ncl_status status;

    memset(s->producer, 0xff, (size_t)s->graph->value_count * sizeof *s->producer); /* all -1 */
    status = claim_outputs(s);
    if (status == NCL_OK)
        status = check_inputs(s, is_input);
    if (status == NCL_OK)
        status = check_sources(s, is_input);
    if (status == NCL_OK)
        status = sort(s);
    return status == NCL_OK ? apply_order(s) : status;
}

ncl_status ncl_graph_finish(struct ncl_graph *graph)
{
    const size_t nodes = (size_t)graph->node_count + 1;
    const size_t values = (size_t)graph->value_count + 1;
    struct sorter s = {.graph = graph};
    char *is_input = ncl_alloc(values, 1);
    ncl_status status;

    s.producer = ncl_alloc(values, sizeof *s.producer);
    s.stack = ncl_alloc(nodes, sizeof *s.stack);
    s.next = ncl_alloc(nodes, sizeof *s.next);
    s.order = ncl_alloc(nodes, sizeof *s.order);
    s.state = ncl_alloc(nodes, 1);
    if (is_input == NULL || s.producer == NULL || s.stack == NULL || s.next == NULL ||
        s.order == NULL || s.state == NULL)
        status = ncl_fail_memory(graph->log, "the order of a graph");
    else
        status = run_checks(&s, is_input);
    free(is_input);
    free(s.producer);
    free(s.stack);
    free(s.next);
    free(s.order);
    free(s.state);
    return status;
}

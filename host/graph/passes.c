/* Running the passes, and what they share. */
#include "graph/passes.h"

#include <stdlib.h>
#include <string.h>

/* Each round walks every node once. Real nets settle in two; a crafted one may stop early, which
 * costs speed only. */
#define MAX_ROUNDS 16

static void link_values(const struct ncl_graph *graph, struct ncl_links *links)
{
    for (int i = 0; i < graph->value_count; i++)
        links->producer[i] = -1;
    for (int i = 0; i < graph->input_count; i++)
        links->is_input[graph->inputs[i]] = true;
    for (int i = 0; i < graph->output_count; i++) {
        links->is_output[graph->outputs[i]] = true;
        links->readers[graph->outputs[i]]++;
    }
    for (int i = 0; i < graph->node_count; i++) {
        const struct ncl_node *node = &graph->nodes[i];

        for (int k = 0; k < node->output_count; k++)
            if (node->outputs[k] != NCL_NO_VALUE)
                links->producer[node->outputs[k]] = i;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NCL_NO_VALUE)
                links->readers[node->inputs[k]]++;
    }
}

ncl_status ncl_links_create(const struct ncl_graph *graph, struct ncl_links *links)
{
    const size_t count = (size_t)graph->value_count + 1;

    links->producer = ncl_alloc(count, sizeof *links->producer);
    links->readers = ncl_alloc(count, sizeof *links->readers);
    links->is_output = ncl_alloc(count, sizeof *links->is_output);
    links->is_input = ncl_alloc(count, sizeof *links->is_input);
    if (links->producer == NULL || links->readers == NULL || links->is_output == NULL ||
        links->is_input == NULL) {
        ncl_links_free(links);
        return ncl_fail_memory(graph->log, "a pass over the graph");
    }
    link_values(graph, links);
    return NCL_OK;
}

void ncl_links_free(struct ncl_links *links)
{
    free(links->producer);
    free(links->readers);
    free(links->is_output);
    free(links->is_input);
    memset(links, 0, sizeof *links);
}

struct ncl_node *ncl_sole_producer(struct ncl_graph *graph, const struct ncl_links *links,
                                   int value)
{
    if (value == NCL_NO_VALUE || links->producer[value] < 0 || links->readers[value] != 1 ||
        links->is_output[value])
        return NULL;
    return &graph->nodes[links->producer[value]];
}

void ncl_absorb(struct ncl_graph *graph, struct ncl_links *links, struct ncl_node *producer,
                int consumer, struct ncl_node merged)
{
    merged.outputs = graph->nodes[consumer].outputs;
    merged.output_count = graph->nodes[consumer].output_count;
    ncl_node_kill(producer);
    graph->nodes[consumer] = merged;
    links->producer[merged.outputs[0]] = consumer;
}

ncl_status ncl_widen_inputs(struct ncl_graph *graph, struct ncl_node *node, int count)
{
    int *inputs = ncl_arena_alloc(&graph->arena, (size_t)count, sizeof *inputs);

    if (inputs == NULL)
        return ncl_node_memory(graph, node);
    for (int i = 0; i < count; i++)
        inputs[i] = i < node->input_count ? node->inputs[i] : NCL_NO_VALUE;
    node->inputs = inputs;
    node->input_count = count;
    return NCL_OK;
}

static const struct {
    const char *name;
    ncl_pass_fn *run;
} passes[] = {
    {"identity", ncl_pass_identity}, {"pad", ncl_pass_pad},       {"transpose", ncl_pass_transpose},
    {"groups", ncl_pass_groups},     {"batch_norm", ncl_pass_bn}, {"fuse", ncl_pass_fuse},
    {"slice", ncl_pass_slice},
};
#define PASS_COUNT ((int)(sizeof passes / sizeof *passes))

/* Adds `times` the number of nodes of each operator. */
static void count_operators(const struct ncl_graph *graph, int times, int counts[NCL_OP_COUNT])
{
    for (int i = 0; i < graph->node_count; i++)
        counts[graph->nodes[i].op] += times;
}

static ncl_status run_pass(struct ncl_graph *graph, int pass, struct ncl_pass_report *report,
                           int *changes)
{
    const int before = graph->node_count;
    struct ncl_links links;
    int changed = 0;
    ncl_status status = ncl_links_create(graph, &links);

    if (status != NCL_OK)
        return status;
    count_operators(graph, 1, report->removed);
    status = passes[pass].run(graph, &links, &changed);
    ncl_links_free(&links);
    if (status == NCL_OK)
        status = ncl_graph_sweep(graph);
    if (status == NCL_OK) /* swept: none is dead */
        count_operators(graph, -1, report->removed);
    report->changes += changed;
    report->nodes_after -= before - graph->node_count;
    *changes += changed;
    return status;
}

ncl_status ncl_graph_optimise(struct ncl_graph *special,
                              struct ncl_pass_report reports[NCL_MAX_PASSES], int *report_count)
{
    ncl_status status = NCL_OK;
    int changes = 1;

    *report_count = PASS_COUNT;
    for (int round = 0; round < MAX_ROUNDS && changes > 0 && status == NCL_OK; round++) {
        changes = 0;
        for (int i = 0; i < PASS_COUNT && status == NCL_OK; i++) {
            if (round == 0)
                reports[i] = (struct ncl_pass_report){.pass = passes[i].name,
                                                      .nodes_before = special->node_count,
                                                      .nodes_after = special->node_count};
            status = run_pass(special, i, &reports[i], &changes);
        }
    }
    return status;
}

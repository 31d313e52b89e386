/* Small graphs for tests: building, and running a schedule on the host oracle. */
#ifndef NCL_TESTS_GRAPH_NET_H
#define NCL_TESTS_GRAPH_NET_H

#include "graph/passes.h"
#include "graph/schedule.h"
#include "problem/oracle.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define INPUTS(...)                                                                                \
    (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (const int[])                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static inline void must(ncl_status status)
{
    ck_assert_msg(status == NCL_OK, "%s", ncl_error_text());
}

/* The call failed as input error, and the line says so. */
static inline void must_fail(ncl_status status, const char *part)
{
    ck_assert_int_eq(status, NCL_ERROR_INPUT);
    ck_assert_msg(strstr(ncl_error_text(), part) != NULL, "'%s' lacks '%s'", ncl_error_text(),
                  part);
}

static inline struct ncl_graph *net(void)
{
    struct ncl_graph *graph;

    must(ncl_graph_create(NULL, &graph));
    return graph;
}

static inline int net_value(struct ncl_graph *graph, const char *name, enum ncl_dtype dtype,
                            int rank, const int64_t *dims)
{
    int index;

    must(ncl_graph_add_value(graph, name, strlen(name), &index));
    graph->values[index].dtype = dtype;
    graph->values[index].rank = rank;
    if (rank > 0)
        memcpy(graph->values[index].dims, dims, (size_t)rank * sizeof *dims);
    return index;
}

static inline int net_input(struct ncl_graph *graph, const char *name, int rank,
                            const int64_t *dims)
{
    const int index = net_value(graph, name, NCL_DTYPE_F32, rank, dims);

    must(ncl_graph_add_input(graph, index));
    return index;
}

/* Element i is first + step * i. */
static inline int net_floats(struct ncl_graph *graph, const char *name, float first, float step,
                             int rank, const int64_t *dims)
{
    const int index = net_value(graph, name, NCL_DTYPE_F32, rank, dims);
    const int64_t count = ncl_value_elements(&graph->values[index]);
    float *data = ncl_arena_alloc(&graph->arena, (size_t)count, sizeof *data);

    for (int64_t i = 0; i < count; i++)
        data[i] = first + step * (float)i;
    graph->values[index].data = data;
    return index;
}

static inline int net_list(struct ncl_graph *graph, const char *name, int count,
                           const int64_t *values)
{
    const int index = net_value(graph, name, NCL_DTYPE_I64, 1, &(int64_t){count});
    int64_t *data = ncl_arena_alloc(&graph->arena, (size_t)count + 1, sizeof *data);

    memcpy(data, values, (size_t)count * sizeof *data);
    graph->values[index].data = data;
    return index;
}

static inline struct ncl_node *net_last(struct ncl_graph *graph)
{
    return &graph->nodes[graph->node_count - 1];
}

/* A node with one output, named as the node. Returns the output. */
static inline int net_node(struct ncl_graph *graph, enum ncl_op op, const char *name, int count,
                           const int *inputs)
{
    int index;
    const int output = net_value(graph, name, NCL_DTYPE_UNKNOWN, -1, NULL);

    must(ncl_graph_add_node(graph, op, name, strlen(name), count, 1, &index));
    for (int i = 0; i < count; i++)
        graph->nodes[index].inputs[i] = inputs[i];
    graph->nodes[index].outputs[0] = output;
    if (op == NCL_OP_CONV)
        graph->nodes[index].as.conv.groups = 1;
    if (op == NCL_OP_GEMM)
        graph->nodes[index].as.gemm.alpha = graph->nodes[index].as.gemm.beta = 1;
    return output;
}

static inline struct ncl_axes axes(int count, const int64_t *values)
{
    struct ncl_axes list = {.given = true, .count = count};

    memcpy(list.values, values, (size_t)count * sizeof *values);
    return list;
}

/* Parameters of a BN over `channels`, all different; spread keeps the variance away from 0. */
static inline int net_batch_norm(struct ncl_graph *graph, const char *name, int x, int64_t channels)
{
    const int scale = net_floats(graph, "gamma", 0.5f, 0.25f, DIMS(channels));
    const int shift = net_floats(graph, "beta", -1, 0.5f, DIMS(channels));
    const int mean = net_floats(graph, "mean", 0.25f, -0.125f, DIMS(channels));
    const int var = net_floats(graph, "var", 0.5f, 0.75f, DIMS(channels));
    const int y = net_node(graph, NCL_OP_BATCH_NORM, name, INPUTS(x, scale, shift, mean, var));

    net_last(graph)->as.batch_norm.epsilon = 1e-5f;
    return y;
}

static inline ncl_status net_specialise(struct ncl_graph *graph, int output,
                                        struct ncl_graph **special)
{
    struct ncl_dims dims[4];
    ncl_status status;

    if (graph->output_count == 0)
        must(ncl_graph_add_output(graph, output));
    status = ncl_graph_finish(graph);
    for (int i = 0; i < graph->input_count; i++) {
        dims[i].rank = graph->values[graph->inputs[i]].rank;
        memcpy(dims[i].dims, graph->values[graph->inputs[i]].dims, sizeof dims[i].dims);
    }
    return status == NCL_OK ? ncl_graph_specialise(graph, dims, graph->input_count, special)
                            : status;
}

/* Specialises, and frees the result if there is one after all. */
static inline void net_must_fail(struct ncl_graph *graph, int output, const char *part)
{
    struct ncl_graph *special = NULL;

    must_fail(net_specialise(graph, output, &special), part);
    ck_assert_ptr_null(special);
    ncl_graph_free(graph);
}

static inline struct ncl_graph *net_special(struct ncl_graph *graph, int output)
{
    struct ncl_graph *special;

    must(net_specialise(graph, output, &special));
    return special;
}

static inline void net_optimise(struct ncl_graph *special)
{
    struct ncl_pass_report reports[NCL_MAX_PASSES];
    int count;

    must(ncl_graph_optimise(special, reports, &count));
    must(ncl_graph_finish(special));
}

static inline void ck_dims(const struct ncl_value *value, int rank, const int64_t *dims)
{
    char text[NCL_DIMS_TEXT];

    ck_assert_msg(value->rank == rank &&
                      memcmp(value->dims, dims, (size_t)rank * sizeof *dims) == 0,
                  "'%s' is %s", value->name, ncl_dims_text(value, text));
}

/* Runs a schedule on the oracle; every slot as dense NCHW floats. Inputs are filled with a pattern
 * of small numbers of both signs. Returns the slots; free with net_free_slots. */
static inline float **net_run(const struct ncl_schedule *s)
{
    float **data = calloc((size_t)s->slot_count, sizeof *data);

    for (int i = 0; i < s->slot_count; i++) {
        const size_t count = ncl_shape_elements(&s->slots[i].shape, NCL_PLAIN, 16);

        data[i] = calloc(count, sizeof **data);
        for (size_t k = 0; s->slots[i].input >= 0 && k < count; k++)
            data[i][k] = (float)((k * 7 + 3) % 23) / 8.0f - 1.25f;
    }
    for (int i = 0; i < s->step_count; i++) {
        const struct ncl_step *step = &s->steps[i];
        struct ncl_problem problem = step->problem;
        const struct ncl_oracle_tensors tensors = {
            .x = data[step->x],
            .z = step->z >= 0 ? data[step->z] : NULL,
            .residual = step->residual >= 0 ? data[step->residual] : NULL,
            .weights = &step->weights,
            .bias = step->bias,
            .scale = step->scale,
            .shift = step->shift,
            .y = data[step->y]};

        problem.channel_block = 4;
        must(ncl_oracle_run(NULL, &problem, &tensors));
    }
    return data;
}

static inline void net_free_slots(const struct ncl_schedule *s, float **data)
{
    for (int i = 0; i < s->slot_count; i++)
        free(data[i]);
    free(data);
}

/* First output of an optimised or merely specialised net, and its element count. */
static inline float *net_result(struct ncl_graph *special, size_t *count)
{
    struct ncl_schedule *schedule;
    float **data, *result = NULL;

    must(ncl_schedule_create(special, &schedule));
    data = net_run(schedule);
    for (int i = 0; i < schedule->slot_count; i++)
        if (schedule->slots[i].output == 0) {
            *count = ncl_shape_elements(&schedule->slots[i].shape, NCL_PLAIN, 16);
            result = malloc(*count * sizeof *result);
            memcpy(result, data[i], *count * sizeof *result);
        }
    net_free_slots(schedule, data);
    ncl_schedule_free(schedule);
    return result;
}

static inline int net_count(const struct ncl_graph *graph, enum ncl_op op)
{
    int count = 0;

    for (int i = 0; i < graph->node_count; i++)
        count += graph->nodes[i].op == op;
    return count;
}

static inline int net_main(const char *name, void (*add)(TCase *tcase))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    add(tcase);
    suite_add_tcase(suite, tcase);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

#endif

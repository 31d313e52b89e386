/* A network as the tuner sees it: distinct problems, who has them, and what could compute them. */
#include "session/tune_parts.h"

#include "session/advice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points are counted for reports; beyond so many combinations it would take seconds. */
#define MAX_COMBINATIONS 4e6

static char *signature_of(struct ncl_tune_net *net, const struct ncl_problem *problem)
{
    struct ncl_text text = {0};
    char *kept;

    ncl_problem_signature(problem, &text);
    kept = text.failed ? NULL : ncl_arena_text(&net->arena, text.data, text.length);
    ncl_text_free(&text);
    return kept;
}

/* Moves on to the next combination of values, like an odometer. false: that was the last. */
static bool next_combination(const struct ncl_algo *algo, int *index, int *v)
{
    for (int i = 0; i < algo->tunable_count; i++) {
        index[i] = index[i] + 1 < algo->tunables[i].count ? index[i] + 1 : 0;
        v[i] = algo->tunables[i].values[index[i]];
        if (index[i])
            return true;
    }
    return false;
}

/* Legal points of an algorithm, counting up to `enough` (0: all); < 0: too many to count. */
static double count_points(const struct ncl_algo *algo, const struct ncl_problem *p,
                           const struct ncl_caps *caps, double enough)
{
    int index[NCL_MAX_TUNABLES] = {0}, v[NCL_MAX_TUNABLES] = {0};
    double combinations = 1, legal = 0;

    for (int i = 0; i < algo->tunable_count; i++) {
        combinations *= algo->tunables[i].count;
        v[i] = algo->tunables[i].values[0];
    }
    if (enough == 0 && combinations > MAX_COMBINATIONS)
        return -1;
    do {
        legal += algo->valid(v, p, caps);
        if (enough > 0 && legal >= enough)
            break;
    } while (next_combination(algo, index, v));
    return legal;
}

/* Algorithms that may compute the problem; returns how many. */
static int candidates_of(const struct ncl_problem *p, const struct ncl_caps *caps,
                         const struct ncl_algo **algos)
{
    int count = 0;

    for (size_t i = 0; i < ncl_algo_count; i++)
        if (ncl_algo_usable(ncl_algos[i], p, caps))
            algos[count++] = ncl_algos[i];
    return count;
}

/* Is there more than one way to compute it? */
static bool leaves_a_choice(const struct ncl_problem *p, const struct ncl_caps *caps,
                            const struct ncl_algo *const *algos, int count)
{
    return count > 1 || (count == 1 && count_points(algos[0], p, caps, 2) > 1);
}

static const struct ncl_part *first_part(const struct ncl_schedule *schedule, int step)
{
    for (int i = 0; i < schedule->part_count; i++)
        if (schedule->parts[i].step == step)
            return &schedule->parts[i];
    return NULL;
}

static int launches_of(const struct ncl_schedule *schedule, int step)
{
    int count = 0;

    for (int i = 0; i < schedule->part_count; i++)
        count += schedule->parts[i].step == step;
    return count;
}

static ncl_status fail_memory(const struct ncl_tune_net *net)
{
    return ncl_fail_memory(net->tuning->log, "what there is to tune");
}

static ncl_status add_task(struct ncl_tune_net *net, int step, const struct ncl_problem *problem,
                           const char *signature)
{
    const struct ncl_caps *caps = &net->tuning->device.caps;
    const struct ncl_step *s = &net->schedule->steps[step];
    const struct ncl_algo **algos = ncl_arena_alloc(&net->arena, ncl_algo_count, sizeof *algos);
    struct ncl_task *task = &net->tasks[net->count];
    struct ncl_tune_layer *layer = &net->layers[net->count];
    ncl_status status;

    if (!algos)
        return fail_memory(net);
    *task = (struct ncl_task){.problem = *problem, .caps = caps, .name = s->name, .algos = algos};
    task->algo_count = candidates_of(problem, caps, algos);
    if (!leaves_a_choice(problem, caps, algos, task->algo_count))
        return NCL_OK;
    status = ncl_tune_choose_standard(net, net->count, &layer->standard);
    layer->names =
        ncl_arena_alloc(&net->arena, (size_t)net->schedule->step_count, sizeof *layer->names);
    if (status == NCL_OK && !layer->names)
        status = fail_memory(net);
    if (status != NCL_OK)
        return status;
    task->start = layer->standard;
    layer->problem = signature;
    layer->op = s->op;
    layer->kind = ncl_problem_kind_name(problem);
    layer->points = -1;
    net->task_of_step[step] = net->count++;
    return NCL_OK;
}

static int find_task(const struct ncl_tune_net *net, const char *signature)
{
    for (int i = 0; i < net->count; i++)
        if (strcmp(net->layers[i].problem, signature) == 0)
            return i;
    return -1;
}

static ncl_status add_step(struct ncl_tune_net *net, int step)
{
    const struct ncl_part *part = first_part(net->schedule, step);
    const char *signature = part ? signature_of(net, &part->problem) : NULL;
    struct ncl_tune_layer *layer;
    ncl_status status = NCL_OK;
    int task;

    net->task_of_step[step] = -1;
    if (!part)
        return NCL_OK;
    if (!signature)
        return fail_memory(net);
    task = find_task(net, signature);
    if (task < 0)
        status = add_task(net, step, &part->problem, signature);
    else
        net->task_of_step[step] = task;
    task = net->task_of_step[step];
    if (status != NCL_OK || task < 0)
        return status;
    layer = &net->layers[task];
    layer->names[layer->name_count++] = net->schedule->steps[step].name;
    net->tasks[task].uses += launches_of(net->schedule, step);
    return NCL_OK;
}

/* All weights of the network: between two uses of some, all others are read. */
static size_t weight_bytes(const struct ncl_schedule *schedule)
{
    size_t bytes = 0;

    for (int i = 0; i < schedule->step_count; i++) {
        const struct ncl_problem *p = &schedule->steps[i].problem;
        const struct ncl_window *w = &p->of.conv.window;

        if (p->kind == NCL_PROBLEM_CONV)
            bytes += (size_t)p->y.c * (size_t)(p->x.c / p->of.conv.groups) * (size_t)w->kernel_h *
                     (size_t)w->kernel_w * (p->half ? 2 : 4);
    }
    return bytes;
}

static ncl_status make_schedule(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_session_config config = t->session;
    struct ncl_pass_report reports[NCL_MAX_PASSES];
    int report_count = 0;
    ncl_status status = ncl_graph_specialise(t->model, t->inputs, t->input_count, &net->graph);

    if (status == NCL_OK)
        status = ncl_graph_optimise(net->graph, reports, &report_count);
    if (status == NCL_OK)
        status = ncl_schedule_create(net->graph, &net->schedule);
    if (status != NCL_OK)
        return status;
    config.device = &t->device;
    config.precision = net->precision;
    ncl_session_set_schedule(&config, net->channel_block, net->schedule);
    return ncl_schedule_chunk(t->log, net->schedule, &t->device.caps);
}

ncl_status ncl_tune_net_open(struct ncl_tuning *tuning, int channel_block, ncl_precision precision,
                             struct ncl_tune_net *net)
{
    size_t steps;
    ncl_status status;

    *net = (struct ncl_tune_net){
        .tuning = tuning, .channel_block = channel_block, .precision = precision};
    status = make_schedule(net);
    if (status != NCL_OK)
        return status;
    steps = (size_t)net->schedule->step_count + 1;
    net->tasks = ncl_arena_alloc(&net->arena, steps, sizeof *net->tasks);
    net->layers = ncl_arena_alloc(&net->arena, steps, sizeof *net->layers);
    net->results = ncl_arena_alloc(&net->arena, steps, sizeof *net->results);
    net->task_of_step = ncl_arena_alloc(&net->arena, steps, sizeof *net->task_of_step);
    if (!net->tasks || !net->layers || !net->results || !net->task_of_step)
        return fail_memory(net);
    for (int i = 0; status == NCL_OK && i < net->schedule->step_count; i++)
        status = add_step(net, i);
    net->cold_bytes = weight_bytes(net->schedule);
    if (status == NCL_OK)
        status = ncl_session_net_key(net->schedule, &tuning->device.caps, net->key);
    return status;
}

void ncl_tune_net_close(struct ncl_tune_net *net)
{
    ncl_tune_give_name_back(net);
    ncl_tune_drop_late(net);
    if (net->tuning) {
        net->tuning->progress.layer = ""; /* may be one of the network's */
        net->tuning->unkept += net->unkept;
    }
    ncl_schedule_free(net->schedule);
    ncl_graph_free(net->graph);
    free(net->events);
    free(net->known);
    free(net->resumed);
    free(net->begun);
    ncl_arena_free(&net->arena);
    *net = (struct ncl_tune_net){0};
}

void ncl_tune_count_points(struct ncl_tune_net *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct ncl_task *task = &net->tasks[i];
        double points = 0;

        for (int k = 0; points >= 0 && k < task->algo_count; k++) {
            const double more = count_points(task->algos[k], &task->problem, task->caps, 0);

            points = more < 0 ? -1 : points + more;
        }
        net->layers[i].points = points;
    }
}

double ncl_tune_sample_size(const struct ncl_tune_net *net)
{
    double points = 0;

    for (int i = 0; i < net->count; i++)
        points += net->layers[i].points >= 0 ? fmin(net->layers[i].points, NCL_TUNE_FULL_TRIALS)
                                             : NCL_TUNE_FULL_TRIALS;
    return points;
}

bool ncl_tune_wins(const struct ncl_tune_net *net, int task)
{
    const struct ncl_search_task *result = &net->results[task];

    return net->searched && result->best.algo && !net->layers[task].dropped[0] && result->decided &&
           !ncl_point_equal(&result->best, &net->layers[task].standard);
}

struct pin {
    const struct ncl_tune_net *net;
    enum ncl_tune_points points;
};

static bool pin_point(void *user, const struct ncl_problem *problem, struct ncl_point *point)
{
    const struct pin *pin = user;
    struct ncl_text text = {0};
    int task = -1;

    ncl_problem_signature(problem, &text);
    if (!text.failed)
        task = find_task(pin->net, text.data);
    ncl_text_free(&text);
    if (task < 0)
        return false;
    *point = pin->net->layers[task].standard;
    if (pin->points == NCL_TUNE_START)
        *point = pin->net->tasks[task].start;
    if (pin->points == NCL_TUNE_TUNED && ncl_tune_wins(pin->net, task))
        *point = pin->net->results[task].best;
    return true;
}

ncl_status ncl_tune_make_session(struct ncl_tune_net *net, enum ncl_tune_points points,
                                 struct ncl_session **session)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_session_config config = t->session;
    struct pin pin = {net, points};
    ncl_status status;

    config.channel_block = net->channel_block;
    config.precision = net->precision;
    config.pin = pin_point;
    config.pin_user = &pin;
    status = ncl_session_make(&config, t->model, t->inputs, t->input_count, session);
    if (status != NCL_OK)
        return status;
    (*session)->config.pin = NULL; /* its struct ends here; what falls back later takes defaults */
    if ((*session)->create_seconds > t->create_seconds)
        t->create_seconds = (*session)->create_seconds;
    return NCL_OK;
}

/* The search over a network's problems: candidates in a worker, or in this process. */
#include "session/tune_parts.h"

#include "base/clock.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* A launch of a second is noticed by whoever looks at the screen; watchdogs of display drivers wait
 * for two and more. */
#define LAUNCH_SECONDS 1.0
/* A worker's patience. Compilers of some devices take seconds per kernel, the host's oracle as long
 * for a large batch; a train of launches is bounded by the launch's own limit. */
#define PATIENCE_SECONDS 35.0
#define RUN_SECONDS 5.0
/* The most promising points are known where this share of the network's time lies: there is
 * something to use. */
#define USEFUL_SHARE 0.9
/* The same of its work, while nobody knows its time: kernels are not all as busy. */
#define USEFUL_WORK 0.97

static int is_cancelled(void *user)
{
    return ncl_tune_tell(user) != NCL_OK;
}

/* In this process a candidate may take everything along, so that only one at a time is under
 * suspicion. */
static ncl_status prepare_alone(struct ncl_tuning *t, struct ncl_trial *trials, int count)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < count; i++) {
        ncl_tune_record_started(t->net, &trials[i], 1);
        status = t->inner.prepare(t->inner.self, &trials[i], 1);
        if (status == NCL_OK)
            status = ncl_tune_doubt(t, &trials[i], 1);
        if (status == NCL_OK)
            status = ncl_tune_tell(t);
    }
    return status;
}

static ncl_status prepare(void *self, struct ncl_trial *trials, int count)
{
    struct ncl_tuning *t = self;
    ncl_status status = ncl_tune_tell(t);

    if (status != NCL_OK)
        return status;
    if (!t->worker)
        return prepare_alone(t, trials, count);
    ncl_tune_record_started(t->net, trials, count);
    status = t->inner.prepare(t->inner.self, trials, count);
    return status == NCL_OK ? ncl_tune_doubt(t, trials, count) : status;
}

static ncl_status measure(void *self, struct ncl_trial *trial, int launches,
                          struct ncl_timing *timings)
{
    struct ncl_tuning *t = self;
    ncl_status status = ncl_tune_tell(t);

    if (status == NCL_OK)
        status = t->inner.time(t->inner.self, trial, launches, timings);
    return status == NCL_OK && ncl_tune_deserves_another(t, trial)
               ? ncl_tune_time_again(t, trial, launches, timings)
               : status;
}

static void forget(void *self, const struct ncl_trial *trial)
{
    struct ncl_tuning *t = self;

    t->inner.forget(t->inner.self, trial);
}

static ncl_status open_worker(struct ncl_tuning *t, const struct ncl_trials_config *trials)
{
    const double patience =
        t->options.patience_seconds > 0 ? t->options.patience_seconds : PATIENCE_SECONDS;
    const double run_seconds = fmin(RUN_SECONDS, patience / 2);
    const struct ncl_worker_config config = {
        .log = t->log,
        .command = t->options.worker,
        .device = t->config->device_index,
        .cache_dir = t->config->cache_dir,
        .trials = *trials,
        .build_seconds = patience - run_seconds,
        .run_seconds = run_seconds,
        .cancelled = is_cancelled,
        .user = t,
    };
    const ncl_status status = ncl_worker_open(&config, &t->worker);

    if (status == NCL_OK)
        ncl_worker_evaluator(t->worker, &t->inner);
    return status;
}

static ncl_status open_trials(struct ncl_tuning *t, const struct ncl_trials_config *config)
{
    const ncl_status status = ncl_trials_open(config, &t->trials);

    if (status == NCL_OK)
        ncl_trials_evaluator(t->trials, &t->inner);
    return status;
}

ncl_status ncl_tune_evaluate_open(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_problem *problems =
        ncl_arena_alloc(&net->arena, (size_t)net->count + 1, sizeof *problems);
    const struct ncl_trials_config config = {.device = &t->device,
                                             .problems = problems,
                                             .problem_count = net->count,
                                             .launch_limit = LAUNCH_SECONDS,
                                             .cold_bytes = net->cold_bytes};

    if (t->worker || t->trials)
        return NCL_OK;
    if (!problems)
        return ncl_fail_memory(t->log, "problems to tune");
    for (int i = 0; i < net->count; i++)
        problems[i] = net->tasks[i].problem;
    t->net = net;
    t->evaluator = (struct ncl_evaluator){t, prepare, measure, forget};
    if (t->options.worker && t->config->device_index)
        return open_worker(t, &config);
    return open_trials(t, &config);
}

void ncl_tune_evaluate_close(struct ncl_tuning *tuning)
{
    if (tuning->worker)
        tuning->restarts += ncl_worker_restarts(tuning->worker);
    ncl_worker_close(tuning->worker);
    ncl_trials_close(tuning->trials);
    tuning->worker = NULL;
    tuning->trials = NULL;
    tuning->net = NULL;
}

/* ---- the search ---- */

struct run {
    struct ncl_tune_net *net;
    ncl_status status;
};

static double clock_seconds(void *self)
{
    (void)self;
    return (double)ncl_clock_ns() * 1e-9;
}

static void mark_seed(struct ncl_tune_net *net, const struct ncl_search_note *note)
{
    const struct ncl_point *seed = ncl_tune_first_seed(net, note->task);
    struct ncl_tune_layer *layer = &net->layers[note->task];

    if (seed && ncl_point_equal(&note->point, seed) && layer->seed_at <= 0)
        layer->seed_at = ncl_tune_elapsed(net->tuning);
}

/* Of the network, in any unit that is one and the same for all. */
static double weight_of(const struct ncl_tune_net *net, int task)
{
    const struct ncl_tune_layer *layer = &net->layers[task];

    return net->tasks[task].uses *
           (net->measured_at > 0 ? layer->inside[0] : ncl_problem_macs(&net->tasks[task].problem));
}

/* Standard points need no measuring where there is nothing else: they are the best that is known.
 */
static bool is_seen(const struct ncl_tune_net *net, int task, double at)
{
    const double seed_at = net->layers[task].seed_at;

    return (seed_at > 0 && seed_at <= at) || !ncl_tune_first_seed(net, task);
}

static bool is_useful(const struct ncl_tune_net *net, double at)
{
    double all = 0, seen = 0;

    for (int i = 0; i < net->count; i++) {
        all += weight_of(net, i);
        seen += is_seen(net, i, at) ? weight_of(net, i) : 0;
    }
    return seen >= (net->measured_at > 0 ? USEFUL_SHARE : USEFUL_WORK) * all;
}

bool ncl_tune_is_useful(const struct ncl_tune_net *net)
{
    return is_useful(net, INFINITY);
}

void ncl_tune_note_useful(struct ncl_tune_net *net)
{
    if (net->measured_at <= 0 || !ncl_tune_is_useful(net))
        return;
    net->useful_seconds = is_useful(net, 0) ? net->measured_at : INFINITY; /* without any seed */
    for (int i = 0; i < net->count; i++) {
        const double at = net->layers[i].seed_at;

        if (at > 0 && is_useful(net, at))
            net->useful_seconds = fmin(net->useful_seconds, at);
    }
}

static void take_note(void *user, const struct ncl_search_note *note)
{
    struct run *run = user;
    struct ncl_tune_net *net = run->net;

    if (run->status == NCL_OK)
        run->status = ncl_tune_remember(net, note);
    mark_seed(net, note);
    ncl_tune_choose_early(net, note);
}

static int is_enough(void *user)
{
    const struct run *run = user;

    return ncl_tune_is_useful(run->net);
}

static int report_progress(void *user, const struct ncl_search_progress *p)
{
    struct run *run = user;
    struct ncl_tuning *t = run->net->tuning;
    ncl_tune_progress *progress = &t->progress;

    progress->layer = run->net->tasks[p->task].name;
    progress->layer_index = (size_t)p->task;
    progress->layer_count = (size_t)run->net->count;
    progress->default_seconds = p->start_seconds;
    progress->best_seconds = p->best_seconds;
    progress->trials = (size_t)p->trials;
    progress->rejected = (size_t)p->rejected;
    if (run->net->planned_trials > 0 && p->trials > 0)
        progress->seconds_left =
            p->elapsed / p->trials * fmax(run->net->planned_trials - p->trials, 0);
    return run->status != NCL_OK || ncl_tune_tell(t) != NCL_OK;
}

/* The journal is written by the evaluator, which knows how many may be under suspicion. */
static void began(void *user, int task, const struct ncl_point *point)
{
    (void)user;
    (void)task;
    (void)point;
}

/* All that the run has noted, in this process or an interrupted one: the search replays it. */
static struct ncl_search_note *notes_so_far(const struct ncl_tune_net *net)
{
    struct ncl_search_note *notes = ncl_alloc(net->event_count + 1, sizeof *notes);

    for (size_t i = 0; notes && i < net->event_count; i++)
        notes[i] = net->events[i].note;
    return notes;
}

static ncl_status begin(struct ncl_tune_net *net)
{
    const ncl_status status = net->journalled ? NCL_OK : ncl_tune_begin(net);

    for (size_t i = 0; status == NCL_OK && i < net->event_count; i++)
        mark_seed(net, &net->events[i].note);
    return status;
}

static ncl_status search_on(struct ncl_tune_net *net, double budget, bool until_useful,
                            const struct ncl_search_note *resumed)
{
    struct ncl_tuning *t = net->tuning;
    const struct ncl_search_clock clock = {NULL, clock_seconds};
    struct run run = {net, NCL_OK};
    const struct ncl_search search = {
        .tasks = net->tasks,
        .task_count = net->count,
        .evaluator = &t->evaluator,
        .clock = &clock,
        .seed = t->options.seed,
        .budget = budget,
        .trials_per_task = t->options.effort == NCL_EFFORT_FULL ? NCL_TUNE_FULL_TRIALS : 0,
        .seeds_only = t->options.effort == NCL_EFFORT_QUICK,
        .resumed = resumed,
        .resumed_count = (int)net->event_count,
        .known = net->known,
        .known_count = (int)net->known_count,
        .started = began,
        .note = take_note,
        .enough = until_useful ? is_enough : NULL,
        .progress = report_progress,
        .user = &run,
    };
    const ncl_status status = ncl_search_run(t->log, &search, net->results);

    return run.status != NCL_OK ? run.status : status;
}

ncl_status ncl_tune_search(struct ncl_tune_net *net, double budget, bool until_useful)
{
    const double started = clock_seconds(NULL);
    struct ncl_search_note *notes = NULL;
    ncl_status status = begin(net);

    if (net->tuning->options.effort == NCL_EFFORT_FULL) {
        ncl_tune_count_points(net);
        net->planned_trials = ncl_tune_sample_size(net);
    }
    if (status == NCL_OK)
        notes = notes_so_far(net);
    if (status == NCL_OK && !notes)
        status = ncl_fail_memory(net->tuning->log, "a search");
    if (status == NCL_OK && !until_useful)
        ncl_tune_set_budget(net, budget);
    if (status == NCL_OK)
        status = search_on(net, until_useful ? ncl_tune_spent(net) + budget : net->search_budget,
                           until_useful, notes);
    free(notes);
    net->search_seconds += clock_seconds(NULL) - started;
    net->searched = status == NCL_OK || status == NCL_ERROR_CANCELLED;
    return status;
}

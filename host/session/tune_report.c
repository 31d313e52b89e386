/* The report of a tuning run, as JSON: what the command line shows and its page of HTML plots. */
#include "session/report.h"
#include "session/tune_parts.h"

#include "base/version.h"
#include "plan/lookup.h"
#include "tunedb/record_json.h"
#include "tunedb/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CANDIDATES 40
#define MAX_REJECTED 200
/* A trial with its compiling, for a dry run: ResNeXt-50's on two cores of a server by PoCL. */
#define TRIAL_SECONDS 0.35

/* Milliseconds; null where nothing was measured. */
static json_t *ms(double seconds)
{
    return seconds > 0 ? json_real(seconds * 1e3) : json_null();
}

static json_t *positive(double value)
{
    return value > 0 && isfinite(value) ? json_real(value) : json_null();
}

static json_t *point_json(const struct ncl_point *point, double seconds)
{
    struct ncl_text params = {0};
    json_t *object;

    if (!point->algo)
        return json_null();
    ncl_point_params(point, &params);
    object = json_pack("{s:s, s:s, s:o}", "algorithm", point->algo->name, "params",
                       params.data ? params.data : "", "ms", ms(seconds));
    ncl_text_free(&params);
    return object;
}

static double share_of_peak(const struct ncl_tuning *t, double macs, double seconds)
{
    return seconds > 0 && t->peak_gflops > 0 ? 2e-9 * macs / seconds / t->peak_gflops : 0;
}

/* ---- one problem ---- */

static json_t *convergence_json(const struct ncl_tune_net *net, int task)
{
    json_t *curve = json_array();
    double best = 0;

    for (size_t i = 0; curve && i < net->event_count; i++) {
        const struct ncl_search_note *n = &net->events[i].note;

        if (n->task != task || n->verdict != NCL_VERDICT_GOOD || (best > 0 && n->seconds >= best))
            continue;
        best = n->seconds;
        json_array_append_new(curve, json_pack("[f, f]", net->events[i].at, best * 1e3));
    }
    return curve;
}

static int compare_notes(const void *a, const void *b)
{
    const struct ncl_search_note *x = *(const struct ncl_search_note *const *)a;
    const struct ncl_search_note *y = *(const struct ncl_search_note *const *)b;

    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

static json_t *candidates_json(const struct ncl_tune_net *net, int task)
{
    const struct ncl_search_note **good = ncl_alloc(net->event_count + 1, sizeof *good);
    json_t *list = good ? json_array() : NULL;
    size_t count = 0;

    for (size_t i = 0; list && i < net->event_count; i++)
        if (net->events[i].note.task == task && net->events[i].note.verdict == NCL_VERDICT_GOOD)
            good[count++] = &net->events[i].note;
    if (list)
        qsort(good, count, sizeof *good, compare_notes);
    for (size_t i = 0; list && i < count && i < MAX_CANDIDATES; i++) {
        struct ncl_text params = {0};

        ncl_point_params(&good[i]->point, &params);
        json_array_append_new(list,
                              json_pack("[f, s, s]", good[i]->seconds * 1e3,
                                        good[i]->point.algo->name, params.data ? params.data : ""));
        ncl_text_free(&params);
    }
    free(good);
    return list;
}

static json_t *rejects_json(const int *tried)
{
    json_t *rejects = json_object();

    for (int i = 0; rejects && i < NCL_VERDICT_COUNT; i++)
        if (i != NCL_VERDICT_GOOD && tried[i])
            json_object_set_new(rejects, ncl_verdict_name((enum ncl_verdict)i),
                                json_integer(tried[i]));
    return rejects;
}

static json_t *names_json(const struct ncl_tune_layer *layer)
{
    json_t *names = json_array();

    for (int i = 0; names && i < layer->name_count; i++)
        json_array_append_new(names, json_string(layer->names[i]));
    return names;
}

static json_t *algorithms_json(const struct ncl_task *task)
{
    json_t *names = json_array();

    for (int i = 0; names && i < task->algo_count; i++)
        json_array_append_new(names, json_string(task->algos[i]->name));
    return names;
}

static double standard_seconds(const struct ncl_tune_net *net, int task)
{
    const struct ncl_tune_layer *layer = &net->layers[task];

    return layer->standard_seconds > 0 ? layer->standard_seconds
           : ncl_point_equal(&layer->standard, &net->tasks[task].start)
               ? net->results[task].start_seconds
               : 0;
}

/* Of one launch, as it runs from now on. */
static double best_seconds(const struct ncl_tune_net *net, int task)
{
    return net->results[task].best.algo ? net->results[task].best_seconds : 0;
}

static json_t *result_json(const struct ncl_tune_net *net, int task)
{
    const struct ncl_search_task *r = &net->results[task];
    const struct ncl_tune_layer *layer = &net->layers[task];
    const double macs = ncl_problem_macs(&net->tasks[task].problem);
    const double standard = standard_seconds(net, task);
    const double saved =
        layer->kept && standard > 0 ? (standard - r->best_seconds) * net->tasks[task].uses : 0;
    json_t *best = point_json(&r->best, r->best_seconds);
    int tried = 0;

    for (int i = 0; i < NCL_VERDICT_COUNT; i++)
        tried += r->tried[i];
    if (r->best.algo)
        json_object_set_new(best, "spread_ms", json_real(r->spread * 1e3));
    return json_pack(
        "{s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:b, s:b, s:s, s:i, s:o, s:b, s:o, s:o, s:o}",
        "default", point_json(&layer->standard, standard), "start",
        point_json(&net->tasks[task].start, r->start_seconds), "best", best, "saved_ms",
        saved * 1e3, "share_of_peak",
        positive(share_of_peak(net->tuning, macs, best_seconds(net, task))),
        "default_share_of_peak", positive(share_of_peak(net->tuning, macs, standard)),
        "network_default_ms", ms(layer->inside[0]), "network_tuned_ms", ms(layer->inside[1]),
        "decided", r->decided, "chosen", layer->kept, "dropped", layer->dropped, "tried", tried,
        "rejects", rejects_json(r->tried), "exhausted", r->exhausted, "runner_up",
        point_json(&r->runner_up, r->runner_up_seconds), "convergence", convergence_json(net, task),
        "candidates", candidates_json(net, task));
}

static json_t *layer_json(const struct ncl_tune_net *net, int task)
{
    const struct ncl_task *work = &net->tasks[task];
    const struct ncl_tune_layer *layer = &net->layers[task];
    json_t *object =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:i, s:f, s:o, s:o}", "name", work->name, "names",
                  names_json(layer), "op", layer->op, "kind", layer->kind, "problem",
                  layer->problem, "uses", work->uses, "macs", ncl_problem_macs(&work->problem),
                  "points", layer->points < 0 ? json_null() : json_real(layer->points),
                  "algorithms", algorithms_json(work));

    if (object)
        json_object_update_new(object, result_json(net, task));
    return object;
}

/* Milliseconds at stake: what the standard point takes in all its uses; unmeasured, its work. */
static double at_stake(const struct ncl_tune_net *net, int task)
{
    const double seconds = standard_seconds(net, task);

    return net->tasks[task].uses *
           (seconds > 0 ? seconds : 1e-15 * ncl_problem_macs(&net->tasks[task].problem));
}

static json_t *layers_json(const struct ncl_tune_net *net)
{
    bool *listed = ncl_alloc((size_t)net->count + 1, sizeof *listed);
    json_t *layers = listed ? json_array() : NULL;

    for (int n = 0; layers && n < net->count; n++) {
        int next = -1;

        for (int i = 0; i < net->count; i++)
            if (!listed[i] && (next < 0 || at_stake(net, i) > at_stake(net, next)))
                next = i;
        listed[next] = true;
        json_array_append_new(layers, layer_json(net, next));
    }
    free(listed);
    return layers;
}

/* ---- the network ---- */

static json_t *rejected_json(const struct ncl_tune_net *net)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < net->event_count; i++) {
        const struct ncl_search_note *n = &net->events[i].note;
        json_t *point;

        if (n->verdict == NCL_VERDICT_GOOD || json_array_size(list) >= MAX_REJECTED)
            continue;
        point = point_json(&n->point, 0);
        json_object_update_new(point,
                               json_pack("{s:s, s:s, s:o, s:f}", "layer", net->tasks[n->task].name,
                                         "verdict", ncl_verdict_name(n->verdict), "why",
                                         ncl_json_text(n->why), "seconds", n->cost));
        json_array_append_new(list, point);
    }
    return list;
}

/* Sum of the best launches known at each moment, once every problem has one. */
static json_t *network_curve(const struct ncl_tune_net *net)
{
    double *best = ncl_alloc((size_t)net->count + 1, sizeof *best);
    json_t *curve = best ? json_array() : NULL;
    int known = 0;

    for (size_t i = 0; curve && i < net->event_count; i++) {
        const struct ncl_search_note *n = &net->events[i].note;
        double sum = 0;

        if (n->verdict != NCL_VERDICT_GOOD || (best[n->task] > 0 && n->seconds >= best[n->task]))
            continue;
        known += best[n->task] == 0;
        best[n->task] = n->seconds;
        for (int k = 0; k < net->count; k++)
            sum += best[k] * net->tasks[k].uses;
        if (known == net->count)
            json_array_append_new(curve, json_pack("[f, f]", net->events[i].at, sum * 1e3));
    }
    free(best);
    return curve;
}

static json_t *session_json(const struct ncl_tuning *t)
{
    json_t *blocks = json_array(), *storage = json_array();
    json_t *chosen = json_null();

    for (int i = 0; i < t->choice_count; i++) {
        const struct ncl_tune_choice *c = &t->choices[i];
        const double seconds = c->tuned ? c->tuned_seconds : c->standard_seconds;
        char text[16];

        if (c->precision != t->session.precision) {
            json_array_append_new(storage, json_pack("{s:s, s:o}", "precision",
                                                     ncl_precision_name(c->precision), "ms",
                                                     ms(c->standard_seconds)));
            continue;
        }
        snprintf(text, sizeof text, "CB=%d", c->channel_block);
        if (c->chosen)
            chosen = json_string(text);
        json_array_append_new(blocks, json_pack("{s:i, s:o, s:o, s:b, s:o}", "cb", c->channel_block,
                                                "default_ms", ms(c->standard_seconds), "tuned_ms",
                                                ms(c->tuned ? seconds : 0), "tuned", c->tuned,
                                                "why", ncl_json_text(c->why)));
    }
    if (json_array_size(storage))
        json_array_append_new(storage, json_pack("{s:s, s:o}", "precision",
                                                 ncl_precision_name(t->session.precision), "ms",
                                                 ms(t->choices[0].standard_seconds)));
    return json_pack("{s:o, s:o, s:o}", "channel_block", blocks, "storage", storage, "chosen",
                     chosen);
}

static json_t *head_json(const struct ncl_tuning *t, const struct ncl_tune_net *net)
{
    static const char *const efforts[] = {"normal", "quick", "full"};
    const struct ncl_caps *caps = &t->device.caps;
    const ncl_tune_options *o = &t->options;
    char klass[64];

    ncl_caps_class(caps, klass);
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:s, s:i, s:s, s:s, s:s, s:I, s:i, s:s, s:I, s:o, s:f, s:b, "
        "s:b, s:b, s:b, s:b}",
        "model", "", "device", ncl_json_text(caps->name), "platform", ncl_json_text(caps->platform),
        "vendor", ncl_json_text(caps->vendor), "driver", ncl_json_text(caps->driver), "class",
        klass, "compute_units", (int)caps->compute_units, "library", NCL_VERSION_TEXT, "math",
        t->session.math == NCL_MATH_FAST ? "fast" : "reproducible", "precision",
        ncl_precision_name(net->precision), "batch",
        (json_int_t)(t->input_count && t->inputs[0].rank ? t->inputs[0].dims[0] : 1),
        "channel_block", net->channel_block, "effort", efforts[o->effort], "seed",
        (json_int_t)o->seed, "budget", positive(o->budget_seconds), "elapsed", ncl_tune_elapsed(t),
        "resumed", net->resumed_count > 0, "from_worst", o->from_worst != 0, "dry_run",
        o->dry_run != 0, "cancelled", t->cancelled, "worker",
        o->worker != NULL && t->config->device_index != NULL);
}

struct sums {
    double standard, start, tuned;
    int trials, tried[NCL_VERDICT_COUNT];
};

/* Of what the search began with; one that it did not come to has been timed before, if at all. */
static double start_seconds(const struct ncl_tune_net *net, int task)
{
    const double searched = net->results[task].start_seconds;
    const double drawn = net->layers[task].start_seconds;

    if (searched > 0)
        return searched;
    return drawn > 0 ? drawn : standard_seconds(net, task);
}

static void sum_up(const struct ncl_tune_net *net, struct sums *sums)
{
    *sums = (struct sums){0};
    for (int i = 0; i < net->count; i++) {
        const struct ncl_search_task *r = &net->results[i];
        const double standard = standard_seconds(net, i);
        const int uses = net->tasks[i].uses;

        sums->standard += uses * standard;
        sums->start += uses * start_seconds(net, i);
        sums->tuned += uses * (ncl_tune_wins(net, i) ? r->best_seconds : standard);
        for (int k = 0; k < NCL_VERDICT_COUNT; k++) {
            sums->tried[k] += r->tried[k];
            sums->trials += r->tried[k];
        }
    }
}

static json_t *figures_json(const struct ncl_tuning *t, const struct ncl_tune_net *net)
{
    const struct ncl_tune_pair *pair = &net->pair;
    const bool finished = pair->median[1] > 0;
    struct sums s;

    sum_up(net, &s);
    return json_pack(
        "{s:f, s:f, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:f, "
        "s:o, s:o, s:s, s:o, s:o}",
        "search_seconds", net->search_seconds, "resumed_seconds", net->resumed_seconds,
        "worker_restarts", t->restarts, "trials", s.trials, "rejected",
        s.trials - s.tried[NCL_VERDICT_GOOD], "rejects", rejects_json(s.tried), "default_ms",
        ms(pair->median[0]), "tuned_ms", ms(pair->median[1]), "saved_ms",
        finished ? json_real(pair->gain * 1e3) : json_null(), "default_spread_ms",
        ms(pair->spread[0]), "tuned_spread_ms", ms(pair->spread[1]), "rounds", pair->rounds,
        "start_ms", ms(net->start_seconds), "sum_default_ms", ms(s.standard), "sum_start_ms",
        ms(s.start), "sum_tuned_ms", ms(s.tuned), "sum_saved_ms", (s.standard - s.tuned) * 1e3,
        "noise", positive(pair->median[0] > 0 ? pair->spread[0] / pair->median[0] : 0), "verified",
        finished && !net->unchecked ? json_boolean(net->verified) : json_null(), "verdict",
        net->verdict, "peak_gflops", positive(t->peak_gflops), "first_useful_seconds",
        positive(net->useful_seconds));
}

static void add_plan(const struct ncl_tuning *t, const struct ncl_tune_net *net, json_t *root)
{
    const ncl_tune_options *o = &t->options;
    double trials = ncl_tune_sample_size(net);

    if (o->budget_seconds > 0 && o->budget_seconds / TRIAL_SECONDS < trials)
        trials = o->budget_seconds / TRIAL_SECONDS;
    json_object_update_new(
        root, json_pack("{s:f, s:I, s:i}", "estimated_seconds",
                        o->budget_seconds > 0 ? o->budget_seconds : trials * TRIAL_SECONDS,
                        "estimated_trials", (json_int_t)trials, "problems", net->count));
}

ncl_status ncl_tune_report(struct ncl_tuning *tuning, struct ncl_tune_net *net, char **json)
{
    const bool kept = tuning->store && ncl_store_is_active(tuning->store);
    const char *path = kept ? ncl_store_path(tuning->store) : NULL;
    const char *reason = kept ? NULL : ncl_store_reason(tuning->store);
    json_t *root = head_json(tuning, net);

    if (!root)
        return ncl_fail_memory(tuning->log, "a report");
    json_object_update_new(root, figures_json(tuning, net));
    json_object_set_new(root, "store", path ? ncl_json_text(path) : json_null());
    json_object_set_new(root, "store_problem", reason ? ncl_json_text(reason) : json_null());
    json_object_set_new(root, "unkept", json_integer(net->unkept + tuning->unkept));
    json_object_set_new(root, "layers", layers_json(net));
    json_object_set_new(root, "convergence", network_curve(net));
    json_object_set_new(root, "rejected_points", rejected_json(net));
    json_object_set_new(root, "session", session_json(tuning));
    if (tuning->options.dry_run)
        add_plan(tuning, net, root);
    return ncl_report_dump(tuning->log, root, json);
}

/* Tuning a small network in this process, and the inside of a run that is under way. */
#ifndef NCL_TESTS_TUNED_H
#define NCL_TESTS_TUNED_H

#include "session/tune_parts.h"

#include "support/fixture.h"
#include "support/json.h"
#include "support/place.h"
#include "tunedb/records.h"

struct net {
    struct fixture f;
    struct ncl_store *store;
    struct ncl_dims dims;
};

static inline void open_net(struct net *n)
{
    fixture_open(&n->f, FIXTURE_RESNEXT, false);
    n->dims = fixture_dims(&n->f);
    MUST(ncl_store_open(&n->f.log, place, &n->store));
    ck_assert(ncl_store_is_active(n->store));
}

static inline void close_net(struct net *n)
{
    ncl_store_close(n->store);
    fixture_close(&n->f);
}

/* The report of one run; status: that it must end with. Decref it. */
static inline json_t *tune(struct net *n, ncl_tune_options options, ncl_status status)
{
    struct ncl_tune_config config = {.session = fixture_config(&n->f), .options = &options};
    char *text = NULL;
    json_t *report;

    options.struct_size = sizeof options;
    config.session.store = n->store;
    ck_assert_msg(ncl_tune_network(&config, n->f.model->graph, &n->dims, 1, &text) == status, "%s",
                  ncl_error_text());
    report = json_loads(text, 0, NULL);
    free(text);
    ck_assert_ptr_nonnull(report);
    return report;
}

static inline void find_all(struct net *n, struct ncl_record_list *list)
{
    const struct ncl_record_filter all = {.platform = NULL};

    MUST(ncl_records_find(n->store, &all, list));
}

static inline int count_good(struct net *n)
{
    struct ncl_record_list list = {0};
    int good = 0;

    find_all(n, &list);
    for (size_t i = 0; i < list.count; i++)
        good += list.records[i].verdict == NCL_VERDICT_GOOD;
    ncl_record_list_free(&list);
    return good;
}

/* ---- a run that is under way ---- */

struct early {
    struct net n;
    struct ncl_tune_config config;
    struct ncl_tuning t;
    struct ncl_tune_net net;
    int task;
    struct ncl_point points[2]; /* neither is the task's standard */
};

/* A problem that three algorithms compute, of a run that has begun. */
static inline void open_early(struct early *e)
{
    const struct ncl_task *task;
    int found = 0;

    open_net(&e->n);
    e->config = (struct ncl_tune_config){.session = fixture_config(&e->n.f)};
    e->t = (struct ncl_tuning){.config = &e->config,
                               .session = e->config.session,
                               .model = e->n.f.model->graph,
                               .inputs = &e->n.dims,
                               .input_count = 1,
                               .device = e->n.f.device,
                               .store = e->n.store};
    MUST(ncl_tune_net_open(&e->t, e->config.session.channel_block, NCL_FP32, &e->net));
    e->task = -1;
    for (int i = 0; e->task < 0 && i < e->net.count; i++)
        if (e->net.tasks[i].algo_count >= 3)
            e->task = i;
    ck_assert_int_ge(e->task, 0);
    task = &e->net.tasks[e->task];
    for (int i = 0; found < 2 && i < task->algo_count; i++) {
        struct ncl_point *point = &e->points[found];

        *point = (struct ncl_point){.algo = task->algos[i]};
        point->algo->defaults(point->v, &task->problem, task->caps);
        found += point->algo != task->start.algo &&
                 ncl_algo_legal(point->algo, point->v, &task->problem, task->caps);
    }
    ck_assert_int_eq(found, 2);
    for (int i = 0; i < e->net.count; i++)
        e->net.results[i].best = e->net.tasks[i].start;
    MUST(ncl_tune_begin(&e->net));
}

static inline void close_early(struct early *e)
{
    ncl_tune_net_close(&e->net);
    close_net(&e->n);
}

/* As the search would note it. */
static inline void note(struct early *e, const struct ncl_point *point, double seconds)
{
    const struct ncl_search_note n = {.task = e->task,
                                      .point = *point,
                                      .verdict = NCL_VERDICT_GOOD,
                                      .seconds = seconds,
                                      .spread = seconds * 1e-3,
                                      .start_seconds = 1e-3,
                                      .samples = 15,
                                      .why = ""};

    MUST(ncl_tune_remember(&e->net, &n));
    ncl_tune_choose_early(&e->net, &n);
}

static inline void check_chosen(struct early *e, const struct ncl_point *point)
{
    const struct ncl_record_filter chosen = {.problem = e->net.layers[e->task].problem,
                                             .chosen_only = true};
    struct ncl_record_list list = {0};
    struct ncl_point found;

    MUST(ncl_records_find(e->n.store, &chosen, &list));
    ck_assert_uint_eq(list.count, point ? 1 : 0);
    if (point) {
        ck_assert(ncl_point_parse(list.records[0].algorithm, list.records[0].params, &found));
        ck_assert(ncl_point_equal(&found, point));
    }
    ncl_record_list_free(&list);
}

#endif

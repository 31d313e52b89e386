/* Tuning a small network in this process: what is measured, kept, resumed and reported. */
#include "session/tune_parts.h"

#include "plan/lookup.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/json.h"
#include "support/place.h"
#include "support/suite.h"
#include "tunedb/records.h"

struct net {
    struct fixture f;
    struct ncl_store *store;
    struct ncl_dims dims;
};

static void open_net(struct net *n)
{
    fixture_open(&n->f, FIXTURE_RESNEXT, false);
    n->dims = fixture_dims(&n->f);
    MUST(ncl_store_open(&n->f.log, place, &n->store));
    ck_assert(ncl_store_is_active(n->store));
}

static void close_net(struct net *n)
{
    ncl_store_close(n->store);
    fixture_close(&n->f);
}

/* The report of one run; status: that it must end with. Decref it. */
static json_t *tune(struct net *n, ncl_tune_options options, ncl_status status)
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

static void find_all(struct net *n, struct ncl_record_list *list)
{
    const struct ncl_record_filter all = {.platform = NULL};

    MUST(ncl_records_find(n->store, &all, list));
}

START_TEST(dry_run_measures_nothing)
{
    struct ncl_record_list list = {0};
    struct net n;
    json_t *report, *layer;
    size_t i;

    open_net(&n);
    report = tune(&n, (ncl_tune_options){.dry_run = 1}, NCL_OK);
    ck_assert(flag_of(report, "dry_run"));
    ck_assert(json_is_null(json_object_get(report, "default_ms")));
    ck_assert_int_eq((int)number_of(report, "trials"), 0);
    ck_assert(number_of(report, "problems") >= 10);
    ck_assert(number_of(report, "estimated_seconds") == 60);
    json_array_foreach(json_object_get(report, "layers"), i, layer)
    {
        ck_assert(number_of(layer, "points") >= 2);
        ck_assert(number_of(layer, "uses") >= 1);
        ck_assert(json_array_size(json_object_get(layer, "algorithms")) >= 1);
        ck_assert_str_ne(text_of(json_object_get(layer, "default"), "algorithm"), "");
        ck_assert(json_is_null(json_object_get(layer, "best")));
    }
    ck_assert_uint_eq(i, (size_t)number_of(report, "problems"));
    find_all(&n, &list);
    ck_assert_uint_eq(list.count, 0);
    ncl_record_list_free(&list);
    json_decref(report);
    close_net(&n);
}
END_TEST

/* A problem that was measured has exactly one chosen record, verified here. */
static void check_records(struct net *n, const json_t *report)
{
    struct ncl_record_list list = {0};
    json_t *layer;
    size_t i;

    find_all(n, &list);
    json_array_foreach(json_object_get(report, "layers"), i, layer)
    {
        const char *problem = text_of(layer, "problem");
        int chosen = 0, good = 0;

        for (size_t k = 0; k < list.count; k++) {
            if (strcmp(list.records[k].problem, problem) != 0)
                continue;
            chosen += list.records[k].chosen;
            good += list.records[k].verdict == NCL_VERDICT_GOOD;
            ck_assert_int_ne(list.records[k].verdict, NCL_VERDICT_STARTED);
            ck_assert(!list.records[k].chosen || list.records[k].verified);
        }
        ck_assert_int_eq(chosen, good > 0);
    }
    ncl_record_list_free(&list);
}

/* What a session computes with the store's records. */
static void run_with(struct net *n, struct ncl_store *store, ncl_tensor *output, int *tuned)
{
    struct ncl_session_config config = fixture_config(&n->f);
    struct ncl_session *session = NULL;
    ncl_tensor input;

    config.store = store;
    MUST(ncl_session_make(&config, n->f.model->graph, &n->dims, 1, &session));
    input = fixture_input(session, 5);
    *output = fixture_output(session);
    MUST(fixture_run(session, &input, output));
    *tuned = 0;
    for (int i = 0; i < session->schedule->step_count; i++)
        *tuned += strcmp(session->layers[i].choice.source, "tuned") == 0;
    free(input.data);
    ncl_session_destroy(session);
}

START_TEST(winners_are_kept_and_change_no_bits)
{
    ncl_tensor before, after;
    struct net n;
    json_t *report;
    int tuned;

    open_net(&n);
    run_with(&n, NULL, &before, &tuned);
    ck_assert_int_eq(tuned, 0);
    report = tune(&n, (ncl_tune_options){.budget_seconds = 12}, NCL_OK);
    ck_assert(flag_of(report, "verified"));
    ck_assert(!flag_of(report, "resumed") && !flag_of(report, "cancelled"));
    ck_assert(number_of(report, "default_ms") > 0 && number_of(report, "tuned_ms") > 0);
    ck_assert(number_of(report, "trials") >= 3);
    check_records(&n, report);
    run_with(&n, n.store, &after, &tuned);
    ck_assert_int_gt(tuned, 0);
    ck_assert_mem_eq(before.data, after.data, before.bytes);
    free(before.data);
    free(after.data);
    json_decref(report);
    close_net(&n);
}
END_TEST

static int calls_left;

static int stop_later(void *user, const ncl_tune_progress *progress)
{
    (void)user;
    ck_assert(progress->elapsed >= 0);
    ck_assert_uint_le(progress->rejected, progress->trials);
    return progress->trials > 0 && --calls_left <= 0;
}

static int count_good(struct net *n)
{
    struct ncl_record_list list = {0};
    int good = 0;

    find_all(n, &list);
    for (size_t i = 0; i < list.count; i++)
        good += list.records[i].verdict == NCL_VERDICT_GOOD;
    ncl_record_list_free(&list);
    return good;
}

START_TEST(cancelled_runs_keep_all_and_go_on)
{
    struct net n;
    ncl_tune_options options = {.budget_seconds = 12, .progress = stop_later};
    json_t *report;
    int good;

    open_net(&n);
    calls_left = 40;
    report = tune(&n, options, NCL_ERROR_CANCELLED);
    ck_assert(flag_of(report, "cancelled"));
    good = count_good(&n);
    ck_assert_int_ge(good, 2);
    json_decref(report);
    options.progress = NULL;
    options.resume = 1;
    report = tune(&n, options, NCL_OK);
    ck_assert(flag_of(report, "resumed"));
    ck_assert(number_of(report, "resumed_seconds") > 0);
    ck_assert_int_ge(count_good(&n), good);
    check_records(&n, report);
    json_decref(report);
    report = tune(&n, (ncl_tune_options){.dry_run = 1, .resume = 1}, NCL_OK);
    ck_assert(!flag_of(report, "resumed")); /* it was completed */
    json_decref(report);
    close_net(&n);
}
END_TEST

START_TEST(cancelled_at_once_it_reports_all_the_same)
{
    struct net n;
    ncl_tune_options options = {.progress = stop_later};
    json_t *report;

    open_net(&n);
    calls_left = 1;
    report = tune(&n, options, NCL_ERROR_CANCELLED);
    ck_assert(flag_of(report, "cancelled"));
    ck_assert_uint_ge(json_array_size(json_object_get(report, "layers")), 10);
    json_decref(report);
    close_net(&n);
}
END_TEST

/* Images so large that launches take longer than launching them. */
START_TEST(bad_starts_are_bad)
{
    struct net n;
    json_t *report;

    open_net(&n);
    n.dims.dims[2] = n.dims.dims[3] = 192;
    report = tune(&n, (ncl_tune_options){.budget_seconds = 20, .from_worst = 1}, NCL_OK);
    ck_assert(flag_of(report, "from_worst"));
    ck_assert_msg(number_of(report, "sum_start_ms") >= 3 * number_of(report, "sum_default_ms"),
                  "starts of %g ms, defaults of %g", number_of(report, "sum_start_ms"),
                  number_of(report, "sum_default_ms"));
    ck_assert(flag_of(report, "verified"));
    json_decref(report);
    close_net(&n);
}
END_TEST

static size_t worth_sharing(struct ncl_tuning *t, int chosen)
{
    struct ncl_tune_net net = {.tuning = t, .key = "net 0123"};
    const struct ncl_record_filter filter = {.problem = net.key, .algorithm = "session"};
    struct ncl_record_list all = {0}, minimal = {0};
    size_t count;

    for (int i = 0; i < t->choice_count; i++) {
        t->choices[i].chosen = i == chosen;
        ncl_tune_record_session(&net, &t->choices[i]);
    }
    MUST(ncl_records_find(t->store, &filter, &all));
    ck_assert_uint_eq(all.count, (size_t)t->choice_count);
    MUST(ncl_jsonl_minimal(NULL, &all, &minimal));
    count = minimal.count;
    ncl_record_list_free(&all);
    ncl_record_list_free(&minimal);
    return count;
}

/* A tuned network is faster than an untuned one whatever its block: that alone is no reason to tell
 * others of the block that their device has anyway. */
START_TEST(a_block_is_shared_if_it_beats_the_usual_one)
{
    struct net n;
    struct ncl_tuning t;

    open_net(&n);
    t = (struct ncl_tuning){
        .store = n.store,
        .device = n.f.device,
        .choices = {{.channel_block = 8,
                     .standard_seconds = 4e-3,
                     .tuned = true,
                     .tuned_seconds = 3e-3,
                     .verified = true},
                    {.channel_block = 16,
                     .standard_seconds = 3.5e-3,
                     .tuned = true,
                     .tuned_seconds = 2e-3,
                     .verified = true}},
        .choice_count = 2,
    };
    ck_assert_uint_eq(worth_sharing(&t, 0), 0);
    ck_assert_uint_eq(worth_sharing(&t, 1), 1);
    close_net(&n);
}
END_TEST

/* ---- what sessions get while a run is under way ---- */

struct early {
    struct net n;
    struct ncl_tune_config config;
    struct ncl_tuning t;
    struct ncl_tune_net net;
    int task;
    struct ncl_point points[2]; /* neither is the task's standard */
};

/* A problem that three algorithms compute, of a run that has begun. */
static void open_early(struct early *e)
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

static void close_early(struct early *e)
{
    ncl_tune_net_close(&e->net);
    close_net(&e->n);
}

/* As the search would note it. */
static void note(struct early *e, const struct ncl_point *point, double seconds)
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

static void check_chosen(struct early *e, const struct ncl_point *point)
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

/* A run that is killed leaves the best that it had found, if that was beyond doubt. */
START_TEST(the_best_so_far_is_chosen_at_once)
{
    struct early e;

    open_early(&e);
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    check_chosen(&e, NULL);
    note(&e, &e.points[0], 0.95e-3); /* one of many may be as lucky */
    check_chosen(&e, NULL);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[1]);
    note(&e, &e.points[0], 0.85e-3);
    check_chosen(&e, &e.points[1]);
    close_early(&e);
}
END_TEST

START_TEST(a_seed_needs_less_to_be_chosen)
{
    struct early e;

    open_early(&e);
    e.net.tasks[e.task].seeds = e.points;
    e.net.tasks[e.task].seed_count = 1;
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[0], 0.95e-3);
    check_chosen(&e, &e.points[0]);
    close_early(&e);
}
END_TEST

/* What an earlier run chose stays until a run comes to its end, or has measured it and found
 * better. */
START_TEST(earlier_choices_outlive_a_run_that_ends_early)
{
    struct early e;

    open_early(&e);
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[0], 0.5e-3);
    check_chosen(&e, &e.points[0]);
    e.net.event_count = 0; /* another run */
    e.net.searched = true;
    note(&e, &e.net.tasks[e.task].start, 1e-3);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[0]);
    ncl_tune_choose(&e.net, false);
    check_chosen(&e, &e.points[0]);
    note(&e, &e.points[0], 0.9e-3);
    note(&e, &e.points[1], 0.8e-3);
    check_chosen(&e, &e.points[1]);
    ncl_tune_choose(&e.net, true); /* whose finals found nothing */
    check_chosen(&e, &e.net.layers[e.task].standard);
    close_early(&e);
}
END_TEST

/* Where nobody has found anything, the standard points are the best that is known; else the most
 * promising ones must have been measured where most of the time lies. */
START_TEST(useful_when_the_best_that_is_known_was_measured)
{
    struct early e;

    open_early(&e);
    ck_assert(ncl_tune_is_useful(&e.net)); /* by work */
    e.net.measured_at = 3;
    e.net.layers[e.task].inside[0] = 1e-3;
    ncl_tune_note_useful(&e.net);
    ck_assert_double_eq(e.net.useful_seconds, 3);
    e.net.tasks[e.task].seeds = e.points;
    e.net.tasks[e.task].seed_count = 1;
    ck_assert(!ncl_tune_is_useful(&e.net));
    e.net.layers[e.task].seed_at = 2;
    ncl_tune_note_useful(&e.net);
    ck_assert_double_eq(e.net.useful_seconds, 2);
    close_early(&e);
}
END_TEST

/* ---- winners in turn with the defaults ---- */

static int count_pointwise(const struct ncl_session *session)
{
    int count = 0;

    for (int i = 0; i < session->schedule->step_count; i++)
        count += strcmp(session->layers[i].choice.point.algo->name, "pointwise") == 0;
    return count;
}

static long launches; /* of 1x1 convolutions so far, as the layer counts them */

/* Does timing two standard sessions in turn find outputs that differ if, in the second run, the
 * launch of the n-th 1x1 convolution is lost? -1: none is. */
static bool finds_a_lost_launch(struct early *e, int n)
{
    struct ncl_session *sessions[2];
    struct ncl_tune_pair pair;
    int each;

    for (int i = 0; i < 2; i++)
        MUST(ncl_tune_make_session(&e->net, NCL_TUNE_STANDARD, &sessions[i]));
    each = count_pointwise(sessions[0]);
    ck_assert_int_gt(each, n);
    setenv("NCL_LAYER_KERNEL", "pointwise", 1);
    fault_set("NCL_LAYER_SKIP", n < 0 ? -1 : launches + each + n + 1);
    MUST(ncl_tune_time_pair(&e->net, sessions, 0, 3, &pair));
    unsetenv("NCL_LAYER_SKIP");
    unsetenv("NCL_LAYER_KERNEL");
    launches += 2L * (1 + pair.rounds) * 3 * each; /* a turn has three runs, the first warms up */
    for (int i = 0; i < 2; i++)
        ncl_session_destroy(sessions[i]);
    return pair.differs;
}

/* A kernel that is right at first and wrong later on. Where a tensor lies in the same memory in
 * each run and nothing else does, a lost launch cannot be seen: of the first four one must be. */
START_TEST(each_run_in_turn_must_repeat_the_first)
{
    struct early e;
    int found = 0;

    open_early(&e);
    ck_assert(!finds_a_lost_launch(&e, -1));
    for (int n = 0; n < 4; n++)
        found += finds_a_lost_launch(&e, n);
    ck_assert_int_gt(found, 0);
    ck_assert(!finds_a_lost_launch(&e, -1));
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune");

    if (!fault_layer_load())
        return 1;
    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, dry_run_measures_nothing);
    tcase_add_test(tests, winners_are_kept_and_change_no_bits);
    tcase_add_test(tests, cancelled_runs_keep_all_and_go_on);
    tcase_add_test(tests, cancelled_at_once_it_reports_all_the_same);
    tcase_add_test(tests, bad_starts_are_bad);
    tcase_add_test(tests, the_best_so_far_is_chosen_at_once);
    tcase_add_test(tests, a_seed_needs_less_to_be_chosen);
    tcase_add_test(tests, earlier_choices_outlive_a_run_that_ends_early);
    tcase_add_test(tests, useful_when_the_best_that_is_known_was_measured);
    tcase_add_test(tests, a_block_is_shared_if_it_beats_the_usual_one);
    tcase_add_test(tests, each_run_in_turn_must_repeat_the_first);
    return ncl_run_suite(tests, "session/tune");
}

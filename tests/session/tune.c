/* Tuning a small network in this process: what is measured, kept, resumed and reported. */
#include "session/tuned.h"

#include "plan/lookup.h"
#include "support/suite.h"

#include <math.h>

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
    ck_assert(number_of(report, "first_useful_seconds") > 0 &&
              number_of(report, "first_useful_seconds") < number_of(report, "elapsed"));
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
    ck_assert(progress->seconds_left == fmax(progress->budget - progress->elapsed, 0));
    ck_assert_uint_le(progress->rejected, progress->trials);
    return progress->trials > 0 && --calls_left <= 0;
}

static int count_started(struct net *n)
{
    struct ncl_record_list list = {0};
    int started = 0;

    find_all(n, &list);
    for (size_t i = 0; i < list.count; i++)
        started += list.records[i].verdict == NCL_VERDICT_STARTED;
    ncl_record_list_free(&list);
    return started;
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
    ck_assert_int_eq(count_started(&n), 0); /* it ended by itself: nothing killed it */
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

static double seconds_left;

static int stop_when_known(void *user, const ncl_tune_progress *progress)
{
    (void)user;
    seconds_left = progress->seconds_left;
    ck_assert(progress->trials > 0 || seconds_left == 0);
    return seconds_left > 0;
}

/* Of some three thousand points, each of which takes a millisecond and more. */
START_TEST(a_fixed_sample_says_how_long_it_takes)
{
    struct net n;
    json_t *report;

    open_net(&n);
    seconds_left = 0;
    report = tune(&n, (ncl_tune_options){.effort = NCL_EFFORT_FULL, .progress = stop_when_known},
                  NCL_ERROR_CANCELLED);
    ck_assert(seconds_left > 1);
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

/* Looking at what nobody changed takes time that is not there. */
START_TEST(a_budget_that_is_used_up_ends_a_run)
{
    struct net n;
    json_t *report;

    open_net(&n);
    n.dims.dims[2] = n.dims.dims[3] = 192; /* the oracle takes longer than that */
    report = tune(&n, (ncl_tune_options){.budget_seconds = 1e-3}, NCL_OK);
    ck_assert_int_le((int)number_of(report, "trials"), 4); /* one batch */
    ck_assert(json_is_null(json_object_get(report, "verified")));
    ck_assert(number_of(report, "default_ms") > 0);
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

int main(void)
{
    TCase *tests = tcase_create("tune");

    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, dry_run_measures_nothing);
    tcase_add_test(tests, winners_are_kept_and_change_no_bits);
    tcase_add_test(tests, cancelled_runs_keep_all_and_go_on);
    tcase_add_test(tests, a_fixed_sample_says_how_long_it_takes);
    tcase_add_test(tests, cancelled_at_once_it_reports_all_the_same);
    tcase_add_test(tests, a_budget_that_is_used_up_ends_a_run);
    tcase_add_test(tests, bad_starts_are_bad);
    tcase_add_test(tests, a_block_is_shared_if_it_beats_the_usual_one);
    return ncl_run_suite(tests, "session/tune");
}

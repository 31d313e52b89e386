#include "session/advised.h"
#include "support/json.h"
#include "support/suite.h"

#include <math.h>

static struct advised a;
static json_t *root;

static void open_all(void)
{
    advised_open(&a);
}

static void close_all(void)
{
    json_decref(root);
    root = NULL;
    advised_close(&a);
}

/* What the session explains of the layer. */
static const json_t *explained(const struct ncl_session *session)
{
    char *json = NULL;

    MUST(ncl_session_explain(session, &json));
    json_decref(root);
    root = json_loads(json, 0, NULL);
    free(json);
    ck_assert_ptr_nonnull(root);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "layers")), (size_t)a.steps);
    return json_array_get(json_object_get(root, "layers"), (size_t)a.at);
}

static bool is_null(const json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key));
}

START_TEST(defaults_of_which_nothing_is_known)
{
    struct ncl_session *session = advised_session(&a);
    const json_t *layer = explained(session);

    ck_assert_str_eq(text_of(root, "device"), a.f.device.caps.name);
    ck_assert_str_eq(text_of(root, "math"), "reproducible");
    ck_assert(number_of(root, "channel_block") == 8);
    ck_assert_str_eq(text_of(layer, "name"), session->schedule->steps[a.at].name);
    ck_assert_str_eq(text_of(layer, "algorithm"), a.standard.algo->name);
    ck_assert_str_eq(text_of(layer, "params"), session->layers[a.at].params);
    ck_assert_str_eq(text_of(layer, "source"), "default");
    ck_assert(is_null(layer, "match") && is_null(layer, "ms") && is_null(layer, "record_ms"));
    ck_assert(is_null(layer, "runner_up") && is_null(layer, "origin") && is_null(layer, "utc"));
    ck_assert_ptr_nonnull(strstr(text_of(layer, "why"), "nothing is known"));
    ck_assert_uint_eq(json_array_size(json_object_get(layer, "tombstones")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(layer, "fallbacks")), 0);
    ck_assert_uint_eq(json_object_size(json_object_get(layer, "tried")), 0);
    advised_run(&a, session);
    ck_assert(number_of(explained(session), "ms") > 0); /* profiled */
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_winner_among_others)
{
    const struct ncl_caps *caps = &a.f.device.caps;
    const struct ncl_point winner = another_point(), second = point_of("direct", "WG=16"),
                           third = point_of("direct", "WG=32"), dead = point_of("direct", "WG=1");
    struct ncl_session *session;
    const json_t *layer, *list;

    tell(a.store, &a.problem, caps, &winner,
         &(struct told){.seconds = 1e-3, .default_seconds = 4e-3});
    tell(a.store, &a.problem, caps, &third, &(struct told){.seconds = 3e-3, .loser = true});
    tell(a.store, &a.problem, caps, &second, &(struct told){.seconds = 2e-3, .loser = true});
    tell(a.store, &a.problem, caps, &dead,
         &(struct told){.verdict = NCL_VERDICT_CRASHED, .why = "signal 11"});
    session = advised_session(&a);
    layer = explained(session);
    ck_assert_str_eq(text_of(layer, "source"), "tuned");
    ck_assert_str_eq(text_of(layer, "match"), "exact");
    ck_assert_str_eq(text_of(layer, "origin"), "measured");
    ck_assert_str_eq(text_of(layer, "why"), "the winner of 3 points measured here");
    ck_assert(fabs(number_of(layer, "record_ms") - 1) < 1e-9);
    ck_assert(fabs(number_of(layer, "default_ms") - 4) < 1e-9);
    ck_assert_str_eq(text_of(json_object_get(layer, "runner_up"), "params"), "WG=16");
    ck_assert(fabs(number_of(json_object_get(layer, "runner_up"), "ms") - 2) < 1e-9);
    ck_assert(number_of(json_object_get(layer, "tried"), "good") == 3);
    ck_assert(number_of(json_object_get(layer, "tried"), "crashed") == 1);
    list = json_object_get(layer, "tombstones");
    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(text_of(json_array_get(list, 0), "params"), "WG=1");
    ck_assert_str_eq(text_of(json_array_get(list, 0), "verdict"), "crashed");
    ck_assert_str_eq(text_of(json_array_get(list, 0), "why"), "signal 11");
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_record_of_another_device)
{
    const struct ncl_caps kin =
        device_named(&a.f.device.caps, "elsewhere", "kin", a.f.device.caps.vendor, "0");
    const struct ncl_point point = another_point();
    struct ncl_session *session;
    const json_t *layer;

    tell(a.store, &a.problem, &kin, &point,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-3, .default_seconds = 2e-3});
    session = advised_session(&a);
    layer = explained(session);
    ck_assert_str_eq(text_of(layer, "source"), "imported");
    ck_assert_str_eq(text_of(layer, "match"), "vendor");
    ck_assert_ptr_nonnull(strstr(text_of(layer, "why"), "verified here"));
    ck_assert(fabs(number_of(layer, "record_ms") - 1) < 1e-9);
    ck_assert_uint_eq(json_object_size(json_object_get(layer, "tried")), 0);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(what_fell_back_and_why)
{
    struct ncl_session *session;
    const json_t *layer;
    const char *line;

    tell(a.store, &a.problem, &a.f.device.caps, &a.standard,
         &(struct told){.verdict = NCL_VERDICT_TIMEOUT, .why = "still running after 5 s"});
    session = advised_session(&a);
    layer = explained(session);
    ck_assert_str_eq(text_of(layer, "source"), "fallback");
    ck_assert_ptr_nonnull(strstr(text_of(layer, "why"), a.standard.algo->name));
    ck_assert_uint_eq(json_array_size(json_object_get(layer, "fallbacks")), 1);
    line = json_string_value(json_array_get(json_object_get(layer, "fallbacks"), 0));
    ck_assert_ptr_nonnull(strstr(line, a.standard.algo->name));
    ck_assert_ptr_nonnull(strstr(line, "timeout: still running after 5 s"));
    ck_assert_uint_eq(json_array_size(json_object_get(layer, "tombstones")), 1);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(tuned_without_a_winner)
{
    struct ncl_session *session;
    const struct ncl_point point = another_point();
    const json_t *layer;

    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.seconds = 1e-3, .loser = true});
    session = advised_session(&a);
    layer = explained(session);
    ck_assert_str_eq(text_of(layer, "source"), "default");
    ck_assert_ptr_nonnull(strstr(text_of(layer, "why"), "of 1 points measured here none"));
    ncl_session_destroy(session);
}
END_TEST

START_TEST(texts_of_drivers_may_be_anything)
{
    struct ncl_session *session;

    tell(a.store, &a.problem, &a.f.device.caps, &a.standard,
         &(struct told){.verdict = NCL_VERDICT_BUILD, .why = "\xff\xfe\x01 \"quoted\""});
    session = advised_session(&a);
    ck_assert_uint_eq(json_array_size(json_object_get(explained(session), "fallbacks")), 1);
    ncl_session_destroy(session);
}
END_TEST

/* What others say is not what was measured here, and a file may say anything. */
START_TEST(imports_are_no_facts)
{
    const struct ncl_point winner = another_point(), other = point_of("direct", "WG=16"),
                           illegal = point_of("direct", "WG=100000"),
                           dead = point_of("direct", "WG=1");
    const struct ncl_caps *caps = &a.f.device.caps;
    const struct told told = {
        .origin = NCL_ORIGIN_IMPORTED, .seconds = 1e-9, .default_seconds = 1, .loser = true};
    struct ncl_session *session;
    const json_t *layer;

    tell(a.store, &a.problem, caps, &winner,
         &(struct told){.seconds = 1e-3, .default_seconds = 4e-3});
    tell(a.store, &a.problem, caps, &other, &told);
    tell(a.store, &a.problem, caps, &illegal, &told);
    tell(a.store, &a.problem, caps, &dead,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .verdict = NCL_VERDICT_CRASHED});
    session = advised_session(&a);
    layer = explained(session);
    ck_assert_str_eq(text_of(layer, "why"), "the winner of 1 points measured here");
    ck_assert(is_null(layer, "runner_up"));
    ck_assert(number_of(json_object_get(layer, "tried"), "good") == 1);
    ck_assert_uint_eq(json_object_size(json_object_get(layer, "tried")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(layer, "tombstones")), 0);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(hints_promise_what_was_measured)
{
    const struct ncl_point point = another_point();
    struct ncl_session *session;
    char *json = NULL;

    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED,
                        .seconds = 1e-9,
                        .default_seconds = 1,
                        .verdict = NCL_VERDICT_GOOD});
    session = fixture_session(&a.f);
    session->config.store = a.store;
    MUST(ncl_session_hint(session, false, &json));
    root = json_loads(json, 0, NULL);
    free(json);
    ck_assert(is_null(root, "gain"));
    ck_assert(number_of(root, "untuned") == number_of(root, "layers"));
    json_decref(root);
    tell(a.store, &a.problem, &a.f.device.caps, &point,
         &(struct told){.seconds = 1e-3, .default_seconds = 4e-3});
    MUST(ncl_session_hint(session, false, &json));
    root = json_loads(json, 0, NULL);
    free(json);
    ck_assert(fabs(number_of(root, "gain") - 0.75) < 1e-9);
    ck_assert(number_of(root, "untuned") < number_of(root, "layers"));
    ncl_session_destroy(session);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("explain");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, defaults_of_which_nothing_is_known);
    tcase_add_test(tests, a_winner_among_others);
    tcase_add_test(tests, a_record_of_another_device);
    tcase_add_test(tests, what_fell_back_and_why);
    tcase_add_test(tests, tuned_without_a_winner);
    tcase_add_test(tests, texts_of_drivers_may_be_anything);
    tcase_add_test(tests, imports_are_no_facts);
    tcase_add_test(tests, hints_promise_what_was_measured);
    return ncl_run_suite(tests, "explain");
}

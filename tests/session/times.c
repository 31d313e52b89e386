#include "session/times.h"
#include "support/fixture.h"
#include "support/suite.h"

static const json_t *item(const json_t *object, const char *key, size_t index)
{
    return json_array_get(json_object_get(object, key), index);
}

/* Host times around an enqueue, and the device's own, each not before the one that precedes it. */
static void check_command(const json_t *command)
{
    const json_t *host = json_object_get(command, "host_ns");
    const json_t *device = json_object_get(command, "device_ns");

    ck_assert_uint_eq(json_array_size(host), 2);
    ck_assert_uint_eq(json_array_size(device), NCL_EVENT_TIMES);
    ck_assert(json_integer_value(json_array_get(host, 0)) <=
              json_integer_value(json_array_get(host, 1)));
    for (size_t i = 1; i < NCL_EVENT_TIMES; i++)
        ck_assert(json_integer_value(json_array_get(device, i - 1)) <=
                  json_integer_value(json_array_get(device, i)));
}

static json_t *report(const struct ncl_session *session)
{
    char *text = NULL;
    json_t *root;

    MUST(ncl_session_report(session, &text));
    root = json_loads(text, 0, NULL);
    free(text);
    ck_assert_ptr_nonnull(root);
    return root;
}

static void run(struct ncl_session *session)
{
    ncl_tensor input = fixture_input(session, 1), output = fixture_output(session);

    MUST(fixture_run(session, &input, &output));
    free(input.data);
    free(output.data);
}

START_TEST(profiled_runs_are_reported)
{
    struct fixture f;
    struct ncl_session *session;
    json_t *root;

    fixture_open(&f, FIXTURE_RESIDUALS, true);
    session = fixture_session(&f);
    ck_assert_str_eq(ncl_times_clock(session), "none"); /* nothing ran */
    run(session);
    run(session);
    ck_assert_str_eq(ncl_times_clock(session), "device");
    root = report(session);
    for (int i = 0; i < session->schedule->step_count; i++) {
        const json_t *layer = item(root, "layers", (size_t)i);

        check_command(layer);
        ck_assert_uint_eq(json_array_size(json_object_get(layer, "input")), 4);
        ck_assert_uint_eq(json_array_size(json_object_get(layer, "output")), 4);
        ck_assert(json_number_value(json_object_get(layer, "bytes")) > 0);
    }
    ck_assert_uint_eq(json_array_size(json_object_get(root, "transfers")), 2);
    check_command(item(root, "transfers", 0));
    check_command(item(root, "transfers", 1));
    json_decref(root);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(clocks_that_lie_are_broken)
{
    struct fixture f;
    struct ncl_session *session;
    struct ncl_command_times saved;

    fixture_open(&f, FIXTURE_RESIDUALS, true);
    session = fixture_session(&f);
    run(session);
    ck_assert_int_gt(session->schedule->step_count, 2);
    saved = session->times[1];
    session->times[1].known = false; /* as ncl_event_times leaves it for zeros */
    ck_assert_str_eq(ncl_times_clock(session), "broken");
    session->times[1] = saved;
    session->times[1].device[NCL_STARTED] -= 1000000000; /* before the launch in front of it */
    ck_assert_str_eq(ncl_times_clock(session), "broken");
    session->times[1] = saved;
    ck_assert_str_eq(ncl_times_clock(session), "device");
    session->layers[2].seconds = 0; /* as ncl_event_ns leaves impossible lengths */
    ck_assert_str_eq(ncl_times_clock(session), "broken");
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

START_TEST(without_a_profile_there_are_no_times)
{
    struct fixture f;
    struct ncl_session *session;
    json_t *root;

    fixture_open(&f, FIXTURE_RESIDUALS, false);
    session = fixture_session(&f);
    run(session);
    root = report(session);
    ck_assert_str_eq(json_string_value(json_object_get(root, "clock")), "none");
    ck_assert(json_is_null(json_object_get(item(root, "layers", 0), "device_ns")));
    ck_assert(json_is_null(json_object_get(item(root, "transfers", 0), "host_ns")));
    json_decref(root);
    ncl_session_destroy(session);
    fixture_close(&f);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("times");

    tcase_add_test(tests, profiled_runs_are_reported);
    tcase_add_test(tests, clocks_that_lie_are_broken);
    tcase_add_test(tests, without_a_profile_there_are_no_times);
    return ncl_run_suite(tests, "session/times");
}

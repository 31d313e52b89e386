#include "api/api.h"
#include "support/suite.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

START_TEST(texts)
{
    char version[32];

    snprintf(version, sizeof version, "%d.%d.%d", NCL_VERSION_MAJOR, NCL_VERSION_MINOR,
             NCL_VERSION_PATCH);
    ck_assert_str_eq(ncl_version(), version);
    ck_assert_str_eq(ncl_status_string(NCL_OK), "done");
    for (int status = 1; status <= 5; status++)
        ck_assert_str_ne(ncl_status_string((ncl_status)status), "unknown status");
    ck_assert_str_ne(ncl_status_string(NCL_ERROR_CANCELLED), "unknown status");
    ck_assert_str_eq(ncl_status_string((ncl_status)77), "unknown status");
    ck_assert_ptr_nonnull(ncl_last_error());
    ncl_free(NULL);
    ncl_close(NULL);
}
END_TEST

START_TEST(options_are_checked)
{
    ncl_context *context = (ncl_context *)&context;
    ncl_options options;

    MUST_FAIL(ncl_open(NULL, NULL), NCL_ERROR_USAGE, "ncl_open");
    ncl_options_init(NULL);
    ncl_options_init(&options);
    options.struct_size = 0;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "struct_size");
    ck_assert_ptr_null(context);
    options.struct_size = sizeof options + 8;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "struct_size");
    ncl_options_init(&options);
    options.math = (ncl_math)9;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "math");
    ncl_options_init(&options);
    options.precision = (ncl_precision)2;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "precision 2");
    ncl_options_init(&options);
    options.channel_block = 5;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "found 5");
    ncl_options_init(&options);
    options.device = "no such device";
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_DEVICE, "no such device");
    options.device = "97:0";
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_DEVICE, "97:0");
    ncl_options_init(&options);
    options.cl_queue = (struct _cl_command_queue *)&options;
    MUST_FAIL(ncl_open(&options, &context), NCL_ERROR_USAGE, "go together");
    ck_assert_ptr_null(context);
}
END_TEST

START_TEST(channel_block_from_the_environment)
{
    ncl_context *context;

    setenv("NEXTCL_CHANNEL_BLOCK", "7", 1);
    MUST_FAIL(ncl_open(NULL, &context), NCL_ERROR_USAGE, "NEXTCL_CHANNEL_BLOCK");
    setenv("NEXTCL_CHANNEL_BLOCK", "many", 1);
    MUST_FAIL(ncl_open(NULL, &context), NCL_ERROR_USAGE, "'many'");
    setenv("NEXTCL_CHANNEL_BLOCK", "16", 1);
    MUST(ncl_open(NULL, &context));
    ncl_close(context);
    unsetenv("NEXTCL_CHANNEL_BLOCK");
}
END_TEST

START_TEST(devices_are_listed)
{
    ncl_context *context = api_open(NULL);
    ncl_device_info info, open;
    size_t count = 0;
    char *json = NULL;
    json_t *root;

    MUST(ncl_device_count(context, &count));
    ck_assert_uint_gt(count, 0);
    MUST(ncl_context_device(context, &open));
    ck_assert(open.name[0] && open.platform[0] && open.max_work_group > 0);
    MUST(ncl_device_get(context, 0, &info));
    ck_assert(info.global_memory_bytes > 0 && info.compute_units > 0);
    MUST_FAIL(ncl_device_get(context, count, &info), NCL_ERROR_USAGE, "device");
    MUST_FAIL(ncl_device_count(NULL, &count), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_device_get(context, 0, NULL), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_context_device(context, NULL), NCL_ERROR_USAGE, "NULL");
    MUST(ncl_report(context, NCL_REPORT_DEVICES, NULL, &json));
    root = json_loads(json, 0, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "devices")), count);
    json_decref(root);
    ncl_free(json);
    MUST_FAIL(ncl_report(context, NCL_REPORT_SESSION, NULL, &json), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_report(context, (ncl_report_kind)9, context, &json), NCL_ERROR_USAGE, "report");
    ck_assert_ptr_null(json);
    ncl_close(context);
}
END_TEST

START_TEST(without_a_device_models_can_still_be_read)
{
    ncl_context *context = api_open("none");
    ncl_model *model = api_model(context);
    ncl_session *session = (ncl_session *)&session;
    const ncl_tensor input = {.rank = 4, .dims = {1, 3, 16, 16}};
    ncl_device_info info;
    char *json = NULL;

    MUST_FAIL(ncl_context_device(context, &info), NCL_ERROR_DEVICE, "without a device");
    MUST_FAIL(ncl_session_create(context, model, &input, 1, &session), NCL_ERROR_DEVICE,
              "without a device");
    ck_assert_ptr_null(session);
    MUST(ncl_report(context, NCL_REPORT_INSPECT, model, &json));
    ck_assert_ptr_nonnull(strstr(json, "\"launches\": 16"));
    ncl_free(json);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

START_TEST(inspecting_at_given_shapes)
{
    const ncl_tensor inputs[2] = {{.rank = 4, .dims = {7, 3, 32, 32}}, {.rank = 9}};
    ncl_context *context = api_open("none");
    ncl_model *model = api_model(context);
    ncl_inspection at = {model, inputs, 1};
    char *json;

    MUST(ncl_report(context, NCL_REPORT_INSPECT_AT, &at, &json));
    ck_assert_ptr_nonnull(strstr(json, "arena_bytes"));
    ncl_free(json);
    at.input_count = 2;
    MUST_FAIL(ncl_report(context, NCL_REPORT_INSPECT_AT, &at, &json), NCL_ERROR_USAGE, "2 inputs");
    at.input_count = 1;
    at.inputs = &inputs[1];
    MUST_FAIL(ncl_report(context, NCL_REPORT_INSPECT_AT, &at, &json), NCL_ERROR_USAGE, "rank 9");
    at.inputs = NULL;
    MUST_FAIL(ncl_report(context, NCL_REPORT_INSPECT_AT, &at, &json), NCL_ERROR_USAGE, "NULL");
    at = (ncl_inspection){NULL, inputs, 1};
    MUST_FAIL(ncl_report(context, NCL_REPORT_INSPECT_AT, &at, &json), NCL_ERROR_USAGE, "NULL");
    ck_assert_ptr_null(json);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

/* ---- threads ---- */

#define THREADS 4

struct asker {
    ncl_context *context;
    pthread_barrier_t *all;
    size_t count;
    ncl_device_info last;
    ncl_status status;
};

static void *ask(void *user)
{
    struct asker *a = user;

    pthread_barrier_wait(a->all);
    a->status = ncl_device_count(a->context, &a->count);
    if (a->status == NCL_OK)
        a->status = ncl_device_get(a->context, a->count - 1, &a->last);
    return NULL;
}

/* Opened without a device, a context lists them when it is first asked. */
static void ask_at_once(size_t count)
{
    ncl_context *context = api_open("none");
    struct asker askers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t all;

    ck_assert_int_eq(pthread_barrier_init(&all, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.context = context, .all = &all};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(askers[i].status, NCL_OK);
        ck_assert_uint_eq(askers[i].count, count);
        ck_assert_str_eq(askers[i].last.name, askers[0].last.name);
    }
    pthread_barrier_destroy(&all);
    ncl_close(context);
}

START_TEST(threads_may_ask_for_devices_at_once)
{
    ncl_context *context = api_open("none");
    size_t count;

    MUST(ncl_device_count(context, &count));
    ncl_close(context);
    for (int i = 0; i < 50; i++)
        ask_at_once(count);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("context");

    tcase_add_test(tests, texts);
    tcase_add_test(tests, options_are_checked);
    tcase_add_test(tests, channel_block_from_the_environment);
    tcase_add_test(tests, devices_are_listed);
    tcase_add_test(tests, without_a_device_models_can_still_be_read);
    tcase_add_test(tests, inspecting_at_given_shapes);
    tcase_add_test(tests, threads_may_ask_for_devices_at_once);
    return ncl_run_suite(tests, "context");
}

#include "api/api.h"
#include "cl/device.h"
#include "support/suite.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>

#define BATCH 2
#define SIDE 32
#define CLASSES 10

static float x[BATCH * 3 * SIDE * SIDE];

static ncl_tensor input_tensor(void)
{
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = sinf((float)i);
    return (ncl_tensor){.data = x, .bytes = sizeof x, .rank = 4, .dims = {BATCH, 3, SIDE, SIDE}};
}

static ncl_tensor output_tensor(float *y)
{
    return (ncl_tensor){
        .data = y, .bytes = BATCH * CLASSES * sizeof(float), .rank = 2, .dims = {BATCH, CLASSES}};
}

static ncl_session *make_session(ncl_context *context, const ncl_model *model)
{
    const ncl_tensor input = input_tensor();
    ncl_session *session;

    MUST(ncl_session_create(context, model, &input, 1, &session));
    return session;
}

START_TEST(runs_and_describes_itself)
{
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    ncl_session *session = make_session(context, model);
    float y[BATCH * CLASSES] = {0}, again[BATCH * CLASSES];
    const ncl_tensor input = input_tensor();
    ncl_tensor output = output_tensor(y);
    ncl_session_stats stats;
    double macs = 0;
    ncl_layer layer;
    ncl_io io;

    MUST(ncl_session_output(session, 0, &io));
    ck_assert_str_eq(io.name, "output");
    ck_assert(io.rank == 2 && io.dims[0] == BATCH && io.dims[1] == CLASSES);
    MUST_FAIL(ncl_session_output(session, 1, &io), NCL_ERROR_USAGE, "output 1");
    MUST(ncl_session_run(session, &input, 1, &output, 1));
    output.data = again;
    MUST(ncl_session_run(session, &input, 1, &output, 1));
    ck_assert_mem_eq(y, again, sizeof y);
    ck_assert(y[0] != 0 && isfinite(y[0]));
    MUST(ncl_session_statistics(session, &stats));
    ck_assert_int_eq(stats.math, NCL_MATH_REPRODUCIBLE);
    ck_assert_int_eq(stats.precision, NCL_FP32);
    ck_assert(stats.launches == 16 && stats.layers == 16 && stats.create_seconds > 0);
    ck_assert_uint_gt(stats.peak_device_bytes, sizeof x);
    ck_assert_uint_eq(ncl_session_layer_count(session), 16);
    for (size_t i = 0; i < 16; i++) {
        MUST(ncl_session_layer(session, i, &layer));
        ck_assert(layer.name && layer.op && layer.kind && layer.algorithm && layer.params);
        macs += layer.macs;
    }
    ck_assert(macs == stats.macs);
    MUST_FAIL(ncl_session_layer(session, 16, &layer), NCL_ERROR_USAGE, "layer 16");
    ncl_session_free(session);
    ncl_session_free(NULL);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

START_TEST(verifies_and_reports)
{
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    ncl_session *session = make_session(context, model);
    const ncl_tensor input = input_tensor();
    char *json = NULL;
    json_t *root;

    MUST(ncl_verify(session, &input, 1, &json));
    root = json_loads(json, 0, NULL);
    ck_assert(json_is_true(json_object_get(root, "identical")));
    ck_assert_uint_eq(json_array_size(json_object_get(root, "layers")), 16);
    json_decref(root);
    ncl_free(json);
    MUST(ncl_verify(session, &input, 1, NULL));
    MUST(ncl_report(context, NCL_REPORT_SESSION, session, &json));
    ck_assert_ptr_nonnull(strstr(json, "\"algorithm\""));
    ncl_free(json);
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

START_TEST(misuse)
{
    double peak = 0;
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    ncl_session *session = make_session(context, model), *none = session;
    float y[BATCH * CLASSES];
    ncl_tensor input = input_tensor(), output = output_tensor(y);
    ncl_session_stats stats;
    ncl_io io;

    MUST_FAIL(ncl_session_create(context, model, &input, 2, &none), NCL_ERROR_USAGE, "2 inputs");
    ck_assert_ptr_null(none);
    MUST_FAIL(ncl_session_create(NULL, model, &input, 1, &none), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_create(context, model, NULL, 1, &none), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_create(context, model, &input, 1, NULL), NCL_ERROR_USAGE, "NULL");
    input.rank = 99;
    MUST_FAIL(ncl_session_create(context, model, &input, 1, &none), NCL_ERROR_USAGE, "rank 99");
    input.rank = 4, input.dims[1] = 5;
    MUST_FAIL(ncl_session_create(context, model, &input, 1, &none), NCL_ERROR_INPUT, "5");
    input.dims[1] = 3;
    MUST_FAIL(ncl_session_run(session, &input, 0, &output, 1), NCL_ERROR_USAGE, "inputs");
    MUST_FAIL(ncl_session_run(session, &input, 1, NULL, 1), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_run(NULL, &input, 1, &output, 1), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_enqueue(session, &input, 1, &output, 1, 0, NULL, NULL), NCL_ERROR_USAGE,
              "device buffer");
    MUST_FAIL(ncl_session_enqueue(session, &input, 1, &output, 1, 3, NULL, NULL), NCL_ERROR_USAGE,
              "NULL");
    MUST_FAIL(ncl_session_output(NULL, 0, &io), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_statistics(NULL, &stats), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_layer(session, 0, NULL), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_session_peak_gflops(session, NULL), NCL_ERROR_USAGE, "NULL");
    ck_assert_int_eq(ncl_session_peak_gflops(session, &peak), NCL_OK);
    ck_assert(peak > 0);
    MUST_FAIL(ncl_session_peak_gbytes(session, NULL), NCL_ERROR_USAGE, "NULL");
    ck_assert_int_eq(ncl_session_peak_gbytes(session, &peak), NCL_OK);
    ck_assert(peak > 0);
    MUST_FAIL(ncl_verify(session, NULL, 1, NULL), NCL_ERROR_USAGE, "NULL");
    MUST_FAIL(ncl_verify(NULL, &input, 1, NULL), NCL_ERROR_USAGE, "NULL");
    ck_assert_uint_eq(ncl_session_layer_count(NULL), 0);
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

static int stop(void *user, const char *stage, size_t done, size_t total)
{
    (void)stage;
    (void)done;
    (void)total;
    return ++*(int *)user > 2;
}

START_TEST(a_callback_may_stop_the_work)
{
    const ncl_tensor input = input_tensor();
    ncl_context *context;
    ncl_model *model;
    ncl_session *session;
    ncl_options options;
    int calls = 0;

    ncl_options_init(&options);
    options.progress = stop;
    options.user = &calls;
    MUST(ncl_open(&options, &context));
    model = api_model(context);
    MUST_FAIL(ncl_session_create(context, model, &input, 1, &session), NCL_ERROR_CANCELLED,
              "cancelled");
    ck_assert_int_eq(calls, 3);
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

/* ---- the caller's OpenCL objects ---- */

static const struct ncl_cl *own_cl;

struct own {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
};

/* Platforms may be without devices: the list leaves those out. */
static cl_device_id first_device(void)
{
    struct ncl_device_list list;
    cl_device_id device;

    MUST(ncl_cl_load(NULL, &own_cl));
    MUST(ncl_device_list(NULL, own_cl, &list));
    ck_assert_uint_gt(list.count, 0);
    device = list.entries[0].id;
    ncl_device_list_free(&list);
    return device;
}

static void own_make(struct own *own, cl_command_queue_properties properties)
{
    cl_int code = CL_SUCCESS;

    own->device = first_device();
    own->context = own_cl->CreateContext(NULL, 1, &own->device, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    own->queue = own_cl->CreateCommandQueue(own->context, own->device, properties, &code);
    if (code)
        own->queue = own_cl->CreateCommandQueue(own->context, own->device, 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
}

static void own_free(struct own *own)
{
    own_cl->ReleaseCommandQueue(own->queue);
    own_cl->ReleaseContext(own->context);
}

static ncl_context *adopt(const struct own *own)
{
    ncl_context *context;
    ncl_options options;

    ncl_options_init(&options);
    options.math = NCL_MATH_REPRODUCIBLE;
    options.cl_context = own->context;
    options.cl_device = own->device;
    options.cl_queue = own->queue;
    MUST(ncl_open(&options, &context));
    return context;
}

/* Runs on the caller's buffers, started by the caller's event; y receives the output. */
static void enqueue(const struct own *own, ncl_session *session, float *y)
{
    ncl_tensor input = input_tensor(), output = output_tensor(NULL);
    cl_event written = NULL, done = NULL;
    cl_int code;

    input.data = NULL;
    input.mem = own_cl->CreateBuffer(own->context, CL_MEM_READ_WRITE, input.bytes, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    output.mem = own_cl->CreateBuffer(own->context, CL_MEM_READ_WRITE, output.bytes, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(own_cl->EnqueueWriteBuffer(own->queue, input.mem, CL_FALSE, 0, input.bytes, x,
                                                0, NULL, &written),
                     CL_SUCCESS);
    MUST(ncl_session_enqueue(session, &input, 1, &output, 1, 1, &written, &done));
    ck_assert_ptr_nonnull(done);
    ck_assert_int_eq(own_cl->EnqueueReadBuffer(own->queue, output.mem, CL_TRUE, 0, output.bytes, y,
                                               1, &done, NULL),
                     CL_SUCCESS);
    /* The same again without asking for the event. */
    MUST(ncl_session_enqueue(session, &input, 1, &output, 1, 0, NULL, NULL));
    own_cl->Finish(own->queue);
    own_cl->ReleaseEvent(written);
    own_cl->ReleaseEvent(done);
    own_cl->ReleaseMemObject(input.mem);
    own_cl->ReleaseMemObject(output.mem);
}

static void check_adopted(cl_command_queue_properties properties)
{
    struct own own;
    float y[BATCH * CLASSES], expected[BATCH * CLASSES];
    const ncl_tensor input = input_tensor(), output = output_tensor(expected);
    ncl_context *context;
    ncl_model *model;
    ncl_session *session;
    ncl_device_info info;

    own_make(&own, properties);
    context = adopt(&own);
    MUST(ncl_context_device(context, &info));
    ck_assert_int_eq(info.platform_index, -1);
    ck_assert(info.name[0] != 0);
    model = api_model(context);
    session = make_session(context, model);
    enqueue(&own, session, y);
    MUST(ncl_session_run(session, &input, 1, &output, 1));
    ck_assert_mem_eq(y, expected, sizeof y);
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
    ck_assert_int_eq(own_cl->Finish(own.queue), CL_SUCCESS); /* still the caller's */
    own_free(&own);
}

START_TEST(adopts_the_callers_objects)
{
    check_adopted(0);
    check_adopted(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    check_adopted(CL_QUEUE_PROFILING_ENABLE);
}
END_TEST

/* ---- threads ---- */

struct worker {
    ncl_context *context;
    const ncl_model *model;
    float y[BATCH * CLASSES];
    ncl_status status;
};

static void *work(void *user)
{
    struct worker *w = user;
    const ncl_tensor input = {
        .data = x, .bytes = sizeof x, .rank = 4, .dims = {BATCH, 3, SIDE, SIDE}};
    const ncl_tensor output = output_tensor(w->y);
    ncl_session *session = NULL;

    w->status = ncl_session_create(w->context, w->model, &input, 1, &session);
    for (int i = 0; i < 5 && w->status == NCL_OK; i++)
        w->status = ncl_session_run(session, &input, 1, &output, 1);
    ncl_session_free(session);
    return NULL;
}

START_TEST(two_sessions_run_at_once)
{
    ncl_context *context = api_open(NULL);
    ncl_model *model = api_model(context);
    struct worker workers[3];
    pthread_t threads[3];

    input_tensor();
    for (int i = 0; i < 3; i++) {
        workers[i] = (struct worker){.context = context, .model = model};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(workers[i].status, NCL_OK);
        ck_assert_mem_eq(workers[i].y, workers[0].y, sizeof workers[0].y);
    }
    ncl_model_free(model);
    ncl_close(context);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("session");

    tcase_add_test(tests, runs_and_describes_itself);
    tcase_add_test(tests, verifies_and_reports);
    tcase_add_test(tests, misuse);
    tcase_add_test(tests, a_callback_may_stop_the_work);
    tcase_add_test(tests, adopts_the_callers_objects);
    tcase_add_test(tests, two_sessions_run_at_once);
    return ncl_run_suite(tests, "session");
}

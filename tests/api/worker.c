/* ncl_tune_worker as its own program has it: greets, refuses what is no tuner, ends with it, and
 * compiles for sessions. */
#include "nextcl.h"

#include "api/api.h"
#include "base/process.h"
#include "base/thread.h"
#include "session/worker_wire.h"
#include "support/place.h"
#include "support/suite.h"

#include <string.h>
#include <unistd.h>

static const char *const command[] = {"/proc/self/exe", "serve", NULL};

static struct ncl_process start_worker(void)
{
    struct ncl_wire_hello hello, expected;
    struct ncl_process process;
    size_t got = 0;

    ck_assert_int_eq(ncl_process_start(NULL, command, true, &process), NCL_OK);
    ncl_wire_greet(&expected);
    ck_assert_int_eq(ncl_process_receive(&process, &hello, sizeof hello, &got, 20),
                     NCL_PROCESS_DONE);
    ck_assert_int_eq(memcmp(&hello, &expected, sizeof hello), 0);
    return process;
}

static void check_gone(struct ncl_process *process, const char *expected)
{
    char byte, ended[64];
    size_t got = 0;

    ck_assert_int_eq(ncl_process_receive(process, &byte, 1, &got, 20), NCL_PROCESS_GONE);
    ncl_process_end(process, ended);
    ck_assert_str_eq(ended, expected);
}

static void open_nothing(const struct ncl_process *process, const char *device,
                         struct ncl_wire_reply *reply)
{
    struct ncl_wire_open open = {.problem_count = 0};
    size_t got = 0;

    strcpy(open.device, device);
    ck_assert_int_eq(ncl_process_send(process, &open, sizeof open, 10), NCL_PROCESS_DONE);
    ck_assert_int_eq(ncl_process_receive(process, reply, sizeof *reply, &got, 60),
                     NCL_PROCESS_DONE);
    ck_assert_int_eq(reply->kind, NCL_WIRE_OPENED);
}

START_TEST(no_device)
{
    struct ncl_process process = start_worker();
    struct ncl_wire_reply reply;

    open_nothing(&process, "no such device", &reply);
    ck_assert_int_eq(reply.status, NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(reply.text, "no such device"));
    check_gone(&process, "exited with status 4");
}
END_TEST

/* Numbers that no tuner sends, algorithms that nobody has. */
START_TEST(nonsense)
{
    const struct ncl_wire_request requests[] = {
        {NCL_WIRE_PREPARE, -1, 0},
        {NCL_WIRE_TIME, 1, -5},
        {NCL_WIRE_PREPARE, 1 << 30, 0},
        {99, 1, 0},
    };
    const struct ncl_wire_trial trial = {.task = 0, .algo = "pointwise"};

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct ncl_process process = start_worker();
        struct ncl_wire_reply reply;

        open_nothing(&process, "", &reply);
        ck_assert_msg(reply.status == NCL_OK, "%s", reply.text);
        ck_assert_int_eq(ncl_process_send(&process, &requests[i], sizeof requests[i], 10),
                         NCL_PROCESS_DONE);
        ncl_process_send(&process, &trial, sizeof trial, 10); /* it may be gone already */
        check_gone(&process, "exited with status 0");
    }
}
END_TEST

START_TEST(closed_at_once)
{
    int in[2], out[2];
    struct ncl_wire_hello hello;

    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    close(in[1]);
    ck_assert_int_eq(ncl_tune_worker(in[0], out[1]), NCL_ERROR_INPUT);
    ck_assert_int_eq(read(out[0], &hello, sizeof hello), sizeof hello);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}
END_TEST

static char said[4096];

static void note(void *user, ncl_log_level level, const char *message)
{
    const size_t used = strlen(said);

    (void)user;
    (void)level;
    snprintf(said + used, sizeof said - used, "%s\n", message);
}

/* A session with this cache; its log is in `said`. */
static void make_session(const char *cache, const char *const *worker)
{
    const char *copied[3] = {worker[0], worker[1], NULL};
    const ncl_tensor input = {.rank = 4, .dims = {1, 3, 24, 20}};
    ncl_context *context = NULL;
    ncl_model *model = NULL;
    ncl_session *session = NULL;
    ncl_options options;

    said[0] = 0;
    ncl_options_init(&options);
    ck_assert_ptr_null(options.worker);
    options.cache_dir = cache;
    options.worker = copied;
    options.log = note;
    options.log_level = NCL_LOG_INFO;
    MUST(ncl_open(&options, &context));
    copied[0] = copied[1] = NULL;
    MUST(ncl_model_load(context, "tests/data/resnext_unfolded.onnx", &model));
    MUST(ncl_session_create(context, model, &input, 1, &session));
    ncl_session_free(session);
    ncl_model_free(model);
    ncl_close(context);
}

/* Elsewhere one process compiles as fast. */
START_TEST(compiles_for_sessions)
{
    const char *const missing[] = {"/nonexistent/nextcl", "serve"};
    ncl_device_info info;
    ncl_context *context = api_open(NULL);

    MUST(ncl_context_device(context, &info));
    ncl_close(context);
    make_session(place, command);
    if (strcmp(info.platform, "Portable Computing Language") == 0 && ncl_cpu_count() > 1)
        ck_assert_msg(strstr(said, "kernels were compiled by") != NULL, "%s", said);
    else
        ck_assert_ptr_null(strstr(said, "compiled by"));
    make_session("", missing); /* without a cache nobody is started */
    ck_assert_ptr_null(strstr(said, "/nonexistent"));
}
END_TEST

int main(int argc, char **argv)
{
    TCase *tests;

    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return (int)ncl_tune_worker(0, 1);
    tests = tcase_create("worker");
    tcase_add_test(tests, no_device);
    tcase_add_test(tests, nonsense);
    tcase_add_test(tests, closed_at_once);
    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_add_test(tests, compiles_for_sessions);
    return ncl_run_suite(tests, "worker");
}

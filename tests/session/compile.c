/* Sessions that have their kernels compiled in other processes, which the layer of layer_fault.c
 * makes crash and hang. This program is the worker too: started with "serve". */
#include "session/compile.h"
#include "nextcl.h"

#include "base/thread.h"
#include "tunedb/store.h"

#include "support/algo_check.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/place.h"
#include "support/suite.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const serve[] = {"/proc/self/exe", "serve", NULL};
static const char *const missing[] = {"/nonexistent/nextcl", NULL};
static const char *const other[] = {"/bin/echo", NULL};

static struct fixture f;
static char device_name[64]; /* as much of it as fits */
static struct ncl_store *store;
static char said[4096]; /* every line of the log, of level info and worse */
static int calls_left;  /* of progress, until it asks to stop; negative: it does not */

static void note(void *user, ncl_log_level level, const char *message)
{
    const size_t used = strlen(said);

    (void)user;
    if (level <= NCL_LOG_INFO)
        snprintf(said + used, sizeof said - used, "%s\n", message);
}

static int progress(void *user, const char *stage, size_t done, size_t total)
{
    (void)user, (void)stage, (void)done, (void)total;
    return calls_left >= 0 && calls_left-- == 0;
}

static void open_all(void)
{
    place_make();
    fixture_open(&f, FIXTURE_RESIDUALS, false);
    f.log = (struct ncl_log){note, NULL, NCL_LOG_INFO};
    memcpy(device_name, f.device.caps.name, sizeof device_name - 1);
    MUST(ncl_store_open(&f.log, place, &store));
    ncl_store_binary_cache(store, &f.device.binaries);
    said[0] = 0;
    calls_left = -1;
}

static void close_all(void)
{
    fixture_close(&f);
    ncl_store_close(store);
    place_drop();
}

static struct ncl_session_config config(const char *const *command)
{
    struct ncl_session_config config = fixture_config(&f);

    config.store = store;
    config.progress = progress;
    config.workers = (struct ncl_session_workers){
        .command = command, .device = device_name, .cache_dir = place, .store = store};
    return config;
}

static ncl_status make(const struct ncl_session_config *c, struct ncl_session **session)
{
    const struct ncl_dims dims = fixture_dims(&f);

    return ncl_session_make(c, f.model->graph, &dims, 1, session);
}

static struct ncl_session *must_make(const struct ncl_session_config *c)
{
    struct ncl_session *session = NULL;

    MUST(make(c, &session));
    ck_assert_ptr_null(session->compile);
    return session;
}

static void must_say(const char *part)
{
    ck_assert_msg(strstr(said, part) != NULL, "'%s' lacks '%s'", said, part);
}

/* Computes what a session without workers does, and is gone. */
static void check_session(struct ncl_session *session)
{
    struct ncl_session *plain = fixture_session(&f);
    ncl_tensor input = fixture_input(session, 1);
    ncl_tensor output = fixture_output(session), expected = fixture_output(session);

    MUST(fixture_run(plain, &input, &expected));
    MUST(fixture_run(session, &input, &output));
    ck_assert_mem_eq(output.data, expected.data, expected.bytes);
    free(input.data);
    free(output.data);
    free(expected.data);
    ncl_session_destroy(plain);
    ncl_session_destroy(session);
}

START_TEST(workers_compile)
{
    struct ncl_session_config c = config(serve);

    check_session(must_make(&c));
    must_say("kernels were compiled by");
    /* Now the cache knows them, so that nobody is started. */
    said[0] = 0;
    c.workers.command = missing;
    check_session(must_make(&c));
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(workers_measure_fma)
{
    struct ncl_session_config c = config(serve);
    struct ncl_session *session;

    c.math = NCL_MATH_AUTO;
    ck_assert(!ncl_device_fma_known(&f.device));
    session = must_make(&c);
    ck_assert(ncl_device_fma_known(&f.device));
    must_say("math auto: ");
    ck_assert_ptr_null(strstr(said, "of mad's speed")); /* it was not measured here */
    must_say("kernels were compiled by");
    ncl_session_destroy(session);
}
END_TEST

/* Nothing says what is missing, nobody is started. */
START_TEST(no_cache)
{
    struct ncl_session_config c = config(missing);
    struct ncl_store *none = NULL;

    c.workers.store = NULL;
    check_session(must_make(&c));
    MUST(ncl_store_open(&f.log, NULL, &none));
    c.workers.store = none;
    check_session(must_make(&c));
    c.workers.store = store;
    c.workers.cache_dir = NULL;
    check_session(must_make(&c));
    c.workers.cache_dir = place;
    c.workers.device = NULL;
    check_session(must_make(&c));
    ck_assert_str_eq(said, "");
    ncl_store_close(none);
}
END_TEST

START_TEST(no_worker)
{
    struct ncl_session_config c = config(missing);

    check_session(must_make(&c));
    must_say("/nonexistent/nextcl");
    must_say("compiling in this process instead");
    said[0] = 0;
    c.workers.command = other;
    check_session(must_make(&c));
    must_say("a compile worker ended: compiling in this process instead");
    said[0] = 0;
    c.workers.command = serve;
    c.workers.device = "no such device";
    check_session(must_make(&c));
    must_say("no such device");
    must_say("compiling in this process instead");
}
END_TEST

/* Launches and builds of this process were counted on before, so only the workers' are hit. */
static void check_fault(const char *name, const char *expected)
{
    struct ncl_session_config c = config(serve);
    struct ncl_session *session;

    said[0] = 0;
    fault_set(name, 1);
    session = must_make(&c);
    unsetenv(name);
    must_say(expected);
    must_say("compiling in this process instead");
    check_session(session);
}

START_TEST(workers_fail)
{
    check_session(fixture_session(&f));
    check_fault("NCL_LAYER_CRASH", "a compile worker ended");
    check_fault("NCL_LAYER_CRASH_BUILD", "a compile worker ended");
    check_fault("NCL_LAYER_FAIL_BUFFER", "a compile worker: ");
    check_fault("NCL_LAYER_FAIL_ENQUEUE", "a compile worker: ");
}
END_TEST

/* Where this process must not end like its worker. */
static void check_lost(const char *name, double patience, const char *expected)
{
    struct ncl_session_config c = config(serve);
    struct ncl_session *session = NULL;

    c.workers.patience = patience;
    fault_set(name, 1);
    ck_assert_int_eq(make(&c, &session), NCL_ERROR_DEVICE);
    unsetenv(name);
    ck_assert_ptr_null(session);
    ck_assert_msg(strstr(ncl_error_text(), expected) != NULL, "%s", ncl_error_text());
}

START_TEST(workers_are_lost)
{
    struct ncl_session_config c = config(other);

    check_session(fixture_session(&f));
    check_lost("NCL_LAYER_CRASH", 60, "a compile worker ended");
    check_lost("NCL_LAYER_HANG", 1, "compile workers were silent for 1 s");
    check_lost("NCL_LAYER_FAIL_ENQUEUE", 60, "a compile worker: ");
    c.workers.patience = 60;
    check_session(must_make(&c)); /* it never had a kernel */
}
END_TEST

START_TEST(cancelling)
{
    struct ncl_session_config c = config(serve);
    struct ncl_session *session = NULL;

    check_session(fixture_session(&f));
    fault_set("NCL_LAYER_HANG", 1);
    calls_left = 40;
    ck_assert_int_eq(make(&c, &session), NCL_ERROR_CANCELLED);
    unsetenv("NCL_LAYER_HANG");
    ck_assert_ptr_null(session);
    ck_assert_msg(strstr(ncl_error_text(), "cancelled while building kernels") != NULL, "%s",
                  ncl_error_text());
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, dead or alive */
}
END_TEST

/* ---- the session's process is killed ---- */

static int tell_parent(void *user, const char *stage, size_t done, size_t total)
{
    static int calls;

    (void)user, (void)stage, (void)done, (void)total;
    return ++calls == 40 && write(STDOUT_FILENO, "r", 1) != 1;
}

/* As a process of its own: one whose workers hang. They have inherited the end of a pipe, which
 * closes when all are gone. */
static int be_killed(const char *cache)
{
    const ncl_tensor input = {.rank = 4, .dims = {1, 3, 24, 20}};
    ncl_context *context = NULL;
    ncl_model *model = NULL;
    ncl_session *session = NULL;
    ncl_options options;

    ncl_options_init(&options);
    options.device = getenv("NCL_CHECK_DEVICE");
    options.cache_dir = cache;
    options.worker = serve;
    options.progress = tell_parent;
    /* The last call does not return: the workers hang. */
    return ncl_open(&options, &context) || ncl_model_load(context, FIXTURE_RESNEXT, &model) ||
           ncl_session_create(context, model, &input, 1, &session);
}

START_TEST(killed)
{
    struct pollfd poller = {.events = POLLIN};
    int ends[2];
    pid_t child;
    char byte;

    fault_set("NCL_LAYER_HANG", 1);
    ck_assert_int_eq(pipe(ends), 0);
    child = fork(); /* exec'd at once */
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]); /* the other end stays open, across exec and in the workers */
        execl("/proc/self/exe", "session_compile", "be-killed", place, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    unsetenv("NCL_LAYER_HANG");
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    poller.fd = ends[0];
    ck_assert_int_eq(poll(&poller, 1, 0), 0);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(poll(&poller, 1, 20000), 1);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* nobody holds the pipe any more */
    close(ends[0]);
}
END_TEST

/* Workers are for drivers that compile faster in several processes. */
static bool applies(void)
{
    size_t count = 0;
    const struct ncl_device *devices = ncl_check_devices(&count);
    const bool yes = count && devices[0].caps.serial_builds && devices[0].caps.programs > 1 &&
                     ncl_cpu_count() > 1;

    ncl_check_devices_close();
    return yes;
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("compile");

    fault_layer_load();
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return ncl_tune_worker(0, 1) == NCL_OK ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "be-killed") == 0)
        return be_killed(argv[2]);
    tcase_add_checked_fixture(tests, open_all, close_all);
    if (!applies()) {
        tcase_add_test(tests, no_cache);
        return ncl_run_suite(tests, "compile");
    }
    tcase_add_test(tests, workers_compile);
    tcase_add_test(tests, workers_measure_fma);
    tcase_add_test(tests, no_cache);
    tcase_add_test(tests, no_worker);
    tcase_add_test(tests, workers_fail);
    tcase_add_test(tests, workers_are_lost);
    tcase_add_test(tests, cancelling);
    tcase_add_test(tests, killed);
    return ncl_run_suite(tests, "compile");
}

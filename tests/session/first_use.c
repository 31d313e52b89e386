/* Records of others that crash, hang, take too long or are cut short at their first use. This
 * program is the sessions' worker too, started with "serve", and a session that dies of a record,
 * started with "die" and its store's directory. */
#include "base/clock.h"
#include "nextcl.h"
#include "session/advised.h"
#include "support/json.h"
#include "support/suite.h"

#include <sys/wait.h>

/* Seconds that a worker has to build and run a point, and what a busy machine may take besides. */
#define PATIENCE 10.0
#define BESIDES 60.0

static const char *const command[] = {"/proc/self/exe", "serve", NULL};
static struct advised a;
static struct ncl_point point; /* `direct`, as which the planner chooses nothing here */

static void unset_faults(void)
{
    unsetenv("NCL_LAYER_CRASH");
    unsetenv("NCL_LAYER_HANG");
    unsetenv("NCL_LAYER_HANG_BUILD");
    unsetenv("NCL_LAYER_SOURCE");
}

static void open_all(void)
{
    advised_open(&a);
    point = another_point();
}

static void close_all(void)
{
    unset_faults();
    advised_close(&a);
}

/* Of kernels of `direct` alone. */
static void set_fault(const char *name)
{
    setenv("NCL_LAYER_SOURCE", "FN(ncl_direct)", 1);
    fault_set(name, 0);
}

static struct ncl_session *session_with_worker(void)
{
    struct ncl_session_config config = fixture_config(&a.f);
    const struct ncl_dims dims = fixture_dims(&a.f);
    struct ncl_session *session = NULL;

    config.store = a.store;
    config.workers = (struct ncl_session_workers){
        .command = command, .device = a.f.device.caps.name, .cache_dir = place, .store = a.store};
    MUST(ncl_session_make(&config, a.f.model->graph, &dims, 1, &session));
    return session;
}

/* utc: of a clock that is ahead of this machine's. */
static void import(int64_t utc)
{
    struct ncl_record_keys keys;
    struct ncl_record record;

    ck_assert(ncl_record_about(&a.problem, &a.f.device.caps, &point, &keys, &record));
    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-3, record.default_seconds = 2e-3, record.samples = 7;
    record.chosen = true;
    record.utc = utc ? utc : record.utc;
    ck_assert(ncl_records_put(a.store, &record));
    ncl_record_keys_free(&keys);
}

/* The only record; free the list. */
static const struct ncl_record *only(struct ncl_record_list *list)
{
    *list = (struct ncl_record_list){0};
    MUST(ncl_records_find(a.store, &(struct ncl_record_filter){0}, list));
    ck_assert_uint_eq(list->count, 1);
    ck_assert_str_eq(list->records[0].algorithm, point.algo->name);
    return &list->records[0];
}

/* What was found here says nothing of what was imported. */
static void expect_tombstone(enum ncl_verdict verdict)
{
    struct ncl_record_list list;
    const struct ncl_record *record = only(&list);

    ck_assert_int_eq(record->verdict, verdict);
    ck_assert_int_eq(record->origin, NCL_ORIGIN_MEASURED);
    ck_assert(record->seconds == 0 && record->default_seconds == 0 && record->samples == 0);
    ck_assert(!record->chosen && !record->verified);
    ncl_record_list_free(&list);
}

/* Still the import that it was. */
static void expect_import(enum ncl_verdict verdict, const char *why, bool verified)
{
    struct ncl_record_list list;
    const struct ncl_record *record = only(&list);

    ck_assert_int_eq(record->verdict, verdict);
    ck_assert_str_eq(record->why, why);
    ck_assert_int_eq(record->origin, NCL_ORIGIN_IMPORTED);
    ck_assert(record->seconds == 1e-3 && record->default_seconds == 2e-3);
    ck_assert_int_eq(record->samples, 7);
    ck_assert(record->chosen);
    ck_assert_int_eq(record->verified, verified);
    ncl_record_list_free(&list);
}

static void expect_default(struct ncl_session *session)
{
    expect_layer(&a, session, &a.standard, "default");
    advised_run(&a, session);
    ncl_session_destroy(session);
}

START_TEST(a_good_one_is_used)
{
    struct ncl_session *session;

    import(0);
    session = session_with_worker();
    expect_layer(&a, session, &point, "imported");
    expect_import(NCL_VERDICT_GOOD, "", true);
    advised_run(&a, session);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(a_crash_costs_a_line)
{
    struct ncl_session *session;

    import(0);
    set_fault("NCL_LAYER_CRASH");
    session = session_with_worker();
    ck_assert_msg(strstr(a.f.note, "signal 11"), "'%s'", a.f.note);
    expect_tombstone(NCL_VERDICT_CRASHED);
    expect_default(session);
}
END_TEST

static void check_hang(const char *fault)
{
    const uint64_t begin = ncl_clock_ns();
    struct ncl_session *session;
    double seconds;

    import(0);
    set_fault(fault);
    session = session_with_worker();
    seconds = (double)(ncl_clock_ns() - begin) * 1e-9;
    ck_assert_msg(seconds < PATIENCE + BESIDES, "%g s", seconds);
    ck_assert_msg(strstr(a.f.note, "timeout"), "'%s'", a.f.note);
    expect_tombstone(NCL_VERDICT_TIMEOUT);
    expect_default(session);
}

START_TEST(a_hang_costs_its_patience)
{
    check_hang("NCL_LAYER_HANG");
}
END_TEST

START_TEST(so_does_a_hanging_build)
{
    check_hang("NCL_LAYER_HANG_BUILD");
}
END_TEST

START_TEST(what_is_slower_here_is_passed_over)
{
    struct ncl_session *session;
    struct ncl_record_list list;
    const struct ncl_record *record;
    json_t *root, *layer;
    char *json = NULL, standard[64];
    long launches;

    import(0);
    snprintf(standard, sizeof standard, "FN(ncl_%s", a.standard.algo->name);
    setenv("NCL_LAYER_FAST", standard, 1);
    session = session_with_worker();
    ck_assert_msg(strstr(a.f.note, "passed over"), "'%s'", a.f.note);
    record = only(&list);
    ck_assert(record->verdict == NCL_VERDICT_GOOD && record->verified && !record->chosen);
    ck_assert_int_eq(record->origin, NCL_ORIGIN_MEASURED);
    ck_assert(record->seconds > record->default_seconds && record->default_seconds > 0);
    ck_assert_int_gt(record->samples, 0);
    MUST(ncl_session_explain(session, &json));
    root = json_loads(json, 0, NULL);
    layer = json_array_get(json_object_get(root, "layers"), (size_t)a.at);
    ck_assert_msg(strstr(text_of(layer, "why"), "a record advised direct WG=8"), "'%s'",
                  text_of(layer, "why"));
    json_decref(root);
    free(json);
    ncl_record_list_free(&list);
    expect_default(session);
    launches = fault_launches();
    session = session_with_worker(); /* once is enough */
    ck_assert_int_eq(fault_launches(), launches);
    expect_default(session);
}
END_TEST

/* A session of another process, without a worker, on this store. */
static void die(void)
{
    const pid_t pid = fork();
    int status = 0;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        execl("/proc/self/exe", "first_use", "die", place, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %d", status);
}

START_TEST(a_session_that_dies_loses_nothing)
{
    const int64_t ahead = INT64_C(4000000000);
    struct ncl_session *session;

    import(ahead);
    set_fault("NCL_LAYER_CRASH");
    die();
    expect_import(NCL_VERDICT_STARTED, NCL_FIRST_USE, false);
    unset_faults();
    session = advised_session(&a); /* tried once more */
    expect_layer(&a, session, &point, "imported");
    expect_import(NCL_VERDICT_GOOD, "", true);
    ncl_session_destroy(session);
}
END_TEST

START_TEST(two_deaths_are_enough)
{
    struct ncl_session *session;

    import(INT64_C(4000000000));
    set_fault("NCL_LAYER_CRASH");
    die();
    die();
    expect_import(NCL_VERDICT_STARTED, NCL_SECOND_USE, false);
    session = advised_session(&a); /* would die here */
    expect_default(session);
}
END_TEST

/* In the process that die() starts. */
START_TEST(be_a_session)
{
    fixture_open(&a.f, FIXTURE_RESIDUALS, true);
    a.store = open_store();
    ncl_session_destroy(advised_session(&a));
}
END_TEST

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("first_use");

    if (!fault_layer_load()) {
        puts("$NEXTCL_BUILD/tests/layer_fault.so is missing");
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return ncl_tune_worker(0, 1) == NCL_OK ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "die") == 0) {
        snprintf(place, sizeof place, "%s", argv[2]);
        tcase_add_test(tests, be_a_session);
        return ncl_run_suite(tests, "a session");
    }
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, a_good_one_is_used);
    tcase_add_test(tests, a_crash_costs_a_line);
    tcase_add_test(tests, a_hang_costs_its_patience);
    tcase_add_test(tests, so_does_a_hanging_build);
    tcase_add_test(tests, what_is_slower_here_is_passed_over);
    tcase_add_test(tests, a_session_that_dies_loses_nothing);
    tcase_add_test(tests, two_deaths_are_enough);
    return ncl_run_suite(tests, "first_use");
}

/* Which channel block a network's sessions get. This program is the worker too: started with
 * "serve". */
#include "session/tuned.h"

#include "base/thread.h"
#include "nextcl.h"
#include "support/algo_check.h"
#include "support/fault.h"
#include "support/suite.h"

static const char *const command[] = {"/proc/self/exe", "serve", NULL};

/* ---- blocks that are looked at ---- */

/* Defaults of other blocks that take a worker along are not run in this process. */
START_TEST(a_block_whose_defaults_crash_is_not_looked_at)
{
    char device[64] = "";
    struct early e;

    open_early(&e);
    memcpy(device, e.n.f.device.caps.name, sizeof device - 1);
    ncl_store_binary_cache(e.n.store, &e.t.device.binaries);
    e.t.log = &e.n.f.log;
    e.t.session.device = &e.t.device;
    e.t.session.workers = (struct ncl_session_workers){
        .command = command, .device = device, .cache_dir = place, .store = e.n.store};
    setenv("NCL_LAYER_SOURCE", "#define CB 16\n", 1);
    fault_set("NCL_LAYER_CRASH", 0);
    MUST(ncl_tune_estimate_blocks(&e.net));
    unsetenv("NCL_LAYER_CRASH");
    ck_assert_int_eq(e.t.choice_count, 2);
    ck_assert_int_eq(e.t.choices[0].channel_block, 8);
    ck_assert_int_eq(e.t.choices[1].channel_block, 4);
    ck_assert(e.t.choices[1].standard_seconds > 0);
    ck_assert_msg(strstr(e.n.f.note, "16 channels per block (fp32) are not looked at: a compile "
                                     "worker ended") != NULL,
                  "%s", e.n.f.note);
    close_early(&e);
}
END_TEST

/* ---- what is chosen in the end ---- */

/* Ends a run of the tuner that made these choices, its own block's the first. */
static void end_run(struct ncl_tuning *t, const struct ncl_tune_choice *choices, int count)
{
    struct ncl_tune_net net = {
        .tuning = t,
        .key = "net 0123",
        .pair.median = {choices[0].standard_seconds, choices[0].tuned_seconds},
        .verified = true};

    t->choice_count = count;
    memcpy(t->choices, choices, (size_t)count * sizeof *choices);
    ncl_tune_choose_session(&net);
}

static void check_block(const struct ncl_tuning *t, const char *params, double seconds)
{
    const struct ncl_record_filter filter = {.problem = "net 0123", .chosen_only = true};
    struct ncl_record_list list = {0};

    MUST(ncl_records_find(t->store, &filter, &list));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.records[0].params, params);
    ck_assert_double_eq(list.records[0].seconds, seconds);
    ncl_record_list_free(&list);
}

START_TEST(a_short_run_does_not_undo_the_block_of_a_long_one)
{
    const struct ncl_tune_choice own = {
        .channel_block = 8, .standard_seconds = 4e-3, .tuned_seconds = 3e-3};
    const struct ncl_tune_choice looked_at = {.channel_block = 16, .standard_seconds = 3.9e-3};
    struct ncl_tune_choice tuned = looked_at;
    struct net n;
    struct ncl_tuning t;

    open_net(&n);
    t = (struct ncl_tuning){.store = n.store, .device = n.f.device};
    tuned.tuned = tuned.verified = true;
    tuned.tuned_seconds = 2e-3;
    end_run(&t, (struct ncl_tune_choice[]){own, tuned}, 2);
    check_block(&t, "CB=16", 2e-3);
    end_run(&t, (struct ncl_tune_choice[]){own, looked_at}, 2);
    check_block(&t, "CB=16", 2e-3);
    ck_assert(!t.choices[0].chosen && t.choices[1].chosen);
    end_run(&t, &own, 1);
    check_block(&t, "CB=16", 2e-3);
    ck_assert_int_eq(t.choice_count, 2); /* the report names it all the same */
    ck_assert(!t.choices[0].chosen && t.choices[1].chosen);
    ck_assert_int_eq(t.choices[1].channel_block, 16);
    tuned.tuned_seconds = 3.5e-3; /* it was tuned again, and lost */
    end_run(&t, (struct ncl_tune_choice[]){own, tuned}, 2);
    check_block(&t, "CB=8", 3e-3);
    close_net(&n);
}
END_TEST

START_TEST(a_block_of_an_older_driver_is_undone)
{
    const struct ncl_tune_choice own = {
        .channel_block = 8, .standard_seconds = 4e-3, .tuned_seconds = 3e-3};
    const struct ncl_tune_choice tuned = {.channel_block = 16,
                                          .standard_seconds = 3e-3,
                                          .tuned_seconds = 2e-3,
                                          .tuned = true,
                                          .verified = true};
    struct net n;
    struct ncl_tuning t;

    open_net(&n);
    t = (struct ncl_tuning){.store = n.store, .device = n.f.device};
    end_run(&t, (struct ncl_tune_choice[]){own, tuned}, 2);
    ck_assert(t.choices[1].chosen);
    snprintf(t.device.caps.driver, sizeof t.device.caps.driver, "a newer one");
    end_run(&t, &own, 1);
    ck_assert_int_eq(t.choice_count, 1);
    ck_assert(t.choices[0].chosen);
    close_net(&n);
}
END_TEST

/* Workers compile where drivers are faster in several processes. */
static bool workers_apply(void)
{
    size_t count = 0;
    const struct ncl_device *devices = ncl_check_devices(&count);
    const bool apply = count && devices[0].caps.serial_builds && devices[0].caps.programs > 1 &&
                       ncl_cpu_count() > 1;

    ncl_check_devices_close();
    return apply;
}

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("tune_choice");

    if (!fault_layer_load())
        return 1;
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return ncl_tune_worker(0, 1) == NCL_OK ? 0 : 1;
    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    if (workers_apply())
        tcase_add_test(tests, a_block_whose_defaults_crash_is_not_looked_at);
    tcase_add_test(tests, a_short_run_does_not_undo_the_block_of_a_long_one);
    tcase_add_test(tests, a_block_of_an_older_driver_is_undone);
    return ncl_run_suite(tests, "session/tune_choice");
}

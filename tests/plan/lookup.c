#include "plan/lookup.h"

#include "plan/problems.h"
#include "plan/records.h"
#include "support/suite.h"

#define AVX2 (&ncl_check_synthetic[0])
#define PHONE (&ncl_check_synthetic[4])

static struct ncl_caps here, other_driver, sibling, vendor, klass, stranger;
static struct ncl_problem p;

static void open_all(void)
{
    set_up();
    here = device_named(AVX2, "P", "D", "V", "1");
    other_driver = device_named(AVX2, "P", "D", "V", "2");
    sibling = device_named(AVX2, "P", "E", "V", "1");
    vendor = device_named(AVX2, "Q", "F", "V", "1");
    klass = device_named(AVX2, "Q", "G", "W", "1");
    stranger = device_named(PHONE, "P", "D2", "V", "1");
    p = conv_problem(3, 1);
}

static struct ncl_point direct(int wg)
{
    return (struct ncl_point){.algo = ncl_algo_find("direct"), .v = {wg}};
}

static const struct told winner = {.seconds = 1e-3, .default_seconds = 2e-3};

START_TEST(each_nearer_device_is_preferred)
{
    const struct ncl_caps *devices[] = {&klass, &vendor, &sibling, &other_driver, &here};
    static const char *const names[] = {"class", "vendor", "architecture", "driver", "exact"};
    static const int values[] = {1, 8, 16, 32, 64};
    struct ncl_store *store = open_store();
    struct ncl_advice advice;

    tell(store, &p, &stranger, &(struct ncl_point){ncl_algo_find("direct"), {8}}, &winner);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert_int_eq(advice.match, NCL_MATCH_NONE);
    for (int i = 0; i < 5; i++) {
        const struct ncl_point point = direct(values[i]);

        tell(store, &p, devices[i], &point, &winner);
        ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
        ck_assert_str_eq(ncl_match_name(advice.match), names[i]);
        ck_assert_int_eq(advice.point.v[0], values[i]);
        ck_assert_int_eq(advice.verified, i == 4);
        ck_assert(advice.seconds == 1e-3 && advice.default_seconds == 2e-3);
    }
    ncl_store_close(store);
}
END_TEST

START_TEST(without_a_store_or_records_there_is_none)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    struct ncl_problem other = p;

    ck_assert(!ncl_lookup(NULL, NULL, &p, &here, &advice));
    ck_assert_ptr_null(advice.point.algo);
    tell(store, &p, &here, &(struct ncl_point){ncl_algo_find("direct"), {8}}, &winner);
    other.y.c += 8;
    ck_assert(!ncl_lookup(NULL, store, &other, &here, &advice));
    ncl_store_close(store);
}
END_TEST

START_TEST(records_of_another_kernel_are_retired)
{
    struct ncl_store *store = open_store();
    struct told old = winner;
    struct ncl_advice advice;
    const struct ncl_point point = direct(8);

    old.kernel = "00000000000000000000000000000000";
    tell(store, &p, &here, &point, &old);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    old.verdict = NCL_VERDICT_CRASHED;
    tell(store, &p, &here, &point, &old);
    ck_assert(!ncl_lookup_is_dead(store, &p, &here, &point, NULL, 0)); /* so are tombstones */
    ncl_store_close(store);
}
END_TEST

START_TEST(limits_of_this_device_decide)
{
    const struct ncl_caps phone = device_named(PHONE, "P", "phone", "V", "1");
    const struct ncl_caps large = device_named(&ncl_check_synthetic[6], "P", "large", "V", "1");
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point fits = direct(64), too_large = direct(256);

    p.channel_block = 4;
    tell(store, &p, &large, &too_large, &winner);
    ck_assert(ncl_lookup(NULL, store, &p, &large, &advice));
    ck_assert(!ncl_lookup(NULL, store, &p, &phone, &advice));
    tell(store, &p, &large, &fits, &(struct told){.seconds = 1.5e-3, .default_seconds = 2e-3});
    ck_assert(ncl_lookup(NULL, store, &p, &large, &advice));
    ck_assert(ncl_lookup(NULL, store, &p, &phone, &advice));
    ck_assert_int_eq(advice.match, NCL_MATCH_VENDOR);
    ck_assert_int_eq(advice.point.v[0], 64);
    ncl_store_close(store);
}
END_TEST

START_TEST(tombstones_are_passed_over)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point bad = direct(8), good = direct(16);
    char why[64];

    tell(store, &p, &sibling, &bad, &winner);
    tell(store, &p, &klass, &good, &winner);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(ncl_point_equal(&advice.point, &bad));
    ck_assert(!ncl_lookup_is_dead(store, &p, &here, &bad, why, sizeof why));
    for (int v = NCL_VERDICT_BUILD; v < NCL_VERDICT_COUNT; v++) {
        const struct told dead = {.verdict = (enum ncl_verdict)v, .why = "it did"};

        tell(store, &p, &here, &bad, &dead);
        ck_assert(ncl_lookup_is_dead(store, &p, &here, &bad, why, sizeof why));
        ck_assert_str_eq(why, "it did");
        ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
        ck_assert(ncl_point_equal(&advice.point, &good));
    }
    ck_assert(!ncl_lookup_is_dead(store, &p, &other_driver, &bad, NULL, 0));
    ncl_store_close(store);
}
END_TEST

START_TEST(a_tuned_problem_without_winner_keeps_its_defaults)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point elsewhere = direct(8), measured = direct(16);

    tell(store, &p, &sibling, &elsewhere, &winner);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    tell(store, &p, &here, &measured, &(struct told){.seconds = 3e-3, .loser = true});
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    ncl_store_close(store);
}
END_TEST

START_TEST(imports_advise_what_beats_defaults_and_are_not_verified)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point slow = direct(8), fast = direct(16);
    struct told told = {.origin = NCL_ORIGIN_IMPORTED,
                        .seconds = 3e-3,
                        .default_seconds = 2e-3,
                        .loser = true,
                        .unverified = true};

    tell(store, &p, &here, &slow, &told);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    told.seconds = 1e-3;
    tell(store, &p, &here, &fast, &told);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(ncl_point_equal(&advice.point, &fast));
    ck_assert_int_eq(advice.origin, NCL_ORIGIN_IMPORTED);
    ck_assert(!advice.verified);
    told.unverified = false;
    tell(store, &p, &here, &fast, &told);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(advice.verified);
    ncl_store_close(store);
}
END_TEST

START_TEST(verification_here_holds_for_advice_from_elsewhere)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    struct ncl_standing standing;
    const struct ncl_point point = direct(8);

    tell(store, &p, &sibling, &point, &winner);
    tell(store, &p, &here, &point, &(struct told){.origin = NCL_ORIGIN_IMPORTED, .loser = true});
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert_int_eq(advice.match, NCL_MATCH_ARCHITECTURE);
    ck_assert(advice.verified);
    ncl_lookup_standing(store, &p, &here, &point, &standing);
    ck_assert(standing.verified && standing.verdict == NCL_VERDICT_GOOD);
    ncl_lookup_standing(store, &p, &other_driver, &point, &standing);
    ck_assert(!standing.verified && standing.verdict == NCL_VERDICT_GOOD);
    ncl_store_close(store);
}
END_TEST

START_TEST(a_reasoned_record_needs_a_class_only)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    struct ncl_caps any = device_named(AVX2, "", "", "", "");
    const struct ncl_point point = direct(8);

    tell(store, &p, &any, &point,
         &(struct told){
             .origin = NCL_ORIGIN_ANALYTIC, .loser = true, .unverified = true, .kernel = ""});
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert_int_eq(advice.match, NCL_MATCH_CLASS);
    ck_assert_int_eq(advice.origin, NCL_ORIGIN_ANALYTIC);
    ck_assert(!advice.verified && advice.seconds == 0);
    ck_assert(!ncl_lookup(NULL, store, &p, PHONE, &advice));
    ncl_store_close(store);
}
END_TEST

START_TEST(a_reasoned_record_holds_for_its_compute_units)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    struct ncl_caps any = device_named(AVX2, "", "", "", "");
    const struct told reasoned = {.origin = NCL_ORIGIN_ANALYTIC, .unverified = true, .kernel = ""};
    const struct ncl_point larger = direct(8), all = direct(16);

    any.compute_units = here.compute_units + 1;
    tell(store, &p, &any, &larger, &reasoned);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    any.compute_units = 0;
    tell(store, &p, &any, &all, &reasoned);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(ncl_point_equal(&advice.point, &all));
    ncl_store_close(store);
}
END_TEST

/* What somebody saw fail elsewhere, or wrote into a file, keeps nothing from running. */
START_TEST(tombstones_of_others_bar_nothing)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    struct ncl_standing standing;
    const struct ncl_point point = direct(8);

    tell(store, &p, &sibling, &point, &winner);
    for (int v = NCL_VERDICT_BUILD; v < NCL_VERDICT_COUNT; v++) {
        tell(store, &p, &here, &point,
             &(struct told){.origin = NCL_ORIGIN_IMPORTED, .verdict = (enum ncl_verdict)v});
        ncl_lookup_standing(store, &p, &here, &point, &standing);
        ck_assert_int_eq(standing.verdict, v);
        ck_assert_int_eq(standing.origin, NCL_ORIGIN_IMPORTED);
        ck_assert(!standing.bars);
        ck_assert(!ncl_lookup_is_dead(store, &p, &here, &point, NULL, 0));
        ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
        ck_assert(ncl_point_equal(&advice.point, &point));
    }
    ncl_store_close(store);
}
END_TEST

START_TEST(a_first_use_may_be_interrupted_once)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point point = direct(8);
    struct told told = winner;

    told.origin = NCL_ORIGIN_IMPORTED, told.verdict = NCL_VERDICT_STARTED;
    told.why = NCL_FIRST_USE;
    tell(store, &p, &here, &point, &told);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(ncl_point_equal(&advice.point, &point));
    ck_assert(!advice.verified && advice.seconds == 1e-3);
    told.why = NCL_SECOND_USE;
    tell(store, &p, &here, &point, &told);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    ck_assert(ncl_lookup_is_dead(store, &p, &here, &point, NULL, 0));
    ncl_store_close(store);
}
END_TEST

START_TEST(a_choice_of_others_must_beat_their_defaults)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point point = direct(8);
    struct told told = {.origin = NCL_ORIGIN_IMPORTED, .seconds = 2e-3, .default_seconds = 2e-3};

    tell(store, &p, &here, &point, &told);
    ck_assert(!ncl_lookup(NULL, store, &p, &here, &advice));
    told.origin = NCL_ORIGIN_MEASURED; /* here it was chosen in the network, where it counts */
    tell(store, &p, &here, &point, &told);
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice));
    ncl_store_close(store);
}
END_TEST

START_TEST(what_lost_at_its_first_use_is_passed_over)
{
    struct ncl_store *store = open_store();
    struct ncl_advice advice;
    const struct ncl_point lost = direct(8), next = direct(16);

    tell(store, &p, &sibling, &lost, &winner);
    tell(store, &p, &klass, &next, &winner);
    tell(store, &p, &here, &lost,
         &(struct told){.seconds = 3e-3, .loser = true, .why = NCL_FIRST_USE_LOST});
    ck_assert(ncl_lookup(NULL, store, &p, &here, &advice)); /* nobody has tuned the problem here */
    ck_assert(ncl_point_equal(&advice.point, &next));
    ncl_store_close(store);
}
END_TEST

static struct ncl_record block_record(const struct ncl_caps *caps, char text[64], const char *net,
                                      const char *params)
{
    struct ncl_record record = sample_record();

    record.problem = net, record.algorithm = "session", record.params = params;
    record.kernel = "all of them";
    ncl_fingerprint_of(caps, text, &record.on);
    return record;
}

static int block_of(struct ncl_store *store, const char *net, bool measured_only)
{
    const struct ncl_block_question question = {net, "all of them", measured_only};
    struct ncl_block_advice advice;

    if (!ncl_lookup_block(NULL, store, &here, &question, &advice))
        ck_assert_int_eq(advice.block, 0);
    return advice.block;
}

START_TEST(a_session_takes_the_block_of_its_network)
{
    struct ncl_store *store = open_store();
    char text[64];
    struct ncl_record record = block_record(&here, text, "net 1", "CB=16");

    ck_assert_int_eq(block_of(store, "net 1", false), 0);
    ck_assert(ncl_records_put(store, &record));
    ck_assert_int_eq(block_of(store, "net 1", false), 16);
    ck_assert_int_eq(block_of(store, "net 1", true), 16);
    ck_assert_int_eq(block_of(store, "net 2", false), 0);
    record.params = "CB=7", record.problem = "net 3";
    ck_assert(ncl_records_put(store, &record));
    ck_assert_int_eq(block_of(store, "net 3", false), 0);
    ncl_store_close(store);
}
END_TEST

START_TEST(a_block_is_decided_by_this_device_and_kernels_only)
{
    struct ncl_store *store = open_store();
    char text[64];
    struct ncl_record record = block_record(&sibling, text, "net 1", "CB=16");

    record.origin = NCL_ORIGIN_IMPORTED;
    record.seconds = 1e-9, record.default_seconds = 1;
    ck_assert(ncl_records_put(store, &record));
    ncl_fingerprint_of(&klass, text, &record.on);
    ck_assert(ncl_records_put(store, &record));
    ncl_fingerprint_of(&here, text, &record.on);
    record.kernel = "dead";
    ck_assert(ncl_records_put(store, &record));
    ck_assert_int_eq(block_of(store, "net 1", false), 0);
    record.kernel = "all of them";
    ncl_fingerprint_of(&other_driver, text, &record.on);
    ck_assert(ncl_records_put(store, &record));
    ck_assert_int_eq(block_of(store, "net 1", false), 16);
    ck_assert_int_eq(block_of(store, "net 1", true), 0);
    ncl_store_close(store);
}
END_TEST

START_TEST(winners_are_of_this_machine)
{
    struct ncl_store *store = open_store();
    const struct ncl_point point = direct(8);
    struct told told = winner;

    told.origin = NCL_ORIGIN_IMPORTED;
    tell(store, &p, &here, &point, &told);
    tell(store, &p, &sibling, &point, &winner);
    ck_assert(!ncl_lookup_has_winner(store, &p, &here));
    tell(store, &p, &here, &point, &winner);
    ck_assert(ncl_lookup_has_winner(store, &p, &here));
    ck_assert(!ncl_lookup_has_winner(store, &p, &other_driver));
    ncl_store_close(store);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lookup");

    tcase_add_checked_fixture(tests, open_all, place_drop);
    tcase_add_test(tests, each_nearer_device_is_preferred);
    tcase_add_test(tests, without_a_store_or_records_there_is_none);
    tcase_add_test(tests, records_of_another_kernel_are_retired);
    tcase_add_test(tests, limits_of_this_device_decide);
    tcase_add_test(tests, tombstones_are_passed_over);
    tcase_add_test(tests, a_tuned_problem_without_winner_keeps_its_defaults);
    tcase_add_test(tests, imports_advise_what_beats_defaults_and_are_not_verified);
    tcase_add_test(tests, verification_here_holds_for_advice_from_elsewhere);
    tcase_add_test(tests, a_reasoned_record_needs_a_class_only);
    tcase_add_test(tests, a_reasoned_record_holds_for_its_compute_units);
    tcase_add_test(tests, tombstones_of_others_bar_nothing);
    tcase_add_test(tests, a_first_use_may_be_interrupted_once);
    tcase_add_test(tests, a_choice_of_others_must_beat_their_defaults);
    tcase_add_test(tests, what_lost_at_its_first_use_is_passed_over);
    tcase_add_test(tests, a_session_takes_the_block_of_its_network);
    tcase_add_test(tests, a_block_is_decided_by_this_device_and_kernels_only);
    tcase_add_test(tests, winners_are_of_this_machine);
    return ncl_run_suite(tests, "lookup");
}

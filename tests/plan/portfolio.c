#include "plan/lookup.h"

#include "plan/problems.h"
#include "plan/records.h"
#include "support/suite.h"

#define AVX2 (&ncl_check_synthetic[0])

static struct ncl_caps here, other_driver, sibling, stranger;
static struct ncl_problem p;
static struct ncl_point found[16];

static void open_all(void)
{
    set_up();
    here = device_named(AVX2, "P", "D", "V", "1");
    other_driver = device_named(AVX2, "P", "D", "V", "0");
    sibling = device_named(AVX2, "P", "E", "V", "1");
    stranger = device_named(AVX2, "Q", "F", "W", "1"); /* only of the same class */
    p = conv_problem(3, 1);
}

static void tell_direct(struct ncl_store *store, const struct ncl_problem *problem,
                        const struct ncl_caps *caps, int wg, double seconds, bool loser)
{
    const struct ncl_point point = {.algo = ncl_algo_find("direct"), .v = {wg}};

    tell(store, problem, caps, &point, &(struct told){.seconds = seconds, .loser = loser});
}

/* Expects the points direct WG=... of `values`, which ends with 0, in their order. */
static void expect(struct ncl_store *store, int room, const int *values)
{
    const int count = ncl_portfolio(NULL, store, &p, &here, found, room);
    int i = 0;

    for (; values[i]; i++) {
        ck_assert_int_lt(i, count);
        ck_assert_str_eq(found[i].algo->name, "direct");
        ck_assert_int_eq(found[i].v[0], values[i]);
        ck_assert(ncl_point_legal(&found[i], &p, &here));
    }
    ck_assert_int_eq(i, count);
}

START_TEST(of_an_older_driver_the_first_three)
{
    struct ncl_store *store = open_store();

    expect(store, 16, (const int[]){0});
    tell_direct(store, &p, &other_driver, 8, 4e-3, true);
    tell_direct(store, &p, &other_driver, 16, 1e-3, true);
    tell_direct(store, &p, &other_driver, 32, 2e-3, false);
    tell_direct(store, &p, &other_driver, 64, 3e-3, true);
    expect(store, 16, (const int[]){32, 16, 64, 0}); /* the winner, then by time */
    expect(store, 2, (const int[]){32, 16, 0});
    ncl_store_close(store);
}
END_TEST

START_TEST(nearer_devices_come_first)
{
    struct ncl_store *store = open_store();

    tell_direct(store, &p, &sibling, 8, 1e-3, false);
    tell_direct(store, &p, &sibling, 128, 2e-3, true);
    tell_direct(store, &p, &sibling, 256, 3e-3, true);
    tell_direct(store, &p, &other_driver, 16, 5e-3, false);
    tell_direct(store, &p, &here, 32, 9e-3, true);
    expect(store, 16, (const int[]){32, 16, 8, 128, 0});
    ncl_store_close(store);
}
END_TEST

START_TEST(winners_of_kin_by_distance)
{
    struct ncl_store *store = open_store();
    struct ncl_problem near = p, far = p, farther = p, strided = p, wide = p;

    near.y.c = p.y.c * 2;
    far.y.c = p.y.c * 8;
    farther.y.c = p.y.c * 32; /* no kin any more */
    strided.of.conv.window.stride_h = strided.of.conv.window.stride_w = 2;
    wide.of.conv.window.kernel_h = wide.of.conv.window.kernel_w = 5;
    tell_direct(store, &far, &here, 8, 1e-3, false);
    tell_direct(store, &near, &here, 16, 1e-3, false);
    tell_direct(store, &near, &here, 256, 2e-3, true); /* no winner */
    tell_direct(store, &farther, &here, 1, 1e-3, false);
    tell_direct(store, &near, &stranger, 256, 1e-3, false);
    tell_direct(store, &strided, &here, 32, 1e-3, false);
    tell_direct(store, &wide, &here, 64, 1e-3, false);
    expect(store, 16, (const int[]){16, 8, 256, 0});
    tell_direct(store, &p, &sibling, 128, 1e-3, false);
    expect(store, 16, (const int[]){128, 16, 8, 256, 0}); /* its own problem comes before */
    ncl_store_close(store);
}
END_TEST

START_TEST(groups_are_kin_where_they_are_as_wide)
{
    struct ncl_store *store = open_store();
    struct ncl_problem as_wide, wider;

    p = conv_problem(3, 4);
    as_wide = wider = p;
    as_wide.x.c *= 2, as_wide.y.c *= 2, as_wide.of.conv.groups *= 2;
    wider.x.c *= 2, wider.y.c *= 2;
    tell_direct(store, &wider, &here, 8, 1e-3, false);
    tell_direct(store, &as_wide, &here, 16, 1e-3, false);
    expect(store, 16, (const int[]){16, 0});
    ncl_store_close(store);
}
END_TEST

START_TEST(dead_points_and_marks_of_verification_are_left_out)
{
    struct ncl_store *store = open_store();
    const struct ncl_point dead = {.algo = ncl_algo_find("direct"), .v = {8}};

    tell_direct(store, &p, &sibling, 8, 1e-3, false);
    tell_direct(store, &p, &here, 16, 0, true); /* verified, never timed */
    expect(store, 16, (const int[]){8, 0});
    tell(store, &p, &here, &dead, &(struct told){.verdict = NCL_VERDICT_WRONG});
    expect(store, 16, (const int[]){0});
    ncl_store_close(store);
}
END_TEST

START_TEST(what_failed_for_others_comes_last)
{
    struct ncl_store *store = open_store();
    const struct ncl_point doubted = {.algo = ncl_algo_find("direct"), .v = {8}};

    tell_direct(store, &p, &sibling, 8, 1e-3, false);
    tell_direct(store, &p, &sibling, 16, 2e-3, true);
    expect(store, 16, (const int[]){8, 16, 0});
    tell(store, &p, &here, &doubted,
         &(struct told){.origin = NCL_ORIGIN_IMPORTED, .verdict = NCL_VERDICT_CRASHED});
    expect(store, 16, (const int[]){16, 8, 0});
    ncl_store_close(store);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("portfolio");

    tcase_add_checked_fixture(tests, open_all, place_drop);
    tcase_add_test(tests, of_an_older_driver_the_first_three);
    tcase_add_test(tests, nearer_devices_come_first);
    tcase_add_test(tests, winners_of_kin_by_distance);
    tcase_add_test(tests, groups_are_kin_where_they_are_as_wide);
    tcase_add_test(tests, dead_points_and_marks_of_verification_are_left_out);
    tcase_add_test(tests, what_failed_for_others_comes_last);
    return ncl_run_suite(tests, "portfolio");
}

/* Points of a problem's space: legal, repaired, adopted from other problems, all of them found. */
#include "search/space.h"

#include "search/spaces.h"
#include "support/suite.h"

static struct ncl_task task;
static struct ncl_rng rng;

static void open_task(void)
{
    spaces_tasks(&task, 1);
    rng.state = 1;
}

START_TEST(random_numbers)
{
    struct ncl_rng same = rng;
    int counts[5] = {0};

    for (int i = 0; i < 1000; i++) {
        const int number = ncl_rng_below(&rng, 5);

        ck_assert_int_eq(number, ncl_rng_below(&same, 5));
        ck_assert_int_ge(number, 0);
        ck_assert_int_lt(number, 5);
        counts[number]++;
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_gt(counts[i], 150);
}
END_TEST

START_TEST(sets)
{
    struct ncl_point_set set = {0};
    struct ncl_point point = task.start;

    ck_assert(!ncl_point_set_has(&set, &point));
    for (int i = 0; i < 100; i++) {
        point.v[2] = i;
        ck_assert(ncl_point_set_add(&set, &point));
    }
    ck_assert(ncl_point_set_has(&set, &point));
    point.v[2] = 100;
    ck_assert(!ncl_point_set_has(&set, &point));
    ncl_point_set_free(&set);
}
END_TEST

/* Every legal point once, then no more. */
START_TEST(random_points_are_all_points)
{
    struct ncl_point_set tried = {0};
    struct ncl_point point;
    size_t legal = 0;

    for (int i = 0; i < SPACES_COMBINATIONS; i++)
        legal += spaces_point(&task, i, &point);
    while (ncl_space_random(&task, &tried, &rng, &point)) {
        ck_assert(ncl_space_legal(&task, &point));
        ck_assert(!ncl_point_set_has(&tried, &point));
        ck_assert(ncl_point_set_add(&tried, &point));
        ck_assert_uint_le(tried.count, legal);
    }
    ck_assert_uint_eq(tried.count, legal);
    ncl_point_set_free(&tried);
}
END_TEST

START_TEST(changes_are_legal)
{
    struct ncl_point point;
    int kept = 0, moved = 0;

    for (int i = 0; i < spaces_tunables[0].count; i++) {
        const int value = spaces_tunables[0].values[i];

        if (!ncl_space_set(&task, &task.start, 0, value, &rng, &point))
            continue;
        ck_assert(ncl_space_legal(&task, &point));
        ck_assert_int_eq(point.v[0], value);
        kept++;
    }
    ck_assert_int_eq(kept, spaces_tunables[0].count);
    /* 8 x B is too large for B = 8: B gives way. */
    point = task.start;
    point.v[1] = 8;
    ck_assert(ncl_space_set(&task, &point, 0, 8, &rng, &point));
    ck_assert_int_eq(point.v[0], 8);
    ck_assert_int_le(point.v[1], 4);
    for (int i = 0; i < 100; i++) {
        if (!ncl_space_wander(&task, &task.start, 3, &rng, &point))
            continue;
        ck_assert(ncl_space_legal(&task, &point));
        moved += !ncl_point_equal(&point, &task.start);
    }
    ck_assert_int_gt(moved, 50);
}
END_TEST

START_TEST(defaults)
{
    struct ncl_point point;

    ck_assert(ncl_space_defaults(&task, &spaces_tiled, &point));
    ck_assert(ncl_point_equal(&point, &task.start));
}
END_TEST

/* Another problem's descriptor of the same algorithm has other values: the nearest above counts. */
START_TEST(adopted_points)
{
    static const struct ncl_tunable other_tunables[] = {
        {"A", {3, 5}, 2}, {"B", {1, 2}, 2}, {"C", {64}, 1}, {"D", {0, 1}, 2}};
    struct ncl_algo other = spaces_tiled;
    struct ncl_point from = {.algo = &other, .v = {5, 2, 64, 1}}, point;

    other.tunables = other_tunables;
    ck_assert_int_eq(ncl_space_algo(&task, &other), 0);
    ck_assert(ncl_space_adopt(&task, &from, &rng, &point));
    ck_assert_ptr_eq(point.algo, &spaces_tiled);
    ck_assert_int_eq(point.v[0], 6);
    ck_assert_int_eq(point.v[1], 2);
    ck_assert_int_eq(point.v[2], 32);
    ck_assert_int_eq(point.v[3], 1);
    other.name = "unknown";
    ck_assert_int_eq(ncl_space_algo(&task, &other), -1);
    ck_assert(!ncl_space_adopt(&task, &from, &rng, &point));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("space");

    tcase_add_checked_fixture(tests, open_task, NULL);
    tcase_add_test(tests, random_numbers);
    tcase_add_test(tests, sets);
    tcase_add_test(tests, random_points_are_all_points);
    tcase_add_test(tests, changes_are_legal);
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, adopted_points);
    return ncl_run_suite(tests, "search/space");
}

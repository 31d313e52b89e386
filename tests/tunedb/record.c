#include "tunedb/record.h"
#include "support/suite.h"
#include "tunedb/fields.h"
#include <stdlib.h>
#include <string.h>

#include "place.h"

START_TEST(names_are_found_again)
{
    for (int i = 0; i < NCL_VERDICT_COUNT; i++) {
        ck_assert_int_eq(ncl_verdict_parse(ncl_verdict_name((enum ncl_verdict)i)), i);
    }
    for (int i = 0; i < NCL_ORIGIN_COUNT; i++) {
        ck_assert_int_eq(ncl_origin_parse(ncl_origin_name((enum ncl_origin)i)), i);
    }
    ck_assert_int_eq(ncl_verdict_parse("Good"), NCL_VERDICT_COUNT);
    ck_assert_int_eq(ncl_verdict_parse(""), NCL_VERDICT_COUNT);
    ck_assert_int_eq(ncl_origin_parse("measured "), NCL_ORIGIN_COUNT);
}
END_TEST

START_TEST(classes_are_devices_programmed_alike)
{
    static const struct {
        struct ncl_caps caps;
        const char *text;
    } cases[] = {
        {{.type = NCL_DEVICE_CPU, .native_floats = 16, .lanes = 1}, "cpu floats16"},
        {{.type = NCL_DEVICE_CPU, .native_floats = 4, .lanes = 1}, "cpu floats4"},
        {{.type = NCL_DEVICE_CPU, .native_floats = 1, .lanes = 64}, "other lanes64"},
        {{.type = NCL_DEVICE_GPU, .native_floats = 1, .lanes = 32}, "gpu lanes32"},
        {{.type = NCL_DEVICE_GPU, .lanes = 64, .scalar_registers = true}, "gpu lanes64 scalar"},
        {{.type = NCL_DEVICE_GPU, .lanes = 32, .scalar_registers = true, .paired_fma = true},
         "gpu lanes32 scalar paired"},
        {{.type = NCL_DEVICE_OTHER, .lanes = 16}, "other lanes16"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        ncl_caps_class(&cases[i].caps, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(a_list_has_its_own_copies)
{
    struct ncl_record_list list = {0};
    char params[16] = "P=1";
    struct ncl_record record = sample_record();

    record.params = params;
    ck_assert(ncl_record_list_add(&list, &record));
    strcpy(params, "P=2");
    ck_assert(ncl_record_list_add(&list, &record));
    for (int i = 0; i < 100; i++) {
        ck_assert(ncl_record_list_add(&list, &list.records[0]));
    }
    ck_assert_str_eq(list.records[0].params, "P=1");
    ck_assert_str_eq(list.records[1].params, "P=2");
    ck_assert_str_eq(list.records[101].params, "P=1");
    ncl_record_list_free(&list);
    ncl_record_list_free(&list);
}
END_TEST

/* In the order that is promised; params name the rank. */
static size_t add_ranked(struct ncl_record_list *list)
{
    struct ncl_record r = sample_record();
    const struct ncl_record base = r;
    size_t count = 0;
    char rank[16];

#define RANKED(...)                                                                                \
    do {                                                                                           \
        r = base;                                                                                  \
        __VA_ARGS__;                                                                               \
        snprintf(rank, sizeof(rank), "%02zu", count++);                                            \
        r.why = rank;                                                                              \
        ck_assert(ncl_record_list_add(list, &r));                                                  \
    } while (0)
    RANKED(r.on.device = "A", r.problem = "z", r.seconds = 9);
    RANKED(r.on.driver = "1.1", r.problem = "z");
    RANKED(r.problem = "a", r.seconds = 9);
    RANKED(r.seconds = 8); /* chosen */
    RANKED(r.chosen = false, r.seconds = 1, r.algorithm = "a", r.params = "P=2");
    RANKED(r.chosen = false, r.seconds = 1, r.algorithm = "b", r.params = "P=1");
    RANKED(r.chosen = false, r.seconds = 1, r.algorithm = "b", r.params = "P=2");
    RANKED(r.chosen = false, r.seconds = 2, r.algorithm = "a");
    RANKED(r.chosen = false, r.seconds = 0, r.algorithm = "a"); /* not timed */
    RANKED(r.chosen = false, r.seconds = 0, r.verdict = NCL_VERDICT_BUILD, r.algorithm = "a");
    RANKED(r.chosen = false, r.seconds = 0, r.verdict = NCL_VERDICT_WRONG, r.algorithm = "b");
#undef RANKED
    return count;
}

static void shuffle(struct ncl_record_list *list)
{
    for (size_t i = list->count - 1; i > 0; i--) {
        const size_t j = (size_t)rand() % (i + 1);
        const struct ncl_record record = list->records[i];
        list->records[i] = list->records[j];
        list->records[j] = record;
    }
}

START_TEST(one_order_whatever_the_one_before)
{
    struct ncl_record_list list = {0};
    const size_t count = add_ranked(&list);

    srand(1);
    for (int round = 0; round < 200; round++) {
        shuffle(&list);
        ncl_record_list_sort(&list);
        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(atoi(list.records[i].why), (int)i);
        }
    }
    ncl_record_list_free(&list);
}
END_TEST

START_TEST(uniting_keeps_the_newest_of_a_point)
{
    struct ncl_record_list list = {0};
    struct ncl_record r = sample_record();

    r.utc = 100, r.seconds = 1;
    ck_assert(ncl_record_list_add(&list, &r));
    r.utc = 300, r.seconds = 3;
    ck_assert(ncl_record_list_add(&list, &r));
    r.utc = 200, r.seconds = 2;
    ck_assert(ncl_record_list_add(&list, &r));
    r.utc = 400, r.seconds = 0, r.origin = NCL_ORIGIN_ANALYTIC, r.verified = false;
    ck_assert(ncl_record_list_add(&list, &r));
    ncl_record_list_unite(&list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert(list.records[0].seconds == 3);
    ncl_record_list_free(&list);
    ncl_record_list_unite(&list);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(uniting_leaves_one_choice_a_problem)
{
    struct ncl_record_list list = {0};
    struct ncl_record r = sample_record();

    r.params = "P=1", r.seconds = 2;
    ck_assert(ncl_record_list_add(&list, &r));
    r.params = "P=2", r.seconds = 1;
    ck_assert(ncl_record_list_add(&list, &r));
    r.params = "P=3", r.seconds = 0.5, r.chosen = false;
    ck_assert(ncl_record_list_add(&list, &r));
    r.params = "P=4", r.problem = "another", r.seconds = 7, r.chosen = true;
    ck_assert(ncl_record_list_add(&list, &r));
    ncl_record_list_unite(&list);
    ck_assert_uint_eq(list.count, 4);
    ck_assert_str_eq(list.records[0].params, "P=4");
    ck_assert(list.records[0].chosen);
    ck_assert_str_eq(list.records[1].params, "P=2");
    ck_assert(list.records[1].chosen);
    ck_assert(!list.records[2].chosen && !list.records[3].chosen);

    /* Another kernel's times say nothing of this one's: the newer choice wins. */
    r = sample_record();
    r.kernel = "newer", r.seconds = 9, r.utc += 1;
    ck_assert(ncl_record_list_add(&list, &r));
    ncl_record_list_unite(&list);
    ck_assert_str_eq(list.records[1].kernel, "newer");
    ck_assert(list.records[1].chosen && !list.records[2].chosen);
    ncl_record_list_free(&list);
}
END_TEST

static char too_long[600];

START_TEST(flaws_are_found)
{
    const struct ncl_record good = sample_record();
    struct ncl_record r = good;

    memset(too_long, 'x', sizeof(too_long) - 1);
    ck_assert_ptr_null(ncl_record_flaw(&good));
#define FLAW(...)                                                                                  \
    do {                                                                                           \
        r = good;                                                                                  \
        __VA_ARGS__;                                                                               \
        ck_assert_msg(ncl_record_flaw(&r) != NULL, #__VA_ARGS__);                                  \
    } while (0)
    FLAW(r.seconds = -1);
    FLAW(r.seconds = strtod("nan", NULL));
    FLAW(r.spread = strtod("inf", NULL));
    FLAW(r.default_seconds = 1e7);
    FLAW(r.samples = -1);
    FLAW(r.order_version = -1);
    FLAW(r.on.compute_units = -1);
    FLAW(r.utc = -1);
    FLAW(r.utc = INT64_MAX);
    FLAW(r.verdict = NCL_VERDICT_COUNT);
    FLAW(r.origin = NCL_ORIGIN_COUNT);
    FLAW(r.why = NULL);
    FLAW(r.problem = too_long);
    FLAW(r.params = too_long);
    FLAW(r.problem = "");
    FLAW(r.algorithm = "");
    FLAW(r.on.klass = "");
    FLAW(r.on.device = "");
    FLAW(r.origin = NCL_ORIGIN_ANALYTIC, r.verified = false); /* timed */
    FLAW(r.verdict = NCL_VERDICT_WRONG, r.verified = false);  /* chosen */
    FLAW(r.verdict = NCL_VERDICT_WRONG, r.chosen = false);    /* verified */
#undef FLAW
    r = good;
    r.origin = NCL_ORIGIN_ANALYTIC, r.verified = false, r.seconds = 0;
    r.on = (struct ncl_fingerprint){"", "", "", "", "gpu lanes32", 0}, r.kernel = "";
    ck_assert_ptr_null(ncl_record_flaw(&r));
    r.verified = true; /* here, on its first use */
    ck_assert_ptr_null(ncl_record_flaw(&r));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("record");

    tcase_add_test(tests, names_are_found_again);
    tcase_add_test(tests, classes_are_devices_programmed_alike);
    tcase_add_test(tests, a_list_has_its_own_copies);
    tcase_add_test(tests, one_order_whatever_the_one_before);
    tcase_add_test(tests, uniting_keeps_the_newest_of_a_point);
    tcase_add_test(tests, uniting_leaves_one_choice_a_problem);
    tcase_add_test(tests, flaws_are_found);
    return ncl_run_suite(tests, "tunedb/record");
}

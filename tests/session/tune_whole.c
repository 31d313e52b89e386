/* Whole sessions in turn: what is wrong now and then is found. */
#include "session/tuned.h"

#include "support/fault.h"
#include "support/suite.h"

static int count_pointwise(const struct ncl_session *session)
{
    int count = 0;

    for (int i = 0; i < session->schedule->step_count; i++)
        count += strcmp(session->layers[i].choice.point.algo->name, "pointwise") == 0;
    return count;
}

static long launches; /* of 1x1 convolutions so far, as the layer counts them */

/* Does timing two standard sessions in turn find outputs that differ if, in the second run, the
 * launch of the n-th 1x1 convolution is lost? -1: none is. */
static bool finds_a_lost_launch(struct early *e, int n)
{
    struct ncl_session *sessions[2];
    struct ncl_tune_pair pair;
    int each;

    for (int i = 0; i < 2; i++)
        MUST(ncl_tune_make_session(&e->net, NCL_TUNE_STANDARD, &sessions[i]));
    each = count_pointwise(sessions[0]);
    ck_assert_int_gt(each, n);
    setenv("NCL_LAYER_KERNEL", "pointwise", 1);
    fault_set("NCL_LAYER_SKIP", n < 0 ? -1 : launches + each + n + 1);
    MUST(ncl_tune_time_pair(&e->net, sessions, 0, 3, &pair));
    unsetenv("NCL_LAYER_SKIP");
    unsetenv("NCL_LAYER_KERNEL");
    launches += 2L * (1 + pair.rounds) * 3 * each; /* a turn has three runs, the first warms up */
    for (int i = 0; i < 2; i++)
        ncl_session_destroy(sessions[i]);
    return pair.differs;
}

/* A kernel that is right at first and wrong later on. Where a tensor lies in the same memory in
 * each run and nothing else does, a lost launch cannot be seen: of the first four one must be. */
START_TEST(each_run_in_turn_must_repeat_the_first)
{
    struct early e;
    int found = 0;

    open_early(&e);
    ck_assert(!finds_a_lost_launch(&e, -1));
    for (int n = 0; n < 4; n++)
        found += finds_a_lost_launch(&e, n);
    ck_assert_int_gt(found, 0);
    ck_assert(!finds_a_lost_launch(&e, -1));
    close_early(&e);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("tune_whole");

    if (!fault_layer_load())
        return 1;
    tcase_add_checked_fixture(tests, place_make, place_drop);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, each_run_in_turn_must_repeat_the_first);
    return ncl_run_suite(tests, "session/tune_whole");
}

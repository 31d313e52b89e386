#include "search/search.h"
#include <stdio.h>

#include "search/spaces.h"
#include "support/suite.h"

static void answer(void *user, int task, const struct ncl_point *point, struct ncl_fake_answer *a)
{
    (void)user;
    a->seconds = spaces_separable(task, point);
    a->prepare = 0.2;
}

START_TEST(first)
{
    struct ncl_task tasks[3];
    struct ncl_fake fake;
    struct ncl_evaluator ev;
    struct ncl_search_clock clock;
    struct ncl_search_task results[3];
    spaces_tasks(tasks, 3);
    ncl_fake_open(&fake, tasks, 3);
    fake.answer = answer;
    ncl_fake_evaluator(&fake, &ev, &clock);
    struct ncl_search s = {.tasks = tasks,
                           .task_count = 3,
                           .evaluator = &ev,
                           .clock = &clock,
                           .seed = 1,
                           .budget = 30};
    ck_assert_int_eq(ncl_search_run(NULL, &s, results), NCL_OK);
    for (int i = 0; i < 3; i++) {
        struct ncl_text t = {0};
        ncl_point_params(&results[i].best, &t);
        printf("%d %s %s %g %g dec %d good %d now %g\n", i, results[i].best.algo->name, t.data,
               results[i].start_seconds, results[i].best_seconds, results[i].decided,
               results[i].tried[0], fake.now);
    }
}
END_TEST
int main(void)
{
    TCase *tests = tcase_create("search");

    tcase_add_test(tests, first);
    return ncl_run_suite(tests, "search");
}

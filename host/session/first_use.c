#include "session/first_use.h"

#include "base/memory.h"
#include "search/measure.h"
#include "session/worker.h"

#include <stdlib.h>

/* Seconds that a worker may take to compile a kernel, which busy machines and slow compilers need,
 * and to run it once. */
#define BUILD_SECONDS 8.0
#define RUN_SECONDS 2.0
/* Kernels are built together. Here a crash leaves all of a batch in doubt, and there are no hangs
 * to wait for; a worker and the one that compiles ahead for it take one each. */
#define BATCH_HERE 8
#define BATCH_APART 2
/* Of the planner's time: less is not worth telling apart on any machine. */
#define ALIKE 0.02

struct ncl_first_use {
    struct ncl_session *session;
    const struct ncl_problem *problems;
    int count;
    const int *done;
    struct ncl_worker *worker; /* NULL: all runs here */
    struct ncl_evaluator apart;
    struct ncl_trials *trials; /* of this process; NULL: not needed yet */
    struct ncl_evaluator here;
};

static int is_cancelled(void *user)
{
    const struct ncl_first_use *use = user;
    const struct ncl_session_config *config = &use->session->config;

    return config->progress && config->progress(config->user, "verifying records",
                                                (size_t)*use->done, (size_t)use->count);
}

static ncl_status open_worker(struct ncl_first_use *use)
{
    const struct ncl_session_workers *workers = &use->session->config.workers;
    const struct ncl_worker_config config = {
        .log = use->session->device->log,
        .command = workers->command,
        .device = workers->device,
        .cache_dir = workers->cache_dir,
        .trials = {.problems = use->problems, .problem_count = use->count},
        .build_seconds = BUILD_SECONDS,
        .run_seconds = RUN_SECONDS,
        .cancelled = is_cancelled,
        .user = use,
    };
    const ncl_status status = ncl_worker_open(&config, &use->worker);

    if (status == NCL_OK)
        ncl_worker_evaluator(use->worker, &use->apart);
    return status;
}

static ncl_status open_here(struct ncl_first_use *use)
{
    const struct ncl_trials_config config = {
        .device = use->session->device, .problems = use->problems, .problem_count = use->count};
    const ncl_status status = use->trials ? NCL_OK : ncl_trials_open(&config, &use->trials);

    if (status == NCL_OK)
        ncl_trials_evaluator(use->trials, &use->here);
    return status;
}

ncl_status ncl_first_use_open(struct ncl_session *session, const struct ncl_problem *problems,
                              int count, const int *done, struct ncl_first_use **use)
{
    const struct ncl_session_workers *workers = &session->config.workers;
    ncl_status status = NCL_OK;

    *use = ncl_alloc(1, sizeof **use);
    if (!*use)
        return ncl_fail_memory(session->device->log, "verifying records");
    **use = (struct ncl_first_use){session, problems, count, done, NULL, {0}, NULL, {0}};
    if (workers->command && workers->device)
        status = open_worker(*use);
    if (status == NCL_ERROR_DEVICE) {
        ncl_note(session->device->log, NCL_LOG_WARNING,
                 "records are verified in this process, where a crash would end it: %s",
                 ncl_error_text());
        status = NCL_OK;
    }
    return status;
}

void ncl_first_use_close(struct ncl_first_use *use)
{
    if (!use)
        return;
    ncl_worker_close(use->worker);
    ncl_trials_close(use->trials);
    free(use);
}

bool ncl_first_use_is_apart(const struct ncl_first_use *use)
{
    return use->worker != NULL;
}

int ncl_first_use_batch(const struct ncl_first_use *use)
{
    return use->worker ? BATCH_APART : BATCH_HERE;
}

ncl_status ncl_first_use_try(struct ncl_first_use *use, struct ncl_trial *trials, int count)
{
    ncl_status status;

    if (use->worker)
        return use->apart.prepare(use->apart.self, trials, count);
    status = open_here(use);
    return status == NCL_OK ? use->here.prepare(use->here.self, trials, count) : status;
}

void ncl_first_use_forget(struct ncl_first_use *use, const struct ncl_trial *trial)
{
    if (use->worker)
        use->apart.forget(use->apart.self, trial);
    if (use->trials)
        use->here.forget(use->here.self, trial);
}

/* ---- times ---- */

/* Both are prepared. */
static ncl_status measure(struct ncl_first_use *use, struct ncl_trial *trial,
                          struct ncl_trial *yard, struct ncl_first_use_times *times)
{
    struct ncl_measured measured = {0};
    struct ncl_series series;
    struct ncl_gauge gauge = {.evaluator = &use->here, .yard = yard, .quick = true};
    ncl_status status = ncl_series_begin(&use->here, yard, 0, &series, &gauge.reference);

    if (status == NCL_OK && yard->verdict == NCL_VERDICT_GOOD)
        status = ncl_series_take(&use->here, yard, 0, &series);
    if (status != NCL_OK || yard->verdict != NCL_VERDICT_GOOD)
        return status;
    gauge.best = gauge.reference = ncl_series_value(&series, 0, ncl_series_by_wall(&series));
    status = ncl_measure(&gauge, trial, &measured);
    if (trial->verdict == NCL_VERDICT_TIME)
        trial->verdict = NCL_VERDICT_GOOD; /* without a clock it still computes */
    if (status != NCL_OK || trial->verdict != NCL_VERDICT_GOOD || measured.start_seconds <= 0)
        return status;
    *times = (struct ncl_first_use_times){
        .seconds = measured.seconds,
        .standard_seconds = gauge.reference,
        .samples = measured.samples,
        .loses = measured.seconds - measured.spread > (1 + ALIKE) * gauge.reference,
    };
    return NCL_OK;
}

ncl_status ncl_first_use_time(struct ncl_first_use *use, struct ncl_trial *trial,
                              const struct ncl_point *standard, struct ncl_first_use_times *times)
{
    struct ncl_trial pair[2] = {*trial, {.task = trial->task, .point = *standard}};
    ncl_status status = open_here(use);

    *times = (struct ncl_first_use_times){0};
    if (status == NCL_OK)
        status = use->here.prepare(use->here.self, pair, 2);
    if (status == NCL_OK && pair[0].verdict == NCL_VERDICT_GOOD &&
        pair[1].verdict == NCL_VERDICT_GOOD)
        status = measure(use, &pair[0], &pair[1], times);
    if (use->trials)
        use->here.forget(use->here.self, &pair[1]);
    if (status == NCL_OK)
        *trial = pair[0];
    return status;
}

#include "session/tune_parts.h"

#include "base/clock.h"
#include "tunedb/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_SECONDS 60.0
#define QUICK_SECONDS 10.0
/* What the search leaves for the end, beside making and verifying a session: timing in turn. */
#define END_SHARE 0.1
#define END_SECONDS 0.5
/* A kernel takes so long to build when its driver has not cached it, at most, as a rule. */
#define KERNEL_SECONDS 0.06
/* Multiply-accumulates a second of the host's oracle on two cores, for the budget only. */
#define ORACLE_MACS_PER_SECOND 2.5e9
#define PEAK_DOUBT 3.0 /* of a peak that was measured once */
/* No compute unit does more floating-point operations a cycle: four of today's largest. */
#define UNIT_FLOPS 1024.0
#define FASTEST_MHZ 6000.0 /* where the driver does not say */
/* So long is searched although the rest of a small budget is used up by making sessions: at most a
 * second, and this part of the budget. */
#define MIN_SEARCH_SECONDS 1.0
#define MIN_SEARCH_PART 0.25
#define END_UNLIMITED 60.0
/* Of what is left, until the most promising points are measured, at most. */
#define USEFUL_PART 0.3
/* Of what is left, for the device's own channel block where another one is tuned too. */
#define MAIN_SHARE 0.6

double ncl_tune_elapsed(const struct ncl_tuning *tuning)
{
    return (double)(ncl_clock_ns() - tuning->begin) * 1e-9;
}

ncl_status ncl_tune_tell(struct ncl_tuning *tuning)
{
    const ncl_tune_options *o = &tuning->options;

    tuning->progress.elapsed = ncl_tune_elapsed(tuning);
    tuning->progress.budget = o->budget_seconds;
    if (o->budget_seconds > 0)
        tuning->progress.seconds_left = fmax(o->budget_seconds - tuning->progress.elapsed, 0);
    if (!tuning->cancelled && o->progress && o->progress(o->user, &tuning->progress))
        tuning->cancelled = true;
    return tuning->cancelled ? ncl_fail(tuning->log, NCL_ERROR_CANCELLED, "tuning was cancelled")
                             : NCL_OK;
}

/* Of sessions that are made and verified on the way. */
static int tell_stage(void *user, const char *stage, size_t done, size_t total)
{
    (void)stage;
    (void)done;
    (void)total;
    return ncl_tune_tell(user) != NCL_OK;
}

/* ---- the run ---- */

/* A queue of its own, so that launches have times whatever the context's queue is like. */
static ncl_status open_queue(struct ncl_tuning *t)
{
    const struct ncl_device *device = t->config->session.device;
    cl_command_queue queue;
    cl_int code = CL_SUCCESS;
    ncl_status status;

    queue = device->cl->CreateCommandQueue(
        device->context, device->id, device->caps.profiling ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    if (code != CL_SUCCESS)
        return ncl_cl_fail(t->log, "clCreateCommandQueue", code);
    status = ncl_device_adopt(t->log, device->cl, device->context, device->id, queue, &t->device);
    device->cl->ReleaseCommandQueue(queue);
    if (status != NCL_OK)
        return status;
    t->device.caps = device->caps;
    t->device.binaries = device->binaries;
    t->own_queue = true;
    return NCL_OK;
}

static void set_options(struct ncl_tuning *t, const ncl_tune_options *given)
{
    ncl_tune_options *o = &t->options;

    if (given)
        memcpy(o, given, given->struct_size);
    t->budget_given = o->budget_seconds > 0;
    if (!o->seed)
        o->seed = 1;
    if (o->effort == NCL_EFFORT_NORMAL && !(o->budget_seconds > 0))
        o->budget_seconds = NORMAL_SECONDS;
    if (o->effort == NCL_EFFORT_QUICK &&
        !(o->budget_seconds > 0 && o->budget_seconds < QUICK_SECONDS))
        o->budget_seconds = QUICK_SECONDS;
    if (o->budget_seconds < 0)
        o->budget_seconds = 0; /* full: as long as it takes */
}

static ncl_status open_tuning(struct ncl_tuning *t)
{
    ncl_status status;

    set_options(t, t->config->options);
    status = open_queue(t);
    t->session = t->config->session;
    t->session.device = &t->device;
    t->session.progress = tell_stage;
    t->session.user = t;
    t->store = t->config->session.store;
    if (status == NCL_OK)
        status = ncl_session_math(&t->device, t->config->session.math, &t->session.math);
    return status;
}

static void close_tuning(struct ncl_tuning *t)
{
    ncl_tune_evaluate_close(t);
    if (t->own_queue)
        ncl_device_close(&t->device);
}

/* ---- the run over one network ---- */

/* Seconds that making, verifying and timing the winners' session will take. */
double ncl_tune_end_seconds(const struct ncl_tune_net *net)
{
    const struct ncl_tuning *t = net->tuning;
    const double kernels = KERNEL_SECONDS * net->count;
    const double create = t->create_seconds > kernels ? t->create_seconds : kernels;

    return create + t->verify_seconds + END_SHARE * t->options.budget_seconds + END_SECONDS;
}

/* What no device of so many units does, whatever it was doing while its peak was measured. */
static double utmost_flops(const struct ncl_caps *caps)
{
    const double mhz = caps->clock_mhz ? caps->clock_mhz : FASTEST_MHZ;

    return UNIT_FLOPS * caps->compute_units * mhz * 1e6;
}

/* A time far beyond the device's peak is a mistake. The peak is measured while others may be at
 * work, so that what the device's units could do, and what a layer reached inside the network,
 * count too; Winograd's transforms save up to three quarters of a convolution. */
static ncl_status bound_times(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    const bool fast = t->session.math == NCL_MATH_FAST;
    double peak;
    ncl_status status = NCL_OK;

    if (t->peak_gflops == 0)
        status = ncl_device_peak_gflops(&t->device, fast, &t->peak_gflops);
    peak = fmax(t->peak_gflops * 1e9 * PEAK_DOUBT, utmost_flops(&t->device.caps));
    for (int i = 0; i < net->count; i++) {
        const double seconds = net->layers[i].inside[0];

        if (seconds > 0)
            peak = fmax(peak, PEAK_DOUBT * 2 * ncl_problem_macs(&net->tasks[i].problem) / seconds);
    }
    for (int i = 0; peak > 0 && i < net->count; i++)
        net->tasks[i].least_seconds =
            2 * ncl_problem_macs(&net->tasks[i].problem) / (peak * (fast ? 4 : 1));
    return status;
}

/* The standard session, and what it takes: the yardstick. */
ncl_status ncl_tune_make_standard(struct ncl_tune_net *net, struct ncl_session **session)
{
    struct ncl_session *sessions[2] = {NULL, NULL};
    ncl_status status;

    net->tuning->net = net;
    status = ncl_tune_make_untried(net, session);
    sessions[0] = *session;
    if (status == NCL_OK)
        status = ncl_tune_time_pair(net, sessions, 0.3, 10, &net->pair);
    if (status == NCL_OK)
        status = bound_times(net);
    for (int i = 0; status == NCL_OK && i < net->schedule->step_count; i++)
        net->macs += ncl_problem_macs(&net->schedule->steps[i].problem);
    net->tuning->verify_seconds = net->macs / ORACLE_MACS_PER_SECOND;
    if (status == NCL_OK)
        net->measured_at = ncl_tune_elapsed(net->tuning);
    return status;
}

/* End to end, what a search from bad parameters begins with. */
static ncl_status time_start(struct ncl_tune_net *net)
{
    struct ncl_session *sessions[2] = {NULL, NULL};
    struct ncl_tune_pair pair = {.rounds = 0};
    ncl_status status = ncl_tune_make_session(net, NCL_TUNE_START, &sessions[0]);

    if (status == NCL_OK)
        status = ncl_tune_time_pair(net, sessions, 0.5, 10, &pair);
    net->start_seconds = pair.median[0];
    ncl_session_destroy(sessions[0]);
    return status;
}

static ncl_status prepare_start(struct ncl_tune_net *net)
{
    ncl_status status = NCL_OK;

    if (net->tuning->options.from_worst && !net->resumed_count) {
        status = ncl_tune_start_from_worst(net);
        if (status == NCL_OK)
            status = time_start(net);
    } else {
        net->start_seconds = net->pair.median[0];
    }
    return status;
}

static double least_search(const struct ncl_tuning *t)
{
    return fmin(MIN_SEARCH_SECONDS, MIN_SEARCH_PART * t->options.budget_seconds);
}

/* Search and end of one network within `seconds` (<= 0: as long as it takes). */
ncl_status ncl_tune_one(struct ncl_tune_net *net, struct ncl_session *standard, double seconds)
{
    struct ncl_tuning *t = net->tuning;
    const double end = ncl_tune_elapsed(t) + seconds;
    double left;
    ncl_status status = ncl_tune_evaluate_open(net);

    if (status == NCL_OK)
        status = prepare_start(net);
    left = seconds > 0 ? end - ncl_tune_elapsed(t) - ncl_tune_end_seconds(net) : 0;
    if (status == NCL_OK)
        status = ncl_tune_search(net, seconds > 0 ? fmax(left, least_search(t)) : 0, false);
    ncl_tune_evaluate_close(t);
    if (status == NCL_OK)
        status =
            ncl_tune_finish(net, standard, seconds > 0 ? end - ncl_tune_elapsed(t) : END_UNLIMITED);
    return status;
}

/* Of the budget; 0: there is none, and no end, which "used up" must not look like. */
double ncl_tune_seconds_left(const struct ncl_tuning *t)
{
    const double left = t->options.budget_seconds - ncl_tune_elapsed(t);

    return t->options.budget_seconds > 0 ? fmax(left, 1e-3) : 0;
}

/* What others found first, before anything that takes long: from then on a session has something of
 * this run, however it ends. */
static ncl_status search_useful(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    ncl_status status;

    if (ncl_tune_is_useful(net) || t->options.from_worst || t->options.effort == NCL_EFFORT_FULL)
        return NCL_OK;
    status = bound_times(net);
    if (status == NCL_OK)
        status = ncl_tune_evaluate_open(net);
    return status == NCL_OK ? ncl_tune_search(net, USEFUL_PART * ncl_tune_seconds_left(t), true)
                            : status;
}

static ncl_status tune_all(struct ncl_tune_net *net, struct ncl_session **standard)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_tune_choice *other = NULL;
    ncl_status status = search_useful(net);

    if (status == NCL_OK)
        status = ncl_tune_make_standard(net, standard);
    if (status == NCL_OK)
        status = search_useful(net); /* now that it is known where the time lies */
    if (status == NCL_OK && ncl_tune_tries_sessions(t)) {
        status = ncl_tune_estimate_blocks(net);
        other = status == NCL_OK ? ncl_tune_close_block(t) : NULL;
    }
    if (status == NCL_OK)
        status =
            ncl_tune_one(net, *standard, (other ? MAIN_SHARE : 1.0) * ncl_tune_seconds_left(t));
    if (status == NCL_OK && other)
        status = ncl_tune_other_block(net, other);
    return status;
}

static ncl_status run(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    struct ncl_session *standard = NULL;
    ncl_status status = tune_all(net, &standard);

    if (status == NCL_OK || status == NCL_ERROR_CANCELLED)
        ncl_tune_choose(net, status == NCL_OK);
    ncl_tune_forget_started(net);
    if (status == NCL_OK) {
        ncl_tune_end_journal(net);
        if (t->choice_count)
            ncl_tune_choose_session(net);
    }
    ncl_session_destroy(standard);
    return status;
}

/* Before a minute is spent on it. */
static void say_if_nothing_is_kept(const struct ncl_tuning *t)
{
    const char *reason = ncl_store_reason(t->store);

    if (!t->store || !ncl_store_is_active(t->store))
        ncl_note(t->log, NCL_LOG_WARNING, "what tuning finds will be kept nowhere: %s",
                 reason ? reason : "there is no cache folder");
}

/* Once all is chosen, whoever asks to stop has a finished run. */
static ncl_status tune_and_choose(struct ncl_tune_net *net)
{
    ncl_status status;

    say_if_nothing_is_kept(net->tuning);
    status = run(net);
    if (status != NCL_OK)
        return status;
    status = ncl_tune_measure_storage(net);
    if (status == NCL_ERROR_CANCELLED)
        net->tuning->cancelled = false;
    return status == NCL_ERROR_CANCELLED ? NCL_OK : status;
}

ncl_status ncl_tune_network(const struct ncl_tune_config *config, const struct ncl_graph *model,
                            const struct ncl_dims *inputs, int input_count, char **json)
{
    struct ncl_tuning t = {.config = config,
                           .model = model,
                           .inputs = inputs,
                           .input_count = input_count,
                           .log = config->session.device->log,
                           .begin = ncl_clock_ns(),
                           .progress = {.layer = ""}};
    struct ncl_tune_net net = {.tuning = &t};
    ncl_status status = open_tuning(&t);
    ncl_status reported = NCL_OK;

    if (status == NCL_OK)
        status =
            ncl_tune_net_open(&t, config->session.channel_block, config->session.precision, &net);
    if (status == NCL_OK)
        status = ncl_tune_recall(&net);
    if (status == NCL_OK && !t.options.dry_run)
        status = tune_and_choose(&net);
    if (json &&
        (status == NCL_OK || status == NCL_ERROR_CANCELLED || status == NCL_ERROR_MISMATCH)) {
        ncl_tune_note_useful(&net);
        ncl_tune_count_points(&net);
        reported = ncl_tune_report(&t, &net, json);
    }
    ncl_tune_net_close(&net);
    close_tuning(&t);
    return status != NCL_OK ? status : reported;
}

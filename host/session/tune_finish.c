/* The end of tuning: a kernel's time alone is not its time in the network, so the winners are
 * judged there before anything uses them. */
#include "session/tune_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sessions made in turn until what is left of the winners holds: each drops some. */
#define ATTEMPTS 4
#define MAX_ROUNDS 300
#define BELIEVED 2.0         /* standard errors */
#define STANDARD_SECONDS 1.0 /* of timing a session that nothing changed */
#define GRACE 0.1            /* of the budget: verifying may take so much more */

static int count_wins(const struct ncl_tune_net *net)
{
    int count = 0;

    for (int i = 0; i < net->count; i++)
        count += ncl_tune_wins(net, i);
    return count;
}

static void drop(struct ncl_tune_net *net, int task, const char *why)
{
    snprintf(net->layers[task].dropped, sizeof net->layers[task].dropped, "%s", why);
}

/* The layer whose result was wrong in the network, though it was right alone. */
static ncl_status blame(struct ncl_tune_net *net, int step)
{
    const int task = step >= 0 ? net->task_of_step[step] : -1;

    if (task < 0 || !ncl_tune_wins(net, task))
        return NCL_ERROR_MISMATCH; /* the standard point is wrong: nothing that tuning can mend */
    ncl_tune_tombstone(net, task, "wrong inside the network");
    drop(net, task, "wrong inside the network");
    return NCL_OK;
}

/* A session with the winners, verified. NULL: a winner was wrong and has been dropped. Fewer of the
 * winners that were verified together are verified already, layer by layer. */
static ncl_status make_verified(struct ncl_tune_net *net, struct ncl_session **session)
{
    int bad = -1;
    ncl_status status = ncl_tune_make_session(net, NCL_TUNE_TUNED, session);

    if (status == NCL_OK && net->verified)
        return NCL_OK;
    if (status == NCL_OK)
        status = ncl_tune_verify(net, *session, &bad);
    net->verified = status == NCL_OK;
    if (status != NCL_ERROR_MISMATCH)
        return status;
    ncl_session_destroy(*session);
    *session = NULL;
    return blame(net, bad);
}

/* Winners that lose inside the network by more than the noise; returns how many were dropped. */
static int drop_losers(struct ncl_tune_net *net, const struct ncl_tune_pair *pair)
{
    int count = 0;

    for (int i = 0; i < net->count; i++) {
        if (!pair->loses[i] || !ncl_tune_wins(net, i))
            continue;
        drop(net, i, "slower than the default inside the network");
        count++;
    }
    return count;
}

static double saving(const struct ncl_tune_net *net, int task)
{
    const struct ncl_search_task *r = &net->results[task];

    return (r->start_seconds - r->best_seconds) * net->tasks[task].uses;
}

/* The network as a whole is slower and no layer can be named: the half of the winners that save
 * least, by what was measured alone, is in doubt. */
static void drop_doubtful(struct ncl_tune_net *net)
{
    const int half = (count_wins(net) + 1) / 2;

    for (int n = 0; n < half; n++) {
        int least = -1;

        for (int i = 0; i < net->count; i++)
            if (ncl_tune_wins(net, i) && (least < 0 || saving(net, i) < saving(net, least)))
                least = i;
        if (least >= 0)
            drop(net, least, "saves little, in a network that was slower with it");
    }
}

static void drop_all(struct ncl_tune_net *net, const char *why)
{
    for (int i = 0; i < net->count; i++)
        if (ncl_tune_wins(net, i))
            drop(net, i, why);
}

/* Is what is left of the winners good as it is? Those of a search from bad parameters need not be
 * better than the standard points: it is a test of how near it comes. Of others even doubt is
 * enough: whoever tunes must never be worse off for it. */
static bool holds(struct ncl_tune_net *net, const struct ncl_tune_pair *pair)
{
    if (pair->differs) {
        drop_all(net, "not the same result each time inside the network");
        return false;
    }
    if (net->tuning->options.from_worst)
        return true;
    if (drop_losers(net, pair) > 0)
        return false;
    if (pair->gain >= 0)
        return true;
    drop_doubtful(net);
    return false;
}

/* One session of the winners against the standard one. *done: what is left of them holds. */
static ncl_status attempt(struct ncl_tune_net *net, struct ncl_session *standard, double seconds,
                          bool *done)
{
    struct ncl_session *sessions[2] = {standard, NULL};
    ncl_status status = make_verified(net, &sessions[1]);

    if (status == NCL_OK && sessions[1]) {
        status = ncl_tune_time_pair(net, sessions, seconds, MAX_ROUNDS, &net->pair);
        *done = status == NCL_OK && holds(net, &net->pair);
    }
    ncl_session_destroy(sessions[1]);
    return status;
}

static void say(struct ncl_tune_net *net)
{
    const struct ncl_tune_pair *pair = &net->pair;
    const int wins = count_wins(net);

    if (!net->searched)
        snprintf(net->verdict, sizeof net->verdict,
                 "the budget was used up before anything could be searched");
    else if (!wins)
        snprintf(net->verdict, sizeof net->verdict,
                 "nothing beats the defaults by more than noise");
    else if (net->tuning->options.from_worst)
        snprintf(net->verdict, sizeof net->verdict,
                 "from %.3g ms to %.3g ms, where the defaults take %.3g ms",
                 net->start_seconds * 1e3, pair->median[1] * 1e3, pair->median[0] * 1e3);
    else if (pair->gain > BELIEVED * pair->error)
        snprintf(net->verdict, sizeof net->verdict,
                 "faster by %.3g ms (%.1f %%), %d of %d problems", pair->gain * 1e3,
                 100 * pair->gain / pair->median[0], wins, net->count);
    else
        snprintf(net->verdict, sizeof net->verdict,
                 "as fast as the defaults within the noise, %d of %d problems changed", wins,
                 net->count);
}

/* Nothing won, or nothing was left: the standard session is the result. What a session with winners
 * had of it was verified there, what they replaced when they were compared with it. A budget that
 * is used up has no time left for looking again at what nobody changed. */
static ncl_status finish_standard(struct ncl_tune_net *net, struct ncl_session *standard,
                                  double seconds)
{
    struct ncl_session *const sessions[2] = {standard, NULL};
    const double grace = GRACE * net->tuning->options.budget_seconds;
    int bad = -1;
    ncl_status status = NCL_OK;

    if (!net->verified && seconds + grace >= net->tuning->verify_seconds) {
        status = ncl_tune_verify(net, standard, &bad);
        net->verified = status == NCL_OK;
        seconds -= net->tuning->verify_seconds;
    } else {
        net->unchecked = !net->verified;
    }
    if (status == NCL_OK && (seconds > 0 || !net->pair.rounds))
        status = ncl_tune_time_pair(net, sessions, fmin(seconds, STANDARD_SECONDS), 30, &net->pair);
    net->pair.median[1] = net->pair.median[0];
    net->pair.spread[1] = net->pair.spread[0];
    net->pair.gain = net->pair.error = 0;
    return status;
}

ncl_status ncl_tune_finish(struct ncl_tune_net *net, struct ncl_session *standard, double seconds)
{
    const double end = ncl_tune_elapsed(net->tuning) + seconds;
    bool done = false;
    ncl_status status = NCL_OK;

    ncl_tune_stand_by_choices(net);
    for (int i = 0; status == NCL_OK && !done && i < ATTEMPTS && count_wins(net) > 0; i++) {
        const double left = end - ncl_tune_elapsed(net->tuning);
        const double spare =
            left - net->tuning->create_seconds - (net->verified ? 0 : net->tuning->verify_seconds);

        if (i > 0 && spare < 0)
            break;
        /* Most of what is not needed to make a session is kept for another attempt. */
        status = attempt(net, standard, (i + 1 < ATTEMPTS ? 0.4 : 1.0) * spare, &done);
    }
    if (status == NCL_OK && !done) {
        drop_all(net, "not confirmed in time, in a network that was slower with the winners");
        status = finish_standard(net, standard, end - ncl_tune_elapsed(net->tuning));
    }
    say(net);
    return status;
}

/* Choices of a whole session: the channel block, and what halves as storage would bring. */
#include "session/tune_parts.h"

#include "plan/lookup.h"

#include <math.h>
#include <stdio.h>

/* From this budget on the choices of a whole session are tried: each takes seconds of compiling. */
#define SESSION_SECONDS 45.0
/* Another channel block is worth tuning where its defaults are so close. */
#define CLOSE_BLOCK 1.10
/* Timing a session whose defaults are looked at, beside making it. */
#define ESTIMATE_SECONDS 1.5
/* Such a look must leave so many times its cost for the search. */
#define ESTIMATE_TIMES 10
/* Of searching, for another block's sessions to be made at all. */
#define LEAST_SECONDS 1.0
/* Another block must be better by so much: the two were not timed in turn. */
#define SESSION_MARGIN 0.03

static struct ncl_tune_choice *add_choice(struct ncl_tuning *t, int channel_block,
                                          ncl_precision precision, double standard_seconds)
{
    struct ncl_tune_choice *choice = &t->choices[t->choice_count++];

    *choice = (struct ncl_tune_choice){.channel_block = channel_block,
                                       .precision = precision,
                                       .standard_seconds = standard_seconds};
    return choice;
}

/* What the network takes with standard points at another block or precision. */
static ncl_status estimate(struct ncl_tuning *t, int channel_block, ncl_precision precision)
{
    struct ncl_session *sessions[2] = {NULL, NULL};
    struct ncl_tune_net net;
    ncl_status status = ncl_tune_net_open(t, channel_block, precision, &net);

    if (status == NCL_OK)
        status = ncl_tune_make_untried(&net, &sessions[0]);
    if (status == NCL_ERROR_DEVICE) {
        ncl_note(t->log, NCL_LOG_WARNING, "%d channels per block (%s) are not looked at: %s",
                 channel_block, ncl_precision_name(precision), ncl_error_text());
        ncl_error_set(""); /* doing without is no failure */
        status = NCL_OK;
    }
    if (status == NCL_OK && sessions[0])
        status = ncl_tune_time_pair(&net, sessions, 0.5, 12, &net.pair);
    if (status == NCL_OK && sessions[0])
        add_choice(t, channel_block, precision, net.pair.median[0]);
    ncl_session_destroy(sessions[0]);
    ncl_tune_net_close(&net);
    return status;
}

/* Of the budget, beside the end of the main network's tuning; there is always enough without one.
 */
static double spare_seconds(const struct ncl_tune_net *main)
{
    const struct ncl_tuning *t = main->tuning;

    if (t->options.budget_seconds <= 0)
        return INFINITY;
    return t->options.budget_seconds - ncl_tune_elapsed(t) - ncl_tune_end_seconds(main);
}

/* On a slow machine the search needs the time more. */
static bool affords_estimate(const struct ncl_tune_net *main)
{
    const double cost = main->tuning->create_seconds + ESTIMATE_SECONDS;

    return spare_seconds(main) >= (1 + ESTIMATE_TIMES) * cost;
}

/* Sessions of other channel blocks, with standard points. */
ncl_status ncl_tune_estimate_blocks(struct ncl_tune_net *main)
{
    static const int blocks[] = {4, 8, 16};
    struct ncl_tuning *t = main->tuning;
    ncl_status status = NCL_OK;

    add_choice(t, main->channel_block, main->precision, main->pair.median[0]);
    for (size_t i = 0; status == NCL_OK && i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i] != main->channel_block && affords_estimate(main))
            status = estimate(t, blocks[i], main->precision);
    return status;
}

bool ncl_tune_tries_sessions(const struct ncl_tuning *t)
{
    const ncl_tune_options *o = &t->options;

    return !t->config->channel_block_asked && !o->from_worst && o->effort != NCL_EFFORT_QUICK &&
           (o->budget_seconds >= SESSION_SECONDS || o->budget_seconds == 0);
}

/* The closest of the other blocks, if it is close enough to be worth tuning; NULL: none. */
struct ncl_tune_choice *ncl_tune_close_block(struct ncl_tuning *t)
{
    struct ncl_tune_choice *best = NULL;

    for (int i = 1; i < t->choice_count; i++) {
        struct ncl_tune_choice *c = &t->choices[i];
        const double ratio = c->standard_seconds / t->choices[0].standard_seconds;

        snprintf(c->why, sizeof c->why, "%.0f %% %s than %d with the defaults",
                 100 * (ratio < 1 ? 1 - ratio : ratio - 1), ratio < 1 ? "faster" : "slower",
                 t->choices[0].channel_block);
        if (ratio < CLOSE_BLOCK && (!best || c->standard_seconds < best->standard_seconds))
            best = c;
    }
    return best;
}

/* The winners at another block, timed against the main network's: the better one is chosen. */
static ncl_status tune_block(struct ncl_tune_net *main, struct ncl_tune_choice *choice,
                             double seconds)
{
    struct ncl_tuning *t = main->tuning;
    struct ncl_session *standard = NULL;
    struct ncl_tune_net net;
    ncl_status status = ncl_tune_net_open(t, choice->channel_block, main->precision, &net);

    if (status == NCL_OK)
        status = ncl_tune_recall(&net);
    if (status == NCL_OK)
        status = ncl_tune_make_standard(&net, &standard);
    if (status == NCL_OK)
        status = ncl_tune_one(&net, standard, seconds);
    if (status == NCL_OK || status == NCL_ERROR_CANCELLED)
        ncl_tune_choose(&net, status == NCL_OK);
    ncl_tune_forget_started(&net);
    if (status == NCL_OK) {
        ncl_tune_end_journal(&net);
        choice->tuned = true;
        choice->tuned_seconds = net.pair.median[1];
        choice->verified = net.verified;
        choice->why[0] = 0;
    }
    ncl_session_destroy(standard);
    ncl_tune_net_close(&net);
    return status;
}

/* The block that sessions have by an earlier run of this machine and driver; 0: their device's own.
 */
static int earlier_block(const struct ncl_tune_net *main)
{
    const struct ncl_tuning *t = main->tuning;
    char kernels[NCL_HASH_TEXT];
    const struct ncl_block_question question = {
        .net = main->key, .kernels = kernels, .measured_only = true};
    struct ncl_block_advice advice;

    ncl_kernels_hash(kernels);
    return ncl_lookup_block(t->log, t->store, &t->device.caps, &question, &advice) &&
                   advice.match == NCL_MATCH_EXACT
               ? advice.block
               : 0;
}

/* A short run does not undo a long one: what that tuned and this one did not stays chosen, with its
 * record as it is. */
static bool stands(const struct ncl_tuning *t, int block)
{
    for (int i = 0; i < t->choice_count; i++)
        if (t->choices[i].channel_block == block && t->choices[i].tuned)
            return false;
    return block != 0;
}

static bool is_among(const struct ncl_tuning *t, int block)
{
    for (int i = 0; i < t->choice_count; i++)
        if (t->choices[i].channel_block == block)
            return true;
    return false;
}

static struct ncl_tune_choice *best_tuned(struct ncl_tuning *t)
{
    struct ncl_tune_choice *best = &t->choices[0];

    for (int i = 1; i < t->choice_count; i++)
        if (t->choices[i].tuned && t->choices[i].verified &&
            t->choices[i].tuned_seconds < best->tuned_seconds * (1 - SESSION_MARGIN))
            best = &t->choices[i];
    return best;
}

void ncl_tune_choose_session(struct ncl_tune_net *main)
{
    struct ncl_tuning *t = main->tuning;
    struct ncl_tune_choice *own = &t->choices[0];
    const int earlier = earlier_block(main);
    bool kept;

    own->tuned = true;
    own->tuned_seconds = main->pair.median[1];
    own->verified = main->verified;
    kept = stands(t, earlier);
    if (!kept)
        best_tuned(t)->chosen = true;
    else if (!is_among(t, earlier))
        add_choice(t, earlier, main->precision, 0);
    for (int i = 0; i < t->choice_count; i++) {
        struct ncl_tune_choice *c = &t->choices[i];

        if (!kept || c->channel_block != earlier) {
            ncl_tune_record_session(main, c);
            continue;
        }
        c->chosen = true;
        snprintf(c->why, sizeof c->why, "chosen by an earlier run, and not tuned by this one");
    }
}

/* The other block, if there is time to make its sessions and to search at all. */
ncl_status ncl_tune_other_block(struct ncl_tune_net *main, struct ncl_tune_choice *other)
{
    struct ncl_tuning *t = main->tuning;

    if (spare_seconds(main) >= t->create_seconds + LEAST_SECONDS)
        return tune_block(main, other, ncl_tune_seconds_left(t));
    snprintf(other->why, sizeof other->why, "close with the defaults, and no time left to tune it");
    return NCL_OK;
}

/* A storage of halves changes results, so that it stays the user's choice: measured, not chosen. */
ncl_status ncl_tune_measure_storage(struct ncl_tune_net *net)
{
    struct ncl_tuning *t = net->tuning;
    const double left = t->options.budget_seconds - ncl_tune_elapsed(t);

    if (!ncl_tune_tries_sessions(t) || net->precision == NCL_FP16 ||
        (t->options.budget_seconds > 0 && left < t->create_seconds + ESTIMATE_SECONDS))
        return NCL_OK;
    return estimate(t, net->channel_block, NCL_FP16);
}

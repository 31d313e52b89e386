/* One problem under way: what was tried, what is best, where to look next. Internal to search. */
#ifndef NCL_SEARCH_SITE_H
#define NCL_SEARCH_SITE_H

#include "search/measure.h"
#include "search/space.h"

#define NCL_SITE_KEPT 2 /* best ones that stay prepared, besides the start */

struct ncl_finished {
    struct ncl_point point;
    enum ncl_verdict verdict;
    double seconds, spread; /* as in ncl_search_note */
    int samples;
    bool beside_start; /* timed in turn with it */
};

/* How far the points that come first have got. */
struct ncl_walk {
    int next_seed, next_algo, sampled;
};

/* What the bandit knows. */
struct ncl_arm {
    double gained,
        weight;         /* discounted sums: share of the time saved per evaluation, evaluations */
    double cost, worst; /* of an evaluation: running mean, 0: none yet; highest */
    int pending;        /* chosen, not finished */
};

struct ncl_site {
    const struct ncl_task *task;
    int index;
    struct ncl_rng rng, sample_rng; /* the sample's own: no result may change it */
    struct ncl_point_set tried;     /* given out, or never to be */
    struct ncl_point_set seeds;
    struct ncl_point_set known; /* good ones of earlier searches, but for the start */
    double known_seconds;       /* of the start, by an earlier search; 0: not known */
    struct ncl_finished *done;
    size_t done_count, done_capacity;
    bool started; /* the start was evaluated */
    enum ncl_verdict start_verdict;
    double reference; /* its seconds; 0: it failed */
    int best, second; /* into done; -1: none */
    struct ncl_walk walk;
    struct ncl_arm arm;
    int counts[NCL_VERDICT_COUNT];
    int given;                /* points proposed */
    int seen;                 /* these and, once each, those that earlier searches measured */
    bool hinted;              /* seeds, or else defaults, are something else than the start */
    bool exhausted, finished; /* finished: its finals are over */
    struct ncl_trial live[8]; /* prepared and not forgotten */
    int live_count;
};

/* seeds_only, sample: as in struct ncl_search. */
struct ncl_strategy {
    bool seeds_only;
    int sample;
};

/* What proposals learn from: all sites, and where a forecast of them is fitted. */
struct ncl_forecast;
struct ncl_kin {
    struct ncl_forecast *forecast;
    const struct ncl_site *sites;
    int count;
};

ncl_status ncl_site_open(struct ncl_site *site, const struct ncl_search *search, int index);
void ncl_site_close(struct ncl_site *site);
/* The next point to evaluate: the start first. It counts as tried from now on. false: exhausted, or
 * the strategy wants no more. *failed: out of memory. */
bool ncl_site_propose(struct ncl_site *site, const struct ncl_strategy *strategy,
                      const struct ncl_kin *kin, struct ncl_point *point, bool *failed);
/* Learns from a finished evaluation. false: out of memory. */
bool ncl_site_learn(struct ncl_site *site, const struct ncl_search_note *note);
bool ncl_site_is_start(const struct ncl_site *site, const struct ncl_point *point);
/* Seconds of the best so far, of the start while there is no better; 0: unknown. */
double ncl_site_seconds(const struct ncl_site *site);
/* The same, before the start is evaluated what an earlier search found it to take. */
double ncl_site_guess(const struct ncl_site *site);
/* The prepared trial of a point; NULL: none. */
struct ncl_trial *ncl_site_live(struct ncl_site *site, const struct ncl_point *point);

/* ---- walk.c ---- */
bool ncl_walk_propose(struct ncl_site *site, const struct ncl_strategy *strategy,
                      const struct ncl_kin *kin, struct ncl_point *point);

/* ---- bandit.c ---- */
/* Expected saving per second of tuning if the next evaluation goes to this site, whose start is
 * known. mean_cost: of an evaluation anywhere; 0: none yet. */
double ncl_arm_value(const struct ncl_site *site, double mean_cost);
/* gain: share of the incumbent's time that the evaluation saved, 0 mostly. */
void ncl_arm_learn(struct ncl_arm *arm, double gain, double cost);
double ncl_site_work(const struct ncl_site *site); /* of one launch, in products or so */

#endif

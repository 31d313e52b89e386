/* A search under way: its sites, its clock, evaluations of batches. Internal to search. */
#ifndef NCL_SEARCH_RUN_H
#define NCL_SEARCH_RUN_H

#include "search/site.h"

#define NCL_BATCH 4

struct ncl_run {
    const struct ncl_log *log;
    const struct ncl_search *search;
    struct ncl_site *sites;
    struct ncl_forecast *forecast;
    bool *replayed; /* of search->resumed: used */
    /* Seconds that finished evaluations cost, replayed ones what they cost then: what decisions
     * depend on. mark: the clock at the end of the last one. */
    double elapsed, mark;
    int trials, rejected;
    bool enough;
};

struct ncl_slot {
    struct ncl_site *site;
    struct ncl_point point;
};

/* Prepares, verifies, times, notes. Anything but NCL_OK ends the search. */
ncl_status ncl_run_batch(struct ncl_run *run, const struct ncl_slot *slots, int count);
/* Makes the start and the points that are to be timed ready, where they are not; what fails gets
 * its tombstone. cost is charged to the next note. */
ncl_status ncl_run_prepare(struct ncl_run *run, struct ncl_site *site,
                           const struct ncl_point *points, int count);
/* Lets go of prepared trials that are neither the start nor among the best. */
void ncl_run_tidy(struct ncl_run *run, struct ncl_site *site);
void ncl_run_forget(struct ncl_run *run, struct ncl_site *site); /* all of them */
/* Writes a finished evaluation down and learns from it. */
ncl_status ncl_run_note(struct ncl_run *run, struct ncl_site *site,
                        const struct ncl_search_note *note, bool is_new);
double ncl_run_seconds(const struct ncl_run *run); /* of the clock */
double ncl_run_least(const struct ncl_site *site); /* seconds that no device undercuts */

/* ---- finals.c ---- */
/* Seconds that the finals of a site will take about. */
double ncl_final_cost(const struct ncl_site *site);
/* Times the best of a site and its start in turn. run NULL: by what the search found. */
ncl_status ncl_final(struct ncl_run *run, struct ncl_site *site, struct ncl_search_task *result);

#endif

#include "search/site.h"

/* An evaluation is expected to save what the last ones of its site did on average; before there
 * are any, and less and less with each, this much: */
#define PRIOR_GAIN 0.06
#define PRIOR_WEIGHT 2.0
/* What an evaluation saved counts so much less with each later one. */
#define MEMORY 0.9
/* A network's first figures are worth more than its next ones: nothing is known of a site whose
 * start was not timed, and nothing can be saved. */
#define FIRST_GAIN 0.3

double ncl_site_work(const struct ncl_site *site)
{
    const struct ncl_problem *p = &site->task->problem;

    return ncl_problem_macs(p) +
           8.0 * (double)ncl_shape_elements(&p->y, NCL_BLOCKED, p->channel_block);
}

static double expected_gain(const struct ncl_site *site)
{
    const struct ncl_arm *arm = &site->arm;

    if (!site->started)
        return FIRST_GAIN;
    return (PRIOR_GAIN * PRIOR_WEIGHT + arm->gained) / (PRIOR_WEIGHT + arm->weight + arm->pending);
}

double ncl_arm_value(const struct ncl_site *site, double throughput, double mean_cost)
{
    const double known = ncl_site_seconds(site);
    const double seconds = known > 0        ? known
                           : throughput > 0 ? ncl_site_work(site) / throughput
                                            : ncl_site_work(site);
    const double cost = site->arm.cost > 0 ? site->arm.cost : mean_cost > 0 ? mean_cost : 1;

    return site->task->uses * seconds * expected_gain(site) / cost;
}

void ncl_arm_learn(struct ncl_arm *arm, double gain, double cost)
{
    /* Failures pile up undiminished; what was gained fades. */
    arm->gained = arm->gained * MEMORY + gain;
    arm->weight += 1;
    if (gain > 0)
        arm->weight *= 0.5;
    arm->worst = cost > arm->worst ? cost : arm->worst;
    arm->cost = arm->cost > 0 ? 0.7 * arm->cost + 0.3 * cost : cost;
}

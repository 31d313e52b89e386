#include "search/site.h"

/* An evaluation is expected to save what the last ones of its site did on average; before there
 * are any, and less and less with each, this much: */
#define PRIOR_GAIN 0.06
#define PRIOR_WEIGHT 2.0
/* The first seed of a problem that has nothing but its start, or the defaults where the start is
 * something else, save more: most of what there is. */
#define HINT_GAIN 0.5
/* What an evaluation saved counts so much less with each later one. */
#define MEMORY 0.9

double ncl_site_work(const struct ncl_site *site)
{
    const struct ncl_problem *p = &site->task->problem;

    return ncl_problem_macs(p) +
           8.0 * (double)ncl_shape_elements(&p->y, NCL_BLOCKED, p->channel_block);
}

double ncl_arm_value(const struct ncl_site *site, double mean_cost)
{
    const struct ncl_arm *arm = &site->arm;
    const double cost = arm->cost > 0 ? arm->cost : mean_cost > 0 ? mean_cost : 1;
    double gain =
        (PRIOR_GAIN * PRIOR_WEIGHT + arm->gained) / (PRIOR_WEIGHT + arm->weight + arm->pending);

    if (site->hinted && site->seen <= 1)
        gain = HINT_GAIN;
    return site->task->uses * ncl_site_guess(site) * gain / cost;
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

/* What points not tried yet may take, from those that were: a Gaussian process over logarithms of
 * times. Points of other problems with the same algorithm tell too, less. Internal to search. */
#ifndef NCL_SEARCH_FORECAST_H
#define NCL_SEARCH_FORECAST_H

#include "search/site.h"

/* Of logarithms of times: an unknown point is so much slower than its problem's best, give or take;
 * one step of a tunable keeps this correlation, another problem this one. */
#define NCL_FORECAST_PESSIMISM 0.25
#define NCL_FORECAST_DEVIATION 0.25
#define NCL_FORECAST_STEP_CORRELATION 0.7
#define NCL_FORECAST_TASK_CORRELATION 0.6
#define NCL_FORECAST_NOISE 0.02
#define NCL_FORECAST_CLIP 0.7 /* a point that is hopeless tells no more than one twice as slow */

struct ncl_forecast *ncl_forecast_new(void); /* NULL: out of memory */
void ncl_forecast_free(struct ncl_forecast *forecast);
/* Learns what is known now, for proposals to one site. */
void ncl_forecast_fit(struct ncl_forecast *forecast, const struct ncl_site *sites, int count,
                      int own);
/* Of the logarithm of the point's time over the best's. false: the problem has no such algorithm.
 */
bool ncl_forecast_at(const struct ncl_forecast *forecast, const struct ncl_point *point,
                     double *mean, double *variance);
/* The share of the best's time that the point is expected to save. */
double ncl_forecast_gain(const struct ncl_forecast *forecast, const struct ncl_point *point);

#endif

/* What points not tried yet may take, from those that were: a Gaussian process over logarithms of
 * times. Points of other problems with the same algorithm tell too, less. Internal to search. */
#ifndef NCL_SEARCH_FORECAST_H
#define NCL_SEARCH_FORECAST_H

#include "search/site.h"

struct ncl_forecast *ncl_forecast_new(void); /* NULL: out of memory */
void ncl_forecast_free(struct ncl_forecast *forecast);
/* Learns what is known now, for proposals to one site. */
void ncl_forecast_fit(struct ncl_forecast *forecast, const struct ncl_site *sites, int count,
                      int own);
/* The share of the best's time that the point is expected to save. */
double ncl_forecast_gain(const struct ncl_forecast *forecast, const struct ncl_point *point);

#endif

#include "search/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 128 /* fitting takes their cube: a millisecond */
#define OWN 96      /* of them, at most, of the problem itself */
struct sample {
    int site, algo;           /* algo: of the own problem's */
    int at[NCL_MAX_TUNABLES]; /* which values: numbers in the own problem's lists */
};

struct ncl_forecast {
    const struct ncl_task *task;
    int own, count;
    struct sample samples[SAMPLES];
    double powers[NCL_MAX_TUNABLES * NCL_MAX_VALUES + 1]; /* of NCL_FORECAST_STEP_CORRELATION */
    double factor[SAMPLES][SAMPLES];                      /* Cholesky's, lower */
    double weights[SAMPLES];                              /* inverse covariance times values */
};

struct ncl_forecast *ncl_forecast_new(void)
{
    struct ncl_forecast *forecast = ncl_alloc(1, sizeof *forecast);

    for (size_t i = 0; forecast && i < sizeof forecast->powers / sizeof *forecast->powers; i++)
        forecast->powers[i] = pow(NCL_FORECAST_STEP_CORRELATION, (double)i);
    return forecast;
}

void ncl_forecast_free(struct ncl_forecast *forecast)
{
    free(forecast);
}

static double covariance(const struct ncl_forecast *forecast, const struct sample *a,
                         const struct sample *b)
{
    int steps = 0;

    if (a->algo != b->algo)
        return 0;
    for (int i = 0; i < forecast->task->algos[a->algo]->tunable_count; i++)
        steps += abs(a->at[i] - b->at[i]);
    return NCL_FORECAST_DEVIATION * NCL_FORECAST_DEVIATION * forecast->powers[steps] *
           (a->site == b->site ? 1 : NCL_FORECAST_TASK_CORRELATION);
}

/* false: the own problem has no such algorithm. */
static bool sample_of(const struct ncl_forecast *forecast, int site, const struct ncl_point *point,
                      struct sample *sample)
{
    const struct ncl_task *task = forecast->task;
    const int a = ncl_space_algo(task, point->algo);

    if (a < 0)
        return false;
    *sample = (struct sample){.site = site, .algo = a};
    for (int i = 0; i < task->algos[a]->tunable_count; i++)
        sample->at[i] = ncl_tunable_index(&task->algos[a]->tunables[i], point->v[i]);
    return true;
}

/* The last `most` points of a site: the search has moved to the better ones by then. */
static void add_site(struct ncl_forecast *forecast, const struct ncl_site *site, int most)
{
    const double best = ncl_site_seconds(site);

    for (size_t i = site->done_count; i-- > 0 && most > 0 && forecast->count < SAMPLES;) {
        const struct ncl_finished *done = &site->done[i];

        if (done->verdict != NCL_VERDICT_GOOD ||
            !sample_of(forecast, site->index, &done->point, &forecast->samples[forecast->count]))
            continue;
        forecast->weights[forecast->count++] =
            fmin(log(done->seconds / best), NCL_FORECAST_CLIP) - NCL_FORECAST_PESSIMISM;
        most--;
    }
}

static void factorize(struct ncl_forecast *forecast)
{
    for (int i = 0; i < forecast->count; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = covariance(forecast, &forecast->samples[i], &forecast->samples[j]) +
                         (i == j ? NCL_FORECAST_NOISE * NCL_FORECAST_NOISE : 0);

            for (int k = 0; k < j; k++)
                sum -= forecast->factor[i][k] * forecast->factor[j][k];
            forecast->factor[i][j] = i == j ? sqrt(sum) : sum / forecast->factor[j][j];
        }
    }
}

/* Divides by the factor. */
static void forward(const struct ncl_forecast *forecast, double *x)
{
    for (int i = 0; i < forecast->count; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= forecast->factor[i][k] * x[k];
        x[i] /= forecast->factor[i][i];
    }
}

static void backward(const struct ncl_forecast *forecast, double *x)
{
    for (int i = forecast->count - 1; i >= 0; i--) {
        for (int k = i + 1; k < forecast->count; k++)
            x[i] -= forecast->factor[k][i] * x[k];
        x[i] /= forecast->factor[i][i];
    }
}

void ncl_forecast_fit(struct ncl_forecast *forecast, const struct ncl_site *sites, int count,
                      int own)
{
    forecast->task = sites[own].task;
    forecast->own = own;
    forecast->count = 0;
    add_site(forecast, &sites[own], OWN);
    for (int i = 0; i < count; i++)
        if (i != own)
            add_site(forecast, &sites[i], 1 + (SAMPLES - OWN) / count);
    factorize(forecast);
    forward(forecast, forecast->weights);
    backward(forecast, forecast->weights);
}

bool ncl_forecast_at(const struct ncl_forecast *forecast, const struct ncl_point *point,
                     double *mean, double *variance)
{
    struct sample sample;
    double x[SAMPLES];

    if (!sample_of(forecast, forecast->own, point, &sample))
        return false;
    *mean = NCL_FORECAST_PESSIMISM;
    *variance = NCL_FORECAST_DEVIATION * NCL_FORECAST_DEVIATION;
    for (int i = 0; i < forecast->count; i++) {
        x[i] = covariance(forecast, &sample, &forecast->samples[i]);
        *mean += x[i] * forecast->weights[i];
    }
    forward(forecast, x);
    for (int i = 0; i < forecast->count; i++)
        *variance -= x[i] * x[i];
    *variance = fmax(*variance, 1e-8);
    return true;
}

double ncl_forecast_gain(const struct ncl_forecast *forecast, const struct ncl_point *point)
{
    double mean, variance, z;

    if (!ncl_forecast_at(forecast, point, &mean, &variance))
        return 0;
    /* Expected improvement of a normal distribution on the best, which is at 0. */
    z = -mean / sqrt(variance);
    return -mean * 0.5 * erfc(-z * sqrt(0.5)) +
           sqrt(variance) * 0.3989422804014327 * exp(-0.5 * z * z);
}

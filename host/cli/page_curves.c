/* How the times fell while the search went on. */
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDTH 1000.0
#define HEIGHT 300.0
#define SMALL_PLOTS 24
/* Of the small plots: a drop by less does not look like much. */
#define SHALLOWEST 0.05

/* A layer's best time became `ms`. */
struct event {
    double seconds, ms;
    size_t layer;
};

struct curve {
    struct event *events; /* by time */
    size_t count;
    double *now;         /* ms of each layer */
    double seconds;      /* of the last event, or of the search */
    size_t measured;     /* layers */
    double all_measured; /* seconds until then; 0: some never were */
};

static double point_value(const json_t *list, size_t index, size_t member)
{
    return json_number_value(json_array_get(json_array_get(list, index), member));
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

static void collect(const json_t *layers, struct curve *curve)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *list = json_object_get(json_array_get(layers, i), "convergence");

        curve->now[i] = point_value(list, 0, 1);
        curve->measured += json_array_size(list) > 0;
        curve->all_measured = fmax(curve->all_measured, point_value(list, 0, 0));
        for (size_t k = 1; k < json_array_size(list); k++)
            curve->events[curve->count++] =
                (struct event){point_value(list, k, 0), point_value(list, k, 1), i};
    }
    if (curve->measured < json_array_size(layers))
        curve->all_measured = 0;
    qsort(curve->events, curve->count, sizeof *curve->events, by_time);
    if (curve->count > 0)
        curve->seconds = fmax(curve->seconds, curve->events[curve->count - 1].seconds);
}

static bool make_curve(const json_t *report, struct curve *curve)
{
    const json_t *layers = json_object_get(report, "layers");
    const size_t count = json_array_size(layers);
    size_t events = 0;

    for (size_t i = 0; i < count; i++)
        events += json_array_size(json_object_get(json_array_get(layers, i), "convergence"));
    *curve = (struct curve){.events = calloc(events + 1, sizeof(struct event)),
                            .now = calloc(count + 1, sizeof(double)),
                            .seconds = cli_number(report, "search_seconds")};
    if (!curve->events || !curve->now)
        return false;
    collect(layers, curve);
    return true;
}

static double network(const json_t *layers, const struct curve *curve)
{
    double sum = 0;

    for (size_t i = 0; i < json_array_size(layers); i++)
        sum += curve->now[i] * cli_number(json_array_get(layers, i), "uses");
    return sum;
}

/* Steps: a time holds until the next event. high and low are the ends of the axis. */
static void put_steps(struct html *page, const json_t *layers, struct curve *curve, double high,
                      double low)
{
    const double across = WIDTH / fmax(curve->seconds, 1e-9), down = HEIGHT / (high - low);

    html_put(page, "<path class=\"after\" stroke-width=\"2\" d=\"M0 %.1f",
             (high - network(layers, curve)) * down);
    for (size_t i = 0; i < curve->count; i++) {
        curve->now[curve->events[i].layer] = curve->events[i].ms;
        html_put(page, "H%.1fV%.1f", curve->events[i].seconds * across,
                 (high - network(layers, curve)) * down);
    }
    html_put(page, "H%.0f\"/>", WIDTH);
}

static double end_of(const json_t *layers)
{
    double sum = 0;

    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i), *list;

        list = json_object_get(layer, "convergence");
        if (json_array_size(list) > 0)
            sum += point_value(list, json_array_size(list) - 1, 1) * cli_number(layer, "uses");
    }
    return sum;
}

/* Where 3 s would be "0 2 3", tenths tell. */
static void put_axis(struct html *page, double seconds)
{
    const int decimals = seconds < 20;

    html_put(page,
             "<div class=\"scale\"><span>0</span><span>%.*f s</span><span>%.*f s</span></div>",
             decimals, seconds / 2, decimals, seconds);
}

static void put_network(struct html *page, const json_t *layers, struct curve *curve)
{
    const double start = network(layers, curve), end = end_of(layers);
    const double margin = fmax(start - end, start * 0.01) * 0.1;
    char high[32], low[32];

    html_put(page,
             "<div class=\"plot\"><div class=\"ends\"><span>%s ms</span><span>%s ms</span></div>"
             "<svg viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
             "<path class=\"axis\" d=\"M0 0H%.0fM0 %.0fH%.0fM0 %.0fH%.0f\"/>",
             page_ms(start + margin, high), page_ms(end - margin, low), WIDTH, HEIGHT, WIDTH,
             HEIGHT / 2, WIDTH, HEIGHT, WIDTH);
    if (curve->all_measured > 0)
        html_put(page,
                 "<path class=\"zero\" stroke-dasharray=\"4 4\" d=\"M%.1f 0V%.0f\"><title>each "
                 "was measured: %.1f s</title></path>",
                 WIDTH * curve->all_measured / curve->seconds, HEIGHT, curve->all_measured);
    put_steps(page, layers, curve, start + margin, end - margin);
    html_put(page, "</svg>");
    put_axis(page, curve->seconds);
    html_put(page, "</div>\n");
}

/* How far below its start a layer ended, as a share of it. */
static double depth(const json_t *layer)
{
    const json_t *list = json_object_get(layer, "convergence");
    const double start = point_value(list, 0, 1);

    return json_array_size(list) > 1 && start > 0
               ? 1 - point_value(list, json_array_size(list) - 1, 1) / start
               : 0;
}

/* deepest: of all, the bottom of every small plot, so that they compare. */
static void put_small(struct html *page, const json_t *layer, double seconds, double deepest)
{
    const json_t *list = json_object_get(layer, "convergence");
    const size_t count = json_array_size(list);
    const double start = point_value(list, 0, 1), end = point_value(list, count - 1, 1);
    const double across = WIDTH / fmax(seconds, 1e-9);
    char from[32], to[32], name[INSPECT_NAME];

    html_put(page, "<div><div class=\"name\" title=\"");
    html_text(page, cli_text(layer, "name"));
    html_put(page, "\">");
    html_text(page, inspect_name(layer, false, name));
    html_put(page,
             "</div><svg viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\"><path class=\"axis\" d=\"M0 %.0fH%.0f\"/>"
             "<path class=\"after\" stroke-width=\"2\" d=\"M%.1f 0",
             WIDTH, HEIGHT, HEIGHT, WIDTH, point_value(list, 0, 0) * across);
    for (size_t i = 1; i < count; i++)
        html_put(page, "H%.1fV%.1f", point_value(list, i, 0) * across,
                 HEIGHT * (1 - point_value(list, i, 1) / start) / deepest);
    html_put(page,
             "H%.0f\"/></svg><div class=\"scale\"><span>%s &#8594; %s ms</span>"
             "<span>%+.1f %%</span></div></div>\n",
             WIDTH, page_ms(start, from), page_ms(end, to), 100 * (end / start - 1));
}

static void put_caption(struct html *page, const struct curve *curve, size_t count)
{
    char caption[512], line[96] = "The dashed line: each was measured.";

    if (curve->all_measured == 0)
        snprintf(line, sizeof line, "Only %zu of %zu problems were measured.", curve->measured,
                 count);
    snprintf(caption, sizeof caption,
             "The launches' times together, with the best that was known of each problem, by the "
             "seconds that candidates took; below, in one scale, the problems whose time fell. %s",
             line);
    page_section(page, "convergence", "Convergence", caption);
}

static void put_smalls(struct html *page, const json_t *layers, double seconds)
{
    double deepest = SHALLOWEST;
    size_t shown = 0;

    for (size_t i = 0; i < json_array_size(layers); i++)
        deepest = fmax(deepest, depth(json_array_get(layers, i)));
    html_put(page, "<div class=\"small\">");
    for (size_t i = 0; i < json_array_size(layers) && shown < SMALL_PLOTS; i++) {
        const json_t *layer = json_array_get(layers, i);

        if (json_array_size(json_object_get(layer, "convergence")) < 2)
            continue;
        put_small(page, layer, seconds, deepest);
        shown++;
    }
    html_put(page, "</div></section>\n");
}

void page_convergence(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");
    struct curve curve;

    if (!make_curve(report, &curve))
        page->failed = true;
    put_caption(page, &curve, json_array_size(layers));
    if (!page->failed && network(layers, &curve) > 0)
        put_network(page, layers, &curve);
    else
        html_put(page, "<p class=\"soft\">Nothing was measured.</p>");
    put_smalls(page, layers, curve.seconds);
    free(curve.events);
    free(curve.now);
}

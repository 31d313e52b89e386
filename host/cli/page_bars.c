/* Charts of one row per layer. */
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Shown is what lies within so many times the median deviation: most of a run's samples. */
#define DEVIATIONS 2.0
/* Drawings are so wide and high, stretched to their place. */
#define WIDTH 1000.0
#define HEIGHT 20.0

bool page_times(const json_t *layer, double *before, double *after)
{
    const json_t *from = json_object_get(layer, "default"), *to = json_object_get(layer, "best");

    *before = cli_number(from, "ms");
    *after =
        tune_flag(layer, "chosen") && cli_number(to, "ms") > 0 ? cli_number(to, "ms") : *before;
    return *before > 0;
}

const char *page_ms(double ms, char text[32])
{
    const double size = fabs(ms);

    snprintf(text, 32, "%.*f",
             size >= 100                ? 0
             : size >= 10               ? 1
             : size >= 1                ? 2
             : size >= 0.1 || size == 0 ? 3
                                        : 4,
             ms);
    return text;
}

static size_t row_count(const json_t *layers)
{
    const size_t count = json_array_size(layers);

    return count < PAGE_ROWS ? count : PAGE_ROWS;
}

static void put_name(struct html *page, const json_t *layer)
{
    const double uses = cli_number(layer, "uses");
    char name[INSPECT_NAME];

    html_put(page, "<div class=\"row\"><div class=\"name\" title=\"");
    html_text(page, cli_text(layer, "name"));
    html_put(page, "\">");
    html_text(page, inspect_name(layer, false, name));
    if (uses > 1)
        html_put(page, " <small>&#215; %.0f</small>", uses);
    html_put(page, "</div>");
}

static void open_drawing(struct html *page)
{
    html_put(page,
             "<svg viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\">",
             WIDTH, HEIGHT);
}

/* Two thin bars, 0..1 of the width. */
static void put_pair(struct html *page, double before, double after)
{
    open_drawing(page);
    html_put(page,
             "<rect class=\"before\" x=\"0\" y=\"1\" width=\"%.1f\" height=\"8\"/>"
             "<rect class=\"after\" x=\"0\" y=\"11\" width=\"%.1f\" height=\"8\"/></svg>",
             WIDTH * before, WIDTH * after);
}

static void put_scale(struct html *page, const char *left, const char *middle, const char *right)
{
    html_put(page,
             "<div class=\"row\"><div></div><div class=\"scale\"><span>%s</span><span>%s</span>"
             "<span>%s</span></div></div>\n",
             left, middle, right);
}

static void put_pair_keys(struct html *page)
{
    html_put(page, "<div class=\"keys\">");
    page_key(page, "before", "default");
    page_key(page, "after", "tuned");
    html_put(page, "</div>\n");
}

/* ---- default -> tuned ---- */

static double largest_time(const json_t *layers)
{
    double largest = 0, before, after;

    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        if (page_times(layer, &before, &after))
            largest = fmax(largest, fmax(before, after) * cli_number(layer, "uses"));
    }
    return largest;
}

void page_bars(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");
    const double largest = largest_time(layers);
    char from[32], to[32];

    page_section(page, "layers", "Where the milliseconds are",
                 "Each problem's launches together, most time first; &#215; is how often the net "
                 "launches it.");
    put_pair_keys(page);
    for (size_t i = 0; i < row_count(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        const double uses = cli_number(layer, "uses");
        double before, after;

        if (!page_times(layer, &before, &after))
            continue;
        put_name(page, layer);
        put_pair(page, before * uses / largest, after * uses / largest);
        html_put(page, "<div class=\"value\">%s &#8594; <b>%s</b> ms</div></div>\n",
                 page_ms(before * uses, from), page_ms(after * uses, to));
    }
    if (json_array_size(layers) > PAGE_ROWS)
        html_put(page, "<p class=\"soft\">%zu more are in the table.</p>",
                 json_array_size(layers) - PAGE_ROWS);
    html_put(page, "</section>\n");
}

/* ---- shares of the peak ---- */

/* What runs now: the tuned share only where the winner was kept. */
static bool shares(const json_t *layer, double *before, double *after)
{
    *before = cli_number(layer, "default_share_of_peak");
    *after = tune_flag(layer, "chosen") ? cli_number(layer, "share_of_peak") : *before;
    return tune_known(layer, "default_share_of_peak");
}

void page_peaks(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");
    double widest = 1, before, after;
    char middle[32], right[32];
    size_t shown = 0;

    page_section(page, "peak", "Share of the device's peak",
                 "Multiply-accumulates a second against the measured peak. Of memory-bound layers "
                 "it is low however good they are.");
    put_pair_keys(page);
    for (size_t i = 0; i < row_count(layers); i++)
        if (shares(json_array_get(layers, i), &before, &after))
            widest = fmax(widest, fmax(before, after));
    for (size_t i = 0; i < row_count(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        if (!shares(layer, &before, &after))
            continue;
        put_name(page, layer);
        put_pair(page, before / widest, after / widest);
        html_put(page, "<div class=\"value\">%.0f &#8594; <b>%.0f</b> %%</div></div>\n",
                 100 * before, 100 * after);
        shown++;
    }
    snprintf(middle, sizeof middle, "%.0f %%", 50 * widest);
    snprintf(right, sizeof right, "%.0f %%", 100 * widest);
    if (shown > 0)
        put_scale(page, "0", middle, right);
    else
        html_put(page, "<p class=\"soft\">The peak was not measured.</p>");
    html_put(page, "</section>\n");
}

/* ---- changes against the noise ---- */

struct change {
    double middle, deviation; /* of best / default - 1 */
};

static bool change_of(const json_t *layer, struct change *c)
{
    const double before = cli_number(json_object_get(layer, "default"), "ms");
    const json_t *best = json_object_get(layer, "best");

    if (before <= 0 || cli_number(best, "ms") <= 0)
        return false;
    c->middle = cli_number(best, "ms") / before - 1;
    c->deviation = DEVIATIONS * cli_number(best, "spread_ms") / before;
    return true;
}

bool page_default_is_best(const json_t *layer)
{
    char from[TUNE_POINT], to[TUNE_POINT];

    return strcmp(tune_point(json_object_get(layer, "default"), from),
                  tune_point(json_object_get(layer, "best"), to)) == 0;
}

/* Of what is off the scale, the end. */
static double within(double value, const double range[2])
{
    return fmin(fmax(value, range[0]), range[1]);
}

static void put_change(struct html *page, const json_t *layer, const struct change *c,
                       const double range[2], double noise)
{
    const double scale = WIDTH / (range[1] - range[0]);
    const bool kept = tune_flag(layer, "chosen");
    const double middle = (within(c->middle, range) - range[0]) * scale;
    const double left = (within(c->middle - c->deviation, range) - range[0]) * scale;
    const double right = (within(c->middle + c->deviation, range) - range[0]) * scale;

    put_name(page, layer);
    open_drawing(page);
    html_put(page,
             "<rect class=\"band\" x=\"%.1f\" y=\"-3\" width=\"%.1f\" height=\"26\"/>"
             "<path class=\"zero\" d=\"M%.1f -3V23\"/>",
             (fmax(-noise, range[0]) - range[0]) * scale,
             (fmin(noise, range[1]) - fmax(-noise, range[0])) * scale, -range[0] * scale);
    html_put(page,
             "<path class=\"%s\" stroke-width=\"2\" d=\"M%.1f 10H%.1f\"/>"
             "<path class=\"%s\" stroke-width=\"10\" stroke-linecap=\"round\" d=\"M%.1f 10h0\"/>"
             "</svg><div class=\"value\">",
             kept ? "after" : "before", left, right, kept ? "after" : "before", middle);
    if (page_default_is_best(layer))
        html_put(page, "<small>nothing better found</small></div></div>\n");
    else
        html_put(page, "<b>%+.1f</b> %% &#177; %.1f%s</div></div>\n", 100 * c->middle,
                 100 * c->deviation, kept ? "" : " <small>not kept</small>");
}

void page_changes(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");
    const double noise = cli_number(report, "noise");
    double range[2] = {-0.05, 0.02};
    struct change c;
    char left[32], right[32];

    page_section(page, "noise", "Change against noise",
                 "The best candidate's time against the default's, timed in turn. Lines span twice "
                 "the median deviation; a winner must be faster by more than that.");
    html_put(page, "<div class=\"keys\">");
    page_key(page, "after round", "kept");
    page_key(page, "before round", "default kept");
    html_put(page,
             "<span><span class=\"dot band\"></span>noise of the whole network, %.1f %%"
             "</span></div>\n",
             100 * noise);
    for (size_t i = 0; i < row_count(layers); i++)
        if (change_of(json_array_get(layers, i), &c)) {
            range[0] = fmin(range[0], c.middle - c.deviation);
            range[1] = fmax(range[1], c.middle + c.deviation);
        }
    range[0] = floor(fmax(range[0], -1) * 20) / 20;
    range[1] = ceil(fmin(range[1], 1) * 50) / 50;
    for (size_t i = 0; i < row_count(layers); i++)
        if (change_of(json_array_get(layers, i), &c))
            put_change(page, json_array_get(layers, i), &c, range, noise);
    snprintf(left, sizeof left, "%.0f %%", 100 * range[0]);
    snprintf(right, sizeof right, "+%.0f %%", 100 * range[1]);
    put_scale(page, left, "", right);
    html_put(page, "</section>\n");
}

/* ---- all candidates ---- */

/* A ten times slower one is as bad as worse ones. */
#define SLOWEST 10.0

static double place(double ratio)
{
    return WIDTH * log(fmin(fmax(ratio, 1), SLOWEST)) / log(SLOWEST);
}

static void put_candidates(struct html *page, const json_t *layer, const json_t *list)
{
    const double best = json_number_value(json_array_get(json_array_get(list, 0), 0));
    const double start = cli_number(json_object_get(layer, "default"), "ms");
    const size_t count = json_array_size(list);

    put_name(page, layer);
    open_drawing(page);
    html_put(page,
             "<path class=\"axis\" d=\"M0 10H%.0f\"/><path class=\"after\" "
             "stroke-width=\"1.5\" d=\"",
             WIDTH);
    for (size_t k = 0; k < count; k++)
        html_put(page, "M%.1f 3V17",
                 place(json_number_value(json_array_get(json_array_get(list, k), 0)) / best));
    html_put(page, "\"/>");
    if (start > 0)
        html_put(page,
                 "<path class=\"now\" stroke-width=\"8\" stroke-linecap=\"round\" "
                 "d=\"M%.1f 10h0\"/>",
                 place(start / best));
    html_put(page, "</svg><div class=\"value\"><b>%.0f</b> tried, %zu good</div></div>\n",
             cli_number(layer, "tried"), count);
}

void page_candidates(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");

    page_section(
        page, "candidates", "How far apart candidates lie",
        "Every verified candidate (at most the 40 fastest) as a stroke, the fastest on the "
        "left, ten times slower on the right.");
    html_put(page, "<div class=\"keys\">");
    page_key(page, "after", "a candidate");
    page_key(page, "now round", "default");
    html_put(page, "</div>\n");
    for (size_t i = 0; i < row_count(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        const json_t *list = json_object_get(layer, "candidates");

        if (json_array_size(list) > 0)
            put_candidates(page, layer, list);
    }
    put_scale(page, "fastest", "3.2 times", "10 times and more");
    html_put(page, "</section>\n");
}

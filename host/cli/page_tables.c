#include "page.h"

#include <stdio.h>
#include <string.h>

/* ---- rejects ---- */

static const struct {
    const char *verdict, *meaning;
} verdicts[] = {
    {"build", "did not build, or the driver grants it too few work-items"},
    {"launch", "the launch was refused or failed"},
    {"wrong", "another result than the oracle's, or bytes outside the output"},
    {"crashed", "took its process, or the device, along"},
    {"timeout", "did not come back in time, or would keep the device too long"},
    {"time", "only times that cannot be: zero, or against the wall clock"},
    {"started", "an earlier run never came back from it"},
};
#define VERDICT_COUNT (sizeof verdicts / sizeof verdicts[0])

static const char *meaning_of(const char *verdict)
{
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        if (strcmp(verdicts[i].verdict, verdict) == 0)
            return verdicts[i].meaning;
    return "";
}

static void put_reject(struct html *page, const char *verdict, double count, double most)
{
    html_put(page, "<div class=\"row\"><div class=\"name long\"><b>");
    html_text(page, verdict);
    html_put(page, "</b> <small>");
    html_text(page, meaning_of(verdict));
    html_put(page,
             "</small></div><svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" "
             "aria-hidden=\"true\"><rect class=\"bad\" x=\"0\" y=\"4\" width=\"%.1f\" "
             "height=\"12\"/></svg><div class=\"value\"><b>%.0f</b></div></div>\n",
             1000 * tune_share(count, most), count);
}

void page_rejects(struct html *page, const json_t *report)
{
    json_t *rejects = json_object_get(report, "rejects"), *count;
    const char *verdict;
    double most = 0;

    page_section(page, "rejects", "Candidates that were rejected",
                 "By reason. They are remembered for this device and driver, and not tried again.");
    json_object_foreach(rejects, verdict, count)
    {
        if (json_number_value(count) > most)
            most = json_number_value(count);
    }
    json_object_foreach(rejects, verdict, count)
    {
        put_reject(page, verdict, json_number_value(count), most);
    }
    if (most == 0)
        html_put(page, "<p class=\"soft\">None of %.0f.</p>", cli_number(report, "trials"));
    html_put(page, "</section>\n");
}

/* ---- cells ---- */

static void put_text(struct html *page, const char *text)
{
    html_put(page, "<td>");
    html_text(page, text);
    html_put(page, "</td>");
}

static void put_time(struct html *page, const json_t *object, const char *key)
{
    char text[32];

    if (tune_known(object, key))
        html_put(page, "<td class=\"n\">%s</td>", page_ms(cli_number(object, key), text));
    else
        html_put(page, "<td class=\"n\">&#8211;</td>");
}

static void put_share(struct html *page, const json_t *object, const char *key)
{
    if (tune_known(object, key))
        html_put(page, "<td class=\"n\">%.0f %%</td>", 100 * cli_number(object, key));
    else
        html_put(page, "<td class=\"n\">&#8211;</td>");
}

static void put_point(struct html *page, const json_t *point)
{
    char text[TUNE_POINT];

    html_put(page, "<td><code>");
    html_text(page, tune_point(point, text));
    html_put(page, "</code></td>");
}

/* ---- choices of the whole session ---- */

void page_choices(struct html *page, const json_t *report)
{
    const json_t *session = json_object_get(report, "session");
    const json_t *blocks = json_object_get(session, "channel_block");
    const json_t *storage = json_object_get(session, "storage");

    if (json_array_size(blocks) + json_array_size(storage) == 0)
        return;
    page_section(page, "choices", "Choices for the whole network",
                 "Milliseconds from tensor in to tensor out. Storage changes results, so it stays "
                 "yours: <code>--precision fp16</code>.");
    html_put(page, "<div class=\"wide\"><table><thead><tr><th>choice</th><th class=\"n\">default"
                   "</th><th class=\"n\">tuned</th><th></th></tr></thead><tbody>");
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *block = json_array_get(blocks, i);

        html_put(page, "<tr><td>%.0f channels a block</td>", cli_number(block, "cb"));
        put_time(page, block, "default_ms");
        put_time(page, block, "tuned_ms");
        put_text(page, cli_text(block, "why"));
        html_put(page, "</tr>");
    }
    for (size_t i = 0; i < json_array_size(storage); i++) {
        const json_t *one = json_array_get(storage, i);

        html_put(page, "<tr>");
        put_text(page, cli_text(one, "precision"));
        html_put(page, "<td></td>");
        put_time(page, one, "ms");
        html_put(page, "<td></td></tr>");
    }
    html_put(page, "</tbody></table></div>");
    if (cli_text(session, "chosen")[0]) {
        html_put(page, "<p>Chosen: <code>");
        html_text(page, cli_text(session, "chosen"));
        html_put(page, "</code></p>");
    }
    html_put(page, "</section>\n");
}

/* ---- every layer ---- */

static void put_rejects(struct html *page, json_t *rejects)
{
    const char *separator = "", *verdict;
    json_t *count;

    html_put(page, "<td>");
    json_object_foreach(rejects, verdict, count)
    {
        html_put(page, "%s%.0f ", separator, json_number_value(count));
        html_text(page, verdict);
        separator = ", ";
    }
    html_put(page, "</td>");
}

static void put_outcome(struct html *page, const json_t *layer)
{
    const char *dropped = cli_text(layer, "dropped");

    if (tune_flag(layer, "chosen"))
        put_text(page, "kept");
    else
        put_text(page, dropped[0] ? dropped : "default stays");
}

static void put_layer(struct html *page, const json_t *layer)
{
    const json_t *best = json_object_get(layer, "best");
    char text[32];

    html_put(page, "<tr><td>");
    html_text(page, cli_text(layer, "name"));
    html_put(page, "<br/><small>");
    html_text(page, cli_text(layer, "kind"));
    html_put(page, ": ");
    html_text(page, cli_text(layer, "problem"));
    html_put(page, "</small></td><td class=\"n\">%.0f</td>", cli_number(layer, "uses"));
    put_point(page, json_object_get(layer, "default"));
    put_time(page, json_object_get(layer, "default"), "ms");
    if (page_default_is_best(layer))
        put_text(page, "the default");
    else
        put_point(page, best);
    put_time(page, best, "ms");
    if (cli_number(best, "ms") > 0)
        html_put(page, "<td class=\"n\">%.1f %%</td>",
                 100 * cli_number(best, "spread_ms") / cli_number(best, "ms"));
    else
        html_put(page, "<td></td>");
    html_put(page, "<td class=\"n\">%s</td>", page_ms(cli_number(layer, "saved_ms"), text));
    put_share(page, layer, "share_of_peak");
    html_put(page, "<td class=\"n\">%.0f</td>", cli_number(layer, "tried"));
    put_rejects(page, json_object_get(layer, "rejects"));
    put_outcome(page, layer);
    html_put(page, "</tr>\n");
}

void page_table(struct html *page, const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers");

    page_section(page, "table", "Every problem",
                 "Times are of one launch, in ms; saved is for all its launches.");
    html_put(page, "<div class=\"wide\"><table><thead><tr><th>layer, kind and problem</th>"
                   "<th class=\"n\">uses</th><th>default</th><th class=\"n\">ms</th>"
                   "<th>best</th><th class=\"n\">ms</th><th class=\"n\">spread</th>"
                   "<th class=\"n\">saved</th><th class=\"n\">of peak</th>"
                   "<th class=\"n\">tried</th><th>rejected</th><th>outcome</th></tr></thead>"
                   "<tbody>\n");
    for (size_t i = 0; i < json_array_size(layers); i++)
        put_layer(page, json_array_get(layers, i));
    html_put(page, "</tbody></table></div></section>\n");
}

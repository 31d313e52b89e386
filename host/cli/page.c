/* The report of a tuning run as one file: no scripts, nothing from a network. */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void page_section(struct html *page, const char *id, const char *title, const char *caption)
{
    html_put(page, "<section id=\"%s\"><h2>%s</h2><p class=\"soft\">%s</p>\n", id, title, caption);
}

void page_key(struct html *page, const char *class, const char *name)
{
    html_put(page, "<span><span class=\"dot %s\"></span>%s</span>", class, name);
}

static void put_head(struct html *page, const json_t *report)
{
    html_put(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
                   "<title>Tuning ");
    html_text(page, cli_text(report, "model"));
    html_put(page, "</title>\n");
    page_style(page);
    html_put(page, "</head><body><main>\n<h1>Tuning ");
    html_text(page, cli_text(report, "model"));
    html_put(page, "</h1>\n");
}

static void put_facts(struct html *page, const json_t *report)
{
    const time_t now = time(NULL);
    char day[64] = "";
    struct tm utc;

    if (gmtime_r(&now, &utc))
        strftime(day, sizeof day, ", %Y-%m-%d %H:%M UTC", &utc);
    html_put(page, "<p class=\"soft\">");
    html_text(page, cli_text(report, "device"));
    html_put(page, ", ");
    html_text(page, cli_text(report, "platform"));
    html_put(page, ", driver ");
    html_text(page, cli_text(report, "driver"));
    html_put(page, "</p><p class=\"soft\">batch %.0f, ", cli_number(report, "batch"));
    html_text(page, cli_text(report, "precision"));
    html_put(page, ", math ");
    html_text(page, cli_text(report, "math"));
    html_put(page, ", %.0f channels a block; seed %.0f; NextCL ",
             cli_number(report, "channel_block"), cli_number(report, "seed"));
    html_text(page, cli_text(report, "library"));
    html_put(page, "%s</p>\n", day);
}

static void put_tile(struct html *page, const char *title, const char *value, const char *below)
{
    html_put(page, "<div class=\"tile\"><span>%s</span><b>%s</b><span>%s</span></div>", title,
             value, below);
}

static void put_network_tiles(struct html *page, const json_t *report)
{
    const double before = cli_number(report, "default_ms"), after = cli_number(report, "tuned_ms");
    char from[32], to[32], value[96], below[96];

    if (before <= 0 || after <= 0) {
        put_tile(page, "whole network", "not timed", "the run ended before");
        return;
    }
    snprintf(value, sizeof value, "%s &#8594; %s ms", page_ms(before, from), page_ms(after, to));
    snprintf(below, sizeof below, "&#177; %.2f and %.2f, %.0f rounds in turn",
             cli_number(report, "default_spread_ms"), cli_number(report, "tuned_spread_ms"),
             cli_number(report, "rounds"));
    put_tile(page, "whole network", value, below);
    snprintf(value, sizeof value, "%.1f %%", 100 * tune_share(before - after, before));
    snprintf(below, sizeof below, "%s ms an inference", page_ms(before - after, from));
    put_tile(page, "saved", value, below);
}

static void put_tiles(struct html *page, const json_t *report)
{
    char value[96], below[96];

    html_put(page, "<div class=\"tiles\">");
    put_network_tiles(page, report);
    snprintf(value, sizeof value, "%.0f", cli_number(report, "trials"));
    snprintf(below, sizeof below, "%.0f rejected, %zu problems", cli_number(report, "rejected"),
             json_array_size(json_object_get(report, "layers")));
    put_tile(page, "candidates", value, below);
    snprintf(value, sizeof value, "%.1f s", cli_number(report, "elapsed"));
    if (tune_known(report, "first_useful_seconds"))
        snprintf(below, sizeof below, "first result after %.1f s",
                 cli_number(report, "first_useful_seconds"));
    else
        snprintf(below, sizeof below, "of tuning");
    put_tile(page, "time", value, below);
    html_put(page, "</div>\n");
}

static void put_notes(struct html *page, const json_t *report)
{
    html_put(page, "<p class=\"verdict\">");
    html_text(page, cli_text(report, "verdict"));
    html_put(page, "</p>\n");
    if (tune_flag(report, "cancelled"))
        html_put(page, "<p class=\"note\">The run was interrupted: <code>--resume</code> goes on "
                       "with it.</p>\n");
    if (tune_flag(report, "from_worst"))
        html_put(page,
                 "<p class=\"note\">It started from deliberately bad parameters, a test of "
                 "the tuner: %.2f ms.</p>\n",
                 cli_number(report, "start_ms"));
    if (cli_number(report, "worker_restarts") > 0)
        html_put(page,
                 "<p class=\"note\">Candidates crashed or hung: the process they ran in was "
                 "replaced %.0f times.</p>\n",
                 cli_number(report, "worker_restarts"));
    if (!cli_text(report, "store")[0])
        html_put(page, "<p class=\"note\">Nothing was kept: there was no cache that could be "
                       "written.</p>\n");
}

static void put_page(struct html *page, const json_t *report)
{
    put_head(page, report);
    put_facts(page, report);
    put_tiles(page, report);
    put_notes(page, report);
    page_bars(page, report);
    page_convergence(page, report);
    page_changes(page, report);
    page_peaks(page, report);
    page_candidates(page, report);
    page_rejects(page, report);
    page_choices(page, report);
    page_table(page, report);
    html_put(page, "</main></body></html>\n");
}

int tune_write_page(const char *path, const json_t *report)
{
    struct html page = {0};
    int failed;

    put_page(&page, report);
    failed = page.failed || !page.text ? cli_fail(NCL_ERROR_MEMORY, "out of memory: %s", path)
                                       : cli_write_text(path, page.text);
    html_free(&page);
    return failed;
}

/* Progress of tuning: one line that is rewritten on a terminal, elsewhere a line now and then. */
#include "tune.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_SECONDS 0.1
#define LOG_SECONDS 5.0
#define FIRST_LOG_SECONDS 1.0
#define USUAL_COLUMNS 80

/* Below a tune, programs are built and networks run, which report progress of their own. */
static bool watching;

bool cli_watching(void)
{
    return watching;
}

void tune_watch_start(struct tune_watch *watch, const struct cli_options *options)
{
    const bool terminal = isatty(STDERR_FILENO) && !options->verbose;

    *watch = (struct tune_watch){options->quiet, terminal, cli_seconds()};
    if (!terminal)
        watch->next += FIRST_LOG_SECONDS;
    watching = true;
}

void tune_watch_end(struct tune_watch *watch)
{
    watching = false;
    if (!watch->silent && watch->terminal)
        fputs("\r\033[K", stderr);
}

static void print_time(double seconds, char text[32])
{
    const int whole = (int)(seconds + 0.5);

    if (whole < 120)
        snprintf(text, 32, "%d s", whole);
    else if (whole < 7200)
        snprintf(text, 32, "%d min %02d s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%d h %02d min", whole / 3600, whole / 60 % 60);
}

static void print_left(const ncl_tune_progress *p, char text[64])
{
    char time[32];

    if (p->seconds_left > 0) {
        print_time(p->seconds_left, time);
        snprintf(text, 64, "%s%s left", p->budget > 0 ? "" : "about ", time);
    } else if (p->budget > 0) {
        snprintf(text, 64, "finishing");
    } else {
        print_time(p->elapsed, time);
        snprintf(text, 64, "%s so far", time);
    }
}

/* What matters most comes first: a narrow terminal cuts the end. */
static void describe(const ncl_tune_progress *p, char *line, size_t size)
{
    const double start = p->default_seconds * 1e3, best = p->best_seconds * 1e3;
    char left[64], gain[96], layer[256] = "";

    print_left(p, left);
    if (start > 0 && best > 0)
        snprintf(gain, sizeof gain, "%.2f ms -> %.2f, %.2f saved (%.1f %%)", start, best,
                 start - best, 100 * (start - best) / start);
    else
        snprintf(gain, sizeof gain, "measuring what runs now");
    if (p->layer_count > 0) /* the search has begun */
        snprintf(layer, sizeof layer, "; layer %zu of %zu %s; %zu tried, %zu rejected",
                 p->layer_index + 1, p->layer_count, p->layer ? p->layer : "", p->trials,
                 p->rejected);
    snprintf(line, size, "tune: %s; %s%s", left, gain, layer);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
}

/* Cuts to the terminal's width, and not in the middle of a character: a line that wraps cannot be
 * rewritten. */
static void cut(char *line)
{
    struct winsize window;
    size_t columns = USUAL_COLUMNS;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1)
        columns = window.ws_col;
    if (strlen(line) < columns)
        return;
    columns--;
    while (columns > 0 && ((unsigned char)line[columns] & 0xc0) == 0x80)
        columns--;
    line[columns] = 0;
}

int tune_watch_progress(void *user, const ncl_tune_progress *progress)
{
    struct tune_watch *watch = user;
    const double now = cli_seconds();
    char line[512];

    if (watch->silent)
        return cli_interrupted();
    if (cli_interrupted()) {
        if (watch->terminal)
            fputs("\r\033[Ktune: stopping; Ctrl-C again leaves at once", stderr);
        return 1;
    }
    if (now < watch->next)
        return 0;
    watch->next = now + (watch->terminal ? TERMINAL_SECONDS : LOG_SECONDS);
    describe(progress, line, sizeof line);
    if (watch->terminal)
        cut(line);
    fprintf(stderr, watch->terminal ? "\r\033[K%s" : "nextcl: %s\n", line);
    return 0;
}

/* Lines of a run's journal: tab-separated, numbers as the bits of a double, since they must come
 * back exactly and whatever the locale. */
#include "session/tune_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT, TASK, VERDICT, SECONDS, SPREAD, START, SAMPLES, COST, ALGORITHM, PARAMS, WHY, FIELDS };

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(const char *text)
{
    const uint64_t bits = strtoull(text, NULL, 16);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Appends a field that may hold anything. */
static void add_clean(struct ncl_text *text, const char *field)
{
    for (; field && *field; field++) {
        const char c = *field == '\t' || *field == '\n' ? ' ' : *field;

        ncl_text_append(text, &c, 1);
    }
}

void ncl_tune_write_line(const struct ncl_tune_line *line, struct ncl_text *text)
{
    const struct ncl_search_note *n = &line->note;

    ncl_text_add(text, "%c\t%d\t%s\t%" PRIx64 "\t%" PRIx64 "\t%" PRIx64 "\t%d\t%" PRIx64 "\t%s\t",
                 line->what, n->task, ncl_verdict_name(n->verdict), bits_of(n->seconds),
                 bits_of(n->spread), bits_of(n->start_seconds), n->samples, bits_of(n->cost),
                 n->point.algo ? n->point.algo->name : "");
    if (n->point.algo)
        ncl_point_params(&n->point, text);
    ncl_text_add(text, "\t");
    add_clean(text, n->why);
}

bool ncl_tune_read_line(char *text, struct ncl_tune_line *line)
{
    char *fields[FIELDS] = {text};
    struct ncl_search_note *n = &line->note;

    for (int i = 1; i < FIELDS; i++) {
        fields[i] = strchr(fields[i - 1], '\t');
        if (!fields[i])
            return false;
        *fields[i]++ = 0;
    }
    *line = (struct ncl_tune_line){.what = fields[WHAT][0]};
    n->task = (int)strtol(fields[TASK], NULL, 10);
    n->verdict = ncl_verdict_parse(fields[VERDICT]);
    n->seconds = double_of(fields[SECONDS]);
    n->spread = double_of(fields[SPREAD]);
    n->start_seconds = double_of(fields[START]);
    n->samples = (int)strtol(fields[SAMPLES], NULL, 10);
    n->cost = double_of(fields[COST]);
    n->why = fields[WHY];
    if (n->verdict == NCL_VERDICT_COUNT || fields[WHAT][0] == 0 || fields[WHAT][1] != 0)
        return false;
    return fields[ALGORITHM][0] == 0 ||
           ncl_point_parse(fields[ALGORITHM], fields[PARAMS], &n->point);
}

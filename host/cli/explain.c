/* Why each layer runs what it runs. */
#include "inspect.h"
#include "layers.h"
#include "tune.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Times are the last run's; the first ones pay for the driver's own compiler. */
#define RUNS 4
#define NAME_COLUMNS 30
#define NEAR_COUNT 3
#define LONGEST 255 /* of what a name is compared with */

/* ---- which layers ---- */

static const char *name_of(const json_t *layers, size_t index)
{
    return cli_text(json_array_get(layers, index), "name");
}

static size_t count_equal(const json_t *layers, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(layers); i++)
        count += strcmp(name_of(layers, i), name) == 0;
    return count;
}

/* Edits that turn `wanted` into some part of `name`; cases are alike. */
static size_t distance(const char *wanted, const char *name)
{
    size_t row[LONGEST + 1], best;
    const size_t length = strnlen(wanted, LONGEST);

    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    best = length;
    for (; *name; name++) {
        size_t corner = 0;

        for (size_t i = 1; i <= length; i++) {
            const bool same =
                tolower((unsigned char)wanted[i - 1]) == tolower((unsigned char)*name);
            size_t least = corner + !same;

            least = row[i] + 1 < least ? row[i] + 1 : least;
            least = row[i - 1] + 1 < least ? row[i - 1] + 1 : least;
            corner = row[i];
            row[i] = least;
        }
        best = row[length] < best ? row[length] : best;
    }
    return best;
}

static int fail_unknown(const json_t *layers, const char *wanted)
{
    size_t nearest[NEAR_COUNT], distances[NEAR_COUNT], count = 0;
    char list[3 * INSPECT_NAME + 16] = "", name[INSPECT_NAME];

    for (size_t i = 0; i < json_array_size(layers); i++) {
        const size_t d = distance(wanted, name_of(layers, i));
        size_t at = count;

        while (at > 0 && d < distances[at - 1])
            at--;
        if (at == NEAR_COUNT)
            continue;
        count += count < NEAR_COUNT;
        memmove(&nearest[at + 1], &nearest[at], (count - at - 1) * sizeof *nearest);
        memmove(&distances[at + 1], &distances[at], (count - at - 1) * sizeof *distances);
        nearest[at] = i;
        distances[at] = d;
    }
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s'%s'", i ? ", " : "",
                 inspect_name(json_array_get(layers, nearest[i]), false, name));
    return cli_fail(NCL_ERROR_USAGE,
                    "no layer '%s': expected an index up to %zu or part of a "
                    "name, such as %s",
                    wanted, json_array_size(layers) - 1, list);
}

static bool is_index(const char *text)
{
    return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* A whole name wins over an index, and that over parts of names. */
static int keep_wanted(json_t *layers, const char *wanted)
{
    const bool exact = count_equal(layers, wanted) > 0, index = !exact && is_index(wanted);
    const unsigned long long number = index ? strtoull(wanted, NULL, 10) : 0;
    json_t *kept = json_array();

    for (size_t i = 0; kept && i < json_array_size(layers); i++) {
        const char *name = name_of(layers, i);
        const bool match = exact   ? strcmp(name, wanted) == 0
                           : index ? i == number
                                   : strcasestr(name, wanted) != NULL;

        if (match)
            json_array_append(kept, json_array_get(layers, i));
    }
    if (!kept)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: layers");
    if (json_array_size(kept) == 0) {
        json_decref(kept);
        return fail_unknown(layers, wanted);
    }
    json_array_clear(layers);
    json_array_extend(layers, kept);
    json_decref(kept);
    return 0;
}

/* ---- for people ---- */

static void print_line(const json_t *layer)
{
    const json_t *second = json_object_get(layer, "runner_up");
    char name[INSPECT_NAME], runs[TUNE_POINT], other[TUNE_POINT];

    printf("  %3.0f %-*s %-8s %8.4f  %s", cli_number(layer, "index"), NAME_COLUMNS,
           inspect_name(layer, false, name), cli_text(layer, "source"), cli_number(layer, "ms"),
           tune_point(layer, runs));
    if (tune_known(second, "ms"))
        printf("; next best %s, %.4f", tune_point(second, other), cli_number(second, "ms"));
    putchar('\n');
}

static void print_list(const json_t *layer, const char *key, const char *title)
{
    const json_t *list = json_object_get(layer, key);
    char point[TUNE_POINT];

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);

        printf("  %-11s ", i ? "" : title);
        if (json_is_string(entry))
            puts(json_string_value(entry));
        else
            printf("%s: %s%s%s\n", tune_point(entry, point), cli_text(entry, "verdict"),
                   cli_text(entry, "why")[0] ? ", " : "", cli_text(entry, "why"));
    }
}

static void print_tried(const json_t *layer)
{
    const char *separator = "  tried       ", *verdict;
    json_t *count;

    json_object_foreach(json_object_get(layer, "tried"), verdict, count)
    {
        printf("%s%lld %s", separator, (long long)json_integer_value(count), verdict);
        separator = ", ";
    }
    if (separator[0] == ',')
        putchar('\n');
}

static void print_record(const json_t *layer)
{
    if (!tune_known(layer, "record_ms"))
        return;
    printf("  record      %.4f ms", cli_number(layer, "record_ms"));
    if (cli_number(layer, "spread_ms") > 0)
        printf(" +- %.4f", cli_number(layer, "spread_ms"));
    if (cli_number(layer, "default_ms") > 0)
        printf(", default %.4f", cli_number(layer, "default_ms"));
    if (cli_text(layer, "origin")[0])
        printf(", %s", cli_text(layer, "origin"));
    if (cli_text(layer, "utc")[0])
        printf(" %.10s", cli_text(layer, "utc"));
    putchar('\n');
}

static void print_details(const json_t *layer)
{
    const json_t *second = json_object_get(layer, "runner_up");
    char point[TUNE_POINT];

    printf("%.0f %s (%s, %s)\n", cli_number(layer, "index"), cli_text(layer, "name"),
           cli_text(layer, "op"), cli_text(layer, "kind"));
    printf("  runs        %s, %s", tune_point(layer, point), cli_text(layer, "source"));
    if (cli_number(layer, "ms") > 0)
        printf(", %.4f ms", cli_number(layer, "ms"));
    putchar('\n');
    if (cli_text(layer, "why")[0])
        printf("  why         %s\n", cli_text(layer, "why"));
    print_record(layer);
    if (json_is_object(second)) {
        printf("  next best   %s", tune_point(second, point));
        if (tune_known(second, "ms"))
            printf(", %.4f ms", cli_number(second, "ms"));
        putchar('\n');
    }
    print_tried(layer);
    print_list(layer, "tombstones", "not tried");
    print_list(layer, "fallbacks", "fell back");
}

static void print_block(const json_t *root)
{
    const json_t *record = json_object_get(root, "block_record");

    if (json_is_object(record))
        printf("%.0f channels per block, as a record says (%s, device match %s)\n",
               cli_number(record, "channel_block"), cli_text(record, "origin"),
               cli_text(record, "match"));
}

static void print_text(const struct cli_options *options, const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");
    const bool details = options->argument_count > 1;

    if (!details)
        printf("  %3s %-*s %-8s %8s  %s\n", "", NAME_COLUMNS, "layer", "source", "ms",
               "algorithm and parameters");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        if (details)
            print_details(layer);
        else
            print_line(layer);
    }
    print_block(root);
    if (!details)
        puts("nextcl explain MODEL LAYER tells more of one");
}

/* ---- the command ---- */

static int explain(const struct cli_options *options, const struct cli_session *s)
{
    char *text = NULL;
    const ncl_status status = ncl_report(s->context, NCL_REPORT_EXPLAIN, s->session, &text);
    json_t *root, *layers;
    int failed = 0;

    if (status != NCL_OK)
        return cli_fail_library(status);
    root = json_loads(text, 0, NULL);
    ncl_free(text);
    layers = json_object_get(root, "layers");
    if (!layers)
        failed = cli_fail(NCL_ERROR_MEMORY, "out of memory: the explanation");
    for (size_t i = 0; i < json_array_size(layers); i++)
        json_object_set_new(json_array_get(layers, i), "index", json_integer((json_int_t)i));
    if (!failed && options->argument_count > 1)
        failed = keep_wanted(layers, options->arguments[1]);
    if (!failed && options->json)
        failed = cli_print_json(json_incref(root));
    else if (!failed)
        print_text(options, root);
    json_decref(root);
    return failed;
}

int cli_explain(const struct cli_options *options)
{
    ncl_tensor inputs[CLI_MAX_INPUTS] = {0}, outputs[CLI_MAX_INPUTS] = {0};
    struct cli_session s = {0};
    int failed = cli_open_session(options, true, &s, inputs, outputs);
    double seconds;

    for (int i = 0; !failed && i < RUNS; i++)
        failed = cli_run_session(&s, inputs, outputs, &seconds);
    if (!failed)
        failed = explain(options, &s);
    cli_free_tensors(inputs, CLI_MAX_INPUTS);
    cli_free_tensors(outputs, CLI_MAX_INPUTS);
    cli_close(&s);
    return failed;
}

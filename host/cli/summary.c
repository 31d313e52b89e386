/* What came of tuning, as a table and a few lines. */
#include "inspect.h"
#include "layers.h"
#include "tune.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS 30

/* A number of milliseconds, or of what else, in a column; "-" where it was not measured. */
static void print_cell(const json_t *object, const char *key, int width, int decimals)
{
    if (tune_known(object, key))
        printf(" %*.*f", width, decimals, cli_number(object, key));
    else
        printf(" %*s", width, "-");
}

static void print_counts(const json_t *counts)
{
    const char *separator = ": ", *name;
    json_t *count;

    json_object_foreach((json_t *)(uintptr_t)counts, name, count)
    {
        printf("%s%lld %s", separator, (long long)json_integer_value(count), name);
        separator = ", ";
    }
}

static void print_head(const json_t *root)
{
    printf("%s on %s, batch %.0f, %s, math %s, %.0f channels a block\n", cli_text(root, "model"),
           cli_text(root, "device"), cli_number(root, "batch"), cli_text(root, "precision"),
           cli_text(root, "math"), cli_number(root, "channel_block"));
}

/* ---- a dry run ---- */

static void print_algorithms(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        printf("%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    putchar('\n');
}

static void print_dry_run(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");
    char name[INSPECT_NAME];
    double points = 0;

    print_head(root);
    printf("  %-*s %4s %-10s %7s  %s\n", NAME_COLUMNS, "layer", "uses", "kind", "points",
           "algorithms");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);

        printf("  %-*s %4.0f %-10s", NAME_COLUMNS, inspect_name(layer, false, name),
               cli_number(layer, "uses"), cli_text(layer, "kind"));
        print_cell(layer, "points", 7, 0);
        fputs("  ", stdout);
        print_algorithms(json_object_get(layer, "algorithms"));
        points += cli_number(layer, "points");
    }
    printf("%zu different problems, %.0f legal points", json_array_size(layers), points);
    if (tune_known(root, "estimated_seconds"))
        printf("; tuning would try about %.0f of them in %.0f s",
               cli_number(root, "estimated_trials"), cli_number(root, "estimated_seconds"));
    puts("\nnothing was measured: it was a dry run");
}

/* ---- a run ---- */

static void print_effort(const json_t *root)
{
    printf("tuned     %.1f s, seed %.0f: %.0f trials of %zu different problems, %.0f rejected",
           cli_number(root, "elapsed"), cli_number(root, "seed"), cli_number(root, "trials"),
           json_array_size(json_object_get(root, "layers")), cli_number(root, "rejected"));
    print_counts(json_object_get(root, "rejects"));
    putchar('\n');
    if (tune_flag(root, "resumed"))
        printf("resumed   after %.1f s of an earlier run\n", cli_number(root, "resumed_seconds"));
    if (!tune_flag(root, "worker"))
        puts("worker    none: candidates ran in this process");
    else if (cli_number(root, "worker_restarts") > 0)
        printf("worker    replaced %.0f times: candidates crashed or hung\n",
               cli_number(root, "worker_restarts"));
}

static void print_layer(const json_t *layer)
{
    const json_t *start = json_object_get(layer, "default"), *best = json_object_get(layer, "best");
    const char *dropped = cli_text(layer, "dropped");
    char name[INSPECT_NAME], from[TUNE_POINT], to[TUNE_POINT];

    printf("  %-*s %4.0f", NAME_COLUMNS, inspect_name(layer, false, name),
           cli_number(layer, "uses"));
    print_cell(start, "ms", 9, 4);
    print_cell(best, "ms", 9, 4);
    print_cell(layer, "saved_ms", 8, 3);
    tune_point(start, from);
    tune_point(best, to);
    if (tune_flag(layer, "chosen") && strcmp(from, to) != 0)
        printf("  %s -> %s\n", from,
               strcmp(cli_text(start, "algorithm"), cli_text(best, "algorithm")) == 0
                   ? cli_text(best, "params")
                   : to);
    else if (dropped[0])
        printf("  %s (%s)\n", from, dropped);
    else
        printf("  %s\n", from);
}

static void print_layers(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");

    printf("  %-*s %4s %9s %9s %8s  %s\n", NAME_COLUMNS, "layer", "uses", "default", "tuned",
           "saved ms", "algorithm and parameters");
    for (size_t i = 0; i < json_array_size(layers); i++)
        print_layer(json_array_get(layers, i));
    printf("  %-*s %4s", NAME_COLUMNS, "all launches", "");
    print_cell(root, "sum_default_ms", 9, 3);
    print_cell(root, "sum_tuned_ms", 9, 3);
    print_cell(root, "sum_saved_ms", 8, 3);
    putchar('\n');
}

static void print_network(const json_t *root)
{
    const double start = cli_number(root, "default_ms"), best = cli_number(root, "tuned_ms");

    if (tune_flag(root, "from_worst") && tune_known(root, "start_ms"))
        printf("start     %.2f ms with deliberately bad parameters\n",
               cli_number(root, "start_ms"));
    if (tune_known(root, "default_ms") && tune_known(root, "tuned_ms"))
        printf("network   %.2f ms -> %.2f ms, tensor in to tensor out, in turn: %.2f ms saved "
               "(%.1f %%), noise %.1f %%\n",
               start, best, start - best, 100 * tune_share(start - best, start),
               100 * cli_number(root, "noise"));
    if (cli_text(root, "verdict")[0])
        printf("verdict   %s\n", cli_text(root, "verdict"));
}

static void print_choices(const json_t *root)
{
    const json_t *session = json_object_get(root, "session");
    const json_t *blocks = json_object_get(session, "channel_block");
    const json_t *storage = json_object_get(session, "storage");

    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *block = json_array_get(blocks, i);
        const bool tuned = tune_known(block, "tuned_ms");
        const char *why = cli_text(block, "why");

        printf("%-9s %.0f channels a block:", i ? "" : "choices", cli_number(block, "cb"));
        print_cell(block, tuned ? "tuned_ms" : "default_ms", 0, 2);
        printf(" ms%s%s%s%s\n", tuned ? ", tuned" : "", why[0] ? " (" : "", why, why[0] ? ")" : "");
    }
    for (size_t i = 0; i < json_array_size(storage); i++) {
        const json_t *one = json_array_get(storage, i);

        printf("%-9s %s:", i ? "" : "storage", cli_text(one, "precision"));
        print_cell(one, "ms", 0, 2);
        puts(strcmp(cli_text(one, "precision"), "fp16") == 0 ? " ms; rounds, so it stays your "
                                                               "choice: --precision fp16"
                                                             : " ms");
    }
}

static bool all_exhausted(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");
    size_t i = 0;

    while (i < json_array_size(layers) && tune_flag(json_array_get(layers, i), "exhausted"))
        i++;
    return i == json_array_size(layers);
}

/* The journal belongs to a net, its shape and the search: all are named again. */
static void print_resume(const struct cli_options *options, const char *tune)
{
    char budget[CLI_REPEATED] = "";

    if (options->budget)
        snprintf(budget, sizeof budget, " --budget %s", options->budget);
    printf("next      nextcl tune %s%s%s --resume   # goes on where this run was interrupted\n",
           tune, budget, options->from_worst ? " --from-worst" : "");
}

/* Of points, or of another channel block than the one that sessions have anyway. */
static bool is_found(const json_t *root)
{
    const json_t *layers = json_object_get(root, "layers");
    const char *block = cli_text(json_object_get(root, "session"), "chosen");
    char usual[32];
    size_t i = 0;

    snprintf(usual, sizeof usual, "CB=%.0f", cli_number(root, "channel_block"));
    while (i < json_array_size(layers) && !tune_flag(json_array_get(layers, i), "chosen"))
        i++;
    return i < json_array_size(layers) || (block[0] && strcmp(block, usual) != 0);
}

static void print_kept(const json_t *root)
{
    const char *store = cli_text(root, "store"), *problem = cli_text(root, "store_problem");
    const double unkept = cli_number(root, "unkept");

    if (!store[0])
        printf("kept      nowhere: %s\n",
               problem[0] ? problem : "there is no cache that can be written ($NEXTCL_CACHE_DIR)");
    else if (unkept > 0)
        printf("kept      not all: %.0f records are not in %s\n", unkept, store);
    else if (is_found(root))
        printf("kept      in %s; run, classify and bench use it from now on\n", store);
    else
        printf("kept      no winner; what was tried is in %s\n", store);
}

static void print_next(const struct cli_options *options, const json_t *root)
{
    const bool store = cli_text(root, "store")[0] != 0;
    struct cli_options plain = *options;
    char tune[CLI_REPEATED], explain[CLI_REPEATED];

    cli_repeat_options(options, tune, sizeof tune);
    plain.tune_seed = 0;
    cli_repeat_options(&plain, explain, sizeof explain);
    print_kept(root);
    if (tune_flag(root, "cancelled") && store)
        print_resume(options, tune);
    else if (!all_exhausted(root))
        printf("next      nextcl tune %s --budget 5m   # may find more\n", tune);
    if (store)
        printf("          nextcl explain %s   # why each layer runs what it runs\n"
               "          nextcl db export tuned.jsonl --minimal   # to share\n",
               explain);
    if (options->report)
        printf("page      %s: open it in a browser\n", options->report);
}

void tune_print(const struct cli_options *options, const json_t *report)
{
    if (tune_flag(report, "dry_run")) {
        print_dry_run(report);
        return;
    }
    print_head(report);
    print_effort(report);
    print_layers(report);
    print_choices(report);
    print_network(report);
    print_next(options, report);
}

void tune_print_short(const json_t *report)
{
    const char *verdict = cli_text(report, "verdict");

    fprintf(stderr, "nextcl: tuned for %.1f s: %.0f trials%s%s\n", cli_number(report, "elapsed"),
            cli_number(report, "trials"), verdict[0] ? ", " : "", verdict);
}

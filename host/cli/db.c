/* The user's tuning records: listed, carried to other machines and back. Needs no device. */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY -1

static const struct {
    const char *name, *files; /* files: what it takes, for messages */
    int min_files, max_files; /* EVERY: no limit */
    ncl_db_action action;
    const char *done; /* of the records */
} actions[] = {
    {"export", "FILE", 1, 1, NCL_DB_EXPORT, "written"},
    {"import", "FILE...", 1, EVERY, NCL_DB_IMPORT, "imported: each is verified when first used"},
    {"merge", "OUT IN...", 2, EVERY, NCL_DB_MERGE, "written"},
    {"clear", "no file", 0, 0, NCL_DB_CLEAR, "forgotten"},
};
#define ACTION_COUNT (sizeof actions / sizeof actions[0])

/* ---- show ---- */

static bool holds(const json_t *record, const char *key, const char *part)
{
    return !part || strstr(cli_text(record, key), part) != NULL;
}

static bool is(const json_t *record, const char *key, const char *value)
{
    return !value || strcmp(cli_text(record, key), value) == 0;
}

/* --device takes no index here: records know names. */
static bool wanted(const struct cli_options *o, const json_t *record)
{
    return holds(record, "device", o->device) && holds(record, "problem", o->problem) &&
           is(record, "algorithm", o->algorithm) && is(record, "verdict", o->verdict) &&
           (!o->chosen || json_is_true(json_object_get(record, "chosen")));
}

static void keep_wanted(const struct cli_options *options, json_t *records)
{
    for (size_t i = json_array_size(records); i-- > 0;)
        if (!wanted(options, json_array_get(records, i)))
            json_array_remove(records, i);
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
    return a && strcmp(cli_text(a, key), cli_text(b, key)) == 0;
}

static void print_head(const json_t *record, const json_t *before)
{
    const bool device = !same(before, record, "device") || !same(before, record, "driver") ||
                        !same(before, record, "platform");

    if (device)
        printf("%sdevice %s, %s, driver %s\n", before ? "\n" : "", cli_text(record, "device"),
               cli_text(record, "platform"), cli_text(record, "driver"));
    if (device || !same(before, record, "problem"))
        printf("  %s\n", cli_text(record, "problem"));
}

/* "1.234 +- 0.005 ms, default 1.400", or why it is not tried again. */
static void print_times(const json_t *record)
{
    const double ms = cli_number(record, "seconds") * 1e3;
    const double start = cli_number(record, "default_seconds") * 1e3;

    if (strcmp(cli_text(record, "verdict"), "good") != 0) {
        printf("%s%s%s", cli_text(record, "verdict"), cli_text(record, "why")[0] ? ": " : "",
               cli_text(record, "why"));
        return;
    }
    if (ms > 0)
        printf("%.4f +- %.4f ms", ms, cli_number(record, "spread") * 1e3);
    else
        fputs("not timed", stdout);
    if (start > 0)
        printf(", default %.4f", start);
}

static void print_record(const json_t *record)
{
    const char *origin = cli_text(record, "origin");

    printf("  %s %-16s %-28s ", json_is_true(json_object_get(record, "chosen")) ? "*" : " ",
           cli_text(record, "algorithm"), cli_text(record, "params"));
    print_times(record);
    if (cli_text(record, "utc")[0])
        printf(", %.10s", cli_text(record, "utc")); /* the day */
    if (strcmp(origin, "measured") != 0)
        printf(", %s%s", origin,
               json_is_true(json_object_get(record, "verified")) ? " and verified here" : "");
    putchar('\n');
}

static void print_records(const json_t *root)
{
    const json_t *records = json_object_get(root, "records"), *before = NULL;
    const double passed_over = cli_number(root, "passed_over");
    const size_t count = json_array_size(records);
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++) {
        const json_t *record = json_array_get(records, i);

        print_head(record, before);
        print_record(record);
        chosen += json_is_true(json_object_get(record, "chosen"));
        before = record;
    }
    printf("%zu record%s, %zu chosen (*)%s%s\n", count, count == 1 ? "" : "s", chosen,
           cli_text(root, "path")[0] ? ", in " : "", cli_text(root, "path"));
    if (passed_over > 0)
        printf("%.0f more passed over, since no record can be like them; db clear removes them "
               "too\n",
               passed_over);
}

static int show(const struct cli_options *options, ncl_context *context)
{
    char *text = NULL;
    const ncl_status status = ncl_report(context, NCL_REPORT_DB, NULL, &text);
    json_t *root;

    if (status != NCL_OK)
        return cli_fail_library(status);
    root = json_loads(text, 0, NULL);
    ncl_free(text);
    if (!root)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the records");
    keep_wanted(options, json_object_get(root, "records"));
    if (options->json)
        return cli_print_json(root);
    print_records(root);
    json_decref(root);
    return 0;
}

/* ---- the rest ---- */

static int do_action(const struct cli_options *options, ncl_context *context, size_t which)
{
    const char *const *files = options->arguments + 1;
    const bool minimal = options->minimal && actions[which].action == NCL_DB_EXPORT;
    size_t count = 0;
    const ncl_status status = ncl_db(context, minimal ? NCL_DB_MINIMAL : actions[which].action,
                                     files, (size_t)options->argument_count - 1, &count);

    if (status != NCL_OK)
        return cli_fail_library(status);
    if (options->json)
        return cli_print_json(json_pack("{s:I}", "count", (json_int_t)count));
    printf("%zu record%s %s\n", count, count == 1 ? "" : "s", actions[which].done);
    return 0;
}

/* Index of the action; ACTION_COUNT: show. */
static int find_action(const struct cli_options *options, size_t *which)
{
    const char *name = options->arguments[0];
    const int files = options->argument_count - 1;
    const bool shows = strcmp(name, "show") == 0;

    for (*which = 0; !shows && *which < ACTION_COUNT; ++*which)
        if (strcmp(name, actions[*which].name) == 0)
            break;
    if (shows)
        *which = ACTION_COUNT;
    else if (*which == ACTION_COUNT)
        return cli_fail(NCL_ERROR_USAGE,
                        "db: expected show, export, import, merge or clear, found '%s'", name);
    if (shows ? files > 0
              : files < actions[*which].min_files ||
                    (actions[*which].max_files != EVERY && files > actions[*which].max_files))
        return cli_fail(NCL_ERROR_USAGE, "db %s: expected %s, found %d argument%s", name,
                        shows ? "no file" : actions[*which].files, files, files == 1 ? "" : "s");
    return 0;
}

static bool is_verdict(const char *name)
{
    static const char *const names[] = {"good",    "build",   "launch", "wrong",
                                        "crashed", "timeout", "time",   "started"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* "0:0", which other commands take. */
static bool is_index(const char *device)
{
    return device[strspn(device, "0123456789:")] == 0 && strchr(device, ':') != NULL;
}

/* A filter that nothing can pass is a slip, too. */
static int check_filters(const struct cli_options *o)
{
    if (o->verdict && !is_verdict(o->verdict))
        return cli_fail(NCL_ERROR_USAGE,
                        "--verdict: expected good, build, launch, wrong, crashed, timeout, time or "
                        "started, found '%s'",
                        o->verdict);
    if (o->device && is_index(o->device))
        return cli_fail(NCL_ERROR_USAGE,
                        "db show: --device: expected a part of a device's name, since records know "
                        "no numbers, found '%s'",
                        o->device);
    return 0;
}

/* An option of another action would have no effect: a slip, not a wish. */
static int check_options(const struct cli_options *o, size_t which)
{
    const char *name = o->arguments[0];

    if (o->minimal && (which == ACTION_COUNT || actions[which].action != NCL_DB_EXPORT))
        return cli_fail(NCL_ERROR_USAGE, "db %s: --minimal belongs to export", name);
    if (which != ACTION_COUNT && (o->problem || o->algorithm || o->verdict || o->chosen))
        return cli_fail(NCL_ERROR_USAGE,
                        "db %s: --problem, --algorithm, --verdict and --chosen "
                        "belong to show",
                        name);
    return check_filters(o);
}

int cli_db(const struct cli_options *options)
{
    ncl_context *context = NULL;
    size_t which = 0;
    int failed = find_action(options, &which);

    if (!failed)
        failed = check_options(options, which);
    if (!failed)
        failed = cli_open_context(options, "none", NCL_MATH_AUTO, false, &context);
    if (!failed)
        failed =
            which == ACTION_COUNT ? show(options, context) : do_action(options, context, which);
    ncl_close(context);
    return failed;
}

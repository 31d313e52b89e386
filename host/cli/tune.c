#include "tune.h"
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same program, whatever has become of the file that it was started from. */
#define SELF "/proc/self/exe"

const char *tune_point(const json_t *point, char text[TUNE_POINT])
{
    const char *params = cli_text(point, "params");

    snprintf(text, TUNE_POINT, "%s%s%s", cli_text(point, "algorithm"), params[0] ? " " : "",
             params);
    return text;
}

double tune_share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

bool tune_known(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

bool tune_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* ---- tuning ---- */

/* The report as JSON also of an interrupted run: NCL_ERROR_CANCELLED then, and nothing was said.
 * *report NULL: there is none, and the status was said. */
static int tune_model(const struct cli_options *options, const struct cli_session *s,
                      const ncl_tensor *inputs, const ncl_tune_options *wanted, json_t **report)
{
    const char *const worker[] = {SELF, "tune-worker", options->verbose ? "--verbose" : NULL, NULL};
    ncl_tune_options tune = *wanted;
    struct tune_watch watch;
    char *text = NULL;
    ncl_status status;

    *report = NULL;
    tune.struct_size = sizeof tune;
    tune.worker = worker;
    tune.progress = tune_watch_progress;
    tune.user = &watch;
    tune_watch_start(&watch, options);
    status = ncl_tune(s->context, s->model, inputs, ncl_model_input_count(s->model), &tune, &text);
    tune_watch_end(&watch);
    if (status != NCL_OK && (status != NCL_ERROR_CANCELLED || !text)) {
        ncl_free(text);
        return cli_fail_model(options, status);
    }
    *report = json_loads(text, 0, NULL);
    ncl_free(text);
    if (!*report)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory: the report");
    json_object_set_new(*report, "model", cli_json_text(options->arguments[0]));
    return (int)status;
}

int cli_tune_first(const struct cli_options *options, const struct cli_session *session,
                   const ncl_tensor *inputs)
{
    ncl_tune_options tune = {.budget_seconds = options->tune};
    const double start = cli_seconds();
    json_t *report = NULL;
    int failed;

    if (options->tune <= 0)
        return 0;
    failed = tune_model(options, session, inputs, &tune, &report);
    cli_process_start += cli_seconds() - start; /* what loading takes is counted without */
    if (report && failed)
        failed = cli_fail_interrupted();
    else if (report && !options->quiet)
        tune_print_short(report);
    json_decref(report);
    return failed;
}

/* ---- the command ---- */

static int parse_budget(const struct cli_options *options, ncl_tune_options *tune)
{
    const char *budget = options->budget ? options->budget : "normal";

    if (strcmp(budget, "quick") == 0)
        tune->effort = NCL_EFFORT_QUICK;
    else if (strcmp(budget, "full") == 0)
        tune->effort = NCL_EFFORT_FULL;
    else if (strcmp(budget, "normal") != 0 && !cli_parse_duration(budget, &tune->budget_seconds))
        return cli_fail(NCL_ERROR_USAGE,
                        "--budget: expected quick, normal, full or a time such as 60s or 2m, "
                        "found '%s'",
                        budget);
    return 0;
}

static int check(const struct cli_options *options)
{
    if (options->dry_run && options->report)
        return cli_fail(NCL_ERROR_USAGE, "--report: a dry run measures nothing to draw");
    if (options->dry_run && options->resume)
        return cli_fail(NCL_ERROR_USAGE, "--resume: a dry run measures nothing to go on with");
    return options->report ? cli_check_writable(options->report) : 0;
}

static int open_all(const struct cli_options *options, struct cli_session *s, ncl_tensor *inputs)
{
    int failed = cli_open_context(options, NULL, NCL_MATH_AUTO, false, &s->context);

    if (!failed)
        failed = cli_open_model(options, s->context, &s->model);
    return failed ? failed : cli_input_dims(options, s, options->batch, inputs);
}

static int tell(const struct cli_options *options, json_t *report)
{
    int failed = options->report ? tune_write_page(options->report, report) : 0;

    if (failed)
        return failed;
    if (options->json)
        return cli_print_json(json_incref(report));
    tune_print(options, report);
    return 0;
}

int cli_tune(const struct cli_options *options)
{
    ncl_tune_options tune = {.seed = (uint64_t)options->tune_seed,
                             .resume = options->resume,
                             .from_worst = options->from_worst,
                             .dry_run = options->dry_run};
    ncl_tensor inputs[CLI_MAX_INPUTS] = {0};
    struct cli_session s = {0};
    json_t *report = NULL;
    int failed = parse_budget(options, &tune), told = 0;

    if (!failed)
        failed = check(options);
    if (!failed)
        failed = open_all(options, &s, inputs);
    if (!failed)
        failed = tune_model(options, &s, inputs, &tune, &report);
    if (report) {
        told = tell(options, report);
        if (!told && failed)
            cli_fail_interrupted();
    }
    json_decref(report);
    cli_close(&s);
    return failed ? failed : told;
}

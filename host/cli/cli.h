/* The command line: what its commands share. It uses nextcl.h alone. */
#ifndef NCL_CLI_CLI_H
#define NCL_CLI_CLI_H

#include <jansson.h>
#include <nextcl.h>
#include <stdbool.h>

#define CLI_MAX_INPUTS 64

/* NAME=FILE of --input and --expect; name NULL: by position. */
struct cli_file {
    const char *name, *path;
};

struct cli_options {
    /* every command */
    const char *device, *math, *precision;
    int channel_block;
    bool json, quiet, verbose, help;
    /* models */
    const char *arch, *weights;
    int seed, classes;
    /* run, verify */
    struct cli_file inputs[CLI_MAX_INPUTS], expects[CLI_MAX_INPUTS];
    int input_count, expect_count;
    const char *output_dir;
    double rtol, atol;
    /* classify */
    const char *labels, *preprocess, *truth;
    float mean[3], std[3];
    bool has_mean, has_std, raw;
    int top, resize, crop;
    /* classify, bench */
    int batch, repeat, warmup;
    bool layers;
    /* profile */
    const char *trace;
    /* verify, bench, inspect */
    int size;
    /* inspect */
    bool dot;
    /* run, classify, bench: seconds of tuning before; 0: none */
    double tune;
    /* tune */
    const char *budget, *report;
    int tune_seed;
    bool resume, from_worst, dry_run;
    /* db */
    bool minimal, chosen;
    const char *problem, *algorithm, *verdict;
    /* what is left: MODEL, images */
    const char **arguments;
    int argument_count;
};

/* One line on stderr, "nextcl: ..."; returns status, which is also the exit status. */
int cli_fail(ncl_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
#ifdef __clang_analyzer__
/* clang's analyzer does not see into other files: the status is the one given. */
#define cli_fail(status, ...) (cli_fail(status, __VA_ARGS__), (int)(status))
#endif
/* The library's last error. */
int cli_fail_library(ncl_status status);
/* The same about options->arguments[0], the model, which the line names if it is to blame. */
int cli_fail_model(const struct cli_options *options, ncl_status status);

/* ---- options.c ---- */
struct cli_command {
    const char *name, *arguments;
    const char *summary;              /* NULL: --help does not list it */
    const char *details;              /* examples, after the options */
    const char *options;              /* names of its own options, space-separated */
    int min_arguments, max_arguments; /* -1: no limit */
    int (*run)(const struct cli_options *options);
};
/* What options are where they are not given. */
extern const struct cli_options cli_defaults;
/* Parses argv[2..] for a command. Returns 0, or a status after one line on stderr. */
int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_options *options);
void cli_print_options(const char *names); /* their help lines on stdout; NULL: the common ones */
/* "90", "60s", "2m", "1.5h" in seconds. false: none of these, or not above zero. */
bool cli_parse_duration(const char *text, double *seconds);
/* For a line that says what to type next: the model and the given options that say which net it is,
 * at which shape and on which device, as a shell reads them: "zoo:resnet18 --size 32". --tune-seed
 * is among them, which tune alone takes. Returns text. */
#define CLI_REPEATED 4096 /* bytes that usual options need at most */
const char *cli_repeat_options(const struct cli_options *options, char *text, size_t size);

/* ---- interrupt.c ---- */
/* Of the exit status after a signal: what shells add its number to. NCL_ERROR_CANCELLED is SIGINT's
 * sum. */
#define CLI_SIGNALLED 128
/* From here on, before any other thread is made: Ctrl-C, SIGTERM and SIGHUP ask to stop, and a
 * second one, later, ends the process. */
int cli_listen_for_signals(void);
bool cli_interrupted(void); /* one of them came */
int cli_fail_interrupted(void);
int cli_exit_status(int status); /* NCL_ERROR_CANCELLED becomes the signal's */

/* ---- open.c: context and model ---- */
struct cli_session {
    ncl_context *context;
    ncl_model *model;
    ncl_session *session;
    double load_seconds; /* from the process's start */
};
/* Opens the context the options ask for; device NULL: theirs. math_auto: what auto means here. */
int cli_open_context(const struct cli_options *options, const char *device, ncl_math math_auto,
                     bool profile, ncl_context **context);
/* options->arguments[0]: a path or zoo:NAME, with at most CLI_MAX_INPUTS inputs and as many
 * outputs. */
int cli_open_model(const struct cli_options *options, ncl_context *context, ncl_model **model);
/* However many it has. */
int cli_open_any_model(const struct cli_options *options, ncl_context *context, ncl_model **model);
void cli_close(struct cli_session *session);
double cli_seconds(void); /* monotonic */
extern double cli_process_start;
const char *cli_math_name(ncl_math math);
const char *cli_precision_name(ncl_precision precision);

/* ---- tensors.c ---- */
/* Input tensors from --input files, in the model's order. */
int cli_load_inputs(const struct cli_options *options, const struct cli_session *session,
                    ncl_tensor *tensors);
/* Ranks and dims of the model's inputs; free dims become batch (0: 1), 3 channels, options->size
 * (0: 224) pixels. */
int cli_input_dims(const struct cli_options *options, const struct cli_session *session, int batch,
                   ncl_tensor *tensors);
/* Seeded uniform inputs in [-1, 1) of those dims. */
int cli_random_inputs(const struct cli_options *options, const struct cli_session *session,
                      int batch, ncl_tensor *tensors);
/* Zeroed tensors for every output. */
int cli_make_outputs(const struct cli_session *session, ncl_tensor *tensors);
void cli_free_tensors(ncl_tensor *tensors, size_t count);
size_t cli_elements(const ncl_tensor *tensor);

/* ---- session.c: for commands that measure ---- */
/* Context, model, session, random inputs and outputs; frees: cli_close, cli_free_tensors. profile:
 * the session's report has times. */
int cli_open_session(const struct cli_options *options, bool profile, struct cli_session *session,
                     ncl_tensor inputs[CLI_MAX_INPUTS], ncl_tensor outputs[CLI_MAX_INPUTS]);
/* One run, host tensors to host tensors. */
int cli_run_session(const struct cli_session *session, const ncl_tensor *inputs,
                    const ncl_tensor *outputs, double *seconds);

/* ---- tune.c, watch.c ---- */
/* Tunes the model at these inputs' shapes for --tune's seconds, if it was given. */
int cli_tune_first(const struct cli_options *options, const struct cli_session *session,
                   const ncl_tensor *inputs);
bool cli_watching(void); /* a tune shows progress of its own */

/* ---- hint.c: after success ---- */
/* Adds "tuning", {layers, untuned, gain}, to a document of --json. */
void cli_hint_add(const struct cli_options *options, const struct cli_session *session,
                  json_t *root);
/* One line on stderr, once for every device and net, and not with --quiet or --json. input: the
 * model's first, whose shape it proposes to tune for. */
void cli_hint_print(const struct cli_options *options, const struct cli_session *session,
                    const ncl_tensor *input);

/* ---- pocl.c ---- */
/* Sets the environment that PoCL reads before its first call, where the user did not: pins its
 * workers, and gives it a temporary cache where its own cannot be written. */
void cli_prepare_pocl(const struct cli_options *options);

/* ---- print.c ---- */
int cli_print_json(json_t *root);       /* takes the reference; one document on stdout */
int cli_print_report(const char *json); /* text of a report as it is */
/* A number, or null where JSON has none for it. */
json_t *cli_json_number(double value);
/* A file's, device's or class's name; JSON is UTF-8: of names in other encodings, '?' for what
 * isn't ASCII. NULL: null. */
json_t *cli_json_text(const char *text);

/* ---- file.c ---- */
/* Can `path` become a file? Asked before the work. */
int cli_check_writable(const char *path);
/* Write a temporary file beside path and rename it: path is whole or untouched. */
int cli_write_text(const char *path, const char *text);
int cli_write_json(const char *path, json_t *root); /* takes the reference */

/* ---- commands ---- */
int cli_devices(const struct cli_options *options);
int cli_classify(const struct cli_options *options);
int cli_run(const struct cli_options *options);
int cli_bench(const struct cli_options *options);
int cli_profile(const struct cli_options *options);
int cli_verify(const struct cli_options *options);
int cli_inspect(const struct cli_options *options);
int cli_tune(const struct cli_options *options);
int cli_tune_worker(const struct cli_options *options);
int cli_compile_worker(const struct cli_options *options);
int cli_db(const struct cli_options *options);
int cli_explain(const struct cli_options *options);

#endif

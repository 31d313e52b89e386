#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* POSITIVE: a COUNT of at least 1. */
enum kind { FLAG, TEXT, COUNT, POSITIVE, NUMBER, DURATION, TRIPLE, FILES };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;     /* in struct cli_options */
    size_t also;       /* TRIPLE: its bool; FILES: its count */
    const char *value; /* placeholder in help */
    const char *help;
    bool common;
};

/* A year: longer budgets are slips of the finger. */
#define MAX_SECONDS (365.0 * 86400)

#define AT(member) offsetof(struct cli_options, member)

static const struct option options_table[] = {
    {"device", TEXT, AT(device), 0, "D",
     "P:D, cpu, gpu or part of a name ($NEXTCL_DEVICE); db show: part of a name", true},
    {"math", TEXT, AT(math), 0, "M",
     "auto, reproducible (the same bits everywhere) or fast; default auto", true},
    {"precision", TEXT, AT(precision), 0, "P",
     "fp32, or fp16: tensors and weights stored as halves; default fp32", true},
    {"channel-block", POSITIVE, AT(channel_block), 0, "N",
     "4, 8 or 16 channels per block ($NEXTCL_CHANNEL_BLOCK); default: the device's", true},
    {"json", FLAG, AT(json), 0, NULL, "one JSON document instead of text", true},
    {"quiet", FLAG, AT(quiet), 0, NULL, "no progress, no hints at tuning", true},
    {"verbose", FLAG, AT(verbose), 0, NULL, "log to stderr", true},
    {"help", FLAG, AT(help), 0, NULL, "this text", true},
    {"arch", TEXT, AT(arch), 0, "NAME", "not in this release: export to ONNX", false},
    {"weights", TEXT, AT(weights), 0, "FILE", "not in this release: export to ONNX", false},
    {"seed", COUNT, AT(seed), 0, "N", "of a zoo model's random weights, and of random inputs; 1",
     false},
    {"classes", POSITIVE, AT(classes), 0, "N", "outputs of a zoo model; 1000", false},
    {"input", FILES, AT(inputs), AT(input_count), "[NAME=]x.npy",
     "a float32 tensor in the model's layout; once per input", false},
    {"expect", FILES, AT(expects), AT(expect_count), "[NAME=]y.npy",
     "compare this output instead of the oracle's", false},
    {"output-dir", TEXT, AT(output_dir), 0, "DIR", "receives NAME.npy per output", false},
    {"rtol", NUMBER, AT(rtol), 0, "R", "relative tolerance of --expect; 1e-4", false},
    {"atol", NUMBER, AT(atol), 0, "A", "absolute tolerance of --expect; 1e-6", false},
    {"labels", TEXT, AT(labels), 0, "FILE",
     "class names, one a line; default: the model's own, else ImageNet's for 1000 classes", false},
    {"truth", TEXT, AT(truth), 0, "y.npy",
     "true classes, whole numbers, one an image: adds the accuracy", false},
    {"top", POSITIVE, AT(top), 0, "K", "classes per image; 5", false},
    {"preprocess", TEXT, AT(preprocess), 0, "P",
     "torchvision (default, unless the model says), keras-tf, keras-caffe, keras-torch or none "
     "(RGB 0..255)",
     false},
    {"mean", TRIPLE, AT(mean), AT(has_mean), "A,B,C",
     "subtracted from channels in 0..1; with keras-caffe and none in 0..255", false},
    {"std", TRIPLE, AT(std), AT(has_std), "A,B,C",
     "divides what is left; one number instead of three: all alike", false},
    {"resize", POSITIVE, AT(resize), 0, "N",
     "torchvision: the shorter side, default crop * 256 / 224; else both sides, default crop",
     false},
    {"crop", POSITIVE, AT(crop), 0, "N", "side of the centre crop; the model's size, else 224",
     false},
    {"raw", FLAG, AT(raw), 0, NULL, "the net's own outputs, without softmax", false},
    {"batch", POSITIVE, AT(batch), 0, "N", "images at once; the model's fixed batch, else 1",
     false},
    {"size", POSITIVE, AT(size), 0, "N", "height and width where the model leaves them free; 224",
     false},
    {"repeat", POSITIVE, AT(repeat), 0, "R", "timed runs; 20", false},
    {"warmup", COUNT, AT(warmup), 0, "W", "runs before them; 3", false},
    {"trace", TEXT, AT(trace), 0, "OUT.json", "receives the timeline, in Chrome's trace format",
     false},
    {"layers", FLAG, AT(layers), 0, NULL, "time every layer", false},
    {"dot", FLAG, AT(dot), 0, NULL, "a Graphviz drawing of what runs", false},
    {"tune", DURATION, AT(tune), 0, "SECONDS", "first tune the net for so long, as 'tune' does",
     false},
    {"budget", TEXT, AT(budget), 0, "B",
     "60s, 2m, 1h, or quick (10 s: what is known), normal (60 s, default), full (hours)", false},
    {"report", TEXT, AT(report), 0, "OUT.html", "receives a page with plots", false},
    {"resume", FLAG, AT(resume), 0, NULL, "go on with an interrupted run of the same model", false},
    {"dry-run", FLAG, AT(dry_run), 0, NULL, "say what would be tuned, measure nothing", false},
    {"from-worst", FLAG, AT(from_worst), 0, NULL,
     "start from deliberately bad parameters: a test of the tuner", false},
    {"tune-seed", POSITIVE, AT(tune_seed), 0, "N", "of the search; 1", false},
    {"minimal", FLAG, AT(minimal), 0, NULL, "export: only winners that beat their defaults", false},
    {"problem", TEXT, AT(problem), 0, "TEXT", "show: records whose problem holds it", false},
    {"algorithm", TEXT, AT(algorithm), 0, "NAME", "show: records of this algorithm", false},
    {"verdict", TEXT, AT(verdict), 0, "V",
     "show: records that ended so: good, build, launch, wrong, crashed, timeout, time, started",
     false},
    {"chosen", FLAG, AT(chosen), 0, NULL, "show: winners", false},
};
#define OPTION_COUNT (sizeof options_table / sizeof options_table[0])

const struct cli_options cli_defaults = {
    .seed = 1, .top = 5, .repeat = 20, .warmup = 3, .rtol = 1e-4, .atol = 1e-6};

static bool listed(const char *names, const char *name)
{
    const size_t length = strlen(name);
    const char *at = names;

    while ((at = strstr(at, name)) != NULL) {
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
        at += length;
    }
    return false;
}

static const struct option *find(const struct cli_command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options_table[i];

        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0 &&
            (o->common || listed(command->options, o->name)))
            return o;
    }
    return NULL;
}

static int parse_count(const struct option *o, const char *text, int *value)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (isspace((unsigned char)*text) || end == text || *end || errno ||
        number < (o->kind == POSITIVE) || number > INT_MAX)
        return cli_fail(NCL_ERROR_USAGE, "--%s: expected a whole number from %d on, found '%s'",
                        o->name, o->kind == POSITIVE, text);
    *value = (int)number;
    return 0;
}

static int parse_number(const struct option *o, const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= 0))
        return cli_fail(NCL_ERROR_USAGE, "--%s: expected a number >= 0, found '%s'", o->name, text);
    return 0;
}

bool cli_parse_duration(const char *text, double *seconds)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
    const size_t digits = strspn(text, "0123456789.");
    char *end;

    *seconds = strtod(text, &end);
    if (digits == 0 || end != text + digits)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].unit) == 0) {
            *seconds *= units[i].seconds;
            return *seconds > 0 && *seconds <= MAX_SECONDS;
        }
    return false;
}

static int parse_duration(const struct option *o, const char *text, double *value)
{
    if (cli_parse_duration(text, value))
        return 0;
    return cli_fail(NCL_ERROR_USAGE, "--%s: expected a time such as 10, 60s or 2m, found '%s'",
                    o->name, text);
}

/* One number stands for three alike. */
static int parse_triple(const struct option *o, const char *text, float *values, bool *given)
{
    int one = 0, three = 0; /* characters up to their ends */
    const int count =
        sscanf(text, "%f%n,%f,%f%n", &values[0], &one, &values[1], &values[2], &three);

    if (count == 1 && !text[one])
        values[1] = values[2] = values[0];
    else if (count != 3 || text[three])
        return cli_fail(NCL_ERROR_USAGE, "--%s: expected one or three numbers A,B,C, found '%s'",
                        o->name, text);
    *given = true;
    return 0;
}

/* The name of an input may hold '=' no more than a path may start with one: the first one splits.
 */
static int parse_file(const struct option *o, char *text, struct cli_file *files, int *count)
{
    char *equals = strchr(text, '=');

    if (*count == CLI_MAX_INPUTS)
        return cli_fail(NCL_ERROR_USAGE, "--%s: at most %d files", o->name, CLI_MAX_INPUTS);
    if (equals)
        *equals = 0;
    files[(*count)++] = (struct cli_file){equals ? text : NULL, equals ? equals + 1 : text};
    return 0;
}

static int set(const struct option *o, char *text, struct cli_options *options)
{
    char *base = (char *)options;

    switch (o->kind) {
    case FLAG:
        *(bool *)(void *)(base + o->offset) = true;
        return 0;
    case TEXT:
        *(const char **)(void *)(base + o->offset) = text;
        return 0;
    case COUNT:
    case POSITIVE:
        return parse_count(o, text, (int *)(void *)(base + o->offset));
    case NUMBER:
        return parse_number(o, text, (double *)(void *)(base + o->offset));
    case DURATION:
        return parse_duration(o, text, (double *)(void *)(base + o->offset));
    case TRIPLE:
        return parse_triple(o, text, (float *)(void *)(base + o->offset),
                            (bool *)(void *)(base + o->also));
    case FILES:
        return parse_file(o, text, (struct cli_file *)(void *)(base + o->offset),
                          (int *)(void *)(base + o->also));
    }
    return 0;
}

/* --name value, --name=value or --flag at argv[*i]; advances *i past what it took. */
static int parse_option(const struct cli_command *command, int argc, char **argv, int *i,
                        struct cli_options *options)
{
    const char *name = argv[*i] + 2;
    char *equals = strchr(argv[*i], '=');
    const size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *o = find(command, name, length);

    if (!o)
        return cli_fail(NCL_ERROR_USAGE, "%s: unknown option '%s' (see nextcl %s --help)",
                        command->name, argv[*i], command->name);
    if (o->kind == FLAG && equals)
        return cli_fail(NCL_ERROR_USAGE, "--%s takes no value, found '%s'", o->name, equals + 1);
    if (o->kind == FLAG || equals)
        return set(o, equals ? equals + 1 : NULL, options);
    if (*i + 1 >= argc)
        return cli_fail(NCL_ERROR_USAGE, "--%s: expected a value (%s)", o->name, o->value);
    return set(o, argv[++*i], options);
}

static int check_arguments(const struct cli_command *command, const struct cli_options *options)
{
    if (options->help)
        return 0;
    if (options->argument_count < command->min_arguments)
        return cli_fail(NCL_ERROR_USAGE, "%s: expected %s (see nextcl %s --help)", command->name,
                        command->arguments, command->name);
    if (command->max_arguments >= 0 && options->argument_count > command->max_arguments)
        return cli_fail(NCL_ERROR_USAGE, "%s: unexpected argument '%s'", command->name,
                        options->arguments[command->max_arguments]);
    return 0;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_options *options)
{
    bool only_arguments = false;
    int status = 0;

    options->arguments = calloc((size_t)argc + 1, sizeof *options->arguments);
    if (!options->arguments)
        return cli_fail(NCL_ERROR_MEMORY, "out of memory");
    for (int i = 2; status == 0 && i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0)
            only_arguments = true;
        else if (!only_arguments && strcmp(argv[i], "-h") == 0)
            options->help = true;
        else if (!only_arguments && strncmp(argv[i], "--", 2) == 0)
            status = parse_option(command, argc, argv, &i, options);
        else if (!only_arguments && argv[i][0] == '-' && argv[i][1])
            status = cli_fail(NCL_ERROR_USAGE, "%s: unknown option '%s' (see nextcl %s --help)",
                              command->name, argv[i], command->name);
        else
            options->arguments[options->argument_count++] = argv[i];
    }
    return status ? status : check_arguments(command, options);
}

void cli_print_options(const char *names)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options_table[i];
        char left[64];

        if (names ? o->common || !listed(names, o->name) : !o->common)
            continue;
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-24s %s\n", left, o->help);
    }
}

/* ---- a command to type next ---- */

/* What says which net this is, at which shape and on which device. */
static const char *const repeated[] = {"seed", "classes",   "batch",
                                       "size", "device",    "channel-block",
                                       "math", "precision", "tune-seed"};
#define REPEATED_COUNT (sizeof repeated / sizeof repeated[0])

/* false: it does not fit. */
static bool add(char *text, size_t size, const char *more)
{
    const size_t length = strlen(text), room = size - length;

    if (strlen(more) >= room)
        return false;
    memcpy(text + length, more, strlen(more) + 1);
    return true;
}

/* $'...' spells what would do something to the terminal instead of being shown. */
static bool add_quoted(char *text, size_t size, const char *word)
{
    bool plain = *word != 0, control = false, fits;
    char piece[8];

    for (const char *at = word; *at; at++) {
        plain = plain && (isalnum((unsigned char)*at) || strchr("_./:,=@%+-", *at));
        control = control || iscntrl((unsigned char)*at);
    }
    if (plain)
        return add(text, size, word);
    fits = add(text, size, control ? "$'" : "'");
    for (; fits && *word; word++) {
        const unsigned char c = (unsigned char)*word;

        if (control && (iscntrl(c) || c == '\'' || c == '\\'))
            snprintf(piece, sizeof piece, "\\%03o", c);
        else
            snprintf(piece, sizeof piece, c == '\'' ? "'\\''" : "%c", c);
        fits = add(text, size, piece);
    }
    return fits && add(text, size, "'");
}

static bool add_option(char *text, size_t size, const struct option *o,
                       const struct cli_options *options)
{
    const char *given = (const char *)options + o->offset;
    const char *usual = (const char *)&cli_defaults + o->offset;
    const bool is_text = o->kind == TEXT;
    const char *word = is_text ? *(const char *const *)(const void *)given : NULL;
    const int number = is_text ? 0 : *(const int *)(const void *)given;
    char digits[16];

    if (is_text ? !word : number == *(const int *)(const void *)usual)
        return true;
    snprintf(digits, sizeof digits, "%d", number);
    return add(text, size, " --") && add(text, size, o->name) && add(text, size, " ") &&
           add_quoted(text, size, is_text ? word : digits);
}

const char *cli_repeat_options(const struct cli_options *options, char *text, size_t size)
{
    const char *model = options->arguments[0];
    bool fits;

    *text = 0;
    /* A file of this name would be taken for an option. */
    fits = (model[0] != '-' || add(text, size, "./")) && add_quoted(text, size, model);
    for (size_t i = 0; fits && i < REPEATED_COUNT; i++)
        for (size_t k = 0; fits && k < OPTION_COUNT; k++)
            if (strcmp(options_table[k].name, repeated[i]) == 0)
                fits = add_option(text, size, &options_table[k], options);
    if (!fits)
        snprintf(text, size, "MODEL [the options of this run]");
    return text;
}

#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#undef cli_fail /* the analyzer's */

#define MODEL_OPTIONS "seed classes weights arch "

static const struct cli_command commands[] = {
    {"devices", "", "list OpenCL platforms and devices", "  nextcl devices --json\n", "", 0, 0,
     cli_devices},
    {"classify", "MODEL IMAGE...", "name what photographs show",
     "  nextcl classify resnext50.onnx cat.jpg dog.png\n"
     "  nextcl classify net.onnx photos/ --labels names.txt --top 3 --batch 8 --json\n"
     "  nextcl classify net.onnx x.npy --truth y.npy --top 1\n",
     MODEL_OPTIONS "labels truth top preprocess mean std resize crop raw batch tune", 2, -1,
     cli_classify},
    {"run", "MODEL --input x.npy --output-dir DIR", "tensors in, tensors out",
     "  nextcl run net.onnx --input x.npy --output-dir out\n"
     "  nextcl run net.onnx --input image=x.npy --output-dir out --math reproducible\n",
     MODEL_OPTIONS "input output-dir tune", 1, 1, cli_run},
    {"verify", "MODEL", "compare every layer with the host oracle, bit for bit",
     "  nextcl verify zoo:resnext50_32x4d\n"
     "  nextcl verify net.onnx --input x.npy --expect y.npy --rtol 1e-3\n",
     MODEL_OPTIONS "input expect rtol atol batch size", 1, 1, cli_verify},
    {"bench", "MODEL", "latency and throughput",
     "  nextcl bench zoo:resnext50_32x4d --batch 8 --layers\n",
     MODEL_OPTIONS "batch size repeat warmup layers tune", 1, 1, cli_bench},
    {"profile", "MODEL [--trace OUT.json]", "a timeline of every launch, and times per layer",
     "  nextcl profile zoo:resnext50_32x4d --trace trace.json   # open in Perfetto\n",
     MODEL_OPTIONS "batch size repeat warmup trace", 1, 1, cli_profile},
    {"inspect", "MODEL", "what would run: layers, shapes, work, memory; needs no device",
     "  nextcl inspect net.onnx\n  nextcl inspect net.onnx --dot | dot -Tsvg > net.svg\n",
     MODEL_OPTIONS "batch size dot", 1, 1, cli_inspect},
    {"tune", "MODEL", "find faster kernels and parameters for a net on this device, and keep them",
     "  nextcl tune zoo:resnext50_32x4d              # a minute; bits do not change\n"
     "  nextcl tune net.onnx --budget 5m --batch 8 --report tuning.html\n"
     "  nextcl tune net.onnx --resume                # goes on after Ctrl-C\n",
     MODEL_OPTIONS "batch size budget resume dry-run report tune-seed from-worst", 1, 1, cli_tune},
    {"explain", "MODEL [LAYER]", "why each layer runs what it runs",
     "  nextcl explain zoo:resnext50_32x4d\n"
     "  nextcl explain net.onnx layer3.0/conv2   # part of a name, or an index\n",
     MODEL_OPTIONS "batch size", 1, 2, cli_explain},
    {"db", "show|export|import|merge|clear [FILE...]",
     "tuning records: list them, carry them to other machines; needs no device",
     "  nextcl db show --problem 'conv x1x128x56x56' --chosen\n"
     "  nextcl db export mine.jsonl --minimal    # winners alone, to share\n"
     "  nextcl db import theirs.jsonl            # verified when first used\n"
     "  nextcl db merge all.jsonl mine.jsonl theirs.jsonl\n",
     "minimal problem algorithm verdict chosen", 1, -1, cli_db},
    {"tune-worker", "", NULL, "", "", 0, 0, cli_tune_worker},
    {"compile-worker", "", NULL, "", "", 0, 0, cli_compile_worker},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

double cli_process_start;
int cli_fail(ncl_status status, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* Names and paths may hold anything; the line stays one. */
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    fprintf(stderr, "nextcl: %s\n", line);
    return (int)status;
}

int cli_fail_library(ncl_status status)
{
    /* Whatever failed after the request to stop, did so while it stopped. */
    if (status == NCL_ERROR_CANCELLED || cli_interrupted())
        return cli_fail_interrupted();
    return cli_fail(status, "%s", ncl_last_error());
}

int cli_fail_model(const struct cli_options *options, ncl_status status)
{
    if ((status != NCL_ERROR_INPUT && status != NCL_ERROR_MEMORY) || cli_interrupted())
        return cli_fail_library(status);
    return cli_fail(status, "%s: %s", options->arguments[0], ncl_last_error());
}

static void print_help(void)
{
    printf("NextCL %s: convolutional networks on any OpenCL device\n\n"
           "usage: nextcl COMMAND [options]\n\n",
           ncl_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].summary)
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\nMODEL is an .onnx file, or zoo:NAME (resnet18 .. resnet152, resnext50_32x4d,\n"
         "resnext101_32x8d, wide_resnet50_2, preact_resnet18, preact_resnet50, resnext50_keras,\n"
         "resnext50_keras_late) with seeded random weights.\n\n"
         "every command takes");
    cli_print_options(NULL);
    puts("\nnextcl COMMAND --help tells the rest. Exit status: 0 done, 1 comparison failed, 2 "
         "usage,\n"
         "3 bad input, 4 device or driver, 5 out of memory, 130 interrupted (143 by SIGTERM, 129 "
         "by SIGHUP).\n\n"
         "  nextcl classify resnext50.onnx photo.jpg\n"
         "  nextcl bench zoo:resnext50_32x4d --device cpu");
}

static void print_command_help(const struct cli_command *command)
{
    printf("usage: nextcl %s %s [options]\n\n%s\n\n", command->name, command->arguments,
           command->summary ? command->summary : "started by nextcl alone");
    cli_print_options(command->options);
    cli_print_options(NULL);
    printf("\nexamples\n%s", command->details);
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Results that could not be written are a failure too: a full disk behind a redirection. */
static int close_stdout(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return status ? status : cli_fail(NCL_ERROR_INPUT, "stdout: could not write the results");
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
    struct cli_options options = cli_defaults;
    int status = cli_parse(command, argc, argv, &options);

    if (status == 0 && options.help) {
        print_command_help(command);
    } else if (status == 0) {
        cli_prepare_pocl(&options);
        /* A worker is in a process group of its own, is no terminal's business, and stays easy to
         * kill. */
        status = command->summary ? cli_listen_for_signals() : 0;
        status = status ? status : command->run(&options);
    }
    free(options.arguments);
    return close_stdout(cli_exit_status(status));
}

/* A file opened where stdout was closed would get its number, and results would be written into it.
 * Read-only, so that writing still fails. */
static void fill_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            return;
}

int main(int argc, char **argv)
{
    const struct cli_command *command;

    cli_process_start = cli_seconds();
    fill_standard_files();
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes becomes a failed write, which is reported */
    if (argc < 2)
        return cli_fail(NCL_ERROR_USAGE, "expected a command (see nextcl --help)");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return close_stdout(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("nextcl %s\n", ncl_version());
        return close_stdout(0);
    }
    command = find_command(argv[1]);
    if (!command)
        return cli_fail(NCL_ERROR_USAGE, "unknown command '%s' (see nextcl --help)", argv[1]);
    return run_command(command, argc, argv);
}

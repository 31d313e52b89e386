/* Runs the command line, named by $NEXTCL_CLI, through sh. Commands may use $NEXTCL_CLI and $T, a
 * folder that is removed at the end. */
#ifndef NCL_TESTS_CLI_CLI_H
#define NCL_TESTS_CLI_CLI_H

#include "support/suite.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NET "tests/data/resnext_folded.onnx"
#define NET_INPUT "tests/data/resnext_folded.input.npy"
#define NET_EXPECTED "tests/data/resnext_folded.expected.npy"

/* What the last command left behind. */
static struct {
    int status; /* exit status; 128 + number for a signal */
    char out[1 << 18], err[1 << 14];
} said;

static inline void cli_read(const char *name, char *text, size_t size)
{
    char path[256];
    size_t length = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", getenv("T"), name);
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, size - 1, file);
    text[length] = 0;
    fclose(file);
}

__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
    char command[4096], line[8192];
    va_list arguments;
    int status;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "{ %s ; } >\"$T/stdout\" 2>\"$T/stderr\" </dev/null", command);
    status = system(line);
    said.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    cli_read("stdout", said.out, sizeof said.out);
    cli_read("stderr", said.err, sizeof said.err);
}

/* The command succeeded and had nothing to complain of. */
#define MUST_WORK(...)                                                                             \
    do {                                                                                           \
        shell("$NEXTCL_CLI " __VA_ARGS__);                                                         \
        ck_assert_msg(said.status == 0 && !said.err[0], "status %d: %s", said.status, said.err);   \
    } while (0)

/* The command failed with this status, nothing on stdout and one line on stderr that holds part. */
#define MUST_FAIL(wanted, part, ...)                                                               \
    do {                                                                                           \
        const char *wanted_part = (part);                                                          \
        shell("$NEXTCL_CLI " __VA_ARGS__);                                                         \
        ck_assert_msg(said.status == (wanted), "status %d: %s", said.status, said.err);            \
        ck_assert_str_eq(said.out, "");                                                            \
        ck_assert_msg(strstr(said.err, wanted_part) != NULL, "'%s' lacks '%s'", said.err,          \
                      wanted_part);                                                                \
        ck_assert_msg(strchr(said.err, '\n') == said.err + strlen(said.err) - 1, "lines: '%s'",    \
                      said.err);                                                                   \
    } while (0)

static inline json_t *said_json(void)
{
    json_error_t error;
    json_t *root = json_loads(said.out, 0, &error);

    ck_assert_msg(root != NULL, "%s: %s", error.text, said.out);
    return root;
}

/* All of these space-separated keys are there. */
static inline void must_have(const json_t *object, const char *keys)
{
    char copy[512];

    snprintf(copy, sizeof copy, "%s", keys);
    for (char *key = strtok(copy, " "); key; key = strtok(NULL, " "))
        ck_assert_msg(json_object_get(object, key) != NULL, "no key %s", key);
}

/* From here on commands keep records in $T/<name>. */
static inline void use_store(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", getenv("T"), name);
    setenv("NEXTCL_CACHE_DIR", path, 1);
}

/* Without a store there is no hint at tuning, which would be a line on stderr. Tests of stores have
 * their own. */
static inline int cli_suite(TCase *tests, const char *name)
{
    char folder[] = "/tmp/ncl-cli-XXXXXX";
    int failed;

    if (!getenv("NEXTCL_CLI") || !mkdtemp(folder)) {
        puts("NEXTCL_CLI must name the command line's program");
        return 1;
    }
    setenv("T", folder, 1);
    setenv("NEXTCL_CACHE_DIR", "", 1);
    failed = ncl_run_suite(tests, name);
    return system("rm -rf \"$T\"") == 0 ? failed : 1;
}

#endif

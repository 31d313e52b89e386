/* Other processes, started by nobody but nextcl: the tuner's, where candidates run, and may crash
 * and hang, and those that compile for a session. They speak to it through what were their standard
 * input and output. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Drivers and kernels complain: not onto the user's terminal. What they print elsewhere,
 * ncl_tune_worker keeps out of its pipes. */
static bool silence_errors(void)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const bool done = nothing >= 0 && dup2(nothing, STDERR_FILENO) >= 0;

    if (nothing >= 0)
        close(nothing);
    return done;
}

static int serve(const struct cli_options *options)
{
    ncl_status status;

    if (isatty(STDIN_FILENO))
        return cli_fail(NCL_ERROR_USAGE, "a worker is started by nextcl alone");
    /* Ctrl-C goes to the whole foreground group: it is who started this who decides. */
    signal(SIGINT, SIG_IGN);
    if (!options->verbose && !silence_errors())
        return cli_fail(NCL_ERROR_INPUT, "/dev/null: %s", strerror(errno));
    status = ncl_tune_worker(STDIN_FILENO, STDOUT_FILENO);
    return status == NCL_OK ? 0 : cli_fail_library(status);
}

int cli_tune_worker(const struct cli_options *options)
{
    return serve(options);
}

/* PoCL compiles in the threads that run kernels, one at a time. Pinned ones of two processes could
 * share a core, and each thread's heap keeps what its compilations left: 10 MiB less with one. */
int cli_compile_worker(const struct cli_options *options)
{
    setenv("POCL_AFFINITY", "0", 1);
    setenv("POCL_MAX_PTHREAD_COUNT", "1", 1);
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
#endif
    return serve(options);
}

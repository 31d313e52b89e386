/* The tuner's other process, started by nobody but the tuner: candidates run here, and may crash
 * and hang. It speaks to the tuner through what were its standard input and output. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Moves a pipe's end out of the way, closed in what the driver starts: a linker that outlived this
 * process would keep the tuner waiting for its death. */
static int take(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Drivers and kernels print: not into the pipe, and not onto the user's terminal. */
static bool silence(int fd)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const bool done = nothing >= 0 && dup2(nothing, fd) >= 0;

    if (nothing >= 0)
        close(nothing);
    return done;
}

int cli_tune_worker(const struct cli_options *options)
{
    const int in = take(STDIN_FILENO), out = take(STDOUT_FILENO);
    ncl_status status;

    if (isatty(STDIN_FILENO) || in < 0 || out < 0)
        return cli_fail(NCL_ERROR_USAGE, "tune-worker: started by 'nextcl tune' alone");
    /* Ctrl-C goes to the whole foreground group: it is the tuner who decides. */
    signal(SIGINT, SIG_IGN);
    if (!silence(STDIN_FILENO) || !silence(STDOUT_FILENO) ||
        (!options->verbose && !silence(STDERR_FILENO)))
        return cli_fail(NCL_ERROR_INPUT, "/dev/null: %s", strerror(errno));
    status = ncl_tune_worker(in, out);
    return status == NCL_OK ? 0 : cli_fail_library(status);
}

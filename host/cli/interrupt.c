/* Ctrl-C, and what else asks a program to end. One thread waits for these signals, and they are
 * blocked in all others: those that drivers start later inherit that, and so do the compilers and
 * linkers that drivers run. So no handler of a driver's compiler comes before us (LLVM's deletes
 * the files it is working on), and a linker outlives the Ctrl-C that went to the whole foreground
 * group (PoCL aborts where its linker fails). Work stops at its next step instead, in order. */
#include "cli.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* A driver may not come back from a step for long: whoever asks again is let go at once. Both
 * requests may come together (timeout(1) signals twice), and the second of such a pair asks for
 * nothing. */
#define PATIENCE_SECONDS 1.0

static atomic_int asked; /* the first signal's number; 0: none yet */

static void leave_now(int signal_number)
{
    static const char line[] = "nextcl: interrupted\n";
    const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);

    (void)written;
    _exit(CLI_SIGNALLED + signal_number);
}

static void *listen(void *argument)
{
    const sigset_t *wanted = argument;
    double first = 0;
    int number;

    while (sigwait(wanted, &number) == 0) {
        const double now = cli_seconds();

        if (!atomic_load(&asked)) {
            first = now;
            atomic_store(&asked, number);
        } else if (now - first > PATIENCE_SECONDS) {
            leave_now(number);
        }
    }
    return NULL;
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) &&
           action.sa_handler == SIG_IGN;
}

int cli_listen_for_signals(void)
{
    static sigset_t wanted;
    pthread_t thread;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    if (!is_ignored(SIGHUP)) /* nohup's */
        sigaddset(&wanted, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &wanted, NULL) || pthread_create(&thread, NULL, listen, &wanted))
        return cli_fail(NCL_ERROR_MEMORY, "no thread that waits for signals");
    pthread_detach(thread);
    return 0;
}

bool cli_interrupted(void)
{
    return atomic_load(&asked) != 0;
}

int cli_fail_interrupted(void)
{
    return cli_fail(NCL_ERROR_CANCELLED, "interrupted");
}

int cli_exit_status(int status)
{
    return status == NCL_ERROR_CANCELLED && cli_interrupted() ? CLI_SIGNALLED + atomic_load(&asked)
                                                              : status;
}

/* Child processes that answer: one at the other end of a socket that is its standard input and
 * output. Started by posix_spawn, so that neither threads nor OpenCL of this process matter. */
#ifndef NCL_BASE_PROCESS_H
#define NCL_BASE_PROCESS_H

#include "base/log.h"
#include <stdbool.h>

struct ncl_process {
    int pid; /* 0: none */
    int fd;  /* close-on-exec; both directions */
};
enum ncl_process_io {
    NCL_PROCESS_DONE,
    NCL_PROCESS_GONE, /* it closed its end: it exited or crashed */
    NCL_PROCESS_LATE
};

/* command: argv, ends with NULL; a path, or a name on $PATH. quiet: its stderr is /dev/null. It
 * leads a process group of its own, which the terminal's Ctrl-C does not reach. */
ncl_status ncl_process_start(const struct ncl_log *log, const char *const *command, bool quiet,
                             struct ncl_process *process);
/* All of the bytes, within so many seconds of waiting: time in which this process was stopped does
 * not count, nor when it receives. Never raises SIGPIPE. */
enum ncl_process_io ncl_process_send(const struct ncl_process *process, const void *data,
                                     size_t bytes, double seconds);
/* bytes of them, of which *got (0 at first) are there already: may go on after LATE. */
enum ncl_process_io ncl_process_receive(const struct ncl_process *process, void *data, size_t bytes,
                                        size_t *got, double seconds);
#define NCL_PROCESS_WAIT_MOST 16
/* The first of them that has something to say, or is gone; -1: none has within so many seconds. */
int ncl_process_wait(const struct ncl_process *processes, int count, double seconds);
/* Kills its group, and waits for nothing: ncl_process_end, later, takes less time then. */
void ncl_process_kill(const struct ncl_process *process);
/* Kills its group, reaps it, and says how it ended, unless ended is NULL: "killed by signal 11",
 * "exited with status 3". One that does not die, stuck in a driver, is left alone. true: it
 * was SIGKILL, of whoever, and of this call where it lived still. */
bool ncl_process_end(struct ncl_process *process, char ended[64]);

/* All bytes, blocking; the descriptor may be a file's. false: errno. */
bool ncl_fd_write(int fd, const void *data, size_t bytes);
/* For the child: all bytes, blocking. false: the other end is gone. */
bool ncl_fd_read(int fd, void *data, size_t bytes);
/* Keeps both to this process: not for what it starts, which may outlive it, nor for what its
 * libraries print. Those that are 0, 1 or 2 are replaced by others, and /dev/null takes their
 * place. false: errno. */
bool ncl_fd_take(int fds[2]);

/* The other side of fd is watched by a thread: when it closes while this process is busy, the
 * process ends at once, whatever it hangs in; when it is not busy, unless the watch is stopped
 * within ten seconds. */
struct ncl_watch;
ncl_status ncl_watch_start(const struct ncl_log *log, int fd, struct ncl_watch **watch);
/* false: the other side is gone already. */
bool ncl_watch_busy(struct ncl_watch *watch, bool busy);
void ncl_watch_stop(struct ncl_watch *watch);

#endif

#include "base/process.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a killed process may take to die before it counts as stuck. */
#define DEATH_MS 5000
#define TURN_MS 50
/* And how long one that is not wanted any more may take to close its device. */
#define CLOSE_MS 10000

/* ---- starting ---- */

/* The child's end becomes 0 and 1. */
static int set_actions(posix_spawn_file_actions_t *actions, int fd, bool quiet)
{
    int code = posix_spawn_file_actions_adddup2(actions, fd, 0);

    if (!code)
        code = posix_spawn_file_actions_adddup2(actions, fd, 1);
    if (!code && quiet)
        code = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    return code;
}

/* A caller may ignore or block signals; its child should not inherit that. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, usual;
    int code;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    if (!code)
        code = posix_spawnattr_setpgroup(attributes, 0);
    if (!code)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (!code)
        code = posix_spawnattr_setsigdefault(attributes, &usual);
    return code;
}

static int spawn(const char *const *command, int fd, bool quiet, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);

    if (code)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (!code) {
        code = set_actions(&actions, fd, quiet);
        if (!code)
            code = set_attributes(&attributes);
        if (!code)
            code = posix_spawnp(pid, command[0], &actions, &attributes, (char *const *)command,
                                environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* Above 2, where the child's own descriptors will be. */
static int move_up(int fd)
{
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    close(fd);
    return moved;
}

static int make_socket(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    for (int i = 0; i < 2; i++)
        ends[i] = move_up(ends[i]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    return EMFILE;
}

ncl_status ncl_process_start(const struct ncl_log *log, const char *const *command, bool quiet,
                             struct ncl_process *process)
{
    int ends[2], code = make_socket(ends);
    pid_t pid = 0;

    *process = (struct ncl_process){0, -1};
    if (code)
        return ncl_fail(log, NCL_ERROR_DEVICE, "starting %s: %s", command[0], strerror(code));
    code = spawn(command, ends[1], quiet, &pid);
    close(ends[1]);
    if (code) {
        close(ends[0]);
        return ncl_fail(log, NCL_ERROR_DEVICE, "starting %s: %s", command[0], strerror(code));
    }
    *process = (struct ncl_process){pid, ends[0]};
    return NCL_OK;
}

/* ---- talking ---- */

/* Milliseconds until then, rounded up; 0: past. */
static int left_ms(uint64_t deadline)
{
    const uint64_t now = ncl_clock_ns();
    const uint64_t left = now < deadline ? (deadline - now + 999999) / 1000000 : 0;

    return left > 1000000 ? 1000000 : (int)left;
}

static uint64_t deadline_in(double seconds)
{
    return ncl_clock_ns() + (uint64_t)(seconds > 0 ? seconds * 1e9 : 0);
}

static bool wait_for(int fd, short events, uint64_t deadline)
{
    struct pollfd poller = {fd, events, 0};
    int count;

    do
        count = poll(&poller, 1, left_ms(deadline));
    while (count < 0 && errno == EINTR && left_ms(deadline) > 0);
    return count > 0;
}

/* Waits until fd is ready, in turns: one that took much longer, because this process was stopped,
 * counts as four at most. *left: seconds. false: not in time. */
static bool wait_turns(int fd, short events, double *left)
{
    const double turn = TURN_MS * 1e-3;
    bool ready;

    do {
        const uint64_t before = ncl_clock_ns();
        double waited;

        ready = wait_for(fd, events, deadline_in(fmin(*left, turn)));
        waited = (double)(ncl_clock_ns() - before) * 1e-9;
        *left -= fmin(waited, 4 * turn);
    } while (!ready && *left > 0);
    return ready;
}

static bool is_again(ssize_t done)
{
    return done < 0 && (errno == EAGAIN || errno == EINTR);
}

enum ncl_process_io ncl_process_send(const struct ncl_process *process, const void *data,
                                     size_t bytes, double seconds)
{
    size_t sent = 0;

    while (sent < bytes) {
        const ssize_t done =
            send(process->fd, (const char *)data + sent, bytes - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (done > 0)
            sent += (size_t)done;
        else if (!is_again(done))
            return NCL_PROCESS_GONE;
        else if (!wait_turns(process->fd, POLLOUT, &seconds))
            return NCL_PROCESS_LATE;
    }
    return NCL_PROCESS_DONE;
}

enum ncl_process_io ncl_process_receive(const struct ncl_process *process, void *data, size_t bytes,
                                        size_t *got, double seconds)
{
    while (*got < bytes) {
        const ssize_t done = recv(process->fd, (char *)data + *got, bytes - *got, MSG_DONTWAIT);

        if (done > 0)
            *got += (size_t)done;
        else if (!is_again(done))
            return NCL_PROCESS_GONE;
        else if (!wait_turns(process->fd, POLLIN, &seconds))
            return NCL_PROCESS_LATE;
    }
    return NCL_PROCESS_DONE;
}

int ncl_process_wait(const struct ncl_process *processes, int count, double seconds)
{
    const uint64_t deadline = deadline_in(seconds);
    struct pollfd pollers[NCL_PROCESS_WAIT_MOST];
    int ready;

    count = count < NCL_PROCESS_WAIT_MOST ? count : NCL_PROCESS_WAIT_MOST;
    for (int i = 0; i < count; i++)
        pollers[i] = (struct pollfd){processes[i].fd, POLLIN, 0};
    do
        ready = poll(pollers, (nfds_t)count, left_ms(deadline));
    while (ready < 0 && errno == EINTR && left_ms(deadline) > 0);
    for (int i = 0; ready > 0 && i < count; i++)
        if (pollers[i].revents)
            return i;
    return -1;
}

bool ncl_fd_write(int fd, const void *data, size_t bytes)
{
    size_t sent = 0;

    while (sent < bytes) {
        const ssize_t done = write(fd, (const char *)data + sent, bytes - sent);

        if (done == 0)
            errno = EIO; /* nothing says that the next one would write more */
        if (done > 0)
            sent += (size_t)done;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

bool ncl_fd_read(int fd, void *data, size_t bytes)
{
    size_t got = 0;

    while (got < bytes) {
        const ssize_t done = read(fd, (char *)data + got, bytes - got);

        if (done > 0)
            got += (size_t)done;
        else if (done == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static bool silence(int fd)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const bool done = nothing >= 0 && dup2(nothing, fd) >= 0;

    if (nothing >= 0)
        close(nothing);
    return done;
}

bool ncl_fd_take(int fds[2])
{
    const int had[2] = {fds[0], fds[1]};
    bool done = true;

    for (int i = 0; done && i < 2; i++) {
        if (had[i] <= STDERR_FILENO)
            fds[i] = fcntl(had[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        else if (fcntl(had[i], F_SETFD, FD_CLOEXEC) != 0)
            done = false;
        done = done && fds[i] >= 0;
    }
    for (int i = 0; done && i < 2; i++)
        done = had[i] > STDERR_FILENO || silence(had[i]);
    return done;
}

/* ---- ending ---- */

static void describe(int status, char ended[64])
{
    if (WIFSIGNALED(status))
        snprintf(ended, 64, "killed by signal %d", WTERMSIG(status));
    else
        snprintf(ended, 64, "exited with status %d", WEXITSTATUS(status));
}

/* Its end of the socket closes when it dies, and so ours is told. */
static bool wait_for_hang_up(int fd)
{
    const uint64_t deadline = deadline_in(DEATH_MS * 1e-3);
    struct pollfd poller = {fd, 0, 0};

    while (left_ms(deadline) > 0) {
        const int count = poll(&poller, 1, left_ms(deadline));

        if (count > 0 || (count < 0 && errno != EINTR))
            return count > 0;
    }
    return false;
}

void ncl_process_kill(const struct ncl_process *process)
{
    if (process->pid <= 0)
        return;
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
}

bool ncl_process_end(struct ncl_process *process, char ended[64])
{
    bool killed = false;
    int status = 0;

    if (ended)
        snprintf(ended, 64, "still there after it was killed");
    if (process->pid > 0) {
        ncl_process_kill(process);
        if (wait_for_hang_up(process->fd) && waitpid(process->pid, &status, 0) == process->pid) {
            killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
            if (ended)
                describe(status, ended);
        }
        close(process->fd);
    }
    *process = (struct ncl_process){0, -1};
    return killed;
}

/* ---- watching ---- */

struct ncl_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    bool busy, gone;
    int fd, wake[2]; /* a byte in wake ends the thread */
};

static void die(void)
{
    kill(getpid(), SIGKILL); /* no exit handlers: a driver may hang */
}

static void *watch(void *argument)
{
    struct ncl_watch *w = argument;
    struct pollfd pollers[2] = {{w->fd, 0, 0}, {w->wake[0], POLLIN, 0}};
    int count;

    do
        count = poll(pollers, 2, -1);
    while (count < 0 && errno == EINTR);
    pthread_mutex_lock(&w->lock);
    w->gone = pollers[0].revents != 0;
    if (w->gone && w->busy)
        die();
    pthread_mutex_unlock(&w->lock);
    if (w->gone && !wait_for(w->wake[0], POLLIN, deadline_in(CLOSE_MS * 1e-3)))
        die();
    return NULL;
}

ncl_status ncl_watch_start(const struct ncl_log *log, int fd, struct ncl_watch **watch_out)
{
    struct ncl_watch *w = ncl_alloc(1, sizeof *w);

    *watch_out = NULL;
    if (!w)
        return ncl_fail_memory(log, "a watch");
    w->fd = fd;
    if (pipe2(w->wake, O_CLOEXEC) != 0) {
        free(w);
        return ncl_fail(log, NCL_ERROR_DEVICE, "watching a descriptor: %s", strerror(errno));
    }
    pthread_mutex_init(&w->lock, NULL);
    if (pthread_create(&w->thread, NULL, watch, w) == 0) {
        *watch_out = w;
        return NCL_OK;
    }
    pthread_mutex_destroy(&w->lock);
    close(w->wake[0]);
    close(w->wake[1]);
    free(w);
    return ncl_fail(log, NCL_ERROR_MEMORY, "watching a descriptor: no thread");
}

bool ncl_watch_busy(struct ncl_watch *w, bool busy)
{
    bool there;

    pthread_mutex_lock(&w->lock);
    w->busy = busy;
    there = !w->gone;
    pthread_mutex_unlock(&w->lock);
    return there;
}

void ncl_watch_stop(struct ncl_watch *w)
{
    if (!w)
        return;
    ncl_watch_busy(w, false);
    ncl_fd_write(w->wake[1], "", 1);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    close(w->wake[0]);
    close(w->wake[1]);
    free(w);
}

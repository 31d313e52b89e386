/* Failures and messages. Nothing below the command line prints: it returns a status and leaves the
 * details here. Thread-safe: the last error belongs to the calling thread, and messages reach the
 * user's function on the thread that called NextCL. */
#ifndef NCL_BASE_LOG_H
#define NCL_BASE_LOG_H

#include "nextcl.h"

struct ncl_log {
    ncl_log_fn write; /* NULL: silent */
    void *user;
    ncl_log_level level;
};

/* Records one line as the thread's last error, logs it at level error, returns `status`. A line
 * says what, where, expected, found. log may be NULL. */
ncl_status ncl_fail(const struct ncl_log *log, ncl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the thread's last error; returns `status`. For callers that know the file
 * or node a lower floor could not name. */
ncl_status ncl_fail_within(ncl_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Out of host memory while doing `what`. */
ncl_status ncl_fail_memory(const struct ncl_log *log, const char *what);
void ncl_note(const struct ncl_log *log, ncl_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a thread says that works for another, in its order. A zeroed struct is empty. */
struct ncl_log_message;
struct ncl_log_held {
    struct ncl_log_message *first, *last;
};
/* What the calling thread says from now on, to whatever log, is kept there. */
void ncl_log_hold(struct ncl_log_held *said);
/* Says it, on the calling thread, and empties it. */
void ncl_log_deliver(struct ncl_log_held *said);

#ifdef __clang_analyzer__
/* clang's analyzer does not see into other files, and must know that a failure's status is the one
 * given, never NCL_OK. */
#define ncl_fail(log, status, ...) (ncl_fail(log, status, __VA_ARGS__), (status))
#define ncl_fail_memory(log, what) (ncl_fail_memory(log, what), NCL_ERROR_MEMORY)
#endif

const char *ncl_error_text(void);        /* the thread's last error, "" if none */
void ncl_error_set(const char *message); /* for carrying a worker thread's error to its caller */

#endif

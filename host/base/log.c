#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef ncl_fail /* the analyzer's */
#undef ncl_fail_memory

#define LINE_BYTES 1024

static _Thread_local char last_error[LINE_BYTES];

struct ncl_log_message {
    struct ncl_log_message *next;
    struct ncl_log log;
    ncl_log_level level;
    char line[];
};
static _Thread_local struct ncl_log_held *held; /* NULL: nothing is kept */

/* One line, whatever it quotes: names from hostile files must not reach a terminal as escapes. */
static void make_one_line(char *line)
{
    size_t length = strlen(line);

    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)line[i];
        if (c < ' ' || c == 0x7f) {
            line[i] = ' ';
        }
    }
    while (length > 0 && line[length - 1] == ' ') {
        line[--length] = '\0';
    }
}

__attribute__((format(printf, 2, 0))) static void format_line(char line[LINE_BYTES],
                                                              const char *format, va_list arguments)
{
    if (vsnprintf(line, LINE_BYTES, format, arguments) < 0) {
        snprintf(line, LINE_BYTES, "%s", format);
    }
    make_one_line(line);
}

/* Without memory for it a message is lost; a failure has its status as well. */
static void keep(const struct ncl_log *log, ncl_log_level level, const char *line)
{
    const size_t bytes = strlen(line) + 1;
    struct ncl_log_message *message = malloc(sizeof(*message) + bytes);

    if (message == NULL) {
        return;
    }
    *message = (struct ncl_log_message){.log = *log, .level = level};
    memcpy(message->line, line, bytes);
    if (held->last != NULL) {
        held->last->next = message;
    } else {
        held->first = message;
    }
    held->last = message;
}

static void emit(const struct ncl_log *log, ncl_log_level level, const char *line)
{
    if (log == NULL || log->write == NULL || level > log->level) {
        return;
    }
    if (held != NULL) {
        keep(log, level, line);
    } else {
        log->write(log->user, level, line);
    }
}

void ncl_log_hold(struct ncl_log_held *said)
{
    held = said;
}

void ncl_log_deliver(struct ncl_log_held *said)
{
    struct ncl_log_message *next = NULL;

    for (struct ncl_log_message *message = said->first; message != NULL; message = next) {
        next = message->next;
        emit(&message->log, message->level, message->line);
        free(message);
    }
    *said = (struct ncl_log_held){0};
}

ncl_status ncl_fail(const struct ncl_log *log, ncl_status status, const char *format, ...)
{
    char line[LINE_BYTES]; /* an argument may be the last error itself */
    va_list arguments;

    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    memcpy(last_error, line, sizeof(last_error));
    emit(log, NCL_LOG_ERROR, line);
    return status;
}

ncl_status ncl_fail_within(ncl_status status, const char *format, ...)
{
    char prefix[LINE_BYTES];
    char line[2 * LINE_BYTES + 2];
    va_list arguments;

    va_start(arguments, format);
    format_line(prefix, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof(line), "%s: %s", prefix, last_error);
    ncl_error_set(line);
    return status;
}

ncl_status ncl_fail_memory(const struct ncl_log *log, const char *what)
{
    return ncl_fail(log, NCL_ERROR_MEMORY, "%s: out of host memory", what);
}

void ncl_note(const struct ncl_log *log, ncl_log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    if (log == NULL || log->write == NULL || level > log->level) {
        return;
    }
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    emit(log, level, line);
}

const char *ncl_error_text(void)
{
    return last_error;
}

void ncl_error_set(const char *message)
{
    char line[LINE_BYTES] = {0};

    memcpy(line, message, strnlen(message, sizeof(line) - 1));
    make_one_line(line);
    memcpy(last_error, line, sizeof(last_error));
}

/* A growing string. A zeroed struct is empty; `failed` sticks, so that callers check once. */
#ifndef NCL_BASE_TEXT_H
#define NCL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct ncl_text {
    char *data; /* NUL-terminated once anything was added; free with ncl_text_free */
    size_t length, capacity;
    bool failed; /* memory ran out: contents are incomplete */
};
void ncl_text_add(struct ncl_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ncl_text_append(struct ncl_text *text, const char *data, size_t length);
void ncl_text_free(struct ncl_text *text);

#endif

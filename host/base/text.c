#include "base/text.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `extra` more bytes and the NUL. */
static bool reserve(struct ncl_text *text, size_t extra)
{
    size_t wanted = text->capacity < 64 ? 64 : text->capacity;
    char *grown = NULL;

    if (text->failed || extra > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
        text->failed = true;
        return false;
    }
    while (wanted < text->length + extra + 1) {
        wanted *= 2;
    }
    if (wanted == text->capacity) {
        return true;
    }
    grown = realloc(text->data, wanted);
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->data = grown;
    text->capacity = wanted;
    return true;
}

void ncl_text_append(struct ncl_text *text, const char *data, size_t length)
{
    if (!reserve(text, length)) {
        return;
    }
    if (length > 0) {
        memcpy(text->data + text->length, data, length);
    }
    text->length += length;
    text->data[text->length] = '\0';
}

void ncl_text_add(struct ncl_text *text, const char *format, ...)
{
    va_list arguments, again;
    int length = 0;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void ncl_text_free(struct ncl_text *text)
{
    free(text->data);
    *text = (struct ncl_text){0};
}

#include "html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct html *html, size_t more)
{
    size_t capacity = html->capacity ? html->capacity : 1 << 16;
    char *grown;

    while (capacity < html->length + more + 1)
        capacity *= 2;
    if (html->failed || capacity == html->capacity)
        return !html->failed;
    grown = realloc(html->text, capacity);
    html->failed = !grown;
    if (!grown)
        return false;
    html->text = grown;
    html->capacity = capacity;
    return true;
}

static void append(struct html *html, const char *text, size_t length)
{
    if (!reserve(html, length))
        return;
    memcpy(html->text + html->length, text, length);
    html->length += length;
    html->text[html->length] = 0;
}

void html_put(struct html *html, const char *format, ...)
{
    va_list arguments, again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        html->failed = true;
    else if (reserve(html, (size_t)length))
        html->length +=
            (size_t)vsnprintf(html->text + html->length, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
}

/* Control characters are legal in no document: a blank takes their place. */
void html_text(struct html *html, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            append(html, "&amp;", 5);
            break;
        case '<':
            append(html, "&lt;", 4);
            break;
        case '>':
            append(html, "&gt;", 4);
            break;
        case '"':
            append(html, "&quot;", 6);
            break;
        case '\'':
            append(html, "&#39;", 5);
            break;
        default:
            append(html, (unsigned char)*text < ' ' || *text == 0x7f ? " " : text, 1);
        }
    }
}

void html_free(struct html *html)
{
    free(html->text);
    *html = (struct html){0};
}

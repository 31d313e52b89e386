/* Text of a page that grows. Markup comes from the program, text from anywhere. */
#ifndef NCL_CLI_HTML_H
#define NCL_CLI_HTML_H

#include <stdbool.h>
#include <stddef.h>

struct html {
    char *text;
    size_t length, capacity;
    bool failed; /* out of memory */
};

/* Markup, as it is: never with text from outside. */
void html_put(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside, escaped for elements and quoted attributes. */
void html_text(struct html *html, const char *text);
void html_free(struct html *html);

#endif

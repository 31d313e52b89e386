/* What the files of `inspect` share: reading the library's report. */
#ifndef NCL_CLI_INSPECT_H
#define NCL_CLI_INSPECT_H

#include "layers.h"

/* "1x3x224x224", a free dimension as "?", into text. Returns text. */
#define INSPECT_SHAPE 192
const char *inspect_shape(const json_t *dims, char text[INSPECT_SHAPE]);
/* "3x3 s2 g32" of a layer with a window, "" of others. */
#define INSPECT_WINDOW 96
const char *inspect_window(const json_t *layer, char text[INSPECT_WINDOW]);

/* inspect_name.c: a short form of the object's name into text, without control characters.
 * in_block: what stands in the frame of its block. Returns text. */
#define INSPECT_NAME 31
const char *inspect_name(const json_t *object, bool in_block, char text[INSPECT_NAME]);

/* dot.c: a Graphviz drawing of a report, on stdout. Returns 0, or a status after one line. */
int inspect_draw(const json_t *report);

#endif

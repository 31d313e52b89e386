/* Names of layers and tensors, short enough for a column or a box. */
#include "inspect.h"

#include <ctype.h>
#include <string.h>

/* Exporters put the operator behind a node's path of modules, "/layer1/layer1.0/conv1/Conv". */
static const char *end_of_path(const char *name)
{
    const char *end = name + strlen(name), *start = end;

    while (start > name && start[-1] != '/')
        start--;
    return start > name + 1 && isupper((unsigned char)*start) ? start - 1 : end;
}

/* The last mention of the block, and the character behind it. */
static const char *skip_block(const char *name, const char *end, const char *block)
{
    const size_t length = strlen(block);
    const char *start = name;

    for (const char *at = strstr(name, block); length > 0 && at; at = strstr(at + 1, block))
        if (at + length + 1 < end)
            start = at + length + 1;
    return start;
}

/* The end of a path says more than its beginning: parts are put in front of `text`, which ends at
 * its last byte, as long as there is room; "layer1" in front of "layer1.0" says nothing. */
static char *gather(const char *start, const char *end, char *text, size_t room)
{
    char *first = text + room;
    size_t last_length = 0;

    while (end > start) {
        const char *part = end;
        size_t length;
        bool told;

        while (part > start && part[-1] != '/')
            part--;
        length = (size_t)(end - part);
        told = last_length > length && first[length] == '.' && memcmp(part, first, length) == 0;
        if (length + (last_length > 0) > (size_t)(first - text)) {
            length = last_length > 0 ? 0 : room; /* of a single long part, its end */
            part = start;
        }
        if (length > 0 && !told) {
            if (last_length > 0)
                *--first = '/';
            first -= length;
            memcpy(first, end - length, length);
            last_length = length;
        }
        end = part > start ? part - 1 : start;
    }
    return first;
}

const char *inspect_name(const json_t *object, bool in_block, char text[INSPECT_NAME])
{
    const char *name = cli_text(object, "name"), *end = end_of_path(name), *start;
    char *first;

    memset(text, 0, INSPECT_NAME);
    start = in_block ? skip_block(name, end, cli_text(object, "block")) : name;
    first = gather(start, end, text, INSPECT_NAME - 1);
    while ((*first & 0xc0) == 0x80) /* UTF-8: not in the middle of a character */
        first++;
    memmove(text, first, strlen(first) + 1);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    return text;
}

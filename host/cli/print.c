#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_print_json(json_t *root)
{
    const int failed = !root || json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    json_decref(root);
    putchar('\n');
    return failed ? cli_fail(NCL_ERROR_MEMORY, "out of memory: the JSON document") : 0;
}

json_t *cli_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_text(const char *text)
{
    json_t *json;
    char *ascii;

    if (!text)
        return json_null();
    json = json_string(text);
    if (json)
        return json;
    ascii = strdup(text);
    for (char *at = ascii; at && *at; at++)
        if ((unsigned char)*at > 0x7f)
            *at = '?';
    json = ascii ? json_string(ascii) : NULL;
    free(ascii);
    return json;
}

int cli_print_report(const char *json)
{
    puts(json);
    return 0;
}

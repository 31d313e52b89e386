#include "cli.h"

#include <math.h>
#include <stdio.h>

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

int cli_print_report(const char *json)
{
    puts(json);
    return 0;
}

#include "layers.h"

#include <stdio.h>

static const char *yes(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? "yes" : "no";
}

static void print_device(const json_t *d)
{
    printf("%s  %s (%s)\n", cli_text(d, "index"), cli_text(d, "name"), cli_text(d, "type"));
    printf("     platform    %s, driver %s\n", cli_text(d, "platform"), cli_text(d, "driver"));
    printf("     OpenCL      %s, %s\n", cli_text(d, "version"), cli_text(d, "opencl_c"));
    printf("     units       %.0f at %.0f MHz, work-group up to %.0f\n",
           cli_number(d, "compute_units"), cli_number(d, "clock_mhz"),
           cli_number(d, "max_work_group"));
    printf("     memory      %.0f MiB, one allocation %.0f MiB, local %.0f KiB%s\n",
           cli_number(d, "global_memory") / 1048576, cli_number(d, "max_allocation") / 1048576,
           cli_number(d, "local_memory") / 1024,
           json_is_true(json_object_get(d, "local_memory_is_local")) ? "" : " (in global memory)");
    printf("     arithmetic  fma reported %s, fp16 %s, fp64 %s\n", yes(d, "fma_reported"),
           yes(d, "fp16"), yes(d, "fp64"));
    printf("     NextCL      %.0f channels per block; tuning: %s\n", cli_number(d, "channel_block"),
           cli_text(d, "tuning"));
    if (*cli_text(d, "workarounds"))
        printf("     workarounds %s\n", cli_text(d, "workarounds"));
}

static int print_devices(const char *json)
{
    json_t *root = json_loads(json, 0, NULL);
    const json_t *devices = json_object_get(root, "devices");

    for (size_t i = 0; i < json_array_size(devices); i++)
        print_device(json_array_get(devices, i));
    if (!json_array_size(devices))
        puts("no OpenCL device; a CPU becomes one with: apt-get install pocl-opencl-icd");
    json_decref(root);
    return 0;
}

int cli_devices(const struct cli_options *options)
{
    ncl_context *context;
    char *json = NULL;
    ncl_status status;
    /* A device that is asked for by name has to be there; all are listed. */
    int failed =
        cli_open_context(options, options->device ? NULL : "none", NCL_MATH_AUTO, false, &context);

    if (failed)
        return failed;
    status = ncl_report(context, NCL_REPORT_DEVICES, NULL, &json);
    if (status != NCL_OK || cli_interrupted())
        failed = cli_fail_library(status);
    else
        failed = options->json ? cli_print_report(json) : print_devices(json);
    ncl_free(json);
    ncl_close(context);
    return failed;
}

/* Workers that are this test program, started with "serve". */
#ifndef NCL_TESTS_SERVED_H
#define NCL_TESTS_SERVED_H

#include "session/worker.h"
#include "support/algo_check.h"

#include <string.h>

#define MUST(call) ck_assert_msg((call) == NCL_OK, "%s", ncl_error_text())

static const struct ncl_device *device;
static char device_name[64]; /* as much of it as fits */
static const char *const command[] = {"/proc/self/exe", "serve", NULL};

/* Chooses the device that workers open by its name. */
static inline void served_open(void)
{
    size_t count = 0;

    device = ncl_check_devices(&count);
    if (device)
        memcpy(device_name, device->caps.name, sizeof device_name - 1);
}

#endif

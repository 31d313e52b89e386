/* Calls check on every usable device of the environment, opened; there must be one. */
#ifndef NCL_TESTS_DEVICES_H
#define NCL_TESTS_DEVICES_H

#include "cl/device.h"
#include <check.h>

static inline void ncl_on_every_device(void (*check)(struct ncl_device *device))
{
    const struct ncl_cl *cl = NULL;
    struct ncl_device_list list = {0};

    ck_assert_int_eq(ncl_cl_load(NULL, &cl), NCL_OK);
    ck_assert_int_eq(ncl_device_list(NULL, cl, &list), NCL_OK);
    ck_assert_uint_gt(list.count, 0);
    for (size_t i = 0; i < list.count; i++) {
        struct ncl_device device;
        ck_assert_int_eq(ncl_device_open(NULL, cl, &list.entries[i], true, &device), NCL_OK);
        check(&device);
        ncl_device_close(&device);
    }
    ncl_device_list_free(&list);
}

#endif

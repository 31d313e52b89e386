/* Puts the layer of layer_fault.c between this process and OpenCL. Call before anything touches
 * OpenCL; then setenv() of its variables takes effect at once. */
#ifndef NCL_TESTS_FAULT_H
#define NCL_TESTS_FAULT_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline bool fault_layer_load(void)
{
    const char *build = getenv("NEXTCL_BUILD");
    char path[4096];

    if (!build || snprintf(path, sizeof path, "%s/tests/layer_fault.so", build) >= 4096)
        return false;
    return access(path, R_OK) == 0 && setenv("OPENCL_LAYERS", path, 1) == 0;
}

static inline void fault_set(const char *name, long value)
{
    char text[32];

    snprintf(text, sizeof text, "%ld", value);
    setenv(name, text, 1);
}

/* Launches of this process so far, as the layer counts them. */
static inline long fault_launches(void)
{
    void *layer = dlopen(getenv("OPENCL_LAYERS"), RTLD_NOW | RTLD_NOLOAD);
    long (*count)(void) = NULL;

    if (layer)
        *(void **)&count = dlsym(layer, "ncl_layer_launches");
    return count ? count() : -1;
}

#endif

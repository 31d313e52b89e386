#include "session/trial_parts.h"

#include "base/memory.h"
#include "base/thread.h"
#include "cl/program.h"
#include "plan/compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kernels without users that are kept: local search often comes back to one, with other values of
 * what are arguments to it. */
#define KEPT 48

static struct ncl_built *find(const struct ncl_builds *builds, const struct ncl_algo *algo,
                              const char *defines)
{
    for (size_t i = 0; i < builds->count; i++) {
        struct ncl_built *have = builds->all[i];

        if (have->algo == algo && strcmp(have->defines, defines) == 0)
            return have;
    }
    return NULL;
}

static struct ncl_built *add(struct ncl_builds *builds, const struct ncl_algo *algo,
                             const char *defines)
{
    struct ncl_built *built;

    if (!ncl_grow((void **)&builds->all, &builds->capacity, builds->count, sizeof *builds->all))
        return NULL;
    built = ncl_alloc(1, sizeof *built);
    if (!built)
        return NULL;
    built->algo = algo;
    built->defines = ncl_strdup(defines);
    if (!built->defines) {
        free(built);
        return NULL;
    }
    builds->all[builds->count++] = built;
    return built;
}

ncl_status ncl_builds_take(struct ncl_builds *builds, const struct ncl_algo *algo, const int *v,
                           const struct ncl_problem *p, struct ncl_built **built)
{
    struct ncl_defines defines = {0};

    ncl_text_add(&defines.text, "%s", "");
    if (!algo->host_run)
        ncl_compose_defines(&defines, algo, v, p);
    *built = NULL;
    if (!defines.text.failed) {
        *built = find(builds, algo, defines.text.data);
        if (!*built)
            *built = add(builds, algo, defines.text.data);
    }
    ncl_text_free(&defines.text);
    if (!*built)
        return ncl_fail_memory(NULL, "a kernel variant");
    (*built)->users++;
    (*built)->used = ++builds->clock;
    return NCL_OK;
}

static void release(const struct ncl_device *device, struct ncl_built *built)
{
    ncl_program_release(device, &built->program);
    free(built->defines);
    free(built);
}

void ncl_builds_drop(const struct ncl_device *device, struct ncl_builds *builds,
                     struct ncl_built *built)
{
    size_t idle = 0, oldest = 0;

    built->users--;
    for (size_t i = 0; i < builds->count; i++) {
        if (builds->all[i]->users)
            continue;
        if (!idle++ || builds->all[i]->used < builds->all[oldest]->used)
            oldest = i;
    }
    if (idle <= KEPT)
        return;
    release(device, builds->all[oldest]);
    builds->all[oldest] = builds->all[--builds->count];
}

struct job {
    const struct ncl_device *device;
    const struct ncl_builds *builds;
    struct ncl_built *built;
};

/* A program of its own for each, so that one that does not build spoils no other, and the same
 * source whatever it is built beside: drivers' own caches know it again. */
static void build(void *user, size_t index)
{
    const struct job *job = (struct job *)user + index;
    const struct ncl_defines defines = {
        {.data = job->built->defines, .length = strlen(job->built->defines)}};
    struct ncl_text source = {0};
    ncl_status status = NCL_ERROR_MEMORY;

    ncl_error_set("out of memory while composing a kernel");
    ncl_compose_variant(&source, job->built->algo, &defines, 0);
    if (!source.failed)
        status =
            ncl_program_build(job->device, source.data, NCL_BUILD_OPTIONS, &job->built->program);
    job->built->failed = status != NCL_OK;
    if (job->built->failed)
        snprintf(job->built->error, sizeof job->built->error, "%s", ncl_error_text());
    ncl_text_free(&source);
    if (job->builds->told)
        job->builds->told(job->builds->user, job->built);
}

void ncl_builds_run(const struct ncl_device *device, struct ncl_builds *builds)
{
    struct job *jobs = ncl_alloc(builds->count + 1, sizeof *jobs);
    size_t count = 0;

    for (size_t i = 0; i < builds->count; i++) {
        struct ncl_built *built = builds->all[i];
        struct job alone = {device, builds, built};

        if (built->program || built->failed || built->algo->host_run)
            continue;
        if (jobs)
            jobs[count++] = alone;
        else
            build(&alone, 0);
    }
    if (!device->caps.serial_builds)
        ncl_parallel_for(count, build, jobs);
    else
        for (size_t i = 0; i < count; i++)
            build(jobs, i);
    free(jobs);
}

void ncl_builds_free(const struct ncl_device *device, struct ncl_builds *builds)
{
    for (size_t i = 0; i < builds->count; i++)
        release(device, builds->all[i]);
    free(builds->all);
    *builds = (struct ncl_builds){0};
}

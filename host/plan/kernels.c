#include "plan/kernels.h"

#include "base/memory.h"
#include "base/thread.h"
#include "cl/program.h"
#include "plan/compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ncl_status ncl_kernels_add(struct ncl_kernels *set, const struct ncl_algo *algo, const int *v,
                           const struct ncl_problem *p, int *index)
{
    struct ncl_defines defines = {0};

    if (!ncl_grow((void **)&set->variants, &set->capacity, set->count, sizeof *set->variants))
        return ncl_fail_memory(set->device->log, "a kernel variant");
    if (!algo->host_run)
        ncl_compose_defines(&defines, algo, v, p);
    if (defines.text.failed) {
        ncl_text_free(&defines.text);
        return ncl_fail_memory(set->device->log, "a kernel variant");
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct ncl_variant *have = &set->variants[i];

        if (have->algo == algo &&
            (algo->host_run || strcmp(have->defines.text.data, defines.text.data) == 0)) {
            ncl_text_free(&defines.text);
            *index = (int)i;
            return NCL_OK;
        }
    }
    *index = (int)set->count;
    set->variants[set->count++] = (struct ncl_variant){.algo = algo, .defines = defines};
    return NCL_OK;
}

/* Some variants of a set and the program made of them. */
struct batch {
    struct ncl_kernels *set;
    size_t first, step; /* variants first, first + step, ... */
    size_t end;
    cl_program program;
    ncl_status status;
    char error[256]; /* errors belong to threads: this one's is carried to the caller's */
};

static bool pending(const struct ncl_variant *variant)
{
    return !variant->program && !variant->failed && !variant->algo->host_run;
}

static void build_batch(void *user, size_t index)
{
    struct batch *batch = (struct batch *)user + index;
    struct ncl_text source = {0};

    for (size_t i = batch->first; i < batch->end; i += batch->step) {
        const struct ncl_variant *variant = &batch->set->variants[i];

        if (pending(variant))
            ncl_compose_variant(&source, variant->algo, &variant->defines, (int)i);
    }
    if (source.failed)
        batch->status = ncl_fail_memory(batch->set->device->log, "kernel source");
    else if (source.data)
        batch->status =
            ncl_program_build(batch->set->device, source.data, NCL_BUILD_OPTIONS, &batch->program);
    if (batch->status != NCL_OK)
        snprintf(batch->error, sizeof batch->error, "%s", ncl_error_text());
    ncl_text_free(&source);
}

static ncl_status keep(struct ncl_kernels *set, const struct batch *batch)
{
    if (!batch->program)
        return NCL_OK;
    if (!ncl_grow((void **)&set->programs, &set->program_capacity, set->program_count,
                  sizeof(cl_program))) {
        cl_program program = batch->program;

        ncl_program_release(set->device, &program);
        return ncl_fail_memory(set->device->log, "a program");
    }
    set->programs[set->program_count++] = batch->program;
    for (size_t i = batch->first; i < batch->end; i += batch->step)
        if (pending(&set->variants[i]))
            set->variants[i].program = batch->program;
    return NCL_OK;
}

/* One variant spoils its whole program: find it. */
static ncl_status build_singly(struct ncl_kernels *set, const struct batch *failed)
{
    ncl_status status = NCL_OK;

    for (size_t i = failed->first; status == NCL_OK && i < failed->end; i += failed->step) {
        struct batch single = {.set = set, .first = i, .step = 1, .end = i + 1};

        if (!pending(&set->variants[i]))
            continue;
        build_batch(&single, 0);
        if (single.status == NCL_OK) {
            status = keep(set, &single);
            continue;
        }
        set->variants[i].failed = true;
        snprintf(set->variants[i].why, sizeof set->variants[i].why, "%s", single.error);
        ncl_note(set->device->log, NCL_LOG_WARNING, "%s does not build on %s: %s",
                 set->variants[i].algo->name, set->device->caps.name, single.error);
    }
    return status;
}

ncl_status ncl_kernels_build(struct ncl_kernels *set)
{
    const size_t count = (size_t)set->device->caps.programs_parallel;
    struct batch *batches = ncl_alloc(count, sizeof *batches);
    ncl_status status = NCL_OK;

    if (!batches)
        return ncl_fail_memory(set->device->log, "program builds");
    for (size_t i = 0; i < count; i++)
        batches[i] = (struct batch){.set = set, .first = i, .step = count, .end = set->count};
    ncl_parallel_for(count, build_batch, batches);
    for (size_t i = 0; i < count; i++) {
        if (status != NCL_OK)
            ncl_program_release(set->device, &batches[i].program);
        else if (batches[i].status == NCL_OK)
            status = keep(set, &batches[i]);
        else
            status = build_singly(set, &batches[i]);
    }
    free(batches);
    return status;
}

void ncl_kernels_free(struct ncl_kernels *set)
{
    for (size_t i = 0; i < set->program_count; i++)
        ncl_program_release(set->device, &set->programs[i]);
    for (size_t i = 0; i < set->count; i++)
        ncl_text_free(&set->variants[i].defines.text);
    free(set->programs);
    free(set->variants);
    *set = (struct ncl_kernels){.device = set->device};
}

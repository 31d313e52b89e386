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

bool ncl_variant_pending(const struct ncl_variant *variant)
{
    return !variant->program && !variant->failed && !variant->algo->host_run;
}

/* The part that has the fewest variants of the last one's algorithm, which take about as long to
 * compile, and of those the fewest of all. */
static int lightest_part(const struct ncl_kernels *set, size_t last)
{
    size_t best_like = 0, best_all = 0;
    int best = -1;

    for (int part = 0; part < set->device->caps.programs; part++) {
        size_t like = 0, all = 0;

        for (size_t i = 0; i < last; i++) {
            const struct ncl_variant *variant = &set->variants[i];
            const bool here = variant->part == part && ncl_variant_pending(variant);

            like += here && variant->algo == set->variants[last].algo;
            all += here;
        }
        if (best < 0 || like < best_like || (like == best_like && all < best_all)) {
            best = part;
            best_like = like;
            best_all = all;
        }
    }
    return best;
}

void ncl_kernels_divide(struct ncl_kernels *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (ncl_variant_pending(&set->variants[i]))
            set->variants[i].part = lightest_part(set, i);
}

static bool is_of(const struct ncl_variant *variant, int part)
{
    return variant->part == part && ncl_variant_pending(variant);
}

void ncl_kernels_compose(const struct ncl_kernels *set, int part, struct ncl_text *source)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct ncl_variant *variant = &set->variants[i];

        if (is_of(variant, part))
            ncl_compose_variant(source, variant->algo, &variant->defines, (int)i);
    }
}

/* A program while it is made. */
struct batch {
    struct ncl_kernels *set;
    cl_program program;
    ncl_status status;
    char error[256]; /* errors belong to threads: this one's is carried to the caller's */
};

static void build_source(struct batch *batch, const struct ncl_text *source)
{
    if (source->failed)
        batch->status = ncl_fail_memory(batch->set->device->log, "kernel source");
    else if (source->data)
        batch->status =
            ncl_program_build(batch->set->device, source->data, NCL_BUILD_OPTIONS, &batch->program);
    if (batch->status != NCL_OK)
        snprintf(batch->error, sizeof batch->error, "%s", ncl_error_text());
}

static void build_batch(void *user, size_t part)
{
    struct batch *batch = (struct batch *)user + part;
    struct ncl_text source = {0};

    ncl_kernels_compose(batch->set, (int)part, &source);
    build_source(batch, &source);
    ncl_text_free(&source);
}

static ncl_status add_program(struct ncl_kernels *set, cl_program program)
{
    if (!ncl_grow((void **)&set->programs, &set->program_capacity, set->program_count,
                  sizeof(cl_program))) {
        ncl_program_release(set->device, &program);
        return ncl_fail_memory(set->device->log, "a program");
    }
    set->programs[set->program_count++] = program;
    return NCL_OK;
}

static ncl_status keep(struct ncl_kernels *set, const struct batch *batch, int part)
{
    ncl_status status = batch->program ? add_program(set, batch->program) : NCL_OK;

    for (size_t i = 0; status == NCL_OK && batch->program && i < set->count; i++)
        if (is_of(&set->variants[i], part))
            set->variants[i].program = batch->program;
    return status;
}

static ncl_status build_single(struct ncl_kernels *set, size_t index)
{
    struct ncl_variant *variant = &set->variants[index];
    struct batch single = {.set = set};
    struct ncl_text source = {0};

    ncl_compose_variant(&source, variant->algo, &variant->defines, (int)index);
    build_source(&single, &source);
    ncl_text_free(&source);
    if (single.status == NCL_OK) {
        const ncl_status status = add_program(set, single.program);

        variant->program = status == NCL_OK ? single.program : NULL;
        return status;
    }
    variant->failed = true;
    snprintf(variant->why, sizeof variant->why, "%s", single.error);
    ncl_note(set->device->log, NCL_LOG_WARNING, "%s does not build on %s: %s", variant->algo->name,
             set->device->caps.name, single.error);
    return NCL_OK;
}

/* One variant spoils its whole program: find it. */
static ncl_status keep_or_find(struct ncl_kernels *set, const struct batch *batch, int part)
{
    ncl_status status = NCL_OK;

    if (batch->status == NCL_OK)
        return keep(set, batch, part);
    for (size_t i = 0; status == NCL_OK && i < set->count; i++)
        if (is_of(&set->variants[i], part))
            status = build_single(set, i);
    return status;
}

ncl_status ncl_kernels_build_part(struct ncl_kernels *set, int part)
{
    struct batch batch = {.set = set};
    struct ncl_text source = {0};

    ncl_kernels_compose(set, part, &source);
    build_source(&batch, &source);
    ncl_text_free(&source);
    return keep_or_find(set, &batch, part);
}

/* All at once. */
static ncl_status build_parallel(struct ncl_kernels *set, size_t count)
{
    struct batch *batches = ncl_alloc(count, sizeof *batches);
    ncl_status status = NCL_OK;

    if (!batches)
        return ncl_fail_memory(set->device->log, "program builds");
    for (size_t i = 0; i < count; i++)
        batches[i].set = set;
    ncl_parallel_for(count, build_batch, batches);
    for (size_t i = 0; i < count; i++) {
        if (status != NCL_OK)
            ncl_program_release(set->device, &batches[i].program);
        else
            status = keep_or_find(set, &batches[i], (int)i);
    }
    free(batches);
    return status;
}

ncl_status ncl_kernels_build(struct ncl_kernels *set)
{
    const int count = set->device->caps.programs;
    ncl_status status = NCL_OK;

    ncl_kernels_divide(set);
    if (!set->device->caps.serial_builds)
        return build_parallel(set, (size_t)count);
    for (int i = 0; status == NCL_OK && i < count; i++)
        status = ncl_kernels_build_part(set, i);
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

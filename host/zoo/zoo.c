#include "zoo/zoo.h"
#include "base/text.h"
#include "zoo/builder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 4
#define MAX_CLASSES 100000

struct architecture {
    const char *name;
    const struct ncl_style *style;
    bool bottleneck; /* else two 3x3 convolutions */
    int blocks[STAGES];
    int groups, group_width; /* of the 3x3, at 64 planes */
};

static const struct architecture architectures[] = {
    {"resnet18", &ncl_style_torch, false, {2, 2, 2, 2}, 1, 64},
    {"resnet34", &ncl_style_torch, false, {3, 4, 6, 3}, 1, 64},
    {"resnet50", &ncl_style_torch, true, {3, 4, 6, 3}, 1, 64},
    {"resnet101", &ncl_style_torch, true, {3, 4, 23, 3}, 1, 64},
    {"resnet152", &ncl_style_torch, true, {3, 8, 36, 3}, 1, 64},
    {"resnext50_32x4d", &ncl_style_torch, true, {3, 4, 6, 3}, 32, 4},
    {"resnext101_32x8d", &ncl_style_torch, true, {3, 4, 23, 3}, 32, 8},
    {"wide_resnet50_2", &ncl_style_torch, true, {3, 4, 6, 3}, 1, 128},
    {"resnext50_keras", &ncl_style_keras, true, {3, 4, 6, 3}, 32, 4},
    {"resnext50_keras_late", &ncl_style_keras_late, true, {3, 4, 6, 3}, 32, 4},
    {"preact_resnet18", &ncl_style_preact, false, {2, 2, 2, 2}, 1, 64},
    {"preact_resnet50", &ncl_style_preact, true, {3, 4, 6, 3}, 1, 64},
};

/* Block `index` of a stage behind x, which becomes its result. */
static void add_block(struct ncl_builder *b, const struct architecture *a, int stage, int index,
                      struct ncl_flow *x)
{
    const struct ncl_zoo_names *names = b->style->names;
    const int planes = 64 << stage;
    char name[NCL_ZOO_NAME / 2];
    struct ncl_block block = {.name = name,
                              .bottleneck = a->bottleneck,
                              .width = planes * a->group_width / 64 * a->groups,
                              .channels = a->bottleneck ? 4 * planes : planes,
                              .groups = a->groups,
                              .stride = stage > 0 && index == 0 ? 2 : 1};

    block.project = block.stride > 1 || x->channels != block.channels;
    snprintf(name, sizeof(name), "%s%d%s%d", names->stage, names->first_stage + stage, names->block,
             names->first_block + index);
    *x = b->style->add(b, &block, *x);
}

static void build(struct ncl_builder *b, const struct architecture *a, int classes)
{
    struct ncl_flow x = b->style->begin(b);

    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < a->blocks[stage]; i++) {
            add_block(b, a, stage, i, &x);
        }
    }
    b->style->end(b, x, classes);
    if (b->status == NCL_OK) {
        b->status = ncl_graph_finish(b->graph);
    }
    if (b->status == NCL_OK) {
        ncl_fill_all(b->pieces, b->piece_count);
    }
}

const char *ncl_zoo_name(int index)
{
    const int count = sizeof(architectures) / sizeof(*architectures);

    return index >= 0 && index < count ? architectures[index].name : NULL;
}

static ncl_status fail_name(const struct ncl_log *log, const char *name)
{
    struct ncl_text known = {0};
    ncl_status status = NCL_OK;

    for (int i = 0; ncl_zoo_name(i) != NULL; i++) {
        ncl_text_add(&known, "%s%s", i == 0 ? "" : ", ", ncl_zoo_name(i));
    }
    status = known.failed ? ncl_fail_memory(log, "the zoo")
                          : ncl_fail(log, NCL_ERROR_INPUT,
                                     "zoo: expected one of %s, found '%.100s'", known.data, name);
    ncl_text_free(&known);
    return status;
}

ncl_status ncl_zoo_build(const struct ncl_log *log, const char *name, uint64_t seed, int classes,
                         struct ncl_graph **graph)
{
    struct ncl_builder b = {.log = log, .seed = seed};
    int index = 0;

    *graph = NULL;
    while (ncl_zoo_name(index) != NULL && strcmp(ncl_zoo_name(index), name) != 0) {
        index++;
    }
    if (ncl_zoo_name(index) == NULL) {
        return fail_name(log, name);
    }
    if (classes < 1 || classes > MAX_CLASSES) {
        return ncl_fail(log, NCL_ERROR_USAGE, "zoo: expected 1 to %d classes, found %d",
                        MAX_CLASSES, classes);
    }
    b.status = ncl_graph_create(log, &b.graph);
    if (b.status == NCL_OK) {
        b.style = architectures[index].style;
        build(&b, &architectures[index], classes);
    }
    free(b.pieces);
    if (b.status != NCL_OK) {
        ncl_graph_free(b.graph);
        return b.status;
    }
    *graph = b.graph;
    return NCL_OK;
}

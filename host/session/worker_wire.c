#include "session/worker_wire.h"

#include <stdio.h>
#include <string.h>

static void mix(struct ncl_hash *hash, const void *data, size_t bytes)
{
    struct ncl_hash parts[2] = {*hash, ncl_hash_bytes(data, bytes)};

    *hash = ncl_hash_bytes(parts, sizeof parts);
}

struct ncl_hash ncl_wire_build(void)
{
    const size_t sizes[] = {NCL_VERSION_MAJOR,
                            NCL_VERSION_MINOR,
                            NCL_VERSION_PATCH,
                            NCL_ORDER_VERSION,
                            sizeof(struct ncl_problem),
                            sizeof(struct ncl_wire_open),
                            sizeof(struct ncl_wire_request),
                            sizeof(struct ncl_wire_trial),
                            sizeof(struct ncl_wire_item),
                            sizeof(struct ncl_wire_reply),
                            sizeof(struct ncl_timing)};
    struct ncl_hash hash = {0};

    mix(&hash, sizes, sizeof sizes);
    for (size_t i = 0; i < ncl_algo_count; i++) {
        const struct ncl_algo *algo = ncl_algos[i];
        const char *source = algo->source ? ncl_algo_source(algo->source) : NULL;

        mix(&hash, algo->name, strlen(algo->name));
        mix(&hash, &algo->version, sizeof algo->version);
        if (source)
            mix(&hash, source, strlen(source));
    }
    return hash;
}

void ncl_wire_greet(struct ncl_wire_hello *hello)
{
    *hello = (struct ncl_wire_hello){.magic = "NCLWORK", .build = ncl_wire_build()};
}

void ncl_wire_from_trial(const struct ncl_trial *trial, struct ncl_wire_trial *wire)
{
    memset(wire, 0, sizeof *wire);
    wire->task = trial->task;
    snprintf(wire->algo, sizeof wire->algo, "%s", trial->point.algo->name);
    for (int i = 0; i < NCL_MAX_TUNABLES; i++)
        wire->v[i] = trial->point.v[i];
}

bool ncl_wire_to_trial(const struct ncl_wire_trial *wire, struct ncl_trial *trial)
{
    char name[sizeof wire->algo + 1] = "";

    memcpy(name, wire->algo, sizeof wire->algo);
    *trial = (struct ncl_trial){.task = wire->task, .point = {.algo = ncl_algo_find(name)}};
    for (int i = 0; i < NCL_MAX_TUNABLES; i++)
        trial->point.v[i] = wire->v[i];
    return trial->point.algo != NULL;
}

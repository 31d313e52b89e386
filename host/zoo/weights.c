#include "zoo/weights.h"
#include "base/thread.h"

/* SplitMix64's increment and output function (Steele, Lea and Flood, 2014). */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t ncl_fill_key(uint64_t seed, uint64_t tensor)
{
    return mix(mix(seed + GOLDEN) + (tensor + 1) * GOLDEN);
}

static void fill(void *user, size_t index)
{
    const struct ncl_fill *piece = &((const struct ncl_fill *)user)[index];
    const double low = (double)piece->low;
    const double span = (double)(piece->high - piece->low);

    for (size_t i = 0; i < piece->count; i++) {
        const uint64_t bits = mix(piece->key + (piece->first + i + 1) * GOLDEN);
        /* 24 bits times 24 bits is exact in double: the same with and without fma. */
        piece->data[piece->first + i] = (float)(low + span * ((double)(bits >> 40) * 0x1p-24));
    }
}

void ncl_fill_all(const struct ncl_fill *pieces, size_t count)
{
    ncl_parallel_for(count, fill, (void *)(uintptr_t)pieces);
}

#include "base/hash.h"
#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct ncl_hash ncl_hash_bytes(const void *data, size_t bytes)
{
    const XXH128_hash_t hash = XXH3_128bits(data, bytes);

    return (struct ncl_hash){.low = hash.low64, .high = hash.high64};
}

void ncl_hash_text(struct ncl_hash hash, char text[NCL_HASH_TEXT])
{
    snprintf(text, NCL_HASH_TEXT, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

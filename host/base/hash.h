/* 128-bit non-cryptographic hash (XXH3): keys and checksums of caches, never a security boundary.
 */
#ifndef NCL_BASE_HASH_H
#define NCL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ncl_hash {
    uint64_t low, high;
};
#define NCL_HASH_TEXT 33
struct ncl_hash ncl_hash_bytes(const void *data, size_t bytes);
void ncl_hash_text(struct ncl_hash hash, char text[NCL_HASH_TEXT]); /* 32 hex digits */

#endif

/* Seeded random tensors. */
#ifndef NCL_ZOO_WEIGHTS_H
#define NCL_ZOO_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

/* Part of a tensor to be filled with numbers spread evenly over low..high. */
struct ncl_fill {
    float *data;
    size_t first, count; /* elements of the tensor */
    uint64_t key;        /* of the tensor: ncl_fill_key() */
    float low, high;
};
#define NCL_FILL_PIECE ((size_t)1 << 16)

uint64_t ncl_fill_key(uint64_t seed, uint64_t tensor);
/* On all processors; the result does not depend on how tensors are cut into pieces. */
void ncl_fill_all(const struct ncl_fill *pieces, size_t count);

#endif

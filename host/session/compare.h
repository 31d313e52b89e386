/* When a device's value passes for the oracle's: one rule for verification and for the tuner. */
#ifndef NCL_SESSION_COMPARE_H
#define NCL_SESSION_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/* In canonical form. */
bool ncl_same_bits(float a, float b);
/* Math fast: how far a value may be from the oracle's, given all values of the exact result. half:
 * they are stored as halves. half_math: products were summed in halves, here or in a layer before.
 */
float ncl_fast_bound(bool half, bool half_math, const float *expected, size_t count);
bool ncl_close_enough(float found, float expected, float bound);

#endif

#include "session/compare.h"

#include "problem/oracle.h"

#include <math.h>
#include <string.h>

/* Bounds of math fast, against the largest magnitude of the layer's exact result: products may be
 * rounded before they are added, and sums reordered. */
#define FAST_RELATIVE 1e-3f
/* Precision fp16 beside that: results that differ are rounded to halves that differ by one more
 * unit in the last place. */
#define HALF_RELATIVE 0x1p-10f
/* Sums of up to 16 products in halves beside those, in this layer or before it: each operation
 * rounds by at most 2^-11 of its result. Signs and roundings differ, so that the bound for one sum
 * serves for a layer. */
#define HALF_MATH_RELATIVE 0x1p-7f

bool ncl_same_bits(float a, float b)
{
    const float canonical[2] = {ncl_canonical(a), ncl_canonical(b)};

    return memcmp(&canonical[0], &canonical[1], sizeof(float)) == 0;
}

static float largest(const float *values, size_t count)
{
    float peak = 0;

    for (size_t i = 0; i < count; i++)
        if (fabsf(values[i]) > peak && isfinite(values[i]))
            peak = fabsf(values[i]);
    return peak;
}

float ncl_fast_bound(bool half, bool half_math, const float *expected, size_t count)
{
    return (FAST_RELATIVE + (half ? HALF_RELATIVE : 0) + (half_math ? HALF_MATH_RELATIVE : 0)) *
           largest(expected, count);
}

bool ncl_close_enough(float found, float expected, float bound)
{
    if (ncl_same_bits(found, expected))
        return true;
    return fabsf(found - expected) <= bound; /* false for NaN */
}

#include "problem/half.h"

#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Without branches, so that compilers vectorise the loops below. */
static inline uint16_t from_float(float value)
{
    const uint32_t bits = bits_of(value), size = bits & 0x7fffffff;
    /* Normal halves: the bias changes by 112, 13 bits are rounded off; a carry goes up as it
     * should, to infinity too. */
    const uint32_t normal = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
    /* Below 2^-14: the last bit of a number near 0.5 is 2^-24, that of subnormal halves. */
    const uint32_t tiny = bits_of(float_of(size) + 0.5f) - 0x3f000000;
    uint32_t half = size < 0x38800000 ? tiny : normal;

    half = size >= 0x47800000 ? 0x7c00 : half;
    half = size > 0x7f800000 ? 0x7e00 : half;
    return (uint16_t)(half | (bits >> 16 & 0x8000));
}

static inline float to_float(uint16_t half)
{
    const uint32_t size = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t bits = bits_of(float_of(size) * 0x1p112f);

    return float_of(sign | (size >= 0x0f800000 ? size | 0x7f800000 : bits));
}

uint16_t ncl_half_from_float(float value)
{
    return from_float(value);
}

float ncl_half_to_float(uint16_t half)
{
    return to_float(half);
}

float ncl_half_round(float value)
{
    return to_float(from_float(value));
}

void ncl_halves_from_floats(const float *values, size_t count, uint16_t *halves)
{
    for (size_t i = 0; i < count; i++)
        halves[i] = from_float(values[i]);
}

void ncl_halves_to_floats(const uint16_t *halves, size_t count, float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = to_float(halves[i]);
}

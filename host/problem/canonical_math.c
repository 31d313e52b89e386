#include "problem/canonical_math.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* e^x = 2^n * e^r, n = round(x / ln 2), |r| <= ln(2) / 2. The polynomial is a weighted minimax fit
 * of (e^r - 1 - r) / r^2; relative error of e^r: 1.1e-9. */
float ncl_exp(float x)
{
    const float highest = 0x1.62e42ep6f, lowest = -0x1.5d589ep6f;
    const float magic = 0x1.8p23f; /* adding it rounds to an integer, left in the low bits */
    const float v = x >= lowest && x <= highest ? x : 0.0f;
    const float shifted = fmaf(v, 0x1.715476p0f, magic);
    const float n = shifted - magic;
    /* n + 126, from 0 to 254, split so that both factors and both products are normal. */
    const uint32_t k = bits_of(shifted) - bits_of(magic) + 126u;
    const uint32_t half = k >> 1;
    float r, p;

    r = fmaf(n, -0x1.62e43p-1f, v);
    r = fmaf(n, 0x1.05c61p-29f, r);
    p = fmaf(0x1.9f085cp-13f, r, 0x1.6d8d52p-10f);
    p = fmaf(p, r, 0x1.111272p-7f);
    p = fmaf(p, r, 0x1.55548ep-5f);
    p = fmaf(p, r, 0x1.555554p-3f);
    p = fmaf(p, r, 0.5f);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    p = p * from_bits((half + 64u) << 23) * from_bits((k - half + 64u) << 23);
    p = x > highest ? from_bits(0x7f800000u) : p;
    p = x < lowest ? 0.0f : p;
    return x != x ? x : p;
}

/* Newton on the mantissa, scaled back by a power of two: an intermediate is never subnormal. */
float ncl_reciprocal(float x)
{
    const uint32_t bits = bits_of(x), sign = bits & 0x80000000u, size = bits & 0x7fffffffu;
    const float m = from_bits((size & 0x007fffffu) | 0x3f800000u); /* in [1, 2) */
    const float scale = from_bits((254u - (size >> 23)) << 23);
    float y = fmaf(-0x1.e1e1e2p-2f, m, 0x1.69696ap0f); /* 24/17 - 8/17 m: within 1/17 */
    uint32_t result;

    y = fmaf(y, fmaf(-m, y, 1.0f), y);
    y = fmaf(y, fmaf(-m, y, 1.0f), y);
    y = fmaf(y, fmaf(-m, y, 1.0f), y);
    y = fmaf(y, fmaf(-m, y, 1.0f), y);
    result = bits_of(y * scale);
    result = size < 0x00800000u ? 0x7f800000u : result;
    result = size > 0x7e800000u ? 0u : result;
    return size > 0x7f800000u ? x : from_bits(result | sign);
}

/* x = 2^k * (1 + f), 1 + f between sqrt(1/2) and sqrt(2). ln(1 + f) = f - f^2 / 2 + f^3 p(f), p by
 * Moshier (Cephes, logf). ln 2 in two parts, of which the first times k is exact. */
float ncl_log(float x)
{
    const uint32_t bits = bits_of(x);
    const uint32_t up = (bits & 0x007fffffu) > 0x003504f3u; /* mantissa above sqrt(2) */
    const float k = (float)(int32_t)((bits >> 23) + up) - 127.0f;
    const float f = from_bits((bits & 0x007fffffu) | ((127u - up) << 23)) - 1.0f;
    const float square = f * f;
    float p = 0x1.204376p-4f;

    p = fmaf(p, f, -0x1.d7a37p-4f);
    p = fmaf(p, f, 0x1.de4a34p-4f);
    p = fmaf(p, f, -0x1.fcba9ep-4f);
    p = fmaf(p, f, 0x1.23d37ep-3f);
    p = fmaf(p, f, -0x1.555cap-3f);
    p = fmaf(p, f, 0x1.999d58p-3f);
    p = fmaf(p, f, -0x1.fffff8p-3f);
    p = fmaf(p, f, 0x1.555554p-2f);
    p = p * f * square;
    p = fmaf(k, -0x1.bd0106p-13f, p);
    p = fmaf(square, -0.5f, p);
    p = fmaf(k, 0x1.63p-1f, f + p);
    return x - x == 0.0f ? p : x; /* NaN or +Inf */
}

float ncl_sigmoid(float x)
{
    return ncl_reciprocal(1.0f + ncl_exp(-x));
}

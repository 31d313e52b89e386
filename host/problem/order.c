/* Conversions between plain and blocked tensors, and the canonical form of values. */
#include "problem/oracle_parts.h"

#include <stdint.h>
#include <string.h>

float ncl_canonical(float value)
{
    uint32_t bits, size;

    memcpy(&bits, &value, sizeof bits);
    size = bits & 0x7fffffffu;
    if (size > 0x7f800000u)
        bits = 0x7fc00000u;
    else if (size < 0x00800000u)
        bits = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* First lane of channel c of image n in the blocked order; pixels follow channel_block apart. */
static size_t blocked_plane(const struct ncl_shape *shape, int channel_block, int n, int c)
{
    const size_t images = (size_t)(c / channel_block) * (size_t)shape->n + (size_t)n;

    return images * ncl_plane_pixels(shape) * (size_t)channel_block + (size_t)(c % channel_block);
}

void ncl_order_from_plain(const struct ncl_shape *shape, enum ncl_order order, int channel_block,
                          const float *plain, float *ordered)
{
    const int padded = ncl_blocks(shape->c, channel_block) * channel_block;
    const size_t pixels = ncl_plane_pixels(shape), step = (size_t)channel_block;

    if (order == NCL_PLAIN) {
        memcpy(ordered, plain, ncl_shape_elements(shape, order, channel_block) * sizeof *ordered);
        return;
    }
    for (int n = 0; n < shape->n; ++n) {
        for (int c = 0; c < padded; ++c) {
            float *to = ordered + blocked_plane(shape, channel_block, n, c);
            const float *from = c < shape->c ? plain + ncl_plane(shape, n, c) : NULL;

            for (size_t i = 0; i < pixels; ++i)
                to[i * step] = from ? from[i] : 0.0f;
        }
    }
}

void ncl_order_to_plain(const struct ncl_shape *shape, enum ncl_order order, int channel_block,
                        const float *ordered, float *plain)
{
    const size_t pixels = ncl_plane_pixels(shape), step = (size_t)channel_block;

    if (order == NCL_PLAIN) {
        memcpy(plain, ordered, ncl_shape_elements(shape, order, channel_block) * sizeof *plain);
        return;
    }
    for (int n = 0; n < shape->n; ++n) {
        for (int c = 0; c < shape->c; ++c) {
            const float *from = ordered + blocked_plane(shape, channel_block, n, c);
            float *to = plain + ncl_plane(shape, n, c);

            for (size_t i = 0; i < pixels; ++i)
                to[i] = from[i * step];
        }
    }
}

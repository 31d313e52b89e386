/* Average over the whole map, blocked layout, with an activation.
 *
 *   y[kb][n] = act((+0 + x[kb][n][0] + x[kb][n][1] + ...) * reciprocal(pixels))
 *
 * x         [C / CB][N][H * W] blocks            y         [C / CB][N] blocks
 * scale     reciprocal(pixels), from the host: on some devices fma is slow, even to compile
 * NDRange   0: L * KB neighbouring pairs of block and image
 * Applies   window = map, no padding; an epilogue of nothing but an activation
 *
 * KB  1, 2, 4                maps summed at a time: each sum is one chain of additions
 * L   1..32                  groups of KB maps per work-item
 * WG  1, 8..256              work-items per work-group */
#ifndef KB
#define KB 2
#define L 2
#define WG 8
#endif
#include "../common/types.clh"
#include "../common/tile.clh"
#include "../common/epilogue.clh"

/* Past the last map the first of the group is summed again, but not stored. */
#define MAP(p, k) \
  const bool there_##k = map + k < maps; \
  __global const stored *x_##k = x + (size_t)(there_##k ? map + k : map) * pixels; \
  block sum_##k = 0.0f;
#define ADD(p, k) sum_##k += BLOCK_AT(x_##k, pixel);
#define STORE(p, k) \
  if (there_##k) \
    PUT_BLOCK(y, map + k, \
              FN(mask_tail)(FN(activate)(sum_##k * scale), (map + k) / images, blocks));

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_global_pool)(
    __global const stored *restrict x, __global stored *restrict y, int blocks, int images,
    int pixels, float scale) {
  const int maps = blocks * images;
  const int first = get_global_id(0) * (L * KB);

  for (int map = first; map < min(first + L * KB, maps); map += KB) {
    FOR_K(MAP, 0)
    for (int pixel = 0; pixel < pixels; ++pixel) {
      FOR_K(ADD, 0)
    }
    FOR_K(STORE, 0)
  }
}

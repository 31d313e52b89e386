/* Sum, difference or product of two tensors, the second one broadcast, blocked layout, with an
 * activation.
 *
 *   y[n][c][h][w] = act(x[n][c][h][w] op z[n or 0][c or 0][h or 0][w or 0])
 *
 * x, y      [C / CB][N][H][W] blocks; y may be x: each output is written by the work-item that read
 *           its inputs, after reading them
 * z         blocks likewise, of z's own shape: each dimension that of x, or 1
 * NDRange   0: tiles of WG * P pixels; 1: groups of L channel blocks
 * Applies   an epilogue of nothing but an activation
 *
 * P   1..4096                pixels per work-item, WG apart: neighbours read neighbours
 * L   1..16                  channel blocks per work-item
 * WG  1, 8..256              work-items per work-group
 * OP  0: x + z, 1: x - z, 2: x * z
 * ZN ZC ZH ZW  1: z is full along it, 0: broadcast */
#ifndef P
#define P 4
#define L 2
#define WG 8
#define OP 2
#define ZN 1
#define ZC 0
#define ZH 1
#define ZW 0
#endif
#include "../common/types.clh"
#include "../common/epilogue.clh"

#if OP == 0
#define COMBINE(x, z) ((x) + (z))
#elif OP == 1
#define COMBINE(x, z) ((x) - (z))
#elif OP == 2
#define COMBINE(x, z) ((x) * (z))
#else
#error "OP must be 0, 1 or 2"
#endif

/* z's pixel under pixel p of x. */
uint FN(pixel_z)(uint p, uint height, uint width) {
#if ZN && ZH && ZW
  return p;
#else
  const uint row = p / width;
  uint z = ZN ? row / height : 0;
  if (ZH)
    z = z * height + row % height;
  return ZW ? z * width + p % width : z;
#endif
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_binary)(
    __global const stored *x, __global const stored *restrict z, __global stored *y, int blocks,
    int pixels, uint pixels_z, uint height, uint width) {
  const int first = get_group_id(0) * (WG * P) + get_local_id(0), kb0 = get_global_id(1) * L;
  const int end = min(first + WG * P, pixels);

  for (int kb = kb0; kb < min(kb0 + L, blocks); ++kb)
    for (int p = first; p < end; p += WG) {
      const size_t index = (size_t)kb * pixels + p;
      const size_t index_z = (size_t)(ZC ? kb : 0) * pixels_z + FN(pixel_z)(p, height, width);
      const block operand = BLOCK_AT(z, index_z);
      const block v = COMBINE(BLOCK_AT(x, index), ZC ? operand : (block)(operand.s0));
      PUT_BLOCK(y, index, FN(mask_tail)(FN(activate)(v), kb, blocks));
    }
}

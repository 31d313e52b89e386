/* 3x3 convolution by Winograd's minimal filtering, fused epilogue, in three launches over all
 * tiles.
 * Arithmetic, constants and error bound: common/winograd.clh.
 *
 * x       [C / CB][images][HI][WI] blocks (block = CB channels of one pixel)
 * u       [N * N][K / CB][C] blocks of CB output channels
 * v, m    in the workspace: N * N times [C / CB][T] and [K / CB][T] blocks; T tiles of all images,
 *         in rows. A position starts v_stride, m_stride blocks after the one before
 * y, res  [K / CB][images][HO][WO] blocks; res may be y: each output is read, then written, by one
 *         work-item
 * NDRange input, output: tiles; channel blocks. product: PL times P tiles; KL times KB output
 *         blocks; positions
 * Applies kernel 3x3, strides and dilations 1, one group, any padding, finite weights
 * Order   its own, so for math fast only
 *
 * M   2, 4              outputs of a tile along each side
 * P   1..8, 10, 12, 14  tiles per product              KB  1..6, 8  output blocks, divides K / CB
 * PL  1..64             products looped over along tiles: weights stay in cache
 * KL  1..64             along output blocks: the values stay in cache
 * WG  1, 8..256         work-items per work-group, along tiles
 * Set by the problem: TAIL = T % P, tiles of the last product (0: full); C_TAIL = C % CB. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define PL 1
#define KL 1
#define WG 32
#define M 4
#define TAIL 1
#define C_TAIL 3
#endif
#if TAIL >= P
#error "TAIL must be less than P"
#endif
#include "../common/winograd.clh"

#if TAIL
WINOGRAD_PRODUCT(winograd_tail, FOR_TAIL)
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_winograd_input)(
    __global const stored *restrict x, __global block *restrict v, int height, int width,
    int tiles_down, int tiles_across, int images, int pad_top, int pad_left, uint v_stride) {
  const int tiles = images * tiles_down * tiles_across;
  const int tile = get_global_id(0), b = get_global_id(1);
  if (tile >= tiles) return;
  const int line = tile / tiles_across, image = line / tiles_down;
  const int top = line % tiles_down * M - pad_top, left = tile % tiles_across * M - pad_left;
  x += ((size_t)b * images + image) * height * width;
  FN(winograd_forward)(x, height, width, top, left, v + (size_t)b * tiles + tile, v_stride);
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_winograd_product)(
    __global const block *restrict v, __global const block *restrict u,
    __global block *restrict m, uint channels_in, uint blocks_out, uint tiles, uint v_stride,
    uint m_stride, uint m_offset) {
  const uint position = get_global_id(2);
  v += (size_t)position * v_stride;
  u += (size_t)position * blocks_out * channels_in;
  m += m_offset + (size_t)position * m_stride;
  for (uint l = 0; l < KL; ++l) {
    const uint kb = ((uint)get_global_id(1) * KL + l) * KB;
    if (kb >= blocks_out) return;
    __global const block *u_block = u + (size_t)kb * channels_in;
    for (uint t = 0; t < PL; ++t) {
      const uint q = ((uint)get_global_id(0) * PL + t) * P;
      __global const float *v_tile = (__global const float *)(v + q);
      __global block *m_tile = m + (size_t)kb * tiles + q;
      if (q + P <= tiles) FN(winograd_product)(v_tile, u_block, m_tile, channels_in, tiles);
#if TAIL
      else if (q < tiles) FN(winograd_tail)(v_tile, u_block, m_tile, channels_in, tiles);
#endif
    }
  }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_winograd_output)(
    __global const block *restrict m, __global stored *y EPILOGUE_PARAMS, int height, int width,
    int tiles_down, int tiles_across, int images, uint m_stride, uint m_offset) {
  const int tiles = images * tiles_down * tiles_across;
  const int tile = get_global_id(0), b = get_global_id(1), blocks = get_global_size(1);
  if (tile >= tiles) return;
  const int line = tile / tiles_across, image = line / tiles_down;
  const int top = line % tiles_down * M, left = tile % tiles_across * M;
  const size_t first = (((size_t)b * images + image) * height + top) * width + left;
  FN(winograd_back)(m + m_offset + (size_t)b * tiles + tile, m_stride, y, first, height, width,
                    top, left, b, blocks BIAS_NAME EPILOGUE_NAMES);
}

/* Convolution with any window for devices whose work-items are lanes of wide hardware threads
 * (GPUs), blocked layout, fused epilogue; one group, or whole blocks each. All lanes of a thread
 * use the same weights, so that compilers load them once.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over blocks of 16 ic, kh, kw, ic of x[ic][source] * w[kb])
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [K / CB / KB][16-blocks of a group's channels][kh][kw][channel][KB] blocks of CB output
 *          channels, then CB zeros: where taps in the padding point to
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: tiles of P output pixels, rows and images in sequence; 1: groups of KB output blocks
 * Applies  CB 4; windows of up to 32 taps; channels of a group 4, 8, 12 or a multiple of
 *          16, those of its output a multiple of CB; finite weights, since taps in the padding
 *          multiply a zero
 * Order    the canonical one, whatever the tile
 *
 * P      1..8        pixels per tile, S apart      KB  1..4  blocks per tile, divides a group's
 * S      1, 2, 4, 8  lanes that lie side by side, as in pointwise_lanes.cl
 * INDEX  0: a pointer per pixel, to zeros for taps in the padding; 1: 32-bit indices from the
 *        kernel's argument, and a mask
 * WG     8..256      work-items per work-group, along tiles
 * Set by the problem: KH, KW, DH, DW kernel and dilation; TAP, blocks of CB channels per tap: 4, or
 * all of a narrow group's. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define S 8
#define INDEX 0
#define WG 64
#define KH 3
#define KW 3
#define DH 1
#define DW 1
#define TAP 4
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#define W_WIDE 1
#include "../common/lanes.clh"

/* Index of pixel p's first tap in a block of x (it may lie before the image: unsigned arithmetic
 * wraps and comes back), and a bit for each tap: does it lie inside? */
#define PLACE(p, unused) \
  const uint line_##p = PIXEL(p) / width_out; \
  const uint row_##p = line_##p % height_out * stride_h - pad_top; \
  const uint column_##p = PIXEL(p) % width_out * stride_w - pad_left; \
  const uint index_##p = (line_##p / height_out * height_in + row_##p) * width_in + column_##p; \
  uint inside_##p = 0;
#define FIND(p, unused) \
  inside_##p |= (uint)(row_##p + h < height_in & column_##p + v < width_in) << tap;

#if INDEX
#define W_HERE w + w_at
#define START_W uint w_at = kb * depth;
#define ADVANCE_W w_at += CB * KB;
#define START_X uint x_at = kb / group_blocks_out * (channels_in / CB) * pixels_in;
/* Outside the image x[0] is read and masked: a register for each pixel's index would spill. */
#define POINT(p, unused) const int here_##p = -(int)(inside_##p >> tap & 1);
#define LOAD_X(p, unused) \
  const factor v_##p = FACTOR_MASKED(FACTOR_AT(x, (x_tap + index_##p) & here_##p), here_##p);
#define START_TAP uint x_tap = x_at + offset;
#define ADVANCE_TAP(p, unused)
#define ADVANCE_ALL x_tap += pixels_in;
#define NEXT_16 x_at += TAP * pixels_in;
#else
#define W_HERE w
#define START_W \
  __global const stored *zeros = w + (size_t)blocks_out * depth; \
  w += (size_t)kb * depth;
#define ADVANCE_W w += CB * KB;
#define START_X x += (size_t)(kb / group_blocks_out) * (channels_in / CB) * pixels_in;
#define POINT(p, unused) \
  const bool here_##p = inside_##p >> tap & 1; \
  const uint step_##p = here_##p ? pixels_in : 0; \
  __global const stored *x_##p = here_##p ? x + (index_##p + offset) : zeros;
#define LOAD_X(p, unused) const factor v_##p = FACTOR_AT(x_##p, 0);
#define START_TAP
#define ADVANCE_TAP(p, unused) x_##p += step_##p;
#define ADVANCE_ALL
#define NEXT_16 x += TAP * pixels_in;
#endif

#define TAP_BLOCKS \
  for (uint b = 0; b < TAP; ++b) { \
    FOR_P(LOAD_X, 0) \
    FOUR_LANES \
    FOR_P(ADVANCE_TAP, 0) \
    ADVANCE_ALL \
    ADVANCE_W \
  }
#define STORE(p, k) { \
    const uint at = (kb + k) * pixels_out + PIXEL(p); \
    PUT_BLOCK(y, at, FN(epilogue)(ACC(p, k), kb + k, blocks_out, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (PIXEL(p) >= first && PIXEL(p) < pixels_out) { FOR_K(STORE, p) }

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_spatial_lanes)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint channels_in, uint group_blocks_out, uint blocks_out,
    uint images, uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h,
    uint stride_w, uint pad_top, uint pad_left) {
  const uint kb = (uint)get_group_id(1) * KB, depth = channels_in * (KH * KW);
  const uint pixels_in = images * height_in * width_in;
  const uint pixels_out = images * height_out * width_out;
  const uint item = get_global_id(0);
  const uint first = item / S * (P * S) + item % S, last = pixels_out - 1;
  /* Tiles that reach past the end start earlier: see pointwise_lanes.cl. */
  const uint past = max((int)(first + (P - 1) * S) - (int)last, 0);
  const uint q = first - (past + S - 1) / S * S;
  FOR_P(PLACE, 0)
  {
    uint tap = 0;
#pragma unroll 1
    for (uint h = 0; h < KH * DH; h += DH)
#pragma unroll 1
      for (uint v = 0; v < KW * DW; v += DW, ++tap) { FOR_P(FIND, 0) }
  }
  FOR_P(INIT_PIXEL, 0)
  START_W
  START_X
  for (uint ic = 0; ic < channels_in; ic += TAP * CB) {
    uint tap = 0;
#pragma unroll 1
    for (uint h = 0; h < KH * DH; h += DH)
#pragma unroll 1
      for (uint v = 0; v < KW * DW; v += DW, ++tap) {
        const uint offset = h * width_in + v;
        FOR_P(POINT, 0)
        START_TAP
        SUMS(TAP_BLOCKS)
      }
    NEXT_16
  }
  FOR_P(STORE_PIXEL, 0)
}

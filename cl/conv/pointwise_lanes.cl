/* Pointwise (1x1) convolution and the dense layer for devices whose work-items are lanes of wide
 * hardware threads (GPUs), blocked layout, fused epilogue. All lanes of a thread use the same
 * weights, so that compilers load them once: into scalar registers, or as a broadcast.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over ic of x[ic / CB][source(q)][ic % CB] * w[kb][ic])
 *
 * x        [C / CB][N * HI * WI] blocks (block = CB channels of one pixel)
 * w        [K / CB / KB][C][KB] blocks of CB output channels         bias [K / CB] blocks
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: tiles of P output pixels, images in sequence; 1: groups of KB output blocks
 * Applies  CB 4, kernel 1x1, no padding, one group, any strides
 * Order    input channels ascending, from the bias: the canonical order whatever the tile
 *
 * P       1..8        pixels per tile, S apart         KB  1..4  blocks per tile, divides K / CB
 * S       1, 2, 4, 8  lanes that lie side by side: S lanes share a run of P * S pixels, so that
 *                     what they load at once is one piece of memory; P * S <= N * HO * WO
 * INDEX   0: pointers move through x and w; 1: 32-bit indices from the kernel's arguments do
 * UNROLL  1, 2, 4     blocks of input channels per turn of the loop
 * WG      8..256      work-items per work-group, along tiles
 * Set by the problem: C_TAIL = C % CB; BLOCKS_LEFT = C / CB % UNROLL; STRIDED 1: pixels are
 * gathered by rows and columns, 0: q is the pixel in x as well. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define S 8
#define INDEX 0
#define UNROLL 2
#define WG 64
#define C_TAIL 3
#define BLOCKS_LEFT 1
#define STRIDED 1
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
/* Else a block of output channels may begin anywhere. */
#define W_WIDE (C_TAIL == 0)
#include "../common/lanes.clh"
#if C_TAIL == 1
#define TAIL_LANES LANE(0)
#elif C_TAIL == 2
#define TAIL_LANES LANE(0) LANE(1)
#elif C_TAIL == 3
#define TAIL_LANES LANE(0) LANE(1) LANE(2)
#endif

/* Where pixel p and the weights of the block of channels at hand are, and the way to the next. */
#if INDEX
#define W_HERE w + w_at
#define START_W uint w_at = kb * channels_in;
#define AT(p) FACTOR_AT(x, x_at + OFFSET(p))
#define START_X uint x_at = FIRST;
#define ADVANCE_X x_at += pixels_in;
#define ADVANCE_W w_at += CB * KB;
#else
#define W_HERE w
#define START_W w += (size_t)kb * channels_in;
#define AT(p) FACTOR_AT(x, OFFSET(p))
#define START_X x += FIRST;
#define ADVANCE_X x += pixels_in;
#define ADVANCE_W w += CB * KB;
#endif

#define LOAD_X(p, unused) const factor v_##p = AT(p);
/* Not CAT: what it pastes uses CAT. */
#define BLOCKS_(n) BLOCKS_##n
#define BLOCKS(n) BLOCKS_(n)
#define BLOCKS_0
#define BLOCKS_1 { FOR_P(LOAD_X, 0) FOUR_LANES ADVANCE_X ADVANCE_W }
#define BLOCKS_2 BLOCKS_1 BLOCKS_1
#define BLOCKS_3 BLOCKS_2 BLOCKS_1
#define BLOCKS_4 BLOCKS_2 BLOCKS_2
#define STORE(p, k) { \
    const uint at = (kb + k) * pixels_out + PIXEL(p); \
    PUT_BLOCK(y, at, FN(epilogue)(ACC(p, k), kb + k, blocks_out, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (PIXEL(p) >= first && PIXEL(p) < pixels_out) { FOR_K(STORE, p) }

/* Input pixel under pixel p of the tile, counted from FIRST. */
#if STRIDED
#define STRIDE_PARAMS \
  , uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h, uint stride_w
#define FIRST 0
#define OFFSET(p) offset_##p
#define PLACE(p, unused) \
  const uint line_##p = PIXEL(p) / width_out, image_##p = line_##p / height_out; \
  const uint row_##p = image_##p * height_in + line_##p % height_out * stride_h; \
  const uint offset_##p = row_##p * width_in + PIXEL(p) % width_out * stride_w;
#else
#define STRIDE_PARAMS
#define FIRST q
#define OFFSET(p) (p * S)
#define PLACE(p, unused)
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_pointwise_lanes)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint channels_in, uint blocks_out, uint pixels_in,
    uint pixels_out STRIDE_PARAMS) {
  const uint kb = (uint)get_group_id(1) * KB;
  const uint item = get_global_id(0);
  const uint first = item / S * (P * S) + item % S, last = pixels_out - 1;
  /* Tiles that reach past the end start earlier, by whole strides of S, and store only pixels from
   * `first` on: no lane leaves early, none reads outside, and no branch is in the loop. */
  const uint past = max((int)(first + (P - 1) * S) - (int)last, 0);
  const uint q = first - (past + S - 1) / S * S;
  FOR_P(PLACE, 0)
  FOR_P(INIT_PIXEL, 0)
  START_W
  START_X
  for (uint b = channels_in / (CB * UNROLL); b > 0; --b) {
    SUMS(BLOCKS(UNROLL))
  }
  SUMS(BLOCKS(BLOCKS_LEFT))
#if C_TAIL
  FOR_P(LOAD_X, 0)
  SUMS(TAIL_LANES)
#endif
  FOR_P(STORE_PIXEL, 0)
}

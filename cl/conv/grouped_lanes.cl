/* Grouped convolution of narrow groups for devices whose work-items are lanes of wide hardware
 * threads (GPUs): G channels in and G out each, CB / G groups per block. All lanes of a thread use
 * the same weights; a pixel of the input is loaded once for all taps along its row.
 *
 *   y[b][q] = epilogue(bias[b] + sum over kh, kw, j < G of
 *                                spread(x[b][source(q, kh, kw)], j) * w[b][kh][kw][j])
 *
 * where spread(v, j) gives every lane of the block the j-th channel of its group.
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [C / CB][KH][KW][G] blocks of CB output channels        bias [C / CB] blocks
 * y, res   [C / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: tiles of P columns, rows and images in sequence; 1: channel blocks
 * Applies  CB 4, channels of a group in == out == G, G 1, 2 or 4; SPAN at most 18; finite weights,
 *          since taps in the padding to the left and right multiply a zero
 * Order    kh, kw, channel: the canonical order
 *
 * P      1..8    pixels of a tile, in one row, at most WO
 * INDEX  0: pointers move from row to row; 1: 32-bit indices from the kernel's arguments do
 * WG     8..256  work-items per work-group
 * Set by the problem: G; SW, DW stride and dilation along the row; KW; SPAN = (P - 1) * SW +
 * (KW - 1) * DW + 1, input pixels under a tile; those before LEFT and from RIGHT on can lie in the
 * padding. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define INDEX 0
#define WG 64
#define G 2
#define SW 1
#define DW 1
#define KW 3
#define SPAN 6
#define LEFT 1
#define RIGHT 5
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"

#if G == 1
#define SPREAD(v, j) (v)
#define FOR_J(F, k) F(0, k)
#elif G == 2
#define SPREAD(v, j) CAT(SPREAD_, j)(v)
#define FOR_J(F, k) F(0, k) F(1, k)
#else
#define SPREAD(v, j) ((block)(v.s##j))
#define FOR_J(F, k) F(0, k) F(1, k) F(2, k) F(3, k)
#endif
#define SPREAD_0(v) v.s0022
#define SPREAD_1(v) v.s1133

#define INIT(p, unused) block acc_##p = BIAS(b);
#define STORE(p, unused) \
  if (first + p >= wanted && item < tiles * lines) \
    PUT_BLOCK(y, out + p, FN(epilogue)(acc_##p, b, blocks, out + p EPILOGUE_NAMES));
/* The conditions are constant. */
#define TAP(p, i) \
  if (i >= p * SW && (i - p * SW) % DW == 0 && (i - p * SW) / DW < KW) \
    acc_##p = FMA(spread, W_AT((i - p * SW) / DW * G + lane), acc_##p);
#define WALK_LANE(j, i) { \
    const uint lane = j; \
    const block spread = SPREAD(v, j); \
    FOR_P(TAP, i) \
  }
/* Pixel LEFT is inside, whatever the tile: where another is not, that one is read, and masked. */
#define WALK_PIXEL(i, unused) { \
    const bool inside = (i >= LEFT && i < RIGHT) || left + i < width_in; \
    const int mask = -(int)inside; \
    const block v = as_float4(as_int4(X_AT(inside ? i : LEFT)) & (int4)(mask)); \
    FOR_J(WALK_LANE, i) \
  }

/* Unsigned places: before the image they wrap, and come back. */
#if INDEX
#define X_AT(i) BLOCK_AT(x, x_row + (uint)(i))
#define W_AT(i) BLOCK_AT(w, w_row + (uint)(i))
#else
#define X_AT(i) BLOCK_AT(x_line, i)
#define W_AT(i) BLOCK_AT(w_line, i)
#endif
__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_grouped_lanes)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint images, uint height_in, uint width_in, uint height_out,
    uint width_out, uint kernel_h, uint stride_h, uint dilation_h, uint pad_top) {
  const uint b = get_group_id(1), blocks = get_num_groups(1);
  const uint item = get_global_id(0), tiles = (width_out + P - 1) / P;
  const uint lines = images * height_out, line = min(item / tiles, lines - 1);
  /* The last tile of a row starts earlier, and stores only what it has for itself: every tile is
   * whole, so that most of its pixels need no test. */
  const uint wanted = item % tiles * P, first = min(wanted, width_out - P);
  const uint top = line % height_out * stride_h - pad_top, left = first * SW - LEFT;
  const uint plane = (b * images + line / height_out) * height_in;
  FOR_P(INIT, 0)
  for (uint kh = 0; kh < kernel_h; ++kh) {
    const uint row = top + kh * dilation_h;
    const uint x_row = (plane + row) * width_in + left, w_row = (b * kernel_h + kh) * (KW * G);
#if !INDEX
    __global const stored *x_line = x + (int)x_row, *w_line = w + w_row;
#endif
    if (row < height_in) {
      FOR_X(WALK_PIXEL, 0)
    }
  }
  const uint out = (b * lines + line) * width_out + first;
  FOR_P(STORE, 0)
}

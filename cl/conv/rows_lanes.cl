/* Convolution with any window along rows, for devices whose work-items are lanes of wide hardware
 * threads (GPUs), blocked layout, fused epilogue; one group, or whole blocks each. A tile lies in
 * one row, so that its pixels have constant distances, and only those at its ends can meet the
 * padding.
 * All lanes of a thread use the same weights, so that compilers load them once.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over blocks of 16 ic, kh, kw, ic of x[ic][source] * w[kb])
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [K / CB / KB][16-blocks of a group's channels][kh][kw][channel][KB] blocks of CB output
 *          channels
 * y, res   [K / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: tiles of P columns, rows and images in sequence; 1: groups of KB output blocks
 * Applies  CB 4; channels of a group 4, 8, 12 or a multiple of 16, those of its output a multiple
 *          of CB; x and w of less than 2 GiB; finite weights, since taps in the padding to the
 *          left and right multiply a zero
 * Order    the canonical one, whatever the tile
 *
 * P      1..8    pixels of a tile, in one row, at most WO
 * KB     1..4    blocks of a tile, divides a group's
 * INDEX  0: a pointer to the block and 32-bit places in it; 1: 32-bit places from the kernel's
 *        arguments
 * ROLL   0: all taps of a row in sequence, pixels under several of them are kept; 1: the same, but
 *        read again for each, for devices with fewer registers; 2: a loop over them. 0 and 1: at
 *        most 384 P x KB x blocks of channels of a row's taps, or the code outgrows caches
 * WG     8..256  work-items per work-group, along tiles
 * Set by the problem: SW, DW stride and dilation along the row; KW; pixels under a tile before LEFT
 * and from RIGHT on can lie in the padding; TAP, blocks of CB channels per tap: 4, or all of a
 * narrow group's.
 *
 * plane, row_step: from a block of x, and from a row under the tile, to the next; in bytes with
 * INDEX, else in blocks. tap_step: bytes from tap to tap; the compiler must not know it, or it
 * keeps the pixels. last: bytes from where pixels are counted to the last one there is. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define INDEX 0
#define ROLL 1
#define WG 64
#define SW 1
#define DW 1
#define KW 3
#define LEFT 1
#define RIGHT 5
#define TAP 2
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"
#define W_WIDE 1
#define S 1
#define q first
#include "../common/lanes.clh"

/* Input pixel under pixel p of the tile at the tap at hand, counted from the tile's first. */
#define COLUMN(p) (p * SW + column)
/* Constant: can no tile have that pixel in the padding? */
#if ROLL > 1
#define SAFE(p) (p * SW >= LEFT && p * SW + (KW - 1) * DW < RIGHT)
#else
#define SAFE(p) (COLUMN(p) >= LEFT && COLUMN(p) < RIGHT)
#endif
#define PIXEL_BYTES (uint)sizeof(stored)
/* AMD adds pointer, bytes and a constant in the load itself. */
#define X_BYTES(from, bytes) ((__global const stored *)((__global const char *)(from) + (bytes)))
/* Where pixel p is, from pixel LEFT at ROLL 0, else from pixel LEFT of the tap at hand. */
#if ROLL
#define BESIDE(p) (p * SW - LEFT)
#define TAP_BYTES tap_bytes
#else
#define BESIDE(p) (COLUMN(p) - LEFT)
#define TAP_BYTES 0
#endif
#if INDEX
#define X_AT(p) FACTOR_AT(X_BYTES(x, x_at + (uint)BESIDE(p) * PIXEL_BYTES), 0)
#define X_EITHER(p) \
  FACTOR_AT(X_BYTES(x, min(x_at + (uint)BESIDE(p) * PIXEL_BYTES, last)), 0)
#define PLACE_UNIT PIXEL_BYTES
#define OFFSET_UNIT 1
#define START_X uint x_at = x_first + offset + TAP_BYTES;
#define ADVANCE_X x_at += plane;
#define W_HERE X_BYTES(w, w_at)
#define START_W uint w_at = w_row * PIXEL_BYTES;
#define ADVANCE_W w_at += CB * KB * PIXEL_BYTES;
#else
#define X_AT(p) FACTOR_AT(X_BYTES(x_block, offset + TAP_BYTES), BESIDE(p))
#define X_EITHER(p) \
  FACTOR_AT(X_BYTES(x_block, min(offset + TAP_BYTES + (uint)BESIDE(p) * PIXEL_BYTES, last)), 0)
#define PLACE_UNIT 1
#define OFFSET_UNIT PIXEL_BYTES
#define START_X __global const stored *x_block = x + x_first;
#define ADVANCE_X x_block += plane;
#define W_HERE w_tap
#define START_W __global const stored *w_tap = w + w_row;
#define ADVANCE_W w_tap += CB * KB;
#endif
#define LOOK(p, unused) const bool inside_##p = SAFE(p) || left + COLUMN(p) < width_in;
#define MASKED(p) FACTOR_MASKED(X_EITHER(p), -(int)inside_##p)
#define LOAD_X(p, unused) const factor v_##p = SAFE(p) ? X_AT(p) : MASKED(p);
#define STEP { \
    FOR_P(LOAD_X, 0) \
    FOUR_LANES \
    ADVANCE_X \
    ADVANCE_W \
  }
#define STEPS_1 STEP
#define STEPS_2 STEP STEP
#define STEPS_3 STEP STEP STEP
#define STEPS_4 STEP STEP STEP STEP
/* Not CAT: what it pastes uses CAT. */
#define STEPS_OF_(n) STEPS_##n
#define STEPS_OF(n) STEPS_OF_(n)
#define TAP_STEPS START_X FOR_P(LOOK, 0) SUMS(STEPS_OF(TAP)) tap_bytes += tap_step;
#define ROW_TAP(i, unused) { \
    enum { column = i * DW }; \
    TAP_STEPS \
  }
#define TAPS_OF_(n) X_##n
#define TAPS_OF(n) TAPS_OF_(n)
#define STORE(p, k) { \
    const uint at = out + (kb + k) * pixels_out + p; \
    PUT_BLOCK(y, at, FN(epilogue)(ACC(p, k), kb + k, blocks_out, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (p >= skip) { FOR_K(STORE, p) }

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_rows_lanes)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint channels_in, uint group_blocks_out, uint blocks_out,
    uint images, uint height_in, uint width_in, uint height_out, uint width_out, uint kernel_h,
    uint stride_h, uint dilation_h, uint pad_top, uint plane, uint row_step, uint tap_step,
    uint last) {
  const uint kb = (uint)get_group_id(1) * KB;
  const uint item = get_global_id(0), tiles = (width_out + P - 1) / P;
  const uint lines = images * height_out, line = min(item / tiles, lines - 1);
  const uint pixels_out = lines * width_out;
  /* The last tile of a row starts earlier, and stores only what it has for itself: every tile is
   * whole, so that most of its pixels need no test. */
  const uint wanted = item % tiles * P, first = min(wanted, width_out - P);
  const uint skip = item < tiles * lines ? wanted - first : P;
  const uint out = line * width_out + first;
  /* Unsigned places: before the image they wrap, and come back. */
  const uint left = first * SW - LEFT;
  uint top = line % height_out * stride_h - pad_top;
  uint place = ((line / height_out * height_in + top) * width_in + first * SW) * PLACE_UNIT;
  uint x_first = kb / group_blocks_out * (channels_in / CB) * plane;
  uint w_row = kb * channels_in * kernel_h * KW;
  FOR_P(INIT_PIXEL, 0)
  for (uint ic = 0; ic < channels_in; ic += TAP * CB) {
    for (uint kh = 0; kh < kernel_h; ++kh) {
      if (top < height_in) {
        const uint offset = place * OFFSET_UNIT;
        uint tap_bytes = 0;
        START_W
#if ROLL > 1
#pragma unroll 1
        for (uint column = 0; column < KW * DW; column += DW) { TAP_STEPS }
#else
        TAPS_OF(KW)(ROW_TAP, 0)
#endif
      }
      w_row += KW * TAP * CB * KB;
      top += dilation_h;
      place += row_step;
    }
    top -= kernel_h * dilation_h;
    place -= kernel_h * row_step;
    x_first += TAP * plane;
  }
  FOR_P(STORE_PIXEL, 0)
}

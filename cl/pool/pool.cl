/* Maximum or average over windows, blocked layout, with an activation.
 *
 *   maximum  -Inf, then for kh, for kw: v > m ? v : m; NaN if any tap is
 *   average  +0, then for kh, for kw: sum + v; times reciprocal(number of taps counted)
 *
 * x         [C / CB][N][H][W] blocks             y         [C / CB][N][HO][WO] blocks
 * inside_scale  reciprocal(KH * KW)
 * NDRange   0: images x strips of R output rows x tiles of P output pixels; 1: channel blocks
 * Applies   any window; an epilogue of nothing but an activation
 *
 * P   1..256                 neighbouring output pixels per work-item
 * R   1, 2, 4, 8             output rows per work-item
 * WG  1, 8..256              work-items per work-group
 * AVERAGE, COUNT_PADDING                mode, see struct ncl_pool
 * KH KW SH SW DH DW PT PL PB PR         window, see struct ncl_window */
#ifndef P
#define P 2
#define R 2
#define WG 8
#define AVERAGE 1
#define COUNT_PADDING 0
#define KH 3
#define KW 3
#define SH 2
#define SW 2
#define DH 1
#define DW 1
#define PT 1
#define PL 1
#define PB 1
#define PR 1
#endif
#include "../common/types.clh"
#if AVERAGE
#define NEED_RECIPROCAL
#endif
#include "../common/epilogue.clh"

/* NaN apart: so the maximum is one instruction on most devices, and no tap waits for two. */
#if AVERAGE
#define START block acc = 0.0f;
#define TAP(v) acc += v;
#define END(scale) (acc * (scale))
#else
#define START \
  block acc = -INFINITY; \
  block_int nan = 0;
#define TAP(v) \
  acc = SELECT(isgreater(v, acc), v, acc); \
  nan |= isnotequal(v, v);
#define END(scale) SELECT(nan, (block)(NAN), acc)
#endif

/* Taps [begin, end) of one axis lie inside [0, limit): the window starts at `at`. */
#define FIRST_TAP(at, d) ((at) < 0 ? (-(at) + (d) - 1) / (d) : 0)
#define END_TAP(at, d, taps, limit) \
  ((limit) <= (at) ? 0 : min((taps), ((limit) - (at) + (d) - 1) / (d)))

block FN(pool_inside)(__global const stored *x, int width, float scale) {
  START
  for (int kh = 0; kh < KH; ++kh)
    for (int kw = 0; kw < KW; ++kw) {
      const block v = BLOCK_AT(x, kh * DH * width + kw * DW);
      TAP(v)
    }
  return END(scale);
}

block FN(pool_border)(__global const stored *x, int top, int left, int height, int width) {
  const int kh0 = FIRST_TAP(top, DH), kh1 = END_TAP(top, DH, KH, height);
  const int kw0 = FIRST_TAP(left, DW), kw1 = END_TAP(left, DW, KW, width);
  START

  for (int kh = kh0; kh < kh1; ++kh)
    for (int kw = kw0; kw < kw1; ++kw) {
      const block v = BLOCK_AT(x, (top + kh * DH) * width + left + kw * DW);
      TAP(v)
    }
#if COUNT_PADDING
  const int rows = END_TAP(top, DH, KH, height + PB), columns = END_TAP(left, DW, KW, width + PR);
#else
  const int rows = max(kh1 - kh0, 0), columns = max(kw1 - kw0, 0);
#endif
  return END(FN(reciprocal)((block)((float)(rows * columns)))); /* of no tap: NaN, or -Inf */
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_pool)(
    __global const stored *restrict x, __global stored *restrict y, int blocks, int images,
    int height, int width, int height_out, int width_out, float inside_scale) {
  const int tiles = (width_out + P - 1) / P, strips = (height_out + R - 1) / R;
  const int item = get_global_id(0), kb = get_global_id(1);
  const int column = item % tiles * P, row = item / tiles % strips * R;
  const int image = item / tiles / strips;

  if (image >= images)
    return;
  x += (size_t)(kb * images + image) * (height * width);
  y += (size_t)(kb * images + image) * (height_out * width_out);
  for (int oh = row; oh < min(row + R, height_out); ++oh) {
    const int top = oh * SH - PT;
    const bool rows_inside = top >= 0 && top + KH * DH <= height;
    for (int ow = column; ow < min(column + P, width_out); ++ow) {
      const int left = ow * SW - PL;
      block v;
      if (rows_inside && left >= 0 && left + KW * DW <= width)
        v = FN(pool_inside)(x + top * width + left, width, inside_scale);
      else
        v = FN(pool_border)(x, top, left, height, width);
      PUT_BLOCK(y, oh * width_out + ow, FN(mask_tail)(FN(activate)(v), kb, blocks));
    }
  }
}

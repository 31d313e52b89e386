/* Depthwise convolution: every channel is a group of its own.
 *
 *   y[b][q] = epilogue(bias[b] + sum over kh, kw of x[b][source(q, kh, kw)] * w[b][kh][kw])
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [C / CB][KH][KW] blocks        bias [C / CB] blocks
 * y, res   [C / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: runs of L tiles of an image, row after row of tiles; 1: channel blocks; 2: images
 * Applies  groups == channels in == channels out; any kernel, stride, dilation, padding; finite
 *          weights, since with WALK taps in the padding multiply a zero
 * Order    kh, kw: the canonical order
 *
 * P     1..8, 10, 12, 14  columns of a tile
 * R     1, 2, 3, 4, 6     rows of a tile; 1 without WALK
 * L     1..16             tiles of a run, one after another in a work-item
 * WALK  1: each input pixel under the tile is read once for all its taps, rows downwards, columns
 *       to the right; ROWS and SPAN at most 18. 0: a loop over taps, for long kernels
 * WG    1, 8..256         work-items per work-group, along runs
 * Set by the problem: SH, SW strides; DW dilation along the row; with WALK also DH, KH, KW, and
 * ROWS x SPAN, the input pixels under a tile: (R - 1) * SH + (KH - 1) * DH + 1 rows, columns alike.
 */
#include "../common/types.clh"
#ifndef P
#define P 4
#define R 2
#define L 1
#define WALK 1
#define WG 32
#define SH 1
#define SW 1
#define DH 1
#define DW 1
#define KH 3
#define KW 3
#define ROWS 4
#define SPAN 6
#endif
#if !WALK && R != 1
#error "a loop over taps takes one row"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"

#define FOR_R(F) CAT(R_, R)(F)
#define R_1(F) F(0)
#define R_2(F) R_1(F) F(1)
#define R_3(F) R_2(F) F(2)
#define R_4(F) R_3(F) F(3)
#define R_6(F) R_4(F) F(4) F(5)

#define INIT(p, r) block acc_##r##_##p = BIAS(b);
#define INIT_ROW(r) FOR_P(INIT, r)
#define STORE(p, r) \
  if (p < columns) \
    PUT_BLOCK(y, out + p, FN(epilogue)(acc_##r##_##p, b, blocks, out + p EPILOGUE_NAMES));
#define STORE_ROW(r) \
  if (r < rows) { \
    const size_t out = first_out + r * g->width_out; \
    FOR_P(STORE, r) \
  }

typedef struct {
  int height_in, width_in, height_out, width_out;
#if !WALK
  int kernel_h, kernel_w, dilation_h;
#endif
} FN(geometry);

#if WALK
#define X_1(F) F(0)
#define X_2(F) X_1(F) F(1)
#define X_3(F) X_2(F) F(2)
#define X_4(F) X_3(F) F(3)
#define X_5(F) X_4(F) F(4)
#define X_6(F) X_5(F) F(5)
#define X_7(F) X_6(F) F(6)
#define X_8(F) X_7(F) F(7)
#define X_9(F) X_8(F) F(8)
#define X_10(F) X_9(F) F(9)
#define X_11(F) X_10(F) F(10)
#define X_12(F) X_11(F) F(11)
#define X_13(F) X_12(F) F(12)
#define X_14(F) X_13(F) F(13)
#define X_15(F) X_14(F) F(14)
#define X_16(F) X_15(F) F(15)
#define X_17(F) X_16(F) F(16)
#define X_18(F) X_17(F) F(17)
#define Y_1(F) F(0)
#define Y_2(F) Y_1(F) F(1)
#define Y_3(F) Y_2(F) F(2)
#define Y_4(F) Y_3(F) F(3)
#define Y_5(F) Y_4(F) F(4)
#define Y_6(F) Y_5(F) F(5)
#define Y_7(F) Y_6(F) F(6)
#define Y_8(F) Y_7(F) F(7)
#define Y_9(F) Y_8(F) F(8)
#define Y_10(F) Y_9(F) F(9)
#define Y_11(F) Y_10(F) F(10)
#define Y_12(F) Y_11(F) F(11)
#define Y_13(F) Y_12(F) F(12)
#define Y_14(F) Y_13(F) F(13)
#define Y_15(F) Y_14(F) F(14)
#define Y_16(F) Y_15(F) F(15)
#define Y_17(F) Y_16(F) F(16)
#define Y_18(F) Y_17(F) F(17)

/* Is tap (at - first) / dilation one of the window's? All constant. */
#define HITS(at, first, dilation, taps) \
  (at >= (first) && (at - (first)) % dilation == 0 && (at - (first)) / dilation < taps)
#define TAP(p, r) \
  if (HITS(row, r * SH, DH, KH) && HITS(column, p * SW, DW, KW)) \
    acc_##r##_##p = \
        FMA(v, BLOCK_AT(w, (row - r * SH) / DH * KW + (column - p * SW) / DW), acc_##r##_##p);
#define TAPS(r) FOR_P(TAP, r)
/* Enumerators are constants to the front end, which drops the taps that don't hit. */
#define WALK_PIXEL(i, value) { \
    enum { column = i }; \
    const block v = value; \
    FOR_R(TAPS) \
  }
#define WALK_INSIDE(i) WALK_PIXEL(i, BLOCK_AT(x_row, i))
/* Skipping the pixel's taps instead would keep their weights out of registers. */
#define WALK_EDGE(i) \
  WALK_PIXEL(i, (uint)(left + i) < (uint)g->width_in ? BLOCK_AT(x_row, i) : (block)(0.0f))
#define WALK_ROW(i, WALK) \
  if ((uint)(top + i) < (uint)g->height_in) { \
    enum { row = i }; \
    __global const stored *x_row = x + (top + i) * g->width_in + left; \
    CAT(X_, SPAN)(WALK) \
  }
#define INSIDE(i) WALK_ROW(i, WALK_INSIDE)
#define EDGE(i) WALK_ROW(i, WALK_EDGE)
#define ACCUMULATE(FOR_PIXEL) CAT(Y_, ROWS)(FOR_PIXEL)
#else
#define INSIDE(p, unused) acc_0_##p = FMA(BLOCK_AT(x_row, tap + p * SW), weight, acc_0_##p);
#define EDGE(p, unused) if ((uint)(left + tap + p * SW) < (uint)g->width_in) INSIDE(p, 0)
#define ACCUMULATE(FOR_PIXEL) \
  for (int kh = 0; kh < g->kernel_h; ++kh) { \
    const int row = top + kh * g->dilation_h; \
    if ((uint)row >= (uint)g->height_in) continue; \
    __global const stored *x_row = x + row * g->width_in + left; \
    for (int kw = 0; kw < g->kernel_w; ++kw) { \
      const int tap = kw * DW; \
      const block weight = BLOCK_AT(w, kh * g->kernel_w + kw); \
      FOR_P(FOR_PIXEL, 0) \
    } \
  }
#endif

/* x and y: plane of block b. inside: no column under the tile lies in the padding. */
#define TILE(name, FOR_PIXEL) \
  void FN(name)(const FN(geometry) *g, __global const stored *restrict x, \
                __global const stored *restrict w, __global stored *y, size_t first_out, int top, \
                int left, int rows, int columns, int b, int blocks EPILOGUE_PARAMS) { \
    FOR_R(INIT_ROW) \
    ACCUMULATE(FOR_PIXEL) \
    FOR_R(STORE_ROW) \
  }

TILE(inside, INSIDE)
TILE(edge, EDGE)

#if WALK
#define KERNEL_PARAMS
#define KERNEL_NAMES
#define TAPS_COUNT (KH * KW)
#else
#define KERNEL_PARAMS , int kernel_h, int kernel_w, int dilation_h
#define KERNEL_NAMES , kernel_h, kernel_w, dilation_h
#define TAPS_COUNT (kernel_h * kernel_w)
#define SPAN ((P - 1) * SW + (kernel_w - 1) * DW + 1)
#endif
#if HAS_BIAS
#define BIAS_NAME , bias
#else
#define BIAS_NAME
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_depthwise)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, int height_in, int width_in, int height_out, int width_out,
    int pad_top, int pad_left KERNEL_PARAMS) {
  const FN(geometry) g = {height_in, width_in, height_out, width_out KERNEL_NAMES};
  const int b = get_global_id(1), blocks = get_global_size(1);
  const size_t plane = (size_t)b * get_global_size(2) + get_global_id(2);
  const int across = (width_out + P - 1) / P, down = (height_out + R - 1) / R;
  const int first = get_global_id(0) * L;
  x += plane * height_in * width_in;
  w += (size_t)b * TAPS_COUNT;
  for (int t = first; t < first + L && t < across * down; ++t) {
    const int y_row = t / across * R, y_column = t % across * P;
    const int top = y_row * SH - pad_top, left = y_column * SW - pad_left;
    const size_t out = (plane * height_out + y_row) * width_out + y_column;
    const int rows = height_out - y_row, columns = width_out - y_column;
    if (columns >= P && left >= 0 && left + SPAN <= width_in)
      FN(inside)(&g, x, w, y, out, top, left, rows, P, b, blocks BIAS_NAME EPILOGUE_NAMES);
    else
      FN(edge)(&g, x, w, y, out, top, left, rows, columns, b, blocks BIAS_NAME EPILOGUE_NAMES);
  }
}

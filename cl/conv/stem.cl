/* Convolution of few input channels (a network's first layer), fused epilogue.
 *
 *   y[k][q] = epilogue(bias[k] + sum over kh, kw, c of x[c][source(q, kh, kw)] * w[k][kh][kw][c])
 *
 * x        X_PLAIN 1: [N][C][HI][WI] floats, the caller's own buffer, from image x_image on;
 *          0: [N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [K / CB][KH][KW][C] blocks of CB output channels         bias [K / CB] blocks
 * y, res   [K / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: strips of L tiles of P columns, row after row; 1: groups of KB output blocks;
 *          2: images
 * Applies  C <= 4, C <= CB, one group; any kernel, stride, dilation, padding
 * Order    kh, kw, channel: the canonical order. Taps in the padding are skipped, not multiplied.
 *
 * P   1..8, 10, 12, 14  pixels of a tile, in one row     KB  1..4  blocks of a tile, divides K / CB
 * L   1..16             tiles of a strip, one after another in a work-item
 * WG  1, 8..256         work-items per work-group, along strips
 * Set by the problem: C; SW stride along the row. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define L 1
#define WG 32
#define C 3
#define SW 2
#endif
#if C > CB
#error "C must not exceed CB"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"

/* Numbers from one input pixel to the next; from one channel to the next it is `plane`. */
#if X_PLAIN
#define PIXEL 1
#else
#define PIXEL CB
#endif

#define ACC(p, k) acc_##p##_##k
#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
#define LOAD_W(unused, k) const block w_##k = BLOCK_AT(w_tap, k * w_block + c);
#define STEP(p, k) ACC(p, k) = FMA((block)(v), w_##k, ACC(p, k));
/* One input value at a time: loading all P first would cost P registers and spill. */
#define STEP_PIXEL(p, unused) \
  { const float v = X_VALUE_AT(x_tap, p * SW * PIXEL); FOR_K(STEP, p) }
#define EDGE_PIXEL(p, unused) if ((uint)(tap + p * SW) < (uint)width_in) STEP_PIXEL(p, 0)
#define STORE(p, k) { \
    const size_t at = out + k * y_block + p; \
    PUT_BLOCK(y, at, FN(epilogue)(ACC(p, k), kb + k, blocks, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (p < columns) { FOR_K(STORE, p) }

/* A tap's few channels without a loop: 5 % less time with both PoCL and Intel's runtime. */
#if WG == 1
#define UNROLL _Pragma("unroll")
#else
#define UNROLL
#endif

#define CHANNELS(STEP_OR_EDGE) \
  UNROLL \
  for (int c = 0; c < C; ++c) { \
    __global const x_element *x_tap = x_row + c * plane + tap * PIXEL; \
    FOR_K(LOAD_W, 0) \
    FOR_P(STEP_OR_EDGE, 0) \
  }

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_stem)(
    __global const x_element *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, int height_in, int width_in, int height_out, int width_out,
    int blocks, int kernel_h, int kernel_w, int stride_h, int dilation_h, int dilation_w,
    int pad_top, int pad_left, int x_image) {
  const int kb = get_global_id(1) * KB, image = get_global_id(2);
  const int strips = (width_out + P * L - 1) / (P * L);
  const int y_row = get_global_id(0) / strips, strip = get_global_id(0) % strips;
  if (y_row >= height_out) return;
  const int w_block = kernel_h * kernel_w * C;
  const int y_block = get_global_size(2) * height_out * width_out;
#if X_PLAIN
  const int plane = height_in * width_in;
  x += ((size_t)x_image + image) * C * plane;
#else
  const int plane = 1;
  x += (size_t)image * height_in * width_in * CB;
#endif
  w += (size_t)kb * w_block;
  for (int l = 0; l < L; ++l) {
    const int first = (strip * L + l) * P, columns = width_out - first;
    if (columns <= 0) return;
    const int left = first * SW - pad_left;
    FOR_P(INIT_PIXEL, 0)
    for (int kh = 0; kh < kernel_h; ++kh) {
      const int row = y_row * stride_h - pad_top + kh * dilation_h;
      if ((uint)row >= (uint)height_in) continue;
      __global const x_element *x_row = x + (size_t)row * width_in * PIXEL;
      __global const stored *w_tap = w + kh * kernel_w * C;
      for (int kw = 0; kw < kernel_w; ++kw, w_tap += C) {
        const int tap = left + kw * dilation_w;
        if (tap >= 0 && tap + P * SW <= width_in) {
          CHANNELS(STEP_PIXEL)
        } else {
          CHANNELS(EDGE_PIXEL)
        }
      }
    }
    const size_t row_out = (size_t)image * height_out + y_row;
    const size_t out = (size_t)kb * y_block + row_out * width_out + first;
    FOR_P(STORE_PIXEL, 0)
  }
}

/* Grouped convolution of narrow groups: G channels in and G out each, CB / G groups per block.
 *
 *   y[b][q] = epilogue(bias[b] + sum over kh, kw, j < G of
 *                                spread(x[b][source(q, kh, kw)], j) * w[b][kh][kw][j])
 *
 * where spread(v, j) gives every lane the j-th channel of its group: the channel block of the input
 * that an output block needs is the one of equal number.
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [C / CB][KH][KW][G] blocks of CB output channels        bias [C / CB] blocks
 * y, res   [C / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: strips of L tiles of P columns, row after row; 1: channel blocks; 2: images
 * Applies  channels of a group in == out == G, G divides CB; any kernel, stride, dilation, padding
 * Order    kh, kw, channel: the canonical order. Taps in the padding are skipped, not multiplied.
 *
 * P     1..8, 10, 12, 14  pixels of a tile, in one row
 * L     1..16             tiles of a strip, one after another in a work-item
 * WALK  0: for each tap its weights, then all pixels; the choice for G == CB and for long kernels
 *       1: input pixels from left to right, each spread once for all its taps; SPAN <= 18
 * WG    1, 8..256         work-items per work-group, along strips
 * Set by the problem: G; SW, DW stride and dilation along the row; with WALK also KW and
 * SPAN = (P - 1) * SW + (KW - 1) * DW + 1, input pixels under a tile. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define L 1
#define WALK 1
#define WG 32
#define G 2
#define SW 1
#define DW 1
#define KW 3
#define SPAN 6
#endif
#if CB % G != 0
#error "G must divide CB"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"

/* Swizzles, not shuffle(): some compilers take its mask to memory. */
#if G == 1
#define SPREAD(v, j) (v)
#elif G == CB
#define SPREAD(v, j) ((block)(v.s##j))
#else
#define SPREAD(v, j) CAT(CAT(CAT(CAT(SPREAD_, CB), _), G), _##j)(v)
#endif
#define SPREAD_4_2_0(v) v.s0022
#define SPREAD_4_2_1(v) v.s1133
#define SPREAD_8_2_0(v) v.s00224466
#define SPREAD_8_2_1(v) v.s11335577
#define SPREAD_8_4_0(v) v.s00004444
#define SPREAD_8_4_1(v) v.s11115555
#define SPREAD_8_4_2(v) v.s22226666
#define SPREAD_8_4_3(v) v.s33337777
#define SPREAD_16_2_0(v) v.s0022446688aaccee
#define SPREAD_16_2_1(v) v.s1133557799bbddff
#define SPREAD_16_4_0(v) v.s000044448888cccc
#define SPREAD_16_4_1(v) v.s111155559999dddd
#define SPREAD_16_4_2(v) v.s22226666aaaaeeee
#define SPREAD_16_4_3(v) v.s33337777bbbbffff
#define SPREAD_16_8_0(v) v.s0000000088888888
#define SPREAD_16_8_1(v) v.s1111111199999999
#define SPREAD_16_8_2(v) v.s22222222aaaaaaaa
#define SPREAD_16_8_3(v) v.s33333333bbbbbbbb
#define SPREAD_16_8_4(v) v.s44444444cccccccc
#define SPREAD_16_8_5(v) v.s55555555dddddddd
#define SPREAD_16_8_6(v) v.s66666666eeeeeeee
#define SPREAD_16_8_7(v) v.s77777777ffffffff

#define J_1(F, k) F(0, k)
#define J_2(F, k) J_1(F, k) F(1, k)
#define J_4(F, k) J_2(F, k) F(2, k) F(3, k)
#define J_8(F, k) J_4(F, k) F(4, k) F(5, k) F(6, k) F(7, k)
#define J_16(F, k) J_8(F, k) F(8, k) F(9, k) F(a, k) F(b, k) F(c, k) F(d, k) F(e, k) F(f, k)
#define FOR_J(F, k) CAT(J_, G)(F, k)
/* Lane names are the hexadecimal digits of swizzles. */
#define NUMBER(j) (0x##j)

#define INIT(p, unused) block acc_##p = BIAS(b);
#define STORE(p, unused) \
  if (p < columns) \
    PUT_BLOCK(y, out + p, FN(epilogue)(acc_##p, b, blocks, out + p EPILOGUE_NAMES));

#if WALK
/* Weights of a row are read for each of its pixels: halves are converted once, like STAGE's. */
#if HALF && WG == 1
#define STAGE_WEIGHTS \
  block weights[KW * G]; \
  for (int i = 0; i < KW * G; ++i) weights[i] = BLOCK_AT(w_row, i);
#define W_LANE(j) const block *w_lane = weights + NUMBER(j);
#define W_AT(i) w_lane[i]
#else
#define STAGE_WEIGHTS
#define W_LANE(j) __global const stored *w_lane = w_row + NUMBER(j);
#define W_AT(i) BLOCK_AT(w_lane, i)
#endif
/* The conditions are constant. */
#define TAP(p, i) \
  if (i >= p * SW && (i - p * SW) % DW == 0 && (i - p * SW) / DW < KW) \
    acc_##p = FMA(spread, W_AT((i - p * SW) / DW * G), acc_##p);
#define WALK_LANE(j, i) { \
    W_LANE(j) \
    const block spread = SPREAD(v, j); \
    FOR_P(TAP, i) \
  }
/* One test for all taps of a pixel. It pays inside the image too: without it compilers move the
 * steps of many pixels together, and spill. */
#define WALK_PIXEL(i, unused) \
  if ((uint)(left + i) < (uint)width_in) { \
    const block v = BLOCK_AT(x_row, left + i); \
    FOR_J(WALK_LANE, i) \
  }
#else
#define LANE(j, p) acc_##p = FMA(SPREAD(v, j), BLOCK_AT(w_row, NUMBER(j)), acc_##p);
#define ROLL(p, unused) { const block v = BLOCK_AT(x_row, tap + p * SW); FOR_J(LANE, p) }
#define EDGE(p, unused) if ((uint)(tap + p * SW) < (uint)width_in) ROLL(p, 0)
#if G == CB
/* A group that fills its block: one value at a time, broadcast from memory. */
#define ROLL_FETCH(p, unused) FETCH(p, x_lane, p * SW * CB)
#define ROLL_ONE(p, unused) \
  acc_##p = FMA((block)(LANE_AT(p, j, x_lane, p * SW * CB)), weight, acc_##p);
#define ROLL_TAP \
  __global const element *x_lane = (__global const element *)(x_row + tap); \
  STAGE(G, FOR_P, ROLL_FETCH) \
  for (int j = 0; j < G; ++j, ++x_lane) { \
    const block weight = BLOCK_AT(w_row, j); \
    FOR_P(ROLL_ONE, 0) \
  }
#else
#define ROLL_TAP FOR_P(ROLL, 0)
#endif
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_grouped)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, int height_in, int width_in, int height_out, int width_out,
    int kernel_h, int kernel_w, int stride_h, int dilation_h, int pad_top, int pad_left) {
  const int b = get_global_id(1), blocks = get_global_size(1);
  const size_t plane = (size_t)b * get_global_size(2) + get_global_id(2);
  const int strips = (width_out + P * L - 1) / (P * L);
  const int y_row = get_global_id(0) / strips, strip = get_global_id(0) % strips;
  if (y_row >= height_out) return;
  x += plane * height_in * width_in;
  w += (size_t)b * kernel_h * kernel_w * G;
  for (int l = 0; l < L; ++l) {
    const int first = (strip * L + l) * P, columns = width_out - first;
    if (columns <= 0) return;
    const int left = first * SW - pad_left;
    FOR_P(INIT, 0)
    for (int kh = 0; kh < kernel_h; ++kh) {
      const int row = y_row * stride_h - pad_top + kh * dilation_h;
      if ((uint)row >= (uint)height_in) continue;
      __global const stored *x_row = x + row * width_in;
      __global const stored *w_row = w + kh * kernel_w * G;
#if WALK
      STAGE_WEIGHTS
      FOR_X(WALK_PIXEL, 0)
#else
      for (int kw = 0; kw < kernel_w; ++kw, w_row += G) {
        const int tap = left + kw * DW;
        if (tap >= 0 && tap + P * SW <= width_in) {
          ROLL_TAP
        } else {
          FOR_P(EDGE, 0)
        }
      }
#endif
    }
    const size_t out = (plane * height_out + y_row) * width_out + first;
    FOR_P(STORE, 0)
  }
}

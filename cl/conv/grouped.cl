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
 * HOLD  0: weights are read where they are used
 *       1: a row's weights are read once for the tile; needs WALK, KW == 3 and G <= 4
 * WG    1, 8..256         work-items per work-group, along strips
 * Set by the problem: G; SW, DW stride and dilation along the row; P_LESS = P - 1; with WALK also
 * KW and SPAN = (P - 1) * SW + (KW - 1) * DW + 1, input pixels under a tile. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define L 1
#define WALK 1
#define HOLD 0
#define WG 32
#define G 2
#define SW 1
#define DW 1
#define P_LESS 3
#define KW 3
#define SPAN 6
#endif
#if CB % G != 0
#error "G must divide CB"
#endif
#if HOLD && (!WALK || KW != 3 || G > 4)
#error "HOLD needs WALK, KW 3 and G up to 4"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"

/* Swizzles, not shuffle(): some compilers take its mask to memory. PREPARE makes of v what all of
 * its spread forms begin with. Groups of 8 in 16 lanes spread within quarters: in one step, CPUs'
 * compilers take 12 instructions where this takes 10. */
#if CB == 16 && G == 8
#define PREPARE(v) \
  const block v##_low = v.s0123012389ab89ab, v##_high = v.s45674567cdefcdef;
#else
#define PREPARE(v)
#endif
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
#define SPREAD_16_8_0(v) v##_low.s000044448888cccc
#define SPREAD_16_8_1(v) v##_low.s111155559999dddd
#define SPREAD_16_8_2(v) v##_low.s22226666aaaaeeee
#define SPREAD_16_8_3(v) v##_low.s33337777bbbbffff
#define SPREAD_16_8_4(v) v##_high.s000044448888cccc
#define SPREAD_16_8_5(v) v##_high.s111155559999dddd
#define SPREAD_16_8_6(v) v##_high.s22226666aaaaeeee
#define SPREAD_16_8_7(v) v##_high.s33337777bbbbffff

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
#if HOLD
#define HELD(j, unused) \
  const block held_0_##j = BLOCK_AT(w_row, NUMBER(j)), \
              held_1_##j = BLOCK_AT(w_row, G + NUMBER(j)), \
              held_2_##j = BLOCK_AT(w_row, 2 * G + NUMBER(j));
#define HOLD_ROW FOR_J(HELD, 0)
#define TAP(p, i) \
  if (i == p * SW) acc_##p = FMA(spread, w_0, acc_##p); \
  if (i == p * SW + DW) acc_##p = FMA(spread, w_1, acc_##p); \
  if (i == p * SW + 2 * DW) acc_##p = FMA(spread, w_2, acc_##p);
#define WALK_LANE(j, i) { \
    const block w_0 = held_0_##j, w_1 = held_1_##j, w_2 = held_2_##j; \
    const block spread = SPREAD(v, j); \
    FOR_P(TAP, i) \
  }
#else
#define HOLD_ROW STAGE_WEIGHTS
#define TAP(p, i) \
  if (i >= p * SW && (i - p * SW) % DW == 0 && (i - p * SW) / DW < KW) \
    acc_##p = FMA(spread, W_AT((i - p * SW) / DW * G), acc_##p);
#define WALK_LANE(j, i) { \
    W_LANE(j) \
    const block spread = SPREAD(v, j); \
    FOR_P(TAP, i) \
  }
#endif
/* One test for all taps of a pixel. It pays inside the image too: without it compilers move the
 * steps of many pixels together, and spill. */
#define WALK_PIXEL(i, unused) \
  if ((uint)(left + i) < (uint)width_in) { \
    const block v = BLOCK_AT(x_row, left + i); \
    PREPARE(v) \
    FOR_J(WALK_LANE, i) \
  }
#else
#define LANE(j, p) acc_##p = FMA(SPREAD(v, j), BLOCK_AT(w_row, NUMBER(j)), acc_##p);
#define ROLL(p, unused) { const block v = BLOCK_AT(x_row, tap + p * SW); PREPARE(v) FOR_J(LANE, p) }
#define EDGE(p, unused) if ((uint)(tap + p * SW) < (uint)width_in) ROLL(p, 0)
#if G == CB
/* A group that fills its block: one value at a time, broadcast from memory. */
#define ROLL_FETCH(p, unused) FETCH(p, x_lane, p * SW * CB)
#define ROLL_ONE(p, unused) \
  acc_##p = FMA((block)(LANE_AT(p, j, x_lane, p * SW * CB)), weight, acc_##p);
/* x_lane points into the tile's second pixel. */
#define ROLL_NEXT(p, unused) \
  CAT(acc_, NEXT_##p) = \
    FMA((block)(LANE_AT(p, j, x_lane, p * SW * CB)), weight, CAT(acc_, NEXT_##p));
#define ROLL_LANES(first_tap, FOR_PIXELS, STEP) { \
    __global const element *x_lane = (__global const element *)(x_row + (first_tap)); \
    STAGE(G, FOR_PIXELS, ROLL_FETCH) \
    for (int j = 0; j < G; ++j, ++x_lane) { \
      const block weight = BLOCK_AT(w_row, j); \
      FOR_PIXELS(STEP, 0) \
    } \
  }
#define ROLL_TAP ROLL_LANES(tap, FOR_P, ROLL_ONE)
#else
#define ROLL_TAP FOR_P(ROLL, 0)
#endif
/* Tiles with all pixels but the first, or all but the last, inside: both ends of rows in 3x3
 * windows. Work-items of one group would take all ways. */
#define HAS_LESS (G == CB && WG == 1)
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
      HOLD_ROW
      FOR_X(WALK_PIXEL, 0)
#else
      for (int kw = 0; kw < kernel_w; ++kw, w_row += G) {
        const int tap = left + kw * DW, last = tap + P_LESS * SW;
        if (tap >= 0 && last < width_in) {
          ROLL_TAP
#if HAS_LESS
        } else if (tap < 0 && tap + SW >= 0 && last < width_in) {
          ROLL_LANES(tap + SW, FOR_P_LESS, ROLL_NEXT)
        } else if (tap >= 0 && last - SW < width_in) {
          ROLL_LANES(tap, FOR_P_LESS, ROLL_ONE)
#endif
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

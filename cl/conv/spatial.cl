/* Convolution with any window, blocked layout, fused epilogue; one group, or whole blocks each.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over blocks of 16 ic, kh, kw, ic of x[ic][source] * w[kb])
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [K / CB][16-blocks of a group's channels][kh][kw][channel] blocks of CB output channels,
 *          then CB zeros: where taps in the padding may point to
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: PL tiles of P output pixels of a row, row after row; 1: KL groups of KB blocks
 * Applies  one group, or channels per group, in and out, multiples of CB; finite weights, since
 *          some taps in the padding multiply a zero
 * Order    the canonical one, whatever the tile
 *
 * P   1..8, 10, 12, 14  pixels per tile             KB  1..6, 8  blocks per tile, divides a group's
 * PL  1..64             tiles looped over inside a work-item: weights stay in cache
 * KL  1..64             groups of KB looped over inside a work-item: the input stays in cache
 * WG  1, 8..256         work-items per work-group, along tiles
 * PF  0..32             floats of the next group's weights fetched ahead, per tile, tap and channel
 * XF  0, 1              1: the next 16 channels' pixels, or the next tile's, are fetched ahead
 * SLAB 0, 1             1: 16 input channels at a time for all PL tiles, whose sums wait in private
 *                       memory: a slab of weights is read from afar once, not once per tile
 * Set by the problem: TAIL = WO % P, pixels of a row's last tile (0: full); P_LESS = P - 1,
 * TAIL_LESS = TAIL - 1; C_TAIL = channels of a group % CB; SW, the stride along a row; KH, KW, DH,
 * DW, the window and its dilations: numbers, for less work between taps. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define PL 1
#define KL 1
#define WG 32
#define PF 1
#define XF 1
#define SLAB 1
#define TAIL 2
#define P_LESS 3
#define TAIL_LESS 1
#define C_TAIL 3
#define SW 2
#define KH 3
#define KW 3
#define DH 1
#define DW 1
#endif
#if TAIL >= P
#error "TAIL must be less than P"
#endif
#include "../common/epilogue.clh"
#include "../common/prefetch.clh"
#include "../common/prefetch_near.clh"
#include "../common/tile.clh"

#define ACC(p, k) acc_##p##_##k
#define OUT(p, k) ((size_t)(kb + k) * g->pixels_out + at->q + p)

#if SLAB
#define SUM(p, k) sums[p * KB + k]
#define INIT(p, k) block ACC(p, k) = SUM(p, k);
#else
#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#endif
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
#define LOAD_W(unused, k) const block w_##k = BLOCK_AT(w_tap, k * w_stride + lane);
#define STEP(p, k) ACC(p, k) = FMA((block)(value), w_##k, ACC(p, k));
#define FETCH_PIXEL(p, unused) FETCH(p, x_tap, p * SW * CB)
#define STEP_PIXEL(p, unused) \
  { const float value = LANE_AT(p, lane, x_tap, p * SW * CB + lane); FOR_K(STEP, p) }
/* x_tap points to the tile's second pixel. */
#define STEP_NEXT(p, unused) \
  { const float value = LANE_AT(p, lane, x_tap, p * SW * CB + lane); FOR_K(STEP, CAT(NEXT_, p)) }
#define FETCH_POINT(p, unused) FETCH(p, x_##p, 0)
#define STEP_POINT(p, unused) \
  { const float value = LANE_AT(p, lane, x_##p, lane); FOR_K(STEP, p) }
/* Where this tap of pixel p reads: zeros in the padding. */
#define POINT(p, unused) \
  __global const element *x_##p = \
    (uint)(column + p * SW) < g->width_in ? x_tap + (column + p * SW) * CB : zeros;
#define STORE(p, k) \
  PUT_BLOCK(y, OUT(p, k), \
            FN(epilogue)(ACC(p, k), kb + k, g->blocks_out, OUT(p, k) EPILOGUE_NAMES));
#define STORE_PIXEL(p, unused) FOR_K(STORE, p)
#define KEEP(p, k) SUM(p, k) = ACC(p, k);
#define KEEP_PIXEL(p, unused) FOR_K(KEEP, p)
#if HAS_BIAS
#define BIAS_NAME , bias
#else
#define BIAS_NAME
#endif

/* What a tile needs to know of the problem. Channels and blocks of one group, but blocks_out. */
typedef struct {
  uint channels_in, blocks_in, group_blocks_out, blocks_out, pixels_in, pixels_out;
  uint height_in, width_in, height_out, width_out, stride_h, pad_top, pad_left;
} FN(geometry);

/* A tile: its first pixel in y and the one behind its row's last (0 past the end of all), the row
 * and column of the first pixel's first tap, which may lie before the image, and the image's first
 * row in a block of x. Not the pixels left: Intel's CPU compiler (2026.22) made `left >= P` never
 * true. */
typedef struct {
  uint q, end, image_row;
  int row, column;
} FN(place);

FN(place) FN(place_of)(const FN(geometry) *g, uint tile) {
  const uint tiles = (g->width_out + P - 1) / P, line = tile / tiles, first = tile % tiles * P;
  FN(place) at;
  at.q = line * g->width_out + first;
  at.end = at.q < g->pixels_out ? (line + 1) * g->width_out : 0;
  at.image_row = line / g->height_out * g->height_in;
  at.row = (int)(line % g->height_out * g->stride_h) - (int)g->pad_top;
  at.column = (int)(first * SW) - (int)g->pad_left;
  return at;
}

/* A line for each lane, not all at once: a burst of them would wait for itself. Slabs of the KB
 * blocks take turns. */
#if PF && SLAB
#define AHEAD_W PREFETCH(ahead + lane % KB * w_stride * CB + lane * PF);
#elif PF
#define AHEAD_W PREFETCH(ahead + lane * PF);
#else
#define AHEAD_W
#endif

/* A pixel for each lane and tap, from the tile's first on. Some are asked for in vain, or twice:
 * less work than to count. Into the first-level cache: loads would wait for the second, too. */
#if XF
#define AHEAD_X PREFETCH_NEAR(x_ahead + lane * CB);
#define NEXT_PIXELS \
  const size_t next = ic + 16 < PART_END ? (size_t)(ic + 16) * g->pixels_in \
                                         : (size_t)PART * g->pixels_in + P * SW * CB;
#define POINT_AHEAD \
  __global const element *x_ahead = \
    x + ((size_t)c * g->pixels_in + next + (line + at->column + kw * CB) * CB);
#else
#define AHEAD_X
#define NEXT_PIXELS
#define POINT_AHEAD
#endif

#if C_TAIL
#define LANES_HERE(left) min((uint)CB, left)
#else
#define LANES_HERE(left) CB
#endif
#define LANES_OF(UNROLL, FOR_PIXELS, FETCHES, STEPS) \
  STAGE(lanes, FOR_PIXELS, FETCHES) \
  UNROLL \
  for (uint lane = 0; lane < lanes; ++lane) { \
    AHEAD_W AHEAD_X \
    FOR_K(LOAD_W, 0) \
    FOR_PIXELS(STEPS, 0) \
  }

/* One tap of COUNT pixels. Rows in which all lie inside, or all but the first or the last, as in
 * 3x3 windows, spend nothing on the padding. Others are rare: one lane at a time. */
#define TAP(FOR_PIXELS, FOR_LESS, COUNT) \
  if (column >= 0 && last < (int)g->width_in) { \
    x_tap += column * CB; \
    LANES_OF(BY_TWO, FOR_PIXELS, FETCH_PIXEL, STEP_PIXEL) \
  } else if (column < 0 && column + SW >= 0 && last < (int)g->width_in) { \
    x_tap += (column + SW) * CB; \
    LANES_OF(BY_TWO, FOR_LESS, FETCH_PIXEL, STEP_NEXT) \
  } else if (column >= 0 && last - SW < (int)g->width_in) { \
    x_tap += column * CB; \
    LANES_OF(BY_TWO, FOR_LESS, FETCH_PIXEL, STEP_PIXEL) \
  } else { \
    FOR_PIXELS(POINT, 0) \
    LANES_OF(, FOR_PIXELS, FETCH_POINT, STEP_POINT) \
  }

/* A tile's place among those that fetch the next weights. */
#if SLAB || KL > 1
#define SHARE t
#else
#define SHARE tile
#endif
#if SLAB
#define PART_PARAMS , uint slab, block *sums
#define PART_NAMES , slab, sums + t * P * KB
#define PART slab
#define PART_END (slab + 1)
#define END_PIXEL KEEP_PIXEL
#else
#define PART_PARAMS
#define PART_NAMES
#define PART 0
#define PART_END g->channels_in
#define END_PIXEL STORE_PIXEL
#endif

/* x: first block of the group; ahead: the tile's share of the next weights. Loops: 16 channels, kh,
 * kw, blocks of the 16, lanes. */
#define TILE(name, FOR_PIXELS, FOR_LESS, COUNT) \
  void FN(name)(const FN(geometry) *g, const FN(place) *at, __global const element *restrict x, \
                __global const stored *restrict w_block, size_t w_stride, \
                __global const element *zeros, __global const element *ahead, \
                __global stored *y, uint kb PART_PARAMS EPILOGUE_PARAMS) { \
    FOR_PIXELS(INIT_PIXEL, 0) \
    for (uint ic = PART; ic < PART_END; ic += 16) { \
      const uint channels = min(16u, g->channels_in - ic); \
      NEXT_PIXELS \
      for (uint kh = 0; kh < KH; ++kh) { \
        const int row = at->row + (int)(kh * DH); \
        if ((uint)row >= g->height_in) continue; \
        const size_t line = (size_t)(at->image_row + row) * g->width_in; \
        for (uint kw = 0; kw < KW; ++kw) { \
          const int column = at->column + (int)(kw * DW); \
          const int last = column + (COUNT - 1) * SW; \
          __global const stored *w_tap = w_block + (kh * KW + kw) * channels; \
          for (uint c = 0; c < channels; c += CB) { \
            __global const element *x_tap = x + ((size_t)(ic + c) * g->pixels_in + line * CB); \
            POINT_AHEAD \
            const uint lanes = LANES_HERE(channels - c); \
            TAP(FOR_PIXELS, FOR_LESS, COUNT) \
            w_tap += lanes; \
            ahead += lanes * PF; \
          } \
        } \
      } \
      w_block += KH * KW * channels; \
    } \
    FOR_PIXELS(END_PIXEL, 0) \
  }

TILE(tile, FOR_P, FOR_P_LESS, P)
#if TAIL
TILE(tail, FOR_TAIL, FOR_TAIL_LESS, TAIL)
#endif

/* The vectors are here already. Unasked, some CPUs' compilers also build a kernel of 16 work-items
 * at once, 17 times the code in eight times the time, which work-groups of one never run. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1), vec_type_hint(block)))
void FN(ncl_spatial)(
    __global const element *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint channels_in, uint group_blocks_out, uint blocks_out,
    uint images, uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h,
    uint pad_top, uint pad_left) {
  const FN(geometry) g = {channels_in, (channels_in + CB - 1) / CB, group_blocks_out, blocks_out,
                          images * height_in * width_in, images * height_out * width_out,
                          height_in, width_in, height_out, width_out, stride_h, pad_top, pad_left};
  const size_t w_stride = (size_t)channels_in * KH * KW;
  __global const element *zeros = (__global const element *)(w + blocks_out * w_stride);
  for (uint l = 0; l < KL; ++l) {
    const uint kb = ((uint)get_global_id(1) * KL + l) * KB;
    if (kb >= blocks_out) return;
    __global const stored *w_block = w + kb * w_stride;
    const size_t first_in = kb / group_blocks_out * g.blocks_in;
    __global const element *x_group = x + first_in * g.pixels_in * CB;
    __global const element *next = (__global const element *)(w_block + KB * w_stride);
#if SLAB
    block sums[PL * P * KB];
    for (uint i = 0; i < PL * P * KB; ++i) sums[i] = BIAS(kb + i % KB);
    for (uint slab = 0; slab < channels_in; slab += 16) {
      const size_t length = (size_t)min(16u, channels_in - slab) * KH * KW;
      if (slab + 16 < channels_in) next = (__global const element *)(w_block + length);
      else next = (__global const element *)(w + (kb + KB) * w_stride);
#else
    const size_t length = w_stride;
    {
#endif
      for (uint t = 0; t < PL; ++t) {
        const uint tile = (uint)get_global_id(0) * PL + t;
        const FN(place) at = FN(place_of)(&g, tile);
        __global const element *ahead = next + SHARE * length * PF;
        if (at.q + P <= at.end)
          FN(tile)(&g, &at, x_group, w_block, w_stride, zeros, ahead, y,
                   kb PART_NAMES BIAS_NAME EPILOGUE_NAMES);
#if TAIL
        else if (at.q < at.end)
          FN(tail)(&g, &at, x_group, w_block, w_stride, zeros, ahead, y,
                   kb PART_NAMES BIAS_NAME EPILOGUE_NAMES);
#endif
      }
#if SLAB
      w_block += length;
    }
    for (uint i = 0; i < PL * P * KB; ++i) {
      const uint k = kb + i % KB;
      const FN(place) at = FN(place_of)(&g, (uint)get_global_id(0) * PL + i / (P * KB));
      const uint q = at.q + i / KB % P;
      const size_t out = (size_t)k * g.pixels_out + q;
      if (q < at.end)
        PUT_BLOCK(y, out, FN(epilogue)(sums[i], k, blocks_out, out EPILOGUE_NAMES));
#endif
    }
  }
}

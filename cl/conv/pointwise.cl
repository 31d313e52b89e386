/* Pointwise (1x1) convolution and the dense layer, blocked layout, fused epilogue.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over ic of x[ic / CB][source(q)][ic % CB] * w[kb][ic])
 *
 * x        [C / CB][N * HI * WI] blocks (block = CB channels of one pixel)
 * w        [K / CB][C] blocks of CB output channels          bias [K / CB] blocks
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice. y may be part of a larger tensor, whose
 *          blocks have plane_out pixels, from pixel first_out on.
 * NDRange  0: PL tiles of P output pixels; 1: KL groups of KB output blocks
 * Applies  kernel 1x1, no padding, one group, any strides
 * Order    input channels ascending, from the bias: the canonical order whatever the tile
 *
 * P   1..8, 10, 12, 14  pixels per tile             KB  1..6, 8  blocks per tile, divides K / CB
 * PL  1..64             tiles looped over inside a work-item: weights stay in cache (argument pl)
 * KL  1..64             groups of KB likewise: the input stays in cache (argument kl)
 * WG  1, 8..256         work-items per work-group, along tiles
 * PF  0..32             floats of the next group's weights fetched ahead, per tile and channel
 * PX  0, 1              1: a tile's pixels of the next channel block are fetched ahead, and at its
 *                       start the residual, or the lines that results go to
 * Set by the problem: C_TAIL = C % CB. SW = 0 for strides of 1: tiles lie along all pixels, images
 * in sequence, and q is the pixel in x as well. Else SW is the stride along a row and tiles lie
 * along rows, so that a tile's pixels are a constant apart. TAIL = pixels, or WO, % P: pixels of
 * the last tile (0: full). */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define WG 32
#define PF 1
#define PX 1
#define TAIL 1
#define C_TAIL 3
#define SW 2
#endif
#if TAIL >= P
#error "TAIL must be less than P"
#endif
#include "../common/epilogue.clh"
#include "../common/prefetch.clh"
/* Or Intel's runtime 2026.22 reads four pixels ahead, eight of two lanes, spills 22 of 28 sums of a
 * 14x2 tile, and takes twice the time. */
#if WG == 1
#define LANE_ORDER volatile
#endif
#include "../common/tile.clh"

#define ACC(p, k) acc_##p##_##k
#define OWN(p, k) ((size_t)(kb + k) * g->pixels_out + q + p)
#define OUT(p, k) ((size_t)(kb + k) * g->plane_out + g->first_out + q + p)

#if SW
#define SOURCE(p) (p * SW * CB)
#else
#define SOURCE(p) (p * CB)
#endif

/* A line for each lane, not all at once: a burst of them would wait for itself. */
#if PF
#define AHEAD_W PREFETCH(ahead + lane * PF);
#else
#define AHEAD_W
#endif
#if PX
#define AHEAD_X PREFETCH(x_block + (size_t)g->pixels_in * CB + SOURCE(lane));
#else
#define AHEAD_X
#endif

#if PX && HAS_RES
#define AHEAD_Y(p, k) PREFETCH(res + OWN(p, k));
#elif PX
#define AHEAD_Y(p, k) PREFETCH(y + OUT(p, k));
#else
#define AHEAD_Y(p, k)
#endif
#define AHEAD_PIXEL(p, unused) FOR_K(AHEAD_Y, p)
#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
/* A size_t, or x86 computes the wrap of a uint for each block and lane. */
#define LOAD_W(unused, k) \
  const block w_##k = BLOCK_AT(w_block + (size_t)k * g->channels_in, lane);
#define STEP(p, k) ACC(p, k) = FMA((block)(v), w_##k, ACC(p, k));
#define FETCH_PIXEL(p, unused) FETCH(p, x_block, SOURCE(p))
#define STEP_PIXEL(p, unused) \
  { const float v = LANE_AT(p, lane, x_block, SOURCE(p) + lane); FOR_K(STEP, p) }
#define STORE(p, k) \
  PUT_BLOCK(y, OUT(p, k), \
            FN(epilogue)(ACC(p, k), kb + k, g->blocks_out, OWN(p, k) EPILOGUE_NAMES));
#define STORE_PIXEL(p, unused) FOR_K(STORE, p)

/* What a tile needs to know of the problem. */
typedef struct {
  uint channels_in, blocks_out, pixels_in, pixels_out, first_out, plane_out;
#if SW
  uint height_in, width_in, height_out, width_out, stride_h;
#endif
} FN(geometry);

/* First pixel of a tile, in y and in x, and the one behind the last that it may have, in y; 0 past
 * the end of all. Not the pixels left: Oclgrind lacks the instruction, and see spatial.cl. */
typedef struct {
  uint q, source, end;
} FN(place);

FN(place) FN(place_of)(const FN(geometry) *g, uint tile) {
  FN(place) place;
#if SW
  const uint tiles = (g->width_out + P - 1) / P, row = tile / tiles, column = tile % tiles * P;
  const uint image = row / g->height_out;
  const uint row_in = image * g->height_in + row % g->height_out * g->stride_h;
  place.q = row * g->width_out + column;
  place.source = row_in * g->width_in + column * SW;
  place.end = place.q < g->pixels_out ? (row + 1) * g->width_out : 0;
#else
  place.q = place.source = tile * P;
  place.end = g->pixels_out;
#endif
  return place;
}

#define LANES_OF_BLOCK(FOR_PIXELS, lanes) \
  { \
    STAGE(lanes, FOR_PIXELS, FETCH_PIXEL) \
    BY_TWO \
    for (uint lane = 0; lane < lanes; ++lane) { \
      AHEAD_W AHEAD_X \
      FOR_K(LOAD_W, 0) \
      FOR_PIXELS(STEP_PIXEL, 0) \
    } \
  }

/* x points at the first pixel of the tile, ahead at its share of the next group's weights. */
#define TILE(name, FOR_PIXELS) \
  void FN(name)(const FN(geometry) *g, __global const element *restrict x, \
                __global const stored *restrict w, __global const element *ahead, \
                __global stored *y, uint q, uint kb EPILOGUE_PARAMS) { \
    __global const element *x_block = x; \
    __global const stored *w_block = w + (size_t)kb * g->channels_in; \
    FOR_PIXELS(AHEAD_PIXEL, 0) \
    FOR_PIXELS(INIT_PIXEL, 0) \
    for (uint b = g->channels_in / CB; b > 0; --b) { \
      LANES_OF_BLOCK(FOR_PIXELS, CB) \
      x_block += (size_t)g->pixels_in * CB; \
      w_block += CB; \
      ahead += CB * PF; \
    } \
    LANES_OF_BLOCK(FOR_PIXELS, C_TAIL) \
    FOR_PIXELS(STORE_PIXEL, 0) \
  }

TILE(tile, FOR_P)
#if TAIL
TILE(tail, FOR_TAIL)
#endif

#if SW
#define STRIDE_PARAMS \
  , uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h
#define STRIDE_NAMES , height_in, width_in, height_out, width_out, stride_h
#else
#define STRIDE_PARAMS
#define STRIDE_NAMES
#endif
#if HAS_BIAS
#define BIAS_NAME , bias
#else
#define BIAS_NAME
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_pointwise)(
    __global const element *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint pl, uint kl, uint channels_in, uint blocks_out,
    uint pixels_in, uint pixels_out, uint first_out, uint plane_out STRIDE_PARAMS) {
  const FN(geometry) g = {channels_in, blocks_out, pixels_in, pixels_out,
                          first_out, plane_out STRIDE_NAMES};
  for (uint l = 0; l < kl; ++l) {
    const uint kb = ((uint)get_global_id(1) * kl + l) * KB;
    if (kb >= blocks_out) return;
    __global const element *next = (__global const element *)(w + (size_t)(kb + KB) * channels_in);
    for (uint t = 0; t < pl; ++t) {
      const uint at = (uint)get_global_id(0) * pl + t;
      const FN(place) to = FN(place_of)(&g, at);
      __global const element *ahead = next + (size_t)(kl > 1 ? t : at) * channels_in * PF;
      __global const element *from = x + (size_t)to.source * CB;
      if (to.q + P <= to.end) FN(tile)(&g, from, w, ahead, y, to.q, kb BIAS_NAME EPILOGUE_NAMES);
#if TAIL
      else if (to.q < to.end) FN(tail)(&g, from, w, ahead, y, to.q, kb BIAS_NAME EPILOGUE_NAMES);
#endif
    }
  }
}

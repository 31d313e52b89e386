/* Pointwise (1x1) convolution and the dense layer, blocked layout, fused epilogue.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over ic of x[ic / CB][source(q)][ic % CB] * w[kb][ic])
 *
 * x        [C / CB][N * HI * WI] blocks (block = CB channels of one pixel)
 * w        [K / CB][C] blocks of CB output channels          bias [K / CB] blocks
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: PL tiles of P output pixels, images in sequence; 1: KL groups of KB output blocks
 * Applies  kernel 1x1, no padding, one group, any strides
 * Order    input channels ascending, from the bias: the canonical order whatever the tile
 *
 * P   1..8, 10, 12, 14  pixels per tile             KB  1..6, 8  blocks per tile, divides K / CB
 * PL  1..64             tiles looped over inside a work-item: weights stay in cache
 * KL  1..64             groups of KB looped over inside a work-item: the input stays in cache
 * WG  1, 8..256         work-items per work-group, along tiles
 * Set by the problem: TAIL = N * HO * WO % P, pixels of the last tile (0: full); C_TAIL = C % CB;
 * STRIDED 1: pixels are gathered by rows and columns, 0: q is the pixel in x as well. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define PL 1
#define KL 1
#define WG 32
#define TAIL 1
#define C_TAIL 3
#define STRIDED 1
#endif
#if TAIL >= P
#error "TAIL must be less than P"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"

#define ACC(p, k) acc_##p##_##k
#define OUT(p, k) ((size_t)(kb + k) * g->pixels_out + q + p)

/* Input pixel under pixel p of the tile, as an offset in floats. */
#if STRIDED
#define SOURCE(p) source_##p
#define PLACE(p, unused) const size_t source_##p = FN(place)(g, q + p);
#else
#define SOURCE(p) (p * CB)
#define PLACE(p, unused)
#endif

#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
#define LOAD_W(unused, k) const block w_##k = w_block[k * g->channels_in + lane];
#define STEP(p, k) ACC(p, k) = FMA((block)(v), w_##k, ACC(p, k));
/* One input value at a time: loading all P first would cost P registers and spill. */
#define STEP_PIXEL(p, unused) { const float v = x_block[SOURCE(p) + lane]; FOR_K(STEP, p) }
#define STORE(p, k) \
  y[OUT(p, k)] = FN(epilogue)(ACC(p, k), kb + k, g->blocks_out, OUT(p, k) EPILOGUE_NAMES);
#define STORE_PIXEL(p, unused) FOR_K(STORE, p)

/* What a tile needs to know of the problem. */
typedef struct {
  uint channels_in, blocks_out, pixels_in, pixels_out;
#if STRIDED
  uint height_in, width_in, height_out, width_out, stride_h, stride_w;
#endif
} FN(geometry);

#if STRIDED
size_t FN(place)(const FN(geometry) *g, uint q) {
  const uint column = q % g->width_out, row = q / g->width_out;
  const uint image = row / g->height_out;
  const uint y = image * g->height_in + row % g->height_out * g->stride_h;
  return ((size_t)y * g->width_in + column * g->stride_w) * CB;
}
#endif

#define LANES_OF_BLOCK(FOR_PIXELS, lanes) \
  for (uint lane = 0; lane < lanes; ++lane) { \
    FOR_K(LOAD_W, 0) \
    FOR_PIXELS(STEP_PIXEL, 0) \
  }

/* x points at the first pixel of the tile, or with STRIDED at the first of all. */
#define TILE(name, FOR_PIXELS) \
  void FN(name)(const FN(geometry) *g, __global const float *restrict x, \
                __global const block *restrict w, __global block *y, uint q, \
                uint kb EPILOGUE_PARAMS) { \
    __global const float *x_block = x + (STRIDED ? 0 : (size_t)q * CB); \
    __global const block *w_block = w + (size_t)kb * g->channels_in; \
    FOR_PIXELS(PLACE, 0) \
    FOR_PIXELS(INIT_PIXEL, 0) \
    for (uint b = g->channels_in / CB; b > 0; --b) { \
      LANES_OF_BLOCK(FOR_PIXELS, CB) \
      x_block += (size_t)g->pixels_in * CB; \
      w_block += CB; \
    } \
    LANES_OF_BLOCK(FOR_PIXELS, C_TAIL) \
    FOR_PIXELS(STORE_PIXEL, 0) \
  }

TILE(tile, FOR_P)
#if TAIL
TILE(tail, FOR_TAIL)
#endif

#if STRIDED
#define STRIDE_PARAMS \
  , uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h, uint stride_w
#define STRIDE_NAMES , height_in, width_in, height_out, width_out, stride_h, stride_w
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
    __global const float *restrict x, __global const block *restrict w,
    __global block *y EPILOGUE_PARAMS, uint channels_in, uint blocks_out, uint pixels_in,
    uint pixels_out STRIDE_PARAMS) {
  const FN(geometry) g = {channels_in, blocks_out, pixels_in, pixels_out STRIDE_NAMES};
  for (uint l = 0; l < KL; ++l) {
    const uint kb = ((uint)get_global_id(1) * KL + l) * KB;
    if (kb >= blocks_out) return;
    for (uint t = 0; t < PL; ++t) {
      const uint q = ((uint)get_global_id(0) * PL + t) * P;
      if (q + P <= pixels_out) FN(tile)(&g, x, w, y, q, kb BIAS_NAME EPILOGUE_NAMES);
#if TAIL
      else if (q < pixels_out) FN(tail)(&g, x, w, y, q, kb BIAS_NAME EPILOGUE_NAMES);
#endif
    }
  }
}

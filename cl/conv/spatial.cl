/* Convolution with any window, blocked layout, fused epilogue; one group, or whole blocks each.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over blocks of 16 ic, kh, kw, ic of x[ic][source] * w[kb])
 *
 * x        [C / CB][N][HI][WI] blocks (block = CB channels of one pixel)
 * w        [K / CB][16-blocks of a group's channels][kh][kw][channel] blocks of CB output channels,
 *          then CB zeros: where taps in the padding point to
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, and no pixel is computed twice
 * NDRange  0: PL tiles of P output pixels, rows and images in sequence; 1: KL groups of KB blocks
 * Applies  one group, or channels per group, in and out, multiples of CB; finite weights, since
 *          taps in the padding multiply a zero
 * Order    the canonical one, whatever the tile
 *
 * P   1..8, 10, 12, 14  pixels per tile             KB  1..6, 8  blocks per tile, divides a group's
 * PL  1..64             tiles looped over inside a work-item: weights stay in cache
 * KL  1..64             groups of KB looped over inside a work-item: the input stays in cache
 * WG  1, 8..256         work-items per work-group, along tiles
 * Set by the problem: TAIL = N * HO * WO % P, pixels of the last tile (0: full); C_TAIL = channels
 * of a group % CB. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define PL 1
#define KL 1
#define WG 32
#define TAIL 1
#define C_TAIL 3
#endif
#if TAIL >= P
#error "TAIL must be less than P"
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"

#define ACC(p, k) acc_##p##_##k
#define OUT(p, k) ((size_t)(kb + k) * g->pixels_out + q + p)

#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
#define PLACE(p, unused) const FN(place) from_##p = FN(place_of)(g, q + p);
/* Where this tap of pixel p reads: a select, so that edges cost no branch and no second loop. */
#define POINT(p, unused) __global const float *x_##p = FN(tap)(g, &from_##p, x_block, zeros, h, v);
#define LOAD_W(unused, k) const block w_##k = w_block[k * w_stride + lane];
#define STEP(p, k) ACC(p, k) = FMA((block)(value), w_##k, ACC(p, k));
/* One input value at a time: loading all P first would cost P registers and spill. */
#define STEP_PIXEL(p, unused) { const float value = x_##p[lane]; FOR_K(STEP, p) }
#define STORE(p, k) \
  y[OUT(p, k)] = FN(epilogue)(ACC(p, k), kb + k, g->blocks_out, OUT(p, k) EPILOGUE_NAMES);
#define STORE_PIXEL(p, unused) FOR_K(STORE, p)
#if HAS_BIAS
#define BIAS_NAME , bias
#else
#define BIAS_NAME
#endif

/* What a tile needs to know of the problem. Channels and blocks of one group, but blocks_out. */
typedef struct {
  uint channels_in, blocks_in, group_blocks_out, blocks_out, pixels_in, pixels_out;
  uint height_in, width_in, height_out, width_out, kernel_h, kernel_w;
  uint stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
} FN(geometry);

/* First tap of an output pixel: row, column, and index of that pixel in a block of x. They may lie
 * before the image; unsigned arithmetic wraps and comes back. */
typedef struct {
  uint row, column, index;
} FN(place);

FN(place) FN(place_of)(const FN(geometry) *g, uint q) {
  const uint line = q / g->width_out, image = line / g->height_out;
  FN(place) place;
  place.row = line % g->height_out * g->stride_h - g->pad_top;
  place.column = q % g->width_out * g->stride_w - g->pad_left;
  place.index = (image * g->height_in + place.row) * g->width_in + place.column;
  return place;
}

__global const float *FN(tap)(const FN(geometry) *g, const FN(place) *place,
                              __global const float *x, __global const float *zeros, uint h,
                              uint v) {
  const bool inside = place->row + h < g->height_in & place->column + v < g->width_in;
  return inside ? x + (size_t)(place->index + h * g->width_in + v) * CB : zeros;
}

#if C_TAIL
#define LANES_HERE(left) min((uint)CB, left)
#else
#define LANES_HERE(left) CB
#endif

/* x: first block of the group. Loops: 16 channels, kh, kw, blocks of the 16, lanes. */
#define TILE(name, FOR_PIXELS) \
  void FN(name)(const FN(geometry) *g, __global const float *restrict x, \
                __global const block *restrict w_block, size_t w_stride, \
                __global const float *zeros, __global block *y, uint q, uint kb EPILOGUE_PARAMS) { \
    FOR_PIXELS(PLACE, 0) \
    FOR_PIXELS(INIT_PIXEL, 0) \
    for (uint ic = 0; ic < g->channels_in; ic += 16) { \
      const uint channels = min(16u, g->channels_in - ic); \
      for (uint kh = 0; kh < g->kernel_h; ++kh) \
        for (uint kw = 0; kw < g->kernel_w; ++kw) { \
          const uint h = kh * g->dilation_h, v = kw * g->dilation_w; \
          for (uint c = 0; c < channels; c += CB) { \
            __global const float *x_block = x + (size_t)(ic + c) * g->pixels_in; \
            const uint lanes = LANES_HERE(channels - c); \
            FOR_PIXELS(POINT, 0) \
            for (uint lane = 0; lane < lanes; ++lane) { \
              FOR_K(LOAD_W, 0) \
              FOR_PIXELS(STEP_PIXEL, 0) \
            } \
            w_block += lanes; \
          } \
        } \
    } \
    FOR_PIXELS(STORE_PIXEL, 0) \
  }

TILE(tile, FOR_P)
#if TAIL
TILE(tail, FOR_TAIL)
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_spatial)(
    __global const float *restrict x, __global const block *restrict w,
    __global block *y EPILOGUE_PARAMS, uint channels_in, uint group_blocks_out, uint blocks_out,
    uint images, uint height_in, uint width_in, uint height_out, uint width_out, uint kernel_h,
    uint kernel_w, uint stride_h, uint stride_w, uint dilation_h, uint dilation_w, uint pad_top,
    uint pad_left) {
  const FN(geometry) g = {channels_in, (channels_in + CB - 1) / CB, group_blocks_out, blocks_out,
                          images * height_in * width_in, images * height_out * width_out,
                          height_in, width_in, height_out, width_out, kernel_h, kernel_w,
                          stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left};
  const size_t w_stride = (size_t)channels_in * kernel_h * kernel_w;
  __global const float *zeros = (__global const float *)(w + blocks_out * w_stride);
  for (uint l = 0; l < KL; ++l) {
    const uint kb = ((uint)get_global_id(1) * KL + l) * KB;
    if (kb >= blocks_out) return;
    __global const block *w_block = w + kb * w_stride;
    const size_t first_in = kb / group_blocks_out * g.blocks_in;
    __global const float *x_group = x + first_in * g.pixels_in * CB;
    for (uint t = 0; t < PL; ++t) {
      const uint q = ((uint)get_global_id(0) * PL + t) * P;
      if (q + P <= g.pixels_out)
        FN(tile)(&g, x_group, w_block, w_stride, zeros, y, q, kb BIAS_NAME EPILOGUE_NAMES);
#if TAIL
      else if (q < g.pixels_out)
        FN(tail)(&g, x_group, w_block, w_stride, zeros, y, q, kb BIAS_NAME EPILOGUE_NAMES);
#endif
    }
  }
}

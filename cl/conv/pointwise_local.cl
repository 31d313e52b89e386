/* Pointwise (1x1) convolution and the dense layer for devices with local memory of their own
 * (discrete GPUs), blocked layout, fused epilogue. A work-group loads tiles of x and w into local
 * memory once for all of its work-items: it reads global memory least, and may be as narrow along
 * pixels as the map wants. Halves become floats on the way there, once instead of at every use.
 *
 *   y[kb][q] = epilogue(bias[kb] + sum over ic of x[ic / CB][source(q)][ic % CB] * w[kb][ic])
 *
 * x        [C / CB][N * HI * WI] blocks (block = CB channels of one pixel)
 * w        [K / CB / (LY * KB)][C / CB, rounded up to DEPTH][CB][KB][LY] blocks of CB output
 *          channels; zeros where there are no channels: tail lanes of x, which are zero, meet them
 * bias     [K / CB] blocks
 * y, res   [K / CB][N * HO * WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: LX work-items, P pixels each, LX apart; 1: LY work-items, KB output blocks each, LY
 *          apart
 * Applies  CB 4, kernel 1x1, no padding, one group, any strides; local memory is no part of global
 *          memory
 * Order    input channels ascending, from the bias: the canonical order whatever the tile
 *
 * P      1..8          pixels of a work-item            KB  1..4  output blocks of a work-item
 * LX     4, 8, 16, 32  work-items along pixels          LY  2, 4, 8, 16  along output blocks
 * DEPTH  1, 2, 4, 8    blocks of input channels in local memory at once; DEPTH * P is a multiple of
 *                      LY, DEPTH * CB * KB one of LX, by at most 16: every work-item loads as much
 * PAD    0, 1          blocks behind each row of pixels, so that rows start in other banks
 * Set by the problem: STRIDED 1: pixels are gathered by rows and columns, 0: q is the pixel in x as
 * well; RAGGED 1: DEPTH doesn't divide C / CB; X_EACH, W_EACH up to 16: blocks that a work-item
 * loads. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define LX 8
#define LY 8
#define DEPTH 4
#define PAD 1
#define STRIDED 1
#define RAGGED 1
#define X_EACH 2
#define W_EACH 4
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"
#if X_EACH * LY != DEPTH * P || W_EACH * LX != DEPTH * CB * KB
#error "work-items load equal shares"
#endif

#define WG (LX * LY)
#define X_ROW (LX * P + PAD)
#define W_ROW (LY * KB)
#define PIXEL(p) (q + p * LX)
#define BLOCK_OUT(k) (kb + k * LY)
#define ACC(p, k) acc_##p##_##k
/* Work-items past the last output block compute the last one again, and store nothing. */
#define INIT(p, k) block ACC(p, k) = BIAS(min((uint)BLOCK_OUT(k), blocks_out - 1));
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)
#define LOAD_X(p, unused) const block v_##p = x_near[p * LX];
#define LOAD_W(j, k) const block w_##k = w_near[(j) * W_ROW + k * LY];
#define STEP_(p, k, lane) ACC(p, k) = FMA((block)(v_##p.lane), w_##k, ACC(p, k));
#define STEP_0(p, k) STEP_(p, k, s0)
#define STEP_1(p, k) STEP_(p, k, s1)
#define STEP_2(p, k) STEP_(p, k, s2)
#define STEP_3(p, k) STEP_(p, k, s3)
#define PIXEL_0(p, unused) FOR_K(STEP_0, p)
#define PIXEL_1(p, unused) FOR_K(STEP_1, p)
#define PIXEL_2(p, unused) FOR_K(STEP_2, p)
#define PIXEL_3(p, unused) FOR_K(STEP_3, p)
#define LANE(j) { FOR_K(LOAD_W, j) FOR_P(PIXEL_##j, 0) }
#define STORE(p, k) \
  if (BLOCK_OUT(k) < blocks_out) { \
    const uint at = BLOCK_OUT(k) * pixels_out + PIXEL(p); \
    PUT_BLOCK(y, at, \
              FN(epilogue)(ACC(p, k), BLOCK_OUT(k), blocks_out, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (PIXEL(p) < pixels_out) { FOR_K(STORE, p) }

/* A work-item's shares of the loading: blocks of x at (SHARE / P, SHARE % P) of its column, and
 * every WG-th block of w. */
#define SHARE(n) ((n) * LY + ly)
#if STRIDED
#define STRIDE_PARAMS \
  , uint height_in, uint width_in, uint height_out, uint width_out, uint stride_h, uint stride_w
#define FIND(n, unused) \
  const uint pixel_##n = min(q + SHARE(n) % P * LX, pixels_out - 1); \
  const uint line_##n = pixel_##n / width_out; \
  const uint row_##n = line_##n / height_out * height_in + line_##n % height_out * stride_h; \
  const uint from_##n = row_##n * width_in + pixel_##n % width_out * stride_w; \
  const uint to_##n = SHARE(n) / P * X_ROW + SHARE(n) % P * LX + lx;
#else
#define STRIDE_PARAMS
#define FIND(n, unused) \
  const uint from_##n = min(q + SHARE(n) % P * LX, pixels_out - 1); \
  const uint to_##n = SHARE(n) / P * X_ROW + SHARE(n) % P * LX + lx;
#endif
/* The last step may have fewer blocks of channels. */
#if RAGGED
#define BLOCK_IN(n) min(b + SHARE(n) / P, blocks_in - 1)
#define IF_THERE(d) if (b + d < blocks_in)
#else
#define BLOCK_IN(n) (b + SHARE(n) / P)
#define IF_THERE(d)
#endif
#define BRING_X(n, unused) x_tile[to_##n] = BLOCK_AT(x, BLOCK_IN(n) * pixels_in + from_##n);
#define BRING_W(n, unused) w_tile[(n) * WG + id] = BLOCK_AT(w, (n) * WG);
#define STEP(d, unused) \
  IF_THERE(d) { \
    __local const block *x_near = x_tile + d * X_ROW + lx; \
    __local const block *w_near = w_tile + d * CB * W_ROW + ly; \
    FOR_P(LOAD_X, 0) \
    LANE(0) LANE(1) LANE(2) LANE(3) \
  }
/* Not CAT: what it pastes uses CAT. Nor one list for both: what steps expand uses the other. */
#define EACH_(n, F) P_##n(F, 0)
#define EACH(n, F) EACH_(n, F)
#define STEPS_(n) X_##n(STEP, 0)
#define STEPS(n) STEPS_(n)

__kernel __attribute__((reqd_work_group_size(LX, LY, 1))) void FN(ncl_pointwise_local)(
    __global const stored *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint blocks_in, uint blocks_out, uint pixels_in,
    uint pixels_out STRIDE_PARAMS) {
  __local block x_tile[DEPTH * X_ROW], w_tile[DEPTH * CB * W_ROW];
  const uint lx = get_local_id(0), ly = get_local_id(1), id = ly * LX + lx;
  const uint q = (uint)get_group_id(0) * (LX * P) + lx;
  const uint kb = (uint)get_group_id(1) * W_ROW + ly;
  FOR_P(INIT_PIXEL, 0)
  EACH(X_EACH, FIND)
  w += (size_t)(kb - ly) * (CB * DEPTH) * ((blocks_in + DEPTH - 1) / DEPTH) + id;
  for (uint b = 0; b < blocks_in; b += DEPTH) {
    EACH(X_EACH, BRING_X)
    EACH(W_EACH, BRING_W)
    barrier(CLK_LOCAL_MEM_FENCE);
    STEPS(DEPTH)
    barrier(CLK_LOCAL_MEM_FENCE);
    w += DEPTH * CB * W_ROW;
  }
  FOR_P(STORE_PIXEL, 0)
}

/* The dense layer, and pointwise (1x1) convolution of few pixels, for devices whose work-items are
 * lanes of wide hardware threads (GPUs), blocked layout, fused epilogue. Lanes lie along output
 * channels, so that few pixels leave none idle; all of a thread use the same pixels.
 *
 *   y[k][q] = epilogue(bias[k] + sum over ic of x[ic / CB][q][ic % CB] * w[ic][k])
 *
 * x        [C / CB][pixels] blocks (block = CB channels of one pixel)
 * w        [C, rounded up to CB][K, rounded up to CB] numbers; zeros where there are no channels:
 *          tail lanes of x, which are zero, meet them          bias [K / CB] blocks
 * y, res   [K / CB][pixels] blocks; with V = CB res may be y: each output is read, then written, by
 *          one work-item, once. With V = 1 a work-item reads its neighbours' residuals too
 * NDRange  0: runs of V output channels; 1: groups of P pixels
 * Applies  CB 4, kernel 1x1, strides 1, no padding, one group
 * Order    input channels ascending, from the bias: the canonical order whatever the tile
 *
 * P       1..8     pixels of a work-item              V   1, 4    output channels of a work-item
 * INDEX   0: a pointer to the channel's weights and a lane's place among them; 1: 32-bit places
 *         from the kernel's argument
 * UNROLL  1, 2, 4  blocks of input channels per turn of the loop: loads that wait at once
 * WG      8..256   work-items per work-group, along channels
 * Set by the problem: BLOCKS_LEFT = C / CB, rounded up, % UNROLL. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define V 1
#define INDEX 0
#define UNROLL 2
#define WG 64
#define BLOCKS_LEFT 1
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"

#if V == 1
#define values float
#define stored_values element
#define VALUES_AT(p, i) VALUE_AT(p, i)
#define PUT_VALUES(p, i, v) PUT_VALUE(p, i, v)
#define SPREAD(v) (v)
/* Not by number: some compilers would go through memory. */
#define PART(v, l) (as_int(v.l) & own.l)
#define PICK(v) as_float(PART(v, s0) | PART(v, s1) | PART(v, s2) | PART(v, s3))
#else
#define values block
#define stored_values stored
#define VALUES_AT(p, i) BLOCK_AT(p, i)
#define PUT_VALUES(p, i, v) PUT_BLOCK(p, i, v)
#define SPREAD(v) (values)(v)
#define PICK(v) (v)
#endif

#if INDEX
#define W_AT(place) VALUES_AT(w, (place) + k)
#else
#define W_AT(place) VALUES_AT(w + (place), k)
#endif
#define INIT(p, unused) values acc_##p = PICK(start);
#define LOAD_X(p, unused) const block v_##p = BLOCK_AT(x, x_at + min(q + p, pixels - 1));
#define STEP_(p, lane) acc_##p = FMA_OF(SPREAD(v_##p.lane), w_here, acc_##p);
#define STEP_0(p, unused) STEP_(p, s0)
#define STEP_1(p, unused) STEP_(p, s1)
#define STEP_2(p, unused) STEP_(p, s2)
#define STEP_3(p, unused) STEP_(p, s3)
#define CHANNEL(j) { \
    const values w_here = W_AT(w_at + j * row); \
    FOR_P(STEP_##j, 0) \
  }
#define BLOCK { \
    FOR_P(LOAD_X, 0) \
    CHANNEL(0) CHANNEL(1) CHANNEL(2) CHANNEL(3) \
    x_at += pixels; \
    w_at += CB * row; \
  }
/* Not CAT: what it pastes uses CAT. */
#define BLOCKS_(n) BLOCKS_##n
#define BLOCKS(n) BLOCKS_(n)
#define BLOCKS_0
#define BLOCKS_1 BLOCK
#define BLOCKS_2 BLOCK BLOCK
#define BLOCKS_3 BLOCK BLOCK BLOCK
#define BLOCKS_4 BLOCKS_2 BLOCKS_2
#if V == 1 && FAST
#define FMA_OF(a, b, c) ((a) * (b) + (c))
#elif V == 1
#define FMA_OF(a, b, c) fma(a, b, c)
#else
#define FMA_OF(a, b, c) FMA(a, b, c)
#endif
/* One value is all lanes' until it is picked. */
#define STORE(p, unused) \
  if (q + p < pixels) { \
    const uint at = kb * pixels + q + p; \
    const block result = FN(epilogue)((block)(acc_##p), kb, blocks_out, at EPILOGUE_NAMES); \
    PUT_VALUES(y, at * (CB / V) + lane, PICK(result)); \
  }

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_dense_lanes)(
    __global const stored *restrict x, __global const stored_values *restrict w,
    __global stored_values *y EPILOGUE_PARAMS, uint blocks_in, uint blocks_out, uint pixels) {
  const uint row = blocks_out * (CB / V), item = get_global_id(0), q = (uint)get_group_id(1) * P;
  /* Work-items past the last channel compute it again, and store nothing. */
  const uint k = min(item, row - 1), kb = k / (CB / V), lane = k % (CB / V);
#if V == 1
  const int4 own = LANES == (int4)(lane);
#endif
  const block start = BIAS(kb);
  FOR_P(INIT, 0)
  uint x_at = 0, w_at = 0;
  for (uint b = blocks_in / UNROLL; b > 0; --b) {
    BLOCKS(UNROLL)
  }
  BLOCKS(BLOCKS_LEFT)
  if (item >= row) return;
  FOR_P(STORE, 0)
}

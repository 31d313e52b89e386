/* Softmax over channels, blocked layout.
 *
 *   m = the greatest x, NaN if any is; e[c] = e^(x[c] - m); y[c] = e[c] * reciprocal(sum of e),
 *   the sum from +0 over ascending c. With LOG: y[c] = (x[c] - m) - log(sum of e)
 *
 * x, y      [C / CB][N * H * W] blocks. y may be x. Floats: y also holds e, with LOG x - m, in
 *           between; halves would round them, so they are computed anew
 * NDRange   0: WG work-items per pixel. They share maximum and exponentials, where order does not
 *           show; one of them adds
 *
 * WG  1, 8..256              work-items per work-group
 * Set by the problem: LOG, 1 for the logarithm of the softmax. */
#ifndef WG
#define WG 8
#define LOG 0
#endif
#include "../common/types.clh"
#define NEED_EXP
#if LOG
#define NEED_LOG
#else
#define NEED_RECIPROCAL
#endif
#include "../common/epilogue.clh"

#define GREATER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

/* The greater one of each pair of lanes, down to one. */
float FN(greatest_lane)(block v) {
#if CB == 16
  const float8 v8 = SELECT(isgreater(v.hi, v.lo) | isnotequal(v.hi, v.hi), v.hi, v.lo);
#elif CB == 8
  const float8 v8 = v;
#endif
#if CB >= 8
  const float4 v4 = SELECT(isgreater(v8.hi, v8.lo) | isnotequal(v8.hi, v8.hi), v8.hi, v8.lo);
#else
  const float4 v4 = v;
#endif
  const float low = GREATER(v4.s0, v4.s1), high = GREATER(v4.s2, v4.s3);
  return GREATER(low, high);
}

/* Lanes that are no channels count for neither the maximum nor the sum. */
block FN(fill_tail)(block v, uint kb, uint blocks, float fill) {
#if Y_TAIL
  return kb + 1 < blocks ? v : SELECT(LANES < Y_TAIL, v, (block)(fill));
#else
  return v;
#endif
}

float FN(greatest_own)(__global const stored *x, uint blocks, uint pixels, uint item) {
  block m = -INFINITY;

  for (uint kb = item; kb < blocks; kb += WG) {
    const block v = FN(fill_tail)(BLOCK_AT(x, (size_t)kb * pixels), kb, blocks, -INFINITY);
    m = SELECT(isgreater(v, m) | isnotequal(v, v), v, m);
  }
  return FN(greatest_lane)(m);
}

/* e, with LOG x - m. */
block FN(term)(block x, float m, uint kb, uint blocks) {
#if LOG
  return FN(fill_tail)(x - m, kb, blocks, -INFINITY);
#else
  return FN(fill_tail)(FN(exp_block)(x - m), kb, blocks, 0.0f);
#endif
}

#define AT(kb) ((size_t)(kb) * pixels)
#if HALF
#define TERM(kb) FN(term)(BLOCK_AT(x, AT(kb)), m, kb, blocks)
#else
#define TERM(kb) y[AT(kb)]
#endif

/* The sum in ascending order, by one work-item. Adding the +0 of tail lanes changes nothing: the
 * sum is never -0. */
float FN(sum_channels)(__global const stored *x, __global const stored *y, float m, uint blocks,
                       uint pixels) {
  float sum = 0.0f;

  for (uint kb = 0; kb < blocks; ++kb) {
#if LOG
    const block v = FN(exp_block)(TERM(kb));
#else
    const block v = TERM(kb);
#endif
    sum = sum + v.s0 + v.s1 + v.s2 + v.s3;
#if CB >= 8
    sum = sum + v.s4 + v.s5 + v.s6 + v.s7;
#endif
#if CB == 16
    sum = sum + v.s8 + v.s9 + v.sa + v.sb;
    sum = sum + v.sc + v.sd + v.se + v.sf;
#endif
  }
  return sum;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_softmax)(
    __global const stored *x, __global stored *y, uint blocks, uint pixels) {
  const uint pixel = get_group_id(0), item = get_local_id(0);
  x += pixel;
  y += pixel;
  float m = FN(greatest_own)(x, blocks, pixels, item);
#if WG > 1
  __local float shared[WG];
  shared[item] = m;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = 0; i < WG; ++i)
    m = GREATER(m, shared[i]);
#endif
#if !HALF
  for (uint kb = item; kb < blocks; kb += WG)
    y[AT(kb)] = FN(term)(x[AT(kb)], m, kb, blocks);
#endif
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
  if (item == 0)
    shared[0] = FN(sum_channels)(x, y, m, blocks, pixels);
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  const float sum = shared[0];
#else
  const float sum = FN(sum_channels)(x, y, m, blocks, pixels);
#endif
#if LOG
  const block log_sum = FN(log_block)((block)(sum));
  for (uint kb = item; kb < blocks; kb += WG)
    PUT_BLOCK(y, AT(kb), FN(mask_tail)(TERM(kb) - log_sum, kb, blocks));
#else
  const block scale = FN(reciprocal)((block)(sum));
  for (uint kb = item; kb < blocks; kb += WG)
    PUT_BLOCK(y, AT(kb), FN(mask_tail)(TERM(kb) * scale, kb, blocks));
#endif
}

/* Affine map per channel, residual and activation, each of them optional, blocked layout:
 * batch normalisation that is not folded, addition of two tensors, ReLU or clip on its own.
 *
 *   y[kb][p] = act(fma(x[kb][p], scale[kb], shift[kb]) + residual[kb][p])
 *
 * x, y, residual  [C / CB][N * H * W] blocks; y may be x or the residual: each output is written by
 *                 the work-item that read its inputs, after reading them
 * NDRange   0: tiles of WG * P pixels; 1: groups of L channel blocks
 *
 * P   1..4096                pixels per work-item, WG apart: neighbours read neighbours
 * L   1..16                  channel blocks per work-item
 * WG  1, 8..256              work-items per work-group */
#ifndef P
#define P 4
#define L 2
#define WG 8
#endif
#include "../common/types.clh"
#include "../common/epilogue.clh"

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_bn_relu_add)(
    __global const stored *x, __global stored *y EPILOGUE_PARAMS, int blocks, int pixels) {
  const int first = get_group_id(0) * (WG * P) + get_local_id(0), kb0 = get_global_id(1) * L;
  const int end = min(first + WG * P, pixels);

  for (int kb = kb0; kb < min(kb0 + L, blocks); ++kb)
    for (int p = first; p < end; p += WG) {
      const size_t index = (size_t)kb * pixels + p;
      PUT_BLOCK(y, index,
                FN(epilogue)(BLOCK_AT(x, index), kb, blocks, index EPILOGUE_NAMES));
    }
}

/* Convolution of any shape, one output block of one pixel per work-item: the fallback for whatever
 * the faster kernels don't take, and their reference on the device. Fused epilogue.
 *
 *   y[k][q] = epilogue(bias[k] + sum over i, kh, kw, c of
 *                                x[c'][source(q, kh, kw)] * w[k][i][kh][kw][c])
 *
 * where i counts blocks of 16 input channels of the group of k, and c' is channel 16 * i + c of it.
 *
 * x        X_PLAIN 1: [N][C][HI][WI] floats, from image x_image on; 0: [C / CB][N][HI][WI] blocks
 *          (block = CB channels of one pixel)
 * w        [K / CB][C per group / 16][KH][KW][16, or those there are] blocks of CB output channels
 * bias     [K / CB] blocks
 * y, res   [K / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item. y may be part of a larger tensor, of y_images, from image y_image on.
 * NDRange  0: pixels of an image; 1: output blocks; 2: images
 * Applies  always: groups may straddle channel blocks, weights may be infinite or NaN
 * Order    i, kh, kw, c: the canonical order. A tap, channel or group that isn't there is skipped,
 *          not multiplied; lanes past the last output channel read what their block's first does,
 *          then are masked.
 *
 * WG  1, 8..256  work-items per work-group, along pixels
 * Set by the problem: SAME 1: the lanes of every output block belong to one group. */
#include "../common/types.clh"
#ifndef WG
#define WG 32
#define SAME 0
#endif
#include "../common/epilogue.clh"

#define X(at) X_VALUE_AT(x, at)
#define GATHER_4(at) (block)(X(at.s0), X(at.s1), X(at.s2), X(at.s3))
#define GATHER_8(at) \
  (block)(X(at.s0), X(at.s1), X(at.s2), X(at.s3), X(at.s4), X(at.s5), X(at.s6), X(at.s7))
#define GATHER_16(at) \
  (block)(X(at.s0), X(at.s1), X(at.s2), X(at.s3), X(at.s4), X(at.s5), X(at.s6), X(at.s7), \
          X(at.s8), X(at.s9), X(at.sa), X(at.sb), X(at.sc), X(at.sd), X(at.se), X(at.sf))
/* One number for the block, or one per lane. */
#if SAME
#define NUMBERS int
#define OUTPUTS(kb) (kb * CB)
#define GATHER(at) (block)(X(at))
#else
#define NUMBERS block_int
#define OUTPUTS(kb) FN(outputs)(kb * CB, channels_out)
#define GATHER(at) CAT(GATHER_, CB)(at)

block_int FN(outputs)(int first, int channels_out) {
  const block_int own = first + LANES;
  return select((block_int)(first), own, own < channels_out);
}
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_direct)(
    __global const x_element *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, int channels_in, int height_in, int width_in,
    int channels_out, int height_out, int width_out, int groups, int kernel_h, int kernel_w,
    int stride_h, int stride_w, int dilation_h, int dilation_w, int pad_top,
    int pad_left, int x_image, int y_image, int y_images) {
  const int q = get_global_id(0), kb = get_global_id(1), image = get_global_id(2);
  const int images = get_global_size(2), blocks = get_global_size(1);
  if (q >= height_out * width_out) return;
  const int top = q / width_out * stride_h - pad_top, left = q % width_out * stride_w - pad_left;
  const int width = channels_in / groups;
  const NUMBERS first = OUTPUTS(kb) / (channels_out / groups) * width;
  block acc = BIAS(kb);

  w += (size_t)kb * width * kernel_h * kernel_w;
  for (int i = 0; i < width; i += 16) {
    const int channels = min(width - i, 16);
    for (int tap = 0; tap < kernel_h * kernel_w; ++tap, w += channels) {
      const int row = top + tap / kernel_w * dilation_h;
      const int column = left + tap % kernel_w * dilation_w;
      if ((uint)row >= (uint)height_in || (uint)column >= (uint)width_in) continue;
      for (int c = 0; c < channels; ++c) {
        const NUMBERS channel = first + i + c;
#if X_PLAIN
        const NUMBERS map = (x_image + image) * channels_in + channel;
        const NUMBERS at = (map * height_in + row) * width_in + column;
#else
        const NUMBERS plane = channel / CB * images + image;
        const NUMBERS at = ((plane * height_in + row) * width_in + column) * CB + channel % CB;
#endif
        acc = FMA(GATHER(at), BLOCK_AT(w, c), acc);
      }
    }
  }
  const size_t pixels = (size_t)height_out * width_out;
  const size_t own = ((size_t)kb * images + image) * pixels + q;
  const size_t out = ((size_t)kb * y_images + y_image + image) * pixels + q;
  PUT_BLOCK(y, out, FN(epilogue)(acc, kb, blocks, own EPILOGUE_NAMES));
}

/* Permuting, slicing, padding, reshaping, concatenating and change of order: moves floats as bit
 * patterns, so that NaN payloads and subnormals survive; halves become bits of floats in between.
 * See struct ncl_copy.
 *
 *   y[i] = x[source(i)], or fill where that is outside x
 *
 * x, y      PLAIN or BLOCKED each; the host gives x's strides along y's axes, 0: n, 1: c, 2: h,
 *           3: w, with steps folded in, and the range of each coordinate that is inside x
 * NDRange   0: groups of R rows of y x tiles of P columns
 *
 * P   1..256                 neighbouring columns per work-item
 * R   1..64                  rows per work-item
 * WG  1, 8..256              work-items per work-group
 * BLOCKS     1: x and y are BLOCKED and whole blocks move; strides count blocks, else floats
 * CHANNEL    the axis of y that runs along x's channels            CANONICAL  see ncl_canonical
 * RESHAPE    1: same elements in NCHW order */
#ifndef P
#define P 4
#define R 2
#define WG 8
#define BLOCKS 0
#define CHANNEL 1
#define RESHAPE 0
#define CANONICAL 1
#endif
#include "../common/types.clh"
#if BLOCKS && (X_PLAIN || Y_PLAIN || RESHAPE)
#error "BLOCKS needs BLOCKED tensors"
#endif

#if BLOCKS
#define ELEMENT block_int
#else
#define ELEMENT int
#endif
/* Memory of x and of y, and the way from one and to the other. */
#if !HALF
#define X_MEMORY ELEMENT
#define Y_MEMORY ELEMENT
#define READ(p, i) (p)[i]
#define WRITE(p, i, v) (p)[i] = (v)
#elif BLOCKS
#define X_MEMORY stored
#define Y_MEMORY stored
#define READ(p, i) CAT(as_int, CB)(BLOCK_AT(p, i))
#define WRITE(p, i, v) PUT_BLOCK(p, i, CAT(as_float, CB)(v))
#else
#define X_MEMORY x_element
#define READ(p, i) as_int(X_VALUE_AT(p, i))
#if Y_PLAIN
#define Y_MEMORY float
#define WRITE(p, i, v) (p)[i] = as_float(v)
#else
#define Y_MEMORY half
#define WRITE(p, i, v) vstore_half_rte(as_float(v), i, p)
#endif
#endif
/* Channels that one step along a row of y holds in elements of their own. */
#define PARTS (Y_PLAIN || BLOCKS ? 1 : CB)

ELEMENT FN(finish)(ELEMENT bits) {
#if CANONICAL
  const ELEMENT size = bits & 0x7fffffff;
  bits = size > 0x7f800000 ? (ELEMENT)(0x7fc00000) : bits;
  bits = size < 0x00800000 ? (ELEMENT)(0) : bits;
#endif
  return bits;
}

/* Of x. Unsigned throughout: negative strides and starts wrap, and so does their sum, to the
 * offset. */
typedef struct {
  uint channel_start, channel_step, block_stride, channels, pixels;
} FN(source);

uint FN(along)(const FN(source) *s, uint axis, uint stride, uint i) {
  if (X_PLAIN || BLOCKS || axis != CHANNEL)
    return i * stride;
  const uint c = s->channel_start + i * s->channel_step;
  return c / CB * s->block_stride + c % CB;
}

/* Offset in x of the element at place i of y, both counted in NCHW order. */
uint FN(reshaped)(const FN(source) *s, uint i) {
  const uint pixel = i % s->pixels, map = i / s->pixels;
  const uint c = map % s->channels, image = map / s->channels;

  if (X_PLAIN)
    return i;
  return c / CB * s->block_stride + (image * s->pixels + pixel) * CB + c % CB;
}

#if RESHAPE
#define LINE(n, c, h) ((((n) * channels + (c)) * height + (h)) * width)
#define SOURCE(line, w) FN(reshaped)(&s, (line) + (w))
#else
#define LINE(n, c, h) \
  (base + FN(along)(&s, 0, stride_n, n) + FN(along)(&s, 1, stride_c, c) + \
   FN(along)(&s, 2, stride_h, h))
#define SOURCE(line, w) ((line) + FN(along)(&s, 3, stride_w, w))
#endif

#if BLOCKS
#define TAIL_LANES(kb, v) \
  (Y_TAIL && (kb) + 1 == blocks ? select((block_int)(0), v, LANES < Y_TAIL) : (v))
#else
#define TAIL_LANES(kb, v) (v)
#endif

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_copy)(
    __global const X_MEMORY *restrict x, __global Y_MEMORY *restrict y, uint images, uint channels,
    uint height, int width, uint y_first, uint y_image, uint n_begin, uint n_end, uint c_begin,
    uint c_end, uint h_begin, uint h_end, int w_begin, int w_end, uint base, uint stride_n,
    uint stride_c, uint stride_h, uint stride_w, uint channel_start, uint channel_step,
    uint block_stride, uint channels_x, uint pixels_x, int fill) {
  const FN(source) s = {channel_start, channel_step, block_stride, channels_x, pixels_x};
  const uint blocks = (channels + CB - 1) / CB, tiles = (width + P - 1) / P;
  const int rows = images * (Y_PLAIN ? channels : blocks) * height;
  const uint item = get_global_id(0);
  const int first = item % tiles * P, end = min(first + P, width), row0 = item / tiles * R;

  for (int row = row0; row < min(row0 + R, rows); ++row) {
    const uint h = row % height, outer = row / height;
    const uint n = Y_PLAIN ? outer / channels : outer % images;
    const uint kb = Y_PLAIN ? 0 : outer / images;
    for (uint part = 0; part < PARTS; ++part) {
      const uint c = Y_PLAIN ? outer % channels : BLOCKS ? kb : kb * CB + part;
      const uint line = LINE(n, c, h);
      const bool inside = n >= n_begin && n < n_end && h >= h_begin && h < h_end &&
                          (BLOCKS || (c >= c_begin && c < c_end));
      const int begin = inside ? min(max(first, w_begin), end) : end;
      const int stop = max(begin, min(w_end, end));
      const ELEMENT outside = FN(finish)((ELEMENT)(BLOCKS || c < channels ? fill : 0));
      __global Y_MEMORY *out = y + y_first + part +
          (Y_PLAIN ? n * y_image + (c * height + h) * width : row * width * PARTS);

      for (int w = first; w < begin; ++w)
        WRITE(out, w * PARTS, TAIL_LANES(kb, outside));
      for (int w = begin; w < stop; ++w) {
        const ELEMENT v = FN(finish)(READ(x, SOURCE(line, w)));
        WRITE(out, w * PARTS, TAIL_LANES(kb, v));
      }
      for (int w = stop; w < end; ++w)
        WRITE(out, w * PARTS, TAIL_LANES(kb, outside));
    }
  }
}

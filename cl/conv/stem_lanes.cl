/* Convolution of few input channels (a network's first layer) for devices whose work-items are
 * lanes of wide hardware threads (GPUs), fused epilogue. A tile lies in one row, so that its pixels
 * have constant distances, each is loaded once for all taps of a row, and only those at its ends
 * can meet the padding.
 *
 *   y[k][q] = epilogue(bias[k] + sum over kh, kw, c of x[c][source(q, kh, kw)] * w[k][kh][kw][c])
 *
 * x        [N][C][HI][WI] floats, the caller's own buffer
 * w        [K / CB / KB][KH][KW][C][KB] blocks of CB output channels         bias [K / CB] blocks
 * y, res   [K / CB][N][HO][WO] blocks; res may be y: each output is read, then written, by one
 *          work-item, once
 * NDRange  0: tiles of P columns, rows and images in sequence; 1: groups of KB output blocks
 * Applies  CB 4, C <= 4, one group, KW at most 11; x of less than 2 GiB; finite weights, since taps
 *          in the padding to the left and right multiply a zero
 * Order    kh, kw, channel: the canonical order
 *
 * P      1..8    pixels of a tile, at most WO       KB  1..4  blocks of a tile, divides K / CB
 * INDEX  0: a pointer to the plane and 32-bit places in it; 1: 32-bit places from the kernel's
 *        arguments
 * WG     8..256  work-items per work-group, along tiles
 * Set by the problem: C; KW; SW, DW stride and dilation along the row; pixels under a tile before
 * LEFT and from RIGHT on can lie in the padding. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define INDEX 0
#define WG 64
#define C 3
#define KW 7
#define SW 2
#define DW 1
#define LEFT 3
#define RIGHT 12
#endif
#include "../common/epilogue.clh"
#include "../common/tile.clh"
#include "../common/span.clh"

#define ACC(p, k) acc_##p##_##k
#define INIT(p, k) block ACC(p, k) = BIAS(kb + k);
#define INIT_PIXEL(p, unused) FOR_K(INIT, p)

/* Input pixel under pixel p of the tile at the tap at hand, counted from the tile's first. */
#define COLUMN(p) (p * SW + column)
/* Constant: can no tile have that pixel in the padding? */
#define SAFE(p) (COLUMN(p) >= LEFT && COLUMN(p) < RIGHT)
#if INDEX
#define BESIDE(p) (place + channel * plane + (uint)(COLUMN(p) - LEFT))
#define X_SAFE(p) x[BESIDE(p)]
#define X_EITHER(p) x[min(BESIDE(p), last)]
#else
/* AMD adds pointer, bytes and a constant in the load itself. */
#define X_BYTES(bytes) \
  ((__global const float *)((__global const char *)(x + channel * plane) + (bytes)))
#define X_SAFE(p) X_BYTES(place * 4u)[COLUMN(p) - LEFT]
#define X_EITHER(p) *X_BYTES(min(place + (uint)(COLUMN(p) - LEFT), last) * 4u)
#endif
#define MASKED(p) \
  as_float(as_int(X_EITHER(p)) & -(int)(left + COLUMN(p) < width_in))
#define LOAD_W(unused, k) const block w_##k = BLOCK_AT(w_tap, (column / DW * C + channel) * KB + k);
#define STEP(p, k) ACC(p, k) = FMA((block)(v), w_##k, ACC(p, k));
#define STEP_PIXEL(p, unused) { \
    const float v = SAFE(p) ? X_SAFE(p) : MASKED(p); \
    FOR_K(STEP, p) \
  }
#define CHANNEL(c) { \
    enum { channel = c }; \
    FOR_K(LOAD_W, 0) \
    FOR_P(STEP_PIXEL, 0) \
  }
#define CHANNELS_1 CHANNEL(0)
#define CHANNELS_2 CHANNELS_1 CHANNEL(1)
#define CHANNELS_3 CHANNELS_2 CHANNEL(2)
#define CHANNELS_4 CHANNELS_3 CHANNEL(3)
/* Not CAT: what it pastes uses CAT. */
#define CHANNELS_(n) CHANNELS_##n
#define CHANNELS(n) CHANNELS_(n)
#define ROW_TAP(i, unused) { \
    enum { column = i * DW }; \
    CHANNELS(C) \
  }
#define TAPS_(n) X_##n
#define TAPS(n) TAPS_(n)
#define STORE(p, k) { \
    const uint at = out + (kb + k) * pixels_out + p; \
    PUT_BLOCK(y, at, FN(epilogue)(ACC(p, k), kb + k, blocks_out, at EPILOGUE_NAMES)); \
  }
#define STORE_PIXEL(p, unused) if (p >= skip) { FOR_K(STORE, p) }

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void FN(ncl_stem_lanes)(
    __global const float *restrict x, __global const stored *restrict w,
    __global stored *y EPILOGUE_PARAMS, uint blocks_out, uint images, uint height_in,
    uint width_in, uint height_out, uint width_out, uint kernel_h, uint stride_h, uint dilation_h,
    uint pad_top, uint last) {
  const uint kb = (uint)get_group_id(1) * KB;
  const uint item = get_global_id(0), tiles = (width_out + P - 1) / P;
  const uint lines = images * height_out, line = min(item / tiles, lines - 1);
  const uint plane = height_in * width_in, pixels_out = lines * width_out;
  /* The last tile of a row starts earlier, and stores only what it has for itself: see
   * rows_lanes.cl. */
  const uint wanted = item % tiles * P, first = min(wanted, width_out - P);
  const uint skip = item < tiles * lines ? wanted - first : P;
  const uint out = line * width_out + first;
  /* Unsigned places: before the image they wrap, and come back. */
  const uint left = first * SW - LEFT, image = line / height_out * (C * height_in);
  uint row = line % height_out * stride_h - pad_top;
  __global const stored *w_tap = w + (size_t)kb * kernel_h * (KW * C);
  FOR_P(INIT_PIXEL, 0)
  for (uint kh = 0; kh < kernel_h; ++kh) {
    if (row < height_in) {
      const uint place = (image + row) * width_in + first * SW;
      TAPS(KW)(ROW_TAP, 0)
    }
    row += dilation_h;
    w_tap += KW * C * KB;
  }
  FOR_P(STORE_PIXEL, 0)
}

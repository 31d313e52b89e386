/* 3x3 convolution by Winograd's minimal filtering, fused epilogue, in one launch: a work-item takes
 * a chunk of tiles from pixels to outputs, so that what lies between stays in its core's cache.
 * Arithmetic, constants and error bound: common/winograd.clh.
 *
 * x       [C / CB][images][HI][WI] blocks (block = CB channels of one pixel)
 * u       [N * N][K / CB][C] blocks of CB output channels
 * work    a slice for each work-item: N * N times [C / CB][CHUNK] and then [KL * KB][CHUNK] blocks,
 *         CHUNK = PL * P; v_stride, m_stride blocks from one position to the next
 * y, res  [K / CB][images][HO][WO] blocks; res may be y: each output is read, then written, by one
 *         work-item
 * NDRange 0: IL work-items that share the chunks; 1: KL groups of KB output blocks
 * Applies kernel 3x3, strides and dilations 1, one group, any padding, finite weights
 * Order   its own, so for math fast only
 *
 * M   2, 4              outputs of a tile along each side
 * P   1..8, 10, 12, 14  tiles per product              KB  1..6, 8  output blocks, divides K / CB
 * PL  1..16             products along a chunk         KL  1..64    and along output blocks
 * IL  1..512            work-items along chunks
 * Set by the problem: C_TAIL = C % CB. */
#include "../common/types.clh"
#ifndef P
#define P 4
#define KB 2
#define PL 2
#define KL 1
#define IL 4
#define M 4
#define C_TAIL 3
#endif
#include "../common/winograd.clh"

#define CHUNK (PL * P)

typedef struct {
  int channels_in, height_in, width_in, blocks_out, height_out, width_out;
  int tiles_down, tiles_across, images, pad_top, pad_left;
  uint v_stride, m_stride;
} FN(geometry);

/* The last product's missing tiles repeat the last tile. */
void FN(forward)(const FN(geometry) *g, __global const stored *restrict x,
                 __global block *restrict v, int start, int count) {
  const int blocks = (g->channels_in + CB - 1) / CB, padded = (count + P - 1) / P * P;
  for (int b = 0; b < blocks; ++b)
    for (int t = 0; t < padded; ++t) {
      const int tile = start + min(t, count - 1);
      const int line = tile / g->tiles_across, image = line / g->tiles_down;
      const size_t plane = ((size_t)b * g->images + image) * g->height_in * g->width_in;
      FN(winograd_forward)(x + plane, g->height_in, g->width_in,
                           line % g->tiles_down * M - g->pad_top,
                           tile % g->tiles_across * M - g->pad_left, v + b * CHUNK + t,
                           g->v_stride);
    }
}

/* Output blocks first_kb .. end_kb - 1, at one position. u: that of block 0. */
void FN(product)(const FN(geometry) *g, __global const block *restrict v,
                 __global const block *restrict u, __global block *restrict m, int count,
                 int first_kb, int end_kb) {
  for (int kb = first_kb; kb < end_kb; kb += KB)
    for (int t = 0; t < count; t += P)
      FN(winograd_product)((__global const float *)(v + t), u + (size_t)kb * g->channels_in,
                           m + (kb - first_kb) * CHUNK + t, g->channels_in, CHUNK);
}

/* m: of block kb. */
void FN(back)(const FN(geometry) *g, __global const block *restrict m, __global stored *y,
              int start, int count, int kb EPILOGUE_PARAMS) {
  for (int t = 0; t < count; ++t) {
    const int tile = start + t, line = tile / g->tiles_across, image = line / g->tiles_down;
    const int top = line % g->tiles_down * M, left = tile % g->tiles_across * M;
    const size_t row = ((size_t)kb * g->images + image) * g->height_out + top;
    FN(winograd_back)(m + t, g->m_stride, y, row * g->width_out + left, g->height_out,
                      g->width_out, top, left, kb, g->blocks_out BIAS_NAME EPILOGUE_NAMES);
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void FN(ncl_winograd_chunk)(
    __global const stored *restrict x, __global const block *restrict u, __global block *work,
    __global stored *y EPILOGUE_PARAMS, int channels_in, int height_in, int width_in,
    int blocks_out, int height_out, int width_out, int tiles_down, int tiles_across, int images,
    int pad_top, int pad_left, uint v_stride, uint m_stride) {
  const FN(geometry) g = {channels_in, height_in, width_in, blocks_out, height_out, width_out,
                          tiles_down, tiles_across, images, pad_top, pad_left, v_stride, m_stride};
  const int tiles = images * tiles_down * tiles_across;
  const int first_kb = get_global_id(1) * KL * KB, end_kb = min(first_kb + KL * KB, blocks_out);
  const size_t slice = get_global_id(1) * get_global_size(0) + get_global_id(0);
  __global block *v = work + slice * (N * N) * (v_stride + m_stride);
  __global block *m = v + N * N * v_stride;
  for (int start = (int)get_global_id(0) * CHUNK; start < tiles; start += IL * CHUNK) {
    const int count = min(tiles - start, CHUNK);
    FN(forward)(&g, x, v, start, count);
    for (int i = 0; i < N * N; ++i)
      FN(product)(&g, v + i * v_stride, u + (size_t)i * blocks_out * channels_in,
                  m + i * m_stride, count, first_kb, end_kb);
    for (int kb = first_kb; kb < end_kb; ++kb)
      FN(back)(&g, m + (kb - first_kb) * CHUNK, y, start, count, kb BIAS_NAME EPILOGUE_NAMES);
  }
}

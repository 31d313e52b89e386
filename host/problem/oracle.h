/* The host oracle: every problem computed by plain loops over NCHW tensors in canonical arithmetic.
 * Kernels are compared with it bit for bit. Threads: parallel inside, no shared state.
 *
 * Canonical arithmetic, version NCL_ORDER_VERSION. Every operation below is one IEEE single
 * precision operation, rounded to nearest even; fma rounds once; nothing else is fused or
 * reordered. exp, reciprocal, sigmoid: problem/canonical_math.h.
 *
 * Convolution, one output element of channel k:
 *   acc = bias[k] + 0 (so that -0 starts as +0), or +0 without bias
 *   for each block of 16 input channels of k's group, ascending (the last may be shorter)
 *     for kh, for kw, for the channels of the block, each ascending:
 *       acc = fma(x, w, acc)
 *   Taps in the padding are skipped. Where all weights are finite a kernel may multiply a zero
 *   instead: that changes at most the sign of a zero, which ncl_canonical removes.
 * Max pooling: acc = -Inf; for kh, for kw ascending: acc = (acc >= v || acc != acc) ? acc : v.
 *   Padding is skipped: a window wholly in padding gives -Inf; a NaN, once seen, stays.
 * Average pooling: acc = +0; for kh, for kw ascending: acc = acc + v, padding skipped; then
 *   acc * reciprocal(count). count: taps in the image, or with count_padding taps in the image and
 *   its declared padding. Count 0 gives 0 * Inf = NaN. Global pooling is a kernel as large as the
 *   image.
 * Scale: acc = x. Binary: acc = x op z, one rounding.
 * Softmax, per n, h, w: m = -Inf, then over c ascending m = (m >= x || m != m) ? m : x;
 *   e[c] = exp(x - m); s = +0, then over c ascending s = s + e[c]; y = e[c] * reciprocal(s).
 *   Its logarithm: y = (x - m) - log(s).
 * Copy: moves values unchanged; canonical: ncl_canonical of each.
 *
 * Precision fp16 (problem->half): arithmetic is the above, in single precision. A convolution's
 *   weights are rounded to half before it, each after its scale; every value of a BLOCKED y is
 *   rounded to half as the last step, NaN and infinities kept, magnitudes from 65520 on becoming
 *   infinite. x, z and residual are what such tensors hold. PLAIN tensors, biases, scales and
 *   shifts are floats. Rounding is to nearest even, problem/half.h; subnormal halves are kept.
 *
 * Epilogue, of every kind but copy and softmax, each part where the problem has it:
 *   acc = fma(acc, scale[k], shift[k]); acc = acc + residual; then the activation of x = acc:
 *   relu        x <= 0 ? +0 : x
 *   clip        x = x < a ? a : x; x > b ? b : x
 *   leaky       x < 0 ? x * a : x
 *   hard-swish  g = fma(x, 0x1.555556p-3, 0.5); g = g < 0 ? 0 : g; g = g > 1 ? 1 : g; x * g
 *   sigmoid     ncl_sigmoid(x)
 *   silu        x * ncl_sigmoid(x)
 *   A comparison with NaN is false, so NaN passes through all of them.
 *
 * Limit: some devices flush subnormals. Results agree as long as no intermediate value is
 * subnormal. */
#ifndef NCL_PROBLEM_ORACLE_H
#define NCL_PROBLEM_ORACLE_H

#include "problem/problem.h"

/* All dense NCHW floats; unused members NULL. y is written whole (for a concat part: only its
 * channels, y then has copy.y_channels channels and problem->y is the part's shape). x and y never
 * overlap; residual may be y. */
struct ncl_oracle_tensors {
    const float *x, *z, *residual;
    const struct ncl_weights *weights;
    const float *bias, *scale, *shift; /* y.c each */
    float *y;
};
/* NCL_ERROR_USAGE: a tensor that the problem needs is NULL; NCL_ERROR_MEMORY. The problem itself
 * (shapes that belong together, legal windows) is taken as checked. problem->finite and ->fast are
 * ignored. */
ncl_status ncl_oracle_run(const struct ncl_log *log, const struct ncl_problem *problem,
                          const struct ncl_oracle_tensors *tensors);
/* Canonical form of one output value: NaN -> 0x7fc00000, subnormal and -0 -> +0. */
float ncl_canonical(float value);

/* NCHW <-> the order of a device buffer; tail lanes of BLOCKED become +0. */
void ncl_order_from_plain(const struct ncl_shape *shape, enum ncl_order order, int channel_block,
                          const float *plain, float *ordered);
void ncl_order_to_plain(const struct ncl_shape *shape, enum ncl_order order, int channel_block,
                        const float *ordered, float *plain);

#endif

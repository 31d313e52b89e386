/* Problems: one device operation with concrete shapes, independent of how it is computed.
 *
 * Shapes are NCHW. A problem says what to compute; canonical arithmetic (host/README.md) fixes
 * every bit of the answer; host/problem/oracle.h computes it on the host. */
#ifndef NCL_PROBLEM_PROBLEM_H
#define NCL_PROBLEM_PROBLEM_H

#include "base/log.h"
#include "base/text.h"
#include <stdbool.h>

/* Order of a tensor's elements in a device buffer.
 * PLAIN    [N][C][H][W], dense.
 * BLOCKED  [ceil(C / CB)][N][H][W][CB]: channels in blocks of CB, tail lanes +0. A tensor of rank 2
 *          (N, F) is N x F x 1 x 1. */
enum ncl_order { NCL_PLAIN, NCL_BLOCKED };

struct ncl_shape {
    int n, c, h, w; /* each >= 1; n * ceil16(c) * h * w <= INT_MAX (ncl_shape_check) */
};

enum ncl_problem_kind {
    NCL_PROBLEM_CONV,
    NCL_PROBLEM_POOL,
    NCL_PROBLEM_SCALE,   /* y = act(fma(x, scale[c], shift[c]) + residual), each part optional */
    NCL_PROBLEM_BINARY,  /* y = act(x op z), z broadcast */
    NCL_PROBLEM_COPY,    /* permute, slice, pad, reshape, change order; optionally canonical */
    NCL_PROBLEM_SOFTMAX, /* over channels */
    NCL_PROBLEM_KIND_COUNT
};

enum ncl_act {
    NCL_ACT_NONE,
    NCL_ACT_RELU,       /* x <= 0 ? 0 : x: NaN passes, -0 becomes +0 */
    NCL_ACT_CLIP,       /* x < a ? a : x > b ? b : x */
    NCL_ACT_LEAKY,      /* x < 0 ? a * x : x */
    NCL_ACT_HARD_SWISH, /* x * clip(fma(x, 1/6, 0.5), 0, 1) */
    NCL_ACT_SIGMOID,    /* ncl_sigmoid of cl/common/math.clh */
    NCL_ACT_SILU,       /* x * ncl_sigmoid(x) */
    NCL_ACT_COUNT
};

struct ncl_epilogue {
    bool bias;     /* accumulators start at bias[c], else at +0 (conv only) */
    bool scale;    /* fma(acc, scale[c], shift[c]) */
    bool residual; /* + residual, of y's shape and order */
    enum ncl_act act;
    float a, b; /* of the activation */
};

struct ncl_window {
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left, pad_bottom,
        pad_right; /* >= 0; bottom and right only matter for shapes */
};

struct ncl_conv {
    struct ncl_window window;
    int groups; /* divides x.c and y.c */
};

enum ncl_pool_mode { NCL_POOL_MAX, NCL_POOL_AVERAGE };
struct ncl_pool {
    struct ncl_window window;
    enum ncl_pool_mode mode;
    bool count_padding; /* average: divisor counts taps in the declared padding */
};

enum ncl_binary_op { NCL_BINARY_ADD, NCL_BINARY_SUBTRACT, NCL_BINARY_MULTIPLY };
struct ncl_binary {
    enum ncl_binary_op op;
    struct ncl_shape z; /* each dimension that of x, or 1: broadcast */
};

/* y[i] = x[source(i)], where the source has, along x's axis permutation[k], the coordinate
 * start[k] + step[k] * i[k] of output axis k; outside x: fill. With reshape, x and y hold the same
 * elements in NCHW order and the rest is ignored. canonical: NaN -> 0x7fc00000, subnormal and -0 ->
 * +0. */
struct ncl_copy {
    int permutation[4];
    int start[4], step[4];
    float fill;
    bool reshape, canonical;
    /* Concat: the result is written at channel y_channel of a tensor of y_channels channels. 0, 0:
     * the whole of y. Both multiples of CB, or y PLAIN; otherwise not applicable. */
    int y_channel, y_channels;
};

struct ncl_problem {
    enum ncl_problem_kind kind;
    int channel_block; /* CB of the session: 4, 8, 16 */
    bool fast;         /* mad, reordering allowed (math fast) */
    bool half;         /* precision fp16: BLOCKED tensors and weights are halves in memory */
    bool half_math;    /* conv, with fast and half: sums of at most 16 products may be halves */
    bool finite;       /* conv: every weight is finite as stored, so zero taps may be multiplied */
    struct ncl_shape x, y;
    enum ncl_order x_order, y_order; /* PLAIN only where an algorithm says so */
    /* A chunk of a batch: x begins at image x_image of a PLAIN tensor of x_images, y at image
     * y_image of a BLOCKED one of y_images; a residual holds y.n images all the same. 0: the tensor
     * is the problem's own. Only where an algorithm says so. */
    int x_image, x_images, y_image, y_images;
    struct ncl_epilogue epilogue;
    union {
        struct ncl_conv conv;
        struct ncl_pool pool;
        struct ncl_binary binary;
        struct ncl_copy copy;
        struct {
            bool log; /* its logarithm */
        } softmax;
    } of;
};

static inline int ncl_blocks(int channels, int channel_block)
{
    return (channels + channel_block - 1) / channel_block;
}

/* Elements a device buffer of this shape holds, tail lanes included. */
size_t ncl_shape_elements(const struct ncl_shape *shape, enum ncl_order order, int channel_block);
/* Is a tensor of this order stored as halves? PLAIN tensors, the caller's among them, are floats
 * whatever the precision. half: as in ncl_problem. */
static inline bool ncl_order_is_half(enum ncl_order order, bool half)
{
    return half && order == NCL_BLOCKED;
}
static inline size_t ncl_element_bytes(enum ncl_order order, bool half)
{
    return ncl_order_is_half(order, half) ? 2 : 4;
}
ncl_status ncl_shape_check(const struct ncl_log *log, const struct ncl_shape *shape,
                           const char *what);
double ncl_problem_macs(const struct ncl_problem *problem); /* multiply-accumulates; conv only */
/* One line that names everything two problems must share to share a plan, e.g.
 * "conv x1x64x56x56 y1x256x56x56 k1x1 s1x1 d1x1 p0,0,0,0 g1 bias res relu". */
void ncl_problem_signature(const struct ncl_problem *problem, struct ncl_text *text);
/* pointwise grouped depthwise spatial stem dense fused pool other: the "kind" of reports. */
const char *ncl_problem_kind_name(const struct ncl_problem *problem);

/* Convolution weights as a model file holds them, with BN folded in while they are read. */
struct ncl_weights {
    const void *data;                              /* float32, any alignment */
    size_t stride_k, stride_c, stride_h, stride_w; /* in elements, of W[k][c in its group][h][w] */
    const double *scale;                           /* per output channel, NULL: 1 */
};
/* (float)(w * scale[k]), rounded once. Precision fp16 rounds the result to half when it is packed.
 */
float ncl_weight(const struct ncl_weights *weights, int k, int c, int h, int w);

#endif

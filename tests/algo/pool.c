#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_pool;

#define BARE .act = NCL_ACT_NONE /* ISO C wants an argument for the dots */
/* The window: kernel, stride, dilation as h, w; padding top, left, bottom, right. */
#define POOL_WINDOW(way, counted, n, c, in_h, in_w, kh, kw, sh, sw, dh, dw, t, l, b, r, ...)       \
    {                                                                                              \
        .kind = NCL_PROBLEM_POOL, .x = {n, c, in_h, in_w},                                         \
        .y = {n, c, NCL_CHECK_OUT(in_h, kh, sh, dh, t, b), NCL_CHECK_OUT(in_w, kw, sw, dw, l, r)}, \
        .x_order = NCL_BLOCKED, .y_order = NCL_BLOCKED, .epilogue = {__VA_ARGS__}, .of.pool = {    \
            .window = {kh, kw, sh, sw, dh, dw, t, l, b, r},                                        \
            .mode = NCL_POOL_##way,                                                                \
            .count_padding = counted                                                               \
        }                                                                                          \
    }
#define POOL(way, counted, n, c, h, w, kernel, stride, pad)                                        \
    POOL_WINDOW(way, counted, n, c, h, w, kernel, kernel, stride, stride, 1, 1, pad, pad, pad,     \
                pad, BARE)

static const struct ncl_problem problems[] = {
    POOL(MAX, false, 1, 20, 15, 14, 3, 2, 1),
    POOL(MAX, false, 5, 3, 1, 1, 1, 1, 0),
    POOL(MAX, false, 2, 17, 6, 6, 2, 2, 0),
    /* TensorFlow's SAME at stride 2 pads the far sides only. */
    POOL_WINDOW(MAX, false, 1, 8, 12, 12, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1, BARE),
    POOL_WINDOW(MAX, false, 3, 5, 9, 11, 2, 3, 1, 2, 2, 3, 1, 2, 0, 3, .act = NCL_ACT_RELU),
    POOL(AVERAGE, false, 1, 20, 9, 8, 3, 2, 1),
    POOL(AVERAGE, true, 2, 5, 9, 8, 3, 2, 1),
    POOL_WINDOW(AVERAGE, true, 1, 16, 7, 7, 2, 3, 2, 1, 1, 2, 0, 1, 1, 3, BARE),
    POOL_WINDOW(AVERAGE, false, 1, 9, 7, 5, 3, 2, 1, 1, 2, 1, 2, 0, 1, 1, .act = NCL_ACT_SIGMOID),
    POOL(AVERAGE, false, 2, 12, 7, 7, 7, 1, 0),
    /* Corner windows that lie in the padding: -Inf, and 0 / 0 or 0. */
    POOL_WINDOW(MAX, false, 1, 4, 3, 3, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, BARE),
    POOL_WINDOW(AVERAGE, false, 1, 4, 3, 3, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, BARE),
    POOL_WINDOW(AVERAGE, true, 1, 4, 3, 3, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, BARE),
};

static const struct ncl_problem refused[] = {
    POOL_WINDOW(MAX, false, 1, 8, 4, 4, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, .residual = true),
    POOL_WINDOW(MAX, false, 1, 8, 4, 4, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, .scale = true),
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_pool, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

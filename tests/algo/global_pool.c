#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_global_pool;

#define POOL(way, n, c, in_h, in_w, kh, kw, pad, activation)                                       \
    {                                                                                              \
        .kind = NCL_PROBLEM_POOL, .x = {n, c, in_h, in_w},                                         \
        .y = {n, c, NCL_CHECK_OUT(in_h, kh, 1, 1, pad, pad),                                       \
              NCL_CHECK_OUT(in_w, kw, 1, 1, pad, pad)},                                            \
        .x_order = NCL_BLOCKED, .y_order = NCL_BLOCKED, .epilogue = {.act = NCL_ACT_##activation}, \
        .of.pool = {                                                                               \
            .window = {kh, kw, 1, 1, 1, 1, pad, pad, pad, pad},                                    \
            .mode = NCL_POOL_##way                                                                 \
        }                                                                                          \
    }

static const struct ncl_problem problems[] = {
    POOL(AVERAGE, 1, 2048, 7, 7, 7, 7, 0, NONE),
    POOL(AVERAGE, 5, 37, 3, 5, 3, 5, 0, NONE), /* maps that no tile divides, over images */
    POOL(AVERAGE, 1, 1, 1, 1, 1, 1, 0, NONE),
    POOL(AVERAGE, 2, 20, 14, 14, 14, 14, 0, RELU),
    POOL(AVERAGE, 3, 17, 1, 9, 1, 9, 0, SIGMOID), /* tail lanes that are not +0 unless masked */
};

static const struct ncl_problem refused[] = {
    POOL(MAX, 1, 8, 3, 3, 3, 3, 0, NONE),
    POOL(AVERAGE, 1, 8, 4, 4, 3, 4, 0, NONE),
    POOL(AVERAGE, 1, 8, 4, 4, 4, 4, 1, NONE),
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_global_pool, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

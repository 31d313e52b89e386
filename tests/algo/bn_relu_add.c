/* The suite varies the epilogue of each shape: alone, with residual, with every activation. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_bn_relu_add;

#define SCALE(n, c, h, w, ...)                                                                     \
    {                                                                                              \
        .kind = NCL_PROBLEM_SCALE, .x = {n, c, h, w}, .y = {n, c, h, w}, .x_order = NCL_BLOCKED,   \
        .y_order = NCL_BLOCKED, .epilogue = {                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct ncl_problem problems[] = {
    SCALE(1, 64, 14, 14, .scale = true, .residual = true, .act = NCL_ACT_RELU),
    SCALE(2, 5, 3, 7, .residual = true), /* addition of two tensors */
    SCALE(5, 1, 1, 1, .act = NCL_ACT_CLIP, .a = -0.5f, .b = 0.75f),
    SCALE(3, 33, 1, 1, .scale = true, .act = NCL_ACT_SILU),
    SCALE(1, 16, 7, 5, .act = NCL_ACT_SIGMOID),
    SCALE(1, 17, 5, 7, .scale = true, .act = NCL_ACT_LEAKY, .a = 0.125f),
    SCALE(1, 24, 9, 9, .scale = true, .residual = true, .act = NCL_ACT_HARD_SWISH),
};

static const struct ncl_problem refused[] = {
    SCALE(1, 8, 2, 2, .bias = true),
    {.kind = NCL_PROBLEM_SCALE, .x = {1, 8, 2, 2}, .y = {1, 8, 2, 2}},
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_bn_relu_add, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

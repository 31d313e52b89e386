#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_clblast_gemm;

#define DENSE(c, k, order, ...)                                                                    \
    {                                                                                              \
        .kind = NCL_PROBLEM_CONV, .fast = true, .finite = true, .x = {1, c, 1, 1},                 \
        .y = {1, k, 1, 1}, .x_order = NCL_##order, .y_order = NCL_##order,                         \
        .epilogue = {__VA_ARGS__}, .of.conv = {                                                    \
            .window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0},                                              \
            .groups = 1                                                                            \
        }                                                                                          \
    }
#define PLAIN_1X1(n, c, h, w, k)                                                                   \
    {                                                                                              \
        .kind = NCL_PROBLEM_CONV, .fast = true, .finite = true, .x = {n, c, h, w},                 \
        .y = {n, k, h, w}, .of.conv = {                                                            \
            .window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0},                                              \
            .groups = 1                                                                            \
        }                                                                                          \
    }

static const struct ncl_problem products[] = {
    DENSE(64, 100, BLOCKED, .bias = true),
    DENSE(37, 21, BLOCKED, .bias = true), /* tail lanes: NaN in the bias, +0 in the output */
    DENSE(37, 21, BLOCKED, .bias = false),
    DENSE(20, 9, PLAIN, .bias = true),
    PLAIN_1X1(1, 16, 5, 7, 24),
    PLAIN_1X1(3, 19, 3, 3, 10),
};

static const struct ncl_problem refused[] = {
    DENSE(8, 8, BLOCKED, .scale = true),
    DENSE(8, 8, BLOCKED, .residual = true),
    DENSE(8, 8, BLOCKED, .act = NCL_ACT_RELU),
    {NCL_CHECK_CONV_MEMBERS(1, 16, 4, 4, 16, 1, 1, 0, 1), .fast = true},
    NCL_CHECK_CONV(1, 16, 1, 1, 16, 1, 1, 0, 1), /* not fast */
};

int main(void)
{
#ifdef NCL_HAVE_CLBLAST
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_clblast_gemm,
                                              NCL_CHECK_PROBLEMS(products),
                                              NCL_CHECK_REFUSED(refused),
                                              .fixed_epilogue = true});
#else
    (void)refused;
    return ncl_check_main(
        &(struct ncl_check){.algo = &ncl_algo_clblast_gemm, NCL_CHECK_REFUSED(products)});
#endif
}

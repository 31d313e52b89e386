#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_binary;

enum { ADD = NCL_BINARY_ADD, SUB = NCL_BINARY_SUBTRACT, MUL = NCL_BINARY_MULTIPLY };

#define BARE .act = NCL_ACT_NONE /* ISO C wants an argument for the dots */
#define BINARY(operation, n, c, h, w, zn, zc, zh, zw, ...)                                         \
    {                                                                                              \
        .kind = NCL_PROBLEM_BINARY, .x = {n, c, h, w}, .y = {n, c, h, w}, .x_order = NCL_BLOCKED,  \
        .y_order = NCL_BLOCKED, .epilogue = {__VA_ARGS__}, .of.binary = {                          \
            .op = (enum ncl_binary_op)(operation),                                                 \
            .z = {zn, zc, zh, zw}                                                                  \
        }                                                                                          \
    }

/* Every pattern of broadcasting along n, c, h, w. */
static const struct ncl_problem problems[] = {
    BINARY(ADD, 2, 19, 3, 5, 2, 19, 3, 5, BARE),
    BINARY(SUB, 2, 19, 3, 5, 2, 19, 3, 1, BARE),
    BINARY(MUL, 2, 19, 3, 5, 2, 19, 1, 5, BARE),
    BINARY(MUL, 2, 19, 3, 5, 2, 19, 1, 1, .act = NCL_ACT_RELU), /* a squeeze-and-excite gate */
    BINARY(ADD, 2, 19, 3, 5, 2, 1, 3, 5, .act = NCL_ACT_CLIP, .a = -0.25f, .b = 0.5f),
    BINARY(SUB, 2, 19, 3, 5, 2, 1, 3, 1, BARE),
    BINARY(MUL, 2, 19, 3, 5, 2, 1, 1, 5, BARE),
    BINARY(ADD, 2, 19, 3, 5, 2, 1, 1, 1, BARE),
    BINARY(SUB, 2, 19, 3, 5, 1, 19, 3, 5, .act = NCL_ACT_LEAKY, .a = 0.25f),
    BINARY(MUL, 2, 19, 3, 5, 1, 19, 3, 1, BARE),
    BINARY(ADD, 2, 19, 3, 5, 1, 19, 1, 5, BARE),
    BINARY(SUB, 2, 19, 3, 5, 1, 19, 1, 1, .act = NCL_ACT_HARD_SWISH),
    BINARY(MUL, 2, 19, 3, 5, 1, 1, 3, 5, BARE),
    BINARY(ADD, 2, 19, 3, 5, 1, 1, 3, 1, BARE),
    BINARY(SUB, 2, 19, 3, 5, 1, 1, 1, 5, BARE),
    BINARY(MUL, 2, 19, 3, 5, 1, 1, 1, 1, .act = NCL_ACT_SIGMOID),
    BINARY(ADD, 5, 1, 1, 1, 1, 1, 1, 1, .act = NCL_ACT_SILU), /* one channel: z's lane 0 only */
    BINARY(MUL, 1, 64, 14, 14, 1, 64, 14, 14, BARE),
};

static const struct ncl_problem refused[] = {
    BINARY(ADD, 2, 8, 2, 2, 2, 8, 2, 2, .residual = true),
    BINARY(ADD, 2, 8, 2, 2, 2, 8, 2, 2, .scale = true),
    BINARY(ADD, 4, 8, 2, 2, 2, 8, 2, 2, BARE), /* 2 is neither 4 nor 1 */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_binary, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

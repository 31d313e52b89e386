#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_softmax;

#define BARE .act = NCL_ACT_NONE /* ISO C wants an argument for the dots */
#define SOFTMAX(n, c, h, w, ...)                                                                   \
    {                                                                                              \
        .kind = NCL_PROBLEM_SOFTMAX, .x = {n, c, h, w}, .y = {n, c, h, w}, .x_order = NCL_BLOCKED, \
        .y_order = NCL_BLOCKED, .epilogue = {                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

#define LOG_SOFTMAX(n, c, h, w)                                                                    \
    {                                                                                              \
        .kind = NCL_PROBLEM_SOFTMAX, .x = {n, c, h, w}, .y = {n, c, h, w}, .x_order = NCL_BLOCKED, \
        .y_order = NCL_BLOCKED, .of.softmax.log = true                                             \
    }

static const struct ncl_problem problems[] = {
    SOFTMAX(1, 1000, 1, 1, BARE), SOFTMAX(64, 10, 1, 1, BARE),
    SOFTMAX(2, 1, 3, 2, BARE), /* all 1 */
    SOFTMAX(3, 21, 5, 4, BARE),   SOFTMAX(1, 64, 1, 1, BARE),
    LOG_SOFTMAX(1, 1000, 1, 1),   LOG_SOFTMAX(3, 21, 5, 4),
    LOG_SOFTMAX(2, 1, 3, 2), /* all 0 */
};

static const struct ncl_problem refused[] = {
    SOFTMAX(1, 10, 1, 1, .act = NCL_ACT_RELU),
    {.kind = NCL_PROBLEM_SOFTMAX, .x = {1, 10, 1, 1}, .y = {1, 10, 1, 1}}, /* PLAIN */
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_softmax, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

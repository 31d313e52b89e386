/* Problems that plan's tests share. */
#ifndef NCL_TESTS_PLAN_PROBLEMS_H
#define NCL_TESTS_PLAN_PROBLEMS_H

#include "support/algo_check.h"

static inline struct ncl_problem conv_problem(int kernel, int groups)
{
    return (struct ncl_problem){NCL_CHECK_CONV_MEMBERS(1, 16, 6, 5, groups == 1 ? 24 : 16, kernel,
                                                       1, (kernel - 1) / 2, groups),
                                .channel_block = 8,
                                .epilogue = {.bias = true, .act = NCL_ACT_RELU}};
}

static inline struct ncl_problem add_problem(int channels)
{
    const struct ncl_shape shape = {1, channels, 4, 4};

    return (struct ncl_problem){.kind = NCL_PROBLEM_BINARY,
                                .channel_block = 8,
                                .x = shape,
                                .y = shape,
                                .x_order = NCL_BLOCKED,
                                .y_order = NCL_BLOCKED,
                                .of.binary = {NCL_BINARY_ADD, shape}};
}

#endif

/* Problems that several algorithms' tests list: kernels for other devices, the same corners. */
#ifndef NCL_TESTS_CORNERS_H
#define NCL_TESTS_CORNERS_H

#include "support/algo_check.h"

/* 1x1 convolutions: tail lanes, strides, batches, the dense layer. */
#define NCL_CHECK_POINTWISE_CORNERS                                                                \
    NCL_CHECK_CONV(1, 64, 14, 14, 96, 1, 1, 0, 1),                                                 \
        NCL_CHECK_CONV(2, 1, 1, 14, 1, 1, 1, 0, 1), /* one channel: tail lanes everywhere */       \
        NCL_CHECK_CONV(1, 70, 7, 7, 33, 1, 1, 0, 1), NCL_CHECK_CONV(3, 32, 9, 11, 64, 1, 2, 0, 1), \
        {NCL_CHECK_CONV_WINDOW(2, 20, 8, 9, 24, 1, 1, 1, 3, 2, 1, 1, 0, 0, 0, 0)},                 \
        {NCL_CHECK_CONV_MEMBERS(1, 256, 1, 1, 100, 1, 1, 0, 1),                                    \
         .epilogue = {.bias = true}}, /* dense */                                                  \
    {                                                                                              \
        NCL_CHECK_CONV_MEMBERS(5, 48, 1, 1, 40, 1, 1, 0, 1), .epilogue = {                         \
            .bias = true,                                                                          \
            .residual = true,                                                                      \
            .act = NCL_ACT_RELU                                                                    \
        }                                                                                          \
    }
/* What such kernels refuse: padding, groups, a window. */
#define NCL_CHECK_NOT_POINTWISE                                                                    \
    NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 1, 1), NCL_CHECK_CONV(1, 64, 14, 14, 64, 1, 1, 0, 2),  \
        NCL_CHECK_CONV(1, 64, 14, 14, 64, 3, 1, 0, 1)

/* Few input channels, from the caller's NCHW buffer. Overriding the order that the members set is
 * what PLAIN is for: lists need -Wno-override-init. */
#define NCL_CHECK_PLAIN .x_order = NCL_PLAIN
#define NCL_CHECK_STEM_CORNERS                                                                     \
    {NCL_CHECK_CONV_MEMBERS(1, 3, 31, 45, 64, 7, 2, 3, 1), NCL_CHECK_PLAIN}, /* n c h w k ... */   \
        {NCL_CHECK_CONV_MEMBERS(2, 3, 13, 30, 33, 3, 1, 1, 1), /* a channel tail, odd blocks */    \
         NCL_CHECK_PLAIN},                                                                         \
        {NCL_CHECK_CONV_MEMBERS(5, 1, 9, 9, 10, 5, 1, 0, 1), /* one channel, no padding */         \
         NCL_CHECK_PLAIN},                                                                         \
        {NCL_CHECK_CONV_MEMBERS(1, 4, 1, 1, 16, 3, 1, 1, 1), NCL_CHECK_PLAIN}, /* one pixel */     \
        {NCL_CHECK_CONV_MEMBERS(1, 2, 3, 2, 24, 11, 1, 8, 1), /* padding beyond the map */         \
         NCL_CHECK_PLAIN}, /* TensorFlow's SAME at stride 2; stride 3; dilation */                 \
        {NCL_CHECK_CONV_WINDOW(1, 3, 16, 20, 48, 1, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1),                 \
         NCL_CHECK_PLAIN},                                                                         \
    {                                                                                              \
        NCL_CHECK_CONV_WINDOW(2, 3, 11, 23, 16, 1, 2, 5, 3, 1, 2, 3, 1, 7, 0, 2), NCL_CHECK_PLAIN  \
    }

#endif

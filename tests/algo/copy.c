#include "support/algo_check.h"
#include <math.h>

extern const struct ncl_algo ncl_algo_copy;

#define SHAPE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define PASS SHAPE(1, 1, 1, 1)
#define ZERO SHAPE(0, 0, 0, 0)
#define PERMUTATION(...) SHAPE(__VA_ARGS__)
#define IN_ORDER PERMUTATION(0, 1, 2, 3)
#define COPY(from, to, in, out, order, first, every, ...)                                          \
    {                                                                                              \
        .kind = NCL_PROBLEM_COPY, .x = in, .y = out, .x_order = NCL_##from, .y_order = NCL_##to,   \
        .of.copy = {                                                                               \
            .permutation = order,                                                                  \
            .start = first,                                                                        \
            .step = every,                                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* Axes a, b, c, d of x, of lengths 2, 19, 3, 5. */
#define LENGTH_0 2
#define LENGTH_1 19
#define LENGTH_2 3
#define LENGTH_3 5
#define PERMUTED(from, to, a, b, c, d)                                                             \
    COPY(from, to, SHAPE(2, 19, 3, 5), SHAPE(LENGTH_##a, LENGTH_##b, LENGTH_##c, LENGTH_##d),      \
         PERMUTATION(a, b, c, d), ZERO, PASS, .fill = 0.0f)

/* Not by COPY: the commas of an expanded shape would count as its arguments' own. */
#define RESHAPED(from, to, in, out, ...)                                                           \
    {                                                                                              \
        .kind = NCL_PROBLEM_COPY, .x = in, .y = out, .x_order = NCL_##from, .y_order = NCL_##to,   \
        .of.copy = {                                                                               \
            .reshape = true,                                                                       \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct ncl_problem problems[] = {
    /* Changes of order, as for inputs and outputs. */
    COPY(PLAIN, BLOCKED, SHAPE(2, 3, 9, 17), SHAPE(2, 3, 9, 17), IN_ORDER, ZERO, PASS,
         .fill = 0.0f),
    COPY(PLAIN, BLOCKED, SHAPE(1, 37, 5, 4), SHAPE(1, 37, 5, 4), IN_ORDER, ZERO, PASS,
         .fill = 0.0f),
    COPY(BLOCKED, PLAIN, SHAPE(3, 1000, 1, 1), SHAPE(3, 1000, 1, 1), IN_ORDER, ZERO, PASS,
         .canonical = true),
    COPY(BLOCKED, PLAIN, SHAPE(2, 21, 3, 7), SHAPE(2, 21, 3, 7), IN_ORDER, ZERO, PASS,
         .canonical = true),
    COPY(PLAIN, PLAIN, SHAPE(1, 3, 5, 7), SHAPE(1, 3, 5, 7), IN_ORDER, ZERO, PASS,
         .canonical = true),
    COPY(BLOCKED, BLOCKED, SHAPE(2, 21, 3, 7), SHAPE(2, 21, 3, 7), IN_ORDER, ZERO, PASS,
         .canonical = true),
    COPY(PLAIN, BLOCKED, SHAPE(5, 1, 1, 1), SHAPE(5, 1, 1, 1), IN_ORDER, ZERO, PASS,
         .canonical = true),
    /* Chunks of a batch, PLAIN ones of a larger tensor. */
    {.kind = NCL_PROBLEM_COPY,
     .x = {2, 5, 3, 4},
     .y = {2, 5, 3, 4},
     .x_order = NCL_PLAIN,
     .y_order = NCL_BLOCKED,
     .x_image = 1,
     .x_images = 4,
     .of.copy = {.permutation = IN_ORDER, .step = PASS}},
    {.kind = NCL_PROBLEM_COPY,
     .x = {1, 6, 7, 3},
     .y = {1, 3, 6, 7},
     .x_order = NCL_PLAIN,
     .y_order = NCL_PLAIN,
     .x_image = 2,
     .x_images = 3,
     .of.copy = {.permutation = PERMUTATION(0, 3, 1, 2), .step = PASS}},
    /* Every permutation. */
    PERMUTED(PLAIN, PLAIN, 0, 1, 2, 3),
    PERMUTED(PLAIN, BLOCKED, 0, 1, 3, 2),
    PERMUTED(BLOCKED, PLAIN, 0, 2, 1, 3),
    PERMUTED(BLOCKED, BLOCKED, 0, 2, 3, 1),
    PERMUTED(PLAIN, PLAIN, 0, 3, 1, 2), /* NHWC to NCHW */
    PERMUTED(PLAIN, BLOCKED, 0, 3, 1, 2),
    PERMUTED(BLOCKED, PLAIN, 0, 3, 2, 1),
    PERMUTED(BLOCKED, BLOCKED, 1, 0, 2, 3),
    PERMUTED(PLAIN, PLAIN, 1, 0, 3, 2),
    PERMUTED(PLAIN, BLOCKED, 1, 2, 0, 3),
    PERMUTED(BLOCKED, PLAIN, 1, 2, 3, 0),
    PERMUTED(BLOCKED, BLOCKED, 1, 3, 0, 2),
    PERMUTED(PLAIN, PLAIN, 1, 3, 2, 0),
    PERMUTED(PLAIN, BLOCKED, 2, 0, 1, 3),
    PERMUTED(BLOCKED, PLAIN, 2, 0, 3, 1),
    PERMUTED(BLOCKED, BLOCKED, 2, 1, 0, 3), /* channels stay: whole blocks */
    PERMUTED(PLAIN, PLAIN, 2, 1, 3, 0),
    PERMUTED(PLAIN, BLOCKED, 2, 3, 0, 1),
    PERMUTED(BLOCKED, PLAIN, 2, 3, 1, 0),
    PERMUTED(BLOCKED, BLOCKED, 3, 0, 1, 2),
    PERMUTED(PLAIN, PLAIN, 3, 0, 2, 1),
    PERMUTED(PLAIN, BLOCKED, 3, 1, 0, 2),
    PERMUTED(BLOCKED, PLAIN, 3, 1, 2, 0),
    PERMUTED(BLOCKED, BLOCKED, 3, 2, 1, 0),
    /* Slices with steps, backwards too, and steps of 0. */
    COPY(BLOCKED, BLOCKED, SHAPE(2, 40, 7, 9), SHAPE(1, 16, 4, 3), IN_ORDER, SHAPE(1, 16, 6, 1),
         SHAPE(1, 1, -2, 3), .fill = 0.0f),
    COPY(BLOCKED, BLOCKED, SHAPE(1, 40, 3, 3), SHAPE(1, 13, 3, 3), IN_ORDER, SHAPE(0, 16, 0, 0),
         PASS, .fill = 0.0f),
    COPY(BLOCKED, BLOCKED, SHAPE(1, 21, 3, 3), SHAPE(1, 7, 3, 3), IN_ORDER, SHAPE(0, 20, 0, 0),
         SHAPE(1, -3, 1, 1), .fill = 0.0f),
    COPY(PLAIN, BLOCKED, SHAPE(2, 21, 3, 5), SHAPE(4, 11, 3, 3), IN_ORDER, SHAPE(1, 0, 2, 4),
         SHAPE(0, 2, -1, -2), .fill = 0.0f),
    COPY(BLOCKED, PLAIN, SHAPE(2, 21, 3, 5), SHAPE(2, 1, 3, 5), IN_ORDER, SHAPE(1, 20, 0, 0),
         SHAPE(-1, 0, 1, 1), .fill = 0.0f),
    /* Padding: sides of an image, channels, everything. */
    COPY(BLOCKED, BLOCKED, SHAPE(2, 19, 3, 5), SHAPE(2, 19, 6, 8), IN_ORDER, SHAPE(0, 0, -1, -2),
         PASS, .fill = -1.5f),
    COPY(BLOCKED, BLOCKED, SHAPE(2, 19, 3, 5), SHAPE(3, 26, 5, 6), IN_ORDER, SHAPE(-1, -2, -1, 0),
         PASS, .fill = 2.0f),
    COPY(PLAIN, PLAIN, SHAPE(2, 5, 3, 5), SHAPE(4, 8, 6, 9), IN_ORDER, SHAPE(-1, 6, -2, -3),
         SHAPE(1, -1, 1, 1), .fill = NAN, .canonical = true),
    COPY(PLAIN, BLOCKED, SHAPE(1, 3, 4, 4), SHAPE(1, 3, 5, 5), IN_ORDER, SHAPE(0, 0, 0, 0), PASS,
         .fill = -0.0f, .canonical = true),
    COPY(BLOCKED, PLAIN, SHAPE(1, 3, 4, 4), SHAPE(1, 9, 3, 3), IN_ORDER, SHAPE(5, -3, 0, 0), PASS,
         .fill = 7.0f),
    /* Reshapes. */
    RESHAPED(BLOCKED, BLOCKED, SHAPE(2, 21, 3, 2), SHAPE(2, 126, 1, 1), .fill = 0.0f),
    RESHAPED(BLOCKED, BLOCKED, SHAPE(1, 24, 1, 1), SHAPE(2, 3, 2, 2), .fill = 0.0f),
    RESHAPED(BLOCKED, PLAIN, SHAPE(2, 21, 3, 2), SHAPE(3, 84, 1, 1), .canonical = true),
    RESHAPED(PLAIN, BLOCKED, SHAPE(2, 21, 3, 2), SHAPE(6, 7, 1, 6), .fill = 0.0f),
    RESHAPED(PLAIN, PLAIN, SHAPE(2, 21, 3, 2), SHAPE(1, 1, 252, 1), .canonical = true),
    /* Parts of a concat; the first one small: its errors hit the guard zones. */
    COPY(PLAIN, PLAIN, SHAPE(2, 5, 1, 1), SHAPE(2, 5, 1, 1), IN_ORDER, ZERO, PASS, .y_channel = 2,
         .y_channels = 9, .canonical = true),
    COPY(BLOCKED, BLOCKED, SHAPE(2, 32, 3, 5), SHAPE(2, 32, 3, 5), IN_ORDER, ZERO, PASS,
         .y_channel = 16, .y_channels = 64),
    COPY(BLOCKED, BLOCKED, SHAPE(2, 5, 3, 5), SHAPE(2, 5, 3, 5), IN_ORDER, ZERO, PASS,
         .y_channel = 32, .y_channels = 37),
    COPY(PLAIN, BLOCKED, SHAPE(2, 16, 3, 5), SHAPE(2, 16, 3, 5), IN_ORDER, ZERO, PASS,
         .y_channel = 16, .y_channels = 48),
    COPY(BLOCKED, PLAIN, SHAPE(2, 5, 3, 5), SHAPE(2, 5, 3, 5), IN_ORDER, ZERO, PASS, .y_channel = 3,
         .y_channels = 17),
    RESHAPED(BLOCKED, PLAIN, SHAPE(2, 6, 3, 2), SHAPE(2, 12, 3, 1), .y_channel = 2,
             .y_channels = 15),
};

static const struct ncl_problem refused[] = {
    /* The last block would be shared with the next part. */
    COPY(BLOCKED, BLOCKED, SHAPE(1, 5, 3, 5), SHAPE(1, 5, 3, 5), IN_ORDER, ZERO, PASS,
         .y_channel = 16, .y_channels = 48),
    COPY(PLAIN, BLOCKED, SHAPE(1, 16, 3, 5), SHAPE(1, 16, 3, 5), IN_ORDER, ZERO, PASS,
         .y_channel = 3, .y_channels = 48),
};

int main(void)
{
    return ncl_check_main(&(struct ncl_check){
        .algo = &ncl_algo_copy, NCL_CHECK_PROBLEMS(problems), NCL_CHECK_REFUSED(refused)});
}

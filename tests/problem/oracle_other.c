/* Pooling, element-wise operations, copies and softmax against direct formulas. */
#include "problem/canonical_math.h"
#include "problem/oracle.h"
#include "values.h"

#include <math.h>

static void run(const struct ncl_problem *p, const float *x, const float *z, float *y)
{
    const struct ncl_oracle_tensors tensors = {.x = x, .z = z, .y = y};

    ck_assert_int_eq(ncl_oracle_run(NULL, p, &tensors), NCL_OK);
}

/* ---- pooling ---- */

/* h, w of the input and output are given: ceil mode makes outputs that the formula would not. */
static const struct pool_case {
    int h, w, out_h, out_w;
    struct ncl_window window;
} pools[] = {
    {7, 8, 4, 4, {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}},
    {7, 7, 1, 1, {7, 7, 1, 1, 1, 1, 0, 0, 0, 0}},
    {6, 6, 3, 3, {3, 3, 2, 2, 1, 1, 0, 0, 0, 0}}, /* ceil mode: the last window hangs over */
    {6, 6, 4, 4, {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}}, /* over the declared padding, too */
    {9, 8, 5, 3, {2, 3, 2, 3, 2, 1, 1, 0, 1, 1}},
    {30, 31, 30, 31, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}}, /* more than one chunk */
};

static struct ncl_problem pool_problem(const struct pool_case *c, enum ncl_pool_mode mode,
                                       bool count_padding)
{
    return (struct ncl_problem){.kind = NCL_PROBLEM_POOL,
                                .channel_block = 4,
                                .x = {2, 3, c->h, c->w},
                                .y = {2, 3, c->out_h, c->out_w},
                                .of.pool = {c->window, mode, count_padding}};
}

struct pooled {
    double sum, largest;
    int valid, declared;
};

static struct pooled pool_window(const struct pool_case *c, const float *plane, int oh, int ow)
{
    const struct ncl_window *w = &c->window;
    struct pooled result = {0, -INFINITY, 0, 0};

    for (int kh = 0; kh < w->kernel_h; ++kh) {
        for (int kw = 0; kw < w->kernel_w; ++kw) {
            const int ih = oh * w->stride_h - w->pad_top + kh * w->dilation_h;
            const int iw = ow * w->stride_w - w->pad_left + kw * w->dilation_w;

            result.declared += ih < c->h + w->pad_bottom && iw < c->w + w->pad_right;
            if (ih < 0 || ih >= c->h || iw < 0 || iw >= c->w)
                continue;
            ++result.valid;
            result.sum += plane[ih * c->w + iw];
            result.largest = fmax(result.largest, plane[ih * c->w + iw]);
        }
    }
    return result;
}

static void check_pool(const struct pool_case *c, enum ncl_pool_mode mode, bool count_padding)
{
    const struct ncl_problem p = pool_problem(c, mode, count_padding);
    const int pixels = c->out_h * c->out_w;
    float *x = random_floats((size_t)(6 * c->h * c->w), 1),
          *y = random_floats(6 * (size_t)pixels, 2);

    run(&p, x, NULL, y);
    for (int i = 0; i < 6 * pixels; ++i) {
        const struct pooled w =
            pool_window(c, x + i / pixels * c->h * c->w, i % pixels / c->out_w, i % c->out_w);
        const double average = w.sum / (count_padding ? w.declared : w.valid);

        ck_assert_double_eq_tol(y[i], mode == NCL_POOL_MAX ? w.largest : average, 1e-6);
    }
    free(x);
    free(y);
}

START_TEST(pools_agree_with_doubles)
{
    check_pool(&pools[_i], NCL_POOL_MAX, false);
    check_pool(&pools[_i], NCL_POOL_AVERAGE, false);
    check_pool(&pools[_i], NCL_POOL_AVERAGE, true);
}
END_TEST

START_TEST(max_pool_keeps_nan_and_skips_padding)
{
    static const struct pool_case line = {1, 6, 1, 4, {1, 3, 1, 2, 1, 1, 0, 3, 0, 0}};
    const struct ncl_problem p = pool_problem(&line, NCL_POOL_MAX, false);
    float x[36], y[24];

    for (int i = 0; i < 36; ++i)
        x[i] = -5.0f;
    x[1] = NAN;
    run(&p, x, NULL, y);
    ck_assert_uint_eq(bits_of(y[0]), bits_of(-INFINITY)); /* wholly in the padding */
    ck_assert(isnan(y[1]));                               /* NaN last: of columns -1, 0, 1 */
    ck_assert(isnan(y[2]));                               /* NaN first: of columns 1, 2, 3 */
    ck_assert(y[3] == -5.0f);
}
END_TEST

START_TEST(average_pool_has_documented_bits)
{
    const struct ncl_problem p = pool_problem(&pools[1], NCL_POOL_AVERAGE, false);
    float *x = random_floats(6 * 49, 7), y[6];

    run(&p, x, NULL, y);
    for (int plane = 0; plane < 6; ++plane) {
        float sum = 0.0f;

        for (int i = 0; i < 49; ++i)
            sum += x[plane * 49 + i];
        ck_assert_uint_eq(bits_of(y[plane]), bits_of(sum * ncl_reciprocal(49.0f)));
    }
    free(x);
}
END_TEST

/* ---- binary ---- */

static const struct ncl_shape operands[] = {{2, 3, 4, 5}, {1, 3, 1, 1}, {2, 3, 1, 1}, {1, 1, 1, 1},
                                            {2, 1, 4, 5}, {1, 1, 1, 5}, {1, 1, 4, 1}};

START_TEST(binary_operations_broadcast)
{
    const struct ncl_shape *shape = &operands[_i];
    struct ncl_problem p = {.kind = NCL_PROBLEM_BINARY, .x = {2, 3, 4, 5}, .y = {2, 3, 4, 5}};
    float *x = random_floats(120, 1), *z = random_floats(120, 2), y[120];

    p.of.binary.z = *shape;
    for (int op = 0; op < 3; ++op) {
        p.of.binary.op = (enum ncl_binary_op)op;
        run(&p, x, z, y);
        for (int i = 0; i < 120; ++i) {
            const int w = i % 5 % shape->w, h = i / 5 % 4 % shape->h, c = i / 20 % 3 % shape->c;
            const int n = i / 60 % shape->n;
            const float b = z[((n * shape->c + c) * shape->h + h) * shape->w + w];
            const float results[3] = {x[i] + b, x[i] - b, x[i] * b};

            ck_assert_uint_eq(bits_of(y[i]), bits_of(results[op]));
        }
    }
    free(x);
    free(z);
}
END_TEST

/* ---- copies ---- */

static struct ncl_problem copy_problem(struct ncl_shape x, struct ncl_shape y)
{
    return (struct ncl_problem){.kind = NCL_PROBLEM_COPY,
                                .x = x,
                                .y = y,
                                .of.copy = {.permutation = {0, 1, 2, 3}, .step = {1, 1, 1, 1}}};
}

START_TEST(copies_permute_axes)
{
    /* NHWC, held as an NCHW shape of n x h x w x c, to NCHW. */
    struct ncl_problem p =
        copy_problem((struct ncl_shape){2, 4, 5, 3}, (struct ncl_shape){2, 3, 4, 5});
    float *x = random_floats(120, 1), y[120];

    memcpy(p.of.copy.permutation, (const int[]){0, 3, 1, 2}, sizeof p.of.copy.permutation);
    run(&p, x, NULL, y);
    for (int i = 0; i < 120; ++i) {
        const int w = i % 5, h = i / 5 % 4, c = i / 20 % 3, n = i / 60;

        ck_assert(y[i] == x[((n * 4 + h) * 5 + w) * 3 + c]);
    }
    free(x);
}
END_TEST

START_TEST(copies_slice_reverse_and_pad)
{
    struct ncl_problem p =
        copy_problem((struct ncl_shape){1, 4, 1, 6}, (struct ncl_shape){1, 2, 1, 5});
    float *x = random_floats(24, 1), y[10];

    p.of.copy.start[1] = 3;
    p.of.copy.step[1] = -2; /* channels 3, 1 */
    p.of.copy.start[3] = -2;
    p.of.copy.step[3] = 2; /* columns -2, 0, 2, 4, 6 */
    p.of.copy.fill = 9.0f;
    run(&p, x, NULL, y);
    for (int c = 0; c < 2; ++c) {
        ck_assert(y[c * 5] == 9.0f && y[c * 5 + 4] == 9.0f);
        for (int w = 1; w < 4; ++w)
            ck_assert(y[c * 5 + w] == x[(3 - 2 * c) * 6 + 2 * w - 2]);
    }
    free(x);
}
END_TEST

START_TEST(copies_reshape_and_make_canonical)
{
    struct ncl_problem p =
        copy_problem((struct ncl_shape){2, 3, 2, 2}, (struct ncl_shape){2, 12, 1, 1});
    float *x = random_floats(24, 1), y[24];

    p.of.copy.reshape = true;
    run(&p, x, NULL, y);
    ck_assert_mem_eq(x, y, sizeof y);
    x[0] = -0.0f;
    x[1] = from_bits(0xffc12345u);
    x[2] = from_bits(3u);
    p.of.copy.canonical = true;
    run(&p, x, NULL, y);
    ck_assert_uint_eq(bits_of(y[0]), 0u);
    ck_assert_uint_eq(bits_of(y[1]), 0x7fc00000u);
    ck_assert_uint_eq(bits_of(y[2]), 0u);
    ck_assert_mem_eq(x + 3, y + 3, 21 * sizeof *y);
    free(x);
}
END_TEST

START_TEST(a_concat_part_touches_only_its_channels)
{
    struct ncl_problem p =
        copy_problem((struct ncl_shape){2, 2, 1, 3}, (struct ncl_shape){2, 2, 1, 3});
    float *x = random_floats(12, 1), y[30];

    p.of.copy.y_channel = 1;
    p.of.copy.y_channels = 5;
    for (int i = 0; i < 30; ++i)
        y[i] = 7.0f;
    run(&p, x, NULL, y);
    for (int i = 0; i < 30; ++i) {
        const int n = i / 15, c = i / 3 % 5 - 1, w = i % 3;

        ck_assert(y[i] == (c >= 0 && c < 2 ? x[(n * 2 + c) * 3 + w] : 7.0f));
    }
    free(x);
}
END_TEST

/* ---- softmax ---- */

START_TEST(softmax_agrees_with_doubles)
{
    const struct ncl_problem p = {
        .kind = NCL_PROBLEM_SOFTMAX, .x = {2, 10, 2, 3}, .y = {2, 10, 2, 3}};
    float *x = random_floats(120, 1), y[120];

    for (int i = 0; i < 120; ++i)
        x[i] = x[i] * 30.0f + 1000.0f;
    run(&p, x, NULL, y);
    for (int i = 0; i < 12; ++i) {
        const int first = i / 6 * 60 + i % 6;
        double sum = 0;

        for (int c = 0; c < 10; ++c)
            sum += exp((double)x[first + c * 6] - 1000.0);
        for (int c = 0; c < 10; ++c)
            ck_assert_double_eq_tol(y[first + c * 6], exp((double)x[first + c * 6] - 1000.0) / sum,
                                    1e-6);
    }
    free(x);
}
END_TEST

START_TEST(softmax_of_special_values)
{
    const struct ncl_problem p = {
        .kind = NCL_PROBLEM_SOFTMAX, .x = {3, 3, 1, 1}, .y = {3, 3, 1, 1}};
    const float x[9] = {0.0f, -INFINITY, 0.0f, NAN, 1.0f, 2.0f, INFINITY, 1.0f, 2.0f};
    float y[9];

    run(&p, x, NULL, y);
    ck_assert(y[0] == 0.5f && y[1] == 0.0f && y[2] == 0.5f);
    for (int i = 3; i < 7; ++i)
        ck_assert(isnan(y[i]));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("oracle_other");

    tcase_add_loop_test(tcase, pools_agree_with_doubles, 0, sizeof pools / sizeof pools[0]);
    tcase_add_test(tcase, max_pool_keeps_nan_and_skips_padding);
    tcase_add_test(tcase, average_pool_has_documented_bits);
    tcase_add_loop_test(tcase, binary_operations_broadcast, 0,
                        sizeof operands / sizeof operands[0]);
    tcase_add_test(tcase, copies_permute_axes);
    tcase_add_test(tcase, copies_slice_reverse_and_pad);
    tcase_add_test(tcase, copies_reshape_and_make_canonical);
    tcase_add_test(tcase, a_concat_part_touches_only_its_channels);
    tcase_add_test(tcase, softmax_agrees_with_doubles);
    tcase_add_test(tcase, softmax_of_special_values);
    return run_case("oracle_other", tcase);
}

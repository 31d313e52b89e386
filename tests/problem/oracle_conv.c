/* Convolutions against two independent loops: doubles in any order (is it right?) and single
 * precision in the documented order (is it the documented order?). */
#include "problem/oracle.h"
#include "values.h"

#include <math.h>

#define CONV(n, c, h, w, k, kh, kw, sh, sw, dh, dw, top, left, bottom, right, groups)              \
    {                                                                                              \
        {n, c, h, w}, k,                                                                           \
        {                                                                                          \
            {kh, kw, sh, sw, dh, dw, top, left, bottom, right}, groups                             \
        }                                                                                          \
    }

static const struct shape_case {
    struct ncl_shape x;
    int k;
    struct ncl_conv conv;
} cases[] = {
    CONV(1, 5, 4, 4, 3, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1),
    CONV(2, 37, 30, 29, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1), /* several chunks */
    CONV(2, 20, 9, 11, 6, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 2),
    CONV(1, 35, 6, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1), /* blocks of 16, 16, 3 */
    CONV(2, 66, 5, 7, 4, 3, 2, 1, 2, 1, 1, 0, 1, 1, 0, 2),
    CONV(1, 3, 33, 31, 8, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3, 1),
    CONV(1, 12, 8, 9, 12, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3, 12),
    CONV(1, 4, 26, 27, 8, 3, 3, 1, 1, 1, 1, 0, 2, 1, 0, 4),
    CONV(1, 3, 2, 2, 2, 5, 5, 1, 1, 1, 1, 4, 4, 4, 4, 1), /* windows that miss the image */
    CONV(1, 50, 1, 1, 10, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1),
    CONV(1, 2, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), /* padded 1x1 */
};

struct data {
    struct ncl_problem p;
    size_t inputs, taps, outputs; /* taps: weights of one output channel */
    float *x, *w, *bias, *y;
    struct ncl_weights weights;
};

/* Positions of a window along one axis. */
static int positions(int in, int kernel, int stride, int dilation, int pads)
{
    return (in + pads - dilation * (kernel - 1) - 1) / stride + 1;
}

static struct data make(const struct shape_case *c)
{
    const struct ncl_window *w = &c->conv.window;
    struct data d = {.p = {.kind = NCL_PROBLEM_CONV, .channel_block = 4, .x = c->x}};
    const size_t window = (size_t)(w->kernel_h * w->kernel_w);

    d.p.of.conv = c->conv;
    d.p.epilogue.bias = true;
    d.p.y = (struct ncl_shape){
        c->x.n, c->k,
        positions(c->x.h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top + w->pad_bottom),
        positions(c->x.w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left + w->pad_right)};
    d.inputs = ncl_shape_elements(&d.p.x, NCL_PLAIN, 4);
    d.outputs = ncl_shape_elements(&d.p.y, NCL_PLAIN, 4);
    d.taps = (size_t)(c->x.c / c->conv.groups) * window;
    d.x = random_floats(d.inputs, 1);
    d.w = random_floats(d.taps * (size_t)c->k, 2);
    d.bias = random_floats((size_t)c->k, 3);
    d.y = random_floats(d.outputs, 4);
    d.weights = (struct ncl_weights){d.w, d.taps, window, (size_t)w->kernel_w, 1, NULL};
    return d;
}

static void clean(struct data *d)
{
    free(d->x);
    free(d->w);
    free(d->bias);
    free(d->y);
}

static void run(struct data *d)
{
    const struct ncl_oracle_tensors tensors = {
        .x = d->x, .weights = &d->weights, .bias = d->bias, .y = d->y};

    ck_assert_int_eq(ncl_oracle_run(NULL, &d->p, &tensors), NCL_OK);
}

/* x under tap (channel c of the group, kh, kw) of output i (n, k, h, w); NULL in the padding. */
static const float *tap_input(const struct data *d, const int i[4], int c, int kh, int kw)
{
    const struct ncl_window *w = &d->p.of.conv.window;
    const int groups = d->p.of.conv.groups, group = i[1] / (d->p.y.c / groups);
    const int channel = group * (d->p.x.c / groups) + c;
    const int ih = i[2] * w->stride_h - w->pad_top + kh * w->dilation_h;
    const int iw = i[3] * w->stride_w - w->pad_left + kw * w->dilation_w;

    if (ih < 0 || ih >= d->p.x.h || iw < 0 || iw >= d->p.x.w)
        return NULL;
    return d->x + ((i[0] * d->p.x.c + channel) * d->p.x.h + ih) * d->p.x.w + iw;
}

static void output_index(const struct ncl_shape *y, int at, int i[4])
{
    i[3] = at % y->w;
    i[2] = at / y->w % y->h;
    i[1] = at / y->w / y->h % y->c;
    i[0] = at / y->w / y->h / y->c;
}

/* Taps in the order of `sequence`: its entries are c * window + kh * kernel_w + kw. */
static float in_sequence(const struct data *d, const int i[4], const int *sequence)
{
    const int kernel_w = d->p.of.conv.window.kernel_w;
    const int window = d->p.of.conv.window.kernel_h * kernel_w;
    float acc = d->bias[i[1]] + 0.0f;

    for (size_t t = 0; t < d->taps; ++t) {
        const int tap = sequence[t];
        const float *x =
            tap_input(d, i, tap / window, tap % window / kernel_w, tap % window % kernel_w);

        if (x)
            acc = fmaf(*x, d->w[(size_t)i[1] * d->taps + (size_t)tap], acc);
    }
    return acc;
}

/* Blocks of `width` channels, then the window, then the channels of the block. */
static int *tap_sequence(const struct data *d, int width)
{
    const int channels = d->p.x.c / d->p.of.conv.groups;
    const int window = d->p.of.conv.window.kernel_h * d->p.of.conv.window.kernel_w;
    int *sequence = malloc(d->taps * sizeof *sequence);
    size_t count = 0;

    ck_assert_ptr_nonnull(sequence);
    for (int first = 0; first < channels; first += width) {
        for (int at = 0; at < window; ++at) {
            for (int c = first; c < channels && c < first + width; ++c)
                sequence[count++] = c * window + at;
        }
    }
    ck_assert_uint_eq(count, d->taps);
    return sequence;
}

static int differences(const struct data *d, int width)
{
    int *sequence = tap_sequence(d, width);
    int count = 0;

    for (size_t at = 0; at < d->outputs; ++at) {
        int i[4];

        output_index(&d->p.y, (int)at, i);
        count += bits_of(in_sequence(d, i, sequence)) != bits_of(d->y[at]);
    }
    free(sequence);
    return count;
}

START_TEST(bits_follow_the_documented_order)
{
    struct data d = make(&cases[_i]);

    run(&d);
    ck_assert_int_eq(differences(&d, 16), 0);
    clean(&d);
}
END_TEST

START_TEST(another_order_gives_other_bits)
{
    struct data d = make(&cases[3]);

    run(&d);
    ck_assert_int_gt(differences(&d, 8), 0);
    clean(&d);
}
END_TEST

START_TEST(values_agree_with_doubles)
{
    struct data d = make(&cases[_i]);
    const int kernel_w = d.p.of.conv.window.kernel_w;
    const int window = d.p.of.conv.window.kernel_h * kernel_w;

    run(&d);
    for (size_t at = 0; at < d.outputs; ++at) {
        int i[4];
        double sum;

        output_index(&d.p.y, (int)at, i);
        sum = d.bias[i[1]];
        for (int tap = 0; tap < (int)d.taps; ++tap) {
            const float *x =
                tap_input(&d, i, tap / window, tap % window / kernel_w, tap % window % kernel_w);

            sum += x ? (double)*x * d.w[(size_t)i[1] * d.taps + (size_t)tap] : 0.0;
        }
        ck_assert_double_eq_tol(d.y[at], sum, 1e-5);
    }
    clean(&d);
}
END_TEST

START_TEST(padding_is_not_multiplied)
{
    struct data d = make(&cases[7]);

    for (size_t i = 0; i < d.taps * (size_t)d.p.y.c; i += 9)
        d.w[i] = INFINITY; /* the corner tap, in the padding at the left */
    d.p.finite = true;
    run(&d);
    ck_assert(isfinite(d.y[0]));
    ck_assert(isinf(d.y[2]));
    clean(&d);
}
END_TEST

START_TEST(infinities_stay_in_their_group)
{
    struct data d = make(&cases[6]);

    d.x[0] = NAN;
    run(&d);
    ck_assert(isnan(d.y[0]) || isnan(d.y[d.p.y.w * 2 + 3]));
    for (size_t i = (size_t)(d.p.y.h * d.p.y.w); i < d.outputs; ++i)
        ck_assert(isfinite(d.y[i]));
    clean(&d);
}
END_TEST

START_TEST(a_negative_zero_bias_counts_as_zero)
{
    struct data d = make(&cases[8]);

    /* The first window of this case sees one pixel only; the rest of it is padding. */
    memset(d.x, 0, d.inputs * sizeof *d.x);
    for (size_t i = 0; i < d.taps * (size_t)d.p.y.c; ++i)
        d.w[i] = -1.0f;
    d.bias[0] = d.bias[1] = -0.0f;
    run(&d);
    for (size_t i = 0; i < d.outputs; ++i)
        ck_assert_uint_eq(bits_of(d.y[i]), 0u);
    clean(&d);
}
END_TEST

START_TEST(weights_are_folded_as_they_are_read)
{
    struct data d = make(&cases[3]);
    double scale[4] = {1.0 / 3.0, -2.0, 1.0, 1e-3};
    float *folded;

    d.weights.scale = scale;
    run(&d);
    for (size_t i = 0; i < d.taps * 4; ++i)
        d.w[i] = (float)(d.w[i] * scale[i / d.taps]);
    d.weights.scale = NULL;
    folded = d.y;
    d.y = random_floats(d.outputs, 9);
    run(&d);
    ck_assert_mem_eq(folded, d.y, d.outputs * sizeof *folded);
    free(folded);
    clean(&d);
}
END_TEST

int main(void)
{
    const int count = (int)(sizeof cases / sizeof cases[0]);
    TCase *tcase = tcase_create("oracle_conv");

    tcase_add_loop_test(tcase, bits_follow_the_documented_order, 0, count);
    tcase_add_test(tcase, another_order_gives_other_bits);
    tcase_add_loop_test(tcase, values_agree_with_doubles, 0, count);
    tcase_add_test(tcase, padding_is_not_multiplied);
    tcase_add_test(tcase, infinities_stay_in_their_group);
    tcase_add_test(tcase, a_negative_zero_bias_counts_as_zero);
    tcase_add_test(tcase, weights_are_folded_as_they_are_read);
    return run_case("oracle_conv", tcase);
}

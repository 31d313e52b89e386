/* The epilogue, and what the oracle refuses. */
#include "problem/oracle.h"
#include "problem/canonical_math.h"
#include "problem/half.h"
#include "values.h"

#include <math.h>

enum { COUNT = 24 };

static struct ncl_problem scale_problem(void)
{
    return (struct ncl_problem){
        .kind = NCL_PROBLEM_SCALE, .channel_block = 4, .x = {1, 2, 3, 4}, .y = {1, 2, 3, 4}};
}

static double expected_activation(enum ncl_act act, double x)
{
    switch (act) {
    case NCL_ACT_RELU:
        return x > 0 ? x : 0;
    case NCL_ACT_CLIP:
        return fmin(fmax(x, -0.25), 0.5);
    case NCL_ACT_LEAKY:
        return x < 0 ? -0.25 * x : x;
    case NCL_ACT_HARD_SWISH:
        return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case NCL_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case NCL_ACT_SILU:
        return x / (1 + exp(-x));
    case NCL_ACT_NONE:
    case NCL_ACT_COUNT:
        break;
    }
    return x;
}

START_TEST(activations_are_their_formulas)
{
    struct ncl_problem p = scale_problem();
    float *x = random_floats(COUNT, 5), y[COUNT];
    const struct ncl_oracle_tensors tensors = {.x = x, .y = y};

    for (int i = 0; i < COUNT; ++i)
        x[i] *= 5.0f;
    p.epilogue.act = (enum ncl_act)_i;
    p.epilogue.a = -0.25f;
    p.epilogue.b = 0.5f;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_OK);
    for (int i = 0; i < COUNT; ++i)
        ck_assert_double_eq_tol(y[i], expected_activation(p.epilogue.act, x[i]), 2e-6);
    free(x);
}
END_TEST

/* Bits of the activation of one value. */
static uint32_t activated(enum ncl_act act, float value)
{
    struct ncl_problem p = scale_problem();
    float y;

    p.x = p.y = (struct ncl_shape){1, 1, 1, 1};
    p.epilogue.act = act;
    p.epilogue.a = act == NCL_ACT_LEAKY ? 0.125f : 0.0f;
    p.epilogue.b = 6.0f;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &(struct ncl_oracle_tensors){.x = &value, .y = &y}),
                     NCL_OK);
    return bits_of(y);
}

START_TEST(activations_pass_nan)
{
    const uint32_t bits = activated((enum ncl_act)_i, NAN);

    ck_assert_uint_gt(bits & 0x7fffffffu, 0x7f800000u);
}
END_TEST

START_TEST(activations_of_special_values)
{
    ck_assert_uint_eq(activated(NCL_ACT_RELU, -0.0f), 0u);
    ck_assert_uint_eq(activated(NCL_ACT_RELU, -INFINITY), 0u);
    ck_assert_uint_eq(activated(NCL_ACT_RELU, INFINITY), 0x7f800000u);
    ck_assert_uint_eq(activated(NCL_ACT_CLIP, -0.0f), 0x80000000u);
    ck_assert_uint_eq(activated(NCL_ACT_CLIP, INFINITY), bits_of(6.0f));
    ck_assert_uint_eq(activated(NCL_ACT_CLIP, -INFINITY), 0u);
    ck_assert_uint_eq(activated(NCL_ACT_LEAKY, -0.0f), 0x80000000u);
    ck_assert_uint_eq(activated(NCL_ACT_LEAKY, -8.0f), bits_of(-1.0f));
    ck_assert_uint_eq(activated(NCL_ACT_HARD_SWISH, -4.0f), 0x80000000u);
    ck_assert_uint_eq(activated(NCL_ACT_HARD_SWISH, 4.0f), bits_of(4.0f));
    ck_assert_uint_eq(activated(NCL_ACT_SIGMOID, 1.25f), bits_of(ncl_sigmoid(1.25f)));
    ck_assert_uint_eq(activated(NCL_ACT_SILU, 1.25f), bits_of(1.25f * ncl_sigmoid(1.25f)));
}
END_TEST

START_TEST(the_epilogue_has_one_order)
{
    struct ncl_problem p = scale_problem();
    float *x = random_floats(COUNT, 5), *y = random_floats(COUNT, 6), *residual;
    const float scale[2] = {1.5f, -0.3f}, shift[2] = {0.1f, -0.2f};

    p.epilogue = (struct ncl_epilogue){.scale = true, .residual = true, .act = NCL_ACT_RELU};
    residual = random_floats(COUNT, 6);
    /* The residual is y itself. */
    ck_assert_int_eq(
        ncl_oracle_run(NULL, &p,
                       &(struct ncl_oracle_tensors){
                           .x = x, .residual = y, .scale = scale, .shift = shift, .y = y}),
        NCL_OK);
    for (int i = 0; i < COUNT; ++i) {
        const int c = i / 12;
        const float sum = fmaf(x[i], scale[c], shift[c]) + residual[i];

        ck_assert_uint_eq(bits_of(y[i]), bits_of(sum <= 0.0f ? 0.0f : sum));
    }
    free(x);
    free(y);
    free(residual);
}
END_TEST

/* Sums of two products that no half holds; weights that none holds either. */
static void run_half(enum ncl_order y_order, const float *x, const float *w, float *y)
{
    const struct ncl_weights weights = {.data = w, .stride_k = 2, .stride_c = 1};
    const struct ncl_problem p = {.kind = NCL_PROBLEM_CONV,
                                  .channel_block = 4,
                                  .half = true,
                                  .x = {1, 2, 1, 1},
                                  .y = {1, 3, 1, 1},
                                  .x_order = NCL_PLAIN,
                                  .y_order = y_order,
                                  .of.conv = {{1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1}};

    ck_assert_int_eq(
        ncl_oracle_run(NULL, &p, &(struct ncl_oracle_tensors){.x = x, .weights = &weights, .y = y}),
        NCL_OK);
}

START_TEST(halves_are_rounded_where_they_are_stored)
{
    const float x[2] = {1.0001f, 300.1f}, w[6] = {0.1f, -0.3f, 1e-9f, 70000.0f, 2000.3f, 1.0f};
    float plain[3], blocked[3];

    run_half(NCL_PLAIN, x, w, plain);
    run_half(NCL_BLOCKED, x, w, blocked);
    for (int k = 0; k < 3; k++) {
        const float first = ncl_half_round(w[2 * k]), second = ncl_half_round(w[2 * k + 1]);
        const float sum = fmaf(x[1], second, fmaf(x[0], first, 0.0f));

        ck_assert_uint_eq(bits_of(plain[k]), bits_of(sum));
        ck_assert_uint_eq(bits_of(blocked[k]), bits_of(ncl_half_round(sum)));
    }
    ck_assert(isinf(plain[1]) && plain[0] != blocked[0]);
}
END_TEST

START_TEST(halves_of_other_kinds)
{
    struct ncl_problem p = scale_problem();
    float *x = random_floats(COUNT, 5), y[COUNT], exact[COUNT];
    const struct ncl_oracle_tensors half = {.x = x, .y = y}, single = {.x = x, .y = exact};
    const enum ncl_problem_kind kinds[] = {NCL_PROBLEM_SCALE, NCL_PROBLEM_COPY,
                                           NCL_PROBLEM_SOFTMAX};

    p.y_order = NCL_BLOCKED;
    p.of.copy.reshape = true;
    for (int k = 0; k < 3; k++) {
        p.kind = kinds[k];
        p.half = false;
        ck_assert_int_eq(ncl_oracle_run(NULL, &p, &single), NCL_OK);
        p.half = true;
        ck_assert_int_eq(ncl_oracle_run(NULL, &p, &half), NCL_OK);
        for (int i = 0; i < COUNT; i++)
            ck_assert_uint_eq(bits_of(y[i]), bits_of(ncl_half_round(exact[i])));
        memset(&p.of, 0, sizeof p.of);
    }
    free(x);
}
END_TEST

START_TEST(missing_tensors_are_named)
{
    struct ncl_problem p = scale_problem();
    float x[COUNT] = {0}, y[COUNT];
    struct ncl_oracle_tensors tensors = {.x = x, .y = y};

    p.epilogue.residual = true;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "residual"));
    p.epilogue.scale = true;
    tensors.residual = tensors.scale = x;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "shift"));
    p.kind = NCL_PROBLEM_BINARY;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), " z,"));
    p.kind = NCL_PROBLEM_CONV;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "weights"));
    tensors.y = NULL;
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), " y,"));
    tensors.y = y;
    p.kind = NCL_PROBLEM_KIND_COUNT;
    p.epilogue = (struct ncl_epilogue){0};
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &tensors), NCL_ERROR_USAGE);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("oracle");

    tcase_add_loop_test(tcase, activations_are_their_formulas, 0, NCL_ACT_COUNT);
    tcase_add_loop_test(tcase, activations_pass_nan, 0, NCL_ACT_COUNT);
    tcase_add_test(tcase, activations_of_special_values);
    tcase_add_test(tcase, the_epilogue_has_one_order);
    tcase_add_test(tcase, halves_are_rounded_where_they_are_stored);
    tcase_add_test(tcase, halves_of_other_kinds);
    tcase_add_test(tcase, missing_tensors_are_named);
    return run_case("oracle", tcase);
}

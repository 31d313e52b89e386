/* The suite varies the epilogue of each shape: alone, with residual, with every activation. */
#include "plan/kernels.h"
#include "plan/launch.h"
#include "problem/oracle.h"
#include "support/algo_check.h"
#include <stdint.h>
#include <string.h>

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

/* Every exponent, both signs, three mantissas each: zeros, subnormals, infinities, NaN among them.
 */
enum { VALUES = 256 * 2 * 3 };

static void every_exponent(float *values)
{
    static const uint32_t mantissas[] = {0, 0x7fffff, 0x2aaaab};

    for (uint32_t i = 0; i < VALUES; ++i) {
        const uint32_t bits = i / 3 << 23 | mantissas[i % 3];

        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* One activation of every value; y in the order of x, which is BLOCKED and PLAIN alike. */
static void run_activation(const struct ncl_device *device, const struct ncl_problem *p,
                           const float *x, float *y)
{
    const struct ncl_algo *algo = &ncl_algo_bn_relu_add;
    const size_t bytes = VALUES * sizeof(float);
    struct ncl_kernels kernels = {.device = device};
    struct ncl_launch launch = {0};
    cl_mem buffers[NCL_ROLE_COUNT] = {NULL};
    int v[NCL_MAX_TUNABLES] = {0}, index = 0;

    algo->defaults(v, p, &device->caps);
    ck_assert_int_eq(ncl_kernels_add(&kernels, algo, v, p, &index), NCL_OK);
    ck_assert_int_eq(ncl_kernels_build(&kernels), NCL_OK);
    ck_assert_ptr_nonnull(kernels.variants[index].program);
    ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, bytes, &buffers[NCL_ARG_X]), 0);
    ck_assert_int_eq(ncl_buffer_write(device, buffers[NCL_ARG_X], 0, x, bytes), NCL_OK);
    buffers[NCL_ARG_Y] = buffers[NCL_ARG_X]; /* in place */
    ck_assert_int_eq(ncl_launch_bind(device, kernels.variants[index].program, index, algo, v, p,
                                     buffers, &launch),
                     NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, NULL, NULL),
                     NCL_OK);
    ck_assert_int_eq(ncl_buffer_read(device, buffers[NCL_ARG_X], 0, y, bytes), NCL_OK);
    ncl_launch_release(device, &launch);
    ncl_buffer_release(device, &buffers[NCL_ARG_X]);
    ncl_kernels_free(&kernels);
}

static void check_activation(const struct ncl_device *device, enum ncl_act act)
{
    const int cb = device->caps.channel_block;
    const struct ncl_problem p = {
        .kind = NCL_PROBLEM_SCALE,
        .channel_block = cb,
        .x = {VALUES / cb, cb, 1, 1}, /* one block of channels: both orders are the same */
        .y = {VALUES / cb, cb, 1, 1},
        .x_order = NCL_BLOCKED,
        .y_order = NCL_BLOCKED,
        .epilogue = {.act = act, .a = 0.1f, .b = 6.0f},
    };
    static float x[VALUES], expected[VALUES], found[VALUES];

    every_exponent(x);
    ck_assert_int_eq(ncl_oracle_run(NULL, &p, &(struct ncl_oracle_tensors){.x = x, .y = expected}),
                     NCL_OK);
    run_activation(device, &p, x, found);
    for (int i = 0; i < VALUES; ++i) {
        const float a = ncl_canonical(expected[i]), b = ncl_canonical(found[i]);

        ck_assert_msg(memcmp(&a, &b, sizeof a) == 0,
                      "%s: activation %d of %a: expected %a, found %a", device->caps.name, (int)act,
                      (double)x[i], (double)a, (double)b);
    }
}

START_TEST(activations_over_every_exponent)
{
    size_t count;
    const struct ncl_device *devices = ncl_check_devices(&count);

    for (size_t d = 0; d < count; ++d) {
        for (int act = 0; act < NCL_ACT_COUNT; ++act)
            check_activation(&devices[d], (enum ncl_act)act);
    }
}
END_TEST

int main(void)
{
    Suite *exponents = suite_create("exponents");
    TCase *tcase = tcase_create("activations");

    tcase_add_test(tcase, activations_over_every_exponent);
    suite_add_tcase(exponents, tcase);
    return ncl_check_main_with(&(struct ncl_check){.algo = &ncl_algo_bn_relu_add,
                                                   NCL_CHECK_PROBLEMS(problems),
                                                   NCL_CHECK_REFUSED(refused)},
                               exponents);
}

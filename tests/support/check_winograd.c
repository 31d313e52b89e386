#include "support/check_winograd.h"

#include "base/memory.h"
#include "plan/kernels.h"
#include "plan/launch.h"
#include "problem/oracle.h"
#include "support/check_tensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One image, one block of output channels, padding 1. */
#define C 40
#define K 8
#define H 11
#define W 14
#define SIDE_MAX 6

static const struct ncl_algo *tested;

struct data {
    float x[C][H][W], w[K][C][3][3], y[K][H][W];
};

/* ---- the filtering in double, from its points ---- */

struct transform {
    int m, side;
    double at[4][SIDE_MAX], g[SIDE_MAX][3], bt[SIDE_MAX][SIDE_MAX];
};

/* Coefficients of the product of z - x[i] over the `count` points but the one left out. */
static void polynomial(const double *x, int count, int left_out, double *coefficients)
{
    int degree = 0;

    memset(coefficients, 0, SIDE_MAX * sizeof *coefficients);
    coefficients[0] = 1;
    for (int i = 0; i < count; i++) {
        if (i == left_out)
            continue;
        for (int k = ++degree; k >= 0; k--)
            coefficients[k] = (k ? coefficients[k - 1] : 0) - x[i] * coefficients[k];
    }
}

static double value_at(const double *x, int count, int left_out)
{
    double value = 1;

    for (int i = 0; i < count; i++)
        value *= i == left_out ? 1 : x[left_out] - x[i];
    return value;
}

static struct transform make_transform(int m)
{
    static const double points[2][SIDE_MAX - 1] = {{0, 1, -1}, {0, 0.625, -0.625, 1.5, -1.5}};
    const double *x = points[m == 4];
    struct transform t = {.m = m, .side = m + 2};
    const int count = t.side - 1;

    for (int i = 0; i < count; i++) {
        polynomial(x, count, i, t.bt[i]);
        for (int k = 0; k < m; k++)
            t.at[k][i] = pow(x[i], k);
        for (int k = 0; k < 3; k++)
            t.g[i][k] = pow(x[i], k) / value_at(x, count, i);
    }
    polynomial(x, count, count, t.bt[count]);
    t.at[m - 1][count] = t.g[count][2] = 1;
    return t;
}

static double pixel(const struct data *d, int c, int row, int column)
{
    return row >= 0 && row < H && column >= 0 && column < W ? (double)d->x[c][row][column] : 0;
}

/* |u|, |G w Gt| as it is before it is rounded. */
static double weight_size(const struct transform *t, const struct data *d, int k, int c, int i,
                          int j)
{
    double u = 0;

    for (int h = 0; h < 3; h++)
        for (int w = 0; w < 3; w++)
            u += t->g[i][h] * (double)d->w[k][c][h][w] * t->g[j][w];
    return fabs(u);
}

/* |Bt||x||B| of the tile whose first output is (top, left). */
static double value_size(const struct transform *t, const struct data *d, int c,
                         const int corner[2], const int position[2])
{
    double v = 0;

    for (int a = 0; a < t->side; a++)
        for (int b = 0; b < t->side; b++)
            v += fabs(t->bt[position[0]][a] * pixel(d, c, corner[0] + a - 1, corner[1] + b - 1) *
                      t->bt[position[1]][b]);
    return v;
}

/* What position (i, j) of a tile contributes to the bound of each of its outputs. */
static double position_size(const struct transform *t, const struct data *d, int k,
                            const int corner[2], int i, int j)
{
    double sum = 0;

    for (int c = 0; c < C; c++)
        sum += weight_size(t, d, k, c, i, j) * value_size(t, d, c, corner, (const int[]){i, j});
    return sum;
}

static double exact(const struct data *d, int k, int row, int column)
{
    double sum = 0;

    for (int c = 0; c < C; c++)
        for (int h = 0; h < 3; h++)
            for (int w = 0; w < 3; w++)
                sum += pixel(d, c, row + h - 1, column + w - 1) * (double)d->w[k][c][h][w];
    return sum;
}

struct errors {
    double worst_of_bound; /* largest error as a part of its bound */
    double worst, largest; /* largest error, largest exact result */
};

static void check_tile(const struct transform *t, const struct data *d, int k, const int corner[2],
                       struct errors *errors)
{
    const double factor = ldexp(2 * C + (t->m == 2 ? 12 : 24), -24);
    double sizes[SIDE_MAX][SIDE_MAX];

    for (int i = 0; i < t->side * t->side; i++)
        sizes[i / t->side][i % t->side] = position_size(t, d, k, corner, i / t->side, i % t->side);
    for (int o = 0; o < t->m * t->m; o++) {
        const int row = corner[0] + o / t->m, column = corner[1] + o % t->m;
        double bound = 0, expected, error;

        if (row >= H || column >= W)
            continue;
        for (int i = 0; i < t->side * t->side; i++)
            bound += fabs(t->at[o / t->m][i / t->side] * t->at[o % t->m][i % t->side]) *
                     sizes[i / t->side][i % t->side];
        expected = exact(d, k, row, column);
        error = fabs((double)d->y[k][row][column] - expected);
        errors->worst = fmax(errors->worst, error);
        errors->largest = fmax(errors->largest, fabs(expected));
        ck_assert_msg(error <= factor * bound, "M %d, channel %d, (%d, %d): error %g, bound %g",
                      t->m, k, row, column, error, factor * bound);
        if (bound > 0)
            errors->worst_of_bound = fmax(errors->worst_of_bound, error / (factor * bound));
    }
}

/* ---- the same on the device ---- */

static struct ncl_problem problem_for(const struct ncl_device *device)
{
    struct ncl_problem p = {NCL_CHECK_CONV_MEMBERS(1, C, H, W, K, 3, 1, 1, 1), .fast = true};

    p.channel_block = device->caps.channel_block;
    return p;
}

static void put(const struct ncl_device *device, const float *values, size_t floats,
                struct ncl_check_buffer *buffer)
{
    ck_assert_int_eq(ncl_check_buffer_make(device, values, floats, false, buffer), NCL_OK);
}

static void put_weights(const struct ncl_device *device, const struct ncl_problem *p, const int *v,
                        const struct data *d, struct ncl_check_buffer *buffer)
{
    const struct ncl_weights weights = {
        .data = d->w, .stride_k = C * 9, .stride_c = 9, .stride_h = 3, .stride_w = 1};
    const size_t floats = tested->packed_floats(v, p);
    float *packed = ncl_alloc_aligned(floats, sizeof *packed);

    ck_assert_ptr_nonnull(packed);
    tested->pack(v, p, &weights, packed);
    put(device, packed, floats, buffer);
    free(packed);
}

static void convolve(const struct ncl_device *device, struct ncl_kernels *kernels,
                     const struct ncl_problem *p, const int *v, struct data *d)
{
    const size_t floats[2] = {ncl_shape_elements(&p->x, NCL_BLOCKED, p->channel_block),
                              ncl_shape_elements(&p->y, NCL_BLOCKED, p->channel_block)};
    float *ordered = ncl_alloc(floats[0] + floats[1], sizeof *ordered);
    struct ncl_check_buffer buffers[NCL_ROLE_COUNT] = {0};
    cl_mem mems[NCL_ROLE_COUNT];
    struct ncl_launch launch;
    bool intact = false;
    int index;

    ck_assert_ptr_nonnull(ordered);
    ncl_order_from_plain(&p->x, NCL_BLOCKED, p->channel_block, &d->x[0][0][0], ordered);
    put(device, ordered, floats[0], &buffers[NCL_ARG_X]);
    put(device, NULL, floats[1], &buffers[NCL_ARG_Y]);
    put(device, NULL, ncl_algo_workspace(tested, v, p), &buffers[NCL_ARG_WORKSPACE]);
    put_weights(device, p, v, d, &buffers[NCL_ARG_W]);
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        mems[i] = buffers[i].mem;
    ck_assert_int_eq(ncl_kernels_add(kernels, tested, v, p, &index), NCL_OK);
    ck_assert_int_eq(ncl_kernels_build(kernels), NCL_OK);
    ck_assert_int_eq(ncl_launch_bind(device, kernels->variants[index].program, index, tested, v, p,
                                     mems, &launch),
                     NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, NULL, NULL),
                     NCL_OK);
    ck_assert_int_eq(ncl_check_buffer_read(device, &buffers[NCL_ARG_Y], ordered, &intact), NCL_OK);
    ck_assert(intact);
    ncl_order_to_plain(&p->y, NCL_BLOCKED, p->channel_block, ordered, &d->y[0][0][0]);
    ncl_launch_release(device, &launch);
    for (int i = 0; i < NCL_ROLE_COUNT; i++)
        ncl_check_buffer_free(device, &buffers[i]);
    free(ordered);
}

/* ---- inputs ---- */

enum kind { RANDOM, ONE_SIGN, MAGNITUDES, CANCELLING, KIND_COUNT };

static float number(enum kind kind, int position, unsigned *state)
{
    const float random = ncl_check_float(state);

    switch (kind) {
    case ONE_SIGN:
        return 0.5f + 0.5f * random;
    case MAGNITUDES:
        return ldexpf(random, (int)(ncl_check_random(state) % 32) - 16);
    case CANCELLING:
        return (position % 2 ? -1.0f : 1.0f) * (1 + ldexpf(random, -12));
    case RANDOM:
    case KIND_COUNT:
        break;
    }
    return random;
}

static void fill(struct data *d, enum kind kind)
{
    unsigned state = 11 + (unsigned)kind;
    float *x = &d->x[0][0][0], *w = &d->w[0][0][0][0];

    for (int i = 0; i < C * H * W; i++)
        x[i] = number(kind, i % W + i / W, &state);
    for (int i = 0; i < K * C * 9; i++)
        w[i] = number(kind, i % 3 + i / 3, &state);
}

/* Random inputs stay far below the bound, which is for the worst: this is what to expect. */
#define TYPICAL 2e-6

static void check_point(const struct ncl_device *device, struct ncl_kernels *kernels,
                        const struct ncl_problem *p, const int *v, int m)
{
    const struct transform transform = make_transform(m);
    struct data *d = ncl_alloc(1, sizeof *d);

    ck_assert_ptr_nonnull(d);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct errors errors = {0};

        fill(d, (enum kind)kind);
        convolve(device, kernels, p, v, d);
        for (int i = 0; i < K * H * W; i++) {
            const int corner[2] = {i / W % H, i % W};

            if (corner[0] % m == 0 && corner[1] % m == 0)
                check_tile(&transform, d, i / (H * W), corner, &errors);
        }
        printf("%s, M %d, inputs %d: %.3f of the bound, %.1e of the largest result\n", tested->name,
               m, kind, errors.worst_of_bound, errors.worst / errors.largest);
        ck_assert(kind != RANDOM || errors.worst <= TYPICAL * errors.largest);
    }
    free(d);
}

static int tile_side(const int *v)
{
    int side = 0;

    for (int i = 0; i < tested->tunable_count; i++)
        if (strcmp(tested->tunables[i].name, "M") == 0)
            side = v[i];
    return side;
}

static void check_device(const struct ncl_device *device)
{
    struct ncl_kernels kernels = {.device = device};
    const struct ncl_problem p = problem_for(device);
    unsigned state = 3, seen = 0;
    int v[NCL_MAX_TUNABLES];

    while (seen != (2 | 4) && ncl_check_sample(tested, &p, &device->caps, &state, v)) {
        const int m = tile_side(v);

        if (!(seen & (unsigned)m))
            check_point(device, &kernels, &p, v, m);
        seen |= (unsigned)m;
    }
    ck_assert_uint_eq(seen, 2 | 4);
    ncl_kernels_free(&kernels);
}

START_TEST(errors_stay_below_their_bound)
{
    size_t count;
    const struct ncl_device *devices = ncl_check_devices(&count);

    for (size_t i = 0; i < count; i++)
        check_device(&devices[i]);
}
END_TEST

Suite *ncl_check_winograd_suite(const struct ncl_algo *algo)
{
    Suite *suite = suite_create("error bound");
    TCase *tcase = tcase_create("bound");

    tested = algo;
    tcase_add_test(tcase, errors_stay_below_their_bound);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "problem/problem.h"
#include "values.h"

static struct ncl_problem conv(void)
{
    return (struct ncl_problem){.kind = NCL_PROBLEM_CONV,
                                .channel_block = 8,
                                .finite = true,
                                .x = {1, 64, 56, 56},
                                .y = {1, 256, 56, 56},
                                .x_order = NCL_BLOCKED,
                                .y_order = NCL_BLOCKED,
                                .epilogue = {.bias = true, .residual = true, .act = NCL_ACT_RELU},
                                .of.conv = {{1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1}};
}

static struct ncl_problem copy(void)
{
    return (struct ncl_problem){.kind = NCL_PROBLEM_COPY,
                                .channel_block = 4,
                                .x = {1, 8, 5, 6},
                                .y = {1, 8, 5, 6},
                                .x_order = NCL_BLOCKED,
                                .y_order = NCL_BLOCKED,
                                .of.copy = {.permutation = {0, 1, 2, 3}, .step = {1, 1, 1, 1}}};
}

static char *signature(const struct ncl_problem *problem)
{
    struct ncl_text text = {0};

    ncl_problem_signature(problem, &text);
    ck_assert(!text.failed);
    ck_assert_ptr_nonnull(text.data);
    return text.data;
}

static bool same(const struct ncl_problem *a, const struct ncl_problem *b)
{
    char *one = signature(a), *other = signature(b);
    const bool equal = strcmp(one, other) == 0;

    free(one);
    free(other);
    return equal;
}

START_TEST(the_documented_form)
{
    const struct ncl_problem problem = conv();
    char *text = signature(&problem);

    ck_assert_str_eq(text, "conv x1x64x56x56 y1x256x56x56 k1x1 s1x1 d1x1 p0,0,0,0 g1 bias res relu "
                           "cb8 finite");
    free(text);
}
END_TEST

/* One change of a member must change the text. */
#define DIFFERS(make, member, value)                                                               \
    do {                                                                                           \
        const struct ncl_problem before = make();                                                  \
        struct ncl_problem after = before;                                                         \
                                                                                                   \
        after.member = (value);                                                                    \
        ck_assert_msg(!same(&before, &after), #member);                                            \
    } while (0)

START_TEST(every_member_of_a_convolution_counts)
{
    DIFFERS(conv, kind, NCL_PROBLEM_SCALE);
    DIFFERS(conv, channel_block, 4);
    DIFFERS(conv, fast, true);
    DIFFERS(conv, half, true);
    DIFFERS(conv, finite, false);
    DIFFERS(conv, x_order, NCL_PLAIN);
    DIFFERS(conv, y_order, NCL_PLAIN);
    DIFFERS(conv, x.n, 2);
    DIFFERS(conv, x.c, 2);
    DIFFERS(conv, x.h, 2);
    DIFFERS(conv, x.w, 2);
    DIFFERS(conv, y.n, 2);
    DIFFERS(conv, y.c, 2);
    DIFFERS(conv, y.h, 2);
    DIFFERS(conv, y.w, 2);
    DIFFERS(conv, of.conv.groups, 2);
    DIFFERS(conv, of.conv.window.kernel_h, 2);
    DIFFERS(conv, of.conv.window.kernel_w, 2);
    DIFFERS(conv, of.conv.window.stride_h, 2);
    DIFFERS(conv, of.conv.window.stride_w, 2);
    DIFFERS(conv, of.conv.window.dilation_h, 2);
    DIFFERS(conv, of.conv.window.dilation_w, 2);
    DIFFERS(conv, of.conv.window.pad_top, 2);
    DIFFERS(conv, of.conv.window.pad_left, 2);
    DIFFERS(conv, of.conv.window.pad_bottom, 2);
    DIFFERS(conv, of.conv.window.pad_right, 2);
    DIFFERS(conv, epilogue.bias, false);
    DIFFERS(conv, epilogue.scale, true);
    DIFFERS(conv, epilogue.residual, false);
    for (int act = 0; act < NCL_ACT_COUNT; ++act) {
        if (act != NCL_ACT_RELU)
            DIFFERS(conv, epilogue.act, (enum ncl_act)act);
    }
}
END_TEST

static struct ncl_problem clip(void)
{
    struct ncl_problem problem = conv();

    problem.epilogue.act = NCL_ACT_CLIP;
    problem.epilogue.b = 6.0f;
    return problem;
}

static struct ncl_problem leaky(void)
{
    struct ncl_problem problem = conv();

    problem.epilogue.act = NCL_ACT_LEAKY;
    problem.epilogue.a = 0.1f;
    return problem;
}

START_TEST(activation_numbers_count_where_used)
{
    const struct ncl_problem plain = conv();
    struct ncl_problem unused = conv();

    DIFFERS(clip, epilogue.a, -0.0f);
    DIFFERS(clip, epilogue.b, from_bits(bits_of(6.0f) + 1));
    DIFFERS(leaky, epilogue.a, 0.2f);
    unused.epilogue.a = 3.0f;
    unused.epilogue.b = 4.0f;
    ck_assert(same(&plain, &unused));
}
END_TEST

START_TEST(every_member_of_a_copy_counts)
{
    for (int axis = 0; axis < 4; ++axis) {
        DIFFERS(copy, of.copy.permutation[axis], 7);
        DIFFERS(copy, of.copy.start[axis], -3);
        DIFFERS(copy, of.copy.step[axis], -1);
    }
    DIFFERS(copy, of.copy.fill, 1.0f);
    DIFFERS(copy, of.copy.reshape, true);
    DIFFERS(copy, of.copy.canonical, true);
    DIFFERS(copy, of.copy.y_channels, 32);
}
END_TEST

static struct ncl_problem pool(void)
{
    struct ncl_problem problem = conv();

    problem.kind = NCL_PROBLEM_POOL;
    problem.of.pool = (struct ncl_pool){.window = {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}};
    return problem;
}

static struct ncl_problem binary(void)
{
    struct ncl_problem problem = conv();

    problem.kind = NCL_PROBLEM_BINARY;
    problem.of.binary = (struct ncl_binary){.z = {1, 64, 1, 1}};
    return problem;
}

START_TEST(every_member_of_a_pool_and_of_a_binary_counts)
{
    DIFFERS(pool, of.pool.mode, NCL_POOL_AVERAGE);
    DIFFERS(pool, of.pool.count_padding, true);
    DIFFERS(pool, of.pool.window.pad_right, 0);
    DIFFERS(binary, of.binary.op, NCL_BINARY_SUBTRACT);
    DIFFERS(binary, of.binary.op, NCL_BINARY_MULTIPLY);
    DIFFERS(binary, of.binary.z.n, 2);
    DIFFERS(binary, of.binary.z.c, 1);
    DIFFERS(binary, of.binary.z.h, 56);
    DIFFERS(binary, of.binary.z.w, 56);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("signature");

    tcase_add_test(tcase, the_documented_form);
    tcase_add_test(tcase, every_member_of_a_convolution_counts);
    tcase_add_test(tcase, activation_numbers_count_where_used);
    tcase_add_test(tcase, every_member_of_a_copy_counts);
    tcase_add_test(tcase, every_member_of_a_pool_and_of_a_binary_counts);
    return run_case("signature", tcase);
}

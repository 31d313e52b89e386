/* The lines about groups and residuals name the place, the numbers and a fix that works. */
#include "graph/check.h"
#include "graph/net.h"

#define WHERE "block 'conv3_block1'"

static void groups_fail(int64_t channels, int64_t groups, const char *line)
{
    must_fail(ncl_check_groups(NULL, WHERE, "input channels", channels, groups), line);
    ck_assert_ptr_eq(strstr(ncl_error_text(), WHERE ": "), ncl_error_text());
}

START_TEST(channels_divide_into_groups)
{
    must(ncl_check_groups(NULL, WHERE, "input channels", 128, 32));
    must(ncl_check_groups(NULL, WHERE, "input channels", 32, 32));
    groups_fail(130, 32,
                "130 input channels in 32 groups, expected a multiple of the groups; likely fix: "
                "128 or 160 channels, or 26 groups");
    groups_fail(31, 30, "likely fix: 30 or 60 channels, or 1 group");
    groups_fail(16, 32,
                "16 input channels in 32 groups, expected a multiple of the groups; likely "
                "fix: 16 groups or fewer");
    groups_fail(16, 0, "in 0 groups, expected a multiple of the groups; likely fix: at least one");
    groups_fail(-4, -2, "at least one");
    /* Answered at once. */
    groups_fail((INT64_C(1) << 31) - 1, 1 << 30, "or 1 group");
}
END_TEST

static void residual_fails(struct ncl_extent path, struct ncl_extent shortcut, const char *line)
{
    must_fail(ncl_check_residual(NULL, WHERE, path, shortcut), line);
    ck_assert_ptr_eq(strstr(ncl_error_text(), WHERE ": "), ncl_error_text());
}

START_TEST(both_paths_agree)
{
    const struct ncl_extent path = {512, 28, 28};
    const struct ncl_extent unknown = {-1, -1, -1};

    must(ncl_check_residual(NULL, WHERE, path, path));
    must(ncl_check_residual(NULL, WHERE, path, unknown));
    must(ncl_check_residual(NULL, WHERE, unknown, path));
    residual_fails(path, (struct ncl_extent){256, 28, 28},
                   "the main path has 512 channels of 28x28, the shortcut 256 channels of 28x28, "
                   "expected the same; likely fix: a 1x1 convolution to 512 channels on the "
                   "shortcut");
    residual_fails(path, (struct ncl_extent){256, -1, -1},
                   "the shortcut 256 channels, expected the same; likely fix: a 1x1 convolution to "
                   "512 channels on the shortcut");
    residual_fails(path, (struct ncl_extent){256, 56, 55},
                   "the shortcut 256 channels of 56x55, expected the same; likely fix: a 1x1 "
                   "convolution to 512 channels with stride 2 on the shortcut");
    /* No stride makes 29 or 7 of it 28, and one stride serves both axes. */
    residual_fails(path, (struct ncl_extent){512, 29, 28}, "fix: the same strides and padding on");
    residual_fails(path, (struct ncl_extent){512, 28, 7}, "fix: the same strides and padding on");
    residual_fails(path, (struct ncl_extent){512, 56, 84}, "fix: the same strides and padding on");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, channels_divide_into_groups);
    tcase_add_test(tcase, both_paths_agree);
}

int main(void)
{
    return net_main("graph/check", add);
}

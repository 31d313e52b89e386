#include "graph/check.h"

#include <stdbool.h>
#include <stdio.h>

#define TEXT 128

/* Looking for divisors stops here: no net has more groups. */
#define MAX_GROUPS (1 << 16)

static int64_t divisor_up_to(int64_t channels, int64_t limit)
{
    int64_t groups = limit < MAX_GROUPS ? limit : MAX_GROUPS;

    while (channels % groups != 0)
        groups--;
    return groups;
}

static void split_fix(int64_t channels, int64_t groups, char text[TEXT])
{
    const int64_t less = channels / groups * groups, more = less + groups;
    const int64_t fewer = divisor_up_to(channels, groups);

    snprintf(text, TEXT, "%lld or %lld channels, or %lld group%s", (long long)less, (long long)more,
             (long long)fewer, fewer == 1 ? "" : "s");
}

ncl_status ncl_check_groups(const struct ncl_log *log, const char *where, const char *what,
                            int64_t channels, int64_t groups)
{
    char fix[TEXT];

    if (channels > 0 && groups > 0 && channels % groups == 0)
        return NCL_OK;
    if (channels < 1 || groups < 1)
        snprintf(fix, sizeof fix, "at least one of each");
    else if (groups > channels)
        snprintf(fix, sizeof fix, "%lld groups or fewer", (long long)channels);
    else
        split_fix(channels, groups, fix);
    return ncl_fail(log, NCL_ERROR_INPUT,
                    "%s: %lld %s in %lld groups, expected a multiple of the groups; likely fix: %s",
                    where, (long long)channels, what, (long long)groups, fix);
}

static bool differ(int64_t a, int64_t b)
{
    return a >= 0 && b >= 0 && a != b;
}

static void extent_text(struct ncl_extent extent, char text[TEXT])
{
    const int used = snprintf(text, TEXT, "%lld channels", (long long)extent.channels);

    if (extent.height >= 0 && extent.width >= 0)
        snprintf(text + used, TEXT - (size_t)used, " of %lldx%lld", (long long)extent.height,
                 (long long)extent.width);
}

/* The stride that takes `from` to `to` by a 1x1 convolution; 0: there is none. */
static int64_t stride_between(int64_t from, int64_t to)
{
    const int64_t stride = to > 0 && from > to ? (from + to - 1) / to : 0;

    return stride > 0 && (from - 1) / stride + 1 == to ? stride : 0;
}

static void residual_fix(struct ncl_extent path, struct ncl_extent shortcut, char text[TEXT])
{
    const bool sizes = differ(path.height, shortcut.height) || differ(path.width, shortcut.width);
    const int64_t stride = stride_between(shortcut.height, path.height);

    if (!sizes)
        snprintf(text, TEXT, "a 1x1 convolution to %lld channels on the shortcut",
                 (long long)path.channels);
    else if (stride > 0 && stride_between(shortcut.width, path.width) == stride)
        snprintf(text, TEXT, "a 1x1 convolution to %lld channels with stride %lld on the shortcut",
                 (long long)path.channels, (long long)stride);
    else
        snprintf(text, TEXT, "the same strides and padding on both");
}

ncl_status ncl_check_residual(const struct ncl_log *log, const char *where, struct ncl_extent path,
                              struct ncl_extent shortcut)
{
    char of_main[TEXT], of_shortcut[TEXT], fix[TEXT];

    if (!differ(path.channels, shortcut.channels) && !differ(path.height, shortcut.height) &&
        !differ(path.width, shortcut.width))
        return NCL_OK;
    extent_text(path, of_main);
    extent_text(shortcut, of_shortcut);
    residual_fix(path, shortcut, fix);
    return ncl_fail(log, NCL_ERROR_INPUT,
                    "%s: the main path has %s, the shortcut %s, expected the same; likely fix: %s",
                    where, of_main, of_shortcut, fix);
}

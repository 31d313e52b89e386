/* Corners of tiles: maps that no tile divides, one pixel, padding far beyond the map or none. */
#include "support/check_winograd.h"

extern const struct ncl_algo ncl_algo_winograd_chunk;

/* n, c, h, w, k, padding top, left, bottom, right */
#define FAST_3X3(n, c, h, w, k, ...)                                                               \
    {                                                                                              \
        NCL_CHECK_CONV_WINDOW(n, c, h, w, k, 1, 3, 3, 1, 1, 1, 1, __VA_ARGS__), .fast = true       \
    }

static const struct ncl_problem problems[] = {
    FAST_3X3(1, 32, 14, 14, 32, 1, 1, 1, 1),
    FAST_3X3(2, 21, 9, 11, 19, 1, 1, 1, 1), /* tails in and out */
    FAST_3X3(3, 16, 1, 1, 16, 1, 1, 1, 1),  /* one pixel */
    FAST_3X3(1, 8, 7, 6, 24, 0, 0, 0, 0),   /* no padding */
    FAST_3X3(1, 8, 3, 5, 8, 4, 0, 2, 6),    /* tiles wholly in the padding */
};

static const struct ncl_problem refused[] = {
    NCL_CHECK_CONV(1, 32, 8, 8, 32, 3, 1, 1, 1), /* not fast */
    {NCL_CHECK_CONV_MEMBERS(1, 32, 8, 8, 32, 3, 2, 1, 1), .fast = true},
    {NCL_CHECK_CONV_MEMBERS(1, 32, 8, 8, 32, 5, 1, 2, 1), .fast = true},
    {NCL_CHECK_CONV_MEMBERS(1, 32, 8, 8, 32, 3, 1, 1, 2), .fast = true},
    {NCL_CHECK_CONV_WINDOW(1, 32, 8, 8, 32, 1, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2), .fast = true},
};

int main(void)
{
    return ncl_check_main_with(&(struct ncl_check){.algo = &ncl_algo_winograd_chunk,
                                                   NCL_CHECK_PROBLEMS(problems),
                                                   NCL_CHECK_REFUSED(refused),
                                                   .finite_inputs = true,
                                                   .points = 3},
                               ncl_check_winograd_suite(&ncl_algo_winograd_chunk));
}

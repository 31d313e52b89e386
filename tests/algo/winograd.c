/* Corners of tiles: maps that no tile divides, one pixel, padding far beyond the map or none. */
#include "support/algo_check.h"

extern const struct ncl_algo ncl_algo_winograd;

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

int main(void)
{
    return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_winograd,
                                              NCL_CHECK_PROBLEMS(problems),
                                              .finite_inputs = true,
                                              .points = 3});
}

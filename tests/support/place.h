/* A directory of one test, removed with all that is in it: a fixture of a TCase. */
#ifndef NCL_TESTS_PLACE_H
#define NCL_TESTS_PLACE_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char place[64];

static inline int place_remove(const char *path, const struct stat *facts, int kind,
                               struct FTW *walk)
{
    (void)facts, (void)kind, (void)walk;
    return remove(path);
}

static inline void place_make(void)
{
    strcpy(place, P_tmpdir "/ncl-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
}

static inline void place_drop(void)
{
    nftw(place, place_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif

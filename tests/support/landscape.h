/* Recorded landscapes: what every point of a reduced space took on a real device, and what it cost
 * to build and verify. tests/data/landscapes holds them, tests/bench/landscape.c records them. A
 * text:
 *
 *     # comment
 *     problem C H W  K H W  KERNEL STRIDE PAD GROUPS RESIDUAL
 *     uses N                                how often ResNeXt-50 has it
 *     algorithm NAME ARGUMENTS TUNABLE...   ARGUMENTS: bits, as in ncl_algo
 *     start V...                            what the library chooses: of the first algorithm
 *     defaults NUMBER V...                  of the other algorithms, counted from 0
 *     reference US                          of one launch of the start
 *     NUMBER V... PREPARE_MS LAUNCH_US SPREAD_US
 *     NUMBER V... PREPARE_MS VERDICT
 *     again NUMBER V... 0 LAUNCH_US SPREAD_US   later visits to promising points: these count, as
 *                                           the fastest of first visits are the luckiest, too
 */
#ifndef NCL_TESTS_LANDSCAPE_H
#define NCL_TESTS_LANDSCAPE_H

#include "support/fake_evaluator.h"

#define NCL_LANDSCAPE_ALGOS 5

struct ncl_landscape_row {
    struct ncl_point point;
    enum ncl_verdict verdict;
    double prepare, seconds, spread; /* as recorded; means of the last visits */
    int visits;
    int kernel;          /* rows of equal numbers share a kernel */
    double build, again; /* what preparing costs for the first row of a kernel, for later ones */
};

struct ncl_landscape {
    struct ncl_caps caps; /* first: how algorithms find their landscape */
    char name[64];
    struct ncl_algo algos[NCL_LANDSCAPE_ALGOS];
    const struct ncl_algo *pointers[NCL_LANDSCAPE_ALGOS];
    char algo_names[NCL_LANDSCAPE_ALGOS][32];
    struct ncl_tunable tunables[NCL_LANDSCAPE_ALGOS][NCL_MAX_TUNABLES];
    char tunable_names[NCL_LANDSCAPE_ALGOS][NCL_MAX_TUNABLES][16];
    struct ncl_point defaults[NCL_LANDSCAPE_ALGOS];
    int algo_count;
    struct ncl_problem problem;
    int uses;
    struct ncl_point start;
    struct ncl_landscape_row *rows;
    size_t count, capacity;
};

/* Asserts that the file is as described. The landscape must not move. */
void ncl_landscape_load(const char *path, struct ncl_landscape *landscape);
void ncl_landscape_free(struct ncl_landscape *landscape);
const struct ncl_landscape_row *ncl_landscape_row(const struct ncl_landscape *landscape,
                                                  const struct ncl_point *point); /* NULL: none */
double ncl_landscape_optimum(const struct ncl_landscape *landscape);
const struct ncl_point *ncl_landscape_worst(const struct ncl_landscape *landscape);
void ncl_landscape_task(const struct ncl_landscape *landscape, struct ncl_task *task);

#endif

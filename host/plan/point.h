/* Points of the search space: one algorithm with its parameters, as memory and as text. */
#ifndef NCL_PLAN_POINT_H
#define NCL_PLAN_POINT_H

#include "algo/algo.h"
#include "base/hash.h"

struct ncl_point {
    const struct ncl_algo *algo;
    int v[NCL_MAX_TUNABLES]; /* 0 past tunable_count, so that equal points have equal bytes */
};

bool ncl_point_equal(const struct ncl_point *a, const struct ncl_point *b);
/* May the problem be computed so, on this device? */
bool ncl_point_legal(const struct ncl_point *point, const struct ncl_problem *p,
                     const struct ncl_caps *caps);
/* "P=6 KB=2", "" without tunables. */
void ncl_point_params(const struct ncl_point *point, struct ncl_text *text);
/* The point that names and numbers of a record stand for. false: no such algorithm here, a tunable
 * missing, unknown or named twice. Legality is a question of its own. */
bool ncl_point_parse(const char *algorithm, const char *params, struct ncl_point *point);
/* What a measurement of the algorithm depends on besides the point: its flattened kernel source,
 * version and tunables, the library's version where it calls one, NCL_ORDER_VERSION. Another hash
 * retires a record. "": memory ran out. */
void ncl_point_kernel_hash(const struct ncl_algo *algo, char text[NCL_HASH_TEXT]);
/* Of all kernels: what is known of a whole session depends on them, and so does an interrupted
 * tuning run. */
void ncl_kernels_hash(char text[NCL_HASH_TEXT]);
/* Appends what the compiler sees of a kernel's source: comments gone, and white space but where it
 * parts two words or two operators, or ends a directive or stands in one ("#define A (x)" is not
 * "A(x)"). */
void ncl_kernel_tokens(const char *source, struct ncl_text *text);

#endif

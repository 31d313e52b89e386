/* Kernel variants: source text of one algorithm with its constants. */
#ifndef NCL_PLAN_COMPOSE_H
#define NCL_PLAN_COMPOSE_H

#include "algo/algo.h"

/* The defines of this variant, without its suffix: equal text means one shared kernel body. */
void ncl_compose_defines(struct ncl_defines *defines, const struct ncl_algo *algo, const int *v,
                         const struct ncl_problem *p);
/* Appends "#define ...", the flattened kernel source and the "#undef"s that make room for the next
 * variant. The kernel's name becomes <kernel>_<suffix>. */
void ncl_compose_variant(struct ncl_text *source, const struct ncl_algo *algo,
                         const struct ncl_defines *defines, int suffix);

#endif

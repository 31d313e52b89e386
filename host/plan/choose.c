#include "plan/choose.h"

static int rank(size_t index, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const struct ncl_algo *algo = ncl_algos[index];

    return algo->rank_for ? algo->rank_for(p, caps) : algo->rank;
}

/* Ranks are few and ties rare: equal ranks keep the registry's alphabetical order. */
static bool preferred(size_t a, size_t b, const struct ncl_problem *p, const struct ncl_caps *caps)
{
    const int ranks[2] = {rank(a, p, caps), rank(b, p, caps)};

    return ranks[0] != ranks[1] ? ranks[0] > ranks[1] : a < b;
}

ncl_status ncl_choose(const struct ncl_log *log, const struct ncl_problem *p,
                      const struct ncl_caps *caps, int attempt, struct ncl_choice *choice)
{
    for (size_t i = 0; i < ncl_algo_count; i++) {
        int better = 0;

        if (!ncl_algo_usable(ncl_algos[i], p, caps))
            continue;
        for (size_t j = 0; j < ncl_algo_count; j++)
            better += ncl_algo_usable(ncl_algos[j], p, caps) && preferred(j, i, p, caps);
        if (better != attempt)
            continue;
        *choice = (struct ncl_choice){{ncl_algos[i], {0}}, attempt ? "fallback" : "default"};
        ncl_algos[i]->defaults(choice->point.v, p, caps);
        return NCL_OK;
    }
    return ncl_fail(log, NCL_ERROR_DEVICE, "no %salgorithm for this %s on %s",
                    attempt ? "further " : "", ncl_problem_kind_name(p), caps->name);
}

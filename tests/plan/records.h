/* Records about points of algorithms, on devices that are capabilities only. */
#ifndef NCL_TESTS_PLAN_RECORDS_H
#define NCL_TESTS_PLAN_RECORDS_H

#include "plan/lookup.h"
#include "tunedb/place.h"

static inline struct ncl_caps device_named(const struct ncl_caps *like, const char *platform,
                                           const char *name, const char *vendor, const char *driver)
{
    struct ncl_caps caps = *like;

    snprintf(caps.platform, sizeof caps.platform, "%s", platform);
    snprintf(caps.name, sizeof caps.name, "%s", name);
    snprintf(caps.vendor, sizeof caps.vendor, "%s", vendor);
    snprintf(caps.driver, sizeof caps.driver, "%s", driver);
    return caps;
}

static inline struct ncl_point point_of(const char *algorithm, const char *params)
{
    struct ncl_point point;

    ck_assert_msg(ncl_point_parse(algorithm, params, &point), "%s %s", algorithm, params);
    return point;
}

/* Of what a record says beyond its keys; what is 0 stays as in a winner measured there. */
struct told {
    enum ncl_verdict verdict;
    enum ncl_origin origin;
    double seconds, default_seconds;
    bool loser, unverified;
    const char *kernel;
    const char *why;
};

static inline void tell(struct ncl_store *store, const struct ncl_problem *p,
                        const struct ncl_caps *caps, const struct ncl_point *point,
                        const struct told *told)
{
    struct ncl_record_keys keys;
    struct ncl_record record;

    ck_assert(ncl_record_about(p, caps, point, &keys, &record));
    record.verdict = told->verdict;
    record.origin = told->origin;
    record.seconds = told->seconds;
    record.default_seconds = told->default_seconds;
    record.chosen = told->verdict == NCL_VERDICT_GOOD && !told->loser;
    record.verified = told->verdict == NCL_VERDICT_GOOD && !told->unverified;
    record.samples = told->seconds > 0 ? 7 : 0;
    if (told->kernel)
        record.kernel = told->kernel;
    if (told->why)
        record.why = told->why;
    ck_assert(ncl_records_put(store, &record));
    ncl_record_keys_free(&keys);
}

#endif

/* What tuning records advise for a problem: the user's store first, then what is shipped. */
#ifndef NCL_PLAN_LOOKUP_H
#define NCL_PLAN_LOOKUP_H

#include "plan/point.h"
#include "tunedb/jsonl.h"
#include "tunedb/records.h"

/* How close a record's device is, best first. Each step validates against this device's limits. */
enum ncl_match {
    NCL_MATCH_EXACT,        /* device and driver */
    NCL_MATCH_DRIVER,       /* same device, another driver */
    NCL_MATCH_ARCHITECTURE, /* same platform, vendor, class and compute units, another name */
    NCL_MATCH_VENDOR,       /* same vendor and class */
    NCL_MATCH_CLASS,
    NCL_MATCH_NONE
};

struct ncl_advice {
    struct ncl_point point;
    enum ncl_match match;
    enum ncl_origin origin;
    bool verified; /* on this device and driver, with this kernel: may run as it is */
    double seconds, default_seconds; /* as recorded, 0: unknown */
};

/* The device of caps as records name it. klass: room for the class's text. */
void ncl_fingerprint_of(const struct ncl_caps *caps, char klass[64], struct ncl_fingerprint *on);

/* The best advice for the problem; false: none. Records of other kernels (hash), illegal points and
 * points with a tombstone on this device and driver are passed over. store may be NULL. */
bool ncl_lookup(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                const struct ncl_caps *caps, struct ncl_advice *advice);
/* Has the point a tombstone on this device and driver? Then why says (of bytes, may be NULL). */
bool ncl_lookup_is_dead(struct ncl_store *store, const struct ncl_problem *p,
                        const struct ncl_caps *caps, const struct ncl_point *point, char *why,
                        size_t bytes);
/* Up to `room` legal points to try first: best of this device (other drivers: their first three),
 * of nearer devices before farther ones, then winners of the nearest shapes of the same kind (same
 * kernel size, stride and grouping; channels and pixels by log distance). Returns how many. */
int ncl_portfolio(const struct ncl_log *log, struct ncl_store *store, const struct ncl_problem *p,
                  const struct ncl_caps *caps, struct ncl_point *points, int room);

#endif
